//! What an input means: the events that record it. Changes nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::event::{
    DoubtRuling, Event, Failure, FailureKind, Need, Outputs, RollbackScope, Ruling, StopReason, Transcript,
    Verdict,
};
use super::input::{Act, Evaluation, Input, Outcome, Rejection};
use super::instance::{Activity, Asks, Phase};
use super::rollback;
use super::state::{InstanceIx, RunState};
use crate::id::{InstanceId, Seq};
use crate::step::Observation;

/// The events that record an input; none when it no longer matters.
pub(super) fn decide(state: &RunState, input: &Input, now: Timestamp) -> Result<Vec<Event>, Rejection> {
    Ok(match input {
        Input::Resumed { jobs, transcripts } => resumed(state, *jobs, transcripts),
        Input::Evaluated { step, result } => {
            let step = step.clone();
            vec![match result.clone() {
                Ok(Evaluation::Skip(reason)) => Event::StepSkipped { step, reason },
                Ok(Evaluation::One) => Event::StepOpened { step, items: None },
                Ok(Evaluation::Each(items)) if items.is_empty() => Event::StepSkipped {
                    step,
                    reason: "the list that it goes through is empty".to_owned(),
                },
                Ok(Evaluation::Each(items)) => Event::StepOpened {
                    step,
                    items: Some(items),
                },
                Err(error) => Event::StepUnclear { step, error },
            }]
        }
        Input::Finished {
            instance,
            of,
            outcome,
            transcript,
        } => match current(state, instance, *of) {
            None => Vec::new(),
            Some((ix, activity)) => {
                let end = Ended {
                    state,
                    ix,
                    instance: instance.clone(),
                    activity,
                    transcript: transcript.clone(),
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
            Some(_) => vec![Event::ProcessStarted {
                instance: instance.clone(),
                process: process.clone(),
            }],
        },
        Input::ProcessCleared { instance, found } => {
            match state.find(instance).map(|ix| &state.instance(ix).phase) {
                Some(Phase::InDoubt(doubt) | Phase::RollbackInDoubt(doubt)) if !doubt.cleared => {
                    vec![Event::ProcessCleared {
                        instance: instance.clone(),
                        found: *found,
                    }]
                }
                _ => Vec::new(),
            }
        }
        Input::Clock => timed_out(state, now),
        Input::Act(act) => vec![acted(state, act)?],
    })
}

/// Whatever was under way when the last process ended was cut off.
fn resumed(state: &RunState, jobs: u32, transcripts: &BTreeMap<Seq, Transcript>) -> Vec<Event> {
    let cut_off = state.queues().active.iter().map(|&ix| {
        let instance = state.instance(ix);
        let of = instance.phase.activity().map(|activity| activity.of);
        let transcript = of.and_then(|of| transcripts.get(&of).cloned());
        Event::Interrupted {
            instance: instance.id.clone(),
            transcript,
        }
    });
    std::iter::once(Event::RunResumed { jobs })
        .chain(cut_off)
        .collect()
}

fn current<'a>(state: &'a RunState, instance: &InstanceId, of: Seq) -> Option<(InstanceIx, &'a Activity)> {
    let ix = state.find(instance)?;
    let activity = state.instance(ix).phase.activity()?;
    (activity.of == of).then_some((ix, activity))
}

/// The activities whose time is up.
fn timed_out(state: &RunState, now: Timestamp) -> Vec<Event> {
    let late = |ix: &&InstanceIx| {
        let activity = state.instance(**ix).phase.activity();
        activity.is_some_and(|activity| {
            activity.stop.is_none()
                && deadline(activity, state.policy(**ix).timeout).is_some_and(|at| at <= now)
        })
    };
    let stop = |&ix: &InstanceIx| {
        let instance = state.instance(ix).id.clone();
        Event::StopRequested {
            instance,
            reason: StopReason::TimedOut,
        }
    };
    state.queues().active.iter().filter(late).map(stop).collect()
}

/// When an activity's time is up.
pub(super) fn deadline(activity: &Activity, timeout: Option<Duration>) -> Option<Timestamp> {
    later(activity.since, timeout?)
}

fn later(from: Timestamp, by: Duration) -> Option<Timestamp> {
    from.checked_add(SignedDuration::try_from(by).ok()?).ok()
}

/// An activity that has ended, on its way into events.
struct Ended<'a> {
    state: &'a RunState,
    ix: InstanceIx,
    instance: InstanceId,
    activity: &'a Activity,
    transcript: Option<Transcript>,
    now: Timestamp,
}

impl Ended<'_> {
    fn events(self, outcome: &Outcome) -> Vec<Event> {
        let phase = &self.state.instance(self.ix).phase;
        match (phase, outcome) {
            // Cancelled while it was under way: nobody knows how far it came, unless it ended well all the same.
            (_, Outcome::CutOff) => vec![self.interrupted()],
            (_, Outcome::Ran(Err(_)) | Outcome::Observed(Err(_)) | Outcome::RolledBack(Err(_)))
                if self.activity.stop == Some(StopReason::Cancelled) =>
            {
                vec![self.interrupted()]
            }
            (Phase::Observing { asks, .. }, Outcome::Observed(answer)) => self.looked(*asks, answer),
            (Phase::Running(_), Outcome::Ran(Ok(outputs))) => self.returned(outputs),
            (Phase::Running(_), Outcome::Ran(Err(error))) => vec![self.attempt_failed(error)],
            (Phase::Verifying(_), Outcome::Observed(answer)) => vec![self.verified(answer)],
            (Phase::RollingBack(_), Outcome::RolledBack(Ok(()))) => self.rollback_returned(),
            (Phase::RollingBack(_), Outcome::RolledBack(Err(error))) => vec![self.rollback_failed(error)],
            (Phase::RollbackVerifying(_), Outcome::Observed(answer)) => vec![self.undone(answer)],
            // An outcome of another kind than what is under way comes from a fault; it says nothing.
            (_, Outcome::Observed(_) | Outcome::Ran(_) | Outcome::RolledBack(_)) => vec![self.interrupted()],
        }
    }

    fn interrupted(self) -> Event {
        Event::Interrupted {
            instance: self.instance,
            transcript: self.transcript,
        }
    }

    /// A failure of an activity that was told to stop because its time was up is that, whatever it says.
    fn cause(&self, error: &Failure) -> Failure {
        match (self.activity.stop, self.state.policy(self.ix).timeout) {
            (Some(StopReason::TimedOut), Some(timeout)) => Failure::new(
                FailureKind::TimedOut,
                format!("it took longer than {timeout:?} and was ended"),
            ),
            _ => error.clone(),
        }
    }

    fn retry_at(&self, error: &Failure) -> Option<Timestamp> {
        match error.kind {
            FailureKind::Inputs | FailureKind::Decided | FailureKind::Fault => return None,
            FailureKind::Failed | FailureKind::TimedOut | FailureKind::NotVerified => {}
        }
        let (retry, instance) = (self.state.policy(self.ix).retry, self.state.instance(self.ix));
        let at = later(self.now, retry.delay_after(instance.failures + 1)?)?;
        let first = instance.first_try.unwrap_or(self.now);
        let in_time = retry
            .deadline
            .is_none_or(|deadline| later(first, deadline).is_none_or(|end| at <= end));
        in_time.then_some(at)
    }

    fn looked(self, asks: Asks, answer: &Result<Observation, Failure>) -> Vec<Event> {
        let instance = self.instance.clone();
        let found = match answer {
            Ok(Observation {
                verdict,
                observed,
                outputs,
            }) => Event::Observed {
                instance: instance.clone(),
                verdict: verdict.clone(),
                observed: observed.clone(),
                outputs: outputs.clone(),
                transcript: self.transcript.clone(),
            },
            Err(error) => {
                let error = self.cause(error);
                let retry_at = if asks == Asks::Before {
                    self.retry_at(&error)
                } else {
                    None
                };
                let transcript = self.transcript.clone();
                Event::ObservationFailed {
                    instance: instance.clone(),
                    error,
                    retry_at,
                    transcript,
                }
            }
        };
        let idempotent = self.state.policy(self.ix).may_be_repeated();
        let settled = |ruling, outputs: &Outputs| Event::DoubtSettled {
            instance: instance.clone(),
            ruling,
            outputs: outputs.clone(),
        };
        let nothing = Outputs::new();
        let settlement = match (asks, answer) {
            (Asks::Before, _) => return vec![found],
            (
                Asks::Doubt,
                Ok(Observation {
                    verdict: Verdict::Satisfied,
                    outputs,
                    ..
                }),
            ) => settled(DoubtRuling::TookEffect, outputs),
            (
                Asks::RollbackDoubt,
                Ok(Observation {
                    verdict: Verdict::Unsatisfied(_),
                    ..
                }),
            ) => settled(DoubtRuling::TookEffect, &nothing),
            (
                Asks::Doubt,
                Ok(Observation {
                    verdict: Verdict::Unsatisfied(_),
                    ..
                }),
            )
            | (
                Asks::RollbackDoubt,
                Ok(Observation {
                    verdict: Verdict::Satisfied,
                    ..
                }),
            ) => settled(DoubtRuling::Again, &nothing),
            (
                _,
                Ok(Observation {
                    verdict: Verdict::Unknown,
                    ..
                }),
            ) if idempotent => settled(DoubtRuling::Again, &nothing),
            (
                _,
                Ok(Observation {
                    verdict: Verdict::Unknown,
                    ..
                })
                | Err(_),
            ) => Event::PersonNeeded {
                instance: instance.clone(),
                need: Need::Decision,
            },
        };
        vec![found, settlement]
    }

    fn returned(self, outputs: &Outputs) -> Vec<Event> {
        let (instance, outputs) = (self.instance, outputs.clone());
        let back = Event::AttemptReturned {
            instance: instance.clone(),
            outputs: outputs.clone(),
            transcript: self.transcript,
        };
        if self.state.policy(self.ix).abilities.validates {
            return vec![back];
        }
        vec![
            back,
            Event::Verified {
                instance,
                verdict: Verdict::Unknown,
                outputs,
                transcript: None,
            },
        ]
    }

    fn attempt_failed(self, error: &Failure) -> Event {
        let error = self.cause(error);
        let retry_at = self.retry_at(&error);
        Event::AttemptFailed {
            instance: self.instance,
            error,
            transcript: self.transcript,
            retry_at,
        }
    }

    fn verified(self, answer: &Result<Observation, Failure>) -> Event {
        match answer {
            Ok(Observation {
                verdict: Verdict::Unsatisfied(reason),
                ..
            }) => {
                let message =
                    format!("it returned success, but `validate` does not find the outcome: {reason}");
                self.attempt_failed(&Failure::new(FailureKind::NotVerified, message))
            }
            Ok(Observation {
                verdict: verdict @ (Verdict::Satisfied | Verdict::Unknown),
                outputs,
                ..
            }) => {
                let mut all = match self.state.instance(self.ix).outputs.as_ref() {
                    Value::Object(outputs) => outputs.clone(),
                    _ => Outputs::new(),
                };
                all.extend(outputs.clone());
                let verdict = verdict.clone();
                Event::Verified {
                    instance: self.instance,
                    verdict,
                    outputs: all,
                    transcript: self.transcript,
                }
            }
            Err(error) => self.attempt_failed(error),
        }
    }

    fn rollback_returned(self) -> Vec<Event> {
        let instance = self.instance;
        let back = Event::RollbackReturned {
            instance: instance.clone(),
            transcript: self.transcript,
        };
        if self.state.policy(self.ix).abilities.validates {
            return vec![back];
        }
        vec![
            back,
            Event::RolledBack {
                instance,
                verdict: Verdict::Unknown,
                transcript: None,
            },
        ]
    }

    fn rollback_failed(self, error: &Failure) -> Event {
        let error = self.cause(error);
        Event::RollbackFailed {
            instance: self.instance,
            error,
            transcript: self.transcript,
        }
    }

    fn undone(self, answer: &Result<Observation, Failure>) -> Event {
        match answer {
            Ok(Observation { verdict, .. }) => match rollback::is_undone(verdict) {
                Ok(()) => {
                    let verdict = verdict.clone();
                    Event::RolledBack {
                        instance: self.instance,
                        verdict,
                        transcript: self.transcript,
                    }
                }
                Err(wrong) => self.rollback_failed(&Failure::new(FailureKind::NotVerified, wrong)),
            },
            Err(error) => self.rollback_failed(error),
        }
    }
}

/// What a person's act means, or why it is not possible now.
fn acted(state: &RunState, act: &Act) -> Result<Event, Rejection> {
    match act {
        Act::Confirm {
            instance,
            values,
            attachments,
            note,
        } => {
            let phase = &state.instance(named(state, instance)?).phase;
            match phase {
                Phase::Waiting(Need::ManualWork) | Phase::RollbackWaiting(Need::ManualWork) => {
                    let (values, attachments, note) = (values.clone(), attachments.clone(), note.clone());
                    Ok(Event::Confirmed {
                        instance: instance.clone(),
                        values,
                        attachments,
                        note,
                    })
                }
                other => Err(not_now(
                    instance,
                    other,
                    "confirmed",
                    "only manual work that the run waits for is confirmed",
                )),
            }
        }
        Act::Decide {
            instance,
            ruling,
            why,
        } => decided(state, instance, *ruling, why),
        Act::Cancel { why } => cancelled(state, why),
        Act::Rollback { scope, why } => rolled_back(state, scope, why),
    }
}

fn named(state: &RunState, id: &InstanceId) -> Result<InstanceIx, Rejection> {
    match state.find(id) {
        None => Err(Rejection::NoSuchInstance(id.clone())),
        Some(ix) if state.instance(ix).phase == Phase::FannedOut => {
            Err(Rejection::NameAnItem(id.step().clone()))
        }
        Some(ix) => Ok(ix),
    }
}

fn not_now(instance: &InstanceId, phase: &Phase, act: &'static str, instead: &'static str) -> Rejection {
    let is = format!("is {}", phase.status().as_str().replace('_', " "));
    Rejection::NotNow {
        instance: instance.clone(),
        is,
        act,
        instead,
    }
}

fn decided(state: &RunState, instance: &InstanceId, ruling: Ruling, why: &str) -> Result<Event, Rejection> {
    let ix = named(state, instance)?;
    let phase = &state.instance(ix).phase;
    let no = |instead| Err(not_now(instance, phase, "decided so", instead));
    match (phase, ruling) {
        (Phase::Waiting(Need::ManualWork) | Phase::RollbackWaiting(Need::ManualWork), Ruling::Done) => {
            return no("`runbook confirm` records manual work that is done");
        }
        (Phase::Waiting(Need::ManualWork) | Phase::RollbackWaiting(Need::ManualWork), Ruling::Again) => {
            return no("it waits for manual work already");
        }
        (Phase::Failed, Ruling::Fail) => {
            return no("it has failed already; `again`, `done` and `skip` are possible");
        }
        (Phase::RollbackFailed, Ruling::Fail) => {
            return no("it has failed already; `again`, `done` and `skip` are possible");
        }
        (Phase::RolledBack, Ruling::Again) if state.is_rolling_back() => {
            return no("the run is being rolled back; `runbook resume` goes on with that");
        }
        (Phase::RolledBack, Ruling::Again) if !state.needs_settled(state.instance(ix).step) => {
            return no("decide first that the steps it needs are tried again");
        }
        (
            Phase::InDoubt(_)
            | Phase::Waiting(_)
            | Phase::Failed
            | Phase::Retrying { .. }
            | Phase::RollbackInDoubt(_)
            | Phase::RollbackWaiting(_)
            | Phase::RollbackFailed,
            _,
        )
        | (Phase::RolledBack, Ruling::Again) => {}
        _ => {
            return no(
                "only what is in doubt, waits, or failed is decided; `rollback --step` undoes what is done",
            );
        }
    }
    Ok(Event::Decided {
        instance: instance.clone(),
        ruling,
        why: why.to_owned(),
    })
}

fn cancelled(state: &RunState, why: &str) -> Result<Event, Rejection> {
    let no = |is, instead| {
        Err(Rejection::RunNotNow {
            is,
            act: "cancelled",
            instead,
        })
    };
    if state.cancelled().is_some() {
        return no(
            "is cancelled already",
            "`runbook rollback RUN` undoes what it did",
        );
    }
    if state.rollback().is_some() {
        return no(
            "is rolled back, or being rolled back",
            "`runbook resume RUN` goes on with the rollback",
        );
    }
    if state.is_complete() {
        return no("is completed", "`runbook rollback RUN` undoes it");
    }
    Ok(Event::CancelRequested { why: why.to_owned() })
}

fn rolled_back(state: &RunState, scope: &RollbackScope, why: &str) -> Result<Event, Rejection> {
    let no = |is, instead| {
        Err(Rejection::RunNotNow {
            is,
            act: "rolled back",
            instead,
        })
    };
    if state.is_rolling_back() {
        return no(
            "is being rolled back already",
            "`runbook resume RUN` goes on with that",
        );
    }
    if !state.queues().active.is_empty() {
        return no("is being carried out", "stop it first, then roll it back");
    }
    if let RollbackScope::Steps(steps) = scope
        && let Some(unknown) = steps.iter().find(|step| state.step_of(step).is_none())
    {
        return Err(Rejection::NoSuchInstance(unknown.clone().into()));
    }
    let (plan, left) = rollback::plan(state, scope);
    Ok(Event::RollbackStarted {
        scope: scope.clone(),
        plan,
        left,
        why: why.to_owned(),
    })
}
