//! How a step answers in a rehearsal: from its `rehearse:` block, touching nothing.

use serde_json::Value;

use crate::core::Outcome;
use crate::core::event::{Failure, FailureKind, Outputs, Rehearsal, Verdict};
use crate::runbook::expr::{self, Put, Scope};
use crate::runbook::{Rehearse, RehearsedDoubt, Step};
use crate::step::{Context, Observation, Purpose};

/// The rehearsed outcome of a call.
pub(super) async fn rehearse(step: &Step, rehearsal: &Rehearsal, scope: &Scope, cx: &Context) -> Outcome {
    let script = &step.rehearse;
    if let Some(takes) = script.takes
        && matches!(cx.purpose, Purpose::Run | Purpose::Rollback)
    {
        tokio::select! {
            () = tokio::time::sleep(takes) => {}
            () = cx.cancel.cancelled() => return failed(cx.purpose, stopped()),
        }
    }
    let answers = match Answers::new(script, scope) {
        Ok(answers) => answers,
        Err(failure) => return failed(cx.purpose, failure),
    };
    match cx.purpose {
        Purpose::Plan | Purpose::Before => answers.before(script.satisfied),
        Purpose::Run => {
            let first = cx.attempt.0 == 1;
            if first
                && rehearsal
                    .interruptions
                    .iter()
                    .any(|named| named.means(&cx.instance))
            {
                return Outcome::CutOff;
            }
            let fails = rehearsal.failures.iter().any(|failure| {
                failure.instance.means(&cx.instance)
                    && failure.attempt.is_none_or(|attempt| attempt == cx.attempt)
            });
            if fails {
                let message = "the rehearsal plays a failure here";
                return Outcome::Ran(Err(Failure::new(FailureKind::Failed, message)));
            }
            Outcome::Ran(Ok(answers.outputs))
        }
        Purpose::After => answers.verdict(Verdict::Satisfied),
        // Nothing was touched, so a rollback that was cut off has undone nothing.
        Purpose::RollbackDoubt => answers.verdict(Verdict::Satisfied),
        Purpose::Doubt => {
            let played = rehearsal
                .interruptions
                .iter()
                .any(|named| named.means(&cx.instance));
            let verdict = doubt(step, script, played);
            answers.verdict(verdict)
        }
        Purpose::Rollback => Outcome::RolledBack(Ok(())),
        Purpose::AfterRollback => answers.verdict(Verdict::Unsatisfied("it was undone".to_owned())),
    }
}

/// What `validate` finds after an interruption: as the runbook says; else, where the interruption was played,
/// what this kind of step could tell; else that nothing was touched.
fn doubt(step: &Step, script: &Rehearse, played: bool) -> Verdict {
    let nothing = || Verdict::Unsatisfied("a rehearsal touches nothing".to_owned());
    match script.interrupted {
        Some(RehearsedDoubt::Satisfied) => Verdict::Satisfied,
        Some(RehearsedDoubt::Unsatisfied) => nothing(),
        Some(RehearsedDoubt::Unknown) => Verdict::Unknown,
        None if played && !step.abilities.validates => Verdict::Unknown,
        None => nothing(),
    }
}

struct Answers {
    observed: Value,
    outputs: Outputs,
}

impl Answers {
    fn new(script: &Rehearse, scope: &Scope) -> Result<Self, Failure> {
        let fill = |value: &Value| {
            expr::fill(value, &[], scope, Put::Plain)
                .map_err(|error| Failure::new(FailureKind::Inputs, error.to_string()))
        };
        let outputs = match fill(&Value::Object(script.outputs.clone()))? {
            Value::Object(outputs) => outputs,
            _ => Outputs::new(),
        };
        Ok(Self {
            observed: fill(&script.observed)?,
            outputs,
        })
    }

    fn before(self, satisfied: bool) -> Outcome {
        let missing = Verdict::Unsatisfied("in the rehearsal it is still to be done".to_owned());
        if satisfied {
            self.verdict(Verdict::Satisfied)
        } else {
            self.verdict(missing)
        }
    }

    fn verdict(self, verdict: Verdict) -> Outcome {
        let outputs = if verdict == Verdict::Satisfied {
            self.outputs
        } else {
            Outputs::new()
        };
        Outcome::Observed(Ok(Observation {
            verdict,
            observed: self.observed,
            outputs,
        }))
    }
}

pub(super) fn stopped() -> Failure {
    Failure::new(FailureKind::Failed, "it was stopped")
}

pub(super) fn failed(purpose: Purpose, failure: Failure) -> Outcome {
    match purpose {
        Purpose::Run => Outcome::Ran(Err(failure)),
        Purpose::Rollback => Outcome::RolledBack(Err(failure)),
        Purpose::Plan
        | Purpose::Before
        | Purpose::After
        | Purpose::Doubt
        | Purpose::RollbackDoubt
        | Purpose::AfterRollback => Outcome::Observed(Err(failure)),
    }
}
