//! What a script's functions give back.

use rhai::Dynamic;
use runbook_engine::diagnostic::closest;
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

/// The keys of that map.
pub(super) const FOUND_KEYS: &[&str] = &["satisfied", "reason", "observed", "outputs"];

/// `validate` gave what means nothing.
pub(super) const NO_OBSERVATION: &str = "`validate` must give a truth value, a text, a map or `()`";

/// `run` gave what means nothing.
pub(super) const NO_OUTPUTS: &str = "`run` must give a map of outputs, or `()`";

/// What is said of another key in the map of `validate`.
pub(super) fn unknown_key(key: &str) -> String {
    format!(
        "`validate` gives a map of `satisfied`, `reason`, `observed` and `outputs`: `{key}` is none of them"
    )
}

/// What to write instead of it.
pub(super) fn instead(key: &str) -> String {
    match closest(key, FOUND_KEYS.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("an output stands in a map of its own: `outputs: #{{ {key}: … }}`"),
    }
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
            let mut keys = found.as_object().into_iter().flat_map(|map| map.keys());
            if let Some(key) = keys.find(|key| !FOUND_KEYS.contains(&key.as_str())) {
                return Err(failed(&format!("{}; {}", unknown_key(key), instead(key))));
            }
            let found: Found = serde_json::from_value(found).map_err(|_| {
                failed("in the map that `validate` gives, `satisfied` is a truth value, `reason` a text and `outputs` a map")
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
        Value::Number(_) | Value::Array(_) => Err(failed(NO_OBSERVATION)),
    }
}

/// What `run` gave.
pub(crate) fn outputs(value: &Dynamic) -> Result<Outputs, Failure> {
    match data(value)? {
        Value::Null => Ok(Outputs::new()),
        Value::Object(outputs) => Ok(outputs),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Err(failed(NO_OUTPUTS)),
    }
}
