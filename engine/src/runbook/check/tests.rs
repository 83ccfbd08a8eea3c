//! The schema that editors use and the check agree on the keys.

use serde_json::Value;

use super::{KEYS, approve, params, policy, sessions, steps};
use crate::runbook::schema;
use crate::step::Registry;

#[track_caller]
fn assert_keys(schema: &Value, definition: Option<&str>, keys: &[&str]) {
    let object = definition.map_or(schema, |name| &schema["$defs"][name]);
    let mut found: Vec<&str> = object["properties"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let mut keys = keys.to_vec();
    found.sort_unstable();
    keys.sort_unstable();
    assert_eq!(found, keys, "{definition:?}");
    assert_eq!(
        object["additionalProperties"],
        Value::Bool(false),
        "{definition:?}"
    );
}

#[test]
fn the_schema_and_the_check_have_the_same_keys() {
    let schema = schema(&Registry::default());
    assert_keys(&schema, None, KEYS);
    assert_keys(&schema, Some("ParamFile"), params::KEYS);
    assert_keys(&schema, Some("SessionFile"), sessions::KEYS);
    assert_keys(&schema, Some("StepFile"), steps::KEYS);
    assert_keys(&schema, Some("RetryMap"), policy::RETRY_KEYS);
    assert_keys(&schema, Some("ApproveMap"), approve::APPROVE_KEYS);
    assert_keys(&schema, Some("RehearseFile"), policy::REHEARSE_KEYS);
}
