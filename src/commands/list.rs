//! `runbook list`

use runbook_engine::journal::{Listed, Summary};
use serde_json::{Value, json};

use crate::error::Failed;
use crate::exit::Exit;
use crate::render::layout::{Width, cut, pad, widest};
use crate::render::style::{BAD, CARE, DIM, of_run, paint, words};
use crate::render::{self, plain, time};
use crate::setting::Setting;

/// Room for the longest status.
const STATUS: usize = 12;

/// Show all runs, the newest first
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only runs that are not finished
    #[arg(long)]
    open: bool,
}

pub(crate) async fn run(args: &Args, setting: &Setting) -> Result<Exit, Failed> {
    let engine = setting.engine()?;
    let mut runs = engine
        .journal
        .list()
        .await
        .map_err(|error| Failed::journal("list", &error))?;
    if args.open {
        // What cannot be read is nothing that anybody has finished.
        let is_open = |row: &Listed| row.summary.as_ref().map_or(true, |run| !run.status.is_finished());
        runs.retain(is_open);
    }
    if setting.global.json {
        render::json(&runs.iter().map(as_json).collect());
    } else if runs.is_empty() {
        let which = if args.open { "no open runs" } else { "no runs" };
        setting
            .look
            .tell(&format!("{which}; `runbook exec FILE` starts one"));
    } else {
        let (names, width) = (widest(runs.iter().map(name), usize::MAX), Width::of_results());
        runs.iter()
            .for_each(|row| render::result(&text(row, names, width)));
    }
    Ok(Exit::Done)
}

fn name(row: &Listed) -> String {
    row.summary
        .as_ref()
        .map_or_else(|_| row.run.to_string(), Summary::name)
}

fn text(row: &Listed, names: usize, width: Width) -> String {
    let name = pad(&name(row), names);
    let mut text = match &row.summary {
        Ok(run) => {
            let status = paint(of_run(run.status), pad(&words(run.status.as_str()), STATUS));
            let progress = format!("{:>3} of {:<3}", run.settled, run.total);
            let rehearsal = if run.rehearsal { " rehearsal," } else { "" };
            let about = format!(
                "{},{rehearsal} {}: {}",
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
            value
        }
        Err(error) => json!({ "run": row.run, "error": error.to_string(), "held_by": row.holder }),
    }
}
