//! The shell around the core.
