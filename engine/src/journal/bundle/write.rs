//! Writing a bundle: the run is checked on the way, so that none is made that would be refused.

use std::collections::BTreeMap;
use std::io::{self, Write};

use tar::Builder;

use super::frames::Sealing;
use super::inspect::Inspector;
use super::manifest::{Attached, Maker, Manifest};
use super::members::{Name, from_record, from_signature};
use super::{Budget, BundleError, VERSION};
use crate::id::{RunId, Seq};
use crate::identity::{Signer, Statement};
use crate::journal::chain::{Digest, Record};
use crate::journal::{Journal, JournalError, TranscriptHasher};

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
    let mut inspector = Inspector::default();
    let mut archive = Packing::begin(out)?;
    for (at, bytes) in (0..).map(Seq).zip(journal.records(run, Seq(0)).await?) {
        let record = Record::from_bytes(&bytes)
            .ok_or_else(|| JournalError::Damaged(format!("entry {at} is too short to be an entry")))?;
        let member = from_record(&record);
        inspector.entry(at, record)?;
        archive.add(&Name::Entry(at), &member)?;
    }
    inspector.entries_end();
    let started = inspector.started()?;
    archive.add(&Name::Definition, started.text.as_bytes())?;
    let mut transcripts = Vec::new();
    let mut left = inspector.activities();
    while !left.is_empty() {
        let ahead = &left[..left.len().min(READ_AHEAD)];
        let found = journal.transcripts(run, ahead).await?;
        let read = found.len().max(1);
        for (of, chunks) in found {
            let mut hasher = TranscriptHasher::new();
            for (number, chunk) in (0..).zip(&chunks) {
                hasher.update(chunk);
                let bytes = chunk.to_bytes()?;
                inspector.chunk(of, number, &bytes);
                archive.add(&Name::Chunk(of, number), &bytes)?;
            }
            if !chunks.is_empty() {
                transcripts.push(hasher.finish(of).into());
            }
        }
        left.drain(..read);
    }
    let mut attachments = Vec::new();
    let wanted: BTreeMap<Digest, String> = inspector.attachments();
    for (digest, sha256) in wanted {
        let content = journal.attachment(run, &sha256).await?;
        inspector.attachment(&sha256, &content);
        archive.add(&Name::Attachment(digest), &content)?;
        let bytes = content.len() as u64;
        attachments.push(Attached { sha256, bytes });
    }
    let (entries, last) = inspector.head();
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
        transcripts,
        attachments,
    };
    if let Some(finding) = inspector.finish().findings.into_iter().next() {
        return Err(JournalError::Damaged(finding.message).into());
    }
    let text = serde_json::to_vec_pretty(&manifest).map_err(|error| written(error.into()))?;
    archive.add(&Name::Manifest, &text)?;
    if let Some(signer) = signer {
        let statement = Digest::of(&text);
        let signature = signer.sign(&Statement::Manifest(statement.as_bytes()));
        let signature = signature.map_err(JournalError::Unsigned)?;
        archive.add(&Name::Signature, &from_signature(&signature))?;
    }
    Ok((archive.finish()?, manifest))
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
