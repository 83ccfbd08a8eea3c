//! What carrying a runbook out would do: every step that can answer now is asked, and nothing is touched.

use std::collections::BTreeMap;
use std::sync::Arc;

use rpds::RedBlackTreeMapSync;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::call::fill;
use super::definition::PinnedFiles;
use super::driver::Watcher;
use super::engine::Author;
use super::run::as_value;
use super::secrets::{Known, sealed};
use super::sessions::{Sessions, session};
use super::unheard::Unheard;
use crate::core::event::Verdict;
use crate::id::{AttemptNo, InstanceId, ParamName, StepId};
use crate::runbook::expr::{self, Scope};
use crate::runbook::{Runbook, Step};
use crate::secret::{Secret, SecretName};
use crate::step::{Context, Purpose, RunFacts, StepFacts};

/// What would become of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Forecast {
    /// Its outcome is there already.
    InPlace,
    /// It would be carried out; what is missing now, if it can tell.
    ToDo(Option<String>),
    /// It depends on what is not known yet, or cannot be asked; why.
    CannotTell(String),
    /// A person would do it.
    NeedsPerson,
    /// Its condition does not hold.
    Skipped(String),
}

/// One row of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// The instance, or the step while its items are not known.
    pub id: InstanceId,
    /// What would become of it.
    pub forecast: Forecast,
}

/// A plan in the making: what steps would give, as far as they could tell.
struct Planner<'a> {
    runbook: &'a Runbook,
    author: &'a Author,
    /// The parameters; no secrets.
    params: Arc<Value>,
    known_secrets: Known,
    known: RedBlackTreeMapSync<StepId, StepFacts>,
    rows: BTreeMap<StepId, Vec<Planned>>,
    sessions: Sessions,
    watcher: Arc<dyn Watcher>,
}

impl Runbook {
    /// Asks every step that can answer now, in order. The rows are in the runbook's order. A step that needs a secret
    /// which is not among `secrets` cannot answer.
    pub async fn plan(
        &self,
        author: &Author,
        params: &BTreeMap<ParamName, Value>,
        secrets: &BTreeMap<ParamName, Option<String>>,
        watcher: Arc<dyn Watcher>,
    ) -> Vec<Planned> {
        let mut planner = Planner {
            runbook: self,
            author,
            params: Arc::new(as_value(params)),
            known_secrets: Known::of_params(secrets),
            known: RedBlackTreeMapSync::new_sync(),
            rows: BTreeMap::new(),
            sessions: Sessions::default(),
            watcher,
        };
        for &at in self.workflow().dag().order() {
            if let Some(step) = self.step(&self.workflow().step(at).id) {
                planner.step(step).await;
            }
        }
        let Planner {
            mut rows, sessions, ..
        } = planner;
        sessions.close().await;
        self.steps()
            .keys()
            .flat_map(|id| rows.remove(id).unwrap_or_default())
            .collect()
    }
}

impl Planner<'_> {
    async fn step(&mut self, step: &Step) {
        let whole = InstanceId::from(step.id.clone());
        let scope = Scope::of(&self.context(step, whole.clone(), None));
        let row = |forecast| {
            vec![Planned {
                id: whole.clone(),
                forecast,
            }]
        };
        if let Some(why) = &step.skip {
            return self.skipped(step, why.clone());
        }
        if let Some(why) = self.lacks(step) {
            self.rows.insert(step.id.clone(), row(Forecast::CannotTell(why)));
            return;
        }
        if let Some(when) = &step.when {
            match when.evaluate(&scope).and_then(expr::truth) {
                Ok(true) => {}
                Ok(false) => {
                    let reason = format!("its condition does not hold: {}", when.source().trim());
                    return self.skipped(step, reason);
                }
                Err(_) => {
                    self.rows
                        .insert(step.id.clone(), row(unknown_yet("its condition")));
                    return;
                }
            }
        }
        let items = match step
            .for_each
            .as_ref()
            .map(|list| list.evaluate(&scope).and_then(expr::items))
        {
            None => vec![(whole.clone(), None)],
            Some(Ok(items))
                if items
                    .iter()
                    .any(|item| self.known_secrets.mask().hides(&item.value)) =>
            {
                let why = "its `for_each` gives a secret, which must not stand in a journal".to_owned();
                self.rows.insert(step.id.clone(), row(Forecast::CannotTell(why)));
                return;
            }
            Some(Ok(items)) => items
                .into_iter()
                .map(|item| (InstanceId::of_item(step.id.clone(), item.key), Some(item.value)))
                .collect(),
            Some(Err(_)) => {
                self.rows
                    .insert(step.id.clone(), row(unknown_yet("its list of items")));
                return;
            }
        };
        let mut rows = Vec::new();
        let mut outputs = serde_json::Map::new();
        for (id, item) in items {
            let (forecast, given) = self.instance(step, id.clone(), item).await;
            if let Some(given) = given {
                match id.item() {
                    None => outputs = given,
                    Some(key) => drop(outputs.insert(key.as_str().to_owned(), Value::Object(given))),
                }
            }
            rows.push(Planned { id, forecast });
        }
        if rows.iter().all(|row| row.forecast == Forecast::InPlace) {
            let facts = StepFacts {
                status: "satisfied",
                outputs: Arc::new(Value::Object(outputs)),
            };
            self.known.insert_mut(step.id.clone(), facts);
        }
        self.rows.insert(step.id.clone(), rows);
    }

    fn skipped(&mut self, step: &Step, reason: String) {
        let facts = StepFacts {
            status: "skipped",
            outputs: Arc::new(Value::Null),
        };
        self.known.insert_mut(step.id.clone(), facts);
        let row = Planned {
            id: InstanceId::from(step.id.clone()),
            forecast: Forecast::Skipped(reason),
        };
        self.rows.insert(step.id.clone(), vec![row]);
    }

    async fn instance(
        &mut self,
        step: &Step,
        id: InstanceId,
        item: Option<Value>,
    ) -> (Forecast, Option<crate::core::event::Outputs>) {
        if step.abilities.by_person {
            return (Forecast::NeedsPerson, None);
        }
        let Ok(plugin) = self.runbook.registry().get(step.uses.as_str()) else {
            return (
                Forecast::CannotTell(format!("there is no kind of step `{}`", step.uses)),
                None,
            );
        };
        if !step.abilities.validates {
            return (Forecast::ToDo(None), None);
        }
        let mut cx = self.context(step, id.clone(), item);
        let scope = Scope::of(&cx);
        let registry = self.runbook.registry();
        let kept = self.sessions.of(step);
        let session = session(self.runbook, registry, step, kept.as_ref(), &scope);
        let (Ok(with), Ok(session)) = (fill(step, plugin.as_ref(), registry, &scope), session) else {
            return (unknown_yet("what it is given"), None);
        };
        cx.session = session;
        match plugin.validate(&with, &cx).await {
            Ok(found) => {
                self.known_secrets
                    .learn_outputs(&id, &step.sensitive, &found.outputs);
                let mask = self.known_secrets.mask();
                match found.verdict {
                    Verdict::Satisfied => {
                        let outputs = mask.outputs(&sealed(&found.outputs, &step.sensitive));
                        (Forecast::InPlace, Some(outputs))
                    }
                    Verdict::Unsatisfied(reason) => (Forecast::ToDo(Some(mask.text(&reason))), None),
                    Verdict::Unknown => (Forecast::ToDo(None), None),
                }
            }
            Err(failure) => {
                let why = self.known_secrets.mask().text(&failure.message);
                (Forecast::CannotTell(why), None)
            }
        }
    }

    /// Why a step cannot be asked, where it needs a secret that is not known.
    fn lacks(&self, step: &Step) -> Option<String> {
        let asked = step.abilities.validates || step.when.is_some() || step.for_each.is_some();
        let lacking = step.secrets.iter().find(|name| match name {
            SecretName::Param(name) => !self.known_secrets.knows(&Secret::Param(name.clone())),
            // A plan hands no sensitive output on.
            SecretName::Output(..) => true,
        })?;
        asked.then(|| format!("it needs the secret `{lacking}`, which is not known"))
    }

    fn context(&self, step: &Step, instance: InstanceId, item: Option<Value>) -> Context {
        let Author { operator, host, .. } = self.author.clone();
        Context {
            run: RunFacts {
                id: None,
                name: String::new(),
                rehearsal: false,
                operator,
                host,
            },
            attempt: AttemptNo(1),
            purpose: Purpose::Plan,
            params: self.known_secrets.params(&self.params, step),
            steps: Arc::new(self.known.clone()),
            item,
            before: None,
            kept: None,
            outputs: None,
            cancel: CancellationToken::new(),
            transcript: Arc::new(Unheard {
                instance: instance.clone(),
                known: self.known_secrets.clone(),
                watcher: Arc::clone(&self.watcher),
            }),
            instance,
            files: Arc::new(PinnedFiles(Arc::new(self.runbook.files().clone()))),
            session: None,
            registry: self.runbook.registry().clone(),
            mask: self.known_secrets.mask(),
            world: None,
            token: String::new(),
        }
    }
}

fn unknown_yet(what: &str) -> Forecast {
    Forecast::CannotTell(format!("{what} depends on steps that are not carried out yet"))
}
