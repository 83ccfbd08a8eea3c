//! `runbook steps`

use runbook_engine::diagnostic::{Code, Diagnostic};
use runbook_engine::step::Plugin;
use serde_json::{Value, json};

use crate::error::Failed;
use crate::exit::Exit;
use crate::render;
use crate::render::style::{BOLD, CARE, paint};
use crate::setting::Setting;

/// Show the kinds of step, or one kind's documentation and inputs
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The kind, as `uses:` says it
    #[arg(value_name = "KIND")]
    kind: Option<String>,
}

pub(crate) fn run(args: &Args, setting: &Setting) -> Result<Exit, Failed> {
    let Some(kind) = &args.kind else {
        for plugin in setting.registry.iter() {
            let doc = plugin.doc();
            if setting.global.json {
                render::json(
                    &json!({ "kind": plugin.name(), "summary": doc.summary, "available": doc.available }),
                );
            } else {
                let name = paint(BOLD, format!("{:<12}", plugin.name()));
                let only = if doc.available {
                    String::new()
                } else {
                    paint(CARE, " (rehearsed only)")
                };
                render::result(&format!("{name} {}{only}", doc.summary));
            }
        }
        return Ok(Exit::Done);
    };
    let plugin = setting.registry.get(kind).map_err(|error| {
        let diagnostic = Diagnostic::error(Code::UnknownPlugin, error.to_string());
        let diagnostic = error
            .closest
            .iter()
            .fold(diagnostic, |d, near| d.help(format!("did you mean `{near}`?")));
        diagnostic.help("`runbook steps` lists the kinds")
    })?;
    if setting.global.json {
        let doc = plugin.doc();
        render::json(&json!({
            "kind": plugin.name(), "summary": doc.summary, "text": doc.text,
            "available": doc.available, "inputs": plugin.schema(),
        }));
    } else {
        render::result(&page(plugin.as_ref()));
    }
    Ok(Exit::Done)
}

/// The documentation of a kind of step: what it does, its inputs from their types, an example.
fn page(plugin: &dyn Plugin) -> String {
    let doc = plugin.doc();
    let mut text = format!("{}: {}\n", paint(BOLD, plugin.name()), doc.summary);
    if !doc.available {
        text += &paint(
            CARE,
            "\nThis version can check and rehearse it, not carry it out.\n",
        );
    }
    text += &format!("\n{}\n\n{}\n", doc.text.trim(), paint(BOLD, "Inputs (`with:`)"));
    let schema = plugin.schema();
    let required: Vec<&str> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let definitions = &schema["$defs"];
    for (name, input) in schema["properties"].as_object().into_iter().flatten() {
        let must = if required.contains(&name.as_str()) {
            ", required"
        } else {
            ""
        };
        let scripts = if doc.scripts.contains(&name.as_str()) {
            ", never templated"
        } else {
            ""
        };
        text += &format!(
            "\n  {} ({}{must}{scripts})",
            paint(BOLD, name),
            kind_of(input, definitions)
        );
        for line in input["description"].as_str().unwrap_or_default().lines() {
            text += &format!("\n      {line}");
        }
    }
    text
}

/// The type of an input, in words.
fn kind_of(schema: &Value, definitions: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return kind_of(&definitions[name], definitions);
    }
    let choices = schema["anyOf"].as_array().or(schema["oneOf"].as_array());
    if let Some(choices) = choices {
        let names = choices
            .iter()
            .filter(|one| one["type"] != "null" && one["pattern"].is_null());
        let mut names: Vec<String> = names.map(|one| kind_of(one, definitions)).collect();
        names.dedup();
        return names.join(" or ");
    }
    if let Some(values) = schema["enum"].as_array() {
        return values
            .iter()
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
            .join(" | ");
    }
    if let Some(value) = schema["const"].as_str() {
        return value.to_owned();
    }
    let name = match &schema["type"] {
        Value::String(name) => name.as_str(),
        Value::Array(names) => names
            .iter()
            .filter_map(Value::as_str)
            .find(|name| *name != "null")
            .unwrap_or("any"),
        _ => "any",
    };
    match name {
        "array" => format!("list of {}", kind_of(&schema["items"], definitions)),
        "object" => "map".to_owned(),
        "string" => "text".to_owned(),
        other => other.to_owned(),
    }
}
