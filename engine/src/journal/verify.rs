//! Finds what is wrong with a journal: changed, dropped, reordered or truncated. Pure: a store feeds it all
//! that it holds, in order.

use std::collections::BTreeMap;

use self::transcripts::Transcripts;
use super::chain::{Digest, Head, Record};
use super::{Finding, Seal, Verification, stored};
use crate::core::event::{Attachment, Event, Transcript};
use crate::core::operators::{Authored, OPERATORS_FILE};
use crate::id::Seq;
use crate::identity::{PublicKey, Signed};

mod transcripts;

#[cfg(test)]
mod tests;

/// A journal may be wrong in as many places as it has entries; nobody reads more than this.
const MOST_FINDINGS: usize = 1_000;

/// Something beside the entries that says which one was the last.
#[derive(Debug, Clone)]
pub(crate) struct Anchor {
    /// What it is, for messages: `the summary`.
    pub(crate) name: &'static str,
    /// What it says.
    pub(crate) head: Head,
}

/// The state of a verification. Feed it all entries, then all chunks, then all attachments, each in order.
pub(crate) struct Verifier {
    anchors: Vec<Anchor>,
    next: Seq,
    /// The hash of the record before; none where that one is missing or wrong, which was told already.
    prev: Option<Digest>,
    references: BTreeMap<String, Vec<(Seq, Attachment)>>,
    transcripts: Transcripts,
    found: Verification,
}

impl Verifier {
    pub(crate) fn new(anchors: Vec<Anchor>) -> Self {
        Self {
            anchors,
            next: Seq(0),
            prev: Some(Digest::ZERO),
            references: BTreeMap::new(),
            transcripts: Transcripts::default(),
            found: Verification {
                entries: 0,
                chunks: 0,
                attachments: 0,
                authors: Vec::new(),
                operators: None,
                rehearsal: false,
                findings: Vec::new(),
            },
        }
    }

    /// The record that stands in the place `at`.
    pub(crate) fn entry(&mut self, at: Seq, bytes: &[u8]) {
        if at < self.next {
            report(
                &mut self.found,
                Some(at),
                format!("changed: there are two entries {at}"),
            );
            return;
        }
        if at > self.next {
            let message = match (self.next, at.0 - 1) {
                (Seq(only), last) if only == last => format!("dropped: entry {only} is missing"),
                (first, last) => format!("dropped: the entries {first} to {last} are missing"),
            };
            report(&mut self.found, Some(self.next), message);
            self.prev = None;
        }
        self.found.entries += 1;
        self.next = at.next();
        self.prev = match self.record(at, bytes) {
            Ok(hash) => Some(hash),
            Err(message) => {
                report(&mut self.found, Some(at), message);
                None
            }
        };
    }

    /// The hash of a record that is right, or what is wrong with it.
    fn record(&mut self, at: Seq, bytes: &[u8]) -> Result<Digest, String> {
        let record = Record::from_bytes(bytes)
            .ok_or_else(|| format!("changed: entry {at} is too short to be an entry"))?;
        let changed = || format!("changed: entry {at} does not match its hash");
        let stored = stored::decode(&record.stored, at).map_err(|error| match self.prev {
            Some(prev) if record.follows(prev) => error.to_string(),
            _ => changed(),
        })?;
        if !record.follows(stored.prev) {
            return Err(changed());
        }
        if stored.entry.seq != at {
            let found = stored.entry.seq;
            return Err(format!(
                "reordered: entry {found} stands in the place of entry {at}"
            ));
        }
        if self.prev.is_some_and(|prev| prev != stored.prev) {
            return Err(format!(
                "changed: what stands before entry {at} is not what it was written after"
            ));
        }
        let here = self.anchors.iter().find(|anchor| anchor.head.seq == at);
        if let Some(anchor) = here.filter(|anchor| anchor.head.hash != record.hash) {
            return Err(format!(
                "changed: entry {at} is not the one that {} names",
                anchor.name
            ));
        }
        let author = signature(&record, stored.key).map(|key| Authored {
            seq: at,
            time: stored.entry.time,
            operator: stored.entry.operator.clone(),
            key,
        });
        match author {
            Ok(author) => self.found.authors.push(author),
            // The content is what it was: what comes after it is looked at as ever.
            Err(what) => report(&mut self.found, Some(at), format!("{what} {at}")),
        }
        self.note(at, stored.entry.event);
        Ok(record.hash)
    }

    /// Remembers what an entry says of transcripts and attachments.
    fn note(&mut self, at: Seq, event: Event) {
        match event {
            Event::Observed { transcript, .. }
            | Event::ObservationFailed { transcript, .. }
            | Event::AttemptReturned { transcript, .. }
            | Event::Verified { transcript, .. }
            | Event::RolledBack { transcript, .. }
            | Event::AttemptFailed { transcript, .. }
            | Event::Interrupted { transcript, .. }
            | Event::RollbackReturned { transcript, .. }
            | Event::RollbackFailed { transcript, .. } => self.cover(at, transcript),
            Event::Confirmed { attachments, .. } => {
                for attachment in attachments {
                    self.references
                        .entry(attachment.sha256.clone())
                        .or_default()
                        .push((at, attachment));
                }
            }
            Event::RunStarted(started) => self.found.rehearsal = started.rehearsal.is_some(),
            Event::FilePinned { name, text } if name == OPERATORS_FILE => self.found.operators = Some(text),
            Event::FilePinned { .. }
            | Event::Amended(_)
            | Event::RunResumed { .. }
            | Event::StepOpened { .. }
            | Event::StepSkipped { .. }
            | Event::StepUnclear { .. }
            | Event::ObservationStarted { .. }
            | Event::AttemptStarted { .. }
            | Event::ProcessStarted { .. }
            | Event::StopRequested { .. }
            | Event::ProcessCleared { .. }
            | Event::DoubtSettled { .. }
            | Event::PersonNeeded { .. }
            | Event::Ticked { .. }
            | Event::Decided { .. }
            | Event::Approving(_)
            | Event::SentBack(_)
            | Event::Handed(_)
            | Event::CancelRequested { .. }
            | Event::RollbackStarted { .. }
            | Event::RollbackAttemptStarted { .. }
            | Event::RollbackKept { .. } => {}
        }
    }

    fn cover(&mut self, at: Seq, transcript: Option<Transcript>) {
        if let Some(transcript) = transcript {
            self.transcripts.cover(at, transcript);
        }
    }

    /// There are no more entries: are those there that the anchors name?
    pub(crate) fn entries_end(&mut self) {
        let last = self.next.0.checked_sub(1).map(Seq);
        let highest = self.anchors.iter().max_by_key(|anchor| anchor.head.seq);
        if let Some(anchor) = highest.filter(|anchor| last < Some(anchor.head.seq)) {
            let (name, seq) = (anchor.name, anchor.head.seq);
            let end = last.map_or_else(
                || "holds no entry".to_owned(),
                |last| format!("ends with entry {last}"),
            );
            let message =
                format!("truncated: the journal {end}, but {name} says that entry {seq} was written");
            report(&mut self.found, Some(self.next), message);
        } else if last.is_none() {
            report(
                &mut self.found,
                None,
                "truncated: the journal holds no entry".to_owned(),
            );
        }
    }

    /// The chunk `number` of the transcript of the activity that entry `of` started.
    pub(crate) fn chunk(&mut self, of: Seq, number: u32, bytes: &[u8]) {
        self.found.chunks += 1;
        if of >= self.next && !self.transcripts.is_at(of) {
            let message = format!("changed: there is a transcript of entry {of}, which does not exist");
            report(&mut self.found, Some(of), message);
        }
        self.transcripts.chunk(of, number, bytes, &mut |at, message| {
            report(&mut self.found, Some(at), message);
        });
    }

    /// The content that is stored under a hash.
    pub(crate) fn attachment(&mut self, sha256: &str, content: &[u8]) {
        self.found.attachments += 1;
        let references = self.references.remove(sha256).unwrap_or_default();
        let first = references.first().map(|(at, _)| *at);
        if Digest::of(content).to_string() != sha256 {
            report(
                &mut self.found,
                first,
                format!("changed: the attachment {sha256} does not match its hash"),
            );
            return;
        }
        for (at, attachment) in references
            .iter()
            .filter(|(_, said)| said.bytes != content.len() as u64)
        {
            let (name, said, found) = (&attachment.name, attachment.bytes, content.len());
            let message =
                format!("changed: the attachment `{name}` has {found} bytes; entry {at} says {said}");
            report(&mut self.found, Some(*at), message);
        }
    }

    /// Something could not be read at all; what follows it was not looked at.
    pub(crate) fn unreadable(&mut self, what: &str, why: &str) {
        report(
            &mut self.found,
            None,
            format!("changed: {what} cannot be read: {why}"),
        );
    }

    /// All that was found until something could not be read any more: what is missing is not told.
    pub(crate) fn so_far(mut self) -> Verification {
        self.found
            .findings
            .sort_by_key(|finding| (finding.seq.is_none(), finding.seq));
        self.found
    }

    /// All that was found.
    pub(crate) fn finish(mut self) -> Verification {
        self.transcripts
            .finish(&mut |at, message| report(&mut self.found, Some(at), message));
        for (at, attachment) in self.references.into_values().flatten() {
            let message = format!(
                "dropped: the attachment `{}` of entry {at} is missing",
                attachment.name
            );
            report(&mut self.found, Some(at), message);
        }
        self.found
            .findings
            .sort_by_key(|finding| (finding.seq.is_none(), finding.seq));
        self.found
    }
}

/// The key that signed a record which says that it is signed with `said`.
fn signature(record: &Record, said: Option<PublicKey>) -> Result<Option<PublicKey>, &'static str> {
    match (said, &record.signature) {
        (None, None) => Ok(None),
        (Some(_), None) => Err("unsigned: the signature was taken away from entry"),
        (None, Some(_)) => Err("changed: a signature was put below entry"),
        (Some(key), Some(signature)) => {
            let seal = Seal {
                hash: record.hash,
                signed: Some(Signed {
                    key,
                    signature: *signature,
                }),
            };
            let signer = seal
                .signer()
                .ok_or("forged: the key that it names did not sign entry")?;
            Ok(Some(signer))
        }
    }
}

fn report(found: &mut Verification, seq: Option<Seq>, message: String) {
    if found.findings.len() < MOST_FINDINGS {
        found.findings.push(Finding { seq, message });
    }
}
