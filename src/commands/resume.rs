//! `runbook resume`

use super::{carry, open};
use crate::error::Failed;
use crate::exit::Exit;
use crate::params;
use crate::render::style::{BOLD, CARE, DIM, paint};
use crate::render::{self, rows};
use crate::setting::Setting;

/// Go on with a run: tomorrow, after a crash, or as another person
#[derive(Debug, clap::Args)]
#[command(
    after_help = "RUN is any unambiguous beginning of the run's name or id; `runbook list` shows them.

Examples:
  runbook resume hybrid-s2s-7f3a
  runbook resume hybrid-s2s-7f3a --operator bob"
)]
pub(crate) struct Args {
    /// The run
    #[arg(value_name = "RUN")]
    run: String,
    /// How many steps may be under way at once, if not as many as before
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    jobs: Option<u32>,
}

pub(crate) async fn run(args: &Args, setting: &Setting) -> Result<Exit, Failed> {
    let mut run = open(&args.run, setting).await?;
    let (name, runbook) = (run.name(), run.runbook().clone());
    let status = run.state().status();
    if status.is_finished() {
        let state = run.close().await.map_err(|error| Failed::runtime(&name, error))?;
        setting.look.tell(&render::next::summary(&name, &state, &runbook));
        return Ok(Exit::of(&state));
    }
    let look = setting.look;
    look.tell(&format!("{}  {}", paint(BOLD, &name), runbook.title()));
    let state = run.state();
    let last = format!(
        "last: {} at {}",
        state.operator(),
        render::time::local(state.updated())
    );
    look.tell(&paint(
        DIM,
        format!("{last}; now operator {}", setting.author().operator),
    ));
    if state.started().rehearsal.is_some() {
        look.tell(&paint(
            CARE,
            "rehearsal: steps answer from the runbook, and nothing is touched",
        ));
    }
    look.tell(&rows::table(state, &runbook));
    look.tell("");
    if run.state().started().rehearsal.is_none() {
        run.set_secrets(params::secrets(run.runbook(), setting)?);
    }
    carry::carry(run, args.jobs, setting).await
}
