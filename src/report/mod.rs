//! The record of a run for people who were not there: who did what and when, with which proof. From its journal
//! alone, as a page, as Markdown or as JSON.

mod clean;
mod gather;
mod html;
mod markdown;
mod printed;
mod signed;
mod steps;

pub(crate) use self::clean::Clean;
pub(crate) use self::gather::{Found, gather};
pub(crate) use self::html::html;
pub(crate) use self::markdown::markdown;
pub(crate) use self::printed::{Printed, Room};

use jiff::Timestamp;
use runbook_engine::core::event::{Attachment, Outputs};
use runbook_engine::core::{InstanceStatus, RunStatus};
use runbook_engine::id::{RunId, Seq};
use runbook_engine::journal::Verification;
use serde::Serialize;
use serde_json::Value;

use self::signed::Signed;
use crate::render::authors::Authorship;
use crate::render::rows::declared;
use crate::render::style::{count, entries, words};

/// The version of the report's JSON.
const VERSION: u32 = 1;

/// Of a run with more steps than this, those that went smoothly are only named in reports for people.
const MOST_TOLD: usize = 1000;

/// The record of a run.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// See [`VERSION`].
    report: u32,
    made: Made,
    run: About,
    proof: Proof,
    params: Vec<Param>,
    people: Vec<Person>,
    /// Whether the roles of the steps were enforced, where they have any.
    roles: Option<&'static str>,
    /// What people did, and what did not go its ordinary way.
    course: Vec<Told>,
    rollback: Option<Undoing>,
    steps: Vec<StepRecord>,
    definition: Definition,
    /// The picture of the steps, as SVG.
    #[serde(skip)]
    picture: Option<String>,
}

/// When the report was written, and by whom.
#[derive(Debug, Serialize)]
pub(crate) struct Made {
    pub(crate) time: Timestamp,
    pub(crate) operator: Clean,
    pub(crate) host: Clean,
    pub(crate) program: &'static str,
}

/// What the run is, and where it stands.
#[derive(Debug, Serialize)]
struct About {
    id: RunId,
    name: Clean,
    runbook: Clean,
    title: Clean,
    description: Option<Clean>,
    /// The document that it carries out.
    source: Option<Clean>,
    status: RunStatus,
    rehearsal: bool,
    /// What overlays changed in the runbook, each as a sentence.
    overlaid: Vec<Clean>,
    starter: Clean,
    started: Timestamp,
    operator: Clean,
    updated: Timestamp,
    held_by: Option<Clean>,
    /// The version of the program that started it.
    program: Clean,
    settled: usize,
    total: usize,
    cancelled: Option<Clean>,
}

/// What shows that the record is what was written.
#[derive(Debug, Serialize)]
struct Proof {
    /// How many entries the report was made of.
    entries: usize,
    /// The hash of the last of them; none where the run went on meanwhile.
    last_hash: Option<String>,
    verification: Verification,
}

/// A parameter of the run.
#[derive(Debug, Serialize)]
struct Param {
    name: Clean,
    kind: Clean,
    /// Its value is in no journal.
    secret: bool,
    value: Option<Value>,
}

/// Somebody who acted, on one machine.
#[derive(Debug, Serialize)]
struct Person {
    operator: Clean,
    host: Clean,
    entries: u64,
    first: Timestamp,
    last: Timestamp,
    signed: Signed,
}

/// One entry of the journal, told.
#[derive(Debug, Clone, Serialize)]
struct Told {
    seq: Seq,
    time: Timestamp,
    operator: Clean,
    host: Clean,
    /// What is known of whoever wrote it; none where the team proves nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    author: Option<Authorship>,
    event: &'static str,
    step: Option<Clean>,
    words: Clean,
}

/// An approval that was asked for.
#[derive(Debug, Serialize)]
struct Asked {
    /// What whoever approves must be; none lets everybody.
    role: Option<Clean>,
    /// How many of them it takes.
    min: u32,
    /// What would be carried out.
    what: Value,
    sha256: Clean,
}

impl Asked {
    /// Of whom it is asked.
    fn whom(&self) -> String {
        let role = self
            .role
            .as_ref()
            .map(|role| format!(" with the role {}", role.as_str()));
        let role = role.unwrap_or_default();
        match self.min {
            1 => format!("somebody{role}"),
            min => format!("{min} people{role}"),
        }
    }
}

/// How the run was undone.
#[derive(Debug, Serialize)]
struct Undoing {
    why: Clean,
    /// All that is undone, in this order.
    plan: Vec<Clean>,
    /// What of it is still to undo.
    still: Vec<Clean>,
    /// What may have changed something but has no way back.
    left: Vec<Clean>,
}

/// One step, or one item of a step that fans out.
#[derive(Debug, Serialize)]
struct StepRecord {
    id: Clean,
    title: Clean,
    role: Option<Clean>,
    uses: Clean,
    source: Option<Clean>,
    needs: Vec<Clean>,
    status: InstanceStatus,
    reason: Option<Clean>,
    /// By whose word it is done or undone, if that is all that is known of it.
    declared: Option<Declared>,
    attempts: u32,
    rollbacks: u32,
    started: Option<Timestamp>,
    ended: Option<Timestamp>,
    /// How long the last work on it took, doing it or undoing it, in seconds; none where an interruption hides that.
    took: Option<f64>,
    /// Who acted on it.
    people: Vec<Clean>,
    /// How long it waited for a person, in seconds.
    waited: Option<i64>,
    /// What was to be approved last, where it asks for that.
    approval: Option<Asked>,
    /// What was seen before the first attempt.
    before: Option<Value>,
    outputs: Value,
    evidence: Vec<Evidence>,
    history: Vec<Told>,
    printed: Vec<Printed>,
}

/// What a person said of a step: that it is done, or undone.
#[derive(Debug, Serialize)]
struct Declared {
    operator: Clean,
    time: Timestamp,
    why: Clean,
}

impl StepRecord {
    /// Where it stands, in words.
    fn stands(&self) -> String {
        stands(self.status, self.declared.is_some())
    }

    /// Whether somebody must look at it.
    fn needs_attention(&self) -> bool {
        match self.status {
            InstanceStatus::Failed
            | InstanceStatus::RollbackFailed
            | InstanceStatus::InDoubt
            | InstanceStatus::Waiting => true,
            InstanceStatus::Pending
            | InstanceStatus::Ready
            | InstanceStatus::Observing
            | InstanceStatus::Running
            | InstanceStatus::Verifying
            | InstanceStatus::Satisfied
            | InstanceStatus::Succeeded
            | InstanceStatus::Skipped
            | InstanceStatus::Blocked
            | InstanceStatus::RollingBack
            | InstanceStatus::RolledBack => false,
        }
    }

    /// Whether there is nothing to tell of it but that it went well, or is still to come.
    fn is_smooth(&self) -> bool {
        let quiet = matches!(
            self.status,
            InstanceStatus::Succeeded
                | InstanceStatus::Satisfied
                | InstanceStatus::Skipped
                | InstanceStatus::Pending
                | InstanceStatus::Ready
                | InstanceStatus::Blocked
        );
        quiet
            && self.declared.is_none()
            && self.attempts <= 1
            && self.rollbacks == 0
            && self.evidence.is_empty()
    }
}

fn stands(status: InstanceStatus, is_declared: bool) -> String {
    if is_declared {
        declared(status).to_owned()
    } else {
        words(status.as_str())
    }
}

/// What a person gave to prove manual work.
#[derive(Debug, Serialize)]
struct Evidence {
    time: Timestamp,
    operator: Clean,
    host: Clean,
    /// The items of the checklist, each of which was said to be so.
    ticked: Vec<Ticked>,
    values: Outputs,
    attachments: Vec<Attachment>,
    note: Option<Clean>,
}

/// An item of a checklist, with who said that it is so.
#[derive(Debug, Serialize)]
struct Ticked {
    item: Clean,
    operator: Clean,
    time: Timestamp,
}

/// The runbook's own text, as the journal keeps it.
#[derive(Debug, Serialize)]
struct Definition {
    file: Clean,
    sha256: String,
    text: Clean,
    /// The files that it refers to, scripts of site steps among them.
    files: Vec<PinnedFile>,
}

/// A file that a runbook refers to, as the journal keeps it.
#[derive(Debug, Serialize)]
struct PinnedFile {
    name: Clean,
    sha256: String,
    text: Clean,
}

impl Report {
    /// How many steps stand where, in the order of the statuses.
    fn counts(&self) -> Vec<(String, usize)> {
        let mut counts = std::collections::BTreeMap::new();
        for step in &self.steps {
            *counts.entry((step.status, step.declared.is_some())).or_insert(0) += 1;
        }
        let counts = counts.into_iter();
        counts
            .map(|((status, is_declared), many)| (stands(status, is_declared), many))
            .collect()
    }

    /// Whether this step is told of at length.
    fn tells_of(&self, step: &StepRecord) -> bool {
        self.steps.len() <= MOST_TOLD || !step.is_smooth()
    }

    /// What is said about steps that are only named; nothing where there are none.
    fn only_named(&self) -> Option<String> {
        let many = self.steps.iter().filter(|step| !self.tells_of(step)).count();
        (many > 0).then(|| {
            format!(
                "{many} steps that went smoothly or have not begun are only named here; the JSON form of this \
                 report tells of all."
            )
        })
    }

    /// What is said of the journal's proof, and whether it holds.
    fn verdict(&self) -> (bool, String) {
        let found = &self.proof.verification;
        if found.findings.is_empty() {
            let many = |number, what| count(usize::try_from(number).unwrap_or(usize::MAX), what);
            let what = format!(
                "The journal holds: {}, {} of transcript and {}, nothing changed, dropped, reordered or cut off.",
                entries(found.entries),
                many(found.chunks, "piece"),
                many(found.attachments, "attachment")
            );
            (true, what)
        } else {
            let what = "The journal does not hold: what follows cannot be trusted.".to_owned();
            (false, what)
        }
    }
}

#[cfg(test)]
mod tests;
