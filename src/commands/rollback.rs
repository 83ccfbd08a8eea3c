//! `runbook rollback`

use runbook_engine::core::event::RollbackScope;
use runbook_engine::core::{Act, RunStatus};
use runbook_engine::id::StepId;
use runbook_engine::runtime::Run;

use super::{act_on, carry, give_up, open};
use crate::error::Failed;
use crate::exit::Exit;
use crate::params;
use crate::setting::Setting;

/// Undo a run, or some of its steps and all that depends on them
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Only what the run itself may have changed is undone, in reverse order. A rollback that is
interrupted goes on with `runbook resume`.

Examples:
  runbook rollback hybrid-s2s-7f3a
  runbook rollback hybrid-s2s-7f3a --step set-realm --why 'the add-ins broke'"
)]
pub(crate) struct Args {
    /// The run
    #[arg(value_name = "RUN")]
    run: String,
    /// Only this step and all that depends on it; may be given several times
    #[arg(long, value_name = "STEP")]
    step: Vec<StepId>,
    /// Why: it stands in the journal
    #[arg(long, value_name = "TEXT", default_value = "asked for by the operator")]
    why: String,
}

pub(crate) async fn run(args: &Args, setting: &Setting) -> Result<Exit, Failed> {
    let mut run = open(&args.run, setting).await?;
    match prepare(&mut run, args, setting).await {
        Ok(()) => carry::carry(run, None, setting).await,
        Err(failed) => Err(give_up(run, failed).await),
    }
}

/// Records that the run is to be undone, unless that is under way already, and finds what undoing it needs.
async fn prepare(run: &mut Run, args: &Args, setting: &Setting) -> Result<(), Failed> {
    if run.state().status() != RunStatus::RollingBack {
        let scope = if args.step.is_empty() {
            RollbackScope::Run
        } else {
            RollbackScope::Steps(args.step.clone())
        };
        let why = args.why.clone();
        act_on(run, Act::Rollback { scope, why }, setting).await?;
    }
    if run.state().started().rehearsal.is_none() {
        run.set_secrets(params::secrets(run.runbook(), setting)?);
    }
    Ok(())
}
