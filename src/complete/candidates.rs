//! The values that fit: runs, steps, runbooks, parameters and what else there is a list of.

use std::time::Duration;

use clap_complete::engine::CompletionCandidate;
use runbook_engine::diagnostic::{Code, SourceFile};
use runbook_engine::journal::sled::peek;
use runbook_engine::journal::{Summary, postgres};
use runbook_engine::runbook::{self, Param, ParamKind, Runbook};
use serde_json::Value;

use super::files;
use super::typed::Typed;
use crate::commands::read_bounded;
use crate::database;
use crate::overlays::FolderFiles;
use crate::render::layout::cut;
use crate::render::plain;
use crate::render::style::words;
use crate::secrets::KINDS;
use crate::shipped;

/// How many runs are looked at.
const MOST_RUNS: usize = 300;

/// The same of a database.
const MOST_SHARED: i64 = 300;

/// How long a database may take while somebody waits with a finger on a key.
const PATIENCE: Duration = Duration::from_millis(700);

/// How long the text about a value may be.
const WIDEST_HELP: usize = 60;

/// The largest runbook that is read between two keys, in bytes.
const LARGEST_RUNBOOK: u64 = 1024 * 1024;

fn candidate(value: impl Into<String>, help: &str) -> CompletionCandidate {
    let help = plain(help).replace(['\n', '\t'], " ");
    let help = (!help.is_empty()).then(|| cut(&help, WIDEST_HELP).into());
    CompletionCandidate::new(value.into()).help(help)
}

fn all_runs(typed: &Typed) -> Vec<Summary> {
    if let Some(named) = typed.text("journal").filter(|named| !named.is_empty()) {
        return shared_runs(named);
    }
    typed
        .state_dir()
        .map(|folder| peek(&folder, MOST_RUNS))
        .unwrap_or_default()
}

/// The newest runs of a database, if it answers at once.
fn shared_runs(named: &str) -> Vec<Summary> {
    let Some(address) = database::quick_address(named) else {
        return Vec::new();
    };
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return Vec::new();
    };
    let runs = runtime.block_on(postgres::peek(address, MOST_SHARED, PATIENCE));
    // The name of a server that is looked up for long keeps nobody waiting.
    runtime.shutdown_background();
    runs
}

/// Runs; where only those that are not finished can be meant, those.
pub(super) fn runs(current: &str) -> Vec<CompletionCandidate> {
    let Some(typed) = Typed::now() else {
        return Vec::new();
    };
    let open_only = typed.command.first().is_some_and(|name| {
        matches!(
            name.as_str(),
            "resume" | "confirm" | "decide" | "approve" | "reject" | "cancel"
        )
    });
    let wanted = |run: &&Summary| run.name().starts_with(current) && !(open_only && run.status.is_finished());
    let runs = all_runs(&typed);
    runs.iter()
        .filter(wanted)
        .map(|run| {
            let status = words(run.status.as_str());
            candidate(
                run.name(),
                &format!("{status}, {} of {}: {}", run.settled, run.total, run.title),
            )
        })
        .collect()
}

/// Steps and instances of the run that is named before.
pub(super) fn steps(current: &str) -> Vec<CompletionCandidate> {
    let Some(typed) = Typed::now() else {
        return Vec::new();
    };
    let Some(named) = typed.text("run").filter(|run| !run.is_empty()) else {
        return Vec::new();
    };
    let runs = all_runs(&typed);
    let mut meant = runs.iter().filter(|run| {
        let (name, short, id) = (run.name(), run.run.short(), run.run.to_string());
        name.starts_with(named) || short.starts_with(named) || id.starts_with(named)
    });
    let (Some(run), None) = (meant.next(), meant.next()) else {
        return Vec::new();
    };
    let ids = run.nameable.iter().map(ToString::to_string);
    ids.filter(|id| id.starts_with(current))
        .map(|id| candidate(id, ""))
        .collect()
}

/// Steps of the runbook that is named before.
pub(super) fn steps_of_runbook(current: &str) -> Vec<CompletionCandidate> {
    let runbook = Typed::now().as_ref().and_then(named_runbook);
    let steps = runbook.iter().flat_map(|runbook| runbook.steps().values());
    steps
        .filter(|step| step.id.as_str().starts_with(current))
        .map(|step| candidate(step.id.as_str(), &step.title))
        .collect()
}

/// Runbooks: those that ship, and files.
pub(super) fn runbooks(current: &str) -> Vec<CompletionCandidate> {
    let is_runbook = |found: &CompletionCandidate| {
        let name = found.get_value().to_string_lossy();
        name.ends_with(['/', '\\']) || name.ends_with(".yaml") || name.ends_with(".yml")
    };
    let files = files(current).into_iter().filter(is_runbook);
    files.chain(shipped(current)).collect()
}

/// The names of the runbooks that ship.
pub(super) fn shipped(current: &str) -> Vec<CompletionCandidate> {
    let all = shipped::ALL.iter().filter(|one| one.name.starts_with(current));
    all.map(|one| candidate(one.name, one.about)).collect()
}

/// Error codes.
pub(super) fn codes(current: &str) -> Vec<CompletionCandidate> {
    let wanted = current.to_ascii_uppercase();
    let codes = Code::ALL.iter().filter(|code| code.as_str().starts_with(&wanted));
    codes.map(|code| candidate(code.as_str(), code.title())).collect()
}

/// Kinds of step.
pub(super) fn kinds(current: &str) -> Vec<CompletionCandidate> {
    let registry = runbook_steps::builtin();
    let plugins = registry
        .iter()
        .filter(|plugin| plugin.name().starts_with(current));
    plugins
        .map(|plugin| candidate(plugin.name(), plugin.doc().summary))
        .collect()
}

/// Parameters of the runbook that is named before, and behind `=` their values where those are few.
pub(super) fn params(current: &str) -> Vec<CompletionCandidate> {
    let typed = Typed::now();
    let Some((typed, runbook)) = typed
        .as_ref()
        .and_then(|typed| Some((typed, named_runbook(typed)?)))
    else {
        return Vec::new();
    };
    let params = runbook.params().values().filter(|param| !param.is_secret());
    if let Some((name, begun)) = current.split_once('=') {
        let param = params.clone().find(|param| param.name.as_str() == name);
        let values = param.map(values).unwrap_or_default().into_iter();
        return values
            .filter(|value| value.starts_with(begun))
            .map(|value| candidate(format!("{name}={value}"), ""))
            .collect();
    }
    let given: Vec<&str> = typed
        .texts("set")
        .filter_map(|text| Some(text.split_once('=')?.0))
        .collect();
    params
        .filter(|param| param.name.as_str().starts_with(current) && !given.contains(&param.name.as_str()))
        .map(|param| {
            candidate(
                format!("{}=", param.name),
                param.prompt.as_deref().unwrap_or_default(),
            )
        })
        .collect()
}

/// Secrets of the runbook that is named before, and behind `=` the sorts of places where one can come from.
pub(super) fn secrets(current: &str) -> Vec<CompletionCandidate> {
    let Some(runbook) = Typed::now().as_ref().and_then(named_runbook) else {
        return Vec::new();
    };
    let secrets = runbook.params().values().filter(|param| param.is_secret());
    if let Some((name, begun)) = current.split_once('=') {
        let known = secrets.clone().any(|param| param.name.as_str() == name);
        let kinds = KINDS.iter().filter(|(kind, _)| known && kind.starts_with(begun));
        return kinds
            .map(|(kind, about)| candidate(format!("{name}={kind}"), about))
            .collect();
    }
    secrets
        .filter(|param| param.name.as_str().starts_with(current))
        .map(|param| {
            candidate(
                format!("{}=", param.name),
                param.prompt.as_deref().unwrap_or_default(),
            )
        })
        .collect()
}

/// The values that a parameter can have, or such as are named for it.
fn values(param: &Param) -> Vec<String> {
    match &param.kind {
        ParamKind::Enum(values) => values.clone(),
        ParamKind::Boolean => vec!["true".to_owned(), "false".to_owned()],
        ParamKind::String
        | ParamKind::Integer
        | ParamKind::Number
        | ParamKind::Url(_)
        | ParamKind::Domain
        | ParamKind::Host
        | ParamKind::Guid
        | ParamKind::Path
        | ParamKind::Secret
        | ParamKind::List(_) => {
            let named = [param.default.as_ref(), param.example.as_ref()];
            let texts = named.into_iter().flatten().filter_map(|value| match value {
                Value::Null | Value::Array(_) | Value::Object(_) => None,
                Value::String(text) => Some(text.clone()),
                Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
            });
            texts.collect()
        }
    }
}

/// The runbook that is named before, if it can be read.
fn named_runbook(typed: &Typed) -> Option<Runbook> {
    let path = typed.path("file")?;
    let name = path.to_string_lossy();
    let registry = runbook_steps::builtin();
    let (text, files) = match shipped::find(&name).filter(|_| !path.is_file()) {
        Some(ships) => (ships.yaml.to_owned(), FolderFiles::beside(&[]).and_of(&name)),
        None => (
            read_bounded(&path, LARGEST_RUNBOOK).ok()?,
            FolderFiles::beside(&[&path]),
        ),
    };
    runbook::load(&SourceFile::new(name, text), &registry, &files).runbook
}
