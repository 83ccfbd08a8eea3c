//! The exit codes: documented, and decided in one place.

use std::process::ExitCode;

use runbook_engine::core::{RunState, RunStatus};

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Done.
    Done = 0,
    /// A step failed, or something that was checked does not hold.
    Failed = 1,
    /// Bad input: usage, runbook or parameter.
    BadInput = 2,
    /// The run waits for a person.
    Waiting = 3,
    /// An instance is in doubt and a person must decide.
    InDoubt = 4,
    /// Somebody else holds the run.
    Held = 5,
    /// A fault of the program, or of the machine it runs on.
    Fault = 70,
    /// Interrupted; the journal is intact.
    Interrupted = 130,
}

impl Exit {
    /// How a command ends that leaves a run in this state.
    pub(crate) fn of(state: &RunState) -> Self {
        match state.status() {
            RunStatus::Completed => Self::Done,
            RunStatus::RolledBack if state.has_failures() => Self::Failed,
            RunStatus::RolledBack => Self::Done,
            RunStatus::Failed | RunStatus::Stuck | RunStatus::Cancelled => Self::Failed,
            RunStatus::Waiting if state.needs_decision() => Self::InDoubt,
            RunStatus::Waiting => Self::Waiting,
            // Neither is left behind by a command that was not interrupted.
            RunStatus::Running | RunStatus::RollingBack => Self::Interrupted,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
