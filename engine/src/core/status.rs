//! The statuses of the design, as people and programs read them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Something is under way or can start.
    Running,
    /// Nothing goes on until a person acts.
    Waiting,
    /// A step failed, and nothing goes on.
    Failed,
    /// Every step is settled, none failed.
    Completed,
    /// It is being undone.
    RollingBack,
    /// It was undone.
    RolledBack,
    /// It could not be undone entirely.
    Stuck,
    /// A person stopped it.
    Cancelled,
}

impl RunStatus {
    /// The status as the design names it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Failed => "failed",
            Self::Completed => "completed",
            Self::RollingBack => "rolling_back",
            Self::RolledBack => "rolled_back",
            Self::Stuck => "stuck",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether it goes on without a person, as long as a process carries it out.
    #[must_use]
    pub fn goes_on_by_itself(self) -> bool {
        match self {
            Self::Running | Self::RollingBack => true,
            Self::Waiting
            | Self::Failed
            | Self::Completed
            | Self::RolledBack
            | Self::Stuck
            | Self::Cancelled => false,
        }
    }

    /// Whether nothing more will happen to the run unless a person reopens it.
    #[must_use]
    pub fn is_finished(self) -> bool {
        match self {
            Self::Completed | Self::RolledBack | Self::Cancelled => true,
            Self::Running | Self::Waiting | Self::Failed | Self::RollingBack | Self::Stuck => false,
        }
    }

    /// Whether nothing goes on by itself, and no answer is waited for either.
    #[must_use]
    pub fn rests(self) -> bool {
        self.is_finished() || matches!(self, Self::Failed | Self::Stuck)
    }
}

impl fmt::Display for RunStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Where an instance stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InstanceStatus {
    /// Its needs are not settled.
    Pending,
    /// It can start as soon as there is room, a lock is free or a wait is over.
    Ready,
    /// `validate` looks whether the outcome is there.
    Observing,
    /// `run` is under way.
    Running,
    /// `validate` checks the outcome.
    Verifying,
    /// Nobody knows whether an attempt took effect.
    InDoubt,
    /// A person must act.
    Waiting,
    /// The outcome was there before the run.
    Satisfied,
    /// The outcome is there.
    Succeeded,
    /// It is not carried out.
    Skipped,
    /// It did not succeed.
    Failed,
    /// A step that it needs failed.
    Blocked,
    /// It is being undone.
    RollingBack,
    /// It was undone.
    RolledBack,
    /// It could not be undone.
    RollbackFailed,
}

impl InstanceStatus {
    /// The status as the design names it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Ready => "ready",
            Self::Observing => "observing",
            Self::Running => "running",
            Self::Verifying => "verifying",
            Self::InDoubt => "in_doubt",
            Self::Waiting => "waiting",
            Self::Satisfied => "satisfied",
            Self::Succeeded => "succeeded",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
            Self::Blocked => "blocked",
            Self::RollingBack => "rolling_back",
            Self::RolledBack => "rolled_back",
            Self::RollbackFailed => "rollback_failed",
        }
    }
}

impl fmt::Display for InstanceStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
