//! The stored events: the twins of [`core::event::Event`](crate::core::event::Event), each tagged with its name.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::overlaid::{Overlaid, Revision};
use super::parts::{
    Attachment, DoubtRuling, Failure, Item, LeftProcess, Need, ProcessMark, Rehearsal, RollbackScope, Ruling,
    StopReason, Transcript, Verdict,
};
use crate::id::{AttemptNo, InstanceId, Operator, ParamName, RunId, RunbookName, StepId};

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RunStarted {
    pub(super) run: RunId,
    pub(super) runbook: RunbookName,
    pub(super) file: String,
    pub(super) text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) overlaid: Option<Box<Overlaid>>,
    pub(super) params: BTreeMap<ParamName, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rehearsal: Option<Rehearsal>,
    pub(super) jobs: u32,
    pub(super) program: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Amended {
    pub(super) file: String,
    pub(super) text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) overlaid: Option<Box<Overlaid>>,
    pub(super) files: BTreeMap<String, String>,
    pub(super) params: BTreeMap<ParamName, Value>,
    pub(super) why: String,
    pub(super) revisions: Vec<Revision>,
}

/// A field that has no value is left out; `step` holds the whole id of an instance.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Event {
    RunStarted(Box<RunStarted>),
    FilePinned {
        name: String,
        text: String,
    },
    Amended(Box<Amended>),
    RunResumed {
        jobs: u32,
    },
    StepOpened {
        step: StepId,
        #[serde(skip_serializing_if = "Option::is_none")]
        items: Option<Vec<Item>>,
    },
    StepSkipped {
        step: StepId,
        reason: String,
    },
    StepUnclear {
        step: StepId,
        error: Failure,
    },
    ObservationStarted {
        step: InstanceId,
    },
    Observed {
        step: InstanceId,
        verdict: Verdict,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        observed: Value,
        outputs: Map<String, Value>,
        #[serde(skip_serializing_if = "Option::is_none")]
        transcript: Option<Transcript>,
    },
    ObservationFailed {
        step: InstanceId,
        error: Failure,
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_at: Option<Timestamp>,
        #[serde(skip_serializing_if = "Option::is_none")]
        transcript: Option<Transcript>,
    },
    AttemptStarted {
        step: InstanceId,
        attempt: AttemptNo,
    },
    ProcessStarted {
        step: InstanceId,
        process: ProcessMark,
    },
    StopRequested {
        step: InstanceId,
        reason: StopReason,
    },
    AttemptReturned {
        step: InstanceId,
        outputs: Map<String, Value>,
        #[serde(skip_serializing_if = "Option::is_none")]
        transcript: Option<Transcript>,
    },
    AttemptFailed {
        step: InstanceId,
        error: Failure,
        #[serde(skip_serializing_if = "Option::is_none")]
        transcript: Option<Transcript>,
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_at: Option<Timestamp>,
    },
    Verified {
        step: InstanceId,
        verdict: Verdict,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        outputs: Map<String, Value>,
        #[serde(skip_serializing_if = "Option::is_none")]
        transcript: Option<Transcript>,
    },
    Interrupted {
        step: InstanceId,
        #[serde(skip_serializing_if = "Option::is_none")]
        transcript: Option<Transcript>,
    },
    ProcessCleared {
        step: InstanceId,
        found: LeftProcess,
    },
    DoubtSettled {
        step: InstanceId,
        ruling: DoubtRuling,
        outputs: Map<String, Value>,
    },
    PersonNeeded {
        step: InstanceId,
        need: Need,
    },
    Ticked {
        step: InstanceId,
        number: u32,
        item: String,
    },
    Confirmed {
        step: InstanceId,
        values: Map<String, Value>,
        attachments: Vec<Attachment>,
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    Decided {
        step: InstanceId,
        ruling: Ruling,
        why: String,
    },
    ApprovalAsked {
        step: InstanceId,
        subject: String,
        what: Value,
    },
    ApprovalUnclear {
        step: InstanceId,
        error: Failure,
    },
    Approved {
        step: InstanceId,
        subject: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    Rejected {
        step: InstanceId,
        why: String,
    },
    ApprovalWithdrawn {
        step: InstanceId,
        why: String,
    },
    ApprovalExpired {
        step: InstanceId,
        asked: Timestamp,
    },
    SentBack {
        step: InstanceId,
        to: InstanceId,
        again: Vec<InstanceId>,
        why: String,
    },
    HandoffOffered {
        to: Operator,
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    HandoffTakenBack {},
    HandoffAccepted {},
    MovedOut {
        to: Operator,
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    MovedIn {},
    TakenOver {
        why: String,
    },
    Shared {},
    CancelRequested {
        why: String,
    },
    RollbackStarted {
        scope: RollbackScope,
        plan: Vec<InstanceId>,
        left: Vec<InstanceId>,
        why: String,
    },
    RollbackAttemptStarted {
        step: InstanceId,
        attempt: AttemptNo,
    },
    RollbackKept {
        step: InstanceId,
        what: Value,
    },
    RollbackReturned {
        step: InstanceId,
        #[serde(skip_serializing_if = "Option::is_none")]
        transcript: Option<Transcript>,
    },
    RolledBack {
        step: InstanceId,
        verdict: Verdict,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        transcript: Option<Transcript>,
    },
    RollbackFailed {
        step: InstanceId,
        error: Failure,
        #[serde(skip_serializing_if = "Option::is_none")]
        transcript: Option<Transcript>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_at: Option<Timestamp>,
    },
}
