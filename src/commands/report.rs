//! `runbook report`

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use runbook_engine::core::event::{Entry, Event};
use runbook_engine::diagnostic::{Code, Diagnostic};
use runbook_engine::id::{InstanceId, RunId, Seq};
use runbook_engine::runbook::expr::Put;
use runbook_engine::runtime::{Engine, Story};
use runbook_steps::manual::ManualInputs;
use serde_json::Value;

use super::output::Output;
use super::read;
use super::transcripts::Transcripts;
use crate::error::Failed;
use crate::exit::Exit;
use crate::render::story::{subject, transcript_of, under_way, words};
use crate::render::style::{BAD, count, paint};
use crate::report::{self, Clean, Found, Made, Printed, Report, Room};
use crate::setting::Setting;

/// How often the story is read again where the run went on meanwhile.
const TRIES: usize = 3;

/// Write the record of a run for people who were not there: one file, from its journal alone
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Values of secret parameters are in no journal, and so in no report.

Examples:
  runbook report hybrid-s2s-7f3a -o change-4711.html     a page for browsers and paper
  runbook report hybrid-s2s-7f3a --format md             Markdown, for a ticket
  runbook report hybrid-s2s-7f3a --format json | jq .run"
)]
pub(crate) struct Args {
    /// The run
    #[arg(value_name = "RUN")]
    run: String,
    /// The form of the report; otherwise the file's name tells it, or it is Markdown
    #[arg(long, value_name = "FORM")]
    format: Option<Format>,
    #[command(flatten)]
    output: Output,
}

/// The form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A page for browsers and paper, with everything in one file
    Html,
    /// Markdown
    Md,
    /// JSON, for programs
    Json,
}

pub(crate) async fn run(args: &Args, setting: &Setting) -> Result<Exit, Failed> {
    args.output.check()?;
    let format = format(args, setting)?;
    let engine = setting.engine_with(&args.run)?;
    let (id, story, last_hash) = at_rest(&args.run, &engine).await?;
    let journal = |error| Failed::journal(&args.run, &error);
    let verification = engine.journal.verify(id).await.map_err(journal)?;
    let printed = printed(&engine, id, &args.run, &story).await?;
    let author = setting.author();
    let found = Found {
        made: Made {
            time: Timestamp::now(),
            operator: Clean::of(&author.operator),
            host: Clean::of(&author.host),
            program: env!("CARGO_PKG_VERSION"),
        },
        last_hash,
        printed,
        checklists: checklists(&engine, &story),
        verification,
    };
    let findings = found.verification.findings.len();
    let report = report::gather(&story, found);
    args.output.give(&text(&report, format)?, setting)?;
    if findings == 0 {
        return Ok(Exit::Done);
    }
    let warning = format!("the journal cannot be trusted: {}", count(findings, "finding"));
    setting.look.tell(&paint(BAD, warning));
    Ok(Exit::Failed)
}

/// What people ticked off, in the words that they read.
fn checklists(engine: &Engine, story: &Story) -> BTreeMap<InstanceId, Vec<String>> {
    let manual = story.state.statuses().filter_map(|(instance, _)| {
        let step = story.runbook.step(instance.id.step())?;
        let of = |inputs: Value| {
            serde_json::from_value(inputs)
                .map(|inputs: ManualInputs| inputs.checklist)
                .ok()
        };
        // What earlier steps gave is gone once they are undone: then the words stand as in the runbook.
        let checklist = step.abilities.by_person.then(|| {
            let filled = engine.inputs(story, &instance.id, Put::Plain).ok().and_then(of);
            filled.or_else(|| of(step.with.clone())).unwrap_or_default()
        })?;
        Some((instance.id.clone(), checklist))
    });
    manual.collect()
}

/// The form that is asked for, or that the file's name tells.
fn format(args: &Args, setting: &Setting) -> Result<Format, Failed> {
    let named = args.output.file().and_then(Path::extension);
    let ending = named.map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    match (args.format, ending.as_deref()) {
        (Some(format), _) => Ok(format),
        (None, _) if setting.global.json => Ok(Format::Json),
        (None, None | Some("md" | "markdown")) => Ok(Format::Md),
        (None, Some("html" | "htm")) => Ok(Format::Html),
        (None, Some("json")) => Ok(Format::Json),
        (None, Some(other)) => Err(no_form(other)),
    }
}

fn no_form(ending: &str) -> Failed {
    let message = format!("a report is not written as `.{ending}`");
    let paper = match ending {
        "pdf" | "docx" | "doc" | "odt" => "; a browser prints the page of `.html`, also into a PDF file",
        _ => "",
    };
    let help =
        format!("end the file's name in .html, .htm, .md, .markdown or .json, or say `--format`{paper}");
    Diagnostic::error(Code::Usage, message).help(help).into()
}

fn text(report: &Report, format: Format) -> Result<String, Failed> {
    match format {
        Format::Html => Ok(report::html(report)),
        Format::Md => Ok(report::markdown(report)),
        Format::Json => serde_json::to_string_pretty(report)
            .map_err(|error| Failed::fault("the report could not be put into JSON", &error)),
    }
}

/// The story of a run, with the hash of its last entry: none where it never rests long enough to tell.
async fn at_rest(name: &str, engine: &Engine) -> Result<(RunId, Story, Option<String>), Failed> {
    let (id, mut story) = read(name, engine).await?;
    let journal = |error| Failed::journal(name, &error);
    for _ in 0..TRIES {
        let hash = engine.journal.head_hash(id).await.map_err(journal)?;
        let newer = engine
            .journal
            .read(id, story.state.next_seq())
            .await
            .map_err(journal)?;
        if newer.is_empty() {
            return Ok((id, story, Some(hash)));
        }
        (_, story) = read(name, engine).await?;
    }
    Ok((id, story, None))
}

/// A call whose transcript may be shown.
struct Call<'a> {
    instance: InstanceId,
    start: &'a Entry,
    bytes: u64,
    /// It did not end well, or has not ended: it is shown first where there is not room for all.
    first: bool,
}

/// What the calls of each instance printed, as far as there is room.
async fn printed(
    engine: &Engine,
    run: RunId,
    name: &str,
    story: &Story,
) -> Result<BTreeMap<InstanceId, Vec<Printed>>, Failed> {
    let calls = calls(story);
    let mut reader = Transcripts::of(engine, run, name);
    reader.look_ahead(calls.iter().map(|call| call.start.seq));
    let mut room = Room::default();
    let mut printed: BTreeMap<InstanceId, Vec<Printed>> = BTreeMap::new();
    for call in calls {
        let (of, time, what) = (
            call.start.seq,
            call.start.time,
            Clean::of(words(&call.start.event)),
        );
        let one = if room.is_full() {
            Printed::left_out(of, what, time, call.bytes)
        } else {
            let chunks = reader.chunks(of).await?;
            Printed::new(of, what, time, &chunks, &mut room)
        };
        if !one.is_empty() {
            printed.entry(call.instance).or_default().push(one);
        }
    }
    for all in printed.values_mut() {
        all.sort_by_key(Printed::of);
    }
    Ok(printed)
}

/// Every call that may have printed something.
fn calls(story: &Story) -> Vec<Call<'_>> {
    let start = |of: Seq| story.entries.get(usize::try_from(of.0).ok()?);
    let ended = story.entries.iter().filter_map(|entry| {
        let transcript = transcript_of(&entry.event)?;
        Some(Call {
            instance: subject(&entry.event)?,
            start: start(transcript.of)?,
            bytes: transcript.bytes,
            first: !matches!(
                entry.event,
                Event::Observed { .. } | Event::AttemptReturned { .. } | Event::Verified { .. }
            ),
        })
    });
    let going_on = under_way(&story.state).into_iter().filter_map(|(instance, of)| {
        let start = start(of)?;
        Some(Call {
            instance,
            start,
            bytes: 0,
            first: true,
        })
    });
    let mut calls: Vec<Call<'_>> = ended.chain(going_on).collect();
    calls.sort_by_key(|call| (!call.first, call.start.seq));
    calls
}
