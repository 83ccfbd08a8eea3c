//! Reading one part of a bundle, as of a run that is kept as one.

use std::collections::BTreeMap;
use std::io::Read;

use super::BundleError;
use super::members::{Name, Visit, to_record, walk};
use crate::id::Seq;
use crate::journal::{Chunk, Digest};

/// Which part.
pub(in crate::journal) enum Wanted<'a> {
    /// What is kept of each entry.
    Records(&'a mut Vec<Vec<u8>>),
    /// The transcripts of these activities.
    Transcripts(&'a mut BTreeMap<Seq, Vec<Chunk>>),
    /// An attachment.
    Attachment(&'a Digest, &'a mut Option<Vec<u8>>),
}

/// Reads a part of a bundle of so many bytes. That the file as a whole is what was written is checked, and nothing else.
pub(in crate::journal) fn gather(
    file: impl Read,
    size: u64,
    mut wanted: Wanted<'_>,
) -> Result<(), BundleError> {
    walk(file, size, &mut wanted).map(drop)
}

impl Visit for Wanted<'_> {
    fn member(&mut self, name: Name, content: Vec<u8>) -> Result<(), BundleError> {
        match (self, &name) {
            (Self::Records(records), Name::Entry(_)) => {
                let odd = || BundleError::Damaged(format!("changed: {} cannot be read", name.words()));
                records.push(to_record(&content).ok_or_else(odd)?.to_bytes());
            }
            (Self::Transcripts(found), Name::Chunk(of, _)) => {
                if let Some(chunks) = found.get_mut(of) {
                    chunks.push(Chunk::from_bytes(&content)?);
                }
            }
            (Self::Attachment(hash, found), Name::Attachment(this)) if *hash == this => {
                **found = Some(content);
            }
            _ => {}
        }
        Ok(())
    }
}
