//! Undoing: what is undone, in which order, and how far that is.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::apply::Misfit;
use super::event::{Entry, Event, Failure, RollbackScope};
use super::input::Rejection;
use super::instance::{Activity, Phase};
use super::lacking::Lacking;
use super::person;
use super::state::RunState;
use super::table::InstanceIx;
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
    let chosen: Option<BTreeSet<StepIx>> = match scope {
        RollbackScope::Run => None,
        RollbackScope::Steps(steps) => {
            let named: Vec<StepIx> = steps.iter().filter_map(|step| state.step_of(step)).collect();
            let mut chosen = dag.descendants(named.iter().copied());
            chosen.extend(named);
            let with: Vec<StepIx> = dag
                .order()
                .iter()
                .copied()
                .filter(|&step| is_undone_with(state, step, &chosen))
                .collect();
            chosen.extend(with);
            Some(chosen)
        }
    };
    let in_scope = |step: &StepIx| chosen.as_ref().is_none_or(|chosen| chosen.contains(step));
    let reversed = dag.order().iter().rev().copied().filter(in_scope);
    let changed = reversed
        .flat_map(|step| state.instances_of(step).iter().rev())
        .map(|&ix| (ix, state.instance(ix), state.policy(ix)))
        .filter(|(_, instance, policy)| instance.changed && !policy.abilities.read_only)
        .filter(|(ix, ..)| state.is_owed(*ix))
        .map(|(_, instance, policy)| (instance, policy));
    let (undo, left): (Vec<_>, Vec<_>) = changed.partition(|(_, policy)| policy.abilities.undoes);
    let ids =
        |rows: Vec<(&super::Instance, _)>| rows.iter().map(|(instance, _)| instance.id.clone()).collect();
    (ids(undo), ids(left))
}

/// Whether a step is undone with one of these.
fn is_undone_with(state: &RunState, step: StepIx, chosen: &BTreeSet<StepIx>) -> bool {
    let with = &state.workflow().step(step).undo_with;
    with.iter()
        .filter_map(|id| state.step_of(id))
        .any(|step| chosen.contains(&step))
}

/// What a rollback would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WouldUndo {
    /// What it would undo, in this order.
    pub undo: Vec<InstanceId>,
    /// What may have changed something but has no way back.
    pub left: Vec<InstanceId>,
}

impl RunState {
    /// What a rollback of this scope would do.
    ///
    /// # Errors
    /// When the run is being rolled back already, or has no such step.
    pub fn would_undo(&self, scope: &RollbackScope) -> Result<WouldUndo, Rejection> {
        person::has_way_back(self, scope)?;
        let (undo, left) = plan(self, scope);
        Ok(WouldUndo { undo, left })
    }

    /// Whether an instance that may be undone has to be: what is undone only with other steps has where one of these
    /// may have changed something, or where it could not be undone with them earlier.
    fn is_owed(&self, ix: InstanceIx) -> bool {
        let with = &self.policy(ix).undo_with;
        let mut others = with.iter().filter_map(|id| self.step_of(id));
        with.is_empty()
            || others.any(|step| {
                self.instances_of(step)
                    .iter()
                    .any(|&ix| self.instance(ix).changed)
            })
            || self.instance(ix).phase == Phase::RollbackFailed
    }

    /// Whether a rollback has been started and not everything in its plan is behind us.
    pub(super) fn is_rolling_back(&self) -> bool {
        self.rollback().and_then(Rollback::current).is_some()
    }

    /// Whether the rollback is at this instance.
    pub(super) fn is_current(&self, ix: InstanceIx) -> bool {
        self.rollback().and_then(Rollback::current) == Some(ix)
    }

    /// Whether the rollback may turn to this instance now.
    pub(super) fn is_next_to_undo(&self, ix: InstanceIx) -> bool {
        let instance = self.instance(ix);
        let possible = instance.changed && instance.phase.can_be_undone();
        possible && self.is_current(ix) && self.queues().active.is_empty()
    }

    /// Called when the current instance of the plan has been dealt with.
    pub(super) fn rollback_goes_on(&mut self, ix: InstanceIx) {
        if let Some(rollback) = &mut self.rollback
            && rollback.current() == Some(ix)
        {
            rollback.done += 1;
        }
    }

    /// A rollback begins.
    pub(super) fn start_rollback(&mut self, event: &Event) -> Result<(), Misfit> {
        let Event::RollbackStarted {
            scope,
            plan,
            left,
            why,
        } = event
        else {
            return Err(Misfit("it starts no rollback".to_owned()));
        };
        if self.is_rolling_back() || !self.queues().active.is_empty() {
            return Err(Misfit("something is under way".to_owned()));
        }
        let find = |ids: &[InstanceId]| ids.iter().map(|id| self.known(id)).collect::<Result<Vec<_>, _>>();
        let (plan, left) = (find(plan)?, find(left)?);
        // What it saw is not so any more when what comes before it is undone.
        self.look_again();
        for &ix in &plan {
            if !self.instance(ix).changed {
                return Err(Misfit(format!("`{}` has changed nothing", self.instance(ix).id)));
            }
            if self.instance(ix).phase == Phase::RollbackFailed {
                self.instance_mut(ix).all_tries_free();
                self.set_phase(ix, Phase::RollbackReady);
            }
        }
        let (scope, why) = (scope.clone(), why.clone());
        self.rollback = Some(Rollback {
            scope,
            why,
            plan,
            done: 0,
            left,
        });
        Ok(())
    }

    /// An instance is undone, or cannot be.
    pub(super) fn undo(&mut self, ix: InstanceIx, entry: &Entry) -> Result<(), Misfit> {
        let activity = Activity::new(entry.seq, entry.time);
        match (self.instance(ix).phase.clone(), &entry.event) {
            (from, Event::RollbackAttemptStarted { attempt, .. })
                if self.is_next_to_undo(ix) && *attempt == self.instance(ix).rollbacks.next() =>
            {
                let instance = self.instance_mut(ix);
                instance.since = None;
                instance.rollbacks = *attempt;
                if !matches!(from, Phase::RollbackReady | Phase::RollbackRetrying { .. }) {
                    instance.undone_from_whole = from == Phase::Succeeded;
                    instance.rollback_error = None;
                    instance.all_tries_free();
                }
                instance.first_try.get_or_insert(entry.time);
                self.take_in_hand(ix, entry.time);
                self.set_phase(ix, Phase::RollingBack(activity));
            }
            (Phase::RollingBack(_), Event::RollbackKept { what, .. }) => {
                self.instance_mut(ix).kept = Some(what.clone());
            }
            (Phase::RollingBack(_), Event::RollbackReturned { .. }) => {
                self.set_phase(ix, Phase::RollbackVerifying(activity));
            }
            (Phase::RollbackVerifying(_), Event::RolledBack { .. }) => self.undone(ix, entry.time),
            (
                Phase::RollingBack(_) | Phase::RollbackVerifying(_),
                Event::RollbackFailed { error, retry_at, .. },
            ) => self.undoing_failed(ix, error, *retry_at, entry.time),
            (other, _) => return Err(self.misfit(ix, &other)),
        }
        Ok(())
    }

    /// A try at undoing it failed.
    fn undoing_failed(
        &mut self,
        ix: InstanceIx,
        error: &Failure,
        retry_at: Option<Timestamp>,
        time: Timestamp,
    ) {
        self.instance_mut(ix).failures += 1;
        self.not_undone(ix, error.clone(), time);
        if let Some(at) = retry_at {
            self.instance_mut(ix).ended = None;
            self.set_phase(ix, Phase::RollbackRetrying { at });
        }
    }

    /// When the next try at undoing is due, if that is what the rollback waits for.
    pub(super) fn next_undo(&self, lacking: &Lacking) -> Option<Timestamp> {
        let ix = self.rollback()?.current()?;
        match self.instance(ix).phase {
            Phase::RollbackRetrying { at } if !self.is_withheld(ix, lacking) => Some(at),
            _ => None,
        }
    }

    pub(super) fn not_undone(&mut self, ix: InstanceIx, error: Failure, time: Timestamp) {
        let instance = self.instance_mut(ix);
        instance.rollback_error.get_or_insert(error);
        instance.undone_from_whole = false;
        self.rest(ix, Phase::RollbackFailed, time);
    }

    pub(super) fn undone(&mut self, ix: InstanceIx, time: Timestamp) {
        let instance = self.instance_mut(ix);
        instance.changed = false;
        instance.returned = false;
        instance.approval = None;
        instance.sent_back = None;
        instance.done_before = false;
        instance.outputs = Arc::new(Value::Null);
        instance.kept = None;
        self.rest(ix, Phase::RolledBack, time);
        self.rollback_goes_on(ix);
    }
}
