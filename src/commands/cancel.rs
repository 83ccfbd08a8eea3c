//! `runbook cancel`

use runbook_engine::core::Act;

use super::{access, reason, record};
use crate::error::Failed;
use crate::exit::Exit;
use crate::setting::Setting;

/// Stop a run for good; what it did stays, and can be rolled back
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The run
    #[arg(value_name = "RUN")]
    run: String,
    /// Why: it stands in the journal
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    why: String,
}

pub(crate) async fn run(args: &Args, setting: &Setting) -> Result<Exit, Failed> {
    let run = access(&args.run, setting).await?;
    record(
        run,
        Act::Cancel {
            why: args.why.clone(),
        },
        setting,
    )
    .await
}
