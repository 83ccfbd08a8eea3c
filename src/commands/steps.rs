//! `runbook steps`

use std::path::{Path, PathBuf};

use runbook_engine::runbook;
use runbook_engine::step::{NoPlugin, Plugin};
use serde_json::{Value, json};

use super::load::files_beside;
use super::pages;
use crate::error::Failed;
use crate::exit::Exit;
use crate::overlays::FolderFiles;
use crate::render::layout::{Width, pad, widest};
use crate::render::style::{BOLD, CARE, paint};
use crate::render::{self, page};
use crate::setting::Setting;

/// The widest column of kinds.
const WIDEST_KIND: usize = 32;

/// Show the kinds of step, or one kind's documentation and inputs, or the form of a key of steps
///
/// Kinds that scripts define (`site.NAME`, in `steps/NAME.rhai` beside a runbook) are shown like built-in ones.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  runbook steps
  runbook steps command
  runbook steps approve                                the form of a key of every step
  runbook steps site                                   how to write a kind of your own
  runbook steps --functions                            what scripts can call
  runbook steps --runbook farm.yaml                    with those in the folder `steps` beside it
  runbook steps site.licence --runbook farm.yaml")]
pub(crate) struct Args {
    /// The kind, as `uses:` says it; or a key that every step may have
    #[arg(value_name = "KIND")]
    kind: Option<String>,
    /// Show the functions that scripts can call, in `rhai` steps and in kinds of your own
    #[arg(long, conflicts_with = "kind")]
    functions: bool,
    /// With the kinds that files beside this runbook define, instead of those in the folder where you are
    #[arg(long, value_name = "FILE")]
    runbook: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, setting: &Setting) -> Result<Exit, Failed> {
    if args.functions {
        page::print(pages::FUNCTIONS);
        return Ok(Exit::Done);
    }
    let here = Path::new("runbook.yaml");
    let beside = args.runbook.as_deref().unwrap_or(here);
    let files = match &args.runbook {
        Some(named) => files_beside(named)?,
        None => FolderFiles::beside(&[here]),
    };
    let Some(kind) = &args.kind else {
        list(&files, setting);
        if !setting.global.json {
            keys(setting);
        }
        return Ok(Exit::Done);
    };
    let found = setting.registry.find(kind, &files);
    let page = match kind.as_str() {
        "site" => Some(pages::SITE.to_owned()),
        key => pages::of_key(key),
    };
    if let (Err(NoPlugin::Unknown(_)), Some(page)) = (&found, page) {
        page::print(&page);
        return Ok(Exit::Done);
    }
    let plugin = found.map_err(|missing| Failed::input(missing.diagnostics(&beside.to_string_lossy())))?;
    if setting.global.json {
        let doc = plugin.doc();
        render::json(&json!({
            "kind": plugin.name(), "summary": doc.summary, "text": doc.text, "inputs": plugin.schema(),
        }));
    } else {
        render::result(&documentation(plugin.as_ref()));
    }
    Ok(Exit::Done)
}

/// All kinds: those of the program, then those that files define.
fn list(files: &FolderFiles, setting: &Setting) {
    let beside = setting.registry.beside(files);
    let column = widest(beside.iter().map(String::as_str), WIDEST_KIND).max(12);
    let line = |kind: &str, summary: &str, remark: &str| {
        let name = paint(BOLD, format!("{kind:<column$}"));
        let remark = if remark.is_empty() {
            String::new()
        } else {
            paint(CARE, format!(" ({remark})"))
        };
        render::result(&format!("{name} {summary}{remark}"));
    };
    let show = |plugin: &dyn Plugin| {
        let doc = plugin.doc();
        if setting.global.json {
            render::json(&json!({ "kind": plugin.name(), "summary": doc.summary }));
        } else {
            line(plugin.name(), doc.summary, "");
        }
    };
    setting.registry.iter().for_each(|plugin| show(plugin.as_ref()));
    for kind in beside {
        match setting.registry.find(&kind, files) {
            Ok(plugin) => show(plugin.as_ref()),
            Err(why) if setting.global.json => {
                render::json(&json!({ "kind": kind, "summary": null, "problem": why.to_string() }));
            }
            Err(_) => {
                let remark = format!("cannot be used: `runbook steps {kind}` tells why");
                line(&kind, "", &remark);
            }
        }
    }
}

/// The keys that every step may have, beside the inputs of its kind.
fn keys(setting: &Setting) {
    let schema = runbook::schema(&setting.registry);
    let step = &schema["$defs"]["StepFile"]["properties"];
    let keys: Vec<(&String, &Value)> = step.as_object().into_iter().flatten().collect();
    let width = Width::of_results();
    let column = widest(keys.iter().map(|(key, _)| key.as_str()), WIDEST_KIND);
    render::result(&format!("\n{}", paint(BOLD, "Keys of every step")));
    for (key, value) in keys {
        let about = value["description"].as_str().unwrap_or_default();
        let head = format!("{}  ", paint(BOLD, pad(key, column)));
        render::result(&width.wrap(&head, column + 2, about));
    }
    let more = "`runbook steps KIND` tells the inputs of a kind (`with:`), `runbook steps KEY` the form of a key, \
                `runbook steps --functions` what scripts can call, `runbook steps site` how to write a kind of your own";
    render::result(&format!("\n{}", width.wrap("", 0, more)));
}

/// The documentation of a kind of step: what it does, its inputs from their types, an example.
fn documentation(plugin: &dyn Plugin) -> String {
    let doc = plugin.doc();
    let mut text = format!("{}: {}\n", paint(BOLD, plugin.name()), doc.summary);
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
        let default = default_of(input).map_or_else(String::new, |value| format!(", `{value}` if left out"));
        text += &format!(
            "\n  {} ({}{must}{default}{scripts})",
            paint(BOLD, name),
            kind_of(input, definitions)
        );
        for line in input["description"].as_str().unwrap_or_default().lines() {
            text += &format!("\n      {line}");
        }
    }
    text
}

/// The value of an input that is left out, where that says anything.
pub(crate) fn default_of(schema: &Value) -> Option<String> {
    match &schema["default"] {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(schema["default"].to_string()),
        Value::String(_) | Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The type of an input, in words.
pub(crate) fn kind_of(schema: &Value, definitions: &Value) -> String {
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
    if let Some(name) = schema["format"].as_str() {
        return name.to_owned();
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
