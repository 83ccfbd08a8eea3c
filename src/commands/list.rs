//! `runbook list`

use serde_json::json;

use crate::error::Failed;
use crate::exit::Exit;
use crate::render::style::{BAD, CARE, DIM, of_run, paint, words};
use crate::render::{self, time};
use crate::setting::Setting;

/// Show all runs, the newest first
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only runs that are not finished
    #[arg(long)]
    open: bool,
}

pub(crate) async fn run(args: &Args, setting: &Setting) -> Result<Exit, Failed> {
    let engine = setting.engine()?;
    let runs = engine
        .journal
        .list()
        .await
        .map_err(|error| Failed::journal("list", &error))?;
    let wanted = |row: &&runbook_engine::journal::Listed| {
        !args.open
            || row
                .summary
                .as_ref()
                .map_or(true, |summary| !summary.status.is_finished())
    };
    let runs: Vec<_> = runs.iter().filter(wanted).collect();
    if setting.global.json {
        let rows = runs.iter().map(|row| match &row.summary {
            Ok(summary) => {
                let mut value = serde_json::to_value(summary).unwrap_or_default();
                value["name"] = format!("{}-{}", summary.runbook, row.run.short()).into();
                value["held_by"] = json!(row.holder);
                value
            }
            Err(error) => json!({ "run": row.run, "error": error.to_string(), "held_by": row.holder }),
        });
        render::json(&rows.collect());
        return Ok(Exit::Done);
    }
    if runs.is_empty() {
        setting.look.tell("no runs; `runbook exec FILE` starts one");
    }
    let name = |row: &runbook_engine::journal::Listed| match &row.summary {
        Ok(summary) => format!("{}-{}", summary.runbook, row.run.short()),
        Err(_) => row.run.to_string(),
    };
    let widest = runs
        .iter()
        .map(|row| name(row).chars().count())
        .max()
        .unwrap_or(0);
    for row in runs {
        let name = format!("{:<widest$}", name(row));
        let line = match &row.summary {
            Ok(summary) => {
                let status = format!("{:<12}", words(summary.status.as_str()));
                let progress = format!("{:>3} of {:<3}", summary.settled, summary.total);
                let rehearsal = if summary.rehearsal { " rehearsal," } else { "" };
                let when = time::local(summary.updated);
                let about = paint(
                    DIM,
                    format!("{when},{rehearsal} {}: {}", summary.operator, summary.title),
                );
                format!(
                    "{name}  {} {progress}  {about}",
                    paint(of_run(summary.status), status)
                )
            }
            Err(error) => format!("{name}  {} {error}", paint(BAD, format!("{:<12}", "unreadable"))),
        };
        let held = row.holder.as_ref().map_or_else(String::new, |holder| {
            format!("  {}", paint(CARE, format!("held by {holder}")))
        });
        render::result(&format!("{line}{held}"));
    }
    Ok(Exit::Done)
}
