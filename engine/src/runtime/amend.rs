//! Amending a run: its definition is another one from there on.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::engine::{Engine, RuntimeError};
use super::run::{Run, Told};
use super::secrets::named;
use crate::core::{Act, Rejection, RunState};
use crate::id::ParamName;
use crate::runbook::{Given, Runbook, amendment, resolve_params};

impl Engine {
    /// What an act comes to that amends a run, and the definition that it leads to; any other act as it is. What the
    /// amendment says is read, and compared with what holds now, by whoever records or signs it; the state foresees it.
    pub(super) fn amending(
        &self,
        state: &mut RunState,
        now: &Runbook,
        act: Act,
    ) -> Result<(Act, Option<Arc<Runbook>>), RuntimeError> {
        let Act::Amend(wanted) = act else {
            return Ok((act, None));
        };
        let then = self.amended_from(state, &wanted)?;
        if then.name() != now.name() {
            return Err(RuntimeError::Rejected(Rejection::RunNotNow {
                is: "is of another runbook",
                act: "amended so",
                instead: "give the file of its own runbook, whose `runbook:` names it",
            }));
        }
        let params = new_params(state, &then, &wanted.params)?;
        let amended = amendment(now, &then, params, wanted.why);
        state.foresee(then.workflow());
        Ok((Act::Amend(Box::new(amended)), Some(then)))
    }
}

impl Run {
    /// Goes on by another definition, which the state has taken in.
    pub(super) fn adopt(&mut self, then: Arc<Runbook>) {
        self.named = named(&then);
        self.told = Told::new(&self.state);
        self.refused.clear();
        self.runbook = then;
    }
}

/// The values of the parameters that the run has not yet; all must be there and fit.
fn new_params(
    state: &RunState,
    then: &Runbook,
    given: &BTreeMap<ParamName, Value>,
) -> Result<BTreeMap<ParamName, Value>, RuntimeError> {
    let had = &state.started().params;
    let all = given.iter().chain(had);
    let all = all.filter(|(name, _)| then.params().contains_key(*name));
    let all = all.map(|(name, value)| (name.to_string(), Given::Value(value.clone())));
    let rehearsal = state.started().rehearsal.is_some();
    let resolved = resolve_params(then, all.collect(), rehearsal, None).map_err(RuntimeError::Definition)?;
    let new = resolved.values.into_iter();
    Ok(new.filter(|(name, _)| !had.contains_key(name)).collect())
}
