//! The machine on which an instance is carried out, where its step or its session names another than this one.

use std::collections::BTreeMap;
use std::sync::Arc;

use runbook_engine::core::{Instance, RunState};
use runbook_engine::id::Host;
use runbook_engine::runbook::Runbook;
use runbook_engine::runbook::expr::{Put, Scope, fill};
use runbook_engine::step::RunFacts;
use serde_json::{Map, Value};

use super::plain;

/// The kind of step that can be carried out on other machines, and the input that names one.
const ELSEWHERE: (&str, &str) = ("powershell", "on");

/// The machine, if one is named and its name can be told already: an item's is known once its step is opened.
pub(crate) fn host(state: &RunState, runbook: &Runbook, instance: &Instance) -> Option<String> {
    let step = runbook.step(instance.id.step())?;
    let (kind, input) = ELSEWHERE;
    if step.uses.as_str() != kind {
        return None;
    }
    let session = step
        .session
        .as_ref()
        .and_then(|name| runbook.sessions().get(name));
    let of_session = session.and_then(|session| session.with.get(input));
    let named = step.with.get(input).or(of_session)?;
    let filled = fill(named, &[], &scope(state, instance), Put::Plain).ok()?;
    let name = plain(filled.as_str()?.trim());
    (!name.is_empty()).then_some(name)
}

/// What the name of a machine may be made of; no secret is part of it.
fn scope(state: &RunState, instance: &Instance) -> Scope {
    let started = state.started();
    let params = started.params.iter();
    let params: Map<String, Value> = params
        .map(|(name, value)| (name.to_string(), value.clone()))
        .collect();
    Scope {
        params: Arc::new(Value::Object(params)),
        steps: state.before(instance.step),
        item: instance.item.clone(),
        before: None,
        outputs: None,
        run: RunFacts {
            id: Some(started.run),
            name: started.name(),
            rehearsal: started.rehearsal.is_some(),
            operator: state.operator().clone(),
            host: Host::new(""),
        },
        extra: BTreeMap::new(),
    }
}
