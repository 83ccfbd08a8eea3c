//! For tests, ours and those of plugins made elsewhere: generated entries and workflows, a simulated world, the laws
//! that hold in every run, and the conformance kit.

mod amending;
mod answers;
mod approving;
pub mod arbitrary;
pub mod conformance;
pub mod doubles;
pub mod laws;
mod people;
mod sending;
pub mod simulation;
pub mod team;
pub mod workflows;
pub mod world;
