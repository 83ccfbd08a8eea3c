//! What can be done where something failed, forward or back. What failed for a reason that the run keeps (a script, the
//! runbook, a parameter) fails again: the run is amended first, or a new one begun.

use runbook_engine::core::event::{Failure, FailureKind};
use runbook_engine::core::{Instance, Phase, RunState};

use super::Advice::{self, Fact};
use super::{MOST, command, more, quoted, typed};
use crate::render::plain;

/// What ends the name of a runbook that ships, as a run keeps it.
const SHIPS: &str = ".yaml (ships)";

/// What can be done where steps failed. `go_on` is the command that takes the run up, and what it is for.
pub(super) fn of_work(state: &RunState, go_on: impl Fn(&'static str) -> Advice) -> Vec<Advice> {
    let name = &state.started().name();
    let failed = failed(state, |instance| match &instance.phase {
        Phase::Failed => Some(&instance.error),
        _ => None,
    });
    let is_kept = |error: Option<&Failure>| error.is_some_and(|error| error.kind.is_of_definition());
    let cause = |error: Option<&Failure>| match error.map(|error| error.kind) {
        Some(FailureKind::Rejected) => "to have approval asked for anew",
        _ => "once the cause is mended",
    };
    let kept = failed.iter().find(|(_, error)| is_kept(*error));
    let mut advice = Vec::new();
    let first = failed.iter().position(|(_, error)| !is_kept(*error));
    for (at, &(instance, error)) in failed.iter().enumerate().take(MOST) {
        advice.extend(told(name, instance, error));
        if !is_kept(error) {
            if first == Some(at) {
                advice.push(amend(
                    state,
                    "first, if the runbook is wrong, once its file is mended",
                ));
            }
            advice.push(again(name, instance, cause(error)));
        }
    }
    advice.extend(more(name, failed.len(), "failed"));
    match kept {
        Some((instance, _)) => {
            advice.push(Fact(
                "the run keeps its runbook, scripts and parameters as they are, so that trying again does not help \
                 where one of them is wrong: mend the file and amend the run, or begin a new run for another parameter"
                    .to_owned(),
            ));
            advice.push(amend(state, "once the file is mended"));
            advice.push(again(name, instance, "then, or if something else was wrong"));
            advice.push(go_on("to go on after that"));
        }
        None => advice.push(go_on("to go on after that")),
    }
    advice.push(command(
        &format!("runbook rollback {name}"),
        "or to undo what was done",
    ));
    advice.push(anew(state, "after that, for another parameter: `-p NAME=VALUE`"));
    advice
}

/// What can be done where something could not be undone.
pub(super) fn of_undoing(state: &RunState) -> Vec<Advice> {
    let name = &state.started().name();
    let failed = failed(state, |instance| match &instance.phase {
        Phase::RollbackFailed => Some(&instance.rollback_error),
        _ => None,
    });
    let mut advice = Vec::new();
    for &(instance, error) in failed.iter().take(MOST) {
        advice.extend(told(name, instance, error));
        let decide = |ruling: &str, why| {
            command(
                &format!(
                    "runbook decide {name} {} {ruling} --why TEXT",
                    quoted(&instance.id)
                ),
                why,
            )
        };
        if !error.is_some_and(|error| error.kind.is_of_definition()) {
            advice.push(decide("again", "once the cause is mended"));
        }
        advice.push(decide("done", "once you have undone it by hand"));
        advice.push(decide("skip", "to leave it as it is"));
    }
    advice.extend(more(name, failed.len(), "failed"));
    advice
}

/// Whether anything failed in the run, though it may be undone since.
pub(super) fn has_gone_wrong(state: &RunState) -> bool {
    let wrong = |instance: &Instance| instance.error.is_some() || instance.rollback_error.is_some();
    state.statuses().any(|(instance, _)| wrong(instance))
}

/// A new run with the parameters of this one.
pub(super) fn anew(state: &RunState, why: &'static str) -> Advice {
    let name = state.started().name();
    command(&format!("runbook exec {} --like {name}", file(state)), why)
}

/// The same run, by another text of its runbook.
fn amend(state: &RunState, why: &'static str) -> Advice {
    let name = state.started().name();
    command(&format!("runbook amend {name} {} --why TEXT", file(state)), why)
}

/// The file of the run's runbook, as it is typed.
fn file(state: &RunState) -> String {
    let started = state.started();
    let file = match &started.overlaid {
        Some(overlaid) => overlaid.file.as_str(),
        None => started.file.as_str(),
    };
    typed(file.strip_suffix(SHIPS).unwrap_or(file))
}

type Failed<'a> = (&'a Instance, Option<&'a Failure>);

fn failed<'a>(
    state: &'a RunState,
    why: impl Fn(&'a Instance) -> Option<&'a Option<Failure>>,
) -> Vec<Failed<'a>> {
    let failed = state
        .statuses()
        .filter_map(|(instance, _)| Some((instance, why(instance)?.as_ref())));
    failed.collect()
}

/// What failed and why, and where more of it can be read.
fn told(name: &str, instance: &Instance, error: Option<&Failure>) -> [Advice; 2] {
    let reason = error.map_or("it failed", |error| error.message.as_str());
    let reason = plain(reason.lines().next().unwrap_or_default());
    let log = format!("runbook log {name} --step {}", quoted(&instance.id));
    [
        Fact(format!("`{}`: {reason}", plain(&instance.id.to_string()))),
        command(&log, "what it did and printed"),
    ]
}

fn again(name: &str, instance: &Instance, why: &'static str) -> Advice {
    let id = quoted(&instance.id);
    command(&format!("runbook decide {name} {id} again --why TEXT"), why)
}
