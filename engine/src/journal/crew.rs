//! What several workers of one run need of a store that they share: see `docs/decisions/0020-workers.md`.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Claim, Durable, Holder, JournalError};
use crate::core::event::Entry;
use crate::id::{InstanceId, RunId, Seq};
use crate::identity::Signer;

/// A call that a worker has under way, as the store knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AtWork {
    /// The instance.
    pub instance: InstanceId,
    /// The entry that started the call.
    pub of: Seq,
    /// Who makes it, and where.
    pub by: Holder,
    /// Whether it is this process.
    #[serde(skip)]
    pub is_ours: bool,
    /// How long the claim on it holds, unless it is renewed: nothing where its time is up.
    #[serde(skip)]
    pub left: Duration,
}

/// How far a shared run has come, and who works on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stand {
    /// The run.
    pub run: RunId,
    /// The number of the entry that comes next.
    pub next: Seq,
    /// Whether workers may go on with it, as its last entry says.
    pub is_shared: bool,
    /// Who has it for themselves just now, if anybody does.
    pub held: Option<Holder>,
    /// What is under way.
    pub calls: Vec<AtWork>,
}

/// The shared runs at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlook {
    /// When that was, by the clock of the store.
    pub now: Timestamp,
    /// Each run, in no order.
    pub runs: Vec<Stand>,
}

/// What a worker builds an append upon, and what it has under way after it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stake {
    /// The calls on which its claims must still be its own, or nothing is appended, by the entry that started them.
    pub before: Vec<Seq>,
    /// What it has under way from then on: the instance, and the entry that started the call.
    pub after: Vec<(InstanceId, Seq)>,
    /// Whether workers may go on with the run.
    pub open: bool,
}

/// A store in which any number of workers go on with a run.
#[async_trait]
pub trait Crew: Send + Sync {
    /// Comes to a run as one of its workers, which claims nothing yet. What is printed, attached and given back by the
    /// claim that this gives is a worker's.
    ///
    /// # Errors
    /// When the run is not there, or is a copy.
    async fn join(&self, run: RunId, holder: Holder) -> Result<Claim, JournalError>;

    /// As [`Journal::append_by`](super::Journal::append_by), by one of several workers, with its claims.
    ///
    /// # Errors
    /// [`JournalError::Conflict`] when somebody else has written, [`JournalError::NotClaimed`] when one of the claims is
    /// another's by now, [`JournalError::Held`] when somebody has the run alone. Nothing was appended then.
    async fn append_with(
        &self,
        claim: &Claim,
        expected: Seq,
        entries: &[Entry],
        signer: Option<&dyn Signer>,
        stake: &Stake,
    ) -> Result<Durable<Seq>, JournalError>;

    /// Takes over what others have under way, as far as their claims on it have ended and nothing was written since.
    /// Gives what that was.
    ///
    /// # Errors
    /// When the store does not answer.
    async fn take_over(
        &self,
        claim: &Claim,
        expected: Seq,
        calls: &[(InstanceId, Seq)],
    ) -> Result<Vec<InstanceId>, JournalError>;

    /// The shared run of that id, or all that workers may go on with.
    ///
    /// # Errors
    /// When the store does not answer.
    async fn outlook(&self, run: Option<RunId>) -> Result<Outlook, JournalError>;

    /// Returns when something may have happened to any run, at once where the store can tell; else after `longest`.
    async fn any_news(&self, longest: Duration);
}
