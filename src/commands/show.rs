//! `runbook show`

use runbook_engine::runtime::Story;
use serde_json::json;

use crate::error::Failed;
use crate::exit::Exit;
use crate::render::style::{BOLD, CARE, DIM, paint};
use crate::render::{self, next, rows, time};
use crate::setting::{Setting, find_run};

/// Show a run step by step: what is done, what comes next, who is waited for
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The run
    #[arg(value_name = "RUN")]
    run: String,
}

pub(crate) async fn run(args: &Args, setting: &Setting) -> Result<Exit, Failed> {
    let engine = setting.engine()?;
    let id = find_run(&engine, &args.run).await?;
    let Story { state, runbook, .. } = engine
        .read(id)
        .await
        .map_err(|error| Failed::runtime(&args.run, error))?;
    let started = state.started();
    let name = format!("{}-{}", started.runbook, started.run.short());
    if setting.global.json {
        let (settled, total) = state.progress();
        render::json(&json!({
            "run": started.run,
            "name": name,
            "runbook": started.runbook,
            "title": runbook.title(),
            "status": state.status(),
            "rehearsal": started.rehearsal.is_some(),
            "operator": state.operator(),
            "starter": state.starter(),
            "started": state.begun(),
            "updated": state.updated(),
            "params": started.params,
            "settled": settled,
            "total": total,
            "cancelled": state.cancelled(),
            "still_to_undo": state.still_to_undo(),
            "steps": state.rows().iter().map(rows::as_json).collect::<Vec<_>>(),
        }));
        return Ok(Exit::Done);
    }
    render::result(&format!("{}  {}", paint(BOLD, &name), runbook.title()));
    let begun = format!("started {} by {}", time::local(state.begun()), state.starter());
    let last = format!("last {} by {}", time::local(state.updated()), state.operator());
    render::result(&paint(DIM, format!("{begun}; {last}")));
    if started.rehearsal.is_some() {
        render::result(&paint(CARE, "rehearsal: nothing was touched"));
    }
    if state.active().len() > 0 {
        render::result(&paint(CARE, "it was interrupted: no process carries it out now"));
    }
    render::result(&rows::table(&state, &runbook));
    render::result(&next::summary(&name, &state, &runbook));
    Ok(Exit::Done)
}
