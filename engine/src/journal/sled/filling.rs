//! Taking in what another journal holds of a run.

use super::keys::{Key, PIECE, append_to_bytes};
use super::store::{Changes, Store};
use crate::id::Seq;
use crate::journal::chain::{Digest, Head, Record, follows};
use crate::journal::{Intake, JournalError, attachable};

/// How many entries become one value.
const ENTRIES_AT_ONCE: usize = 256;

/// How many pieces are applied at once.
const PIECES_AT_ONCE: usize = 256;

/// How many pieces of an attachment are applied at once.
const PIECES_OF_ATTACHMENT: usize = 64;

/// When what is taken in is applied to the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// As it comes: nothing is a run yet.
    AsItComes,
    /// All at once, when everything is there: so that a run has all of it or nothing. Attachments do no harm before.
    InTheEnd,
}

/// What is taken in.
pub(super) struct Filling<'a> {
    store: &'a Store,
    when: When,
    head: Option<Head>,
    /// Entries that are no value yet, and the number of the first.
    records: (Seq, Vec<Record>),
    changes: Changes,
}

impl<'a> Filling<'a> {
    /// Begins after the entry that is the last so far.
    pub(super) fn after(head: Option<Head>, store: &'a Store, when: When) -> Self {
        Self {
            store,
            when,
            head,
            records: (Seq(0), Vec::new()),
            changes: Changes::default(),
        }
    }

    /// Makes a value of the entries that are none yet.
    fn gather(&mut self) {
        let (first, records) = &mut self.records;
        if !records.is_empty() {
            self.changes
                .put(&Key::append(*first), &append_to_bytes(records.iter()));
            records.clear();
        }
    }

    fn relieve(&mut self) -> Result<(), JournalError> {
        if self.when == When::AsItComes && self.changes.pieces() >= PIECES_AT_ONCE {
            self.store.apply(std::mem::take(&mut self.changes))?;
        }
        Ok(())
    }

    /// What is still to be applied, and the last entry there is then.
    pub(super) fn finish(mut self) -> (Changes, Option<Head>) {
        self.gather();
        (self.changes, self.head)
    }
}

impl Intake for Filling<'_> {
    fn record(&mut self, at: Seq, bytes: Vec<u8>) -> Result<(), JournalError> {
        let record = follows(self.head, at, &bytes)?;
        self.head = Some(Head {
            seq: at,
            hash: record.hash,
        });
        if self.records.1.is_empty() {
            self.records.0 = at;
        }
        self.records.1.push(record);
        if self.records.1.len() >= ENTRIES_AT_ONCE {
            self.gather();
        }
        self.relieve()
    }

    fn chunk(&mut self, of: Seq, number: u32, bytes: Vec<u8>) -> Result<(), JournalError> {
        let key = Key::chunk(of, number);
        if !self.store.contains(&key)? {
            self.changes.put(&key, &bytes);
        }
        self.relieve()
    }

    fn attachment(&mut self, content: &[u8]) -> Result<(), JournalError> {
        attachable(content)?;
        let hash = Digest::of(content);
        if self.store.contains(&Key::attached(&hash))? {
            return Ok(());
        }
        attached(&hash, content).try_for_each(|changes| self.store.apply(changes))
    }
}

/// An attachment in several batches, to be applied in order: the last holds its size.
pub(super) fn attached<'a>(hash: &Digest, content: &'a [u8]) -> impl Iterator<Item = Changes> + use<'a> {
    let (key, end) = (Key::content(hash), Key::attached(hash));
    let mut number = 0;
    let pieces = content.chunks(PIECE * PIECES_OF_ATTACHMENT).map(move |batch| {
        let mut changes = Changes::default();
        number = changes.put_from(&key, number, batch);
        changes
    });
    let size = (content.len() as u64).to_be_bytes();
    let last = std::iter::once_with(move || {
        let mut changes = Changes::default();
        changes.put(&end, &size);
        changes
    });
    pieces.chain(last)
}
