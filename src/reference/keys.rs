//! Every key of a runbook's file, from the JSON Schema.

use serde_json::Value;

use super::cell;
use crate::commands::steps::{default_of, kind_of};

/// The page of all keys.
pub(super) fn text(schema: &Value) -> String {
    let definitions = &schema["$defs"];
    format!(
        "## A runbook\n\n{}{}",
        table(schema, definitions),
        parts(definitions, "##")
    )
}

/// The definitions that have keys, each under a heading of its own.
pub(super) fn parts(definitions: &Value, heading: &str) -> String {
    let mut text = String::new();
    for (name, definition) in definitions.as_object().into_iter().flatten() {
        // The inputs of the kinds of step have a page of their own.
        if !name.starts_with("with.") && definition["properties"].is_object() {
            let title = title(definition);
            text += &format!("\n{heading} {title}\n\n{}", table(definition, definitions));
        }
    }
    text
}

/// What a definition describes, in its own words.
fn title(definition: &Value) -> &str {
    let text = definition["description"].as_str().unwrap_or("A map");
    text.split(['.', ',', ';', ':']).next().unwrap_or(text)
}

/// A row for each key.
pub(super) fn table(schema: &Value, definitions: &Value) -> String {
    let required: Vec<&Value> = schema["required"].as_array().into_iter().flatten().collect();
    let keys = schema["properties"].as_object().into_iter().flatten();
    let rows = keys.map(|(key, value)| {
        let must = if required.iter().any(|name| *name == key) {
            "yes"
        } else {
            ""
        };
        let about = value["description"].as_str().unwrap_or_default();
        let kind = cell(&kind(value, definitions));
        let default = default_of(value).map_or_else(String::new, |value| format!(" Left out: `{value}`."));
        format!(
            "| `{key}` | {kind} | {must} | {} |\n",
            cell(&format!("{about}{default}"))
        )
    });
    let rows: String = rows.collect();
    format!("| key | type | required | |\n| --- | --- | --- | --- |\n{rows}")
}

/// The type of a value; where it has keys of its own, what they describe.
fn kind(schema: &Value, definitions: &Value) -> String {
    if let Some(of) = schema.get("additionalProperties").filter(|of| of.is_object()) {
        return format!("map of names to {}", kind(of, definitions));
    }
    let name = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next());
    match name.map(|name| &definitions[name]) {
        Some(definition) if definition["properties"].is_object() => {
            let title = title(definition);
            let anchor = title.to_lowercase().replace(' ', "-");
            format!("[{}](#{anchor})", title.to_lowercase())
        }
        _ => kind_of(schema, definitions),
    }
}
