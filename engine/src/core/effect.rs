//! What should be under way now, as data: the shell starts what is not, and stops what should not be.

use jiff::Timestamp;

use super::decide::deadline;
use super::event::ProcessMark;
use super::instance::{Asks, Doubt, Phase};
use super::state::{InstanceIx, RunState};
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

/// All that should be under way in this state.
#[must_use]
pub fn effects(state: &RunState, draining: bool) -> Vec<Effect> {
    let calls = state
        .queues()
        .active
        .iter()
        .filter_map(|&ix| call(state, ix).map(Effect::Call));
    let cleared = state.queues().in_doubt.iter().filter_map(|&ix| clear(state, ix));
    let evaluated = state.queues().to_open.iter().filter_map(|at| {
        let policy = state.workflow().step(*at);
        let asked = policy.conditional || policy.fans_out;
        asked.then(|| Effect::Evaluate {
            step: policy.id.clone(),
        })
    });
    let mut all: Vec<Effect> = calls.collect();
    if !draining {
        all.extend(cleared);
        if state.may_open() {
            all.extend(evaluated);
        }
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
            asks: Asks::Doubt | Asks::RollbackDoubt,
            ..
        } => Purpose::Doubt,
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
    let until = deadline(activity, state.policy(ix).timeout);
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
pub fn wake_at(state: &RunState) -> Option<Timestamp> {
    let deadlines = state.queues().active.iter().filter_map(|&ix| {
        let activity = state.instance(ix).phase.activity()?;
        activity
            .stop
            .is_none()
            .then(|| deadline(activity, state.policy(ix).timeout))
            .flatten()
    });
    let retries = state
        .queues()
        .retrying
        .iter()
        .filter_map(|&ix| match state.instance(ix).phase {
            Phase::Retrying { at } => Some(at),
            _ => None,
        });
    if state.may_open() {
        deadlines.chain(retries).min()
    } else {
        deadlines.min()
    }
}
