//! Checking a bundle before anything of it is stored: its bytes, its chain, its transcripts, attachments and manifest.

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;

use super::BundleError;
use super::manifest::{Attached, Kept, Manifest};
use super::members::{Name, Visit, to_record, walk};
use crate::core::event::{Attachment, Entry, Event, RunStarted};
use crate::id::Seq;
use crate::identity::Signer;
use crate::journal::chain::{Digest, Record};
use crate::journal::verify::Verifier;
use crate::journal::{
    Chunk, Finding, Intake, JournalError, SealedEntries, TranscriptHasher, Verification, stored,
};

/// A bundle that was looked at.
#[derive(Debug)]
pub struct Checked {
    /// What it says that it holds; none where even that cannot be read.
    pub manifest: Option<Manifest>,
    /// The entries, as far as they can be read.
    pub entries: Vec<Entry>,
    /// What is wrong with it, and how much there is.
    pub verification: Verification,
    hashes: Vec<Digest>,
    sha256: Option<Digest>,
}

/// Looks at a bundle of so many bytes, and stores nothing. What is wrong with what it holds are findings.
///
/// # Errors
/// When it is no bundle, too large, or cannot be read.
pub fn check(file: impl Read, size: u64) -> Result<Checked, BundleError> {
    let mut inspector = Inspector::default();
    let walked = walk(file, size, &mut inspector);
    let manifest = inspector.manifest.take();
    let (sha256, broken) = match walked {
        Ok(sha256) => (Some(sha256), None),
        Err(BundleError::Damaged(message)) => (None, Some(message)),
        Err(error) => return Err(error),
    };
    if broken.is_none() {
        inspector.against(manifest.as_ref());
    }
    let (entries, hashes) = (
        std::mem::take(&mut inspector.entries),
        std::mem::take(&mut inspector.hashes),
    );
    let mut verification = inspector.finish_as_far_as(broken.is_none());
    verification
        .findings
        .extend(broken.map(|message| Finding { seq: None, message }));
    Ok(Checked {
        manifest,
        entries,
        verification,
        hashes,
        sha256,
    })
}

impl Checked {
    /// The bundle's manifest and nothing else, if nothing is wrong with it.
    ///
    /// # Errors
    /// The first bad place.
    pub fn sound(&self) -> Result<&Manifest, BundleError> {
        if let Some(finding) = self.verification.findings.first() {
            return Err(BundleError::Damaged(finding.message.clone()));
        }
        let missing = || BundleError::Damaged("dropped: the manifest is missing".to_owned());
        self.manifest.as_ref().ok_or_else(missing)
    }

    /// How many entries it shares with a journal that holds these records, from the first on.
    #[must_use]
    pub fn shared(&self, records: &[Vec<u8>]) -> usize {
        let here = records
            .iter()
            .map(|bytes| Record::from_bytes(bytes).map(|record| record.hash));
        let there = self.hashes.iter().copied().map(Some);
        here.zip(there).take_while(|(here, there)| here == there).count()
    }

    /// Seals entries that come behind its own.
    ///
    /// # Errors
    /// When they cannot be stored.
    pub fn sealed_behind(
        &self,
        entries: &[Entry],
        signer: Option<&dyn Signer>,
    ) -> Result<SealedEntries, JournalError> {
        let last = Seq((self.hashes.len() as u64).saturating_sub(1));
        SealedEntries::after(
            last,
            self.hashes.last().copied().unwrap_or(Digest::ZERO),
            entries,
            signer,
        )
    }

    /// Gives what it holds from an entry on to a store. The file is the one that was checked, or this fails.
    ///
    /// # Errors
    /// When the store refuses it, or the file has changed meanwhile.
    pub fn pour(
        &self,
        mut file: impl Read + Seek,
        size: u64,
        from: Seq,
        into: &mut dyn Intake,
    ) -> Result<(), JournalError> {
        file.seek(SeekFrom::Start(0))
            .map_err(|source| JournalError::Storage {
                doing: "read",
                source,
            })?;
        let mut pouring = Pouring {
            from,
            into,
            failed: None,
        };
        let walked = walk(file, size, &mut pouring);
        if let Some(error) = pouring.failed {
            return Err(error);
        }
        match walked {
            Ok(sha256) if Some(sha256) == self.sha256 => Ok(()),
            Ok(_) => Err(JournalError::Damaged(
                "the bundle was changed while it was read".to_owned(),
            )),
            Err(error) => Err(JournalError::Damaged(error.to_string())),
        }
    }
}

/// Gives members to a store.
struct Pouring<'a> {
    from: Seq,
    into: &'a mut dyn Intake,
    failed: Option<JournalError>,
}

impl Visit for Pouring<'_> {
    fn member(&mut self, name: Name, content: Vec<u8>) -> Result<(), BundleError> {
        let stored = match name {
            Name::Entry(at) if at >= self.from => match to_record(&content) {
                Some(record) => self.into.record(at, record.to_bytes()),
                None => Err(JournalError::Damaged(format!("entry {at} cannot be read"))),
            },
            Name::Chunk(of, number) => self.into.chunk(of, number, content),
            Name::Attachment(_) => self.into.attachment(&content),
            Name::Entry(_) | Name::Definition | Name::Manifest => Ok(()),
        };
        stored.map_err(|error| {
            let message = error.to_string();
            self.failed = Some(error);
            BundleError::Damaged(message)
        })
    }
}

/// Looks at everything that goes into a bundle, or comes out of one.
pub(super) struct Inspector {
    verifier: Verifier,
    entries: Vec<Entry>,
    hashes: Vec<Digest>,
    prev: Digest,
    entries_ended: bool,
    definition: Option<Digest>,
    transcripts: BTreeMap<Seq, TranscriptHasher>,
    attached: Vec<Attached>,
    manifest: Option<Manifest>,
    /// What is wrong beside what the verifier finds.
    wrong: Vec<Finding>,
}

impl Default for Inspector {
    fn default() -> Self {
        Self {
            verifier: Verifier::new(Vec::new()),
            entries: Vec::new(),
            hashes: Vec::new(),
            prev: Digest::ZERO,
            entries_ended: false,
            definition: None,
            transcripts: BTreeMap::new(),
            attached: Vec::new(),
            manifest: None,
            wrong: Vec::new(),
        }
    }
}

impl Inspector {
    /// The next entry. One that a newer program wrote is an error; one that is damaged a finding.
    pub(super) fn entry(&mut self, at: Seq, record: Record) -> Result<(), BundleError> {
        self.verifier.entry(at, &record.to_bytes());
        match stored::decode(&record.stored, at) {
            Ok(stored) => self.entries.push(stored.entry),
            Err(JournalError::Newer(what)) if record.follows(self.prev) => {
                return Err(BundleError::Newer(what));
            }
            Err(_) => {}
        }
        self.prev = record.hash;
        self.hashes.push(record.hash);
        Ok(())
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
        (self.hashes.len() as u64, self.prev)
    }

    /// Holds what was found against what the manifest says.
    fn against(&mut self, manifest: Option<&Manifest>) {
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
        let last = (self.hashes.len() as u64, self.prev.to_string());
        if (manifest.entries, &manifest.last) != (last.0, &last.1) {
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
    fn finish_as_far_as(mut self, whole: bool) -> Verification {
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
                Ok(manifest) => self.manifest = Some(manifest),
                Err(error) => {
                    let message = format!("changed: the manifest cannot be read: {error}");
                    self.wrong.push(Finding { seq: None, message });
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
