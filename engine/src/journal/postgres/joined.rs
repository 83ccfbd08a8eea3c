//! A run that this process has come to as one of its workers: the one way in which a worker adds to it.

#![expect(
    clippy::disallowed_methods,
    reason = "when to send what was printed is no matter of a run's clock"
)]

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::sleep;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::bell::Bell;
use super::crew::apart;
use super::held::{self, PIECE, milliseconds, number, seq_of};
use super::link::{Link, Params, Patience};
use super::spool::{BATCH, LINGER, Spool};
use super::statements::{self, workers as sql};
use super::{contents, written};
use crate::core::event::Entry;
use crate::id::{RunId, Seq};
use crate::identity::Signer;
use crate::journal::chain::{Digest, Head, seal_all};
use crate::journal::{Chunk, Durable, Holder, JournalError, Stake, Summary, attachable};

/// See the module's documentation.
pub(super) struct Joined {
    pub(super) holder: Holder,
    link: Arc<Link>,
    bell: Arc<Bell>,
    worker: Uuid,
    run: RunId,
    lasts: Duration,
    /// The newest entry that this process has read or written; locked while something is added.
    tip: tokio::sync::Mutex<Option<Head>>,
    spool: Spool,
    /// Something is under way here.
    has_claims: AtomicBool,
}

impl Joined {
    pub(super) fn new(
        link: Arc<Link>,
        bell: Arc<Bell>,
        worker: Uuid,
        run: RunId,
        holder: Holder,
        lasts: Duration,
    ) -> Arc<Self> {
        let joined = Arc::new(Self {
            holder,
            link,
            bell,
            worker,
            run,
            lasts,
            tip: tokio::sync::Mutex::default(),
            spool: Spool::default(),
            has_claims: AtomicBool::new(false),
        });
        tokio::spawn(send_always(Arc::downgrade(&joined)));
        joined
    }

    pub(super) fn has_claims(&self) -> bool {
        self.has_claims.load(Ordering::SeqCst)
    }

    pub(super) fn now_has_claims(&self) {
        self.has_claims.store(true, Ordering::SeqCst);
    }

    /// These are the newest entries that were read.
    pub(super) async fn saw(&self, head: Head) {
        let mut tip = self.tip.lock().await;
        if tip.is_none_or(|known| known.seq < head.seq) {
            *tip = Some(head);
        }
    }

    /// Appends entries with the claims that go with them. Where an answer is lost, it is looked whether they are there.
    pub(super) async fn append(
        &self,
        expected: Seq,
        entries: &[Entry],
        signer: Option<&dyn Signer>,
        stake: &Stake,
    ) -> Result<Durable<Seq>, JournalError> {
        let mut tip = self.tip.lock().await;
        let known = tip.ok_or(JournalError::NotClaimed)?;
        let found = known.seq.next();
        if expected != found {
            return Err(JournalError::Conflict { expected, found });
        }
        let records = seal_all(Some(known), entries, signer)?;
        let Some((seq, hash)) = records.last().map(|(seq, record)| (*seq, record.hash)) else {
            return Ok(Durable::attest(known.seq));
        };
        while self.spool.bytes() > BATCH {
            self.send_printed().await?;
        }
        let batch = self.spool.next_batch();
        let records: Vec<Vec<u8>> = records.iter().map(|(_, record)| record.to_bytes()).collect();
        let before: Vec<i64> = stake.before.iter().map(|of| number(*of)).collect();
        let (instances, activities) = apart(&stake.after);
        let params: Params<'_> = &[
            (self.run.as_uuid(), Type::UUID),
            (&self.worker, Type::UUID),
            (&written(&self.holder)?, Type::TEXT),
            (&milliseconds(self.lasts), Type::INT8),
            (&number(expected), Type::INT8),
            (&number(seq.next()), Type::INT8),
            (&hash.as_bytes().as_slice(), Type::BYTEA),
            (&stake.open, Type::BOOL),
            (&records, Type::BYTEA_ARRAY),
            (&before, Type::INT8_ARRAY),
            (&instances, Type::TEXT_ARRAY),
            (&activities, Type::INT8_ARRAY),
            (&batch.of, Type::INT8_ARRAY),
            (&batch.numbers, Type::INT4_ARRAY),
            (&batch.contents, Type::BYTEA_ARRAY),
        ];
        let bytes = batch.bytes + records.iter().map(Vec::len).sum::<usize>();
        self.has_claims.store(true, Ordering::SeqCst);
        let answered = self.link.ask(sql::APPEND, params, bytes, Patience::Long).await;
        let is_there = match answered {
            Ok(answer) if answer.is_done() => Ok(true),
            Ok(answer) if answer.uncertain => self.is_ours(seq, records.last()).await,
            Ok(_) => Ok(false),
            Err(error) => Err(error),
        };
        if !matches!(is_there, Ok(true)) {
            // Whoever tries again sends it along; what is there already stays as it is.
            self.spool.put_back(batch);
        }
        if !is_there? {
            return Err(self.refused(expected).await?);
        }
        *tip = Some(Head { seq, hash });
        self.has_claims.store(!stake.after.is_empty(), Ordering::SeqCst);
        self.bell.ring(self.run);
        Ok(Durable::attest(seq))
    }

    /// Whether that entry is this record: then an earlier try was carried out.
    async fn is_ours(&self, seq: Seq, record: Option<&Vec<u8>>) -> Result<bool, JournalError> {
        let params: Params<'_> = &[
            (self.run.as_uuid(), Type::UUID),
            (&number(seq), Type::INT8),
            (&1_i64, Type::INT8),
        ];
        let rows = self
            .link
            .ask(statements::ENTRIES, params, 0, Patience::Long)
            .await?
            .rows;
        let found = rows.first().filter(|row| row.get::<_, i64>(0) == number(seq));
        Ok(found.is_some_and(|row| Some(row.get::<_, &[u8]>(1)) == record.map(Vec::as_slice)))
    }

    /// Why nothing was written.
    async fn refused(&self, expected: Seq) -> Result<JournalError, JournalError> {
        let params: Params<'_> = &[(self.run.as_uuid(), Type::UUID)];
        let rows = self.link.ask(sql::STANDS, params, 0, Patience::Long).await?.rows;
        let Some(row) = rows.first() else {
            return Ok(JournalError::NotFound(self.run));
        };
        let found = seq_of(row.get(0))?;
        Ok(if found != expected {
            JournalError::Conflict { expected, found }
        } else if row.get(1) {
            JournalError::Held(contents::holder(row.get(2)))
        } else {
            JournalError::NotClaimed
        })
    }

    /// Takes a chunk of a transcript.
    pub(super) fn print(&self, of: Seq, number: u32, chunk: &Chunk) -> Result<(), JournalError> {
        self.spool.print(of, number, chunk)
    }

    /// Sends all that was printed, so that others can read it.
    pub(super) async fn flush(&self) -> Result<(), JournalError> {
        let _one_at_a_time = self.tip.lock().await;
        while self.spool.bytes() > 0 {
            self.send_printed().await?;
        }
        Ok(())
    }

    /// What belongs to a call that is another worker's by now is not kept.
    async fn send_printed(&self) -> Result<(), JournalError> {
        let batch = self.spool.next_batch();
        let params: Params<'_> = &[
            (self.run.as_uuid(), Type::UUID),
            (&self.worker, Type::UUID),
            (&batch.of, Type::INT8_ARRAY),
            (&batch.numbers, Type::INT4_ARRAY),
            (&batch.contents, Type::BYTEA_ARRAY),
        ];
        let sent = self
            .link
            .ask(sql::PRINT, params, batch.bytes, Patience::Long)
            .await;
        if let Err(error) = sent {
            self.spool.put_back(batch);
            return Err(error);
        }
        self.bell.ring(self.run);
        Ok(())
    }

    /// Stores a file in pieces, and then that it is there.
    pub(super) async fn attach(&self, content: &[u8]) -> Result<Digest, JournalError> {
        attachable(content)?;
        let hash = Digest::of(content);
        let sha256 = hash.as_bytes().as_slice();
        let run = self.run.as_uuid();
        for (place, piece) in (0_i32..).zip(content.chunks(PIECE)) {
            let params: Params<'_> = &[
                (run, Type::UUID),
                (&sha256, Type::BYTEA),
                (&place, Type::INT4),
                (&piece, Type::BYTEA),
            ];
            self.link
                .ask(sql::PIECE, params, piece.len(), Patience::Long)
                .await?;
        }
        let size = i64::try_from(content.len()).unwrap_or(i64::MAX);
        let params: Params<'_> = &[(run, Type::UUID), (&sha256, Type::BYTEA), (&size, Type::INT8)];
        self.link.ask(sql::ATTACH, params, 0, Patience::Long).await?;
        Ok(hash)
    }

    /// Refreshes what lists show, unless somebody has written since.
    pub(super) async fn summarise(&self, summary: &Summary) -> Result<(), JournalError> {
        let params: Params<'_> = &[
            (self.run.as_uuid(), Type::UUID),
            (&number(summary.head.next()), Type::INT8),
            (&held::written(summary)?, Type::TEXT),
        ];
        self.link.ask(sql::SUMMARISE, params, 0, Patience::Long).await?;
        Ok(())
    }

    /// Gives all claims back: what the journal still shows as under way here is for others to settle.
    pub(super) async fn leave(&self, summary: Option<&Summary>) -> Result<(), JournalError> {
        self.flush().await?;
        if let Some(summary) = summary {
            self.summarise(summary).await?;
        }
        if self.has_claims() {
            let params: Params<'_> = &[(self.run.as_uuid(), Type::UUID), (&self.worker, Type::UUID)];
            self.link.ask(sql::LEAVE, params, 0, Patience::Long).await?;
        }
        Ok(())
    }
}

/// Sends what is printed, a moment after it was.
async fn send_always(joined: Weak<Joined>) {
    loop {
        let Some(strong) = joined.upgrade() else { return };
        // Whoever leaves a run while nobody prints wakes nobody up.
        let has_printed = strong.spool.has_printed.notified();
        if tokio::time::timeout(Duration::from_secs(1), has_printed)
            .await
            .is_err()
        {
            continue;
        }
        sleep(LINGER).await;
        if let Err(error) = strong.flush().await {
            tracing::warn!(%error, "what a step printed is not kept yet");
        }
    }
}
