//! `runbook schema`

use crate::error::Failed;
use crate::exit::Exit;
use crate::render;

/// Print the JSON Schema of runbooks, for editors
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_args: &Args) -> Result<Exit, Failed> {
    let schema = runbook_engine::runbook::schema(&runbook_steps::builtin());
    let text = serde_json::to_string_pretty(&schema)
        .map_err(|error| Failed::fault("the schema could not be written as JSON", &error))?;
    render::result(&text);
    Ok(Exit::Done)
}
