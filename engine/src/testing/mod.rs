//! Helpers for tests.

pub mod laws;
mod people;
pub mod simulation;
pub mod workflows;
pub mod world;
