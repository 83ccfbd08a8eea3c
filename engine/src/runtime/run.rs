//! A run that this process holds: where it stands, and what people do to it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;

use super::ask::{Keeper, Nobody};
use super::definition::PinnedFiles;
use super::engine::{Author, Engine, RuntimeError};
use super::left::Left;
use super::member::Member;
use super::secrets::{Known, named, shown_params};
use crate::core::event::{Entry, Failure, FailureKind, RunStarted};
use crate::core::{Act, Input, InstanceIx, RunState, Turn, is_timed, turn};
use crate::id::{InstanceId, ParamName, Seq};
use crate::journal::{Claim, Durable, Summary};
use crate::runbook::expr::{self, Put, Scope};
use crate::runbook::{Runbook, Step};
use crate::secret::{Secret, SecretName};
use crate::step::{Earlier, RunFacts};

/// How many instances a summary names: enough for people, and few enough for lists.
const MOST_NAMEABLE: usize = 200;

/// A run that this process holds.
pub struct Run {
    pub(super) engine: Engine,
    pub(super) claim: Claim,
    pub(super) state: RunState,
    pub(super) runbook: Arc<Runbook>,
    pub(super) told: Told,
    pub(super) known: Known,
    /// All secrets that its steps name.
    pub(super) named: BTreeSet<SecretName>,
    pub(super) keeper: Arc<dyn Keeper>,
    /// What the keeper did not give; it is not asked again.
    pub(super) refused: BTreeSet<Secret>,
    /// It was opened, and not taken up yet: what the journal shows as under way is not.
    pub(super) untaken: bool,
    pub(super) left: Left,
    pub(super) durable: Durable<Seq>,
    /// A person wants it undone; otherwise a failure does.
    pub(super) undone_by_person: bool,
    /// It is shared, and this process is one of its workers.
    pub(super) member: Option<Member>,
    /// Somebody else has taken it while it was held here: this process writes nothing more.
    pub(super) fenced: bool,
}

/// What every call is told alike, put together once.
pub(super) struct Told {
    /// The parameters; no secrets.
    pub(super) params: Arc<Value>,
    pub(super) files: Arc<PinnedFiles>,
}

impl Told {
    pub(super) fn new(state: &RunState) -> Self {
        Self {
            params: Arc::new(as_value(&state.started().params)),
            files: Arc::new(PinnedFiles(Arc::new(state.files().clone()))),
        }
    }
}

impl Run {
    /// A run that was claimed, and stands here; its secrets are not known yet.
    pub(super) fn new(
        engine: Engine,
        claim: Claim,
        state: RunState,
        runbook: Arc<Runbook>,
        durable: Durable<Seq>,
    ) -> Self {
        Self {
            told: Told::new(&state),
            known: Known::default(),
            named: named(&runbook),
            keeper: Arc::new(Nobody),
            refused: BTreeSet::new(),
            undone_by_person: state.rollback().is_some(),
            engine,
            claim,
            state,
            runbook,
            untaken: false,
            left: Left::default(),
            fenced: false,
            member: None,
            durable,
        }
    }

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

    /// Whether a rollback of it is what a person asked for, and no consequence of a failure while it was held.
    #[must_use]
    pub fn is_undone_by_person(&self) -> bool {
        self.undone_by_person
    }

    /// The private folder of the run, beside whose journal other things about it can stand; none where the store has
    /// no folders.
    #[must_use]
    pub fn folder(&self) -> Option<PathBuf> {
        self.engine.journal.door(self.claim.run)
    }

    /// The short name that people type: `<runbook>-<short>`.
    #[must_use]
    pub fn name(&self) -> String {
        self.state.started().name()
    }

    /// Everything that has happened to it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn entries(&self) -> Result<Vec<Entry>, RuntimeError> {
        Ok(self.engine.journal.read(self.claim.run, Seq(0)).await?)
    }

    /// Gives the values of all secret parameters; one that is not among them has none.
    pub(super) fn set_secrets(&mut self, secrets: &BTreeMap<ParamName, String>) {
        for param in self.runbook.params().values().filter(|param| param.is_secret()) {
            let secret = Secret::Param(param.name.clone());
            self.known.learn(&secret, secrets.get(&param.name).cloned());
        }
    }

    /// Says who gives the secrets that steps need: no journal holds them.
    pub fn set_keeper(&mut self, keeper: Arc<dyn Keeper>) {
        self.keeper = keeper;
        self.refused.clear();
    }

    /// The inputs of an instance, with every template filled in: what a person who carries it out reads.
    ///
    /// # Errors
    /// When a template cannot be filled in, or the run has no such instance.
    pub fn inputs(&self, id: &InstanceId, put: Put<'_>) -> Result<Value, Failure> {
        inputs(&self.engine, &self.state, &self.runbook, id, put)
    }

    /// Stores a file that proves manual work, and gives its hash.
    ///
    /// # Errors
    /// When it cannot be made durable.
    pub async fn attach(&self, content: &[u8]) -> Result<String, RuntimeError> {
        Ok(self.engine.journal.attach(&self.claim, content).await?)
    }

    /// Takes turns with these inputs and makes what they mean durable, in one append.
    pub(super) async fn take(
        &mut self,
        inputs: &[Input],
        draining: bool,
    ) -> Result<Vec<Entry>, RuntimeError> {
        let author = self.engine.author.clone();
        self.take_as(&author, inputs, draining).await
    }

    pub(super) async fn take_as(
        &mut self,
        author: &Author,
        inputs: &[Input],
        draining: bool,
    ) -> Result<Vec<Entry>, RuntimeError> {
        if self.fenced {
            self.state.hands().admit(&self.engine.author.operator)?;
        }
        if !is_timed(&self.state) {
            self.engine.clock.follow();
        }
        let entries = loop {
            let expected = self.state.next_seq();
            if let Some(member) = &mut self.member {
                member.decides_from(expected);
            }
            let who = author.turn(self.engine.clock.now(), draining, self.lacking());
            let before = self.member.is_some().then(|| self.state.clone());
            let entries = self.turns(inputs, who)?;
            if entries.is_empty() {
                break entries;
            }
            match (self.write(author, expected, &entries).await, before) {
                (Ok(durable), _) => {
                    self.durable = durable;
                    break entries;
                }
                (Err(error), None) => return Err(error.into()),
                (Err(error), Some(before)) => {
                    self.state = before;
                    Box::pin(self.catch_up_after(error)).await?;
                }
            }
        };
        let undoes = |input: &Input| matches!(input, Input::Act(Act::Rollback { .. }));
        self.undone_by_person |= inputs.iter().any(undoes);
        let mut all = self.member.as_mut().map(Member::unseen).unwrap_or_default();
        all.extend(entries);
        Ok(all)
    }

    /// What these inputs mean, one after the other.
    fn turns(&mut self, inputs: &[Input], who: Turn) -> Result<Vec<Entry>, RuntimeError> {
        let mut entries = Vec::new();
        for input in inputs {
            let masked = match input {
                Input::Act(act) => Some(Input::Act(self.known.masked_act(act, &self.runbook))),
                _ => None,
            };
            entries.extend(turn(&mut self.state, masked.as_ref().unwrap_or(input), &who)?);
        }
        // What has become known, as a sensitive output has, lets others go on at once.
        let lacking = self.lacking();
        if lacking != who.lacking {
            let who = Turn { lacking, ..who };
            entries.extend(turn(&mut self.state, &Input::Clock, &who)?);
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
            overlays: state.started().overlays(),
            status: state.status(),
            rehearsal: state.started().rehearsal.is_some(),
            settled,
            total,
            by_word: state.by_word(),
            operator: state.operator().clone(),
            offered_to: state.hands().offer().map(|offer| offer.to.clone()),
            shared: state.hands().are_shared(),
            moved_to: state.hands().away().map(|away| away.to.clone()),
            started: state.begun(),
            updated: state.updated(),
            head: state.last_seq(),
            head_hash: self.engine.journal.head_hash(run).await?,
            nameable: state.nameable(MOST_NAMEABLE),
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
    pub(super) fn scope(&self, ix: InstanceIx, step: &Step) -> Scope {
        let before = self.state.before(self.state.instance(ix).step);
        let steps = self.known.earlier(before, step);
        let params = self.known.params(&self.told.params, step);
        scope(&self.engine, &self.state, ix, params, steps)
    }

    pub(super) fn facts(&self) -> RunFacts {
        facts(&self.engine, &self.state)
    }
}

/// See [`Run::inputs`]: what a person reads holds no secret.
pub(super) fn inputs(
    engine: &Engine,
    state: &RunState,
    runbook: &Runbook,
    id: &InstanceId,
    put: Put<'_>,
) -> Result<Value, Failure> {
    let missing = || Failure::new(FailureKind::Fault, format!("the run has no instance `{id}`"));
    let ix = state.find(id).ok_or_else(missing)?;
    let step = runbook.step(id.step()).ok_or_else(missing)?;
    let scripts = runbook
        .registry()
        .get(step.uses.as_str())
        .map_or(&[] as &[&str], |plugin| plugin.doc().scripts);
    let params = Arc::new(shown_params(state, runbook));
    let steps = state.before(state.instance(ix).step);
    expr::fill(&step.with, scripts, &scope(engine, state, ix, params, steps), put)
        .map_err(|error| Failure::new(FailureKind::Inputs, error.to_string()))
}

fn scope(
    engine: &Engine,
    state: &RunState,
    ix: InstanceIx,
    params: Arc<Value>,
    steps: Arc<dyn Earlier>,
) -> Scope {
    let instance = state.instance(ix);
    Scope {
        params,
        steps,
        item: instance.item.clone(),
        before: instance.before.clone(),
        outputs: instance.outputs.as_object().cloned(),
        run: facts(engine, state),
        extra: BTreeMap::new(),
    }
}

fn facts(engine: &Engine, state: &RunState) -> RunFacts {
    let RunStarted { run, rehearsal, .. } = state.started().as_ref();
    RunFacts {
        id: Some(*run),
        name: state.started().name(),
        rehearsal: rehearsal.is_some(),
        operator: engine.author.operator.clone(),
        host: engine.author.host.clone(),
    }
}

/// Parameters as a step's document holds them.
pub(super) fn as_value(params: &BTreeMap<ParamName, Value>) -> Value {
    let params = params.iter();
    params
        .map(|(name, value)| (name.to_string(), value.clone()))
        .collect()
}
