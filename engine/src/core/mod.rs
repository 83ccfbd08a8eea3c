//! What happened and what comes next. Pure: no clock, no disk, no randomness, no waiting.

pub mod event;
pub mod status;
mod workflow;

pub use self::workflow::{OnFailure, Retry, StepPolicy, Workflow};
