//! What steps print, on its way to the database: sent with the next entries, or soon.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::Notify;

use super::held::number;
use crate::id::Seq;
use crate::journal::{Chunk, JournalError, locked};

/// How many bytes of transcripts are sent at once.
pub(super) const BATCH: usize = 1024 * 1024;

/// After how long what was printed is sent, if no entry takes it along before.
pub(super) const LINGER: Duration = Duration::from_millis(200);

/// Chunks that were not sent yet.
#[derive(Default)]
pub(super) struct Spool {
    printed: Mutex<VecDeque<Printed>>,
    pub(super) has_printed: Notify,
}

/// A chunk of a transcript that was not sent yet.
struct Printed {
    of: i64,
    number: i32,
    content: Vec<u8>,
}

/// Chunks as a statement takes them.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) of: Vec<i64>,
    pub(super) numbers: Vec<i32>,
    pub(super) contents: Vec<Vec<u8>>,
    pub(super) bytes: usize,
}

impl Spool {
    /// Takes a chunk.
    pub(super) fn print(&self, of: Seq, number: u32, chunk: &Chunk) -> Result<(), JournalError> {
        let content = chunk.to_bytes()?;
        let number = i32::try_from(number)
            .map_err(|_| JournalError::Unstorable("a transcript has too many chunks".to_owned()))?;
        let of = self::number(of);
        locked(&self.printed).push_back(Printed { of, number, content });
        self.has_printed.notify_one();
        Ok(())
    }

    /// How much there is.
    pub(super) fn bytes(&self) -> usize {
        locked(&self.printed)
            .iter()
            .map(|printed| printed.content.len())
            .sum()
    }

    /// The first of it.
    pub(super) fn next_batch(&self) -> Batch {
        let mut printed = locked(&self.printed);
        let mut batch = Batch::default();
        while batch.bytes < BATCH
            && let Some(next) = printed.pop_front()
        {
            batch.of.push(next.of);
            batch.numbers.push(next.number);
            batch.bytes += next.content.len();
            batch.contents.push(next.content);
        }
        batch
    }

    /// Puts back what was not sent, before the rest.
    pub(super) fn put_back(&self, batch: Batch) {
        let mut printed = locked(&self.printed);
        let all = batch.of.into_iter().zip(batch.numbers).zip(batch.contents);
        for ((of, number), content) in all.rev() {
            printed.push_front(Printed { of, number, content });
        }
    }
}
