//! `runbook decide`

use clap::ValueEnum;
use runbook_engine::core::Act;
use runbook_engine::core::event::Ruling;
use runbook_engine::runtime::Access;

use super::{access, instance, reason, record};
use crate::error::Failed;
use crate::exit::Exit;
use crate::left::LeftArgs;
use crate::setting::Setting;

/// Settle a step that is in doubt, or one that failed
#[derive(Debug, clap::Args)]
#[command(after_help = "What RULING says of a step, or of undoing it:
  done   it took effect, or is undone: the run goes on from there
  again  it did not: it is tried again
  fail   it cannot succeed: it counts as failed, and nothing that needs it goes on
  skip   the run goes on without it; what was to be undone is left in place
Anybody may decide, also in a run that was cut off and that nobody has resumed yet.

Examples:
  runbook decide hybrid-s2s-7f3a add-spn done --why 'the SPN is in the tenant'
  runbook decide hybrid-s2s-7f3a add-spn again --why 'the network is back'")]
pub(crate) struct Args {
    /// The run
    #[arg(value_name = "RUN")]
    run: String,
    /// The step, or an instance as `step[item]`
    #[arg(value_name = "STEP")]
    step: String,
    /// How it goes on: done, again, fail or skip
    #[arg(value_enum, value_name = "RULING", hide_possible_values = true)]
    ruling: Choice,
    /// Why: it stands in the journal
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    why: String,
    #[command(flatten)]
    left: LeftArgs,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Choice {
    /// It took effect, or is undone: go on from there
    Done,
    /// It did not: try again
    Again,
    /// It cannot succeed: it counts as failed
    Fail,
    /// Go on without it, or leave it in place
    Skip,
}

pub(crate) async fn run(args: &Args, setting: &Setting) -> Result<Exit, Failed> {
    let instance = instance(&args.step)?;
    let ruling = match args.ruling {
        Choice::Done => Ruling::Done,
        Choice::Again => Ruling::Again,
        Choice::Fail => Ruling::Fail,
        Choice::Skip => Ruling::Skip,
    };
    let mut run = access(&args.run, setting).await?;
    if let Access::Own(run) = &mut run {
        args.left.heed(run);
    }
    record(
        run,
        Act::Decide {
            instance,
            ruling,
            why: args.why.clone(),
        },
        setting,
    )
    .await
}
