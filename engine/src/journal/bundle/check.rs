//! Checking a bundle before anything of it is stored: its bytes, its chain, its transcripts, attachments and manifest.

use std::io::{Read, Seek, SeekFrom};

use super::BundleError;
use super::inspect::Inspector;
use super::manifest::Manifest;
use super::members::{Name, Visit, to_record, walk};
use crate::core::event::Entry;
use crate::core::operators::{Operators, Standing, impostors};
use crate::id::Seq;
use crate::identity::Signer;
use crate::journal::chain::{Digest, Record};
use crate::journal::verify::Anchor;
use crate::journal::{Finding, Intake, JournalError, SealedEntries, Verification};

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
    check_against(file, size, Vec::new())
}

/// As [`check`], where something beside the bundle says which entry is the last.
pub(in crate::journal) fn check_against(
    file: impl Read,
    size: u64,
    anchors: Vec<Anchor>,
) -> Result<Checked, BundleError> {
    let mut inspector = Inspector::against_anchors(anchors);
    let walked = walk(file, size, &mut inspector);
    let manifest = inspector.manifest();
    let (sha256, broken) = match walked {
        Ok(sha256) => (Some(sha256), None),
        Err(BundleError::Damaged(message)) => (None, Some(message)),
        Err(error) => return Err(error),
    };
    if broken.is_none() {
        inspector.against(manifest.as_ref());
    }
    let (entries, hashes) = inspector.taken();
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

    /// What is wrong with those who wrote it and made it, held against people who are trusted.
    ///
    /// # Errors
    /// The first who is not who they say.
    pub fn by(&self, trusted: &Operators) -> Result<(), BundleError> {
        let strangers = impostors(trusted, &self.verification.authors).0;
        if let Some(stranger) = strangers.first() {
            let why = stranger.why.says(&stranger.operator);
            return Err(BundleError::Forged(format!("entry {}: {why}", stranger.seq)));
        }
        self.made_by(trusted).map(drop)
    }

    /// Whether its maker passes for who they say.
    ///
    /// # Errors
    /// Why they do not.
    pub fn made_by(&self, team: &Operators) -> Result<Standing, BundleError> {
        let made = &self.sound()?.made;
        made.standing(team)
            .map_err(|why| BundleError::Forged(format!("the manifest: {}", why.says(&made.operator))))
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
            Name::Entry(_) | Name::Definition | Name::Manifest | Name::Signature => Ok(()),
        };
        stored.map_err(|error| {
            let message = error.to_string();
            self.failed = Some(error);
            BundleError::Damaged(message)
        })
    }
}
