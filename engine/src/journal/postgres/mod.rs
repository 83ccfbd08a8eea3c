//! The store that a team shares: all runs in one PostgreSQL database.
//!
//! A run is claimed for a while, by the database's clock, and renewed as long as its process lives. Whoever holds the
//! claim knows its token, and every statement that writes asks for it: who has lost the claim writes nothing. See
//! `docs/decisions/0016-postgresql.md` for the tables and for what happens when an answer is lost.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use tokio_postgres::types::Type;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub use self::address::{Address, BadAddress};
use self::bell::Bell;
use self::contents::Reader;
use self::crew::Workplace;
use self::held::{Held, Ticket};
use self::link::{Link, Params, Patience};
pub use self::link::{Listener, Notice};
use self::statements as sql;
pub use self::survey::{Survey, peek, survey};
use super::chain::{Head, seal_all};
use super::{
    Chunk, Claim, Crew, Durable, Fill, Holder, Journal, JournalError, Kept, Listed, Standing, Summary,
    Verification, locked,
};
use crate::core::event::Entry;
use crate::id::{RunId, Seq};
use crate::identity::Signer;
use crate::platform::private;

mod address;
mod alone;
mod bell;
mod contents;
mod crew;
mod held;
mod joined;
mod link;
mod restore;
mod schema;
mod spool;
mod statements;
mod survey;

#[cfg(test)]
mod tests;

/// For how long a claim holds that is not renewed.
const CLAIM: Duration = Duration::from_secs(15);

/// Runs in a PostgreSQL database.
pub struct PostgresJournal {
    link: Arc<Link>,
    bell: Arc<Bell>,
    /// Where things about runs stand that concern this machine alone.
    folder: PathBuf,
    claims_last: Duration,
    workplace: Arc<Workplace>,
    held: Mutex<BTreeMap<RunId, Arc<Held>>>,
}

impl PostgresJournal {
    /// The journal in the database at `address`; it is connected with when it is first needed. The door of a run that
    /// is held is under `folder`. `listener` is told when the database is waited for, which ends when `give_up` does.
    #[must_use]
    pub fn new(address: Address, folder: PathBuf, listener: Listener, give_up: CancellationToken) -> Self {
        let link = Arc::new(Link::new(address, listener, give_up));
        let bell = Bell::new(Arc::clone(&link));
        Self {
            workplace: Workplace::new(Arc::clone(&link), Arc::clone(&bell)),
            bell,
            link,
            folder,
            claims_last: CLAIM,
            held: Mutex::default(),
        }
    }

    /// Lets claims end after another time than usual.
    #[must_use]
    pub fn with_claims_of(self, claims_last: Duration) -> Self {
        Self { claims_last, ..self }
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<RunId, Arc<Held>>> {
        locked(&self.held)
    }

    /// The run of a claim, if it is still the one that was given.
    fn claimed(&self, claim: &Claim) -> Result<Arc<Held>, JournalError> {
        let held = self.held().get(&claim.run).cloned();
        held.filter(|held| held.holder == claim.holder)
            .ok_or(JournalError::NotClaimed)
    }

    fn keep(&self, ticket: Ticket, holder: Holder, tip: Head) -> Claim {
        let held = Held::new(
            Arc::clone(&self.link),
            Arc::clone(&self.bell),
            ticket,
            holder.clone(),
            tip,
        );
        let _before = self.held().insert(ticket.run, held);
        self.make_folder(ticket.run);
        let run = ticket.run;
        Claim { run, holder }
    }

    /// A run goes on without: then others on this machine cannot come in.
    fn make_folder(&self, run: RunId) {
        let folder = self.folder.join(run.to_string());
        if !folder.is_dir()
            && let Err(error) = private::create_folders(&folder)
        {
            tracing::warn!(%error, folder = %folder.display(), "the folder for a run's door could not be made");
        }
    }

    /// Why a transaction was not carried out; it ends with its connection.
    fn undone(&self, failed: restore::Failed) -> JournalError {
        match failed {
            restore::Failed::Journal(error) => error,
            restore::Failed::Database(problem) => self.link.failed(problem),
        }
    }

    fn ticket(&self, run: RunId) -> Ticket {
        Ticket {
            run,
            token: Uuid::new_v4(),
            lasts: self.claims_last,
        }
    }

    /// Who only looks does not wait long; who holds a run does.
    fn reader(&self) -> Reader<'_> {
        Reader::Shared(&self.link, self.patience())
    }

    fn patience(&self) -> Patience {
        if self.held().is_empty() && self.workplace.is_empty() {
            Patience::Short
        } else {
            Patience::Long
        }
    }

    /// What was printed here is to be seen by who reads here.
    async fn flush(&self, run: RunId) -> Result<(), JournalError> {
        if let Some(joined) = self.workplace.of(run) {
            return joined.flush().await;
        }
        let held = self.held().get(&run).cloned();
        match held {
            Some(held) => match held.flush().await {
                // What others have written can still be read.
                Err(JournalError::NotClaimed | JournalError::Poisoned) => Ok(()),
                other => other,
            },
            None => Ok(()),
        }
    }
}

fn written(holder: &Holder) -> Result<String, JournalError> {
    serde_json::to_string(holder).map_err(|error| JournalError::Unstorable(error.to_string()))
}

#[async_trait]
impl Journal for PostgresJournal {
    async fn create_by(
        &self,
        run: RunId,
        holder: Holder,
        first: &[Entry],
        signer: Option<&dyn Signer>,
    ) -> Result<(Claim, Durable<Seq>), JournalError> {
        let sealed = seal_all(None, first, signer)?;
        let Some((seq, hash)) = sealed.last().map(|(seq, record)| (*seq, record.hash)) else {
            return Err(JournalError::Unstorable("a run without entries".to_owned()));
        };
        let ticket = self.ticket(run);
        let records: Vec<Vec<u8>> = sealed.iter().map(|(_, record)| record.to_bytes()).collect();
        let summary = Summary::of_first(first, &hash).as_ref().map(held::written);
        let params: Params<'_> = &[
            (run.as_uuid(), Type::UUID),
            (&ticket.token, Type::UUID),
            (&written(&holder)?, Type::TEXT),
            (&held::number(seq.next()), Type::INT8),
            (&hash.as_bytes().as_slice(), Type::BYTEA),
            (&ticket.milliseconds(), Type::INT8),
            (&records, Type::BYTEA_ARRAY),
            (&summary.transpose()?, Type::TEXT),
        ];
        let bytes = records.iter().map(Vec::len).sum();
        let answer = self.link.ask(sql::CREATE, params, bytes, Patience::Short).await?;
        if answer.rows.is_empty() {
            // It is there: made by an earlier try whose answer was lost, or by somebody else.
            let params: Params<'_> = &[(run.as_uuid(), Type::UUID)];
            let rows = self.link.ask(sql::STANDS, params, 0, Patience::Short).await?.rows;
            let token: Option<Uuid> = rows.first().and_then(|row| row.get(2));
            if token != Some(ticket.token) {
                let source = std::io::Error::new(std::io::ErrorKind::AlreadyExists, "the run exists");
                return Err(JournalError::Storage {
                    doing: "made",
                    source,
                });
            }
        }
        let claim = self.keep(ticket, holder, Head { seq, hash });
        Ok((claim, Durable::attest(seq)))
    }

    async fn claim(&self, run: RunId, holder: Holder) -> Result<Claim, JournalError> {
        self.claim_alone(run, holder).await
    }

    async fn release(&self, claim: Claim, summary: Option<Summary>) -> Result<(), JournalError> {
        if let Some(joined) = self.workplace.joined(&claim) {
            self.workplace.leave(claim.run);
            return joined.leave(summary.as_ref()).await;
        }
        let held = self.claimed(&claim)?;
        let released = held.release(summary.as_ref()).await;
        let _same = self.held().remove(&claim.run);
        released
    }

    async fn append_by(
        &self,
        claim: &Claim,
        expected: Seq,
        entries: &[Entry],
        signer: Option<&dyn Signer>,
    ) -> Result<Durable<Seq>, JournalError> {
        self.claimed(claim)?.append(expected, entries, signer).await
    }

    async fn kept(&self, run: RunId, from: Seq) -> Result<Vec<Kept>, JournalError> {
        let (kept, head) = self.reader().entries(run, from).await?;
        if let Some(joined) = self.workplace.of(run) {
            joined.saw(head).await;
        }
        Ok(kept)
    }

    async fn records(&self, run: RunId, from: Seq) -> Result<Vec<Vec<u8>>, JournalError> {
        self.reader().all_records(run, from).await
    }

    async fn restore(
        &self,
        run: RunId,
        holder: Holder,
        standing: Standing,
        fill: Fill<'_>,
    ) -> Result<Claim, JournalError> {
        let client = self.link.connect().await;
        let client = client.map_err(|problem| self.link.failed(problem))?;
        let ticket = self.ticket(run);
        let restored = restore::restore(&client, ticket, &holder, standing, fill).await;
        let head = restored.map_err(|failed| self.undone(failed))?;
        Ok(self.keep(ticket, holder, head))
    }

    async fn is_copy(&self, run: RunId) -> Result<bool, JournalError> {
        let params: Params<'_> = &[(run.as_uuid(), Type::UUID)];
        let rows = self.link.ask(sql::COPY, params, 0, Patience::Short).await?.rows;
        Ok(rows.first().is_some_and(|row| row.get(0)))
    }

    async fn remove(&self, run: RunId) -> Result<(), JournalError> {
        let client = self.link.connect().await;
        let client = client.map_err(|problem| self.link.failed(problem))?;
        let removed = restore::remove(&client, run).await;
        removed.map_err(|failed| self.undone(failed))
    }

    fn print(&self, claim: &Claim, of: Seq, number: u32, chunk: &Chunk) -> Result<(), JournalError> {
        match self.workplace.joined(claim) {
            Some(joined) => joined.print(of, number, chunk),
            None => self.claimed(claim)?.print(of, number, chunk),
        }
    }

    async fn transcript(&self, run: RunId, of: Seq) -> Result<Vec<Chunk>, JournalError> {
        self.flush(run).await?;
        self.reader().transcript(run, of).await
    }

    async fn transcripts(&self, run: RunId, of: &[Seq]) -> Result<Vec<(Seq, Vec<Chunk>)>, JournalError> {
        self.flush(run).await?;
        self.reader().transcripts(run, of).await
    }

    async fn attach(&self, claim: &Claim, content: &[u8]) -> Result<String, JournalError> {
        let hash = match self.workplace.joined(claim) {
            Some(joined) => joined.attach(content).await?,
            None => self.claimed(claim)?.attach(content).await?,
        };
        Ok(hash.to_string())
    }

    async fn attachment(&self, run: RunId, sha256: &str) -> Result<Vec<u8>, JournalError> {
        self.reader().attachment(run, sha256).await
    }

    async fn holder(&self, run: RunId) -> Result<Option<Holder>, JournalError> {
        let params: Params<'_> = &[(run.as_uuid(), Type::UUID)];
        let rows = self.link.ask(sql::HOLDER, params, 0, Patience::Short).await?.rows;
        Ok(rows.first().and_then(|row| contents::holder(row.get(0))))
    }

    async fn news(&self, run: RunId, longest: Duration) {
        self.bell.wait(run, longest).await;
    }

    fn door(&self, run: RunId) -> Option<PathBuf> {
        Some(self.folder.join(run.to_string()))
    }

    async fn summarise(&self, claim: &Claim, summary: &Summary) -> Result<(), JournalError> {
        match self.workplace.joined(claim) {
            Some(joined) => joined.summarise(summary).await,
            None => self.claimed(claim)?.summarise(summary).await,
        }
    }

    fn crew(&self) -> Option<&dyn Crew> {
        Some(self)
    }

    async fn head_hash(&self, run: RunId) -> Result<String, JournalError> {
        Ok(self.reader().head(run).await?.hash.to_string())
    }

    async fn runs(&self) -> Result<Vec<RunId>, JournalError> {
        let rows = self.link.ask(sql::RUNS, &[], 0, Patience::Short).await?.rows;
        Ok(rows.iter().map(|row| RunId::new(row.get(0))).collect())
    }

    async fn list(&self) -> Result<Vec<Listed>, JournalError> {
        let rows = self.link.ask(sql::LIST, &[], 0, Patience::Short).await?.rows;
        let absent = || JournalError::Damaged("the run has no summary".to_owned());
        let listed = |row: &tokio_postgres::Row| Listed {
            run: RunId::new(row.get(0)),
            summary: row
                .get::<_, Option<&str>>(1)
                .ok_or_else(absent)
                .and_then(contents::summary),
            holder: contents::holder(row.get(2)),
            copy: row.get(3),
            at_work: crew::at_work(row.get(4)),
        };
        Ok(rows.iter().map(listed).collect())
    }

    async fn verify(&self, run: RunId) -> Result<Verification, JournalError> {
        self.flush(run).await?;
        let failed = |problem| self.link.failed(problem);
        let client = self.link.connect().await.map_err(failed)?;
        // What is written meanwhile is not looked at, rather than half of it.
        let begun = client
            .batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            .await;
        begun.map_err(|error| failed(error.into()))?;
        let found = Reader::Alone(&self.link, &client).verify(run).await;
        // It has only read: how that ends changes nothing.
        client.batch_execute("COMMIT").await.ok();
        found
    }
}
