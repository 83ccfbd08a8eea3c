//! Acting on a run, whoever holds it: this process, or another one that is asked.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;

use super::guest::{self, Talk};
use super::message::{Ask, Bytes, Look, Reply, Signed};
use super::recorded::records;
use crate::core::event::{Entry, Failure};
use crate::core::{Act, RunState};
use crate::id::{InstanceId, RunId};
use crate::journal::{Digest, Head, Holder, JournalError, open_all};
use crate::runbook::Runbook;
use crate::runbook::expr::Put;
use crate::runtime::engine::{Engine, RuntimeError, Story};
use crate::runtime::member::Service;
use crate::runtime::run::{Run, inputs};

/// How often an act is tried anew because the holder ended before it said what became of it.
const TRIES: usize = 5;

/// How long a run may still be held after its holder has closed the door.
const LETTING_GO: Duration = Duration::from_secs(3);

/// How often it is looked whether it is let go.
const BREATH: Duration = Duration::from_millis(50);

/// A place from which a person acts on a run.
#[async_trait]
pub trait Seat: Send + Sync {
    /// Where the run stands, as far as is known here.
    fn state(&self) -> &RunState;

    /// Its definition.
    fn runbook(&self) -> &Arc<Runbook>;

    /// The inputs of an instance, with every template filled in: what a person who carries it out reads.
    ///
    /// # Errors
    /// When a template cannot be filled in, or the run has no such instance.
    fn inputs(&self, id: &InstanceId, put: Put<'_>) -> Result<Value, Failure>;

    /// Stores a file that proves manual work, and gives its hash.
    ///
    /// # Errors
    /// When it cannot be made durable.
    async fn attach(&self, content: &[u8]) -> Result<String, RuntimeError>;

    /// Records a person's act. Gives all entries since the state that was known here.
    ///
    /// # Errors
    /// When the act is not possible now, or cannot be made durable.
    async fn act(&mut self, act: Act) -> Result<Vec<Entry>, RuntimeError>;
}

#[async_trait]
impl Seat for Run {
    fn state(&self) -> &RunState {
        self.state()
    }

    fn runbook(&self) -> &Arc<Runbook> {
        self.runbook()
    }

    fn inputs(&self, id: &InstanceId, put: Put<'_>) -> Result<Value, Failure> {
        self.inputs(id, put)
    }

    async fn attach(&self, content: &[u8]) -> Result<String, RuntimeError> {
        self.attach(content).await
    }

    async fn act(&mut self, act: Act) -> Result<Vec<Entry>, RuntimeError> {
        self.act(act).await
    }
}

/// A run that another process on this machine holds, as a visitor sees it.
pub struct Visit {
    pub(super) engine: Engine,
    run: RunId,
    pub(super) story: Story,
    holder: Holder,
    /// The newest entry that is known here, where whoever visits signs: everything up to it was checked.
    pub(super) head: Option<Head>,
}

/// How a try to have an act recorded ended.
enum Tried {
    Recorded,
    /// The holder did not get a signature in time; nothing was recorded.
    Unsigned,
    /// Nobody said what became of it.
    Unheard,
}

impl Visit {
    /// Who holds the run.
    #[must_use]
    pub fn holder(&self) -> &Holder {
        &self.holder
    }

    async fn ask(&self, ask: Ask) -> Result<Reply, std::io::Error> {
        match self.engine.journal.door(self.run) {
            Some(folder) => guest::ask(&folder, ask).await,
            None => Err(std::io::ErrorKind::NotFound.into()),
        }
    }

    /// Reads what has happened since, and follows it.
    async fn catch_up(&mut self) -> Result<Vec<Entry>, RuntimeError> {
        let from = self.story.state.next_seq();
        let kept = if self.head.is_some() {
            let records = self.engine.journal.records(self.run, from).await?;
            open_all(self.head, &records)?
        } else {
            self.engine.journal.kept(self.run, from).await?
        };
        if let (Some(head), Some(last)) = (&mut self.head, kept.last()) {
            *head = Head::of(last);
        }
        let entries: Vec<Entry> = kept.into_iter().map(|kept| kept.entry).collect();
        self.engine.go_on(&mut self.story, &entries)?;
        Ok(entries)
    }

    /// The same, also where the holder has closed its door: one that is done with a run does so just before it lets it go.
    async fn catch_up_once_let_go(&mut self) -> Result<Vec<Entry>, RuntimeError> {
        let mut caught_up = self.catch_up().await;
        let waiting = async {
            while let Err(RuntimeError::Journal(JournalError::Held(_))) = &caught_up {
                tokio::time::sleep(BREATH).await;
                caught_up = self.catch_up().await;
            }
        };
        tokio::time::timeout(LETTING_GO, waiting).await.ok();
        caught_up
    }

    /// Asks the holder to record an act, and signs it for whoever visits.
    async fn try_to(&mut self, act: &Act, seen: &mut Vec<Entry>) -> Result<Tried, RuntimeError> {
        let author = self.engine.author.clone();
        let ask = Ask::Act {
            operator: author.operator.clone(),
            host: author.host.clone(),
            key: author.key(),
            act: Box::new(act.clone()),
            until: guest::act_by(self.engine.clock.shown()),
        };
        let unheard = |error: std::io::Error| {
            tracing::debug!(%error, "the holder of a run does not answer");
            Ok(Tried::Unheard)
        };
        let Some(folder) = self.engine.journal.door(self.run) else {
            return Ok(Tried::Unheard);
        };
        let mut talk = match Talk::begin(&folder, ask).await {
            Ok(talk) => talk,
            Err(error) => return unheard(error),
        };
        let mut reply = talk.hear().await;
        if let (Ok(Reply::Sign { prev, stored }), Some(signer)) = (&reply, &author.signer) {
            seen.extend(self.catch_up().await?);
            let signature = self.countersign(act, signer.as_ref(), (prev, &stored.0))?;
            let signed = Signed {
                signature: Bytes(signature.as_bytes().to_vec()),
            };
            reply = match talk.say(&signed).await {
                Ok(()) => talk.hear().await,
                Err(error) => Err(error),
            };
        }
        match reply {
            Ok(Reply::Recorded) => Ok(Tried::Recorded),
            Ok(Reply::Unsigned) => Ok(Tried::Unsigned),
            Ok(Reply::Rejected {
                message,
                instead,
                about,
            }) => Err(RuntimeError::RejectedThere {
                message,
                instead,
                about,
            }),
            Ok(Reply::Failed(why)) => Err(RuntimeError::Holder(why)),
            Ok(_) => Err(RuntimeError::Holder("it gave an odd answer".to_owned())),
            Err(error) => unheard(error),
        }
    }
}

#[async_trait]
impl Seat for Visit {
    fn state(&self) -> &RunState {
        &self.story.state
    }

    fn runbook(&self) -> &Arc<Runbook> {
        &self.story.runbook
    }

    fn inputs(&self, id: &InstanceId, put: Put<'_>) -> Result<Value, Failure> {
        inputs(&self.engine, &self.story.state, &self.story.runbook, id, put)
    }

    async fn attach(&self, content: &[u8]) -> Result<String, RuntimeError> {
        let ask = Ask::Look(Look::Attach {
            content: Bytes(content.to_vec()),
        });
        match self.ask(ask).await {
            Ok(Reply::Attached(sha256)) if sha256 == Digest::of(content).to_string() => Ok(sha256),
            Ok(Reply::Failed(why)) => Err(RuntimeError::Holder(why)),
            Ok(_) => Err(RuntimeError::Holder("it gave an odd answer".to_owned())),
            Err(error) => {
                tracing::debug!(%error, "the holder of a run does not answer");
                Err(JournalError::Held(Some(self.holder.clone())).into())
            }
        }
    }

    async fn act(&mut self, act: Act) -> Result<Vec<Entry>, RuntimeError> {
        let mut entries = Vec::new();
        for _ in 0..TRIES {
            let tried = self.try_to(&act, &mut entries).await?;
            if matches!(tried, Tried::Unsigned) {
                continue;
            }
            match self.catch_up_once_let_go().await {
                // Somebody holds the run and does not answer.
                Err(RuntimeError::Journal(held @ JournalError::Held(_))) => return Err(held.into()),
                other => entries.extend(other?),
            }
            // Whatever was said or not: the journal knows.
            if entries.iter().any(|entry| self.is_ours(entry, &act)) {
                return Ok(entries);
            }
            if matches!(tried, Tried::Recorded) {
                let why = "it says that it was recorded, and the journal does not hold it";
                return Err(RuntimeError::Holder(why.to_owned()));
            }
            // It was not recorded, and nobody holds the run any more, or somebody else does.
            match self.engine.open(self.run).await {
                Ok(mut run) => {
                    let acted = run.act(act).await;
                    self.story.runbook = Arc::clone(run.runbook());
                    self.story.state = run.close().await?;
                    entries.extend(acted?);
                    return Ok(entries);
                }
                Err(RuntimeError::Journal(JournalError::Held(_))) => {}
                Err(error) => return Err(error),
            }
        }
        Err(JournalError::Held(Some(self.holder.clone())).into())
    }
}

impl Visit {
    /// Whether an entry is this act, done by us.
    fn is_ours(&self, entry: &Entry, act: &Act) -> bool {
        let author = &self.engine.author;
        entry.operator == author.operator && entry.host == author.host && records(&entry.event, act)
    }
}

/// A run that can be acted upon.
pub enum Access {
    /// This process holds it now.
    Own(Run),
    /// Another process on this machine holds it, and answers.
    Through(Visit),
}

impl Access {
    /// The place from which to act.
    #[must_use]
    pub fn seat(&self) -> &dyn Seat {
        match self {
            Self::Own(run) => run,
            Self::Through(visit) => visit,
        }
    }

    /// The place from which to act, to change the run.
    pub fn seat_mut(&mut self) -> &mut dyn Seat {
        match self {
            Self::Own(run) => run,
            Self::Through(visit) => visit,
        }
    }
}

impl Engine {
    /// Claims a run, or goes in by the door of the process that holds it.
    ///
    /// # Errors
    /// When somebody holds it and does not answer, or it cannot be read.
    pub async fn access(&self, run: RunId) -> Result<Access, RuntimeError> {
        // Workers go on meanwhile.
        if let Some(shared) = Box::pin(self.join(run, Service::default())).await? {
            return Ok(Access::Own(shared));
        }
        let held = match self.open(run).await {
            Err(RuntimeError::Journal(held @ JournalError::Held(_))) => held,
            other => return other.map(Access::Own),
        };
        let JournalError::Held(Some(holder)) = &held else {
            return Err(held.into());
        };
        let signs = self.author.signer.is_some();
        let story = if signs {
            self.read_checked(run).await
        } else {
            self.read(run).await
        };
        let story = match story {
            Err(RuntimeError::Journal(JournalError::Held(_))) => return Err(held.into()),
            other => other?,
        };
        Ok(Access::Through(Visit {
            engine: self.clone(),
            run,
            head: signs.then(|| story.head()).flatten(),
            story,
            holder: holder.clone(),
        }))
    }
}
