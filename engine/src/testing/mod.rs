//! Helpers for tests.

pub mod laws;
pub mod simulation;
pub mod workflows;
pub mod world;
