//! Where a run is read from: its open database, or the file as which it is kept once it is finished.

use super::contents;
use super::sealed::Sealed;
use super::store::Store;
use crate::id::Seq;
use crate::journal::chain::Head;
use crate::journal::{Chunk, JournalError, Kept};

/// Where a run is read from.
#[derive(Clone, Copy)]
pub(super) enum Shelf<'a> {
    /// The database, of entries up to this one.
    Database(&'a Store, Head),
    /// The file of a sealed run.
    Sealed(&'a Sealed),
}

impl Shelf<'_> {
    pub(super) fn head(&self) -> Head {
        match self {
            Self::Database(_, head) => *head,
            Self::Sealed(sealed) => sealed.head(),
        }
    }

    pub(super) fn kept(&self, from: Seq) -> Result<Vec<Kept>, JournalError> {
        match self {
            Self::Database(store, head) => contents::kept(store, *head, from),
            Self::Sealed(sealed) => sealed.kept(from),
        }
    }

    pub(super) fn records(&self, from: Seq) -> Result<Vec<Vec<u8>>, JournalError> {
        match self {
            Self::Database(store, head) => contents::records(store, *head, from),
            Self::Sealed(sealed) => Ok(sealed.records(from)),
        }
    }

    pub(super) fn transcripts(&self, of: &[Seq]) -> Result<Vec<(Seq, Vec<Chunk>)>, JournalError> {
        match self {
            Self::Database(store, _) => contents::transcripts(store, of),
            Self::Sealed(sealed) => sealed.transcripts(of),
        }
    }

    pub(super) fn transcript(&self, of: Seq) -> Result<Vec<Chunk>, JournalError> {
        let found = self.transcripts(&[of])?;
        Ok(found.into_iter().flat_map(|(_, chunks)| chunks).collect())
    }

    pub(super) fn attachment(&self, sha256: &str) -> Result<Vec<u8>, JournalError> {
        match self {
            Self::Database(store, _) => contents::attachment(store, sha256),
            Self::Sealed(sealed) => sealed.attachment(sha256),
        }
    }
}
