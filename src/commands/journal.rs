//! `runbook journal`

use serde_json::json;

use crate::error::Failed;
use crate::exit::Exit;
use crate::render;
use crate::render::style::{BAD, GOOD, count, entries, paint};
use crate::setting::{Setting, find_run};

/// Look after journals
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Check that nothing in a run's journal was changed, dropped, reordered or cut off
    Verify {
        /// The run
        #[arg(value_name = "RUN")]
        run: String,
    },
}

pub(crate) async fn run(args: &Args, setting: &Setting) -> Result<Exit, Failed> {
    let Command::Verify { run: text } = &args.command;
    let engine = setting.engine_with(text)?;
    let id = find_run(&engine, text).await?;
    let found = engine
        .journal
        .verify(id)
        .await
        .map_err(|error| Failed::journal(text, &error))?;
    let holds = found.findings.is_empty();
    if setting.global.json {
        render::json(&json!({ "run": id, "holds": holds, "verification": found }));
    } else if holds {
        let entries = entries(found.entries);
        let chunks = count(usize::try_from(found.chunks).unwrap_or(usize::MAX), "piece");
        let attachments = count(
            usize::try_from(found.attachments).unwrap_or(usize::MAX),
            "attachment",
        );
        let holds = paint(GOOD, "the journal holds");
        render::result(&format!(
            "{holds}: {entries}, {chunks} of transcript, {attachments}, nothing changed"
        ));
    } else {
        for finding in &found.findings {
            let place = finding
                .seq
                .map_or_else(String::new, |seq| format!("entry {seq}: "));
            render::result(&format!("{} {place}{}", paint(BAD, "✗"), finding.message));
        }
        setting.look.tell(&format!(
            "the journal cannot be trusted: {}; keep the folder as it is, and restore it from a backup",
            count(found.findings.len(), "finding"),
        ));
    }
    Ok(if holds { Exit::Done } else { Exit::Failed })
}
