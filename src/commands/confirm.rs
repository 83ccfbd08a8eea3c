//! `runbook confirm`

use std::path::PathBuf;

use runbook_engine::core::Act;

use super::{instance, open, record};
use crate::error::Failed;
use crate::exit::Exit;
use crate::manual::{self, Answer};
use crate::setting::Setting;

/// Say that a manual step is done, with its evidence
#[derive(Debug, clap::Args)]
#[command(after_help = "In a terminal, what is missing is asked for.

Example:
  runbook confirm hybrid-s2s-7f3a check-manage-trust --value entry=ACS --attach trust.png --note 'as described'")]
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
    /// What else is to be said
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

pub(crate) async fn run(args: &Args, setting: &Setting) -> Result<Exit, Failed> {
    let instance = instance(&args.step)?;
    let run = open(&args.run, setting).await?;
    let evidence = manual::Evidence {
        values: &args.values,
        files: &args.files,
        note: args.note.clone(),
    };
    let answer = manual::gather(&run, &instance, &evidence, setting).await;
    match answer {
        Ok(Answer::Done {
            values,
            attachments,
            note,
        }) => {
            record(
                run,
                Act::Confirm {
                    instance,
                    values,
                    attachments,
                    note,
                },
                setting,
            )
            .await
        }
        Ok(Answer::NotNow) => {
            close(run).await?;
            setting.look.tell("nothing was recorded");
            Ok(Exit::Waiting)
        }
        Ok(Answer::Interrupted) => {
            close(run).await?;
            Err(Failed::interrupted())
        }
        Err(failed) => {
            close(run).await?;
            Err(failed)
        }
    }
}

async fn close(run: runbook_engine::runtime::Run) -> Result<(), Failed> {
    let name = run.name();
    run.close()
        .await
        .map(drop)
        .map_err(|error| Failed::runtime(&name, error))
}
