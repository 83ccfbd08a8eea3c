//! The secrets that a run's steps name and nobody has told yet, and what does not go on without them.

use std::collections::BTreeSet;

use super::engine::Engine;
use super::secrets::{Known, named};
use crate::core::{Barrier, Lacking, RunState, Turn, rests};
use crate::id::{InstanceId, RoleName};
use crate::runbook::Runbook;
use crate::secret::{Secret, SecretName};

/// A secret that is needed now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Which.
    pub secret: Secret,
    /// What cannot go on without it.
    pub by: InstanceId,
}

/// What a process does not know of a run's secrets.
pub(super) struct Unknown<'a> {
    pub(super) state: &'a RunState,
    pub(super) runbook: &'a Runbook,
    /// All secrets that its steps name.
    pub(super) named: &'a BTreeSet<SecretName>,
    pub(super) known: &'a Known,
}

impl Unknown<'_> {
    /// The secrets that are not known, of those that the steps name.
    pub(super) fn lacking(&self) -> Lacking {
        if self.state.started().rehearsal.is_some() {
            return Lacking::nothing();
        }
        let lacks = |name: &&SecretName| self.is_to_come(name) || self.of(name).next().is_some();
        self.named.iter().filter(lacks).cloned().collect()
    }

    /// Whether the step that gives an output has not done so, or does so anew.
    fn is_to_come(&self, name: &SecretName) -> bool {
        let SecretName::Output(step, _) = name else {
            return false;
        };
        let at = self.state.workflow().find(step.as_str());
        let instances = at.map_or(&[][..], |at| self.state.instances_of(at));
        instances
            .iter()
            .any(|&ix| !self.state.instance(ix).phase.is_settled())
    }

    /// What is unknown of a secret. An output is none before its step has given it.
    fn of<'a>(&'a self, name: &'a SecretName) -> impl Iterator<Item = Secret> + 'a {
        let param = match name {
            SecretName::Param(name) => Some(Secret::Param(name.clone())),
            SecretName::Output(..) => None,
        };
        let outputs = match name {
            SecretName::Param(_) => None,
            SecretName::Output(step, output) => {
                self.state.workflow().find(step.as_str()).map(|at| (at, output))
            }
        };
        let outputs = outputs.into_iter().flat_map(move |(at, output)| {
            let instances = self
                .state
                .instances_of(at)
                .iter()
                .map(|&ix| self.state.instance(ix));
            let given = instances.filter(move |instance| instance.outputs.get(output).is_some());
            given.map(move |instance| Secret::Output(instance.id.clone(), output.clone()))
        });
        param
            .into_iter()
            .chain(outputs)
            .filter(|secret| !self.known.knows(secret))
    }

    /// Each secret once, with the first that needs it, as the runbook declares them.
    pub(super) fn one_by_one(&self, needed: Vec<(InstanceId, SecretName)>) -> Vec<Wanted> {
        let mut wanted: Vec<Wanted> = Vec::new();
        for (by, name) in needed {
            for secret in self.of(&name) {
                if wanted.iter().all(|one| one.secret != secret) {
                    let by = by.clone();
                    wanted.push(Wanted { secret, by });
                }
            }
        }
        let place = |one: &Wanted| match &one.secret {
            Secret::Param(name) => self.runbook.params().get_index_of(name),
            Secret::Output(..) => None,
        };
        wanted.sort_by_key(|one| place(one).unwrap_or(usize::MAX));
        wanted
    }
}

impl Engine {
    /// The secrets without which nothing of a run goes on that nobody holds; none where something else does, or was
    /// cut off.
    #[must_use]
    pub fn rests_for(&self, state: &RunState, runbook: &Runbook) -> Vec<Wanted> {
        if !state.status().goes_on_by_itself() {
            return Vec::new();
        }
        // Nobody is asked for what may have no value.
        let known = Known::default();
        let optional = runbook.params().values().filter(|param| param.optional);
        optional.for_each(|param| known.learn(&Secret::Param(param.name.clone()), None));
        let unknown = Unknown {
            state,
            runbook,
            named: &named(runbook),
            known: &known,
        };
        let turn = self.author.turn(self.clock.now(), false, unknown.lacking());
        if rests(state, &turn) {
            unknown.one_by_one(state.withheld(&turn.lacking))
        } else {
            Vec::new()
        }
    }

    /// The role for want of which nothing of a run that nobody holds goes on, for whoever acted on it last; none where
    /// something else does, or was cut off.
    #[must_use]
    pub fn waits_for_role(&self, state: &RunState) -> Option<RoleName> {
        let operators = state.workflow().operators()?;
        if !state.status().goes_on_by_itself() || state.active().len() > 0 {
            return None;
        }
        let (now, last) = (self.clock.now(), state.operator());
        let key = operators.key_of(last, now);
        let lacking = state.lacking_for(last, key.as_ref(), now, Lacking::nothing());
        let turn = Turn {
            operator: last.clone(),
            key,
            ..self.author.turn(now, false, lacking)
        };
        let forbidden = state.forbidden_now(last, now, &turn.lacking).into_iter();
        let mut roles = forbidden.filter_map(|one| match one.barrier {
            Barrier::Role { role, .. } => Some(role),
            _ => None,
        });
        roles.next().filter(|_| rests(state, &turn))
    }
}
