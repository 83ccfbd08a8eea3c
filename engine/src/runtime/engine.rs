//! Starting, opening and reading runs.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use serde_json::Value;

use super::clock::Clock;
use super::mask::Mask;
use crate::core::event::{Entry, Event, Failure, FailureKind, Rehearsal, RunStarted};
use crate::core::{Act, IllegalEvent, Input, InstanceIx, Rejection, RunState, Turn, TurnError, turn};
use crate::diagnostic::{Diagnostic, SourceFile};
use crate::id::{Host, InstanceId, Operator, ParamName, RunId, Seq};
use crate::journal::{Claim, Durable, Holder, Journal, JournalError, Summary, TranscriptHasher};
use crate::runbook::expr::{self, Scope};
use crate::runbook::{self, Runbook};
use crate::step::{Files, Registry, RunFacts};

/// Who acts, and where: every entry names it.
#[derive(Debug, Clone)]
pub struct Author {
    /// The person.
    pub operator: Operator,
    /// The machine.
    pub host: Host,
    /// The process.
    pub pid: u32,
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
    /// Where it stands.
    pub state: RunState,
    /// The definition that it started with.
    pub runbook: Arc<Runbook>,
}

/// A run that this process holds.
pub struct Run {
    pub(super) engine: Engine,
    pub(super) claim: Claim,
    pub(super) state: RunState,
    pub(super) runbook: Arc<Runbook>,
    pub(super) secrets: BTreeMap<ParamName, String>,
    /// It was opened, and not taken up yet: what the journal shows as under way is not.
    pub(super) untaken: bool,
    pub(super) durable: Durable<Seq>,
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
            file: runbook.source_file().name.clone(),
            text: runbook.source_file().text.clone(),
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
        let (claim, durable) = self.journal.create(new.id, self.holder(), &entries).await?;
        let (engine, runbook, secrets) = (self.clone(), Arc::new(runbook), BTreeMap::new());
        Ok(Run {
            engine,
            claim,
            state,
            runbook,
            secrets,
            untaken: false,
            durable,
        })
    }

    /// Claims a run and reads where it stands.
    ///
    /// # Errors
    /// When somebody else holds it, or it cannot be read.
    pub async fn open(&self, run: RunId) -> Result<Run, RuntimeError> {
        let claim = self.journal.claim(run, self.holder()).await?;
        match self.read(run).await {
            Ok(Story { state, runbook, .. }) => {
                let last = Seq(state.next_seq().0.saturating_sub(1));
                let (engine, secrets, durable) = (self.clone(), BTreeMap::new(), Durable::attest(last));
                Ok(Run {
                    engine,
                    claim,
                    state,
                    runbook,
                    secrets,
                    untaken: true,
                    durable,
                })
            }
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
        let entries = self.journal.read(run, Seq(0)).await?;
        let runbook = self.definition(&entries)?;
        let state = RunState::fold(runbook.workflow(), &entries)?;
        Ok(Story {
            entries,
            state,
            runbook,
        })
    }

    /// The definition that a run started with, from its own entries.
    fn definition(&self, entries: &[Entry]) -> Result<Arc<Runbook>, RuntimeError> {
        let Some(Event::RunStarted(started)) = entries.first().map(|entry| &entry.event) else {
            let message = "its first entry does not start a run".to_owned();
            return Err(JournalError::Damaged(message).into());
        };
        let files = entries.iter().filter_map(|entry| match &entry.event {
            Event::FilePinned { name, text } => Some((name.clone(), text.clone())),
            _ => None,
        });
        let files = PinnedFiles(Arc::new(files.collect()));
        let file = SourceFile::new(started.file.clone(), started.text.clone());
        let loaded = runbook::load(&file, &self.registry, &files);
        loaded
            .runbook
            .map(Arc::new)
            .ok_or(RuntimeError::Definition(loaded.diagnostics))
    }

    fn holder(&self) -> Holder {
        let Author { operator, host, pid } = self.author.clone();
        Holder {
            operator,
            host,
            pid,
            since: self.clock.now(),
        }
    }
}

impl Run {
    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> &RunState {
        &self.state
    }

    /// Its definition.
    #[must_use]
    pub fn runbook(&self) -> &Arc<Runbook> {
        &self.runbook
    }

    /// The short name that people type: `<runbook>-<short>`.
    #[must_use]
    pub fn name(&self) -> String {
        run_name(&self.state)
    }

    /// Everything that has happened to it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn entries(&self) -> Result<Vec<Entry>, RuntimeError> {
        Ok(self.engine.journal.read(self.claim.run, Seq(0)).await?)
    }

    /// Gives the values of secret parameters, which no journal holds.
    pub fn set_secrets(&mut self, secrets: BTreeMap<ParamName, String>) {
        self.secrets = secrets;
    }

    /// Records a person's act; nothing is carried out. What an earlier process left under way is settled
    /// as interrupted first.
    ///
    /// # Errors
    /// When the act is not possible now, or cannot be made durable.
    pub async fn act(&mut self, act: Act) -> Result<Vec<Entry>, RuntimeError> {
        let cut_off = self.untaken && self.state.active().len() > 0;
        let mut entries = if cut_off {
            self.take_up(None).await?
        } else {
            Vec::new()
        };
        entries.extend(self.take(&[Input::Act(act)], true).await?);
        Ok(entries)
    }

    /// The inputs of an instance, with every template filled in: what a person who carries it out reads.
    ///
    /// # Errors
    /// When a template cannot be filled in, or the run has no such instance.
    pub fn inputs(&self, id: &InstanceId) -> Result<Value, Failure> {
        let missing = || Failure::new(FailureKind::Fault, format!("the run has no instance `{id}`"));
        let ix = self.state.find(id).ok_or_else(missing)?;
        let step = self.runbook.step(id.step()).ok_or_else(missing)?;
        let scripts = self
            .engine
            .registry
            .get(step.uses.as_str())
            .map_or(&[] as &[&str], |plugin| plugin.doc().scripts);
        expr::fill(&step.with, scripts, &self.scope(ix))
            .map_err(|error| Failure::new(FailureKind::Inputs, error.to_string()))
    }

    /// Stores a file that proves manual work, and gives its hash.
    ///
    /// # Errors
    /// When it cannot be made durable.
    pub async fn attach(&self, content: &[u8]) -> Result<String, RuntimeError> {
        Ok(self.engine.journal.attach(&self.claim, content).await?)
    }

    /// Takes the run over from an earlier process: whatever that had under way was cut off.
    pub(super) async fn take_up(&mut self, jobs: Option<u32>) -> Result<Vec<Entry>, RuntimeError> {
        let mut transcripts = BTreeMap::new();
        let cut_off: Vec<Seq> = self
            .state
            .active()
            .filter_map(|i| i.phase.activity())
            .map(|call| call.of)
            .collect();
        for of in cut_off {
            let chunks = self.engine.journal.transcript(self.claim.run, of).await?;
            let mut hasher = TranscriptHasher::default();
            chunks.iter().for_each(|chunk| hasher.update(chunk));
            if !chunks.is_empty() {
                transcripts.insert(of, hasher.finish(of));
            }
        }
        let jobs = jobs.unwrap_or(self.state.jobs());
        let entries = self.take(&[Input::Resumed { jobs, transcripts }], true).await?;
        self.untaken = false;
        Ok(entries)
    }

    /// Takes turns with these inputs and makes what they mean durable, in one append.
    pub(super) async fn take(
        &mut self,
        inputs: &[Input],
        draining: bool,
    ) -> Result<Vec<Entry>, RuntimeError> {
        let Author { operator, host, .. } = self.engine.author.clone();
        let who = Turn {
            operator,
            host,
            now: self.engine.clock.now(),
            draining,
        };
        let expected = self.state.next_seq();
        let mut entries = Vec::new();
        for input in inputs {
            entries.extend(turn(&mut self.state, input, &who)?);
        }
        if !entries.is_empty() {
            self.durable = self
                .engine
                .journal
                .append(&self.claim, expected, &entries)
                .await?;
        }
        Ok(entries)
    }

    /// What lists show of the run.
    ///
    /// # Errors
    /// When the journal cannot say which entry is its last.
    pub async fn summary(&self) -> Result<Summary, RuntimeError> {
        let (state, run) = (&self.state, self.claim.run);
        let (settled, total) = state.progress();
        Ok(Summary {
            run,
            runbook: state.started().runbook.clone(),
            title: self.runbook.title().to_owned(),
            status: state.status(),
            rehearsal: state.started().rehearsal.is_some(),
            settled,
            total,
            operator: state.operator().clone(),
            started: state.begun(),
            updated: state.updated(),
            head: Seq(state.next_seq().0.saturating_sub(1)),
            head_hash: self.engine.journal.head_hash(run).await?,
        })
    }

    /// Gives the run back.
    ///
    /// # Errors
    /// When its summary cannot be written; the run itself is safe.
    pub async fn close(self) -> Result<RunState, RuntimeError> {
        let summary = self.summary().await?;
        self.engine.journal.release(self.claim, Some(summary)).await?;
        Ok(self.state)
    }

    /// What the expressions of an instance may name.
    pub(super) fn scope(&self, ix: InstanceIx) -> Scope {
        let instance = self.state.instance(ix);
        Scope {
            params: Arc::new(self.params()),
            steps: Arc::new(self.state.facts_for(instance.step)),
            item: instance.item.clone(),
            before: instance.before.clone(),
            outputs: instance.outputs.as_object().cloned(),
            run: self.facts(),
            extra: BTreeMap::new(),
        }
    }

    pub(super) fn facts(&self) -> RunFacts {
        let RunStarted { run, rehearsal, .. } = self.state.started().as_ref();
        RunFacts {
            id: Some(*run),
            name: run_name(&self.state),
            rehearsal: rehearsal.is_some(),
            operator: self.engine.author.operator.clone(),
            host: self.engine.author.host.clone(),
        }
    }

    /// All parameters, secrets included: for calls only.
    pub(super) fn params(&self) -> Value {
        let known = self
            .state
            .started()
            .params
            .iter()
            .map(|(name, value)| (name.to_string(), value.clone()));
        let secrets = self
            .secrets
            .iter()
            .map(|(name, value)| (name.to_string(), Value::String(value.clone())));
        Value::Object(known.chain(secrets).collect())
    }

    pub(super) fn mask(&self) -> Mask {
        Mask::new(self.secrets.values().map(String::as_str))
    }
}

pub(super) fn run_name(state: &RunState) -> String {
    state.started().name()
}

/// The files of a run as its journal holds them.
#[derive(Debug, Clone)]
pub struct PinnedFiles(pub Arc<BTreeMap<String, String>>);

impl Files for PinnedFiles {
    fn read(&self, name: &str) -> Result<String, io::Error> {
        let missing = || io::Error::new(io::ErrorKind::NotFound, "the run's journal does not hold it");
        self.0.get(name).cloned().ok_or_else(missing)
    }
}
