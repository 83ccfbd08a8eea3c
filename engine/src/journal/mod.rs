//! What is remembered: durable, chained entries, transcripts and attachments.
//!
//! [`Journal`] is the whole of what the engine asks of a store. [`sled::SledJournal`] keeps one embedded
//! database per run under a state folder; [`postgres::PostgresJournal`] keeps all runs in a database that a team
//! shares; [`memory::MemoryJournal`] is for tests and simulations. What all keep of an entry is its
//! [stored form](stored), chained by hashes to the one before; verification finds what was changed, dropped,
//! reordered or cut off.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

pub use self::chain::Digest;
pub(crate) use self::chain::{Head, open_all};
pub use self::crew::{AtWork, Crew, Outlook, Stake, Stand};
pub(crate) use self::draft::{Countersigned, Draft};
pub use self::error::JournalError;
pub use self::intake::{Fill, Intake, SealedEntries, Standing};
pub use self::kept::{Kept, Seal};
pub use self::memory::MemoryJournal;
pub use self::postgres::PostgresJournal;
pub use self::sled::SledJournal;
pub use self::stored::to_json;
pub use self::summary::{Listed, Summary};
pub use self::transcript::TranscriptHasher;
use crate::core::event::Entry;
use crate::core::operators::Authored;
use crate::id::{Host, Operator, RunId, Seq};
use crate::identity::Signer;

pub mod bundle;
mod chain;
mod crew;
mod diagnostic;
mod draft;
mod error;
mod intake;
mod kept;
pub mod memory;
pub mod postgres;
pub mod sled;
pub mod stored;
mod summary;
mod transcript;
mod verify;

#[cfg(test)]
pub(crate) mod tests;

/// Proof that something reached stable storage. Only a journal can make one, and whatever changes the world
/// asks for one: the compiler checks that the intent was durable first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Durable<T>(T);

impl<T: Copy> Durable<T> {
    /// Called by stores after a successful sync, and by nothing else.
    pub(crate) fn attest(value: T) -> Self {
        Self(value)
    }

    /// What is durable.
    pub fn get(&self) -> T {
        self.0
    }
}

/// The right to write to a run, until it is released, expires or its process ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The run.
    pub run: RunId,
    /// Who holds it.
    pub holder: Holder,
}

/// Who holds a run: told to those who ask for it meanwhile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The operator.
    pub operator: Operator,
    /// The machine.
    pub host: Host,
    /// The process there.
    pub pid: u32,
    /// Since when.
    pub since: Timestamp,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {} (process {})", self.operator, self.host, self.pid)
    }
}

/// Part of what an activity printed; at most [`LARGEST_CHUNK`] bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// When it came.
    pub time: Timestamp,
    /// `stdout`, `stderr` or `log`.
    pub stream: String,
    /// The bytes as they came, secrets masked.
    pub bytes: Vec<u8>,
}

/// The most bytes that one chunk of a transcript may have.
pub const LARGEST_CHUNK: usize = 16 * 1024;

/// With how many bytes of transcripts no more of them are given at once.
pub const MOST_AT_ONCE: usize = 4 * 1024 * 1024;

/// The most bytes that one attachment may have.
pub const LARGEST_ATTACHMENT: usize = 64 * 1024 * 1024;

/// Whether this can be an attachment.
fn attachable(content: &[u8]) -> Result<(), JournalError> {
    if content.len() <= LARGEST_ATTACHMENT {
        return Ok(());
    }
    let size = content.len();
    let message = format!("an attachment has {size} bytes; at most {LARGEST_ATTACHMENT} can be kept");
    Err(JournalError::Unstorable(message))
}

/// What a verification of a journal found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// How many entries were read.
    pub entries: u64,
    /// How many chunks of transcripts.
    pub chunks: u64,
    /// How many attachments.
    pub attachments: u64,
    /// Who wrote each entry that is right in itself.
    #[serde(default)]
    pub authors: Vec<Authored>,
    /// The text of the run's own `operators.yaml`, if it has one.
    #[serde(default)]
    pub operators: Option<String>,
    /// Whether the run is a rehearsal.
    #[serde(default)]
    pub rehearsal: bool,
    /// What is wrong, in the order of the journal; empty when the journal holds.
    pub findings: Vec<Finding>,
}

/// One thing wrong with a journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The entry at which it shows.
    pub seq: Option<Seq>,
    /// What is wrong: changed, dropped, reordered or truncated, and how it shows.
    pub message: String,
}

/// A store of runs.
///
/// Obligations of every store: entries are numbered without gaps and never change; an append is all or
/// nothing, and durable (power may fail) when it returns; after a failed write it takes no more; only the
/// holder of a claim can write, and a writer that is not up to date gets [`JournalError::Conflict`].
#[async_trait]
pub trait Journal: Send + Sync {
    /// Makes a run of its first entries, signed if their author signs, and claims it. A run that was not made to the
    /// end (the process died) does not exist.
    ///
    /// # Errors
    /// When it exists, or cannot be made durable.
    async fn create_by(
        &self,
        run: RunId,
        holder: Holder,
        first: &[Entry],
        signer: Option<&dyn Signer>,
    ) -> Result<(Claim, Durable<Seq>), JournalError>;

    /// As [`create_by`](Self::create_by), by somebody who does not sign.
    ///
    /// # Errors
    /// When it exists, or cannot be made durable.
    async fn create(
        &self,
        run: RunId,
        holder: Holder,
        first: &[Entry],
    ) -> Result<(Claim, Durable<Seq>), JournalError> {
        self.create_by(run, holder, first, None).await
    }

    /// Claims a run.
    ///
    /// # Errors
    /// When somebody else holds it, or it cannot be read.
    async fn claim(&self, run: RunId, holder: Holder) -> Result<Claim, JournalError>;

    /// Gives a claim back, with what lists show from now on.
    ///
    /// # Errors
    /// When the summary cannot be written.
    async fn release(&self, claim: Claim, summary: Option<Summary>) -> Result<(), JournalError>;

    /// Appends entries, all or none, and returns when they are durable. The first has the number `expected`; all are
    /// signed, if their author signs.
    ///
    /// # Errors
    /// [`JournalError::Conflict`] when the journal is elsewhere; [`JournalError::Storage`] when the disk failed.
    async fn append_by(
        &self,
        claim: &Claim,
        expected: Seq,
        entries: &[Entry],
        signer: Option<&dyn Signer>,
    ) -> Result<Durable<Seq>, JournalError>;

    /// As [`append_by`](Self::append_by), by somebody who does not sign.
    ///
    /// # Errors
    /// [`JournalError::Conflict`] when the journal is elsewhere; [`JournalError::Storage`] when the disk failed.
    async fn append(
        &self,
        claim: &Claim,
        expected: Seq,
        entries: &[Entry],
    ) -> Result<Durable<Seq>, JournalError> {
        self.append_by(claim, expected, entries, None).await
    }

    /// The entries from `from` on. Needs no claim unless another process holds the run.
    ///
    /// # Errors
    /// When they cannot be read or trusted.
    async fn read(&self, run: RunId, from: Seq) -> Result<Vec<Entry>, JournalError> {
        let kept = self.kept(run, from).await?;
        Ok(kept.into_iter().map(|kept| kept.entry).collect())
    }

    /// As [`read`](Self::read), with their hashes and signatures.
    ///
    /// # Errors
    /// When they cannot be read or trusted.
    async fn kept(&self, run: RunId, from: Seq) -> Result<Vec<Kept>, JournalError>;

    /// What is kept of the entries from `from` on, byte for byte: for bundles.
    ///
    /// # Errors
    /// When they cannot be read.
    async fn records(&self, run: RunId, from: Seq) -> Result<Vec<Vec<u8>>, JournalError>;

    /// Adds what another journal holds of a run to what is kept of it here, all or nothing, makes the run where there
    /// is none, and claims it. What is added was checked, and continues what is here.
    ///
    /// # Errors
    /// When somebody holds the run, what is added is refused, or the disk failed.
    async fn restore(
        &self,
        run: RunId,
        holder: Holder,
        standing: Standing,
        fill: Fill<'_>,
    ) -> Result<Claim, JournalError>;

    /// Whether a run is a copy, which cannot be claimed.
    ///
    /// # Errors
    /// When that cannot be read.
    async fn is_copy(&self, run: RunId) -> Result<bool, JournalError>;

    /// Removes a run that nobody holds, with everything that is kept of it.
    ///
    /// # Errors
    /// When somebody holds it, or it cannot be removed.
    async fn remove(&self, run: RunId) -> Result<(), JournalError>;

    /// Adds to the transcript of the activity that entry `of` started. Durable with the next append. Chunks
    /// are numbered from 0 without gaps.
    ///
    /// # Errors
    /// When it cannot be stored.
    fn print(&self, claim: &Claim, of: Seq, number: u32, chunk: &Chunk) -> Result<(), JournalError>;

    /// The transcript of the activity that entry `of` started.
    ///
    /// # Errors
    /// When it cannot be read.
    async fn transcript(&self, run: RunId, of: Seq) -> Result<Vec<Chunk>, JournalError>;

    /// The transcripts of the first of these activities, until they are [`MOST_AT_ONCE`] together: at least one.
    /// A store to which opening a run is work does it once.
    ///
    /// # Errors
    /// When they cannot be read.
    async fn transcripts(&self, run: RunId, of: &[Seq]) -> Result<Vec<(Seq, Vec<Chunk>)>, JournalError> {
        let mut found = Vec::new();
        if let Some(&first) = of.first() {
            found.push((first, self.transcript(run, first).await?));
        }
        Ok(found)
    }

    /// Stores a file under its SHA-256 (in hexadecimal), durably; the same content is stored once.
    ///
    /// # Errors
    /// When it cannot be stored.
    async fn attach(&self, claim: &Claim, content: &[u8]) -> Result<String, JournalError>;

    /// A stored file.
    ///
    /// # Errors
    /// When there is none of that hash, or it no longer matches.
    async fn attachment(&self, run: RunId, sha256: &str) -> Result<Vec<u8>, JournalError>;

    /// Who holds a run now, if anybody does.
    ///
    /// # Errors
    /// When that cannot be told.
    async fn holder(&self, run: RunId) -> Result<Option<Holder>, JournalError>;

    /// Returns when something may have happened to a run since this returned last, at once where the store can tell;
    /// where it cannot, after `longest`.
    async fn news(&self, run: RunId, longest: Duration) {
        let _ = run;
        tokio::time::sleep_until(Instant::now() + longest).await;
    }

    /// The private folder by which others on this machine find the process that holds a run; none where a store
    /// lets others read and write meanwhile.
    fn door(&self, run: RunId) -> Option<PathBuf> {
        let _ = run;
        None
    }

    /// Refreshes what lists show of a run that is held. It need not be durable: what is true of a run is in its
    /// entries, and a run that is given back gets its summary durably.
    ///
    /// # Errors
    /// When it cannot be written.
    async fn summarise(&self, claim: &Claim, summary: &Summary) -> Result<(), JournalError>;

    /// What several workers of one run need; none where only one process at a time can have a run.
    fn crew(&self) -> Option<&dyn Crew> {
        None
    }

    /// The hash of the last entry, in hexadecimal.
    ///
    /// # Errors
    /// When it cannot be read.
    async fn head_hash(&self, run: RunId) -> Result<String, JournalError>;

    /// The ids of all runs, in no order. Costs little, however many there are.
    ///
    /// # Errors
    /// When the store itself cannot be read.
    async fn runs(&self) -> Result<Vec<RunId>, JournalError>;

    /// All runs, the newest first. A run that cannot be read is a row of its own and stops nothing else.
    ///
    /// # Errors
    /// When the store itself cannot be read.
    async fn list(&self) -> Result<Vec<Listed>, JournalError>;

    /// Checks everything that is stored of a run.
    ///
    /// # Errors
    /// When it cannot be read at all.
    async fn verify(&self, run: RunId) -> Result<Verification, JournalError>;
}

/// What the stores guard is replaced as a whole, so that a panic elsewhere leaves nothing half done.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
