//! The documentation of a site step, and the JSON Schema of its inputs, made from what it says of itself.

use std::fmt::Write as _;

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use super::ALLOW;
use super::declaration::Declaration;
use super::example::example;
use super::field::Field;
use crate::script::{Allow, Compiled};

/// What `runbook steps site.NAME` prints before the inputs.
pub(super) fn page(name: &str, declared: &Declaration, script: &Compiled) -> String {
    let mut page = String::new();
    if !declared.doc.is_empty() {
        page += &declared.doc;
        page += "\n\n";
    }
    if !declared.changes.is_empty() {
        page += "It changes:\n\n";
        for change in &declared.changes {
            add(&mut page, format_args!("- {change}"));
        }
        page += "\n";
    }
    page += &outputs(&declared.outputs);
    for (function, without) in [
        (
            "validate",
            "It cannot tell whether its outcome is there: after an interruption a person decides.",
        ),
        ("run", "It only looks, and changes nothing."),
        (
            "rollback",
            "There is no way back: a rollback leaves its work in place.",
        ),
    ] {
        let is_check = function == "rollback" && !script.has("run");
        if !script.has(function) && !is_check {
            add(&mut page, format_args!("{without}\n"));
        }
    }
    page += &example(name, declared, script);
    page
}

/// Adds a line.
fn add(page: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a text cannot fail.
    let _infallible = writeln!(page, "{line}");
}

fn outputs(outputs: &IndexMap<String, Field>) -> String {
    if outputs.is_empty() {
        return String::new();
    }
    let mut table = "| output | type | what it is |\n| --- | --- | --- |\n".to_owned();
    for (name, field) in outputs {
        let optional = if field.is_required() {
            ""
        } else {
            ", may be missing"
        };
        add(
            &mut table,
            // The same word as for the inputs below.
            format_args!(
                "| `{name}` | {}{optional} | {} |",
                field.kind().replace("string", "text"),
                field.doc()
            ),
        );
    }
    table + "\n"
}

/// The JSON Schema of the inputs, with what the step is granted.
pub(super) fn schema(declared: &Declaration) -> Value {
    let mut allow = schemars::schema_for!(Allow).to_value();
    if let Some(fields) = allow.as_object_mut() {
        fields.remove("$schema");
        fields.remove("title");
    }
    let inputs = declared
        .inputs
        .iter()
        .map(|(name, field)| (name.clone(), field.schema()));
    let properties: Map<String, Value> = inputs.chain([(ALLOW.to_owned(), allow)]).collect();
    let required: Vec<&String> = declared
        .inputs
        .iter()
        .filter(|(_, field)| field.is_required())
        .map(|(name, _)| name)
        .collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}
