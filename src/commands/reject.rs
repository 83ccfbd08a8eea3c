//! `runbook reject`

use runbook_engine::core::Act;

use super::{access, instance, reason, record};
use crate::error::Failed;
use crate::exit::Exit;
use crate::setting::Setting;

/// Do not approve what a step would carry out, or take an approval back
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The step fails with this reason. `runbook decide RUN STEP again`, then `runbook resume RUN`, has it asked for anew.
Whoever has approved it takes that back so, until the step begins: it is waited for again.

Example:
  runbook reject hybrid-s2s-7f3a set-realm --why 'not before the backup'"
)]
pub(crate) struct Args {
    /// The run
    #[arg(value_name = "RUN")]
    run: String,
    /// The step, or an instance as `step[item]`
    #[arg(value_name = "STEP")]
    step: String,
    /// Why: it stands in the journal
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    why: String,
}

pub(crate) async fn run(args: &Args, setting: &Setting) -> Result<Exit, Failed> {
    let instance = instance(&args.step)?;
    let run = access(&args.run, setting).await?;
    let why = args.why.clone();
    record(run, Act::Reject { instance, why }, setting).await
}
