//! Helpers for tests.

pub mod arbitrary;
pub mod conformance;
pub mod doubles;
