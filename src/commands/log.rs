//! `runbook log`

use std::collections::BTreeMap;

use runbook_engine::core::event::{Entry, Event, Transcript};
use runbook_engine::id::{InstanceId, Seq};
use runbook_engine::journal::{Chunk, stored};
use runbook_engine::runtime::Engine;
use serde_json::json;

use super::instance;
use crate::error::Failed;
use crate::exit::Exit;
use crate::render::style::{BAD, DIM, paint};
use crate::render::{self, entry, time};
use crate::setting::{Setting, find_run};

/// Show what happened in a run: every entry, and what steps printed
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  runbook log hybrid-s2s-7f3a
  runbook log hybrid-s2s-7f3a --step 'oauth-over-http[web1]'")]
pub(crate) struct Args {
    /// The run
    #[arg(value_name = "RUN")]
    run: String,
    /// Only this step, or this instance of a fan-out
    #[arg(long, value_name = "STEP")]
    step: Option<String>,
}

pub(crate) async fn run(args: &Args, setting: &Setting) -> Result<Exit, Failed> {
    let engine = setting.engine()?;
    let id = find_run(&engine, &args.run).await?;
    let only = args.step.as_deref().map(instance).transpose()?;
    let story = engine
        .read(id)
        .await
        .map_err(|error| Failed::runtime(&args.run, error))?;
    if let Some(wanted) = &only
        && story.runbook.step(wanted.step()).is_none()
    {
        return Err(no_such_step(args, wanted, &story));
    }
    let shown = |entry: &&Entry| only.as_ref().is_none_or(|wanted| is_about(entry, wanted));
    let started = started_at(&story.entries);
    for one in story.entries.iter().filter(shown) {
        let (operator, host) = (&one.operator, &one.host);
        if setting.global.json {
            render::json(&stored::to_json(one));
        } else {
            let head = paint(
                DIM,
                format!("{:>4}  {}  {operator}@{host}", one.seq, time::local(one.time)),
            );
            render::result(&format!("{head}  {}", render::plain(&entry::story(&one.event))));
        }
        if let Some(transcript) = transcript_of(&one.event) {
            show_transcript(&engine, id, transcript, setting, &args.run).await?;
        }
    }
    // What was printed by calls that have not ended has no entry that covers it yet.
    for (of, seq) in started
        .iter()
        .filter(|(id, _)| only.as_ref().is_none_or(|wanted| same(id, wanted)))
    {
        let open = Transcript {
            of: *seq,
            chunks: 0,
            bytes: 0,
            sha256: String::new(),
        };
        if story
            .state
            .find(of)
            .and_then(|ix| story.state.instance(ix).phase.activity())
            .is_some()
        {
            show_transcript(&engine, id, &open, setting, &args.run).await?;
        }
    }
    Ok(Exit::Done)
}

fn no_such_step(args: &Args, wanted: &InstanceId, story: &runbook_engine::runtime::Story) -> Failed {
    use runbook_engine::diagnostic::{Code, Diagnostic};
    let message = format!("run `{}` has no step `{}`", args.run, wanted.step());
    let steps = story.runbook.steps().keys().map(|step| step.as_str());
    Diagnostic::error(Code::StepNotInRun, message)
        .did_you_mean(wanted.step().as_str(), steps)
        .into()
}

fn same(id: &InstanceId, wanted: &InstanceId) -> bool {
    id == wanted || (wanted.item().is_none() && id.step() == wanted.step())
}

fn is_about(entry: &Entry, wanted: &InstanceId) -> bool {
    entry::subject(&entry.event).is_some_and(|id| same(&id, wanted))
}

/// The last activity of every instance.
fn started_at(entries: &[Entry]) -> BTreeMap<InstanceId, Seq> {
    let starts = entries.iter().filter_map(|entry| match &entry.event {
        Event::ObservationStarted { instance }
        | Event::AttemptStarted { instance, .. }
        | Event::AttemptReturned { instance, .. }
        | Event::RollbackAttemptStarted { instance, .. }
        | Event::RollbackReturned { instance, .. } => Some((instance.clone(), entry.seq)),
        _ => None,
    });
    starts.collect()
}

fn transcript_of(event: &Event) -> Option<&Transcript> {
    match event {
        Event::Observed { transcript, .. }
        | Event::ObservationFailed { transcript, .. }
        | Event::AttemptReturned { transcript, .. }
        | Event::AttemptFailed { transcript, .. }
        | Event::Verified { transcript, .. }
        | Event::Interrupted { transcript, .. }
        | Event::RollbackReturned { transcript, .. }
        | Event::RolledBack { transcript, .. }
        | Event::RollbackFailed { transcript, .. } => transcript.as_ref(),
        _ => None,
    }
}

async fn show_transcript(
    engine: &Engine,
    run: runbook_engine::id::RunId,
    transcript: &Transcript,
    setting: &Setting,
    name: &str,
) -> Result<(), Failed> {
    let chunks = engine
        .journal
        .transcript(run, transcript.of)
        .await
        .map_err(|error| Failed::journal(name, &error))?;
    let streams = streams(&chunks);
    for (stream, text) in streams {
        if setting.global.json {
            render::json(&json!({ "transcript_of": transcript.of, "stream": stream, "text": text }));
            continue;
        }
        let bar = if stream == "stderr" {
            paint(BAD, "│")
        } else {
            paint(DIM, "│")
        };
        for line in text.lines() {
            render::result(&format!("      {bar} {}", render::plain(line)));
        }
    }
    Ok(())
}

/// Chunks of one stream in a row, put together, so that lines are not cut.
fn streams(chunks: &[Chunk]) -> Vec<(String, String)> {
    let mut parts: Vec<(String, Vec<u8>)> = Vec::new();
    for chunk in chunks {
        match parts.last_mut() {
            Some((stream, bytes)) if *stream == chunk.stream => bytes.extend_from_slice(&chunk.bytes),
            _ => parts.push((chunk.stream.clone(), chunk.bytes.clone())),
        }
    }
    parts
        .into_iter()
        .map(|(stream, bytes)| (stream, String::from_utf8_lossy(&bytes).into_owned()))
        .collect()
}
