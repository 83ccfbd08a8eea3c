//! What a rollback would do, before it does: which steps it undoes, in which order and how, and what stays.

use std::collections::BTreeSet;

use runbook_engine::core::WouldUndo;
use runbook_engine::id::{InstanceId, StepId};
use runbook_engine::runbook::Step;
use runbook_engine::runbook::expr::Put;
use runbook_engine::runtime::{Author, Seat};
use serde_json::Value;

use super::layout::{Width, cut};
use super::style::{BOLD, BUSY, CARE, DIM, count, names, paint};
use super::{markdown, plain};

/// How many instances are told of one by one.
const MOST: usize = 40;

/// The most of a way back that is shown.
const LONGEST: usize = 200;

/// The list that a person sees before anything is undone.
pub(crate) fn shown(seat: &dyn Seat, would: &WouldUndo, author: &Author, width: Width) -> String {
    let started = seat.state().started();
    let name = paint(BOLD, started.name());
    let head = match would.undo.len() {
        0 => format!("{name}: there is nothing to undo"),
        1 => format!("{name}: 1 step is to be undone"),
        many => format!("{name}: {} are to be undone, in this order", count(many, "step")),
    };
    let who = format!("operator {} on {}", author.operator, author.host);
    let mut lines = vec![
        width.wrap("", 2, &head),
        paint(DIM, width.wrap("", 2, &plain(&who))),
    ];
    if started.rehearsal.is_some() {
        lines.push(paint(CARE, width.wrap("  ", 2, "rehearsal: nothing is touched")));
    }
    let mut noted = BTreeSet::new();
    for id in would.undo.iter().take(MOST) {
        lines.push(one(seat, id, &mut noted, width));
    }
    if let Some(more) = would.undo.len().checked_sub(MOST).filter(|&more| more > 0) {
        lines.push(format!("  and {more} more"));
    }
    if !would.left.is_empty() {
        let text = format!("stays, for there is no way back: {}", names(&would.left));
        lines.push(paint(CARE, width.wrap("  ! ", 4, &text)));
    }
    lines.join("\n")
}

/// An instance with its title and its way back: in the author's words, where there are any; they are told once.
fn one(seat: &dyn Seat, id: &InstanceId, noted: &mut BTreeSet<StepId>, width: Width) -> String {
    let step = seat.runbook().step(id.step());
    let title = step.map_or_else(String::new, |step| plain(&step.title));
    let head = format!("  {} {}  ", paint(BUSY, '◂'), plain(&id.to_string()));
    let line = width.wrap(&head, 6, &title);
    match step.and_then(|step| step.undo_note.as_deref()) {
        Some(note) if noted.insert(id.step().clone()) => {
            format!("{line}\n{}", markdown::render(note, "      ", 6, width))
        }
        Some(_) => line,
        None => {
            let way = step.map_or_else(String::new, |step| way_back(seat, id, step));
            format!("{line}\n{}", width.wrap("      ", 6, &paint(DIM, way)))
        }
    }
}

/// How an instance is undone, in a line: its own words where it has any, or who does it.
fn way_back(seat: &dyn Seat, id: &InstanceId, step: &Step) -> String {
    let inputs = seat.inputs(id, Put::Plain).ok();
    let way = inputs.as_ref().and_then(|inputs| inputs.get("rollback"));
    let by = if step.abilities.by_person {
        "by hand".to_owned()
    } else {
        step.uses.to_string()
    };
    let lines = way.and_then(Value::as_str).map_or(0, |text| text.lines().count());
    match way.and_then(gist) {
        // The first line of many says nothing of what a script does.
        Some(_) if lines > 1 && !step.abilities.by_person => format!("{by}: a script of {lines} lines"),
        Some(gist) => cut(&format!("{by}: {}", plain(&gist)), LONGEST),
        None => format!("{by}: its own `rollback`"),
    }
}

/// The gist of a way back: an argument vector, a request, or the first line of a text.
fn gist(way: &Value) -> Option<String> {
    match way {
        Value::String(text) => text
            .lines()
            .map(str::trim)
            .find(|line| !line.is_empty())
            .map(str::to_owned),
        Value::Array(parts) => {
            let parts: Option<Vec<&str>> = parts.iter().map(Value::as_str).collect();
            parts.map(|parts| parts.join(" "))
        }
        Value::Object(request) => {
            let url = request.get("url").or_else(|| request.get("path"))?.as_str()?;
            let method = request.get("method").and_then(Value::as_str);
            Some(method.map_or_else(|| url.to_owned(), |method| format!("{method} {url}")))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}
