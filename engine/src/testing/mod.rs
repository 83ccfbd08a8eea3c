//! Helpers for tests.

pub mod arbitrary;
