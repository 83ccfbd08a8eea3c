//! Starting, opening and reading runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::clock::Clock;
use super::door::NotSigned;
use super::run::{Run, inputs};
use crate::core::event::{Entry, Event, Failure, Overlaid, Rehearsal, RunStarted};
use crate::core::{About, IllegalEvent, Lacking, Rejection, RunState, Turn, TurnError};
use crate::diagnostic::Diagnostic;
use crate::id::{Host, InstanceId, Operator, ParamName, RunId, Seq};
use crate::identity::{PublicKey, Signer};
use crate::journal::{AtWork, Claim, Durable, Head, Holder, Journal, JournalError, Kept, Seal, open_all};
use crate::runbook::Runbook;
use crate::runbook::expr::Put;
use crate::step::Registry;

/// Who acts, and where: every entry names it.
#[derive(Debug, Clone)]
pub struct Author {
    /// The person.
    pub operator: Operator,
    /// The machine.
    pub host: Host,
    /// The process.
    pub pid: u32,
    /// What they sign with, if they do.
    pub signer: Option<Arc<dyn Signer>>,
}

impl Author {
    /// The key that others know them by.
    #[must_use]
    pub fn key(&self) -> Option<PublicKey> {
        self.signer.as_deref().map(Signer::key)
    }

    /// A turn of theirs.
    pub(super) fn turn(&self, now: Timestamp, draining: bool, lacking: Lacking) -> Turn {
        Turn {
            operator: self.operator.clone(),
            key: self.key(),
            host: self.host.clone(),
            now,
            draining,
            lacking,
        }
    }
}

/// Why the runtime did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RuntimeError {
    /// The journal refused or failed.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The definition that the journal holds is not one that this program can carry out.
    #[error("the run's own definition is not one that this program can carry out")]
    Definition(Vec<Diagnostic>),
    /// The journal's entries do not follow from each other.
    #[error(transparent)]
    Illegal(#[from] IllegalEvent),
    /// A person's act is not possible now.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The process that holds the run says that a person's act is not possible now.
    #[error("{message}")]
    RejectedThere {
        /// Why not.
        message: String,
        /// What to do instead.
        instead: String,
        /// What that is about.
        about: About,
    },
    /// The process that holds the run could not do what it was asked.
    #[error("the process that holds the run could not do it: {0}")]
    Holder(String),
    /// The process that holds the run wants something else signed than what was asked of it.
    #[error("the process that holds the run wants something else signed than was asked: {0}")]
    NotAsked(String),
    /// A visitor did not sign what they had asked for.
    #[error(transparent)]
    NotSigned(#[from] NotSigned),
}

impl From<TurnError> for RuntimeError {
    fn from(error: TurnError) -> Self {
        match error {
            TurnError::Rejected(rejection) => Self::Rejected(rejection),
            TurnError::Illegal(illegal) => Self::Illegal(illegal),
        }
    }
}

/// A journal, the plugins, a clock and an author: all that runs need.
#[derive(Clone)]
pub struct Engine {
    /// Where runs are remembered.
    pub journal: Arc<dyn Journal>,
    /// The kinds of step.
    pub registry: Registry,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who acts.
    pub author: Author,
}

/// What a new run is made of, beside its runbook.
#[derive(Debug)]
pub struct NewRun {
    /// Its identity.
    pub id: RunId,
    /// The parameters' values; no secrets.
    pub params: BTreeMap<ParamName, Value>,
    /// How it is rehearsed, if it is.
    pub rehearsal: Option<Rehearsal>,
    /// How many instances may be under way at once.
    pub jobs: u32,
    /// The version of the program.
    pub program: String,
}

/// A run as the journal tells it, without a claim.
pub struct Story {
    /// Everything that happened.
    pub entries: Vec<Entry>,
    /// The hash and the signature of each entry.
    pub seals: Vec<Seal>,
    /// Where it stands.
    pub state: RunState,
    /// Its definition: the one that it started with, or what it was amended to.
    pub runbook: Arc<Runbook>,
    /// Who carries it out now, if anybody does.
    pub holder: Option<Holder>,
    /// What workers have of it under way now.
    pub at_work: Vec<AtWork>,
}

impl Story {
    /// Its newest entry.
    pub(super) fn head(&self) -> Option<Head> {
        let (last, seal) = (self.entries.last()?, self.seals.last()?);
        let (seq, hash) = (last.seq, seal.hash);
        Some(Head { seq, hash })
    }
}

impl Engine {
    /// Makes a run and claims it. Nothing is carried out yet.
    ///
    /// # Errors
    /// When its first entries cannot be made durable.
    pub async fn start(&self, runbook: Runbook, new: NewRun) -> Result<Run, RuntimeError> {
        let started = RunStarted {
            run: new.id,
            runbook: runbook.name().clone(),
            file: runbook.definition().name.clone(),
            text: runbook.definition().text.clone(),
            overlaid: runbook
                .overlays()
                .map(|overlaid| Box::new(Overlaid::clone(overlaid))),
            params: new.params,
            rehearsal: new.rehearsal,
            jobs: new.jobs,
            program: new.program,
        };
        let pinned = runbook.files().iter();
        let pinned = pinned.map(|(name, text)| Event::FilePinned {
            name: name.clone(),
            text: text.clone(),
        });
        let events = std::iter::once(Event::RunStarted(Box::new(started))).chain(pinned);
        self.clock.follow();
        let time = self.clock.now();
        let entries: Vec<Entry> = (0..)
            .zip(events)
            .map(|(seq, event)| {
                let (operator, host) = (self.author.operator.clone(), self.author.host.clone());
                Entry {
                    seq: Seq(seq),
                    time,
                    operator,
                    host,
                    event,
                }
            })
            .collect();
        let state = RunState::fold(runbook.workflow(), &entries)?;
        let (author, signer) = (&self.author, self.author.signer.as_deref());
        let allowed = state
            .workflow()
            .may_take_part(&author.operator, author.key().as_ref(), time);
        allowed.map_err(Rejection::from)?;
        let (claim, durable) = self
            .journal
            .create_by(new.id, self.holder(), &entries, signer)
            .await?;
        Ok(Run::new(self.clone(), claim, state, Arc::new(runbook), durable))
    }

    /// Claims a run and reads where it stands.
    ///
    /// # Errors
    /// When somebody else holds it, or it cannot be read.
    pub async fn open(&self, run: RunId) -> Result<Run, RuntimeError> {
        let claim = self.journal.claim(run, self.holder()).await?;
        match self.read(run).await {
            Ok(Story { state, runbook, .. }) => Ok(self.opened(claim, state, runbook)),
            Err(error) => {
                // The first error is the one that matters; a claim ends with its process in any case.
                let _kept = self.journal.release(claim, None).await;
                Err(error)
            }
        }
    }

    /// Reads a run without changing anything.
    ///
    /// # Errors
    /// When it cannot be read or trusted.
    pub async fn read(&self, run: RunId) -> Result<Story, RuntimeError> {
        let holder = self.journal.holder(run).await?;
        let at_work = match self.journal.crew() {
            Some(crew) => crew.outlook(Some(run)).await?.runs,
            None => Vec::new(),
        };
        let at_work = at_work.into_iter().flat_map(|stand| stand.calls);
        let kept = self.journal.kept(run, Seq(0)).await?;
        let story = self.story(kept, holder)?;
        let at_work = at_work.filter(|call| !call.left.is_zero()).collect();
        Ok(Story { at_work, ..story })
    }

    /// Reads a run and believes nobody: that each entry follows the one before is worked out here, from what is kept.
    ///
    /// # Errors
    /// When it cannot be read or trusted, or is another run.
    pub(super) async fn read_checked(&self, run: RunId) -> Result<Story, RuntimeError> {
        let holder = self.journal.holder(run).await?;
        let records = self.journal.records(run, Seq(0)).await?;
        let story = self.story(open_all(None, &records)?, holder)?;
        if story.state.started().run == run {
            Ok(story)
        } else {
            let message = format!("it is the journal of the run {}", story.state.started().run);
            Err(JournalError::Damaged(message).into())
        }
    }

    fn story(&self, kept: Vec<Kept>, holder: Option<Holder>) -> Result<Story, RuntimeError> {
        let (entries, seals) = kept
            .into_iter()
            .map(|kept| (kept.entry, kept.seal))
            .unzip::<_, _, Vec<_>, _>();
        let definitions = self.definitions(&entries)?;
        let state = definitions.fold(&entries)?;
        let runbook = definitions.latest();
        Ok(Story {
            entries,
            seals,
            state,
            runbook,
            holder,
            at_work: Vec::new(),
        })
    }

    /// The inputs of an instance, with every template filled in: what a person who carries it out reads.
    ///
    /// # Errors
    /// When a template cannot be filled in, or the run has no such instance.
    pub fn inputs(&self, story: &Story, id: &InstanceId, put: Put<'_>) -> Result<Value, Failure> {
        inputs(self, &story.state, &story.runbook, id, put)
    }

    /// A claimed run that nobody has taken up yet.
    pub(super) fn opened(&self, claim: Claim, state: RunState, runbook: Arc<Runbook>) -> Run {
        let last = state.last_seq();
        let mut run = Run::new(self.clone(), claim, state, runbook, Durable::attest(last));
        run.untaken = true;
        run
    }

    pub(super) fn holder(&self) -> Holder {
        let Author {
            operator, host, pid, ..
        } = self.author.clone();
        Holder {
            operator,
            host,
            pid,
            since: self.clock.now(),
        }
    }
}
