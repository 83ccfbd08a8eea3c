//! What events are made of: causes, verdicts, rulings, and the proof that goes with them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::overlaid::Overlaid;
use crate::id::{AttemptNo, InstanceId, ItemKey, ParamName, RunId, RunbookName, Seq, StepId};

/// What a run is, from its first entry.
#[derive(Debug, Clone, PartialEq)]
pub struct RunStarted {
    /// The run's identity.
    pub run: RunId,
    /// The runbook's name.
    pub runbook: RunbookName,
    /// The name of the runbook's file, for messages.
    pub file: String,
    /// The runbook's whole text; where overlays changed it, as they left it.
    pub text: String,
    /// What overlays changed, if there are any.
    pub overlaid: Option<Box<Overlaid>>,
    /// The parameters' values; a secret's is never here.
    pub params: BTreeMap<ParamName, Value>,
    /// How it is rehearsed, if it is.
    pub rehearsal: Option<Rehearsal>,
    /// How many instances may be under way at once.
    pub jobs: u32,
    /// The version of the program that started it.
    pub program: String,
}

impl RunStarted {
    /// The name that people know the run by: `<runbook>-<short>`.
    #[must_use]
    pub fn name(&self) -> String {
        self.run.name(&self.runbook)
    }

    /// The names of the overlays that changed its runbook.
    #[must_use]
    pub fn overlays(&self) -> Vec<String> {
        let overlaid = self.overlaid.iter();
        let overlays = overlaid.flat_map(|overlaid| &overlaid.overlays);
        overlays.map(|overlay| overlay.name.clone()).collect()
    }
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
    /// Where in one of the run's files it happened, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// A place in a file that the run's journal holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The file, relative to the runbook.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
}

impl Failure {
    /// A failure of this kind.
    #[must_use]
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            place: None,
        }
    }

    /// The same failure, at this place.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
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
    /// There is a mistake in its script, which the run keeps as it is.
    Mistake,
    /// Its own work failed, and another try would hide what it left behind: a person must look first.
    Final,
    /// A person decided so.
    Decided,
    /// A person did not approve it.
    Rejected,
    /// A fault of the program or of a plugin.
    Fault,
}

impl FailureKind {
    /// Whether the cause is likely in what the run keeps as it is: its runbook, its scripts, its parameters. Then
    /// trying again cannot help, and a new run can.
    #[must_use]
    pub fn is_of_definition(self) -> bool {
        match self {
            Self::Inputs | Self::Mistake => true,
            Self::Failed
            | Self::TimedOut
            | Self::NotVerified
            | Self::Final
            | Self::Decided
            | Self::Rejected
            | Self::Fault => false,
        }
    }
}

/// A process that an attempt started: enough to find it again, and not to take another for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessMark {
    /// The operating system's number for it, which is also its group's.
    pub pid: u32,
    /// When the operating system says that it started, in seconds since 1970; 0 where it had ended before it was asked.
    pub started: u64,
}

/// What was found of the processes of an interrupted attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeftProcess {
    /// None was left.
    None,
    /// One was still running, and ended by itself.
    Awaited,
    /// One was still running, and was ended.
    Ended,
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
    /// It had not: try again.
    Again,
    /// Nobody can tell, but it may be repeated without harm: try again.
    Repeat,
}

/// What a person is needed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// To do manual work, or to undo it.
    ManualWork,
    /// To decide what became of an interrupted attempt.
    Decision,
    /// To approve what would be carried out; asked for by [`Approving::Asked`](super::Approving::Asked).
    Approval,
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
