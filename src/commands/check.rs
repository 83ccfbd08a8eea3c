//! `runbook check`

use std::path::PathBuf;

use runbook_engine::diagnostic::Diagnostic;
use serde_json::json;

use super::load;
use crate::error::Failed;
use crate::exit::Exit;
use crate::render::style::{GOOD, count, paint};
use crate::render::{self, diagnostic};
use crate::setting::Setting;

/// Find every mistake in runbooks; touches nothing
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  runbook check runbooks/*.yaml")]
pub(crate) struct Args {
    /// The runbooks
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

pub(crate) fn run(args: &Args, setting: &Setting) -> Result<Exit, Failed> {
    let mut exit = Exit::Done;
    for path in &args.files {
        let loaded = match load::loaded(path, setting) {
            Ok(loaded) => loaded,
            Err(failed) => {
                exit = failed.tell(setting);
                continue;
            }
        };
        let errors = loaded.diagnostics.iter().filter(|one| one.is_error()).count();
        let warnings = loaded.diagnostics.len() - errors;
        if setting.global.json {
            let all: Vec<_> = loaded.diagnostics.iter().map(diagnostic::as_json).collect();
            let ok = loaded.runbook.is_some();
            render::json(&json!({ "file": path.display().to_string(), "ok": ok, "diagnostics": all }));
        } else {
            diagnostic::print_all(&loaded.diagnostics, setting);
        }
        match loaded.runbook {
            Some(runbook) => {
                let warned = if warnings == 0 {
                    String::new()
                } else {
                    format!(", {}", count(warnings, "warning"))
                };
                let steps = count(runbook.steps().len(), "step");
                let sound = paint(GOOD, "sound");
                setting
                    .look
                    .tell(&format!("{}: {sound}: {steps}{warned}", path.display()));
                rehearsable_only(&runbook)
                    .iter()
                    .for_each(|remark| setting.look.tell(remark));
            }
            None => {
                exit = Exit::BadInput;
                setting
                    .look
                    .tell(&format!("{}: {}", path.display(), count(errors, "error")));
            }
        }
    }
    Ok(exit)
}

/// A remark where steps can only be rehearsed by this version.
fn rehearsable_only(runbook: &runbook_engine::runbook::Runbook) -> Option<String> {
    let mut plugins: Vec<String> = runbook
        .unavailable()
        .iter()
        .map(|(_, plugin, _)| format!("`{plugin}`"))
        .collect();
    plugins.sort();
    plugins.dedup();
    let all = plugins.join(", ");
    (!plugins.is_empty())
        .then(|| format!("  this version can rehearse it, but not carry out its {all} steps"))
}

/// Kept beside `check`, which must not report it: a runbook that can only be rehearsed is sound.
pub(super) fn not_available(runbook: &runbook_engine::runbook::Runbook) -> Vec<Diagnostic> {
    use runbook_engine::diagnostic::Code;
    let mut by_plugin: std::collections::BTreeMap<String, Vec<_>> = std::collections::BTreeMap::new();
    for (step, plugin, span) in runbook.unavailable() {
        by_plugin
            .entry(plugin.to_string())
            .or_default()
            .push((step, span));
    }
    let file = runbook.source_file();
    let diagnostic = |(plugin, steps): (String, Vec<(&runbook_engine::id::StepId, _)>)| {
        let message = format!(
            "this version cannot carry out `{plugin}` steps: {} of this runbook",
            count(steps.len(), "step")
        );
        let diagnostic = Diagnostic::error(Code::PluginNotAvailable, message);
        let shown = steps.iter().take(3);
        shown
            .fold(diagnostic, |diagnostic, (step, span)| {
                diagnostic.at(file, *span, format!("`{step}` uses `{plugin}`"))
            })
            .help("play it through with `--rehearse`: nothing is touched")
    };
    by_plugin.into_iter().map(diagnostic).collect()
}
