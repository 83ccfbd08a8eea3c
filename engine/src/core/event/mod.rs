//! What can happen to a run: the facts that the journal holds, in the terms of the design.

use jiff::Timestamp;
use serde_json::Value;

pub use self::amended::{Amended, Revision, RevisionAct};
pub use self::approving::{Approving, Proposal};
pub use self::handing::Handing;
pub use self::overlaid::{Change, ChangeAct, ChangeOf, Overlaid, PinnedOverlay};
pub use self::parts::{
    Attachment, DoubtRuling, Failure, FailureKind, Item, LeftProcess, Need, Place, ProcessMark, Rehearsal,
    RehearsedFailure, RollbackScope, Ruling, RunStarted, StopReason, Transcript, Verdict,
};
pub use self::sending::SentBack;
use crate::id::{AttemptNo, Host, InstanceId, Operator, Seq, StepId};

mod amended;
mod approving;
mod handing;
mod overlaid;
mod parts;
mod sending;

/// Named values that a step gives to those that come after it.
pub type Outputs = serde_json::Map<String, Value>;

/// An event with its place in the journal, its author and its time.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its place, without gaps from 0.
    pub seq: Seq,
    /// When it was decided, by the clock of `host`.
    pub time: Timestamp,
    /// Who acted.
    pub operator: Operator,
    /// On which machine.
    pub host: Host,
    /// What happened.
    pub event: Event,
}

impl Entry {
    /// Whether the definition of the run is another one after it.
    #[must_use]
    pub fn amends(&self) -> bool {
        matches!(self.event, Event::Amended(_))
    }
}

/// One fact about a run. Which states accept it is said by [`RunState::apply`](super::RunState::apply).
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The first entry: a run of this definition, with these parameters.
    RunStarted(Box<RunStarted>),
    /// A file that the runbook refers to, as it was when the run started.
    FilePinned {
        /// The name by which the runbook refers to it.
        name: String,
        /// The whole text.
        text: String,
    },
    /// The definition was changed.
    Amended(Box<Amended>),
    /// Another process took the run up; whatever the one before had under way is settled next.
    RunResumed {
        /// How many instances may be under way at once from now on.
        jobs: u32,
    },
    /// All needs of a step are settled and its `when` holds: these are its instances.
    StepOpened {
        /// The step.
        step: StepId,
        /// Its items, where it fans out; a step that does not has one instance.
        items: Option<Vec<Item>>,
    },
    /// A step is not carried out; those that need it go on.
    StepSkipped {
        /// The step.
        step: StepId,
        /// Why not, for people.
        reason: String,
    },
    /// A step's `when` or `for_each` could not be evaluated.
    StepUnclear {
        /// The step.
        step: StepId,
        /// What went wrong.
        error: Failure,
    },
    /// `validate` was called to see whether the outcome is there already, or after all.
    ObservationStarted {
        /// The instance.
        instance: InstanceId,
    },
    /// What `validate` found before an attempt, or after an interruption.
    Observed {
        /// The instance.
        instance: InstanceId,
        /// Whether the outcome is there.
        verdict: Verdict,
        /// What was seen; before the first attempt this is what a rollback restores.
        observed: Value,
        /// The step's outputs, where the outcome is there.
        outputs: Outputs,
        /// What it printed.
        transcript: Option<Transcript>,
    },
    /// `validate` itself failed.
    ObservationFailed {
        /// The instance.
        instance: InstanceId,
        /// What went wrong.
        error: Failure,
        /// When to try again; none settles the instance as failed or, when in doubt, leaves it to a person.
        retry_at: Option<Timestamp>,
        /// What it printed.
        transcript: Option<Transcript>,
    },
    /// The intent: from here on the world may have changed.
    AttemptStarted {
        /// The instance.
        instance: InstanceId,
        /// Which try this is.
        attempt: AttemptNo,
    },
    /// The attempt started an operating-system process, which may outlive the engine.
    ProcessStarted {
        /// The instance.
        instance: InstanceId,
        /// The process.
        process: ProcessMark,
    },
    /// The attempt under way was told to stop.
    StopRequested {
        /// The instance.
        instance: InstanceId,
        /// Why.
        reason: StopReason,
    },
    /// `run` returned success.
    AttemptReturned {
        /// The instance.
        instance: InstanceId,
        /// What it gave.
        outputs: Outputs,
        /// What it printed.
        transcript: Option<Transcript>,
    },
    /// The attempt did not succeed: `run` said so, it timed out, or `validate` contradicted it.
    AttemptFailed {
        /// The instance.
        instance: InstanceId,
        /// What went wrong.
        error: Failure,
        /// What it printed.
        transcript: Option<Transcript>,
        /// When to try again; none settles the instance as failed.
        retry_at: Option<Timestamp>,
    },
    /// The outcome is there: the instance has succeeded.
    Verified {
        /// The instance.
        instance: InstanceId,
        /// [`Verdict::Satisfied`], or [`Verdict::Unknown`] where the step cannot tell.
        verdict: Verdict,
        /// The outputs from now on.
        outputs: Outputs,
        /// What `validate` printed.
        transcript: Option<Transcript>,
    },
    /// Nobody knows whether what was under way took effect.
    Interrupted {
        /// The instance.
        instance: InstanceId,
        /// What was printed until then.
        transcript: Option<Transcript>,
    },
    /// No process of what was interrupted is left: only now may the doubt be settled.
    ProcessCleared {
        /// The instance.
        instance: InstanceId,
        /// What was found.
        found: LeftProcess,
    },
    /// The engine settled a doubt by the rules.
    DoubtSettled {
        /// The instance.
        instance: InstanceId,
        /// How.
        ruling: DoubtRuling,
        /// The outputs, where it had taken effect.
        outputs: Outputs,
    },
    /// Nothing goes on with this instance until a person acts.
    PersonNeeded {
        /// The instance.
        instance: InstanceId,
        /// For what.
        need: Need,
    },
    /// A person ticked an item of a checklist off, before the work as a whole is confirmed.
    Ticked {
        /// The instance.
        instance: InstanceId,
        /// Which item, counted from 1.
        number: u32,
        /// What it says.
        item: String,
    },
    /// A person did the manual work, or undid it.
    Confirmed {
        /// The instance.
        instance: InstanceId,
        /// What they found or entered.
        values: Outputs,
        /// The files that prove it.
        attachments: Vec<Attachment>,
        /// What else they said.
        note: Option<String>,
    },
    /// A person settled an instance in doubt, or one that failed.
    Decided {
        /// The instance.
        instance: InstanceId,
        /// How it goes on.
        ruling: Ruling,
        /// Why.
        why: String,
    },
    /// Something about the approval of what would be carried out.
    Approving(Approving),
    /// The run is sent back from what it waits for to something earlier.
    SentBack(SentBack),
    /// Who has the run changed, or is about to.
    Handed(Handing),
    /// A person stopped the run for good.
    CancelRequested {
        /// Why.
        why: String,
    },
    /// From here on the run is undone.
    RollbackStarted {
        /// What was asked for; all that depends on it is undone too.
        scope: RollbackScope,
        /// What will be undone, in this order.
        plan: Vec<InstanceId>,
        /// What may have changed something but has no way back.
        left: Vec<InstanceId>,
        /// Why.
        why: String,
    },
    /// The intent to undo: from here on the world may have changed.
    RollbackAttemptStarted {
        /// The instance.
        instance: InstanceId,
        /// Which try this is.
        attempt: AttemptNo,
    },
    /// What `rollback` wants to know again, should it be interrupted; it changes nothing before this is durable.
    RollbackKept {
        /// The instance.
        instance: InstanceId,
        /// What it keeps; it takes the place of what it kept before.
        what: Value,
    },
    /// `rollback` returned success.
    RollbackReturned {
        /// The instance.
        instance: InstanceId,
        /// What it printed.
        transcript: Option<Transcript>,
    },
    /// The outcome is gone.
    RolledBack {
        /// The instance.
        instance: InstanceId,
        /// [`Verdict::Unsatisfied`], or [`Verdict::Unknown`] where the step cannot tell.
        verdict: Verdict,
        /// What `validate` printed.
        transcript: Option<Transcript>,
    },
    /// `rollback` failed, or `validate` still finds the outcome.
    RollbackFailed {
        /// The instance.
        instance: InstanceId,
        /// What went wrong.
        error: Failure,
        /// What it printed.
        transcript: Option<Transcript>,
        /// When to try again; none leaves the rollback stuck until a person acts.
        retry_at: Option<Timestamp>,
    },
}

impl Event {
    /// The kind of event, as the journal names it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::RunStarted(_) => "run_started",
            Self::FilePinned { .. } => "file_pinned",
            Self::Amended(_) => "amended",
            Self::RunResumed { .. } => "run_resumed",
            Self::StepOpened { .. } => "step_opened",
            Self::StepSkipped { .. } => "step_skipped",
            Self::StepUnclear { .. } => "step_unclear",
            Self::ObservationStarted { .. } => "observation_started",
            Self::Observed { .. } => "observed",
            Self::ObservationFailed { .. } => "observation_failed",
            Self::AttemptStarted { .. } => "attempt_started",
            Self::ProcessStarted { .. } => "process_started",
            Self::StopRequested { .. } => "stop_requested",
            Self::AttemptReturned { .. } => "attempt_returned",
            Self::AttemptFailed { .. } => "attempt_failed",
            Self::Verified { .. } => "verified",
            Self::Interrupted { .. } => "interrupted",
            Self::ProcessCleared { .. } => "process_cleared",
            Self::DoubtSettled { .. } => "doubt_settled",
            Self::PersonNeeded { .. } => "person_needed",
            Self::Ticked { .. } => "ticked",
            Self::Confirmed { .. } => "confirmed",
            Self::Decided { .. } => "decided",
            Self::Approving(approving) => approving.name(),
            Self::SentBack(_) => "sent_back",
            Self::Handed(handing) => handing.name(),
            Self::CancelRequested { .. } => "cancel_requested",
            Self::RollbackStarted { .. } => "rollback_started",
            Self::RollbackAttemptStarted { .. } => "rollback_attempt_started",
            Self::RollbackKept { .. } => "rollback_kept",
            Self::RollbackReturned { .. } => "rollback_returned",
            Self::RolledBack { .. } => "rolled_back",
            Self::RollbackFailed { .. } => "rollback_failed",
        }
    }
}
