//! What a run is taken in with from another journal, and how it stands here afterwards.

use super::chain::{Digest, Head, Record, seal_all};
use super::{Entry, JournalError};
use crate::id::Seq;
use crate::identity::Signer;

/// Takes in what another journal holds of a run: entries in order, then chunks, then attachments.
pub trait Intake {
    /// What is kept of the entry `at`: the next one.
    ///
    /// # Errors
    /// When it is out of place, or cannot be stored.
    fn record(&mut self, at: Seq, bytes: Vec<u8>) -> Result<(), JournalError>;

    /// What is kept of a chunk of the transcript of what entry `of` began.
    ///
    /// # Errors
    /// When it cannot be stored.
    fn chunk(&mut self, of: Seq, number: u32, bytes: Vec<u8>) -> Result<(), JournalError>;

    /// A file that proves something.
    ///
    /// # Errors
    /// When it cannot be stored.
    fn attachment(&mut self, content: &[u8]) -> Result<(), JournalError>;
}

/// Gives everything to a store.
pub type Fill<'a> = &'a mut (dyn FnMut(&mut dyn Intake) -> Result<(), JournalError> + Send);

/// How a run stands in a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It goes on here.
    Own,
    /// It goes on elsewhere: it can be read, and not claimed.
    Copy,
}

/// Entries that were made here, and are taken in behind those of another journal.
#[derive(Debug, Default)]
pub struct SealedEntries(Vec<(Seq, Record)>);

impl SealedEntries {
    /// Seals entries that come after the one that has this number and hash.
    ///
    /// # Errors
    /// When they cannot be stored.
    pub fn after(
        last: Seq,
        hash: Digest,
        entries: &[Entry],
        signer: Option<&dyn Signer>,
    ) -> Result<Self, JournalError> {
        seal_all(Some(Head { seq: last, hash }), entries, signer).map(Self)
    }

    /// Gives them to a store.
    ///
    /// # Errors
    /// When it does not take them.
    pub fn pour(&self, into: &mut dyn Intake) -> Result<(), JournalError> {
        let Self(records) = self;
        records
            .iter()
            .try_for_each(|(at, record)| into.record(*at, record.to_bytes()))
    }
}
