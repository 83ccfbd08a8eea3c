//! `runbook resume`

use std::sync::Arc;

use jiff::Timestamp;

use super::{carry, give_up, leave, load, open};
use crate::error::Failed;
use crate::exit::Exit;
use crate::jobs;
use crate::left::LeftArgs;
use crate::observe::Options;
use crate::render::briefing::briefing;
use crate::render::diagnostic;
use crate::render::heading::heading;
use crate::render::layout::Width;
use crate::render::time;
use crate::secrets::SecretArgs;
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
    #[command(flatten)]
    left: LeftArgs,
    #[command(flatten)]
    observe: Options,
    #[command(flatten)]
    secrets: SecretArgs,
}

pub(crate) async fn run(args: &Args, setting: &Setting) -> Result<Exit, Failed> {
    let watched = args.observe.checked()?;
    let mut run = open(&args.run, setting).await?;
    args.left.heed(&mut run);
    let (look, width) = (&setting.look, Width::of_talk());
    let state = run.state();
    if state.status().is_finished() {
        return leave(run, setting).await.map(|state| Exit::of(&state));
    }
    if let Err(rejection) = state.hands().admit(&setting.author().operator) {
        let failed = Failed::runtime(&run.name(), rejection.into());
        return Err(give_up(run, failed).await);
    }
    let (last, when) = (state.operator(), time::local(state.updated()));
    let remark = format!(
        "last: {last} at {when}; now operator {}",
        setting.author().operator
    );
    look.tell(&heading(state, run.runbook(), &remark, width));
    look.tell(&briefing(state, run.runbook(), Timestamp::now(), width));
    look.tell("");
    diagnostic::print_all(&load::changed(run.runbook(), &run.name()), setting);
    match args.secrets.giver(run.runbook(), setting) {
        Ok(giver) => run.set_keeper(Arc::new(giver)),
        Err(failed) => return Err(give_up(run, failed).await),
    }
    let wanted = args.jobs.unwrap_or(run.state().jobs());
    let jobs = jobs::possible(wanted, setting);
    carry::carry(run, Some(jobs), watched, setting).await
}
