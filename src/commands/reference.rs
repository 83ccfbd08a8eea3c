//! `runbook reference`, which is hidden: for those who change the program.

use std::path::PathBuf;

use runbook_engine::diagnostic::{Code, Diagnostic};

use super::read_bounded;
use crate::cli;
use crate::error::Failed;
use crate::exit::Exit;
use crate::reference::Made;
use crate::setting::Setting;

/// The largest page, in bytes.
const LARGEST: u64 = 4 * 1024 * 1024;

/// Renew the parts of documentation pages that are made from the program
#[derive(Debug, clap::Args)]
#[command(hide = true)]
pub(crate) struct Args {
    /// The pages
    #[arg(value_name = "PAGE", required = true)]
    pages: Vec<PathBuf>,
}

pub(crate) fn run(args: &Args, setting: &Setting) -> Result<Exit, Failed> {
    let schema = runbook_engine::runbook::schema(&setting.registry);
    let made = Made::new(&cli::command(), &schema, &setting.registry);
    for path in &args.pages {
        let failed = |error: &std::io::Error| {
            let message = format!("the page `{}` cannot be renewed", path.display());
            Diagnostic::error(Code::UnreadableFile, message).caused_by(error)
        };
        let old = read_bounded(path, LARGEST).map_err(|error| failed(&error))?;
        let new = made
            .renewed(&old)
            .map_err(|error| failed(&std::io::Error::other(error)))?;
        if new != old {
            std::fs::write(path, new).map_err(|error| failed(&error))?;
            setting.look.tell(&format!("renewed {}", path.display()));
        }
    }
    Ok(Exit::Done)
}
