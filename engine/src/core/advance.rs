//! What follows from the state by itself: one event at a time, until nothing more does.

use jiff::Timestamp;

use super::Turn;
use super::event::{DoubtRuling, Event, Need, Outputs, RollbackScope, StopReason};
use super::instance::{Doubt, Phase};
use super::rollback;
use super::state::{InstanceIx, RunState};
use super::workflow::OnFailure;
use crate::id::InstanceId;

/// The next event that follows, if any.
pub(super) fn advance(state: &RunState, turn: &Turn) -> Option<Event> {
    if state.cancelled().is_some() && !state.is_rolling_back() {
        return stop_one(state);
    }
    if turn.draining {
        return None;
    }
    if state.is_rolling_back() {
        return undo_one(state);
    }
    if state.rollback().is_some() {
        return None;
    }
    settle_one(state)
        .or_else(|| attempt_observed(state))
        .or_else(|| roll_back_by_rule(state))
        .or_else(|| open_one(state))
        .or_else(|| start_one(state, turn.now))
}

/// A cancelled run: everything under way is told to stop.
fn stop_one(state: &RunState) -> Option<Event> {
    let going_on = |ix: &&InstanceIx| {
        state
            .instance(**ix)
            .phase
            .activity()
            .is_some_and(|call| call.stop.is_none())
    };
    let ix = state.queues().active.iter().find(going_on)?;
    Some(Event::StopRequested {
        instance: state.instance(*ix).id.clone(),
        reason: StopReason::Cancelled,
    })
}

/// A doubt whose processes are gone is looked into, or settled by the rules.
fn settle_one(state: &RunState) -> Option<Event> {
    let cleared = |ix: &&InstanceIx| {
        matches!(
            &state.instance(**ix).phase,
            Phase::InDoubt(Doubt { cleared: true, .. }) | Phase::RollbackInDoubt(Doubt { cleared: true, .. })
        )
    };
    let ix = *state.queues().in_doubt.iter().find(cleared)?;
    let (policy, instance) = (state.policy(ix), state.instance(ix).id.clone());
    Some(if policy.abilities.validates {
        Event::ObservationStarted { instance }
    } else if policy.may_be_repeated() {
        Event::DoubtSettled {
            instance,
            ruling: DoubtRuling::Again,
            outputs: Outputs::new(),
        }
    } else {
        Event::PersonNeeded {
            instance,
            need: Need::Decision,
        }
    })
}

fn attempt_observed(state: &RunState) -> Option<Event> {
    state.queues().observed.first().map(|&ix| attempt(state, ix))
}

fn attempt(state: &RunState, ix: InstanceIx) -> Event {
    let instance = state.instance(ix);
    Event::AttemptStarted {
        instance: instance.id.clone(),
        attempt: instance.attempts.next(),
    }
}

/// A failure whose step says `on_failure: rollback`, once nothing is under way any more.
fn roll_back_by_rule(state: &RunState) -> Option<Event> {
    if state.is_busy() {
        return None;
    }
    let undoes = |ix: &&InstanceIx| state.policy(**ix).on_failure == OnFailure::Rollback;
    let failed = state.queues().failed.iter().find(undoes)?;
    let why = format!(
        "`{}` failed, and its `on_failure` says so",
        state.instance(*failed).id
    );
    let (plan, left) = rollback::plan(state, &RollbackScope::Run);
    Some(Event::RollbackStarted {
        scope: RollbackScope::Run,
        plan,
        left,
        why,
    })
}

/// A step that has neither `when` nor `for_each` is opened as soon as its needs are settled.
fn open_one(state: &RunState) -> Option<Event> {
    if state.is_halted() {
        return None;
    }
    let plain = |at: &&crate::runbook::graph::StepIx| {
        let policy = state.workflow().step(**at);
        !policy.conditional && !policy.fans_out
    };
    let at = state.queues().to_open.iter().find(plain)?;
    Some(Event::StepOpened {
        step: state.workflow().step(*at).id.clone(),
        items: None,
    })
}

/// The first instance that may start: there is room, its locks are free, its time has come.
fn start_one(state: &RunState, now: Timestamp) -> Option<Event> {
    if state.is_halted() {
        return None;
    }
    let due = |ix: &&InstanceIx| matches!(state.instance(**ix).phase, Phase::Retrying { at } if at <= now);
    let room = state.queues().active.len() < state.jobs as usize;
    let may_start =
        |ix: &&InstanceIx| state.may_start(**ix) && (room || state.policy(**ix).abilities.by_person);
    if !room && !state.waits_for_people() {
        return None;
    }
    let mut due_or_ready = state
        .queues()
        .retrying
        .iter()
        .filter(due)
        .chain(&state.queues().ready);
    let ix = *due_or_ready.find(may_start)?;
    let (policy, instance) = (state.policy(ix), state.instance(ix).id.clone());
    Some(if policy.abilities.by_person {
        Event::PersonNeeded {
            instance,
            need: Need::ManualWork,
        }
    } else if policy.abilities.validates {
        Event::ObservationStarted { instance }
    } else {
        attempt(state, ix)
    })
}

/// The rollback's next act: strictly one after the other.
fn undo_one(state: &RunState) -> Option<Event> {
    if let Some(event) = settle_one(state) {
        return Some(event);
    }
    if !state.queues().active.is_empty() {
        return None;
    }
    let ix = state.rollback()?.current()?;
    let phase = &state.instance(ix).phase;
    let instance: InstanceId = state.instance(ix).id.clone();
    match phase {
        Phase::InDoubt(Doubt { cleared: false, .. }) => None,
        phase if rollback::under_way(phase) => None,
        _ if state.policy(ix).abilities.by_person => Some(Event::PersonNeeded {
            instance,
            need: Need::ManualWork,
        }),
        _ => Some(Event::RollbackAttemptStarted {
            instance,
            attempt: state.instance(ix).rollbacks.next(),
        }),
    }
}
