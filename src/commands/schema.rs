//! `runbook schema`

use std::path::{Path, PathBuf};

use runbook_engine::diagnostic::{Code, Diagnostic};
use runbook_engine::runbook;
use runbook_engine::step::Registry;
use serde_json::Value;

use super::load::files_beside;
use super::output::unwritable;
use super::read_bounded;
use crate::error::Failed;
use crate::exit::Exit;
use crate::render;
use crate::setting::Setting;

/// The name that runbooks expect it under, in the folder that they are in.
pub(crate) const FILE: &str = "runbook.schema.json";

/// The largest file that is looked at before it is replaced, in bytes.
const LARGEST: u64 = 4 * 1024 * 1024;

/// Print the JSON Schema of runbooks, overlays, tests or operators, for editors
#[derive(Debug, clap::Args)]
#[command(
    after_help = "An editor with a YAML language server completes and checks a runbook that begins with
  # yaml-language-server: $schema=runbook.schema.json

Examples:
  runbook schema --output runbook.schema.json    beside your runbooks, where that line looks for it
  runbook schema overlay
  runbook schema --runbook farm.yaml             with the kinds of step in the folder `steps` beside it"
)]
pub(crate) struct Args {
    /// Of which kind of file
    #[arg(value_name = "KIND", default_value = "runbook")]
    kind: Kind,
    /// With the kinds of step that files beside this runbook define
    #[arg(long, value_name = "FILE")]
    runbook: Option<PathBuf>,
    /// Write it to this file; an older schema there is replaced
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// A kind of file that people write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    Runbook,
    Overlay,
    Test,
    Operators,
}

pub(crate) fn run(args: &Args, setting: &Setting) -> Result<Exit, Failed> {
    let text = match &args.runbook {
        None => text(args.kind)?,
        Some(runbook) => text_of(args.kind, &with_kinds_beside(runbook, setting)?)?,
    };
    match &args.output {
        None => render::result(&text),
        Some(path) => {
            replaceable(path)?;
            std::fs::write(path, text + "\n").map_err(|error| unwritable(path, &error))?;
            setting.look.tell(&format!("wrote {}", path.display()));
        }
    }
    Ok(Exit::Done)
}

/// The kinds of step of the program, and those that files beside a runbook define.
fn with_kinds_beside(runbook: &Path, setting: &Setting) -> Result<Registry, Failed> {
    let files = files_beside(runbook)?;
    let mut registry = setting.registry.clone();
    for kind in setting.registry.beside(&files) {
        let plugin = setting.registry.find(&kind, &files);
        let plugin = plugin.map_err(|why| Failed::input(why.diagnostics(&runbook.to_string_lossy())))?;
        registry = registry.with_plugin(plugin);
    }
    Ok(registry)
}

/// The schema of a kind of file, with this program's kinds of step.
pub(crate) fn text(kind: Kind) -> Result<String, Failed> {
    text_of(kind, &runbook_steps::builtin())
}

fn text_of(kind: Kind, registry: &Registry) -> Result<String, Failed> {
    let schema = match kind {
        Kind::Runbook => runbook::schema(registry),
        Kind::Overlay => runbook::overlay_schema(registry),
        Kind::Test => runbook::cases::cases_schema(),
        Kind::Operators => runbook::operators_schema(),
    };
    serde_json::to_string_pretty(&schema)
        .map_err(|error| Failed::fault("the schema could not be written as JSON", &error))
}

/// Nothing but an older schema is replaced.
fn replaceable(path: &Path) -> Result<(), Failed> {
    if path.symlink_metadata().is_err() {
        return Ok(());
    }
    let found = read_bounded(path, LARGEST).ok();
    let found: Option<Value> = found.and_then(|text| serde_json::from_str(&text).ok());
    let titles = ["Runbook", "Overlay", "Tests", "Operators"];
    let is_ours =
        |found: Value| found["$schema"].is_string() && titles.iter().any(|title| found["title"] == *title);
    if found.is_some_and(is_ours) {
        return Ok(());
    }
    let message = format!("`{}` is no schema of ours, and was left as it is", path.display());
    let diagnostic = Diagnostic::error(Code::Usage, message);
    Err(diagnostic.help("choose another name, or move it away").into())
}
