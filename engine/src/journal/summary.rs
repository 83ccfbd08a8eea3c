//! What lists show of runs.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{AtWork, Digest, Holder, JournalError};
use crate::core::event::{Entry, Event};
use crate::core::status::RunStatus;
use crate::id::{InstanceId, Operator, RunId, RunbookName, Seq};

/// What a list of runs shows: a cache beside the journal, never the truth about a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// The run.
    pub run: RunId,
    /// The name of its runbook.
    pub runbook: RunbookName,
    /// What it is about, from the runbook.
    pub title: String,
    /// The overlays that changed its runbook.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overlays: Vec<String>,
    /// Where it stands.
    pub status: RunStatus,
    /// Whether it is a rehearsal.
    pub rehearsal: bool,
    /// How many instances are settled.
    pub settled: usize,
    /// How many there are, as far as is known.
    pub total: usize,
    /// How many of them are done, or undone, by a person's word alone.
    #[serde(default, skip_serializing_if = "is_none")]
    pub by_word: usize,
    /// Who acted last.
    pub operator: Operator,
    /// To whom it is offered, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offered_to: Option<Operator>,
    /// Whether any number of workers go on with it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shared: bool,
    /// For whom it was moved to another place, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_to: Option<Operator>,
    /// When it started.
    pub started: Timestamp,
    /// When something last happened.
    pub updated: Timestamp,
    /// The last entry, and its hash in hexadecimal: what the journal must still hold.
    pub head: Seq,
    /// See `head`.
    pub head_hash: String,
    /// The first instances that a person may want to name, those that wait for one before the others.
    #[serde(default)]
    pub nameable: Vec<InstanceId>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_none(number: &usize) -> bool {
    *number == 0
}

impl Summary {
    /// The name that people know the run by: `<runbook>-<short>`.
    #[must_use]
    pub fn name(&self) -> String {
        self.run.name(&self.runbook)
    }

    /// Whether workers may go on with it now.
    #[must_use]
    pub fn is_for_workers(&self) -> bool {
        self.shared && !self.status.is_finished()
    }

    /// What can be said of a run as soon as its first entries are durable; the last has this hash. The title is
    /// in the runbook's text, which stores do not read: the runbook's name stands for it until the run says more.
    pub(crate) fn of_first(first: &[Entry], head_hash: &Digest) -> Option<Self> {
        let (entry, last) = (first.first()?, first.last()?);
        let Event::RunStarted(started) = &entry.event else {
            return None;
        };
        Some(Self {
            run: started.run,
            runbook: started.runbook.clone(),
            title: started.runbook.to_string(),
            overlays: started.overlays(),
            status: RunStatus::Running,
            rehearsal: started.rehearsal.is_some(),
            settled: 0,
            total: 0,
            by_word: 0,
            operator: entry.operator.clone(),
            offered_to: None,
            shared: false,
            moved_to: None,
            started: entry.time,
            updated: last.time,
            head: last.seq,
            head_hash: head_hash.to_string(),
            nameable: Vec::new(),
        })
    }
}

/// One row of a list of runs.
#[derive(Debug)]
pub struct Listed {
    /// The run, if even that can be told.
    pub run: RunId,
    /// Its summary, or why it cannot be read.
    pub summary: Result<Summary, JournalError>,
    /// Who holds it now.
    pub holder: Option<Holder>,
    /// What workers have of it under way now.
    pub at_work: Vec<AtWork>,
    /// It can only be read here: see [`Standing::Copy`](super::Standing::Copy).
    pub copy: bool,
}
