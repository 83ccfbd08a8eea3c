//! What to do: from YAML to a checked runbook.

pub mod graph;
