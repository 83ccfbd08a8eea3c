//! What the outside world tells the core, and how the core says no.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::event::{
    Amended, Attachment, Failure, Handing, Item, LeftProcess, Outputs, ProcessMark, Proposal, RollbackScope,
    Ruling, Transcript,
};
use super::permission::Forbidden;
use crate::id::{InstanceId, Operator, Seq, StepId};
use crate::step::Observation;

/// Something that happened outside.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// A process took the run up again; nothing that the journal shows as under way is under way.
    Resumed {
        /// How many instances may be under way at once.
        jobs: u32,
        /// What the activities that were cut off had printed, by the entry that started them.
        transcripts: BTreeMap<Seq, Transcript>,
    },
    /// Nobody carries the run out, so that nothing is under way that the journal shows as such: it was cut off. Whoever
    /// acts on the run may find that, and does not take it up by it.
    CutOff {
        /// What the activities that were cut off had printed, by the entry that started them.
        transcripts: BTreeMap<Seq, Transcript>,
    },
    /// The claims of other workers on these calls have ended, and this one has taken them over: nobody makes them.
    Expired {
        /// The entries that started the calls.
        calls: BTreeSet<Seq>,
        /// What was printed until then, by the entry that started the call.
        transcripts: BTreeMap<Seq, Transcript>,
    },
    /// A step's `when` and `for_each` were evaluated.
    Evaluated {
        /// The step.
        step: StepId,
        /// What they say.
        result: Result<Evaluation, Failure>,
    },
    /// What would be carried out was worked out.
    Described {
        /// The instance.
        instance: InstanceId,
        /// What that is.
        result: Result<Proposal, Failure>,
    },
    /// An activity ended.
    Finished {
        /// The instance.
        instance: InstanceId,
        /// The entry that started the activity; an outcome of another one is too late and ignored.
        of: Seq,
        /// How it ended.
        outcome: Outcome,
        /// What it printed.
        transcript: Option<Transcript>,
    },
    /// An activity started a process.
    ProcessStarted {
        /// The instance.
        instance: InstanceId,
        /// The entry that started the activity.
        of: Seq,
        /// The process.
        process: ProcessMark,
    },
    /// A rollback keeps something, should it be interrupted.
    Kept {
        /// The instance.
        instance: InstanceId,
        /// The entry that started the activity.
        of: Seq,
        /// What it keeps.
        what: Value,
    },
    /// No process of an interrupted attempt is left.
    ProcessCleared {
        /// The instance.
        instance: InstanceId,
        /// What was found.
        found: LeftProcess,
    },
    /// Time has passed; the turn says how late it is.
    Clock,
    /// A person acted.
    Act(Act),
}

/// What `when` and `for_each` say.
#[derive(Debug, Clone, PartialEq)]
pub enum Evaluation {
    /// `when` is false; the reason is for people.
    Skip(String),
    /// The step has one instance.
    One,
    /// The step has an instance for each of these.
    Each(Vec<Item>),
}

/// How an activity ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// `validate` answered, or failed.
    Observed(Result<Observation, Failure>),
    /// `run` ended.
    Ran(Result<Outputs, Failure>),
    /// `rollback` ended.
    RolledBack(Result<(), Failure>),
    /// It was cut off because the process stops, and nobody knows what became of it. A plugin that panics or
    /// ignores its time-out has failed: an interruption is no failed try, so that nothing would bound it.
    CutOff,
}

/// What a person does to a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Act {
    /// An item of the checklist is so; the work as a whole is not confirmed yet.
    Tick {
        /// The instance.
        instance: InstanceId,
        /// Which item, counted from 1.
        number: u32,
        /// What it says.
        item: String,
    },
    /// The manual work is done (or undone).
    Confirm {
        /// The instance.
        instance: InstanceId,
        /// What was entered.
        values: Outputs,
        /// The proof.
        attachments: Vec<Attachment>,
        /// What else is to be said.
        note: Option<String>,
    },
    /// Settles an instance in doubt, or one that failed.
    Decide {
        /// The instance.
        instance: InstanceId,
        /// How.
        ruling: Ruling,
        /// Why.
        why: String,
    },
    /// Approves what would be carried out.
    Approve {
        /// The instance.
        instance: InstanceId,
        /// The hash of what was looked at.
        subject: String,
        /// What else is to be said.
        note: Option<String>,
    },
    /// Does not approve it.
    Reject {
        /// The instance.
        instance: InstanceId,
        /// Why.
        why: String,
    },
    /// Sends the run back from what it waits for to something earlier that was not done right.
    SendBack {
        /// What it waits for.
        instance: InstanceId,
        /// What was not done right.
        to: InstanceId,
        /// Why.
        why: String,
    },
    /// Gives the run to somebody, or takes it.
    Hand(Handing),
    /// Changes the definition.
    Amend(Box<Amended>),
    /// Stops the run for good.
    Cancel {
        /// Why.
        why: String,
    },
    /// Undoes.
    Rollback {
        /// What.
        scope: RollbackScope,
        /// Why.
        why: String,
    },
}

impl Act {
    /// Whether the run is in other hands after it.
    #[must_use]
    pub fn takes_the_run(&self) -> bool {
        match self {
            Self::Hand(Handing::Accepted | Handing::MovedIn | Handing::TakenOver { .. }) => true,
            Self::Hand(
                Handing::Offered { .. } | Handing::TakenBack | Handing::MovedOut { .. } | Handing::Shared,
            )
            | Self::Tick { .. }
            | Self::Confirm { .. }
            | Self::Decide { .. }
            | Self::Approve { .. }
            | Self::Reject { .. }
            | Self::SendBack { .. }
            | Self::Amend(_)
            | Self::Cancel { .. }
            | Self::Rollback { .. } => false,
        }
    }
}

/// Why an act is not possible now, and what is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// No instance has that id.
    #[error("the run has no step or instance `{0}`")]
    NoSuchInstance(InstanceId),
    /// The step fans out; one of its instances must be named.
    #[error("`{0}` fans out: name one of its instances, as in `{0}[item]`")]
    NameAnItem(StepId),
    /// Whoever wants it may not do it.
    #[error("{0}")]
    Forbidden(Box<Forbidden>),
    /// The instance is not where the act is possible.
    #[error("`{instance}` {is}, so it cannot be {act}")]
    NotNow {
        /// The instance.
        instance: InstanceId,
        /// Where it stands, as a verb phrase.
        is: String,
        /// What was asked for, as a participle.
        act: &'static str,
        /// What is possible instead.
        instead: &'static str,
    },
    /// What the run should be sent back to does not come before what it waits for.
    #[error("`{instance}` does not stand on `{to}`, so the run cannot be sent back to it from there")]
    NotEarlier {
        /// What the run waits for.
        instance: InstanceId,
        /// What was named.
        to: InstanceId,
    },
    /// The instance must be proven by a file, and none was given.
    #[error("`{0}` asks for evidence, and cannot be done without it")]
    Unproven(InstanceId),
    /// What is to be signed holds a secret, which would have to be taken out of it.
    #[error("what you say holds a secret of the run, which no journal keeps")]
    HoldsSecret,
    /// The run is offered to whoever wants it, and not accepted.
    #[error("the run is offered to you by {0}, and is not yours before you accept it")]
    OfferedToYou(Operator),
    /// The run is in the hands of somebody else.
    #[error("the run is in the hands of {0}")]
    NotYours(Operator),
    /// The run is offered to somebody else.
    #[error("the run is offered to {0}, and to nobody else")]
    OfferedToAnother(Operator),
    /// The run goes on in another journal.
    #[error("the run was moved to another place, where {to} goes on with it")]
    Away {
        /// Who goes on with it.
        to: Operator,
        /// Since when.
        since: Timestamp,
    },
    /// The definition of that step cannot be changed so.
    #[error("`{step}` {is}: {what}")]
    NotAmendable {
        /// The step.
        step: StepId,
        /// How far it is, as a verb phrase.
        is: &'static str,
        /// What cannot be.
        what: String,
        /// What is possible instead.
        instead: &'static str,
    },
    /// Nobody has read what an amendment says.
    #[error("the definition that the amendment gives was not read")]
    Unread,
    /// The run is not where the act is possible.
    #[error("the run {is}, so it cannot be {act}")]
    RunNotNow {
        /// Where it stands, as a verb phrase.
        is: &'static str,
        /// What was asked for, as a participle.
        act: &'static str,
        /// What is possible instead.
        instead: &'static str,
    },
}

/// What a rejection is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// What is meant is not there at all.
    Unknown,
    /// Somebody else has the run.
    Hands,
    /// It does not stand where that is possible.
    State,
    /// Whoever wants it may not do it.
    Person,
}

impl From<Forbidden> for Rejection {
    fn from(forbidden: Forbidden) -> Self {
        Self::Forbidden(Box::new(forbidden))
    }
}

impl Rejection {
    /// What it is about.
    #[must_use]
    pub fn about(&self) -> About {
        match self {
            Self::NoSuchInstance(_) | Self::NameAnItem(_) => About::Unknown,
            Self::OfferedToYou(_) | Self::NotYours(_) | Self::OfferedToAnother(_) | Self::Away { .. } => {
                About::Hands
            }
            Self::Forbidden(_) => About::Person,
            Self::NotNow { .. }
            | Self::RunNotNow { .. }
            | Self::NotEarlier { .. }
            | Self::NotAmendable { .. }
            | Self::Unread
            | Self::Unproven(_)
            | Self::HoldsSecret => About::State,
        }
    }

    /// What to do instead.
    #[must_use]
    pub fn instead(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::NoSuchInstance(_) => "`runbook show RUN` lists the steps and instances",
            Self::NameAnItem(_) => "`runbook show RUN` lists the instances",
            Self::OfferedToYou(_) => "`runbook accept RUN` takes it, and tells where it stands",
            Self::NotYours(_) => {
                "let them hand it over with `handoff`; `runbook accept RUN --take-over --why TEXT` takes it without"
            }
            Self::OfferedToAnother(_) => {
                "`runbook show RUN` tells who has it; they can take it back and offer it to you"
            }
            Self::Away { .. } => {
                "`runbook import FILE` takes it in again when they hand it back; `runbook accept RUN --take-over --why TEXT` if they never had it"
            }
            Self::NotNow { instead, .. }
            | Self::RunNotNow { instead, .. }
            | Self::NotAmendable { instead, .. } => instead,
            Self::NotEarlier { .. } => {
                "name a step that it needs, directly or not: the runbook's `needs` tells"
            }
            Self::Unread => "use the same version of the program for all processes of the run",
            Self::Unproven(_) => {
                "`runbook confirm RUN STEP --attach FILE` gives it; where it has failed, `runbook decide RUN STEP again --why TEXT` reopens it first"
            }
            Self::HoldsSecret => "say it without; nothing was recorded",
            Self::Forbidden(forbidden) => return Cow::Owned(forbidden.instead()),
        })
    }
}
