//! `runbook log`

use std::collections::{BTreeMap, VecDeque};

use runbook_engine::core::RunState;
use runbook_engine::core::event::{Entry, Event, Transcript};
use runbook_engine::diagnostic::{Code, Diagnostic};
use runbook_engine::id::{InstanceId, RunId, Seq};
use runbook_engine::journal::{Chunk, stored};
use runbook_engine::runtime::{Engine, Story};
use serde_json::json;

use super::{instance, read};
use crate::error::Failed;
use crate::exit::Exit;
use crate::render::layout::Width;
use crate::render::story::{story, subject};
use crate::render::style::{BAD, DIM, paint};
use crate::render::{self, plain, time};
use crate::setting::Setting;

/// Further lines of an entry stand below its words where that leaves at least so many columns for them.
const ROOM: usize = 40;

/// How many transcripts are read at once, unless they are large.
const READ_AHEAD: usize = 1000;

/// Show what happened in a run: every entry, and what steps printed
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  runbook log hybrid-s2s-7f3a
  runbook log hybrid-s2s-7f3a --step \"oauth-over-http[web1]\"")]
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
    let only = args.step.as_deref().map(instance).transpose()?;
    let (id, story) = read(&args.run, &engine).await?;
    if let Some(wanted) = &only
        && story.runbook.step(wanted.step()).is_none()
    {
        return Err(no_such_step(&args.run, wanted, &story));
    }
    let is_wanted = |id: &InstanceId| only.as_ref().is_none_or(|wanted| same(id, wanted));
    let shown = |entry: &&Entry| only.is_none() || subject(&entry.event).is_some_and(|id| is_wanted(&id));
    let entries: Vec<&Entry> = story.entries.iter().filter(shown).collect();
    // What calls printed that have not ended is not covered by an entry yet.
    let open = under_way(&story.state);
    let open: Vec<Seq> = open
        .iter()
        .filter(|(id, _)| is_wanted(id))
        .map(|(_, of)| *of)
        .collect();
    let ended = entries.iter().filter_map(|entry| transcript_of(&entry.event));
    let mut log = Log {
        engine: &engine,
        run: id,
        name: &args.run,
        json: setting.global.json,
        to_read: ended
            .map(|transcript| transcript.of)
            .chain(open.iter().copied())
            .collect(),
        read: VecDeque::new(),
    };
    for entry in entries {
        log.entry(entry).await?;
    }
    for of in open {
        log.transcript(of).await?;
    }
    Ok(Exit::Done)
}

fn no_such_step(run: &str, wanted: &InstanceId, story: &Story) -> Failed {
    let message = format!("run `{run}` has no step `{}`", wanted.step());
    let steps = story.runbook.steps().keys().map(|step| step.as_str());
    Diagnostic::error(Code::StepNotInRun, message)
        .did_you_mean(wanted.step().as_str(), steps)
        .help(format!("`runbook show {run}` lists the steps"))
        .into()
}

/// Whether an instance is the one that is wanted, or one of the step that is.
fn same(id: &InstanceId, wanted: &InstanceId) -> bool {
    id == wanted || (wanted.item().is_none() && id.step() == wanted.step())
}

/// The entries that started what is under way, by instance.
fn under_way(state: &RunState) -> BTreeMap<InstanceId, Seq> {
    let active = state.active();
    active
        .filter_map(|instance| Some((instance.id.clone(), instance.phase.activity()?.of)))
        .collect()
}

/// A log that is being printed.
struct Log<'a> {
    engine: &'a Engine,
    run: RunId,
    name: &'a str,
    json: bool,
    /// The transcripts that are still to be read, in the order in which they are shown.
    to_read: VecDeque<Seq>,
    read: VecDeque<(Seq, Vec<Chunk>)>,
}

impl Log<'_> {
    /// Prints an entry, and below it what was printed by the call that it ends.
    async fn entry(&mut self, entry: &Entry) -> Result<(), Failed> {
        if self.json {
            render::json(&stored::to_json(entry));
        } else {
            render::result(&text(entry, Width::of_results()));
        }
        match transcript_of(&entry.event) {
            Some(transcript) => self.transcript(transcript.of).await,
            None => Ok(()),
        }
    }

    /// Prints what the call printed that the entry `of` started.
    async fn transcript(&mut self, of: Seq) -> Result<(), Failed> {
        let chunks = self.chunks(of).await?;
        for (stream, text) in streams(&chunks) {
            if self.json {
                render::json(&json!({ "transcript_of": of, "stream": stream, "text": text }));
                continue;
            }
            let bar = if stream == "stderr" {
                format!("{} {}", paint(BAD, "│"), paint(BAD, "stderr"))
            } else {
                paint(DIM, "│")
            };
            for line in text.lines() {
                render::result(&format!("      {bar} {}", plain(line)));
            }
        }
        Ok(())
    }

    /// A transcript, read with some of those that are shown next: opening a run is work, and grows with it.
    async fn chunks(&mut self, of: Seq) -> Result<Vec<Chunk>, Failed> {
        if self.read.is_empty() {
            let next: Vec<Seq> = self.to_read.iter().copied().take(READ_AHEAD).collect();
            let read = self.engine.journal.transcripts(self.run, &next).await;
            self.read = read.map_err(|error| Failed::journal(self.name, &error))?.into();
            self.to_read.drain(..self.read.len());
        }
        let next = self.read.pop_front();
        Ok(next
            .filter(|(found, _)| *found == of)
            .map(|(_, chunks)| chunks)
            .unwrap_or_default())
    }
}

/// One entry as a line, or more where the terminal is narrow.
fn text(entry: &Entry, width: Width) -> String {
    let (operator, host) = (&entry.operator, &entry.host);
    let head = format!("{:>4}  {}  {operator}@{host}", entry.seq, time::local(entry.time));
    let used = head.chars().count() + 2;
    let indent = match width.left(used) {
        Some(left) if left < ROOM => 6,
        _ => used,
    };
    let words = plain(&story(&entry.event));
    width.wrap(&format!("{}  ", paint(DIM, plain(&head))), indent, &words)
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

/// Chunks of one stream in a row, put together, so that lines are not cut.
fn streams(chunks: &[Chunk]) -> Vec<(&str, String)> {
    let rows = chunks.chunk_by(|one, next| one.stream == next.stream);
    rows.map(|row| {
        let bytes: Vec<u8> = row.iter().flat_map(|chunk| chunk.bytes.iter().copied()).collect();
        (
            row[0].stream.as_str(),
            String::from_utf8_lossy(&bytes).into_owned(),
        )
    })
    .collect()
}
