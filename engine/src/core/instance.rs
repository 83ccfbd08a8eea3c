//! One instance: the phase of its life, and what is known of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::approval::Approval;
use super::event::{Failure, Need, ProcessMark, StopReason};
use super::status::InstanceStatus;
use super::word::Word;
use crate::id::{AttemptNo, InstanceId, Operator, Seq};
use crate::runbook::graph::StepIx;

/// Where an instance is in its life. The design's statuses that depend on other steps (`ready` before it is
/// opened, `blocked`) are worked out when somebody looks.
#[derive(Debug, Clone, PartialEq)]
pub enum Phase {
    /// Its step is not opened.
    Pending,
    /// It stood for its whole step, which fanned out; the items' instances took its place.
    FannedOut,
    /// It waits for a slot or a lock.
    Ready,
    /// It failed and waits for its next try.
    Retrying {
        /// When that is due.
        at: Timestamp,
    },
    /// `validate` looks.
    Observing {
        /// What for.
        asks: Asks,
        /// The call.
        activity: Activity,
    },
    /// `validate` found that there is something to do; the attempt is next.
    Observed,
    /// `run` is under way.
    Running(Activity),
    /// `run` returned; `validate` checks.
    Verifying(Activity),
    /// An attempt was interrupted.
    InDoubt(Doubt),
    /// A person must act.
    Waiting(Need),
    /// The outcome was there before the run touched anything.
    Satisfied,
    /// The outcome is there.
    Succeeded,
    /// Not carried out, and why.
    Skipped(String),
    /// It did not succeed.
    Failed,
    /// The next try at undoing it is due.
    RollbackReady,
    /// Undoing it failed and waits for its next try.
    RollbackRetrying {
        /// When that is due.
        at: Timestamp,
    },
    /// `rollback` is under way.
    RollingBack(Activity),
    /// `rollback` returned; `validate` checks.
    RollbackVerifying(Activity),
    /// Undoing was interrupted.
    RollbackInDoubt(Doubt),
    /// A person must act for it to be undone.
    RollbackWaiting(Need),
    /// It was undone.
    RolledBack,
    /// It could not be undone.
    RollbackFailed,
}

/// What an observation is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// Whether there is anything to do.
    Before,
    /// Whether an interrupted attempt took effect.
    Doubt,
    /// Whether an interrupted rollback took effect.
    RollbackDoubt,
}

/// A call of a plugin that is under way.
#[derive(Debug, Clone, PartialEq)]
pub struct Activity {
    /// The entry that started it.
    pub of: Seq,
    /// When.
    pub since: Timestamp,
    /// The process it started.
    pub process: Option<ProcessMark>,
    /// Why it was told to stop, if it was.
    pub stop: Option<StopReason>,
}

impl Activity {
    /// A call that the entry `of` started.
    #[must_use]
    pub fn new(of: Seq, since: Timestamp) -> Self {
        Self {
            of,
            since,
            process: None,
            stop: None,
        }
    }
}

/// What was interrupted, and whether its processes are known to be gone.
#[derive(Debug, Clone, PartialEq)]
pub struct Doubt {
    /// The activity that was cut off.
    pub activity: Activity,
    /// No process of it is left.
    pub cleared: bool,
}

impl Phase {
    /// Whether those that need it may go on.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        matches!(self, Self::Satisfied | Self::Succeeded | Self::Skipped(_))
    }

    /// The call that is under way.
    #[must_use]
    pub fn activity(&self) -> Option<&Activity> {
        match self {
            Self::Observing { activity, .. }
            | Self::Running(activity)
            | Self::Verifying(activity)
            | Self::RollingBack(activity)
            | Self::RollbackVerifying(activity) => Some(activity),
            Self::Pending
            | Self::FannedOut
            | Self::Ready
            | Self::Retrying { .. }
            | Self::Observed
            | Self::InDoubt(_)
            | Self::Waiting(_)
            | Self::Satisfied
            | Self::Succeeded
            | Self::Skipped(_)
            | Self::Failed
            | Self::RollbackReady
            | Self::RollbackRetrying { .. }
            | Self::RollbackInDoubt(_)
            | Self::RollbackWaiting(_)
            | Self::RolledBack
            | Self::RollbackFailed => None,
        }
    }

    /// See [`activity`](Self::activity).
    pub(super) fn activity_mut(&mut self) -> Option<&mut Activity> {
        match self {
            Self::Observing { activity, .. }
            | Self::Running(activity)
            | Self::Verifying(activity)
            | Self::RollingBack(activity)
            | Self::RollbackVerifying(activity) => Some(activity),
            _ => None,
        }
    }

    /// Whether no other instance may take the locks of this one.
    pub(super) fn holds_locks(&self) -> bool {
        matches!(
            self,
            Self::Observing {
                asks: Asks::Before | Asks::Doubt,
                ..
            } | Self::Observed
                | Self::Running(_)
                | Self::Verifying(_)
                | Self::InDoubt(_)
                | Self::Waiting(Need::ManualWork | Need::Decision)
        )
    }

    /// Whether undoing may begin here, where something may have changed: nothing is under way or left over.
    pub(super) fn can_be_undone(&self) -> bool {
        match self {
            Self::Pending
            | Self::Ready
            | Self::Retrying { .. }
            | Self::Observed
            | Self::InDoubt(Doubt { cleared: true, .. })
            | Self::Waiting(_)
            | Self::Succeeded
            | Self::Skipped(_)
            | Self::Failed
            | Self::RollbackReady
            | Self::RollbackRetrying { .. } => true,
            Self::FannedOut
            | Self::Observing { .. }
            | Self::Running(_)
            | Self::Verifying(_)
            | Self::InDoubt(Doubt { cleared: false, .. })
            | Self::Satisfied
            | Self::RollingBack(_)
            | Self::RollbackVerifying(_)
            | Self::RollbackInDoubt(_)
            | Self::RollbackWaiting(_)
            | Self::RolledBack
            | Self::RollbackFailed => false,
        }
    }

    /// The status that people read, as far as the instance alone can tell.
    #[must_use]
    pub fn status(&self) -> InstanceStatus {
        match self {
            Self::Pending | Self::FannedOut => InstanceStatus::Pending,
            Self::Ready | Self::Retrying { .. } | Self::Observed => InstanceStatus::Ready,
            Self::Observing {
                asks: Asks::Before | Asks::Doubt,
                ..
            } => InstanceStatus::Observing,
            Self::Running(_) => InstanceStatus::Running,
            Self::Verifying(_) => InstanceStatus::Verifying,
            Self::InDoubt(_) | Self::Waiting(Need::Decision) => InstanceStatus::InDoubt,
            Self::Waiting(Need::ManualWork | Need::Approval)
            | Self::RollbackWaiting(Need::ManualWork | Need::Approval) => InstanceStatus::Waiting,
            Self::Satisfied => InstanceStatus::Satisfied,
            Self::Succeeded => InstanceStatus::Succeeded,
            Self::Skipped(_) => InstanceStatus::Skipped,
            Self::Failed => InstanceStatus::Failed,
            Self::RollbackReady
            | Self::RollbackRetrying { .. }
            | Self::RollingBack(_)
            | Self::RollbackVerifying(_)
            | Self::Observing {
                asks: Asks::RollbackDoubt,
                ..
            } => InstanceStatus::RollingBack,
            Self::RollbackInDoubt(_) | Self::RollbackWaiting(Need::Decision) => InstanceStatus::InDoubt,
            Self::RolledBack => InstanceStatus::RolledBack,
            Self::RollbackFailed => InstanceStatus::RollbackFailed,
        }
    }
}

/// An item of a checklist that was ticked off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tick {
    /// By whom.
    pub by: Operator,
    /// When.
    pub at: Timestamp,
}

/// That a run was sent back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sending {
    /// From what it waited for.
    pub from: InstanceId,
    /// To what was not done right.
    pub to: InstanceId,
    /// By whom.
    pub by: Operator,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub why: String,
}

/// What is known of an instance.
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    /// Its id.
    pub id: InstanceId,
    /// Its step.
    pub step: StepIx,
    /// The item that it is for.
    pub item: Option<Value>,
    /// Where it is in its life.
    pub phase: Phase,
    /// How many attempts were started.
    pub attempts: AttemptNo,
    /// How many times undoing was started.
    pub rollbacks: AttemptNo,
    /// What was observed before the first attempt.
    pub before: Option<Value>,
    /// What its rollback keeps, should it be interrupted.
    pub kept: Option<Value>,
    /// What it gives to those after it: a map, or null.
    pub outputs: Arc<Value>,
    /// The last thing that went wrong.
    pub error: Option<Failure>,
    /// The first thing that went wrong while it was undone.
    pub rollback_error: Option<Failure>,
    /// Whether it may have changed the world and was not undone since.
    pub changed: bool,
    /// When it was first taken in hand.
    pub started: Option<Timestamp>,
    /// When it last came to rest.
    pub ended: Option<Timestamp>,
    /// When the work on it began that is under way, or was the last: doing it or undoing it. None where nobody
    /// knows, because an interruption lies between.
    pub since: Option<Timestamp>,
    /// When a person was last asked to act.
    pub asked: Option<Timestamp>,
    /// The items of its checklist that were ticked off since then, counted from 1.
    pub ticks: BTreeMap<u32, Tick>,
    /// The approval that was asked for, and who gave it.
    pub approval: Option<Approval>,
    /// The last word by which a person declared it done or undone; [`word`](Self::word) tells whether that still counts.
    pub(super) said: Option<Arc<Word>>,
    /// That it, or something that it stands on, was sent back to, and it is not settled since.
    pub sent_back: Option<Arc<Sending>>,
    /// Whether it was done before it was sent back to: then it is not attempted as long as nobody can tell whether it
    /// still is.
    pub(super) done_before: bool,
    /// Whether its step was sent back to and is not opened since, or no longer for it.
    pub(super) reopens: bool,
    /// Whether all of the outcome was there when undoing began and no try at that failed since: then, and
    /// only then, does its absence show that undoing took effect.
    pub(super) undone_from_whole: bool,
    /// Whether the last attempt returned success: `outputs` holds what it gave.
    pub(super) returned: bool,
    /// Failed tries at doing it, or at undoing it, since that was begun, or since a person said to try again.
    pub(super) failures: u32,
    /// When the first of these tries began.
    pub(super) first_try: Option<Timestamp>,
}

impl Instance {
    /// How long the last work on it took, once it is over, if that is known.
    #[must_use]
    pub fn took(&self) -> Option<SignedDuration> {
        Some(self.ended?.duration_since(self.since?))
    }

    /// Whether it stands for a step that was never opened: it waits for that, or its `when` or `for_each` went wrong.
    pub(super) fn is_unopened(&self) -> bool {
        let waits = matches!(self.phase, Phase::Pending | Phase::Failed);
        waits && self.started.is_none() && self.item.is_none()
    }

    /// Whether its step has no instances yet, or is to be opened again, or was settled instead.
    pub(super) fn is_not_opened(&self) -> bool {
        let never = self.started.is_none() && self.item.is_none();
        self.reopens || self.is_unopened() || (never && matches!(self.phase, Phase::Skipped(_)))
    }

    /// Nothing counts any more of what failed.
    pub(super) fn all_tries_free(&mut self) {
        self.failures = 0;
        self.first_try = None;
    }

    pub(super) fn new(id: InstanceId, step: StepIx, item: Option<Value>) -> Self {
        Self {
            id,
            step,
            item,
            phase: Phase::Pending,
            attempts: AttemptNo(0),
            rollbacks: AttemptNo(0),
            before: None,
            kept: None,
            outputs: Arc::new(Value::Null),
            error: None,
            rollback_error: None,
            changed: false,
            started: None,
            ended: None,
            since: None,
            asked: None,
            ticks: BTreeMap::new(),
            approval: None,
            said: None,
            sent_back: None,
            done_before: false,
            reopens: false,
            undone_from_whole: false,
            returned: false,
            failures: 0,
            first_try: None,
        }
    }
}
