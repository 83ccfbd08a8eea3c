//! What somebody who takes a run up must know before it goes on: what is done, what is in doubt, what comes next.

use jiff::Timestamp;
use runbook_engine::core::event::Need;
use runbook_engine::core::{Instance, InstanceStatus, Phase, Row, RunState};
use runbook_engine::runbook::Runbook;

use super::layout::{Width, pad};
use super::style::{BAD, BUSY, CARE, DIM, GOOD, names, paint};
use super::{plain, time};

/// How many of a kind are told of one by one.
const MOST: usize = 5;

/// The widest of the words before the lines.
const COLUMN: usize = 9;

/// The briefing, one subject a paragraph; a subject of which there is nothing to say is left out.
pub(crate) fn briefing(state: &RunState, runbook: &Runbook, now: Timestamp, width: Width) -> String {
    let rows = state.rows();
    let subjects = [
        done(state, &rows),
        in_doubt(state, runbook),
        failed(&rows),
        waiting(state, runbook, now),
        next(&rows, runbook),
    ];
    let lines = subjects.into_iter().flatten().flat_map(|subject| {
        let Subject { sign, word, facts } = subject;
        let mut head = format!("  {sign} {}  ", pad(word, COLUMN));
        let facts = facts.into_iter().map(move |fact| {
            let line = width.wrap(&head, COLUMN + 6, &fact);
            head = " ".repeat(COLUMN + 6);
            line
        });
        facts.collect::<Vec<_>>()
    });
    lines.collect::<Vec<_>>().join("\n")
}

struct Subject {
    sign: String,
    word: &'static str,
    facts: Vec<String>,
}

impl Subject {
    /// The facts, of very many only the first.
    fn of(sign: String, word: &'static str, facts: impl IntoIterator<Item = String>) -> Option<Self> {
        let mut facts: Vec<String> = facts.into_iter().collect();
        let more = facts.len().saturating_sub(MOST);
        facts.truncate(MOST);
        facts.extend((more > 0).then(|| format!("and {more} more")));
        (!facts.is_empty()).then_some(Self { sign, word, facts })
    }
}

fn done(state: &RunState, rows: &[Row]) -> Option<Subject> {
    let (settled, total) = state.progress();
    let skipped = rows.iter().filter(|row| row.status == InstanceStatus::Skipped);
    let mut fact = format!("{settled} of {total}");
    let skipped = skipped.count();
    if skipped > 0 {
        fact += &format!(", of which {skipped} skipped");
    }
    let ended = rows.iter().filter(|row| {
        matches!(
            row.status,
            InstanceStatus::Succeeded | InstanceStatus::Satisfied | InstanceStatus::RolledBack
        )
    });
    if let Some(last) = ended.max_by_key(|row| row.ended)
        && let Some(at) = last.ended
    {
        fact += &format!("; last `{}` at {}", plain(&last.id.to_string()), time::local(at));
    }
    let left = state.still_to_undo();
    let undo = (!left.is_empty()).then(|| format!("still to undo: {}", names(&left)));
    Subject::of(paint(GOOD, '✓'), "done", [fact].into_iter().chain(undo))
}

/// What was under way when the last process ended. It is not known whether it took effect.
fn in_doubt(state: &RunState, runbook: &Runbook) -> Option<Subject> {
    let cut_off = state.active().filter_map(|instance| {
        let (what, since) = match &instance.phase {
            Phase::Running(activity) | Phase::Verifying(activity) => ("carried out", activity.since),
            Phase::RollingBack(activity) | Phase::RollbackVerifying(activity) => ("undone", activity.since),
            _ => return None,
        };
        let when = time::local(since);
        Some(format!(
            "`{}` was being {what} since {when} when the run was cut off; {}",
            plain(&instance.id.to_string()),
            settled_by(instance, runbook)
        ))
    });
    Subject::of(paint(CARE, '?'), "in doubt", cut_off)
}

fn settled_by(instance: &Instance, runbook: &Runbook) -> &'static str {
    match runbook.step(instance.id.step()) {
        Some(step) if step.abilities.validates => "it is looked at first",
        Some(step) if step.idempotent => "it may be repeated, and is carried out again",
        Some(_) | None => "you will have to say whether it took effect",
    }
}

fn failed(rows: &[Row]) -> Option<Subject> {
    let failed = [InstanceStatus::Failed, InstanceStatus::RollbackFailed];
    let failed = rows.iter().filter(|row| failed.contains(&row.status)).map(|row| {
        let reason = row.reason.as_deref().unwrap_or("it failed");
        let reason = plain(reason.lines().next().unwrap_or_default());
        format!("`{}`: {reason}", plain(&row.id.to_string()))
    });
    Subject::of(paint(BAD, '✗'), "failed", failed)
}

/// Who is waited for, what has waited longest first.
fn waiting(state: &RunState, runbook: &Runbook, now: Timestamp) -> Option<Subject> {
    let waiting = state.waiting_for().into_iter().map(|one| {
        let step = runbook.step(one.id.step());
        let role = step.and_then(|step| step.role.as_ref());
        let role = role.map_or_else(String::new, |role| format!(" for {role}"));
        let title = step.map_or_else(String::new, |step| plain(&step.title));
        let what = match (one.need, one.undoing) {
            (Need::ManualWork, false) => "to be done by hand",
            (Need::ManualWork, true) => "to be undone by hand",
            (Need::Decision, _) => "to be decided: nobody knows whether it took effect",
        };
        let waited = time::whole(now.duration_since(one.since));
        format!(
            "`{}`{role}, {what}, since {waited}: {title}",
            plain(&one.id.to_string())
        )
    });
    Subject::of(paint(CARE, '!'), "waiting", waiting)
}

fn next(rows: &[Row], runbook: &Runbook) -> Option<Subject> {
    let ready = rows.iter().filter(|row| row.status == InstanceStatus::Ready);
    let ready = ready.map(|row| {
        let title = runbook
            .step(row.id.step())
            .map_or_else(String::new, |step| plain(&step.title));
        let reason = row.reason.as_deref().map(plain);
        let reason = reason.map_or_else(String::new, |reason| paint(DIM, format!(" ({reason})")));
        format!("`{}`: {title}{reason}", plain(&row.id.to_string()))
    });
    Subject::of(paint(BUSY, '▸'), "next", ready)
}
