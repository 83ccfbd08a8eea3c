//! The last lines of every command that leaves a run behind: where it stands, and the one next thing to do.

use runbook_engine::core::event::Need;
use runbook_engine::core::{InstanceIx, Phase, RunState, RunStatus};
use runbook_engine::id::InstanceId;
use runbook_engine::runbook::Runbook;

use self::waiting::{doubts, waits};
use crate::render::held::Held;
use crate::render::hint::{self, For};
use crate::render::layout::{Width, pad, widest};
use crate::render::style::{BOLD, CARE, DIM, names, of_run, paint, words};
use crate::render::{hands, plain};

/// How many instances that failed, or wait, are told of; `show` tells of all.
const MOST: usize = 5;

/// One thing that is said about what comes next.
enum Advice {
    /// Where something stands.
    Fact(String),
    /// What can be typed now, and what it is for.
    Command(String, &'static str),
}

/// What whoever reads it can type now.
fn command(text: &str, why: &'static str) -> Advice {
    Command(hint::command(text, For::Reader), why)
}

/// What that person can type.
fn command_for(whose: For<'_>, text: &str, why: &'static str) -> Advice {
    Command(hint::command(text, whose), why)
}

use Advice::{Command, Fact};

mod failure;
mod secret;
mod waiting;

/// Where the run stands, and what to do now.
pub(crate) fn summary(state: &RunState, runbook: &Runbook, held: &Held, width: Width) -> String {
    let (status, name) = (state.status(), state.started().name());
    let rehearsal = if state.started().rehearsal.is_some() {
        " (rehearsal: nothing was touched)"
    } else {
        ""
    };
    let head = if held.rests_for().is_empty() {
        paint(of_run(status), stands(status))
    } else {
        paint(CARE, "waits for a secret")
    };
    let first = format!("{} {head}: {}{rehearsal}", paint(BOLD, &name), how_far(state));
    let mut lines = vec![String::new(), width.wrap("", 2, &first)];
    lines.extend(laid_out(&what_now(state, runbook, held), width));
    lines.join("\n")
}

/// A run's status as the verb of a sentence.
fn stands(status: RunStatus) -> String {
    match status {
        RunStatus::Failed => "has failed".to_owned(),
        RunStatus::Stuck => "is stuck: it could not be undone entirely".to_owned(),
        RunStatus::Running => "is not finished".to_owned(),
        other => format!("is {}", words(other.as_str())),
    }
}

/// How far the run has come, or its undoing.
pub(super) fn how_far(state: &RunState) -> String {
    let Some(rollback) = state.rollback() else {
        let (settled, total) = state.progress();
        return format!("{settled} of {total} settled");
    };
    let is_undone = |&&ix: &&InstanceIx| state.instance(ix).phase == Phase::RolledBack;
    let (undone, passed) = (rollback.plan.iter().filter(is_undone).count(), rollback.done);
    let left = rollback.left.len() + passed.saturating_sub(undone);
    let mut words = if rollback.current().is_some() {
        format!("{undone} of {} undone", rollback.plan.len())
    } else if rollback.plan.is_empty() {
        "there was nothing to undo".to_owned()
    } else {
        format!("{undone} undone")
    };
    if left > 0 {
        words += &format!(", {left} left in place");
    }
    words
}

/// Commands in a column with what they are for beside them, or above them where there is no room.
fn laid_out(advice: &[Advice], width: Width) -> Vec<String> {
    let commands = advice.iter().filter_map(|one| match one {
        Command(command, _) => Some(command),
        Fact(_) => None,
    });
    let column = widest(commands, usize::MAX);
    let whys = advice.iter().filter_map(|one| match one {
        Command(_, why) => Some(why),
        Fact(_) => None,
    });
    let beside = width.fits(4 + column + 2 + widest(whys, usize::MAX));
    let lines = advice.iter().map(|one| match one {
        Fact(text) => width.wrap("  ", 4, text),
        Command(command, why) if beside => {
            format!("    {}  {}", pad(command, column), paint(DIM, why))
        }
        Command(command, why) => {
            let why = width.wrap("    ", 4, &paint(DIM, format!("{why}:")));
            format!("{why}\n      {command}")
        }
    });
    lines.collect()
}

/// What a person can do now, the most useful first.
fn what_now(state: &RunState, runbook: &Runbook, held: &Held) -> Vec<Advice> {
    let name = &state.started().name();
    if matches!(held, Held::Copy) {
        return copied(name, state.status());
    }
    let mut advice = match whose(name, state) {
        Whose::Away(advice) => return advice,
        Whose::Here(advice) => advice,
    };
    let waiting = state.waiting_for();
    for one in waiting.iter().take(MOST) {
        advice.extend(waits(state, one, runbook));
    }
    advice.extend(more(name, waiting.len(), "wait for a person"));
    let approver = state.has_approved_what_is_next(state.operator());
    let go_on = |why| match held {
        Held::No(_) if approver => command_for(
            For::Operator(state.executor()),
            &format!("runbook resume {name}"),
            "to go on, by somebody who has not approved it",
        ),
        Held::No(_) => command(&format!("runbook resume {name}"), why),
        Held::Elsewhere => command(&format!("runbook log {name} --follow"), "to see how it goes on"),
        Held::Copy => Fact(hands::copy(state.status()).to_owned()),
    };
    match state.status() {
        RunStatus::Waiting if waiting.iter().all(|one| one.need == Need::ManualWork) => {
            advice.push(go_on("to be asked for it here, and go on"));
        }
        RunStatus::Waiting => advice.push(go_on("to go on after that")),
        RunStatus::Failed => advice.extend(failure::of_work(state, go_on)),
        RunStatus::Stuck => {
            advice.extend(failure::of_undoing(state));
            advice.push(go_on("to go on undoing after that"));
            advice.push(Fact(format!("still to undo: {}", names(&state.still_to_undo()))));
        }
        RunStatus::Running | RunStatus::RollingBack => match held.rests_for() {
            [] => advice.push(go_on("to go on")),
            wanted => advice.extend(secret::of(name, wanted, runbook)),
        },
        RunStatus::Cancelled => {
            advice.extend(doubts(state, name));
            advice.push(command(
                &format!("runbook rollback {name}"),
                "to undo what was done",
            ));
        }
        RunStatus::Completed => {
            advice.extend(record(name));
            advice.push(command(&format!("runbook log {name}"), "the whole story"));
            advice.push(command(&format!("runbook rollback {name}"), "to undo it"));
        }
        RunStatus::RolledBack => {
            advice.extend(left_in_place(state));
            let why = if failure::has_gone_wrong(state) {
                "to carry it out anew, with what was mended"
            } else {
                "to carry it out anew"
            };
            advice.push(failure::anew(state, why));
            advice.extend(record(name));
        }
    }
    advice
}

/// In whose hands the run is.
enum Whose {
    /// In another place: nothing can be done here.
    Away(Vec<Advice>),
    /// Here, and what is to be said of it.
    Here(Vec<Advice>),
}

/// What can be done with a run of which only a copy is here.
fn copied(name: &str, status: RunStatus) -> Vec<Advice> {
    let copy = hands::copy(status);
    let (fact, take_over) = if status.is_finished() {
        (
            format!("this is {copy}"),
            "only to undo it here, if it is not there any more",
        )
    } else {
        (
            format!("this is {copy}; ask there to have it handed over"),
            "only if it is lost there",
        )
    };
    vec![
        Fact(fact),
        command(&format!("runbook report {name}"), "for people who were not there"),
        command(
            &format!("runbook journal verify {name}"),
            "that nothing was changed",
        ),
        command(
            &format!("runbook accept {name} --take-over --why TEXT"),
            take_over,
        ),
    ]
}

/// What is handed on of a run that is over.
fn record(name: &str) -> [Advice; 2] {
    [
        command(
            &format!("runbook report {name} -o {name}.html"),
            "the record, for people who were not there",
        ),
        command(
            &format!("runbook export {name} -o {name}.tar.zst"),
            "all of it, to archive and to prove",
        ),
    ]
}

fn whose(name: &str, state: &RunState) -> Whose {
    let hands = state.hands();
    if let Some(away) = hands.away() {
        let to = plain(away.to.as_str());
        let fact = format!("it goes on in another place, in the hands of {to}");
        return Whose::Away(vec![Fact(fact)]);
    }
    Whose::Here(if let Some(offer) = hands.offer() {
        let to = plain(offer.to.as_str());
        vec![
            Fact(format!("it is offered to {to}")),
            command_for(
                For::Operator(&offer.to),
                &format!("runbook accept {name}"),
                "for whom it is offered to",
            ),
            command_for(
                For::Operator(&offer.by),
                &format!("runbook handoff {name} --take-back"),
                "to keep it after all",
            ),
        ]
    } else if let Some(of) = hands.of().filter(|_| !state.status().is_finished()) {
        let of = plain(of.as_str());
        vec![Fact(format!(
            "it is in the hands of {of}: others may look, confirm and decide, but not go on with it"
        ))]
    } else {
        Vec::new()
    })
}

/// The first thing that a person must do.
pub(crate) struct Wanted {
    pub(crate) what: String,
    /// How it is said to the program that it was done.
    pub(crate) commands: Vec<String>,
    /// Whether `exec` and `resume` ask for it.
    pub(crate) is_asked_for: bool,
}

/// The first thing that a person must do, if there is any.
pub(crate) fn wanted(state: &RunState, runbook: &Runbook) -> Option<Wanted> {
    let waiting = state.waiting_for().into_iter().next()?;
    let (mut what, mut commands) = (String::new(), Vec::new());
    for advice in waits(state, &waiting, runbook) {
        match advice {
            Fact(text) => what = text,
            Command(command, _) => commands.push(command),
        }
    }
    Some(Wanted {
        what,
        commands,
        is_asked_for: waiting.need == Need::ManualWork,
    })
}

fn more(name: &str, all: usize, what: &str) -> Option<Advice> {
    let more = all.checked_sub(MOST).filter(|&more| more > 0)?;
    let text = format!("{more} more {what}: `runbook show {name}`");
    Some(Fact(hint::in_text(&text)))
}

fn left_in_place(state: &RunState) -> Option<Advice> {
    let rollback = state.rollback().filter(|rollback| !rollback.left.is_empty())?;
    let left: Vec<InstanceId> = rollback
        .left
        .iter()
        .map(|&ix| state.instance(ix).id.clone())
        .collect();
    Some(Fact(format!(
        "left in place, for there is no way back: {}",
        names(&left)
    )))
}

/// An id as it can be typed: in quotes where a shell could take it for something else. Double quotes serve all
/// shells, unless there is something in them that would still be replaced.
pub(crate) fn quoted(id: &InstanceId) -> String {
    typed(&id.to_string())
}

/// The same for any text.
pub(crate) fn typed(text: &str) -> String {
    let text = plain(text);
    let harmless = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | ':');
    if text.chars().all(harmless) {
        text
    } else if text.contains(['$', '`', '"', '\\', '!', '%']) {
        format!("'{}'", text.replace('\'', "'\\''"))
    } else {
        format!("\"{text}\"")
    }
}
