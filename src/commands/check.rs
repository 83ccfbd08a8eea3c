//! `runbook check`

use std::path::{Path, PathBuf};

use runbook_engine::runbook::{Loaded, fingerprint};
use serde_json::{Value, json};

use super::load;
use super::output::Output;
use crate::error::Failed;
use crate::exit::Exit;
use crate::overlays::Wanted;
use crate::render::graph::{Form, Picture};
use crate::render::layout::Width;
use crate::render::style::{BAD, DIM, GOOD, count, paint};
use crate::render::{self, diagnostic, overlay};
use crate::setting::Setting;

/// Find every mistake in runbooks; touches nothing
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  runbook check runbooks/*.yaml
  runbook check hybrid-s2s.yaml --graph
  runbook check hybrid-s2s --overlay contoso.yaml
  runbook check hybrid-s2s.yaml --graph svg -o hybrid-s2s.svg")]
pub(crate) struct Args {
    /// The runbooks
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Draw the steps of sound runbooks, and which comes before which
    #[arg(long, value_name = "FORM", num_args = 0..=1, default_missing_value = "text", conflicts_with = "json")]
    graph: Option<Form>,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    overlays: Wanted,
}

pub(crate) fn run(args: &Args, setting: &Setting) -> Result<Exit, Failed> {
    args.output.check()?;
    args.output
        .only_for_pictures(args.graph.is_some() && args.files.len() == 1)?;
    let mut exit = Exit::Done;
    let registry = Setting::registry_that_reads();
    for path in &args.files {
        match load::loaded_with(path, &args.overlays, &registry, setting) {
            Ok(loaded) => {
                if setting.global.json {
                    render::json(&as_json(path, &loaded));
                } else {
                    tell(path, &loaded, setting);
                }
                match (&loaded.runbook, args.graph) {
                    (Some(runbook), Some(form)) => {
                        let columns = Width::of_results().left(0);
                        let columns = columns.filter(|_| args.output.file().is_none());
                        let picture = Picture::of(runbook, None).draw(form, columns)?;
                        args.output.give(&picture, setting)?;
                    }
                    (Some(_), None) => {}
                    (None, _) => exit = Exit::BadInput,
                }
            }
            Err(failed) => exit = failed.tell(setting),
        }
    }
    Ok(exit)
}

fn as_json(path: &Path, loaded: &Loaded) -> Value {
    let all: Vec<_> = loaded.diagnostics.iter().map(diagnostic::as_json).collect();
    let overlaid = loaded.runbook.as_ref().and_then(|runbook| runbook.overlays());
    json!({
        "file": path.display().to_string(),
        "ok": loaded.runbook.is_some(),
        "diagnostics": all,
        "overlaid": overlaid.map(|overlaid| overlay::as_json(overlaid)),
    })
}

/// What is wrong with a runbook, and in the last line whether it can be used.
fn tell(path: &Path, loaded: &Loaded, setting: &Setting) {
    diagnostic::print_all(&loaded.diagnostics, setting);
    let errors = loaded.diagnostics.iter().filter(|one| one.is_error()).count();
    let warnings = match loaded.diagnostics.len() - errors {
        0 => String::new(),
        warnings => format!(", {}", count(warnings, "warning")),
    };
    let verdict = match &loaded.runbook {
        Some(runbook) => {
            let steps = count(runbook.steps().len(), "step");
            format!("{}: {steps}{warnings}", paint(GOOD, "sound"))
        }
        None => format!("{}{warnings}", paint(BAD, count(errors, "error"))),
    };
    let (width, line) = (Width::of_talk(), format!("{}: {verdict}", path.display()));
    setting.look.tell(&width.wrap("", 2, &line));
    if let Some(runbook) = &loaded.runbook {
        setting.tell_of_roles(runbook);
    }
    if let Some(overlaid) = loaded.runbook.as_ref().and_then(|runbook| runbook.overlays()) {
        setting.look.tell(&overlay::list(overlaid, width));
        let hash = fingerprint(&overlaid.text);
        let remark = format!("the runbook without them has the fingerprint {hash}");
        setting.look.tell(&paint(DIM, width.wrap("", 2, &remark)));
    }
}
