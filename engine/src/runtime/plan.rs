//! What carrying a runbook out would do: every step that can answer now is asked, and nothing is touched.

use std::collections::BTreeMap;
use std::sync::Arc;

use rpds::RedBlackTreeMapSync;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::call::fill;
use super::engine::{Author, PinnedFiles};
use super::mask::Mask;
use super::sessions::{Sessions, session};
use crate::core::event::{ProcessMark, Verdict};
use crate::id::{AttemptNo, InstanceId, ParamName, StepId};
use crate::runbook::expr::{self, Scope};
use crate::runbook::{Runbook, Step};
use crate::step::{Context, Purpose, RunFacts, StepFacts, Transcriber};

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
    params: Arc<Value>,
    mask: Mask,
    known: RedBlackTreeMapSync<StepId, StepFacts>,
    rows: BTreeMap<StepId, Vec<Planned>>,
    sessions: Sessions,
}

impl Runbook {
    /// Asks every step that can answer now, in order. The rows are in the runbook's order.
    pub async fn plan(
        &self,
        author: &Author,
        params: &BTreeMap<ParamName, Value>,
        secrets: &BTreeMap<ParamName, String>,
    ) -> Vec<Planned> {
        let plain = params
            .iter()
            .map(|(name, value)| (name.to_string(), value.clone()));
        let hidden = secrets
            .iter()
            .map(|(name, value)| (name.to_string(), Value::String(value.clone())));
        let mut planner = Planner {
            runbook: self,
            author,
            params: Arc::new(Value::Object(plain.chain(hidden).collect())),
            mask: Mask::new(secrets.values().map(String::as_str)),
            known: RedBlackTreeMapSync::new_sync(),
            rows: BTreeMap::new(),
            sessions: Sessions::default(),
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
        let scope = Scope::of(&self.context(whole.clone(), None));
        let row = |forecast| {
            vec![Planned {
                id: whole.clone(),
                forecast,
            }]
        };
        if let Some(why) = &step.skip {
            return self.skipped(step, why.clone());
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
            Some(Ok(items)) if items.iter().any(|item| self.mask.hides(&item.value)) => {
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
        if !plugin.doc().available {
            let why = format!(
                "this version cannot ask `{}` steps; it can rehearse them",
                step.uses
            );
            return (Forecast::CannotTell(why), None);
        }
        if !step.abilities.validates {
            return (Forecast::ToDo(None), None);
        }
        let mut cx = self.context(id, item);
        let scope = Scope::of(&cx);
        let kept = self.sessions.of(step);
        let session = session(self.runbook, self.runbook.registry(), step, kept.as_ref(), &scope);
        let (Ok(with), Ok(session)) = (fill(step, plugin.as_ref(), &scope), session) else {
            return (unknown_yet("what it is given"), None);
        };
        cx.session = session;
        match plugin.validate(&with, &cx).await {
            Ok(found) => match found.verdict {
                Verdict::Satisfied => (Forecast::InPlace, Some(self.mask.outputs(&found.outputs))),
                Verdict::Unsatisfied(reason) => (Forecast::ToDo(Some(self.mask.text(&reason))), None),
                Verdict::Unknown => (Forecast::ToDo(None), None),
            },
            Err(failure) => (Forecast::CannotTell(self.mask.text(&failure.message)), None),
        }
    }

    fn context(&self, instance: InstanceId, item: Option<Value>) -> Context {
        let Author { operator, host, .. } = self.author.clone();
        Context {
            run: RunFacts {
                id: None,
                name: String::new(),
                rehearsal: false,
                operator,
                host,
            },
            instance,
            attempt: AttemptNo(1),
            purpose: Purpose::Plan,
            params: Arc::clone(&self.params),
            steps: Arc::new(self.known.clone()),
            item,
            before: None,
            outputs: None,
            cancel: CancellationToken::new(),
            transcript: Arc::new(Unheard),
            files: Arc::new(PinnedFiles(Arc::new(self.runbook.files().clone()))),
            session: None,
            registry: self.runbook.registry().clone(),
            token: String::new(),
        }
    }
}

fn unknown_yet(what: &str) -> Forecast {
    Forecast::CannotTell(format!("{what} depends on steps that are not carried out yet"))
}

/// Nobody keeps what steps print while planning.
struct Unheard;

impl Transcriber for Unheard {
    fn write(&self, _stream: &'static str, _bytes: &[u8]) {}

    fn process_started(&self, _process: ProcessMark) {}
}
