//! Helpers for tests.

pub mod conformance;
pub mod doubles;
