//! What a script's functions give back.

use rhai::Dynamic;
use runbook_engine::step::{Failure, FailureKind, Observation, Outputs, Verdict};
use serde::Deserialize;
use serde_json::Value;

/// The map that `validate` may give.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Found {
    satisfied: Option<bool>,
    reason: Option<String>,
    #[serde(default)]
    observed: Value,
    outputs: Option<Outputs>,
}

const MISSING: &str = "the script says that the outcome is not there";

fn failed(why: &str) -> Failure {
    Failure::new(FailureKind::Failed, why)
}

/// A value of the script as data; functions and time stamps are none.
fn data(value: &Dynamic) -> Result<Value, Failure> {
    rhai::serde::from_dynamic(value)
        .map_err(|_| failed("the script gave a value that cannot be kept as data"))
}

/// What `validate` found.
pub(crate) fn observation(value: &Dynamic) -> Result<Observation, Failure> {
    let of = |verdict| Observation {
        verdict,
        ..Observation::unknown()
    };
    match data(value)? {
        Value::Null => Ok(Observation::unknown()),
        Value::Bool(true) => Ok(of(Verdict::Satisfied)),
        Value::Bool(false) => Ok(of(Verdict::Unsatisfied(MISSING.to_owned()))),
        Value::String(reason) => Ok(of(Verdict::Unsatisfied(reason))),
        found @ Value::Object(_) => {
            let found: Found = serde_json::from_value(found).map_err(|_| {
                failed("`validate` may give a map of `satisfied`, `reason`, `observed` and `outputs`, and gave another")
            })?;
            let verdict = match found.satisfied {
                Some(true) => Verdict::Satisfied,
                Some(false) => Verdict::Unsatisfied(found.reason.unwrap_or_else(|| MISSING.to_owned())),
                None => Verdict::Unknown,
            };
            Ok(Observation {
                verdict,
                observed: found.observed,
                outputs: found.outputs.unwrap_or_default(),
            })
        }
        Value::Number(_) | Value::Array(_) => Err(failed(
            "`validate` must give a truth value, a text, a map or `()`",
        )),
    }
}

/// What `run` gave.
pub(crate) fn outputs(value: &Dynamic) -> Result<Outputs, Failure> {
    match data(value)? {
        Value::Null => Ok(Outputs::new()),
        Value::Object(outputs) => Ok(outputs),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(failed("`run` must give a map of outputs, or `()`"))
        }
    }
}
