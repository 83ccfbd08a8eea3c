//! `runbook show`

use runbook_engine::core::event::Entry;
use runbook_engine::id::InstanceId;
use runbook_engine::journal::Seal;
use runbook_engine::runbook::expr::Put;
use runbook_engine::runtime::Story;
use serde_json::{Value, json};

use super::output::Output;
use super::read;
use crate::error::Failed;
use crate::exit::Exit;
use crate::manual;
use crate::render::authors::{self, Authorship};
use crate::render::graph::{Form, Picture};
use crate::render::heading::heading;
use crate::render::held::Held;
use crate::render::layout::Width;
use crate::render::style::{BUSY, CARE, DIM, paint};
use crate::render::{self, hands, next, overlay, rows, time, workers};
use crate::setting::Setting;

/// Show a run step by step: what is done, what comes next, who is waited for
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  runbook show hybrid-s2s-7f3a
  runbook show hybrid-s2s-7f3a --graph
  runbook show hybrid-s2s-7f3a --graph svg -o hybrid-s2s.svg")]
pub(crate) struct Args {
    /// The run
    #[arg(value_name = "RUN")]
    run: String,
    /// Draw the steps and which comes before which
    #[arg(long, value_name = "FORM", num_args = 0..=1, default_missing_value = "text", conflicts_with = "json")]
    graph: Option<Form>,
    #[command(flatten)]
    output: Output,
}

pub(crate) async fn run(args: &Args, setting: &Setting) -> Result<Exit, Failed> {
    args.output.check()?;
    args.output.only_for_pictures(args.graph.is_some())?;
    let engine = setting.engine_with(&args.run)?;
    let (id, story) = read(&args.run, &engine).await?;
    let copy = engine.journal.is_copy(id).await.is_ok_and(|copy| copy);
    let [starter, last] = authorships(&story);
    let Story {
        state,
        runbook,
        holder,
        at_work,
        ..
    } = &story;
    let held = if copy {
        Held::Copy
    } else {
        Held::of(&story, || engine.rests_for(state, runbook))
    };
    if setting.global.json {
        let mut shown = as_json(&story, &held, [starter, last]);
        shown["copy"] = copy.into();
        render::json(&shown);
        return Ok(Exit::Done);
    }
    let width = Width::of_results();
    if let Some(form) = args.graph {
        let columns = width.left(0).filter(|_| args.output.file().is_none());
        let picture = Picture::of(runbook, Some((state, &held))).draw(form, columns)?;
        args.output.give(&picture, setting)?;
        return Ok(Exit::Done);
    }
    let (begun, updated) = (time::local(state.begun()), time::local(state.updated()));
    let begun = format!("started {begun} by {}{}", state.starter(), authors::mark(starter));
    let last = format!("last {updated} by {}{}", state.operator(), authors::mark(last));
    render::result(&heading(state, runbook, &format!("{begun}; {last}"), width));
    if copy {
        render::result(&paint(CARE, width.wrap("", 2, hands::copy(state.status()))));
    }
    if let Some(whose) = hands::possession(state, width) {
        render::result(&whose);
    }
    if let Some(roles) = authors::roles(state, runbook) {
        render::result(&paint(DIM, width.wrap("", 2, roles)));
    }
    if let Some(tally) = authors::Tally::of(&story) {
        let colour = if tally.is_false() { CARE } else { DIM };
        let words = render::plain(&tally.words());
        render::result(&paint(colour, width.wrap("", 2, &words)));
    }
    if !at_work.is_empty() {
        for line in workers::lines(at_work, "", width) {
            render::result(&line);
        }
    } else if let Some(holder) = holder {
        let remark = format!("carried out now by {holder}");
        render::result(&paint(BUSY, width.wrap("", 2, &render::plain(&remark))));
    } else if state.active().len() > 0 && !copy {
        let remark = "it was interrupted: no process carries it out now";
        render::result(&paint(CARE, width.wrap("", 2, remark)));
    }
    render::result("");
    render::result(&rows::table(state, runbook, &held, width));
    let filled = |id: &InstanceId, put: Put<'_>| engine.inputs(&story, id, put);
    // What is to be done by hand is done where the run goes on.
    if !copy && state.hands().away().is_none() {
        for page in manual::pages(state, runbook, &filled, width) {
            render::result(&page);
        }
    }
    render::result(&next::summary(state, runbook, &held, width));
    Ok(Exit::Done)
}

/// What is known of who wrote the first entry, and of who wrote the last.
fn authorships(story: &Story) -> [Option<Authorship>; 2] {
    let of = |written: Option<(&Entry, &Seal)>| {
        let (entry, seal) = written?;
        authors::authorship(story.state.workflow().operators(), entry, seal.signer())
    };
    let written = || story.entries.iter().zip(&story.seals);
    [of(written().next()), of(written().next_back())]
}

fn as_json(story: &Story, held: &Held, [starter, last]: [Option<Authorship>; 2]) -> Value {
    let (state, runbook) = (&story.state, &story.runbook);
    let operators = state.workflow().operators();
    let started = state.started();
    let (settled, total) = state.progress();
    json!({
        "run": started.run,
        "name": started.name(),
        "runbook": started.runbook,
        "title": runbook.title(),
        "status": state.status(),
        "rehearsal": started.rehearsal.is_some(),
        "held_by": story.holder,
        "at_work": story.at_work,
        "needs_secrets": held.rests_for().iter().map(|one| one.secret.to_string()).collect::<Vec<_>>(),
        "hands": hands::as_json(state),
        "operator": state.operator(),
        "starter": state.starter(),
        "authors": { "starter": starter, "operator": last, "entries": authors::Tally::of(story) },
        "roles_enforced": operators.is_some_and(|operators| !operators.is_rehearsal()),
        "started": state.begun(),
        "updated": state.updated(),
        "overlaid": started.overlaid.as_deref().map(overlay::as_json),
        "params": started.params,
        "settled": settled,
        "total": total,
        "cancelled": state.cancelled(),
        "still_to_undo": state.still_to_undo(),
        "steps": state.rows().iter().map(|row| rows::as_json(state, runbook, row)).collect::<Vec<_>>(),
    })
}
