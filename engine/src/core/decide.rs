//! What an input means: the events that record it. Changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::Turn;
use super::approval::described;
use super::effect::deadline;
use super::event::{Event, Failure, FailureKind, Item, StopReason, Transcript, Verdict};
use super::input::{Evaluation, Input, Rejection};
use super::instance::{Activity, Doubt, Phase};
use super::outcome::Ended;
use super::person;
use super::state::RunState;
use super::table::InstanceIx;
use crate::id::{InstanceId, Seq, StepId};

/// The events that record an input; none when it no longer matters.
pub(super) fn decide(state: &RunState, input: &Input, turn: &Turn) -> Result<Vec<Event>, Rejection> {
    let now = turn.now;
    state.hands.admits(input, &turn.operator)?;
    Ok(match input {
        Input::Resumed { jobs, transcripts } => std::iter::once(Event::RunResumed { jobs: *jobs })
            .chain(cut_off(state, transcripts, |_| true))
            .collect(),
        Input::CutOff { transcripts } => cut_off(state, transcripts, |_| true).collect(),
        Input::Expired { calls, transcripts } => {
            cut_off(state, transcripts, |of| calls.contains(&of)).collect()
        }
        Input::Evaluated { step, result } => evaluated(state, step, result).into_iter().collect(),
        Input::Described { instance, result } => {
            described(state, instance, result, turn).into_iter().collect()
        }
        Input::Finished {
            instance,
            of,
            outcome,
            transcript,
        } => match current(state, instance, *of) {
            None => Vec::new(),
            // It was taken over: whoever has it now says what becomes of it.
            Some((_, activity)) if !turn.lacking.owns(activity) => Vec::new(),
            Some((ix, activity)) => {
                let (instance, transcript) = (instance.clone(), transcript.clone());
                let end = Ended {
                    state,
                    ix,
                    instance,
                    activity,
                    transcript,
                    now,
                };
                end.events(outcome)
            }
        },
        Input::ProcessStarted {
            instance,
            of,
            process,
        } => match current(state, instance, *of) {
            None => Vec::new(),
            Some(_) => {
                let (instance, process) = (instance.clone(), process.clone());
                vec![Event::ProcessStarted { instance, process }]
            }
        },
        Input::Kept { instance, of, what } => match current(state, instance, *of) {
            Some((ix, _)) if matches!(state.instance(ix).phase, Phase::RollingBack(_)) => {
                let (instance, what) = (instance.clone(), what.clone());
                vec![Event::RollbackKept { instance, what }]
            }
            _ => Vec::new(),
        },
        Input::ProcessCleared { instance, found } => {
            match state.find(instance).map(|ix| &state.instance(ix).phase) {
                Some(
                    Phase::InDoubt(Doubt { cleared: false, .. })
                    | Phase::RollbackInDoubt(Doubt { cleared: false, .. }),
                ) => {
                    let (instance, found) = (instance.clone(), *found);
                    vec![Event::ProcessCleared { instance, found }]
                }
                _ => Vec::new(),
            }
        }
        Input::Clock => {
            let mut late = timed_out(state, turn);
            late.extend(state.expired(now));
            late
        }
        Input::Act(act) => vec![person::acted(state, act, turn)?],
    })
}

/// Whatever was under way when the last process ended was cut off.
fn cut_off(
    state: &RunState,
    transcripts: &BTreeMap<Seq, Transcript>,
    which: impl Fn(Seq) -> bool,
) -> impl Iterator<Item = Event> {
    state.queues().active.iter().filter_map(move |&ix| {
        let (phase, instance) = (&state.instance(ix).phase, state.instance(ix).id.clone());
        let of = phase.activity()?.of;
        if !which(of) {
            return None;
        }
        let transcript = transcripts.get(&of).cloned();
        let verdict = Verdict::Unknown;
        Some(match phase {
            // Nothing was under way: the engine ended between two entries, and no answer is to be had.
            Phase::Verifying(_) if !state.policy(ix).abilities.validates => Event::Verified {
                instance,
                verdict,
                outputs: state.outputs_of(ix),
                transcript,
            },
            Phase::RollbackVerifying(_) if !state.policy(ix).abilities.validates => Event::RolledBack {
                instance,
                verdict,
                transcript,
            },
            _ => Event::Interrupted { instance, transcript },
        })
    })
}

/// A step is opened or not; nothing when it no longer waits for that.
fn evaluated(state: &RunState, step: &StepId, result: &Result<Evaluation, Failure>) -> Option<Event> {
    let at = state.step_of(step)?;
    if !state.may_open() || !state.queues().steps_to_evaluate().any(|step| step == at) {
        return None;
    }
    let step = step.clone();
    Some(match result {
        Ok(Evaluation::Skip(reason)) => {
            let reason = reason.clone();
            Event::StepSkipped { step, reason }
        }
        Ok(Evaluation::One) => Event::StepOpened { step, items: None },
        Ok(Evaluation::Each(items)) if items.is_empty() => {
            let reason = "the list that it goes through is empty".to_owned();
            Event::StepSkipped { step, reason }
        }
        Ok(Evaluation::Each(items)) => match twice(items) {
            None => {
                let items = Some(items.clone());
                Event::StepOpened { step, items }
            }
            Some(item) => {
                let key = &item.key;
                let message = format!("the list that it goes through has two items with the key `{key}`");
                let error = Failure::new(FailureKind::Inputs, message);
                Event::StepUnclear { step, error }
            }
        },
        Err(error) => {
            let error = error.clone();
            Event::StepUnclear { step, error }
        }
    })
}

/// The first item whose key another one has too.
pub(super) fn twice(items: &[Item]) -> Option<&Item> {
    let mut seen = BTreeSet::new();
    items.iter().find(|item| !seen.insert(&item.key))
}

fn current<'a>(state: &'a RunState, instance: &InstanceId, of: Seq) -> Option<(InstanceIx, &'a Activity)> {
    let ix = state.find(instance)?;
    let activity = state.instance(ix).phase.activity()?;
    (activity.of == of).then_some((ix, activity))
}

/// The activities whose time is up.
fn timed_out(state: &RunState, turn: &Turn) -> Vec<Event> {
    let late = |ix: &&InstanceIx| deadline(state, **ix, &turn.lacking).is_some_and(|at| at <= turn.now);
    let stop = |&ix: &InstanceIx| {
        let instance = state.instance(ix).id.clone();
        let reason = StopReason::TimedOut;
        Event::StopRequested { instance, reason }
    };
    state.queues().active.iter().filter(late).map(stop).collect()
}
