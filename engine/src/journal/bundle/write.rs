//! Writing a bundle: the run is checked on the way, so that none is made that would be refused.

use std::collections::BTreeMap;
use std::io::{self, Write};

use tar::Builder;

use super::frames::Sealing;
use super::inspect::Inspector;
use super::manifest::{Attached, Kept, Maker, Manifest};
use super::members::{Name, from_record, from_signature};
use super::{Budget, BundleError, VERSION};
use crate::core::event::Entry;
use crate::id::{RunId, Seq};
use crate::identity::{Signer, Statement};
use crate::journal::chain::{Digest, Record};
use crate::journal::{Chunk, Journal, JournalError, TranscriptHasher};

/// How hard to compress: the usual.
const LEVEL: i32 = 3;

/// How many transcripts are read at once, unless they are large.
const READ_AHEAD: usize = 1000;

/// Writes a run as a bundle, whose maker signs, if they have a key.
///
/// # Errors
/// When the run cannot be read, does not hold, or is larger than allowed; when the bundle cannot be written.
pub async fn write<W: Write + Send>(
    journal: &dyn Journal,
    run: RunId,
    made: Maker,
    signer: Option<&dyn Signer>,
    out: W,
) -> Result<(W, Manifest), BundleError> {
    let mut writing = Writing::begin(out)?;
    for bytes in journal.records(run, Seq(0)).await? {
        writing.record(&bytes)?;
    }
    let mut left = writing.definition()?;
    while !left.is_empty() {
        let ahead = &left[..left.len().min(READ_AHEAD)];
        let found = journal.transcripts(run, ahead).await?;
        let read = found.len().max(1);
        for (of, chunks) in found {
            writing.transcript(of, &chunks)?;
        }
        left.drain(..read);
    }
    for (digest, sha256) in writing.attachments() {
        let content = journal.attachment(run, &sha256).await?;
        writing.attachment(digest, &content)?;
    }
    writing.finish(run, made, signer)
}

/// A bundle that is being written, part by part, in the order of these calls.
pub(in crate::journal) struct Writing<W: Write> {
    inspector: Inspector,
    archive: Packing<W>,
    entries: u64,
    transcripts: Vec<Kept>,
    attached: Vec<Attached>,
}

impl<W: Write> Writing<W> {
    pub(in crate::journal) fn begin(out: W) -> Result<Self, BundleError> {
        Ok(Self {
            inspector: Inspector::default(),
            archive: Packing::begin(out)?,
            entries: 0,
            transcripts: Vec::new(),
            attached: Vec::new(),
        })
    }

    /// What is kept of the next entry.
    pub(in crate::journal) fn record(&mut self, bytes: &[u8]) -> Result<(), BundleError> {
        let at = Seq(self.entries);
        let record = Record::from_bytes(bytes)
            .ok_or_else(|| JournalError::Damaged(format!("entry {at} is too short to be an entry")))?;
        let member = from_record(&record);
        self.entries += 1;
        self.inspector.entry(at, record)?;
        self.archive.add(&Name::Entry(at), &member)
    }

    /// The runbook's text, which the first entry holds. Gives the entries whose transcripts come next.
    pub(in crate::journal) fn definition(&mut self) -> Result<Vec<Seq>, BundleError> {
        self.inspector.entries_end();
        let started = self.inspector.started()?;
        self.archive.add(&Name::Definition, started.text.as_bytes())?;
        Ok(self.inspector.activities())
    }

    /// The newest entry so far.
    pub(in crate::journal) fn last(&self) -> Option<&Entry> {
        self.inspector.newest()
    }

    /// What an activity printed.
    pub(in crate::journal) fn transcript(&mut self, of: Seq, chunks: &[Chunk]) -> Result<(), BundleError> {
        let mut hasher = TranscriptHasher::new();
        for (number, chunk) in (0..).zip(chunks) {
            hasher.update(chunk);
            let bytes = chunk.to_bytes()?;
            self.inspector.chunk(of, number, &bytes);
            self.archive.add(&Name::Chunk(of, number), &bytes)?;
        }
        if !chunks.is_empty() {
            self.transcripts.push(hasher.finish(of).into());
        }
        Ok(())
    }

    /// The attachments that come next, by their hashes.
    pub(in crate::journal) fn attachments(&self) -> BTreeMap<Digest, String> {
        self.inspector.attachments()
    }

    pub(in crate::journal) fn attachment(
        &mut self,
        digest: Digest,
        content: &[u8],
    ) -> Result<(), BundleError> {
        let (sha256, bytes) = (digest.to_string(), content.len() as u64);
        self.inspector.attachment(&sha256, content);
        self.archive.add(&Name::Attachment(digest), content)?;
        self.attached.push(Attached { sha256, bytes });
        Ok(())
    }

    /// Ends it, unless what was written does not hold.
    pub(in crate::journal) fn finish(
        mut self,
        run: RunId,
        made: Maker,
        signer: Option<&dyn Signer>,
    ) -> Result<(W, Manifest), BundleError> {
        let started = self.inspector.started()?;
        let (entries, last) = self.inspector.head();
        let manifest = Manifest {
            bundle: VERSION,
            run,
            runbook: started.runbook.clone(),
            made: Maker {
                key: signer.map(Signer::key),
                ..made
            },
            entries,
            last: last.to_string(),
            definition: Digest::of(started.text.as_bytes()).to_string(),
            transcripts: self.transcripts,
            attachments: self.attached,
        };
        if let Some(finding) = self.inspector.finish().findings.into_iter().next() {
            return Err(JournalError::Damaged(finding.message).into());
        }
        let text = serde_json::to_vec_pretty(&manifest).map_err(|error| written(error.into()))?;
        self.archive.add(&Name::Manifest, &text)?;
        if let Some(signer) = signer {
            let statement = Digest::of(&text);
            let signature = signer.sign(&Statement::Manifest(statement.as_bytes()));
            let signature = signature.map_err(JournalError::Unsigned)?;
            self.archive.add(&Name::Signature, &from_signature(&signature))?;
        }
        Ok((self.archive.finish()?, manifest))
    }
}

fn written(source: io::Error) -> BundleError {
    BundleError::Disk {
        doing: "written",
        source,
    }
}

/// An archive that is being written.
struct Packing<W: Write> {
    archive: Builder<zstd::Encoder<'static, Sealing<W>>>,
    used: u64,
}

impl<W: Write> Packing<W> {
    fn begin(out: W) -> Result<Self, BundleError> {
        let mut encoder = Sealing::begin(out)
            .and_then(|sealing| zstd::Encoder::new(sealing, LEVEL))
            .map_err(written)?;
        encoder.include_checksum(true).map_err(written)?;
        Ok(Self {
            archive: Builder::new(encoder),
            used: 0,
        })
    }

    fn add(&mut self, name: &Name, content: &[u8]) -> Result<(), BundleError> {
        let size = content.len() as u64;
        self.used += size + 512;
        let header = name.header(size).map_err(written)?;
        self.archive.append(&header, content).map_err(written)
    }

    /// Ends the archive, unless it could not be read again.
    fn finish(self) -> Result<W, BundleError> {
        let sealing = self
            .archive
            .into_inner()
            .and_then(zstd::Encoder::finish)
            .map_err(written)?;
        Budget::of(sealing.bytes).take(self.used)?;
        sealing.finish().map_err(written)
    }
}
