//! `runbook handoff`

use runbook_engine::core::Act;
use runbook_engine::core::event::Handing;
use runbook_engine::id::Operator;

use super::{access, record};
use crate::error::Failed;
use crate::exit::Exit;
use crate::setting::Setting;

/// Hand a run over to another operator, who accepts it; until then it stays yours
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  runbook handoff hybrid-s2s-7f3a --to kim --note \"the tenant is consented; web2 is down until noon\"
  runbook handoff hybrid-s2s-7f3a --take-back

The other operator uses the same state folder. From another machine they reach the run where it is
kept in a database (`--journal`).")]
pub(crate) struct Args {
    /// The run
    #[arg(value_name = "RUN")]
    run: String,
    /// The operator who is to have it
    #[arg(long, value_name = "NAME", value_parser = super::operator, required_unless_present = "take_back")]
    to: Option<Operator>,
    /// What they should know; it stands in the journal
    #[arg(long, value_name = "TEXT", requires = "to")]
    note: Option<String>,
    /// Take an offer back that was not accepted yet
    #[arg(long, conflicts_with = "to")]
    take_back: bool,
}

pub(crate) async fn run(args: &Args, setting: &Setting) -> Result<Exit, Failed> {
    let handing = match &args.to {
        Some(to) => Handing::Offered {
            to: to.clone(),
            note: args.note.clone(),
        },
        None => Handing::TakenBack,
    };
    let run = access(&args.run, setting).await?;
    record(run, Act::Hand(handing), setting).await
}
