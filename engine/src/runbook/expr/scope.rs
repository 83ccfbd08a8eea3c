//! What an expression sees when it is evaluated.

use std::collections::BTreeMap;
use std::sync::Arc;

use rhai::{Dynamic, Map};
use serde_json::Value;

use super::names::Names;
use super::to_dynamic;
use crate::id::StepId;
use crate::step::{Context, Earlier, Outputs, RunFacts, StepFacts, dotted};

/// What an expression sees when it is evaluated.
#[derive(Debug, Clone)]
pub struct Scope {
    /// The parameters' values, by name.
    pub params: Arc<Value>,
    /// The steps that come before.
    pub steps: Arc<dyn Earlier>,
    /// The item, where the step fans out.
    pub item: Option<Value>,
    /// What was observed before the first attempt.
    pub before: Option<Value>,
    /// What the attempt gave.
    pub outputs: Option<Outputs>,
    /// The run.
    pub run: RunFacts,
    /// Names that a plugin adds.
    pub extra: BTreeMap<String, Value>,
}

impl Scope {
    /// What a step's context lets its expressions see.
    #[must_use]
    pub fn of(cx: &Context) -> Self {
        Self {
            params: Arc::clone(&cx.params),
            steps: Arc::clone(&cx.steps),
            item: cx.item.clone(),
            before: cx.before.clone(),
            outputs: cx.outputs.clone(),
            run: cx.run.clone(),
            extra: BTreeMap::new(),
        }
    }

    /// The variables that an expression names, and no others: converting values costs time.
    pub(super) fn variables(&self, names: &Names) -> Map {
        let mut variables = Map::new();
        for name in &names.top {
            let value = match (name.as_str(), self.extra.get(name)) {
                (_, Some(value)) => to_dynamic(value),
                ("params", None) => self.params(names),
                ("steps", None) => self.steps(names),
                ("item", None) => optional(self.item.as_ref()),
                ("before", None) => optional(self.before.as_ref()),
                ("outputs", None) => match &self.outputs {
                    Some(outputs) => map(outputs
                        .iter()
                        .map(|(name, value)| (name.as_str(), to_dynamic(value)))),
                    None => Dynamic::UNIT,
                },
                ("run", None) => self.run(),
                (_, None) => Dynamic::UNIT,
            };
            variables.insert(name.as_str().into(), value);
        }
        variables
    }

    fn params(&self, names: &Names) -> Dynamic {
        match &*self.params {
            Value::Object(params) if !names.every_param => {
                let named = names.params.iter().map(|name| name.as_str());
                map(named.filter_map(|name| Some((name, to_dynamic(params.get(name)?)))))
            }
            params => to_dynamic(params),
        }
    }

    fn steps(&self, names: &Names) -> Dynamic {
        let mut found = Map::new();
        let mut add = |id: &StepId, facts: &StepFacts| {
            let facts = map([
                ("status", facts.status.into()),
                ("outputs", to_dynamic(&facts.outputs)),
            ]);
            found.insert(dotted(id.as_str()).into(), facts.clone());
            found.insert(id.as_str().into(), facts);
        };
        if names.every_step {
            self.steps.all().for_each(|(id, facts)| add(&id, &facts));
        }
        for wanted in names.steps.iter().filter(|_| !names.every_step) {
            if let Some((id, facts)) = self.steps.find(wanted.as_str()) {
                add(&id, &facts);
            }
        }
        found.into()
    }

    fn run(&self) -> Dynamic {
        let run = &self.run;
        map([
            ("id", run.id.map_or(Dynamic::UNIT, |id| id.to_string().into())),
            ("name", run.name.as_str().into()),
            ("rehearsal", run.rehearsal.into()),
            ("operator", run.operator.as_str().into()),
            ("host", run.host.as_str().into()),
        ])
    }
}

fn optional(value: Option<&Value>) -> Dynamic {
    value.map_or(Dynamic::UNIT, to_dynamic)
}

fn map<'a>(entries: impl IntoIterator<Item = (&'a str, Dynamic)>) -> Dynamic {
    entries
        .into_iter()
        .map(|(name, value)| (name.into(), value))
        .collect::<Map>()
        .into()
}
