//! In whose hands a run is, and what those must know who take it over.

use std::collections::BTreeSet;

use runbook_engine::core::{Offer, RunState, RunStatus};
use runbook_engine::id::StepId;
use runbook_engine::journal::Summary;
use runbook_engine::runbook::{Runbook, Step};
use serde_json::{Value, json};

use super::layout::Width;
use super::style::{CARE, DIM, paint};
use super::{plain, time};

/// What is said of a run that was taken in and not moved here.
pub(crate) fn copy(status: RunStatus) -> &'static str {
    if status.is_finished() {
        "a copy, to be read; the run was over when it was exported"
    } else {
        "a copy, to be read; the run itself goes on where it was exported"
    }
}

/// Who has the run, if that needs saying.
pub(crate) fn possession(state: &RunState, width: Width) -> Option<String> {
    let hands = state.hands();
    let words = if let Some(away) = hands.away() {
        format!("moved to another place for {}, {}", away.to, given(away))
    } else if let Some(offer) = hands.offer() {
        format!(
            "offered to {}, who has not accepted it yet; {}",
            offer.to,
            given(offer)
        )
    } else if hands.are_shared() {
        "shared: any number of workers go on with it (`runbook work`)".to_owned()
    } else {
        let of = hands.of().filter(|_| !state.status().is_finished())?;
        format!("in the hands of {of}")
    };
    Some(paint(CARE, width.wrap("", 2, &plain(&words))))
}

fn given(offer: &Offer) -> String {
    format!("given by {} at {}", offer.by, time::local(offer.since))
}

/// The same for programs.
pub(crate) fn as_json(state: &RunState) -> Value {
    let hands = state.hands();
    let offer = |offer: Option<&Offer>| {
        offer.map(|offer| {
            json!({
                "by": offer.by, "host": offer.host, "to": offer.to, "note": offer.note, "since": offer.since,
            })
        })
    };
    json!({ "of": hands.of(), "shared": hands.are_shared(), "offered": offer(hands.offer()), "moved": offer(hands.away()) })
}

/// What lists say of it, in a few words.
pub(crate) fn in_short(run: &Summary) -> Option<String> {
    let words = match (&run.moved_to, &run.offered_to) {
        (Some(to), _) => format!("moved to another place, for {to}"),
        (None, Some(to)) => format!("offered to {to}, who has not accepted it yet"),
        (None, None) if run.is_for_workers() => "shared: workers go on with it".to_owned(),
        (None, None) => return None,
    };
    Some(paint(CARE, plain(&words)))
}

/// What those must know who take the run over, beside where it stands: the note, what opens anew, what is asked for.
pub(crate) fn for_successor(state: &RunState, runbook: &Runbook, width: Width) -> Vec<String> {
    let steps = || ahead(state, runbook);
    let sessions: BTreeSet<&str> = steps()
        .filter_map(|step| step.session.as_ref())
        .map(|name| name.as_str())
        .collect();
    let secrets: BTreeSet<String> = steps()
        .flat_map(|step| step.secrets.iter())
        .map(ToString::to_string)
        .collect();
    let mut lines = Vec::new();
    if let Some((given, note)) = state
        .hands()
        .received()
        .and_then(|given| Some((given, given.note.as_ref()?)))
    {
        let by = plain(given.by.as_str());
        lines.push(width.wrap(&format!("  ✉ note       {by}: "), 15, &plain(note)));
    }
    let list = |sign: &str, names: Vec<String>| {
        (!names.is_empty()).then(|| width.wrap(sign, 15, &plain(&names.join(", "))))
    };
    lines.extend(list(
        "  ↻ sessions   opened anew when first needed: ",
        sessions.into_iter().map(str::to_owned).collect(),
    ));
    lines.extend(list(
        "  ⚿ secrets    asked for again when first needed: ",
        secrets.into_iter().collect(),
    ));
    lines
}

/// The steps of which something is still to be done.
fn ahead<'a>(state: &'a RunState, runbook: &'a Runbook) -> impl Iterator<Item = &'a Step> {
    let open: BTreeSet<StepId> = if state.status().is_finished() {
        BTreeSet::new()
    } else {
        let undone: BTreeSet<_> = state.still_to_undo().into_iter().collect();
        let is_open = |id, settled: bool| {
            if state.rollback().is_some() {
                undone.contains(id)
            } else {
                !settled
            }
        };
        state
            .statuses()
            .filter(|(instance, _)| is_open(&instance.id, instance.phase.is_settled()))
            .map(|(instance, _)| instance.id.step().clone())
            .collect()
    };
    runbook
        .steps()
        .values()
        .filter(move |step| open.contains(&step.id))
}

/// The last lines that a step printed.
pub(crate) fn last_lines(what: &str, printed: &[String], width: Width) -> String {
    let mut lines = vec![width.wrap("", 2, &plain(&format!("the last lines that {what} printed:")))];
    lines.extend(
        printed
            .iter()
            .map(|line| paint(DIM, format!("    │ {}", plain(line)))),
    );
    lines.join("\n")
}
