//! A run that this process holds: the one way to add to it, and what keeps its claim alive.

#![expect(
    clippy::disallowed_methods,
    reason = "claims end by the database's clock, and no matter of a run's"
)]

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::sleep;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::bell::Bell;
use super::link::{Answer, Link, Params, Patience};
use super::spool::{BATCH, LINGER, Spool};
use super::statements as sql;
use crate::core::event::Entry;
use crate::id::{RunId, Seq};
use crate::identity::Signer;
use crate::journal::chain::{Digest, Head, seal_all};
use crate::journal::{Chunk, Durable, Holder, JournalError, Summary, attachable};

/// How many bytes of an attachment are sent at once.
pub(super) const PIECE: usize = 512 * 1024;

/// What a claim is worth, told by the token that only its holder knows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ticket {
    pub(super) run: RunId,
    pub(super) token: Uuid,
    /// For how long it holds unless it is renewed.
    pub(super) lasts: Duration,
}

impl Ticket {
    /// How long it holds, as statements take it.
    pub(super) fn milliseconds(&self) -> i64 {
        milliseconds(self.lasts)
    }
}

/// A claimed run.
pub(super) struct Held {
    pub(super) holder: Holder,
    ticket: Ticket,
    link: Arc<Link>,
    bell: Arc<Bell>,
    /// The newest entry; locked while something is added.
    tip: tokio::sync::Mutex<Head>,
    spool: Spool,
    /// The claim is another's by now.
    lost: AtomicBool,
    /// The database refused to write.
    failed: AtomicBool,
}

impl Held {
    pub(super) fn new(
        link: Arc<Link>,
        bell: Arc<Bell>,
        ticket: Ticket,
        holder: Holder,
        tip: Head,
    ) -> Arc<Self> {
        let held = Arc::new(Self {
            holder,
            ticket,
            link,
            bell,
            tip: tokio::sync::Mutex::new(tip),
            spool: Spool::default(),
            lost: AtomicBool::new(false),
            failed: AtomicBool::new(false),
        });
        tokio::spawn(renew_always(Arc::downgrade(&held), ticket.lasts / 3));
        tokio::spawn(send_always(Arc::downgrade(&held)));
        held
    }

    fn check(&self) -> Result<(), JournalError> {
        if self.lost.load(Ordering::SeqCst) {
            Err(JournalError::NotClaimed)
        } else if self.failed.load(Ordering::SeqCst) {
            Err(JournalError::Poisoned)
        } else {
            Ok(())
        }
    }

    /// The claim is another's: from now on nothing is written, and nothing renewed.
    fn lose(&self) -> JournalError {
        self.lost.store(true, Ordering::SeqCst);
        JournalError::NotClaimed
    }

    /// After a write that failed nobody knows what is there.
    fn poisoned<T>(&self, result: Result<T, JournalError>) -> Result<T, JournalError> {
        if result.is_err() {
            self.failed.store(true, Ordering::SeqCst);
        }
        result
    }

    /// Carries out a statement that writes: its first two values are the run and the token.
    async fn write(&self, sql: &str, params: Params<'_>, bytes: usize) -> Result<Answer, JournalError> {
        let claim: Params<'_> = &[
            (self.ticket.run.as_uuid(), Type::UUID),
            (&self.ticket.token, Type::UUID),
        ];
        let params: Vec<_> = claim.iter().chain(params).cloned().collect();
        self.link.ask(sql, &params, bytes, Patience::Long).await
    }

    /// A statement that found no run with our token says that the claim is another's.
    fn still_ours(&self, answer: &Answer) -> Result<(), JournalError> {
        if answer.rows.is_empty() {
            Err(self.lose())
        } else {
            Ok(())
        }
    }

    /// Appends entries. Where an answer is lost, it is looked whether they are there: they are ours if their hash is.
    pub(super) async fn append(
        &self,
        expected: Seq,
        entries: &[Entry],
        signer: Option<&dyn Signer>,
    ) -> Result<Durable<Seq>, JournalError> {
        let mut tip = self.tip.lock().await;
        self.check()?;
        let found = tip.seq.next();
        if expected != found {
            return Err(JournalError::Conflict { expected, found });
        }
        let records = seal_all(Some(*tip), entries, signer)?;
        let Some((seq, hash)) = records.last().map(|(seq, record)| (*seq, record.hash)) else {
            return Ok(Durable::attest(tip.seq));
        };
        while self.spool.bytes() > BATCH {
            self.send_printed().await?;
        }
        let batch = self.spool.next_batch();
        let records: Vec<Vec<u8>> = records.iter().map(|(_, record)| record.to_bytes()).collect();
        let bytes = batch.bytes + records.iter().map(Vec::len).sum::<usize>();
        let head = Head { seq, hash };
        let params: Params<'_> = &[
            (&self.ticket.milliseconds(), Type::INT8),
            (&number(expected), Type::INT8),
            (&number(seq.next()), Type::INT8),
            (&hash.as_bytes().as_slice(), Type::BYTEA),
            (&records, Type::BYTEA_ARRAY),
            (&batch.of, Type::INT8_ARRAY),
            (&batch.numbers, Type::INT4_ARRAY),
            (&batch.contents, Type::BYTEA_ARRAY),
        ];
        let answer = self.poisoned(self.write(sql::APPEND, params, bytes).await)?;
        if !answer.is_done() {
            self.settle(expected, head).await?;
        }
        *tip = head;
        self.bell.ring(self.ticket.run);
        Ok(Durable::attest(seq))
    }

    /// Nothing was written: because it was there already, since somebody else has written, or without a claim.
    async fn settle(&self, expected: Seq, ours: Head) -> Result<(), JournalError> {
        let params: Params<'_> = &[(self.ticket.run.as_uuid(), Type::UUID)];
        let answer = self.poisoned(self.link.ask(sql::STANDS, params, 0, Patience::Long).await)?;
        let Some(row) = answer.rows.first() else {
            return Err(JournalError::NotFound(self.ticket.run));
        };
        let (next, head) = (row.get::<_, i64>(0), row.get::<_, &[u8]>(1));
        let token: Option<Uuid> = row.get(2);
        if next == number(ours.seq.next()) && head == ours.hash.as_bytes() {
            Ok(())
        } else if token == Some(self.ticket.token) {
            let found = seq_of(next)?;
            self.failed.store(true, Ordering::SeqCst);
            Err(JournalError::Conflict { expected, found })
        } else {
            Err(self.lose())
        }
    }

    /// Takes a chunk of a transcript, which is sent with the next entries, or soon.
    pub(super) fn print(&self, of: Seq, number: u32, chunk: &Chunk) -> Result<(), JournalError> {
        self.check()?;
        self.spool.print(of, number, chunk)
    }

    /// Sends all that was printed, so that others can read it.
    pub(super) async fn flush(&self) -> Result<(), JournalError> {
        let _one_at_a_time = self.tip.lock().await;
        self.check()?;
        while self.spool.bytes() > 0 {
            self.send_printed().await?;
        }
        Ok(())
    }

    async fn send_printed(&self) -> Result<(), JournalError> {
        let batch = self.spool.next_batch();
        let params: Params<'_> = &[
            (&self.ticket.milliseconds(), Type::INT8),
            (&batch.of, Type::INT8_ARRAY),
            (&batch.numbers, Type::INT4_ARRAY),
            (&batch.contents, Type::BYTEA_ARRAY),
        ];
        let answer = self.poisoned(self.write(sql::PRINT, params, batch.bytes).await)?;
        self.still_ours(&answer)?;
        self.bell.ring(self.ticket.run);
        Ok(())
    }

    /// Says that the claim is still wanted.
    async fn renew(&self) -> Result<(), JournalError> {
        self.check()?;
        let params: Params<'_> = &[(&self.ticket.milliseconds(), Type::INT8)];
        let answer = self.write(sql::RENEW, params, 0).await?;
        self.still_ours(&answer)
    }

    /// Stores a file in pieces, and then that it is there.
    pub(super) async fn attach(&self, content: &[u8]) -> Result<Digest, JournalError> {
        attachable(content)?;
        self.check()?;
        let hash = Digest::of(content);
        let sha256 = hash.as_bytes().as_slice();
        for (place, piece) in (0_i32..).zip(content.chunks(PIECE)) {
            let params: Params<'_> = &[
                (&sha256, Type::BYTEA),
                (&place, Type::INT4),
                (&piece, Type::BYTEA),
            ];
            let answer = self.poisoned(self.write(sql::PIECE, params, piece.len()).await)?;
            self.still_ours(&answer)?;
        }
        let size = i64::try_from(content.len()).unwrap_or(i64::MAX);
        let params: Params<'_> = &[(&sha256, Type::BYTEA), (&size, Type::INT8)];
        let answer = self.poisoned(self.write(sql::ATTACH, params, 0).await)?;
        self.still_ours(&answer)?;
        Ok(hash)
    }

    /// Refreshes what lists show.
    pub(super) async fn summarise(&self, summary: &Summary) -> Result<(), JournalError> {
        self.check()?;
        let params: Params<'_> = &[(&written(summary)?, Type::TEXT)];
        let answer = self.write(sql::SUMMARISE, params, 0).await?;
        self.still_ours(&answer)
    }

    /// Gives the claim back.
    pub(super) async fn release(&self, summary: Option<&Summary>) -> Result<(), JournalError> {
        let sent = if self.check().is_ok() {
            self.flush().await
        } else {
            Ok(())
        };
        let shared = summary.map(Summary::is_for_workers);
        let written = summary.map(written).transpose()?;
        let params: Params<'_> = &[(&written, Type::TEXT), (&shared, Type::BOOL)];
        let answer = self.write(sql::RELEASE, params, 0).await;
        self.lost.store(true, Ordering::SeqCst);
        let answer = answer?;
        // Where an earlier try had no answer, it may be the one that gave it back.
        if answer.rows.is_empty() && !answer.uncertain {
            return Err(JournalError::NotClaimed);
        }
        sent
    }
}

/// Renews a claim for as long as it is wanted and has not become another's.
async fn renew_always(held: Weak<Held>, every: Duration) {
    loop {
        sleep(every).await;
        let Some(held) = held.upgrade() else { return };
        if let Err(error) = held.renew().await {
            tracing::warn!(%error, "the claim on a run was not renewed");
            if held.check().is_err() {
                return;
            }
        }
    }
}

/// Sends what is printed, a moment after it was.
async fn send_always(held: Weak<Held>) {
    loop {
        let Some(strong) = held.upgrade() else { return };
        // The holder lets go of a run while nobody prints: then nobody wakes this up.
        let has_printed =
            tokio::time::timeout(Duration::from_secs(1), strong.spool.has_printed.notified()).await;
        if strong.check().is_err() {
            return;
        }
        if has_printed.is_err() {
            continue;
        }
        sleep(LINGER).await;
        if let Err(error) = strong.flush().await {
            tracing::warn!(%error, "what a step printed was not kept");
        }
    }
}

/// A length of time as statements take it.
pub(super) fn milliseconds(lasts: Duration) -> i64 {
    i64::try_from(lasts.as_millis()).unwrap_or(i64::MAX)
}

/// A number as the database has it.
pub(super) fn number(seq: Seq) -> i64 {
    i64::try_from(seq.0).unwrap_or(i64::MAX)
}

/// The number of an entry that the database has.
pub(super) fn seq_of(number: i64) -> Result<Seq, JournalError> {
    let seq = u64::try_from(number).map(Seq);
    seq.map_err(|_| JournalError::Damaged(format!("changed: there is an entry {number}")))
}

/// A summary as it is kept.
pub(super) fn written(summary: &Summary) -> Result<String, JournalError> {
    serde_json::to_string(summary).map_err(|error| JournalError::Unstorable(error.to_string()))
}
