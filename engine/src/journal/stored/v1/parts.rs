//! The parts that stored events are made of, each the twin of one in [`core::event`](crate::core::event).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::core::event as core;
use crate::id::{AttemptNo, InstanceId, ItemKey, Seq, StepId};

/// Defines stored twins: the same names, converted both ways by exhaustive matches and patterns, so that a
/// change on the engine's side does not compile until it is dealt with here.
macro_rules! twins {
    () => {};
    (enum $name:ident { $($variant:ident),* $(,)? } $($rest:tt)*) => {
        #[derive(Debug, Clone, Copy, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub(super) enum $name { $($variant),* }

        impl From<core::$name> for $name {
            fn from(of: core::$name) -> Self {
                match of { $(core::$name::$variant => Self::$variant),* }
            }
        }

        impl From<$name> for core::$name {
            fn from(of: $name) -> Self {
                match of { $($name::$variant => Self::$variant),* }
            }
        }

        twins! { $($rest)* }
    };
    (struct $name:ident { $($field:ident: $type:ty),* $(,)? } $($rest:tt)*) => {
        #[derive(Debug, Clone, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct $name { $($field: $type),* }

        impl From<core::$name> for $name {
            fn from(of: core::$name) -> Self {
                let core::$name { $($field),* } = of;
                Self { $($field: $field.into()),* }
            }
        }

        impl From<$name> for core::$name {
            fn from(of: $name) -> Self {
                let $name { $($field),* } = of;
                Self { $($field: $field.into()),* }
            }
        }

        twins! { $($rest)* }
    };
}

pub(super) use twins;

twins! {
    enum FailureKind { Failed, TimedOut, NotVerified, Inputs, Mistake, Final, Decided, Rejected, Fault }
    enum LeftProcess { None, Awaited, Ended }
    enum StopReason { TimedOut, Cancelled }
    enum DoubtRuling { TookEffect, Again, Repeat }
    enum Need { ManualWork, Decision, Approval }
    enum Ruling { Done, Again, Fail, Skip }
    struct Place { file: String, line: u32, column: u32 }
    struct Item { key: ItemKey, value: Value }
    struct ProcessMark { pid: u32, started: u64 }
    struct Transcript { of: Seq, chunks: u32, bytes: u64, sha256: String }
    struct Attachment { name: String, bytes: u64, sha256: String }
    struct RehearsedFailure { instance: InstanceId, attempt: Option<AttemptNo> }
}

/// Why something did not succeed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Failure {
    kind: FailureKind,
    message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    place: Option<Place>,
}

impl From<core::Failure> for Failure {
    fn from(of: core::Failure) -> Self {
        let core::Failure { kind, message, place } = of;
        Self {
            kind: kind.into(),
            message,
            place: place.map(Into::into),
        }
    }
}

impl From<Failure> for core::Failure {
    fn from(of: Failure) -> Self {
        let Failure { kind, message, place } = of;
        Self {
            kind: kind.into(),
            message,
            place: place.map(Into::into),
        }
    }
}

/// Converts each of a list.
pub(super) fn all<A: Into<B>, B>(of: Vec<A>) -> Vec<B> {
    of.into_iter().map(Into::into).collect()
}

/// The word of a [`core::Verdict`]; what is missing stands beside it as `reason`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    Satisfied,
    Unsatisfied,
    Unknown,
}

impl Verdict {
    pub(super) fn apart(of: core::Verdict) -> (Self, Option<String>) {
        match of {
            core::Verdict::Satisfied => (Self::Satisfied, None),
            core::Verdict::Unsatisfied(reason) => (Self::Unsatisfied, Some(reason)),
            core::Verdict::Unknown => (Self::Unknown, None),
        }
    }

    pub(super) fn together(self, reason: Option<String>) -> Result<core::Verdict, String> {
        match (self, reason) {
            (Self::Satisfied, None) => Ok(core::Verdict::Satisfied),
            (Self::Unsatisfied, Some(reason)) => Ok(core::Verdict::Unsatisfied(reason)),
            (Self::Unknown, None) => Ok(core::Verdict::Unknown),
            (Self::Unsatisfied, None) => Err("missing field `reason`".to_owned()),
            (Self::Satisfied | Self::Unknown, Some(_)) => {
                Err("a `reason` goes with the verdict `unsatisfied` only".to_owned())
            }
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RollbackScope {
    Run,
    Steps(Vec<StepId>),
}

impl From<core::RollbackScope> for RollbackScope {
    fn from(of: core::RollbackScope) -> Self {
        match of {
            core::RollbackScope::Run => Self::Run,
            core::RollbackScope::Steps(steps) => Self::Steps(steps),
        }
    }
}

impl From<RollbackScope> for core::RollbackScope {
    fn from(of: RollbackScope) -> Self {
        match of {
            RollbackScope::Run => Self::Run,
            RollbackScope::Steps(steps) => Self::Steps(steps),
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rehearsal {
    failures: Vec<RehearsedFailure>,
    interruptions: Vec<InstanceId>,
}

impl From<core::Rehearsal> for Rehearsal {
    fn from(of: core::Rehearsal) -> Self {
        let core::Rehearsal {
            failures,
            interruptions,
        } = of;
        Self {
            failures: all(failures),
            interruptions,
        }
    }
}

impl From<Rehearsal> for core::Rehearsal {
    fn from(of: Rehearsal) -> Self {
        let Rehearsal {
            failures,
            interruptions,
        } = of;
        Self {
            failures: all(failures),
            interruptions,
        }
    }
}
