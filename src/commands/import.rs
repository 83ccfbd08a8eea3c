//! `runbook import`

use std::path::PathBuf;

use runbook_engine::core::event::Entry;
use runbook_engine::diagnostic::{Code, Diagnostic};
use runbook_engine::journal::Standing;
use runbook_engine::runtime::{Arrival, Fork, ImportError, RuntimeError};
use serde_json::json;

use super::accept::brief;
use super::journal::verify;
use super::{close, give_up, leave};
use crate::bundle::Bundle;
use crate::error::Failed;
use crate::exit::Exit;
use crate::render::story::story;
use crate::render::style::{CARE, GOOD, entries, paint};
use crate::render::{self, hands, plain, time};
use crate::setting::Setting;

/// How much of each side of a fork is shown.
const SHOWN: usize = 5;

/// Take a run in from a file that `export` wrote: everything is checked before anything is stored
///
/// A run that was moved to you goes on here. Any other becomes a copy, which can be shown and verified.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  runbook import for-kim.tar.zst --operator kim
  runbook journal verify for-kim.tar.zst")]
pub(crate) struct Args {
    /// The file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Take it only if it was written and made by people of this file, as far as they have keys
    #[arg(long, value_name = "FILE")]
    operators: Option<PathBuf>,
}

pub(crate) async fn run(args: &Args, setting: &Setting) -> Result<Exit, Failed> {
    let trusted = args.operators.as_deref().map(verify::from_file).transpose()?;
    let trusted = trusted.map(|team| team.operators);
    let bundle = Bundle::open(&args.file, setting).await?;
    let engine = setting.acting().await?;
    let name = args.file.display().to_string();
    let arrived = engine.import(bundle.content, bundle.size, trusted.as_ref()).await;
    let Arrival {
        run,
        added,
        before,
        standing,
    } = arrived.map_err(|error| refused(&name, error))?;
    let known = if before > 0 {
        format!(", {} of it were here already", entries(before as u64))
    } else {
        String::new()
    };
    if setting.global.json {
        let (id, copy) = (run.state().started().run, standing == Standing::Copy);
        render::json(
            &json!({ "run": id, "name": run.name(), "added": added, "before": before, "copy": copy }),
        );
    } else {
        let holds = paint(GOOD, "the bundle holds");
        render::result(&format!(
            "{holds}: {}: {} new{known}",
            run.name(),
            entries(added as u64)
        ));
    }
    if standing == Standing::Copy {
        let status = run.state().status();
        let not_moved = if status.is_finished() {
            ""
        } else {
            "it was not moved to you: "
        };
        let remark = format!("{not_moved}this is {}", hands::copy(status));
        setting.look.tell(&paint(CARE, remark));
        return close(run).await.map(|_| Exit::Done);
    }
    match brief(&engine, &run, setting).await {
        Ok(()) => leave(run, setting).await.map(|_| Exit::Done),
        Err(failed) => Err(give_up(run, failed).await),
    }
}

/// Why a bundle was not taken in.
fn refused(file: &str, error: ImportError) -> Failed {
    match error {
        ImportError::Bundle(error) => Failed::bundle(file, &error),
        ImportError::Runtime(RuntimeError::Rejected(rejection)) => Failed::not_for_you(file, &rejection),
        ImportError::Runtime(error) => Failed::runtime(file, error),
        ImportError::Forks(fork) => forked(file, &fork),
        ImportError::Old { .. } => {
            let message = format!("`{file}`: {error}");
            Diagnostic::error(Code::BundleOld, message)
                .help("nothing was stored; `runbook show RUN` tells where the run stands here")
                .into()
        }
    }
}

/// Shows both continuations of a run.
fn forked(file: &str, fork: &Fork) -> Failed {
    let name = &fork.name;
    let message = format!("`{file}`: `{name}` was continued in two places; nothing was stored");
    let mut diagnostic = Diagnostic::error(Code::BundleForks, message);
    for (whose, branch) in [("here", &fork.here), ("in the bundle", &fork.bundle)] {
        let shown = branch.iter().take(SHOWN).map(line);
        let more = branch.len().saturating_sub(SHOWN);
        let more = (more > 0).then(|| format!("and {more} more"));
        let lines: Vec<String> = shown.chain(more).collect();
        diagnostic = diagnostic.help(format!("{whose} it goes on so:\n{}", lines.join("\n")));
    }
    diagnostic
        .help(format!(
            "find out with both operators which one is to go on, and what the other did twice; keep the file, and `runbook cancel {name} --why TEXT` the other"
        ))
        .into()
}

fn line(entry: &Entry) -> String {
    let (operator, host) = (&entry.operator, &entry.host);
    let words = story(&entry.event);
    plain(&format!(
        "{:>4}  {}  {operator}@{host}  {words}",
        entry.seq,
        time::local(entry.time)
    ))
}
