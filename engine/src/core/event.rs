//! What can happen to a run: the facts that the journal holds, in the terms of the design.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::id::{AttemptNo, Host, InstanceId, ItemKey, Operator, ParamName, RunId, RunbookName, Seq, StepId};

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
    },
    /// `validate` itself failed.
    ObservationFailed {
        /// The instance.
        instance: InstanceId,
        /// What went wrong.
        error: Failure,
        /// When to try again; none settles the instance as failed or, when in doubt, leaves it to a person.
        retry_at: Option<Timestamp>,
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
    },
    /// Nobody knows whether what was under way took effect.
    Interrupted {
        /// The instance.
        instance: InstanceId,
        /// What was printed until then.
        transcript: Option<Transcript>,
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
    },
    /// `rollback` failed, or `validate` still finds the outcome.
    RollbackFailed {
        /// The instance.
        instance: InstanceId,
        /// What went wrong.
        error: Failure,
        /// What it printed.
        transcript: Option<Transcript>,
    },
}

/// What a run is, from its first entry.
#[derive(Debug, Clone, PartialEq)]
pub struct RunStarted {
    /// The run's identity.
    pub run: RunId,
    /// The runbook's name.
    pub runbook: RunbookName,
    /// The name of the runbook's file, for messages.
    pub file: String,
    /// The runbook's whole text.
    pub text: String,
    /// The parameters' values; a secret's is never here.
    pub params: BTreeMap<ParamName, Value>,
    /// How it is rehearsed, if it is.
    pub rehearsal: Option<Rehearsal>,
    /// How many instances may be under way at once.
    pub jobs: u32,
    /// The version of the program that started it.
    pub program: String,
}

/// How a run is rehearsed: which faults to play.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Rehearsal {
    /// Attempts that fail.
    pub failures: Vec<RehearsedFailure>,
    /// Instances, or whole steps, whose first attempt is interrupted.
    pub interruptions: Vec<InstanceId>,
}

/// An attempt that fails in a rehearsal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RehearsedFailure {
    /// The instance, or the whole step.
    pub instance: InstanceId,
    /// Which attempt; none means every one.
    pub attempt: Option<AttemptNo>,
}

/// One item of a fan-out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// The part of the instance's id in brackets.
    pub key: ItemKey,
    /// What the step reads as `item`.
    pub value: Value,
}

/// What `validate` answers: is the outcome there?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Yes.
    Satisfied,
    /// No, and what is missing.
    Unsatisfied(String),
    /// This step cannot tell.
    Unknown,
}

/// Why something did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What sort of thing went wrong.
    pub kind: FailureKind,
    /// What happened and what to do, for people.
    pub message: String,
}

impl Failure {
    /// A failure of this kind.
    #[must_use]
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }
}

/// What sort of thing went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// The step's own work failed.
    Failed,
    /// It took longer than allowed and was ended.
    TimedOut,
    /// It returned success, and `validate` says otherwise.
    NotVerified,
    /// Its inputs could not be worked out; nothing was done.
    Inputs,
    /// A person decided so.
    Decided,
    /// A fault of the program or of a plugin.
    Fault,
}

/// A process that an attempt started: enough to find it again, and not to take another for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessMark {
    /// The operating system's number for it, which is also its group's.
    pub pid: u32,
    /// When the operating system says that it started, in seconds since 1970.
    pub started: u64,
}

/// Why an attempt was told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// Its time was up.
    TimedOut,
    /// The run was cancelled.
    Cancelled,
}

/// What an activity printed: the chunks stand beside the entries, under the number of its first entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transcript {
    /// The entry that started the activity.
    pub of: Seq,
    /// How many chunks there are.
    pub chunks: u32,
    /// How many bytes they hold.
    pub bytes: u64,
    /// The hash over all of them, in order, in hexadecimal.
    pub sha256: String,
}

/// How the engine settled a doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DoubtRuling {
    /// `validate` finds the outcome (or, undoing, no longer finds it): what was interrupted had taken effect.
    TookEffect,
    /// It had not, or may be repeated without harm: try again.
    Again,
}

/// What a person is needed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// To do manual work, or to undo it.
    ManualWork,
    /// To decide what became of an interrupted attempt.
    Decision,
}

/// How a person settles an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ruling {
    /// It is done (or undone): go on from there.
    Done,
    /// Try again.
    Again,
    /// It has failed.
    Fail,
    /// Go on without it.
    Skip,
}

/// What to undo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RollbackScope {
    /// Everything that the run changed.
    Run,
    /// These steps, and all that depends on them.
    Steps(Vec<StepId>),
}

/// A file that proves manual work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// Its file name, without folders.
    pub name: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its hash, in hexadecimal; its content is stored under it.
    pub sha256: String,
}
