//! `runbook confirm`

use std::path::PathBuf;

use super::{access, go, go_after, instance, record};
use crate::error::Failed;
use crate::exit::Exit;
use crate::manual::{self, Answer};
use crate::setting::Setting;

/// Say that a manual step is done, with its evidence
#[derive(Debug, clap::Args)]
#[command(after_help = "In a terminal, what is missing is asked for.

Example:
  runbook confirm hybrid-s2s-7f3a check-manage-trust --ticked --value entry=ACS --attach trust.png --note 'as described'")]
pub(crate) struct Args {
    /// The run
    #[arg(value_name = "RUN")]
    run: String,
    /// The step, or an instance as `step[item]`
    #[arg(value_name = "STEP")]
    step: String,
    /// A value that the step collects; may be given several times
    #[arg(long = "value", value_name = "NAME=VALUE")]
    values: Vec<String>,
    /// A file that proves it; may be given several times
    #[arg(long = "attach", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Every item of its checklist is so
    #[arg(long)]
    ticked: bool,
    /// What else is to be said
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

pub(crate) async fn run(args: &Args, setting: &Setting) -> Result<Exit, Failed> {
    let instance = instance(&args.step)?;
    let mut run = access(&args.run, setting).await?;
    let evidence = manual::Evidence {
        values: &args.values,
        files: &args.files,
        note: args.note.clone(),
        ticked: args.ticked,
    };
    match manual::gather(run.seat_mut(), &instance, &evidence, setting).await {
        Ok(Answer::Done(done)) => record(run, done.confirms(instance), setting).await,
        Ok(Answer::NotNow) => {
            setting.look.tell("nothing was recorded");
            go(run, setting).await.map(|()| Exit::Waiting)
        }
        Ok(Answer::Interrupted) => Err(go_after(run, Failed::interrupted("nothing was recorded")).await),
        Err(failed) => Err(go_after(run, failed).await),
    }
}
