//! `runbook list`

use runbook_engine::journal::{Listed, Summary};
use runbook_engine::runtime::Engine;
use serde_json::{Value, json};

use crate::error::Failed;
use crate::exit::Exit;
use crate::render::layout::{Width, cut, pad, widest};
use crate::render::style::{BAD, CARE, DIM, of_run, paint, words};
use crate::render::{self, hands, plain, time};
use crate::setting::Setting;

/// Room for the longest status.
const STATUS: usize = 12;

/// Show all runs, each with the time at which something last happened in it; the latest first
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only runs that are not finished
    #[arg(long)]
    open: bool,
}

pub(crate) async fn run(args: &Args, setting: &Setting) -> Result<Exit, Failed> {
    if let Some(folder) = setting.missing_state_dir()? {
        none(args, setting);
        // Even a program may have been given the wrong folder.
        let remark = format!("the state folder {} does not exist yet", folder.display());
        setting
            .look
            .tell_always(&Width::of_talk().wrap("", 2, &plain(&remark)));
        return Ok(Exit::Done);
    }
    let engine = setting.engine()?;
    let mut runs = engine
        .journal
        .list()
        .await
        .map_err(|error| Failed::journal("list", &error))?;
    for row in &mut runs {
        freshen(row, &engine).await;
    }
    // What was touched last comes first, as the times say that stand there; what cannot be read has none.
    runs.sort_by_key(|row| std::cmp::Reverse(row.summary.as_ref().ok().map(|run| run.updated)));
    if args.open {
        // What cannot be read is nothing that anybody has finished.
        let is_open = |row: &Listed| row.summary.as_ref().map_or(true, |run| !run.status.is_finished());
        runs.retain(is_open);
    }
    if runs.is_empty() {
        none(args, setting);
        let remark = format!("looked in {}", setting.place()?);
        setting
            .look
            .tell(&paint(DIM, Width::of_talk().wrap("", 2, &plain(&remark))));
    } else if setting.global.json {
        render::json(&runs.iter().map(as_json).collect());
    } else {
        let (names, width) = (widest(runs.iter().map(name), usize::MAX), Width::of_results());
        runs.iter()
            .for_each(|row| render::result(&text(row, names, width)));
    }
    Ok(Exit::Done)
}

/// Says that there is nothing to list.
fn none(args: &Args, setting: &Setting) {
    if setting.global.json {
        render::json(&json!([]));
    }
    let which = if args.open { "no open runs" } else { "no runs" };
    setting
        .look
        .tell(&format!("{which}; `runbook exec FILE` starts one"));
}

/// Whether the process that carried the run out is gone, in the middle of it.
fn was_interrupted(row: &Listed) -> bool {
    let goes_on = |run: &Summary| run.status.goes_on_by_itself();
    row.holder.is_none() && row.summary.as_ref().is_ok_and(goes_on)
}

/// Reads of a run that was interrupted how far it really came: nobody was left to write its summary.
async fn freshen(row: &mut Listed, engine: &Engine) {
    if !was_interrupted(row) {
        return;
    }
    // One that cannot be read is shown as it was last known; `resume` and `show` say what is wrong with it.
    let Ok(story) = engine.read(row.run).await else {
        return;
    };
    if let Ok(summary) = &mut row.summary {
        let (settled, total) = story.state.progress();
        summary.status = story.state.status();
        summary.settled = settled;
        summary.total = total;
        summary.operator = story.state.operator().clone();
        summary.updated = story.state.updated();
    }
}

/// The name of a run; its id, where nothing else of it can be read.
pub(crate) fn name(row: &Listed) -> String {
    row.summary
        .as_ref()
        .map_or_else(|_| row.run.to_string(), Summary::name)
}

fn text(row: &Listed, names: usize, width: Width) -> String {
    let name = pad(&name(row), names);
    let mut text = match &row.summary {
        Ok(run) => {
            let status = if was_interrupted(row) {
                paint(CARE, pad("interrupted", STATUS))
            } else {
                paint(of_run(run.status), pad(&words(run.status.as_str()), STATUS))
            };
            let progress = format!("{:>3} of {:<3}", run.settled, run.total);
            let rehearsal = if run.rehearsal { " rehearsal," } else { "" };
            let overlays = match run.overlays.as_slice() {
                [] => String::new(),
                names => format!(", with {}", names.join(", ")),
            };
            let about = format!(
                "last {},{rehearsal} {}: {}{overlays}",
                time::local(run.updated),
                run.operator,
                run.title
            );
            let (head, about) = (format!("{name}  {status} {progress}"), plain(&about));
            let used = names + 2 + STATUS + 1 + progress.len() + 2;
            match width.left(used) {
                None => format!("{head}  {}", paint(DIM, about)),
                Some(left) if !width.is_narrow() => format!("{head}  {}", paint(DIM, cut(&about, left))),
                Some(_) => format!(
                    "{}\n{}",
                    head.trim_end(),
                    paint(DIM, width.wrap("    ", 4, &about))
                ),
            }
        }
        Err(error) => {
            let status = paint(BAD, pad("unreadable", STATUS));
            width.wrap(&format!("{name}  {status} "), 4, &plain(&error.to_string()))
        }
    };
    if let Some(to) = row.summary.as_ref().ok().and_then(|run| run.offered_to.as_ref()) {
        text += &format!("\n    {}", hands::in_short(to));
    }
    if let Some(holder) = &row.holder {
        text += &format!("\n    {}", paint(CARE, plain(&format!("held by {holder}"))));
    }
    text
}

fn as_json(row: &Listed) -> Value {
    match &row.summary {
        Ok(summary) => {
            let mut value = serde_json::to_value(summary).unwrap_or_default();
            value["name"] = summary.name().into();
            value["held_by"] = json!(row.holder);
            value["interrupted"] = was_interrupted(row).into();
            value
        }
        Err(error) => json!({ "run": row.run, "error": error.to_string(), "held_by": row.holder }),
    }
}
