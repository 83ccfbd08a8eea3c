//! The JSON Schema of an overlay's file, made of the parts of a runbook's.

use serde_json::{Value, json};

use super::schema;
use crate::step::Registry;

/// The JSON Schema (draft 2020-12) of an overlay, with the inputs of these plugins.
#[must_use]
pub fn overlay_schema(registry: &Registry) -> Value {
    let mut defs = schema(registry)["$defs"].take();
    let anchor = json!({ "$ref": "#/$defs/OneOrMany" });
    let mut added = defs["StepFile"].clone();
    added["description"] = "A step that is added, and where.".into();
    added["properties"]["before"] = anchor.clone();
    added["properties"]["after"] = anchor.clone();
    defs["AddedStep"] = added;
    let fields = |of: &str| defs[of]["properties"].as_object().cloned().unwrap_or_default();
    let some_of = |of: &str| {
        let names: Vec<String> = fields(of).into_iter().map(|(name, _)| name).collect();
        json!({ "type": "object", "propertyNames": { "enum": names } })
    };
    let (change, param, session) = (some_of("StepFile"), some_of("ParamFile"), some_of("SessionFile"));
    let by_name = |of: Value| json!({ "type": "object", "additionalProperties": of });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Overlay",
        "description": "What a site adds to a runbook, replaces, changes, moves and skips.",
        "type": "object",
        "additionalProperties": false,
        "required": ["overlay"],
        "properties": {
            "overlay": {
                "description": "The overlay's name.",
                "type": "string",
                "pattern": "^[A-Za-z][A-Za-z0-9_-]{0,99}$",
            },
            "title": { "description": "What it is for, in one line.", "type": "string" },
            "for": {
                "description": "The runbook that it was written for.",
                "type": "object",
                "additionalProperties": false,
                "properties": {
                    "runbook": { "description": "Its name.", "type": "string" },
                    "sha256": {
                        "description": "The fingerprint of its text, or the first 12 digits or more.",
                        "type": "string",
                        "pattern": "^[0-9a-f]{12,64}$",
                    },
                },
            },
            "params": by_name(param),
            "roles": by_name(json!({ "$ref": "#/$defs/RoleFile" })),
            "sessions": by_name(session),
            "replace": by_name(json!({ "$ref": "#/$defs/StepFile" })),
            "change": by_name(change),
            "move": by_name(json!({
                "type": "object",
                "additionalProperties": false,
                "minProperties": 1,
                "properties": { "before": anchor, "after": anchor },
            })),
            "add": by_name(json!({ "$ref": "#/$defs/AddedStep" })),
            "skip": by_name(json!({ "description": "Why it is not carried out.", "type": "string" })),
        },
        "$defs": defs,
    })
}
