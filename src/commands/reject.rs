//! `runbook reject`

use runbook_engine::core::Act;

use super::{access, instance, reason, record};
use crate::error::Failed;
use crate::exit::Exit;
use crate::setting::Setting;

/// Do not approve what a step would carry out, take an approval back, or send the run back
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The step fails with this reason. `runbook decide RUN STEP again`, then `runbook resume RUN`, has it asked for anew.
Whoever has approved it takes that back so, until the step begins: it is waited for again.

With `--to`, the run goes back from manual work or an approval that it waits for to an earlier step that was not done
right. That one is looked at and done again, and what stands on it is looked at again; nothing is undone. Steps that
cannot tell whether they are done are not repeated without asking.

Examples:
  runbook reject hybrid-s2s-7f3a set-realm --why 'not before the backup'
  runbook reject hybrid-s2s-7f3a check-sign-in --to set-realm --why 'it is the old domain'"
)]
pub(crate) struct Args {
    /// The run
    #[arg(value_name = "RUN")]
    run: String,
    /// The step, or an instance as `step[item]`
    #[arg(value_name = "STEP")]
    step: String,
    /// Send the run back to this earlier step, or instance as `step[item]`
    #[arg(long, value_name = "EARLIER")]
    to: Option<String>,
    /// Why: it stands in the journal
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    why: String,
}

pub(crate) async fn run(args: &Args, setting: &Setting) -> Result<Exit, Failed> {
    let instance = instance(&args.step)?;
    let to = args.to.as_deref().map(self::instance).transpose()?;
    let run = access(&args.run, setting).await?;
    let why = args.why.clone();
    let act = match to {
        None => Act::Reject { instance, why },
        Some(to) => Act::SendBack { instance, to, why },
    };
    record(run, act, setting).await
}
