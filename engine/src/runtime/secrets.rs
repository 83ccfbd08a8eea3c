//! What is secret in a run: known to the steps that name it, and to nothing that is kept or shown.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::core::event::{Handing, Outputs};
use crate::core::{Act, RunState};
use crate::id::{InstanceId, ParamName, StepId};
use crate::runbook::{Runbook, Step};
use crate::secret::{Mask, Secret, SecretName};
use crate::step::{Earlier, StepFacts};

/// What the journal holds in place of a sensitive output, and what people read where a secret would stand.
pub const SEALED: &str = "******";

/// The secrets that this process knows; shared by all that may learn or need one.
#[derive(Clone, Default)]
pub(super) struct Known(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    /// An optional parameter may be known to have no value.
    params: BTreeMap<ParamName, Option<String>>,
    outputs: BTreeMap<(InstanceId, String), Value>,
    mask: Mask,
}

impl Inner {
    fn renew_mask(&mut self) {
        let mut texts = Vec::new();
        self.outputs
            .values()
            .for_each(|value| texts_in(value, &mut texts));
        let params = self.params.values().flatten().map(String::as_str);
        self.mask = Mask::new(params.chain(texts.iter().map(String::as_str)));
    }
}

/// All texts in a value, by which it could be recognised.
fn texts_in(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) => texts.push(text.clone()),
        Value::Number(number) => texts.push(number.to_string()),
        Value::Array(items) => items.iter().for_each(|item| texts_in(item, texts)),
        Value::Object(fields) => fields.values().for_each(|value| texts_in(value, texts)),
        Value::Null | Value::Bool(_) => {}
    }
}

impl Known {
    pub(super) fn of_params(params: &BTreeMap<ParamName, Option<String>>) -> Self {
        let known = Self::default();
        let mut inner = known.lock();
        inner.params = params.clone();
        inner.renew_mask();
        drop(inner);
        known
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn mask(&self) -> Mask {
        self.lock().mask.clone()
    }

    /// Learns what a secret is, or that it has no value.
    pub(super) fn learn(&self, secret: &Secret, value: Option<String>) {
        let mut inner = self.lock();
        match secret {
            Secret::Param(name) => drop(inner.params.insert(name.clone(), value)),
            Secret::Output(instance, output) => {
                let value = value.map_or(Value::Null, Value::String);
                inner.outputs.insert((instance.clone(), output.clone()), value);
            }
        }
        inner.renew_mask();
    }

    /// Learns the sensitive ones of an instance's outputs.
    pub(super) fn learn_outputs(&self, instance: &InstanceId, sensitive: &[String], outputs: &Outputs) {
        let found = sensitive
            .iter()
            .filter_map(|name| Some((name, outputs.get(name)?)));
        let mut found = found.peekable();
        if found.peek().is_none() {
            return;
        }
        let mut inner = self.lock();
        for (name, value) in found {
            inner
                .outputs
                .insert((instance.clone(), name.clone()), value.clone());
        }
        inner.renew_mask();
    }

    pub(super) fn knows(&self, secret: &Secret) -> bool {
        let inner = self.lock();
        match secret {
            Secret::Param(name) => inner.params.contains_key(name),
            Secret::Output(instance, output) => {
                inner.outputs.contains_key(&(instance.clone(), output.clone()))
            }
        }
    }

    /// The parameters as a step may see them: of the secrets only those that it names.
    pub(super) fn params(&self, plain: &Arc<Value>, step: &Step) -> Arc<Value> {
        let (inner, mut params) = (self.lock(), Arc::clone(plain));
        for name in &step.secrets {
            if let SecretName::Param(name) = name
                && let Some(value) = inner.params.get(name)
                && let Value::Object(all) = Arc::make_mut(&mut params)
            {
                let value = value.clone().map_or(Value::Null, Value::String);
                all.insert(name.to_string(), value);
            }
        }
        params
    }

    /// What is known of the steps before this one, with the sensitive outputs that it names.
    pub(super) fn earlier(&self, steps: Arc<dyn Earlier>, step: &Step) -> Arc<dyn Earlier> {
        let inner = self.lock();
        let is_named = |(instance, output): &(InstanceId, String)| {
            let name = SecretName::Output(instance.step().clone(), output.clone());
            step.secrets.contains(&name)
        };
        let named = inner.outputs.iter().filter(|(key, _)| is_named(key));
        let outputs: Vec<SensitiveOutput> = named.map(|(key, value)| (key.clone(), value.clone())).collect();
        if outputs.is_empty() {
            return steps;
        }
        Arc::new(WithSecrets { steps, outputs })
    }

    /// An instance's own outputs as its rollback may see them: a sensitive one that is not known is not there.
    pub(super) fn own_outputs(&self, instance: &InstanceId, step: &Step, mut outputs: Outputs) -> Outputs {
        let inner = self.lock();
        for name in &step.sensitive {
            match inner.outputs.get(&(instance.clone(), name.clone())) {
                Some(value) if outputs.contains_key(name) => {
                    drop(outputs.insert(name.clone(), value.clone()));
                }
                _ => drop(outputs.remove(name)),
            }
        }
        outputs
    }

    /// What a person does, without the secrets in it.
    pub(super) fn masked_act(&self, act: &Act, runbook: &Runbook) -> Act {
        let sensitive = match act {
            Act::Confirm { instance, values, .. } => {
                let sensitive = runbook
                    .step(instance.step())
                    .map_or(&[][..], |step| &step.sensitive);
                self.learn_outputs(instance, sensitive, values);
                sensitive
            }
            Act::Tick { .. }
            | Act::Decide { .. }
            | Act::Approve { .. }
            | Act::Reject { .. }
            | Act::SendBack { .. }
            | Act::Hand(_)
            | Act::Amend(_)
            | Act::Cancel { .. }
            | Act::Rollback { .. } => &[],
        };
        let (mask, mut act) = (self.mask(), act.clone());
        match &mut act {
            Act::Tick { item, .. } => *item = mask.text(item),
            Act::Confirm { values, note, .. } => {
                *values = mask.outputs(&sealed(values, sensitive));
                *note = note.as_deref().map(|note| mask.text(note));
            }
            Act::Approve { note, .. }
            | Act::Hand(Handing::Offered { note, .. } | Handing::MovedOut { note, .. }) => {
                *note = note.as_deref().map(|note| mask.text(note));
            }
            Act::Amend(amended) => amended.why = mask.text(&amended.why),
            Act::Hand(Handing::TakenBack | Handing::Accepted | Handing::MovedIn | Handing::Shared) => {}
            Act::Decide { why, .. }
            | Act::Reject { why, .. }
            | Act::SendBack { why, .. }
            | Act::Hand(Handing::TakenOver { why })
            | Act::Cancel { why }
            | Act::Rollback { why, .. } => {
                *why = mask.text(why);
            }
        }
        act
    }
}

/// A sensitive output: whose, which, and its value.
type SensitiveOutput = ((InstanceId, String), Value);

/// The steps before one, with sensitive outputs in their places.
struct WithSecrets {
    steps: Arc<dyn Earlier>,
    outputs: Vec<SensitiveOutput>,
}

impl fmt::Debug for WithSecrets {
    /// Without the values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} with {} secrets", self.steps, self.outputs.len())
    }
}

impl WithSecrets {
    fn filled(&self, (id, mut facts): (StepId, StepFacts)) -> (StepId, StepFacts) {
        for ((instance, output), value) in &self.outputs {
            if *instance.step() != id {
                continue;
            }
            let all = Arc::make_mut(&mut facts.outputs);
            let own = match instance.item() {
                None => Some(all),
                Some(item) => all.get_mut(item.as_str()),
            };
            if let Some(Value::Object(own)) = own {
                own.insert(output.clone(), value.clone());
            }
        }
        (id, facts)
    }
}

impl Earlier for WithSecrets {
    fn find(&self, name: &str) -> Option<(StepId, StepFacts)> {
        self.steps.find(name).map(|found| self.filled(found))
    }

    fn all(&self) -> Box<dyn Iterator<Item = (StepId, StepFacts)> + Send + '_> {
        Box::new(self.steps.all().map(|found| self.filled(found)))
    }
}

/// The outputs without those that are sensitive.
pub(super) fn sealed(outputs: &Outputs, sensitive: &[String]) -> Outputs {
    let mut outputs = outputs.clone();
    for name in sensitive {
        if let Some(value) = outputs.get_mut(name) {
            *value = SEALED.into();
        }
    }
    outputs
}

/// The parameters as a person may see them, who is shown no secret.
pub(super) fn shown_params(state: &RunState, runbook: &Runbook) -> Value {
    let params = state.started().params.iter();
    let params = params.map(|(name, value)| (name.to_string(), value.clone()));
    let secrets = runbook.params().values().filter(|param| param.is_secret());
    let secrets = secrets.map(|param| (param.name.to_string(), Value::from(SEALED)));
    Value::Object(params.chain(secrets).collect())
}

/// All secrets that a runbook's steps name.
pub(super) fn named(runbook: &Runbook) -> BTreeSet<SecretName> {
    let steps = runbook.steps().values();
    steps.flat_map(|step| step.secrets.iter().cloned()).collect()
}
