//! A journal that asks the holder of a run where it cannot read for itself.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;

use super::guest;
use super::message::{Ask, Look, Reply, from_wire};
use crate::core::event::Entry;
use crate::id::{RunId, Seq};
use crate::identity::Signer;
use crate::journal::{
    Chunk, Claim, Crew, Durable, Fill, Holder, Journal, JournalError, Kept, Listed, Standing, Summary,
    Verification,
};

/// How often what is read is tried again when the holder ends or appears just then.
const TRIES: usize = 3;

/// After how long a holder that did not answer is not asked again.
const HUNG: Duration = Duration::from_secs(1);

/// A journal through which also runs can be read that other processes on this machine hold.
pub struct Doors(pub Arc<dyn Journal>);

impl Doors {
    /// What a holder shows; the error of the store where there is no door, or nobody behind it.
    async fn look(&self, run: RunId, look: &Look, held: JournalError) -> Result<Reply, JournalError> {
        let Some(folder) = self.0.door(run) else {
            return Err(held);
        };
        match guest::ask(&folder, Ask::Look(look.clone())).await {
            Ok(Reply::Failed(why)) => Err(JournalError::Storage {
                doing: "read",
                source: std::io::Error::other(why),
            }),
            Ok(reply) => Ok(reply),
            Err(error) => {
                tracing::debug!(%error, "the holder of a run does not answer");
                Err(held)
            }
        }
    }
}

/// Reads from the store, or through the door of whoever holds the run.
macro_rules! read_or_ask {
    ($self:ident, $run:expr, $own:expr, $asked:expr) => {{
        let (mut tries, begun) = (0, Instant::now());
        loop {
            tries += 1;
            let held = match $own.await {
                Err(held @ JournalError::Held(_)) => held,
                other => break other,
            };
            match $asked(held).await {
                // The holder may have ended, or not have opened its door yet. One that let us wait is hung.
                Err(JournalError::Held(_)) if tries < TRIES && begun.elapsed() < HUNG => {}
                other => break other,
            }
        }
    }};
}

fn odd() -> JournalError {
    JournalError::Storage {
        doing: "read",
        source: std::io::Error::other("the holder of the run gave another answer than was asked for"),
    }
}

#[async_trait]
impl Journal for Doors {
    async fn create_by(
        &self,
        run: RunId,
        holder: Holder,
        first: &[Entry],
        signer: Option<&dyn Signer>,
    ) -> Result<(Claim, Durable<Seq>), JournalError> {
        self.0.create_by(run, holder, first, signer).await
    }

    async fn claim(&self, run: RunId, holder: Holder) -> Result<Claim, JournalError> {
        self.0.claim(run, holder).await
    }

    async fn release(&self, claim: Claim, summary: Option<Summary>) -> Result<(), JournalError> {
        self.0.release(claim, summary).await
    }

    async fn append_by(
        &self,
        claim: &Claim,
        expected: Seq,
        entries: &[Entry],
        signer: Option<&dyn Signer>,
    ) -> Result<Durable<Seq>, JournalError> {
        self.0.append_by(claim, expected, entries, signer).await
    }

    async fn kept(&self, run: RunId, from: Seq) -> Result<Vec<Kept>, JournalError> {
        let asked = async |held: JournalError| {
            let (mut entries, mut held) = (Vec::new(), Some(held));
            loop {
                let from = Seq(from.0 + entries.len() as u64);
                let held = held.take().unwrap_or(JournalError::Held(None));
                let Reply::Entries(page) = self.look(run, &Look::Entries { from }, held).await? else {
                    return Err(odd());
                };
                if page.is_empty() {
                    return Ok(entries);
                }
                entries.extend(from_wire(page, from)?);
            }
        };
        read_or_ask!(self, run, self.0.kept(run, from), asked)
    }

    async fn records(&self, run: RunId, from: Seq) -> Result<Vec<Vec<u8>>, JournalError> {
        let asked = async |held: JournalError| {
            let (mut records, mut held) = (Vec::new(), Some(held));
            loop {
                let from = Seq(from.0 + records.len() as u64);
                let held = held.take().unwrap_or(JournalError::Held(None));
                let Reply::Records(page) = self.look(run, &Look::Records { from }, held).await? else {
                    return Err(odd());
                };
                if page.is_empty() {
                    return Ok(records);
                }
                records.extend(page.into_iter().map(|record| record.0));
            }
        };
        read_or_ask!(self, run, self.0.records(run, from), asked)
    }

    async fn restore(
        &self,
        run: RunId,
        holder: Holder,
        standing: Standing,
        fill: Fill<'_>,
    ) -> Result<Claim, JournalError> {
        self.0.restore(run, holder, standing, fill).await
    }

    async fn is_copy(&self, run: RunId) -> Result<bool, JournalError> {
        self.0.is_copy(run).await
    }

    async fn remove(&self, run: RunId) -> Result<(), JournalError> {
        self.0.remove(run).await
    }

    fn print(&self, claim: &Claim, of: Seq, number: u32, chunk: &Chunk) -> Result<(), JournalError> {
        self.0.print(claim, of, number, chunk)
    }

    async fn transcript(&self, run: RunId, of: Seq) -> Result<Vec<Chunk>, JournalError> {
        let asked = async |held: JournalError| {
            let (mut chunks, mut held) = (Vec::new(), Some(held));
            loop {
                let look = Look::Transcript {
                    of,
                    skip: chunks.len(),
                };
                let held = held.take().unwrap_or(JournalError::Held(None));
                let Reply::Transcript(page) = self.look(run, &look, held).await? else {
                    return Err(odd());
                };
                if page.is_empty() {
                    return Ok(chunks);
                }
                chunks.extend(page.into_iter().map(Chunk::from));
            }
        };
        read_or_ask!(self, run, self.0.transcript(run, of), asked)
    }

    async fn transcripts(&self, run: RunId, of: &[Seq]) -> Result<Vec<(Seq, Vec<Chunk>)>, JournalError> {
        match self.0.transcripts(run, of).await {
            // Through a door they are asked for one by one, which costs no more.
            Err(JournalError::Held(_)) => match of.first() {
                Some(&first) => Ok(vec![(first, self.transcript(run, first).await?)]),
                None => Ok(Vec::new()),
            },
            other => other,
        }
    }

    async fn attach(&self, claim: &Claim, content: &[u8]) -> Result<String, JournalError> {
        self.0.attach(claim, content).await
    }

    async fn attachment(&self, run: RunId, sha256: &str) -> Result<Vec<u8>, JournalError> {
        let asked = async |held: JournalError| {
            let look = Look::Attachment {
                sha256: sha256.to_owned(),
            };
            match self.look(run, &look, held).await? {
                Reply::Attachment(content) => Ok(content.0),
                _ => Err(odd()),
            }
        };
        read_or_ask!(self, run, self.0.attachment(run, sha256), asked)
    }

    async fn holder(&self, run: RunId) -> Result<Option<Holder>, JournalError> {
        self.0.holder(run).await
    }

    async fn news(&self, run: RunId, longest: Duration) {
        self.0.news(run, longest).await;
    }

    fn door(&self, run: RunId) -> Option<PathBuf> {
        self.0.door(run)
    }

    async fn summarise(&self, claim: &Claim, summary: &Summary) -> Result<(), JournalError> {
        self.0.summarise(claim, summary).await
    }

    fn crew(&self) -> Option<&dyn Crew> {
        self.0.crew()
    }

    async fn head_hash(&self, run: RunId) -> Result<String, JournalError> {
        let asked = async |held: JournalError| match self.look(run, &Look::HeadHash, held).await? {
            Reply::HeadHash(hash) => Ok(hash),
            _ => Err(odd()),
        };
        read_or_ask!(self, run, self.0.head_hash(run), asked)
    }

    async fn runs(&self) -> Result<Vec<RunId>, JournalError> {
        self.0.runs().await
    }

    async fn list(&self) -> Result<Vec<Listed>, JournalError> {
        self.0.list().await
    }

    async fn verify(&self, run: RunId) -> Result<Verification, JournalError> {
        let asked = async |held: JournalError| match self.look(run, &Look::Verify, held).await? {
            Reply::Verify(found) => Ok(found),
            _ => Err(odd()),
        };
        read_or_ask!(self, run, self.0.verify(run), asked)
    }
}
