//! `runbook journal`

use crate::error::Failed;
use crate::exit::Exit;
use crate::setting::Setting;

pub(crate) mod verify;

/// Look after journals
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Verify(verify::Args),
}

pub(crate) async fn run(args: &Args, setting: &Setting) -> Result<Exit, Failed> {
    match &args.command {
        Command::Verify(args) => verify::run(args, setting).await,
    }
}
