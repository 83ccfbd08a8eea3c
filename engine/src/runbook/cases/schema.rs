//! The JSON Schema of a file of tests.

use serde_json::{Value, json};

use super::expect::{RUN_STATUSES, STEP_STATUSES};

/// The JSON Schema (draft 2020-12) of a file of tests.
#[must_use]
pub fn cases_schema() -> Value {
    let text = |about: &str| json!({ "description": about, "type": "string" });
    let flag = |about: &str| json!({ "description": about, "type": "boolean" });
    let by_step =
        |of: &str| json!({ "type": "object", "additionalProperties": { "$ref": format!("#/$defs/{of}") } });
    let texts =
        json!({ "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }] });
    let case = json!({
        "title": text("What it shows, in one line."),
        "overlays": texts,
        "params": { "type": "object" },
        "steps": by_step("Script"),
        "people": by_step("Deeds"),
        "rollback": { "anyOf": [{ "type": "boolean" }, { "type": "array", "items": { "type": "string" } }] },
        "expect": { "$ref": "#/$defs/Expect" },
    });
    let runs: Vec<&str> = RUN_STATUSES.iter().map(|status| status.as_str()).collect();
    let steps: Vec<&str> = STEP_STATUSES.iter().map(|status| status.as_str()).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Tests",
        "description": "The tests of a runbook.",
        "type": "object",
        "additionalProperties": false,
        "required": ["tests", "cases"],
        "properties": {
            "tests": text("The runbook: a path from this file's folder, or the name of one that ships."),
            "overlays": texts,
            "params": { "type": "object" },
            "steps": by_step("Script"),
            "people": by_step("Deeds"),
            "cases": by_step("Case"),
        },
        "$defs": {
            "Case": object(&case, &["expect"]),
            "Script": object(&json!({
                "satisfied": flag("Whether the outcome is in place before."),
                "observed": { "description": "What `validate` observes." },
                "outputs": { "description": "What the step gives.", "type": "object" },
                "takes": text("How long an attempt takes, by the test's clock."),
                "fails": {
                    "description": "Which attempts fail.",
                    "anyOf": [
                        { "type": "boolean" },
                        { "type": "integer", "minimum": 1 },
                        { "type": "string" },
                        object(&json!({
                            "first": { "type": "integer", "minimum": 1 },
                            "message": { "type": "string" },
                        }), &[]),
                    ],
                },
                "takes_effect": flag("Whether `validate` finds the outcome after an attempt."),
                "interrupted": {
                    "description": "The first attempt is cut off; what `validate` finds then.",
                    "enum": [true, false, "satisfied", "unsatisfied", "unknown"],
                },
                "undo_fails": {
                    "description": "It cannot be undone.",
                    "anyOf": [{ "type": "boolean" }, { "type": "string" }],
                },
                "world": { "$ref": "#/$defs/World" },
            }), &[]),
            "World": world(),
            "Deeds": {
                "anyOf": [
                    { "$ref": "#/$defs/Deed" },
                    { "type": "array", "items": { "$ref": "#/$defs/Deed" } },
                ],
            },
            "Deed": {
                "anyOf": [
                    { "const": "nothing" },
                    object(&json!({ "confirm": { "type": "object" } }), &["confirm"]),
                    object(&json!({ "decide": { "enum": ["done", "again", "fail", "skip"] } }), &["decide"]),
                ],
            },
            "Expect": object(&json!({
                "run": { "description": "How the run ends.", "enum": runs },
                "steps": by_step("ExpectStep"),
                "order": texts,
                "undone": texts,
                "waits_for": texts,
                "says": texts,
            }), &[]),
            "ExpectStep": {
                "anyOf": [
                    { "enum": steps },
                    object(&json!({
                        "status": { "enum": steps },
                        "attempts": { "type": "integer", "minimum": 0 },
                        "reason": { "type": "string" },
                        "outputs": { "type": "object" },
                        "files": { "type": "object", "additionalProperties": { "type": ["string", "null"] } },
                    }), &[]),
                ],
            },
        },
    })
}

/// The world in which a script is carried out.
fn world() -> Value {
    let text = |about: &str| json!({ "description": about, "type": "string" });
    let with =
        json!({ "description": "What must be sent: a text as it stands, or JSON that means the same." });
    let fails = text("There is no answer; what the script is told.");
    let texts = json!({ "type": "object", "additionalProperties": { "type": "string" } });
    let command = json!({
        "call": { "type": "array", "minItems": 1, "items": { "type": ["string", "number"] } },
        "with": with,
        "code": { "type": "integer" },
        "stdout": { "type": "string" },
        "stderr": { "type": "string" },
        "fails": fails,
    });
    let http = json!({
        "call": text("The method and the URL, as `GET https://intranet.contoso.com/status`."),
        "with": with,
        "status": { "type": "integer" },
        "headers": texts,
        "body": { "type": "string" },
        "json": {},
        "fails": fails,
    });
    let mut world = object(
        &json!({
            "time": text("What time it is at first."),
            "files": texts,
            "commands": { "type": "array", "items": object(&command, &["call"]) },
            "http": { "type": "array", "items": object(&http, &["call"]) },
        }),
        &[],
    );
    world["description"] = "The step's script is carried out, in this world.".into();
    world
}

/// A map with these keys and no others.
fn object(properties: &Value, required: &[&str]) -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
        "required": required,
    })
}
