//! What the end of an activity means.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::event::{
    DoubtRuling, Event, Failure, FailureKind, Need, Outputs, StopReason, Transcript, Verdict,
};
use super::input::Outcome;
use super::instance::{Activity, Asks, Phase};
use super::state::RunState;
use super::table::InstanceIx;
use crate::id::InstanceId;
use crate::step::Observation;

/// An activity that has ended, on its way into events.
pub(super) struct Ended<'a> {
    pub(super) state: &'a RunState,
    pub(super) ix: InstanceIx,
    pub(super) instance: InstanceId,
    pub(super) activity: &'a Activity,
    pub(super) transcript: Option<Transcript>,
    pub(super) now: Timestamp,
}

type Answer = Result<Observation, Failure>;

impl Ended<'_> {
    pub(super) fn events(self, outcome: &Outcome) -> Vec<Event> {
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
            FailureKind::Inputs
            | FailureKind::Final
            | FailureKind::Decided
            | FailureKind::Rejected
            | FailureKind::Fault => {
                return None;
            }
            FailureKind::Failed | FailureKind::TimedOut | FailureKind::NotVerified | FailureKind::Mistake => {
            }
        }
        let (retry, instance) = (self.state.policy(self.ix).retry, self.state.instance(self.ix));
        let at = later(self.now, retry.delay_after(instance.failures + 1)?)?;
        let first = instance.first_try.unwrap_or(self.now);
        let in_time = retry
            .deadline
            .is_none_or(|deadline| later(first, deadline).is_none_or(|end| at <= end));
        in_time.then_some(at)
    }

    fn looked(self, asks: Asks, answer: &Answer) -> Vec<Event> {
        let settled = match asks {
            Asks::Before => self.unsure(answer),
            Asks::Doubt | Asks::RollbackDoubt => Some(self.doubt_settled(asks, answer)),
        };
        let found = match answer {
            Ok(seen) => Event::Observed {
                verdict: seen.verdict.clone(),
                observed: seen.observed.clone(),
                outputs: match seen.verdict {
                    Verdict::Satisfied => self.outputs(&seen.outputs),
                    Verdict::Unsatisfied(_) | Verdict::Unknown => seen.outputs.clone(),
                },
                instance: self.instance,
                transcript: self.transcript,
            },
            Err(error) => {
                let error = self.cause(error);
                let again = asks == Asks::Before;
                Event::ObservationFailed {
                    retry_at: if again { self.retry_at(&error) } else { None },
                    instance: self.instance,
                    error,
                    transcript: self.transcript,
                }
            }
        };
        std::iter::once(found).chain(settled).collect()
    }

    /// What was done before is not done again where it cannot tell, unless it may be repeated: a person decides.
    fn unsure(&self, answer: &Answer) -> Option<Event> {
        let unknown = matches!(answer, Ok(seen) if seen.verdict == Verdict::Unknown);
        (unknown && self.state.is_not_repeated_unsure(self.ix)).then(|| Event::PersonNeeded {
            instance: self.instance.clone(),
            need: Need::Decision,
        })
    }

    /// The table "after an interruption" of the design.
    fn doubt_settled(&self, asks: Asks, answer: &Answer) -> Event {
        let instance = self.instance.clone();
        let (nothing, verdict) = (
            Outputs::new(),
            answer.as_ref().map(|seen| (&seen.verdict, &seen.outputs)),
        );
        let (ruling, outputs) = match (asks, verdict) {
            (Asks::Before | Asks::Doubt, Ok((Verdict::Satisfied, outputs))) => {
                (DoubtRuling::TookEffect, self.outputs(outputs))
            }
            // Where the outcome was not all there, its absence does not show that the rest was undone; nor where the
            // rollback has kept what it must look at again.
            (Asks::RollbackDoubt, Ok((Verdict::Unsatisfied(_), _)))
                if self.state.instance(self.ix).undone_from_whole
                    && self.state.instance(self.ix).kept.is_none() =>
            {
                (DoubtRuling::TookEffect, nothing)
            }
            (_, Ok((Verdict::Satisfied | Verdict::Unsatisfied(_), _))) => (DoubtRuling::Again, nothing),
            (_, Ok((Verdict::Unknown, _))) if self.state.policy(self.ix).may_be_repeated() => {
                (DoubtRuling::Repeat, nothing)
            }
            (_, Ok((Verdict::Unknown, _)) | Err(_)) => {
                let need = Need::Decision;
                return Event::PersonNeeded { instance, need };
            }
        };
        Event::DoubtSettled {
            instance,
            ruling,
            outputs,
        }
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
        let verified = Event::Verified {
            instance,
            verdict: Verdict::Unknown,
            outputs,
            transcript: None,
        };
        vec![back, verified]
    }

    /// What the step gives where its outcome is there: what the attempt gave that brought it about, where that is
    /// known, and over it, name by name, what `validate` saw, which is later. A null says nothing.
    fn outputs(&self, seen: &Outputs) -> Outputs {
        let mut outputs = if self.state.instance(self.ix).returned {
            self.state.outputs_of(self.ix)
        } else {
            Outputs::new()
        };
        for (name, value) in seen {
            if !(value.is_null() && outputs.contains_key(name)) {
                outputs.insert(name.clone(), value.clone());
            }
        }
        outputs
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

    fn verified(self, answer: &Answer) -> Event {
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
                outputs: seen,
                ..
            }) => {
                let outputs = self.outputs(seen);
                Event::Verified {
                    instance: self.instance,
                    verdict: verdict.clone(),
                    outputs,
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
        let gone = Event::RolledBack {
            instance,
            verdict: Verdict::Unknown,
            transcript: None,
        };
        vec![back, gone]
    }

    fn rollback_failed(self, error: &Failure) -> Event {
        let error = self.cause(error);
        let retry_at = self.retry_at(&error);
        Event::RollbackFailed {
            instance: self.instance,
            error,
            transcript: self.transcript,
            retry_at,
        }
    }

    fn undone(self, answer: &Answer) -> Event {
        match answer.as_ref().map(|seen| &seen.verdict) {
            Ok(verdict @ (Verdict::Unsatisfied(_) | Verdict::Unknown)) => Event::RolledBack {
                instance: self.instance,
                verdict: verdict.clone(),
                transcript: self.transcript,
            },
            Ok(Verdict::Satisfied) => {
                let message = "it returned success, but `validate` still finds the outcome in place";
                self.rollback_failed(&Failure::new(FailureKind::NotVerified, message))
            }
            Err(error) => self.rollback_failed(error),
        }
    }
}

impl RunState {
    /// The outputs of an instance so far.
    pub(super) fn outputs_of(&self, ix: InstanceIx) -> Outputs {
        match self.instance(ix).outputs.as_ref() {
            Value::Object(outputs) => outputs.clone(),
            _ => Outputs::new(),
        }
    }
}

/// A moment that much later; none past the end of time.
pub(super) fn later(from: Timestamp, by: Duration) -> Option<Timestamp> {
    from.checked_add(SignedDuration::try_from(by).ok()?).ok()
}
