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
    /// All of them.
    pub(crate) const ALL: [Self; 8] = [
        Self::Done,
        Self::Failed,
        Self::BadInput,
        Self::Waiting,
        Self::InDoubt,
        Self::Held,
        Self::Fault,
        Self::Interrupted,
    ];

    /// What it means of a command that carries a run on.
    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "a step failed, a rollback is stuck, or the run was cancelled",
            Self::BadInput => "bad input: the command line, the runbook or a parameter",
            Self::Waiting => "waiting for a person",
            Self::InDoubt => "an instance is in doubt and a person must decide",
            Self::Held => "the run is held by someone else",
            Self::Fault => {
                "a fault of the program ([RB0900](../errors/RB0900.md)), or of the machine: a full disk, a damaged journal"
            }
            Self::Interrupted => "interrupted (Ctrl-C); the journal is intact",
        }
    }

    /// What to do then.
    pub(crate) fn to_do(self) -> &'static str {
        match self {
            Self::Done => "",
            Self::Failed => "`runbook show RUN`, then `decide`, `resume` or `rollback`",
            Self::BadInput => "correct it; nothing was started",
            Self::Waiting => "do the work, then `confirm` or `resume`",
            Self::InDoubt => "look at the system, then `decide`",
            Self::Held => "wait, or ask the holder that the message names",
            Self::Fault => "what the message says, then `resume`",
            Self::Interrupted => "`resume`",
        }
    }

    /// How a command ends that leaves a run in this state.
    pub(crate) fn of(state: &RunState) -> Self {
        match state.status() {
            RunStatus::Completed | RunStatus::RolledBack => Self::Done,
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
