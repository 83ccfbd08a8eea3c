//! Looking at everything that goes into a bundle, or comes out of one.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::BundleError;
use super::manifest::{Attached, Kept, Manifest};
use super::members::{Name, Visit, to_record, to_signature};
use crate::core::event::{Attachment, Entry, Event, RunStarted};
use crate::id::Seq;
use crate::identity::{Signature, Statement};
use crate::journal::chain::{Digest, Record};
use crate::journal::verify::{Anchor, Verifier};
use crate::journal::{Chunk, Finding, JournalError, TranscriptHasher, Verification, stored};

/// Looks at everything that goes into a bundle, or comes out of one.
pub(super) struct Inspector {
    verifier: Verifier,
    entries: Vec<Entry>,
    hashes: Vec<Digest>,
    entries_ended: bool,
    definition: Option<Digest>,
    transcripts: BTreeMap<Seq, TranscriptHasher>,
    attached: Vec<Attached>,
    manifest: Option<(Manifest, Digest)>,
    signature: Option<Signature>,
    /// What is wrong beside what the verifier finds.
    wrong: Vec<Finding>,
}

impl Default for Inspector {
    fn default() -> Self {
        Self::against_anchors(Vec::new())
    }
}

impl Inspector {
    /// Where something elsewhere says which entry is the last.
    pub(super) fn against_anchors(anchors: Vec<Anchor>) -> Self {
        Self {
            verifier: Verifier::new(anchors),
            entries: Vec::new(),
            hashes: Vec::new(),
            entries_ended: false,
            definition: None,
            transcripts: BTreeMap::new(),
            attached: Vec::new(),
            manifest: None,
            signature: None,
            wrong: Vec::new(),
        }
    }

    /// The next entry. One that a newer program wrote is an error; one that is damaged a finding.
    pub(super) fn entry(&mut self, at: Seq, record: Record) -> Result<(), BundleError> {
        self.verifier.entry(at, &record.to_bytes());
        match stored::decode(&record.stored, at) {
            Ok(stored) => self.entries.push(stored.entry),
            Err(JournalError::Newer(what)) if record.follows(self.last()) => {
                return Err(BundleError::Newer(what));
            }
            Err(_) => {}
        }
        self.hashes.push(record.hash);
        Ok(())
    }

    /// The hash of the newest entry so far.
    fn last(&self) -> Digest {
        self.hashes.last().copied().unwrap_or(Digest::ZERO)
    }

    /// The newest entry so far that could be read.
    pub(super) fn newest(&self) -> Option<&Entry> {
        self.entries.last()
    }

    /// There are no more entries.
    pub(super) fn entries_end(&mut self) {
        if !std::mem::replace(&mut self.entries_ended, true) {
            self.verifier.entries_end();
        }
    }

    pub(super) fn chunk(&mut self, of: Seq, number: u32, bytes: &[u8]) {
        self.entries_end();
        self.verifier.chunk(of, number, bytes);
        if let Ok(chunk) = Chunk::from_bytes(bytes) {
            self.transcripts.entry(of).or_default().update(&chunk);
        }
    }

    pub(super) fn attachment(&mut self, sha256: &str, content: &[u8]) {
        self.entries_end();
        self.verifier.attachment(sha256, content);
        let bytes = content.len() as u64;
        self.attached.push(Attached {
            sha256: sha256.to_owned(),
            bytes,
        });
    }

    /// What the first entry says.
    pub(super) fn started(&self) -> Result<Arc<RunStarted>, JournalError> {
        match self.entries.first().map(|entry| &entry.event) {
            Some(Event::RunStarted(started)) => Ok(Arc::new((**started).clone())),
            _ => Err(JournalError::Damaged(
                "its first entry does not start a run".to_owned(),
            )),
        }
    }

    /// The entries that began something that can print.
    pub(super) fn activities(&self) -> Vec<Seq> {
        let begins = |entry: &&Entry| {
            matches!(
                entry.event,
                Event::ObservationStarted { .. }
                    | Event::AttemptStarted { .. }
                    | Event::RollbackAttemptStarted { .. }
            )
        };
        self.entries
            .iter()
            .filter(begins)
            .map(|entry| entry.seq)
            .collect()
    }

    /// The attachments that the entries name.
    pub(super) fn attachments(&self) -> BTreeMap<Digest, String> {
        let all = self.entries.iter().flat_map(|entry| attachments(&entry.event));
        all.filter_map(|file| Some((file.sha256.parse().ok()?, file.sha256.clone())))
            .collect()
    }

    /// How many entries there are, and the hash of the last.
    pub(super) fn head(&self) -> (u64, Digest) {
        (self.hashes.len() as u64, self.last())
    }

    /// The manifest, if it could be read.
    pub(super) fn manifest(&self) -> Option<Manifest> {
        self.manifest.as_ref().map(|(manifest, _)| manifest.clone())
    }

    /// The entries, and their hashes, which are asked for no more.
    pub(super) fn taken(&mut self) -> (Vec<Entry>, Vec<Digest>) {
        (std::mem::take(&mut self.entries), self.hashes.clone())
    }

    /// Whether its maker signed the manifest, as it says.
    fn signed(&mut self) {
        let Some((manifest, hash)) = &self.manifest else {
            return;
        };
        let wrong = match (manifest.made.key, &self.signature) {
            (None, None) => return,
            (Some(_), None) => "unsigned: the signature of the manifest was taken away",
            (None, Some(_)) => "changed: a signature was put below the manifest",
            (Some(key), Some(signature)) => {
                if key.has_signed(&Statement::Manifest(hash.as_bytes()), signature) {
                    return;
                }
                "forged: the key that the manifest names did not sign it"
            }
        };
        let message = wrong.to_owned();
        self.wrong.push(Finding { seq: None, message });
    }

    /// Holds what was found against what the manifest says.
    pub(super) fn against(&mut self, manifest: Option<&Manifest>) {
        self.signed();
        let (entries, last) = self.head();
        let mut wrong = |message: &str| {
            let message = message.to_owned();
            self.wrong.push(Finding { seq: None, message });
        };
        let Some(manifest) = manifest else {
            return wrong("dropped: the manifest is missing");
        };
        let first = self.entries.first().map(|entry| &entry.event);
        let Some(Event::RunStarted(started)) = first else {
            return wrong("changed: the first entry does not start a run");
        };
        if (manifest.run, &manifest.runbook) != (started.run, &started.runbook) {
            wrong("changed: the manifest is that of another run");
        }
        if (manifest.entries, &manifest.last) != (entries, &last.to_string()) {
            wrong("truncated: the last entry is not the one that the manifest names");
        }
        let text = Digest::of(started.text.as_bytes());
        if self.definition != Some(text) || manifest.definition != text.to_string() {
            wrong("changed: the runbook's text is not the one that the run began with");
        }
        let found: Vec<Kept> = self
            .transcripts
            .iter()
            .map(|(of, hasher)| hasher.clone().finish(*of).into())
            .collect();
        let other = found
            .iter()
            .zip(&manifest.transcripts)
            .find(|(found, said)| found != said);
        if let Some((_, said)) = other {
            wrong(&format!(
                "changed: the transcript of entry {} is not the one that the manifest names",
                said.of
            ));
        } else if found.len() != manifest.transcripts.len() {
            wrong("dropped: there are not as many transcripts as the manifest names");
        }
        if self.attached != manifest.attachments {
            wrong("dropped: the attachments are not those that the manifest names");
        }
    }

    /// All that was found.
    pub(super) fn finish(self) -> Verification {
        self.finish_as_far_as(true)
    }

    /// All that was found. What is missing because reading ended early is no finding of its own.
    pub(super) fn finish_as_far_as(mut self, whole: bool) -> Verification {
        if whole {
            self.entries_end();
        }
        let mut found = if whole {
            self.verifier.finish()
        } else {
            self.verifier.so_far()
        };
        found.findings.append(&mut self.wrong);
        found
    }
}

impl Visit for Inspector {
    fn member(&mut self, name: Name, content: Vec<u8>) -> Result<(), BundleError> {
        match name {
            Name::Entry(at) => match to_record(&content) {
                Some(record) => self.entry(at, record)?,
                None => self.verifier.entry(at, &[]),
            },
            Name::Definition => {
                self.entries_end();
                self.definition = Some(Digest::of(&content));
            }
            Name::Chunk(of, number) => self.chunk(of, number, &content),
            Name::Attachment(sha256) => self.attachment(&sha256.to_string(), &content),
            Name::Manifest => match serde_json::from_slice(&content) {
                Ok(manifest) => self.manifest = Some((manifest, Digest::of(&content))),
                Err(error) => {
                    let message = format!("changed: the manifest cannot be read: {error}");
                    self.wrong.push(Finding { seq: None, message });
                }
            },
            Name::Signature => match to_signature(&content) {
                Some(signature) => self.signature = Some(signature),
                None => {
                    return Err(BundleError::Damaged(
                        "changed: the signature of the manifest".to_owned(),
                    ));
                }
            },
        }
        Ok(())
    }
}

/// The files that an event brings along.
fn attachments(event: &Event) -> &[Attachment] {
    match event {
        Event::Confirmed { attachments, .. } => attachments,
        _ => &[],
    }
}
