//! What should be under way now, as data: the shell starts what is not, and stops what should not be.

use jiff::Timestamp;

use super::event::ProcessMark;
use super::instance::{Asks, Doubt, Phase};
use super::lacking::Lacking;
use super::outcome::later;
use super::state::RunState;
use super::table::InstanceIx;
use crate::id::{InstanceId, Seq, StepId};
use crate::step::Purpose;

/// Something to be done outside the core.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Evaluate a step's `when` and `for_each`.
    Evaluate {
        /// The step.
        step: StepId,
    },
    /// Work out what exactly would be carried out, so that it can be approved.
    Describe {
        /// The instance.
        instance: InstanceId,
    },
    /// Call a plugin.
    Call(Work),
    /// See to it that no process of an interrupted activity is left: wait for it, or end it.
    ClearProcess {
        /// The instance.
        instance: InstanceId,
        /// The entry that started the activity.
        of: Seq,
        /// The process that is known of.
        process: Option<ProcessMark>,
        /// Until when it may be waited for, if its step has a time-out.
        until: Option<Timestamp>,
    },
}

/// A call of a plugin.
#[derive(Debug, Clone, PartialEq)]
pub struct Work {
    /// The instance.
    pub ix: InstanceIx,
    /// Its id.
    pub instance: InstanceId,
    /// The entry that started it: the intent that must be durable, and the key of its transcript.
    pub of: Seq,
    /// What is called, and why.
    pub purpose: Purpose,
    /// It should stop.
    pub stop: bool,
}

/// The most evaluations that are asked for at a time: more follow when these are answered, and the list of
/// effects stays short however many steps are free at once.
const EVALUATIONS_AT_ONCE: usize = 16;

/// All that should be under way in this state, as far as the secrets for it are known.
#[must_use]
pub fn effects(state: &RunState, draining: bool, lacking: &Lacking, now: Timestamp) -> Vec<Effect> {
    let calls = state
        .own_calls(lacking)
        .filter(|&ix| !state.is_held_up(ix, lacking))
        .filter_map(|ix| call(state, ix).map(Effect::Call));
    let in_doubt = state.queues().in_doubt.iter().copied();
    let ours = in_doubt.filter(|&ix| lacking.worker().is_none() || !state.is_withheld(ix, lacking));
    let cleared = ours.filter_map(|ix| clear(state, ix));
    let to_evaluate = state.queues().steps_to_evaluate();
    let known = to_evaluate.filter(|&at| !lacking.withholds(&state.workflow().step(at).secrets, &[]));
    let evaluated = known.take(EVALUATIONS_AT_ONCE).map(|at| {
        let step = state.workflow().step(at).id.clone();
        Effect::Evaluate { step }
    });
    let mut all: Vec<Effect> = calls.collect();
    if !draining {
        all.extend(cleared);
        if state.may_open() {
            all.extend(evaluated);
        }
        all.extend(
            state
                .to_describe(now, lacking)
                .into_iter()
                .map(|ix| Effect::Describe {
                    instance: state.instance(ix).id.clone(),
                }),
        );
    }
    all
}

fn call(state: &RunState, ix: InstanceIx) -> Option<Work> {
    let instance = state.instance(ix);
    let purpose = match &instance.phase {
        Phase::Observing {
            asks: Asks::Before, ..
        } => Purpose::Before,
        Phase::Observing {
            asks: Asks::Doubt, ..
        } => Purpose::Doubt,
        Phase::Observing {
            asks: Asks::RollbackDoubt,
            ..
        } => Purpose::RollbackDoubt,
        Phase::Running(_) => Purpose::Run,
        Phase::Verifying(_) => Purpose::After,
        Phase::RollingBack(_) => Purpose::Rollback,
        Phase::RollbackVerifying(_) => Purpose::AfterRollback,
        _ => return None,
    };
    let activity = instance.phase.activity()?;
    Some(Work {
        ix,
        instance: instance.id.clone(),
        of: activity.of,
        purpose,
        stop: activity.stop.is_some(),
    })
}

fn clear(state: &RunState, ix: InstanceIx) -> Option<Effect> {
    let instance = state.instance(ix);
    let (Phase::InDoubt(Doubt {
        activity,
        cleared: false,
    })
    | Phase::RollbackInDoubt(Doubt {
        activity,
        cleared: false,
    })) = &instance.phase
    else {
        return None;
    };
    let timeout = state.policy(ix).timeout;
    let until = timeout.and_then(|timeout| later(activity.since, timeout));
    let (instance, process) = (instance.id.clone(), activity.process.clone());
    Some(Effect::ClearProcess {
        instance,
        of: activity.of,
        process,
        until,
    })
}

/// When the core next wants to be told the time, though nothing else happens.
#[must_use]
pub fn wake_at(state: &RunState, lacking: &Lacking) -> Option<Timestamp> {
    let retry = if state.may_open() {
        state.next_retry(lacking)
    } else {
        state.next_undo(lacking)
    };
    stop_at(state, lacking).into_iter().chain(retry).min()
}

/// When the time of something under way is up: the part of [`wake_at`] that matters while draining too.
#[must_use]
pub fn stop_at(state: &RunState, lacking: &Lacking) -> Option<Timestamp> {
    let active = state.own_calls(lacking);
    active.filter_map(|ix| deadline(state, ix, lacking)).min()
}

/// Whether anything is under way or waits for its time, so that a time that jumps would cut it short or draw it out.
#[must_use]
pub fn is_timed(state: &RunState) -> bool {
    let queues = state.queues();
    !(queues.active.is_empty() && queues.in_doubt.is_empty()) || wake_at(state, &Lacking::nothing()).is_some()
}

/// When what is under way for an instance must be told to stop, if it was not yet.
pub(super) fn deadline(state: &RunState, ix: InstanceIx, lacking: &Lacking) -> Option<Timestamp> {
    if state.is_held_up(ix, lacking) {
        return None;
    }
    let activity = state.instance(ix).phase.activity()?;
    match activity.stop {
        None if !lacking.owns(activity) => None,
        None => later(activity.since, state.policy(ix).timeout?),
        Some(_) => None,
    }
}
