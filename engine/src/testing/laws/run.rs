//! The laws of the loop around the core: of calls, clocks and rest.

use jiff::Timestamp;

use super::history::History;
use super::{Broken, hold, instances};
use crate::core::{Entry, Event, Lacking, OnFailure, Phase, RunState, RunStatus, Work};
use crate::id::InstanceId;
use crate::step::Purpose;
use crate::testing::world::World;

/// The fold of the journal is the live state.
///
/// # Errors
/// When it is not.
pub fn live_state_is_the_journals(live: &RunState, folded: &RunState) -> Result<(), Broken> {
    hold(live == folded, || {
        "the live state is not the fold of the journal".to_owned()
    })
}

/// No effect without a durable intent.
///
/// # Errors
/// When the journal does not hold it.
pub fn intent_is_durable(journal: &[Entry], work: &Work) -> Result<(), Broken> {
    let intent = journal
        .iter()
        .find(|entry| entry.seq == work.of)
        .map(|entry| &entry.event);
    let fits = match (work.purpose, intent) {
        (Purpose::Run, Some(Event::AttemptStarted { instance, .. }))
        | (Purpose::Rollback, Some(Event::RollbackAttemptStarted { instance, .. }))
        | (
            Purpose::Before | Purpose::Doubt | Purpose::RollbackDoubt,
            Some(Event::ObservationStarted { instance }),
        )
        | (
            Purpose::After,
            Some(Event::AttemptReturned { instance, .. } | Event::Interrupted { instance, .. }),
        )
        | (
            Purpose::AfterRollback,
            Some(Event::RollbackReturned { instance, .. } | Event::Interrupted { instance, .. }),
        ) => *instance == work.instance,
        _ => false,
    };
    hold(fits, || {
        format!(
            "{:?} of `{}` has no intent in the journal",
            work.purpose, work.instance
        )
    })
}

/// Never two calls for one instance at once, and no undoing while anything is left that changes the world.
///
/// # Errors
/// When there is another one.
pub fn one_call_at_a_time<'a>(
    mut under_way: impl Iterator<Item = &'a Work>,
    work: &Work,
    world: &World,
) -> Result<(), Broken> {
    let twice = under_way.any(|other| other.instance == work.instance);
    hold(!twice, || format!("two calls for `{}`", work.instance))?;
    hold(!world.has_outlived(&work.instance), || {
        format!("a process of `{}` is left", work.instance)
    })?;
    let undoing = work.purpose == Purpose::Rollback;
    hold(!(undoing && world.any_outlived()), || {
        "undone while a process is left".to_owned()
    })
}

/// Whoever waits for `wake` misses no time-out, and no retry of what is undone unless nothing new starts any more.
///
/// # Errors
/// When something is due before that.
pub fn no_deadline_is_missed(
    state: &RunState,
    wake: Option<Timestamp>,
    lacking: &Lacking,
    draining: bool,
) -> Result<(), Broken> {
    for (ix, instance) in instances(state) {
        if let Phase::RollbackRetrying { at } = instance.phase
            && !draining
            && !state.is_withheld(ix, lacking)
        {
            hold(wake.is_some_and(|wake| wake <= at), || {
                format!("the next try at undoing `{}` would be missed", instance.id)
            })?;
        }
        let Some(activity) = instance.phase.activity() else {
            continue;
        };
        if state.is_held_up(ix, lacking) {
            continue;
        }
        let timeout = state.policy(ix).timeout.filter(|_| activity.stop.is_none());
        let end = timeout.and_then(|timeout| activity.since.checked_add(timeout).ok());
        let woken = end.is_none_or(|end| wake.is_some_and(|wake| wake <= end));
        hold(woken, || {
            format!("the time-out of `{}` would be missed", instance.id)
        })?;
    }
    Ok(())
}

/// An outcome that came already says nothing when it comes again.
///
/// # Errors
/// When it changed something.
pub fn late_outcome_is_ignored(before: &RunState, after: &RunState) -> Result<(), Broken> {
    hold(before == after, || "a late outcome was not ignored".to_owned())
}

/// What a worker says of a call that was taken over from it is not written down.
///
/// # Errors
/// When it is.
pub fn nothing_is_said_of(instance: &InstanceId, entries: &[Entry]) -> Result<(), Broken> {
    let outcome = entries.iter().find(|entry| {
        matches!(&entry.event,
            Event::Observed { instance: of, .. }
            | Event::ObservationFailed { instance: of, .. }
            | Event::AttemptReturned { instance: of, .. }
            | Event::AttemptFailed { instance: of, .. }
            | Event::Verified { instance: of, .. }
            | Event::Interrupted { instance: of, .. }
            | Event::RollbackReturned { instance: of, .. }
            | Event::RolledBack { instance: of, .. }
            | Event::RollbackFailed { instance: of, .. } if of == instance)
    });
    hold(outcome.is_none(), || {
        format!("a late outcome of `{instance}` was written: {outcome:?}")
    })
}

/// Nothing is under way and no clock is awaited: then the status does not say that the run goes on.
///
/// # Errors
/// When it does, or something is awaited that nobody sees to.
pub fn nothing_to_wait_for(state: &RunState) -> Result<(), Broken> {
    let status = state.status();
    let goes_on = matches!(status, RunStatus::Running | RunStatus::RollingBack);
    hold(!goes_on, || format!("{status:?}, but nothing will ever happen"))
}

/// The run has come to rest: what its steps ask for after a failure has happened.
///
/// # Errors
/// When it has not.
pub fn at_rest(state: &RunState, history: &History) -> Result<(), Broken> {
    nothing_to_wait_for(state)?;
    let due = !history.rule_obeyed && state.cancelled().is_none();
    let still_failed = instances(state).any(|(ix, found)| {
        found.phase == Phase::Failed && state.policy(ix).on_failure == OnFailure::Rollback
    });
    hold(!(due && still_failed), || {
        "a step that says `on_failure: rollback` failed".to_owned()
    })
}
