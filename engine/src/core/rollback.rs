//! Undoing: what is undone, in which order, and how far that is.

use super::event::{RollbackScope, Verdict};
use super::instance::Phase;
use super::state::{InstanceIx, RunState};
use crate::id::InstanceId;
use crate::runbook::graph::StepIx;

/// A rollback, from its plan to its end.
#[derive(Debug, Clone, PartialEq)]
pub struct Rollback {
    /// What was asked for.
    pub scope: RollbackScope,
    /// Why.
    pub why: String,
    /// What is undone, in this order.
    pub plan: Vec<InstanceIx>,
    /// How many of these are behind us.
    pub done: usize,
    /// What may have changed something but has no way back.
    pub left: Vec<InstanceIx>,
}

impl Rollback {
    /// What is undone next; none when all is.
    #[must_use]
    pub fn current(&self) -> Option<InstanceIx> {
        self.plan.get(self.done).copied()
    }
}

/// What a rollback of this scope undoes, in order, and what it must leave in place: instances that may have
/// changed something, in reverse order of the graph, with all that depends on a chosen step.
pub(super) fn plan(state: &RunState, scope: &RollbackScope) -> (Vec<InstanceId>, Vec<InstanceId>) {
    let dag = state.workflow().dag();
    let chosen: Option<Vec<StepIx>> = match scope {
        RollbackScope::Run => None,
        RollbackScope::Steps(steps) => {
            let named: Vec<StepIx> = steps.iter().filter_map(|step| state.step_of(step)).collect();
            Some(
                dag.descendants(named.iter().copied())
                    .into_iter()
                    .chain(named)
                    .collect(),
            )
        }
    };
    let in_scope = |step: &StepIx| chosen.as_ref().is_none_or(|chosen| chosen.contains(step));
    let reversed = dag.order().iter().rev().copied().filter(in_scope);
    let changed = reversed
        .flat_map(|step| state.instances_of(step).iter().rev())
        .map(|&ix| (state.instance(ix), state.policy(ix)))
        .filter(|(instance, policy)| instance.changed && !policy.abilities.read_only);
    let (undo, left): (Vec<_>, Vec<_>) = changed.partition(|(_, policy)| policy.abilities.undoes);
    let ids =
        |rows: Vec<(&super::Instance, _)>| rows.iter().map(|(instance, _)| instance.id.clone()).collect();
    (ids(undo), ids(left))
}

impl RunState {
    /// Whether a rollback has been started and not everything in its plan is behind us.
    pub(super) fn is_rolling_back(&self) -> bool {
        self.rollback
            .as_ref()
            .is_some_and(|rollback| rollback.current().is_some())
    }

    /// Called when the current instance of the plan has been dealt with.
    pub(super) fn rollback_goes_on(&mut self, ix: InstanceIx) {
        if let Some(rollback) = &mut self.rollback
            && rollback.current() == Some(ix)
        {
            rollback.done += 1;
        }
    }
}

/// Whether an observation after undoing says that the outcome is gone, and otherwise what is wrong.
pub(super) fn is_undone(verdict: &Verdict) -> Result<(), &'static str> {
    match verdict {
        Verdict::Unsatisfied(_) | Verdict::Unknown => Ok(()),
        Verdict::Satisfied => Err("it returned success, but `validate` still finds the outcome in place"),
    }
}

/// Whether the phase is one in which an instance of a plan is being dealt with.
pub(super) fn under_way(phase: &Phase) -> bool {
    matches!(
        phase,
        Phase::RollingBack(_)
            | Phase::RollbackVerifying(_)
            | Phase::RollbackInDoubt(_)
            | Phase::RollbackWaiting(_)
            | Phase::RollbackFailed
            | Phase::Observing { .. }
    )
}
