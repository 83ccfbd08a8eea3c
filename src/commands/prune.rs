//! `runbook prune`

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use runbook_engine::diagnostic::{Code, Diagnostic};
use runbook_engine::journal::{Listed, Summary};
use runbook_engine::platform::private;
use runbook_engine::runbook::duration;
use runbook_engine::runtime::Engine;
use serde_json::json;

use super::export;
use crate::bundle;
use crate::error::Failed;
use crate::exit::Exit;
use crate::render::style::{DIM, count, paint, words};
use crate::render::{self, plain, time};
use crate::setting::Setting;

/// Remove finished runs that are old, or more than are kept; only tells which, unless you say `--yes`
///
/// A run that is not finished is never removed, and neither is one that somebody holds or that cannot be read.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  runbook prune --older-than 90d
  runbook prune --older-than 90d --keep 20 --archive /srv/archive --yes")]
pub(crate) struct Args {
    /// Only runs in which nothing has happened for so long, such as `90d`
    #[arg(long, value_name = "AGE", value_parser = age, required_unless_present = "keep")]
    older_than: Option<Duration>,
    /// Keep the newest so many of the finished runs
    #[arg(long, value_name = "N")]
    keep: Option<usize>,
    /// Write each run into this folder first, as `export` does
    #[arg(long, value_name = "FOLDER")]
    archive: Option<PathBuf>,
    /// Do it
    #[arg(long)]
    yes: bool,
}

fn age(text: &str) -> Result<Duration, String> {
    duration::parse(text).map_err(|error| format!("{error}; {}", error.help()))
}

pub(crate) async fn run(args: &Args, setting: &Setting) -> Result<Exit, Failed> {
    // What is archived is signed.
    let engine = match args.archive {
        Some(_) if args.yes => setting.acting().await?,
        _ => setting.engine()?,
    };
    let runs = engine.journal.list().await;
    let runs = runs.map_err(|error| Failed::journal("prune", &error))?;
    let found = candidates(runs, args, Timestamp::now());
    if let Some(folder) = args.archive.as_deref().filter(|_| args.yes && !found.is_empty()) {
        make(folder)?;
    }
    let (mut removed, mut failures) = (Vec::new(), Vec::new());
    for run in &found {
        match one(&engine, run, args, setting).await {
            Ok(Some(archive)) => removed.push((run, archive)),
            Ok(None) => {}
            Err(failed) => failures.push(failed),
        }
    }
    tell(&removed, args, setting);
    let failed = !failures.is_empty();
    for failure in failures {
        failure.tell(setting);
    }
    Ok(if failed { Exit::Failed } else { Exit::Done })
}

/// The runs that may be removed, as far as lists tell.
fn candidates(runs: Vec<Listed>, args: &Args, now: Timestamp) -> Vec<Summary> {
    let finished = runs.into_iter().filter(|row| row.holder.is_none());
    let finished = finished.filter_map(|row| row.summary.ok());
    let mut finished: Vec<Summary> = finished.filter(|run| run.status.is_finished()).collect();
    finished.sort_by_key(|run| std::cmp::Reverse(run.updated));
    let least = args
        .older_than
        .map(|age| SignedDuration::try_from(age).unwrap_or(SignedDuration::MAX));
    let old = |run: &Summary| least.is_none_or(|least| now.duration_since(run.updated) >= least);
    finished
        .into_iter()
        .skip(args.keep.unwrap_or(0))
        .filter(old)
        .collect()
}

/// Removes a run, or would. The journal has the last word on whether it is finished.
async fn one(
    engine: &Engine,
    run: &Summary,
    args: &Args,
    setting: &Setting,
) -> Result<Option<Option<PathBuf>>, Failed> {
    let name = run.name();
    let story = engine.read(run.run).await;
    let state = story.map_err(|error| Failed::runtime(&name, error))?.state;
    if !state.status().is_finished() || state.active().len() > 0 {
        return Ok(None);
    }
    let archive = args
        .archive
        .as_ref()
        .map(|folder| folder.join(format!("{name}-{}.tar.zst", run.run)));
    if !args.yes {
        return Ok(Some(archive));
    }
    if let Some(file) = &archive {
        keep(engine, run, file, setting).await?;
    }
    let removed = engine.journal.remove(run.run).await;
    removed.map_err(|error| Failed::journal(&name, &error))?;
    Ok(Some(archive))
}

/// Writes a run into an archive, unless it is there from a time when that was interrupted.
async fn keep(engine: &Engine, run: &Summary, file: &Path, setting: &Setting) -> Result<(), Failed> {
    if file.symlink_metadata().is_ok() {
        let there = bundle::checked(file, setting).await?;
        let same = there.sound().is_ok_and(|manifest| manifest.last == run.head_hash);
        if same {
            return Ok(());
        }
    }
    let whole = export::begin(file)?;
    let target = export::Target {
        file,
        recipient: None,
    };
    export::write(engine, run.run, whole, target).await.map(drop)
}

fn make(folder: &Path) -> Result<(), Failed> {
    private::create_folders(folder).map_err(|error| {
        let message = format!("the folder `{}` cannot be used", folder.display());
        let diagnostic = Diagnostic::error(Code::OutputNotWritten, message).caused_by(&error);
        diagnostic.help("nothing was removed; name another folder").into()
    })
}

fn tell(removed: &[(&Summary, Option<PathBuf>)], args: &Args, setting: &Setting) {
    if setting.global.json {
        let rows = removed.iter().map(|(run, archive)| {
            json!({ "run": run.run, "name": run.name(), "updated": run.updated, "archive": archive, "removed": args.yes })
        });
        render::json(&rows.collect());
        return;
    }
    for (run, archive) in removed {
        let about = format!("{}, {}", words(run.status.as_str()), time::local(run.updated));
        let to = archive
            .as_ref()
            .map_or_else(String::new, |file| format!("  {}", file.display()));
        render::result(&format!(
            "{}  {}{}",
            run.name(),
            paint(DIM, plain(&about)),
            plain(&to)
        ));
    }
    let runs = count(removed.len(), "run");
    setting.look.tell(&match (removed.is_empty(), args.yes) {
        (true, _) => "no finished run is that old, or more than are kept".to_owned(),
        (false, true) => format!("removed {runs}"),
        (false, false) => format!("{runs} would be removed; `--yes` does it"),
    });
}
