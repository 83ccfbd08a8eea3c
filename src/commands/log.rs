//! `runbook log`

use std::collections::BTreeMap;
use std::time::Duration;

use runbook_engine::core::RunState;
use runbook_engine::core::event::Entry;
use runbook_engine::diagnostic::{Code, Diagnostic};
use runbook_engine::id::{InstanceId, RunId, Seq};
use runbook_engine::journal::{JournalError, Kept, stored};
use runbook_engine::runbook::Runbook;
use runbook_engine::runtime::{Engine, Story};
use serde_json::json;

use super::transcripts::{Transcripts, streams};
use super::{instance, read};
use crate::error::Failed;
use crate::exit::Exit;
use crate::render::authors::{self, Authorship};
use crate::render::held::Held;
use crate::render::layout::Width;
use crate::render::story::{concerns, story, subject, transcript_of, under_way};
use crate::render::style::{BAD, CARE, DIM, Look, names, paint};
use crate::render::{self, next, plain, time};
use crate::setting::Setting;

/// Further lines of an entry stand below its words where that leaves at least so many columns for them.
const ROOM: usize = 40;

/// Show what happened in a run: every entry, and what steps printed
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  runbook log hybrid-s2s-7f3a
  runbook log hybrid-s2s-7f3a --follow
  runbook log hybrid-s2s-7f3a --step \"oauth-over-http[web1]\"")]
pub(crate) struct Args {
    /// The run
    #[arg(value_name = "RUN")]
    run: String,
    /// Only this step, or this instance of a fan-out
    #[arg(long, value_name = "STEP")]
    step: Option<String>,
    /// Go on showing what happens, until the run is finished
    #[arg(long, short)]
    follow: bool,
}

/// How often it is looked for more while somebody carries the run out.
const PACE: Duration = Duration::from_millis(200);

/// How often in a row it must be found that nobody carries the run out: one process may be giving it to another.
const SURE: u32 = 2;

/// How often it is looked for more while nobody does.
const IDLE: Duration = Duration::from_secs(1);

pub(crate) async fn run(args: &Args, setting: &Setting) -> Result<Exit, Failed> {
    let engine = setting.engine_with(&args.run)?;
    let only = args.step.as_deref().map(instance).transpose()?;
    let (id, story) = read(&args.run, &engine).await?;
    if let Some(wanted) = &only
        && story.runbook.step(wanted.step()).is_none()
    {
        return Err(no_such_step(&args.run, wanted, &story));
    }
    let mut log = Log {
        engine: &engine,
        run: id,
        name: &args.run,
        json: setting.global.json,
        look: &setting.look,
        only,
        transcripts: Transcripts::of(&engine, id, &args.run),
        shown: BTreeMap::new(),
    };
    log.story(&story).await?;
    if args.follow {
        log.follow(story).await?;
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

/// A log that is being printed.
struct Log<'a> {
    engine: &'a Engine,
    run: RunId,
    name: &'a str,
    json: bool,
    look: &'a Look,
    only: Option<InstanceId>,
    transcripts: Transcripts<'a>,
    /// How many chunks of each transcript stand there already, by the entry that started the call.
    shown: BTreeMap<Seq, usize>,
}

impl Log<'_> {
    /// Prints what has happened, and what calls under way have printed: no entry covers that yet.
    async fn story(&mut self, story: &Story) -> Result<(), Failed> {
        let wanted = story.entries.iter().filter(|entry| self.is_shown(entry));
        let ended = wanted.filter_map(|entry| transcript_of(&entry.event));
        let ended: Vec<Seq> = ended.map(|transcript| transcript.of).collect();
        self.transcripts.look_ahead(ended);
        for (entry, seal) in story.entries.iter().zip(&story.seals) {
            self.entry(
                entry,
                authors::authorship(story.state.workflow().operators(), entry, seal.signer()),
            )
            .await?;
        }
        self.calls(&story.state).await
    }

    /// Prints what happens from now on, whoever carries the run out, until it is finished.
    async fn follow(&mut self, mut story: Story) -> Result<(), Failed> {
        // Whether somebody carries it out, and how often in a row nobody did.
        let (mut held, mut nobody) = (story.holder.is_some(), 0);
        while !(story.state.status().is_finished() && story.state.active().len() == 0) {
            let holder = self.engine.journal.holder(self.run).await;
            let carried_out = holder.is_ok_and(|holder| holder.is_some());
            nobody = if carried_out { 0 } else { nobody + 1 };
            held |= carried_out;
            let pace = if carried_out { PACE } else { IDLE };
            self.engine.journal.news(self.run, pace).await;
            let failed = |error| Failed::journal(self.name, &error);
            match self.engine.journal.kept(self.run, story.state.next_seq()).await {
                Ok(entries) => {
                    for Kept { entry, seal } in entries {
                        let news = std::slice::from_ref(&entry);
                        let followed = self.engine.go_on(&mut story, news);
                        followed.map_err(|error| Failed::runtime(self.name, error))?;
                        let author =
                            authors::authorship(story.state.workflow().operators(), &entry, seal.signer());
                        self.entry(&entry, author).await?;
                    }
                    self.calls(&story.state).await?;
                }
                // Whoever holds it has not opened the door yet, or is just leaving.
                Err(JournalError::Held(_)) => {}
                Err(error) => return Err(failed(error)),
            }
            let over = story.state.status().is_finished() && story.state.active().len() == 0;
            if held && nobody == SURE && !over {
                held = false;
                self.gone(&story.state, &story.runbook);
            }
        }
        Ok(())
    }

    /// Says that nobody carries the run out any more, what that leaves in doubt, and how it goes on.
    fn gone(&self, state: &RunState, runbook: &Runbook) {
        let cut_off: Vec<String> = state.active().map(|one| plain(&one.id.to_string())).collect();
        let remark = match cut_off.as_slice() {
            [] => "nobody carries the run out any more".to_owned(),
            steps => format!(
                "the process that carried the run out is gone, in the middle of {}: nobody knows whether it took effect",
                names(steps)
            ),
        };
        let held = Held::No(self.engine.rests_for(state, runbook));
        let width = Width::of_talk();
        self.look.tell("");
        self.look.tell(&paint(CARE, width.wrap("", 2, &remark)));
        self.look.tell(&next::summary(state, runbook, &held, width));
        self.look
            .tell(&paint(DIM, "what happens next is shown here; Ctrl-C ends that"));
    }

    fn is_wanted(&self, id: &InstanceId) -> bool {
        self.only.as_ref().is_none_or(|wanted| wanted.means(id))
    }

    fn is_shown(&self, entry: &Entry) -> bool {
        self.only.is_none()
            || subject(&entry.event).is_some_and(|id| self.is_wanted(&id))
            || concerns(&entry.event, |id| self.is_wanted(id))
    }

    /// Prints an entry, and below it what was printed by the call that it ends.
    async fn entry(&mut self, entry: &Entry, author: Option<Authorship>) -> Result<(), Failed> {
        if !self.is_shown(entry) {
            return Ok(());
        }
        if self.json {
            let mut line = stored::to_json(entry);
            if let (Some(author), Some(fields)) = (author, line.as_object_mut()) {
                fields.insert("author".to_owned(), json!(author));
            }
            render::json(&line);
        } else {
            render::result(&text(entry, author, Width::of_results()));
        }
        match transcript_of(&entry.event) {
            Some(transcript) => {
                self.transcript(transcript.of).await?;
                self.shown.remove(&transcript.of);
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Prints what the calls under way have printed since.
    async fn calls(&mut self, state: &RunState) -> Result<(), Failed> {
        for (id, of) in under_way(state) {
            if self.is_wanted(&id) {
                self.transcript(of).await?;
            }
        }
        Ok(())
    }

    /// Prints what the call printed that the entry `of` started, as far as it does not stand there already.
    async fn transcript(&mut self, of: Seq) -> Result<(), Failed> {
        let chunks = self.transcripts.chunks(of).await?;
        let shown = self.shown.entry(of).or_default();
        let new = chunks.get(*shown..).unwrap_or_default();
        *shown = chunks.len();
        for (stream, text) in streams(new) {
            if self.json {
                render::json(&json!({ "transcript_of": of, "stream": stream, "text": text }));
                continue;
            }
            let style = match stream {
                "stderr" | "error" => BAD,
                "warning" => CARE,
                _ => DIM,
            };
            let bar = match stream {
                "stdout" | "log" => paint(style, "│"),
                named => format!("{} {}", paint(style, "│"), paint(style, named)),
            };
            for line in text.lines() {
                render::result(&format!("      {bar} {}", plain(line)));
            }
        }
        Ok(())
    }
}

/// One entry as a line, or more where the terminal is narrow.
fn text(entry: &Entry, author: Option<Authorship>, width: Width) -> String {
    let (operator, host) = (&entry.operator, &entry.host);
    let head = format!(
        "{:>4}  {}  {operator}@{host}{}",
        entry.seq,
        time::local(entry.time),
        authors::mark(author)
    );
    let used = head.chars().count() + 2;
    let indent = match width.left(used) {
        Some(left) if left < ROOM => 6,
        _ => used,
    };
    let words = plain(&story(&entry.event));
    width.wrap(&format!("{}  ", paint(DIM, plain(&head))), indent, &words)
}
