//! What follows from the state by itself: one event at a time, until nothing more does.

use super::Turn;
use super::event::{DoubtRuling, Event, Need, Outputs, RollbackScope, StopReason};
use super::instance::{Doubt, Phase};
use super::rollback;
use super::state::RunState;
use super::table::InstanceIx;
use crate::id::InstanceId;

/// The next event that follows, if any.
pub(super) fn advance(state: &RunState, turn: &Turn) -> Option<Event> {
    if state.is_rolling_back() {
        return if turn.draining {
            None
        } else {
            undo_one(state, turn)
        };
    }
    if state.cancelled().is_some() {
        return stop_one(state);
    }
    if turn.draining || state.rollback().is_some() {
        return None;
    }
    attempt_observed(state, turn)
        .or_else(|| settle_one(state, turn))
        .or_else(|| roll_back_by_rule(state))
        .or_else(|| open_one(state))
        .or_else(|| start_one(state, turn))
}

/// A cancelled run: everything under way is told to stop.
fn stop_one(state: &RunState) -> Option<Event> {
    let going_on = |ix: &&InstanceIx| {
        let call = state.instance(**ix).phase.activity();
        call.is_some_and(|call| call.stop.is_none())
    };
    let ix = *state.queues().active.iter().find(going_on)?;
    Some(Event::StopRequested {
        instance: id(state, ix),
        reason: StopReason::Cancelled,
    })
}

fn attempt_observed(state: &RunState, turn: &Turn) -> Option<Event> {
    // Whoever looked has room for the attempt; another worker may have none.
    if turn.lacking.worker().is_some() && !state.has_room(&turn.lacking) {
        return None;
    }
    let mut observed = state.queues().observed.iter();
    // What must be approved is described first, which is an effect.
    let free = |ix| !state.is_withheld(ix, &turn.lacking) && state.policy(ix).approve.is_none();
    let ix = *observed.find(|&&ix| free(ix))?;
    state.may_start(ix).then(|| attempt(state, ix))
}

fn attempt(state: &RunState, ix: InstanceIx) -> Event {
    let attempt = state.instance(ix).attempts.next();
    Event::AttemptStarted {
        instance: id(state, ix),
        attempt,
    }
}

/// The first doubt that can be looked into, or settled by the rules.
fn settle_one(state: &RunState, turn: &Turn) -> Option<Event> {
    let mut in_doubt = state.queues().in_doubt.iter();
    in_doubt.find_map(|&ix| settle(state, ix, turn))
}

/// Nothing while processes may be left, and nothing that needs a slot while there is none.
fn settle(state: &RunState, ix: InstanceIx, turn: &Turn) -> Option<Event> {
    let (Phase::InDoubt(doubt) | Phase::RollbackInDoubt(doubt)) = &state.instance(ix).phase else {
        return None;
    };
    if !doubt.cleared {
        return None;
    }
    let (policy, instance) = (state.policy(ix), id(state, ix));
    if policy.abilities.validates {
        let look = Event::ObservationStarted { instance };
        (state.has_room(&turn.lacking) && !state.is_withheld(ix, &turn.lacking)).then_some(look)
    } else if policy.may_be_repeated() {
        let again = Event::DoubtSettled {
            instance,
            ruling: DoubtRuling::Repeat,
            outputs: Outputs::new(),
        };
        state.has_room(&turn.lacking).then_some(again)
    } else {
        let need = Need::Decision;
        Some(Event::PersonNeeded { instance, need })
    }
}

/// A failure whose step says `on_failure: rollback`, once nothing is under way and no doubt is open that the
/// rules can settle. What waits for a person does not hold it up: it is undone too if it may have changed
/// something.
fn roll_back_by_rule(state: &RunState) -> Option<Event> {
    let failed = *state.queues().undoing.first()?;
    if state.is_busy() {
        return None;
    }
    let why = format!("`{}` failed, and its `on_failure` says so", id(state, failed));
    let scope = RollbackScope::Run;
    let (plan, left) = rollback::plan(state, &scope);
    Some(Event::RollbackStarted {
        scope,
        plan,
        left,
        why,
    })
}

/// A step that has neither `when` nor `for_each` is opened as soon as its needs are settled.
fn open_one(state: &RunState) -> Option<Event> {
    if !state.may_open() {
        return None;
    }
    let at = *state.queues().to_open.first()?;
    let step = state.workflow().step(at).id.clone();
    Some(Event::StepOpened { step, items: None })
}

/// The first instance that may start: there is room, its locks are free, its time has come.
fn start_one(state: &RunState, turn: &Turn) -> Option<Event> {
    if !state.may_open() {
        return None;
    }
    let ix = state.next_to_start(turn.now, &turn.lacking)?;
    let policy = state.policy(ix);
    if state.needs_word(ix) {
        let (instance, need) = (id(state, ix), Need::Decision);
        Some(Event::PersonNeeded { instance, need })
    } else if policy.looks_first() {
        let instance = id(state, ix);
        Some(Event::ObservationStarted { instance })
    } else if policy.approve.is_some() {
        None
    } else {
        Some(begin(state, ix))
    }
}

/// An instance is carried out that needs no look before, or had one.
pub(super) fn begin(state: &RunState, ix: InstanceIx) -> Event {
    if state.policy(ix).abilities.by_person {
        let (instance, need) = (id(state, ix), Need::ManualWork);
        Event::PersonNeeded { instance, need }
    } else {
        attempt(state, ix)
    }
}

/// The rollback's next act: strictly one after the other, and none while a process may be left that still
/// changes what is to be undone.
fn undo_one(state: &RunState, turn: &Turn) -> Option<Event> {
    let queues = state.queues();
    let outlived = |ix: &InstanceIx| {
        let phase = &state.instance(*ix).phase;
        matches!(
            phase,
            Phase::InDoubt(Doubt { cleared: false, .. })
                | Phase::RollbackInDoubt(Doubt { cleared: false, .. })
        )
    };
    if !queues.active.is_empty() || queues.in_doubt.iter().any(outlived) {
        return None;
    }
    let ix = state.rollback()?.current()?;
    let instance = id(state, ix);
    match &state.instance(ix).phase {
        Phase::RollbackInDoubt(_) => settle(state, ix, turn),
        phase if !phase.can_be_undone() => None,
        Phase::RollbackRetrying { at } if *at > turn.now => None,
        _ if state.policy(ix).abilities.by_person => {
            let need = Need::ManualWork;
            Some(Event::PersonNeeded { instance, need })
        }
        _ if state.is_withheld(ix, &turn.lacking) => None,
        _ => Some(Event::RollbackAttemptStarted {
            instance,
            attempt: state.instance(ix).rollbacks.next(),
        }),
    }
}

fn id(state: &RunState, ix: InstanceIx) -> InstanceId {
    state.instance(ix).id.clone()
}
