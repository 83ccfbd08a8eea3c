//! What somebody who takes a run up must know before it goes on: what is done, what is in doubt, what comes next.

use std::collections::BTreeSet;

use jiff::Timestamp;
use runbook_engine::core::event::Need;
use runbook_engine::core::{Instance, InstanceStatus, Row, RunState};
use runbook_engine::id::{InstanceId, StepId};
use runbook_engine::runbook::Runbook;

use super::held::{SettledBy, interrupted};
use super::layout::{Width, pad};
use super::next::how_far;
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
        in_doubt(state, runbook, now),
        failed(&rows),
        sent_back(state),
        waiting(state, runbook, now),
        next(state, &rows, runbook),
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
    let last = |ended: &[InstanceStatus]| {
        let ended = rows.iter().filter(|row| ended.contains(&row.status));
        let last = ended.max_by_key(|row| row.ended)?;
        let at = time::local(last.ended?);
        Some(format!("; last `{}` at {at}", plain(&last.id.to_string())))
    };
    if state.rollback().is_some() {
        let last = last(&[InstanceStatus::RolledBack]).unwrap_or_default();
        return Subject::of(paint(GOOD, '◂'), "undone", [format!("{}{last}", how_far(state))]);
    }
    let (settled, total) = state.progress();
    let skipped = rows.iter().filter(|row| row.status == InstanceStatus::Skipped);
    let mut fact = format!("{settled} of {total}");
    let skipped = skipped.count();
    if skipped > 0 {
        fact += &format!(", of which {skipped} skipped");
    }
    let declared = rows.iter().filter(|row| row.word.is_some());
    let declared: Vec<String> = declared
        .map(|row| format!("`{}`", plain(&row.id.to_string())))
        .collect();
    if !declared.is_empty() {
        fact += &format!("; by somebody's word alone: {}", declared.join(", "));
    }
    let ended = [InstanceStatus::Succeeded, InstanceStatus::Satisfied];
    fact += &last(&ended).unwrap_or_default();
    Subject::of(paint(GOOD, '✓'), "done", [fact])
}

/// What was cut off, whether the last process still saw that or ended with it: it is not known whether it took effect.
/// What rules and looks will settle comes before what only a person can.
fn in_doubt(state: &RunState, runbook: &Runbook, now: Timestamp) -> Option<Subject> {
    let cut_off = state.statuses().filter_map(|(instance, _)| {
        let (what, activity) = interrupted(&instance.phase)?;
        Some(format!(
            "`{}` was being {what} since {} when the run was cut off; {}",
            plain(&instance.id.to_string()),
            time::local(activity.since),
            settled_by(instance, runbook)
        ))
    });
    let waiting = state.waiting_for().into_iter();
    let deciding = waiting.filter(|one| one.need == Need::Decision).map(|one| {
        let what = if one.undoing { "undoing it" } else { "it" };
        format!(
            "`{}`: nobody knows whether {what} took effect, and you have to say; since {}",
            plain(&one.id.to_string()),
            time::whole(now.duration_since(one.since))
        )
    });
    Subject::of(paint(CARE, '?'), "in doubt", cut_off.chain(deciding))
}

fn settled_by(instance: &Instance, runbook: &Runbook) -> &'static str {
    match SettledBy::of(instance, runbook) {
        SettledBy::Looking => "it is looked at first",
        SettledBy::Repeating => "it may be repeated, and is carried out again",
        SettledBy::Person => "you will have to say whether it took effect",
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

/// To what the run was sent back, and is not done again yet.
fn sent_back(state: &RunState) -> Option<Subject> {
    let sent = state.statuses().filter_map(|(instance, _)| {
        let sent = instance
            .sent_back
            .as_deref()
            .filter(|sent| sent.to == instance.id)?;
        let (to, from) = (sent.to.to_string(), sent.from.to_string());
        Some(format!(
            "to `{}` from `{}` by {}: {}",
            plain(&to),
            plain(&from),
            plain(sent.by.as_str()),
            plain(&sent.why)
        ))
    });
    Subject::of(paint(CARE, '↩'), "sent back", sent)
}

/// Who is waited for, what has waited longest first.
fn waiting(state: &RunState, runbook: &Runbook, now: Timestamp) -> Option<Subject> {
    let waiting = state.waiting_for().into_iter();
    let waiting = waiting.filter(|one| one.need != Need::Decision).map(|one| {
        let step = runbook.step(one.id.step());
        let role = step.and_then(|step| step.role.as_ref());
        let role = role.map_or_else(String::new, |role| format!(" for {role}"));
        let title = step.map_or_else(String::new, |step| plain(&step.title));
        let what = match (one.need, one.undoing) {
            (Need::Approval, _) => "to be approved",
            (_, true) => "to be undone by hand",
            (_, false) => "to be done by hand",
        };
        let waited = time::whole(now.duration_since(one.since));
        format!(
            "`{}`{role}, {what}, since {waited}: {title}",
            plain(&one.id.to_string())
        )
    });
    Subject::of(paint(CARE, '!'), "waiting", waiting)
}

/// What goes on by itself; where nothing does yet, what does once the rest is settled.
fn next(state: &RunState, rows: &[Row], runbook: &Runbook) -> Option<Subject> {
    let undo = state.still_to_undo();
    if !undo.is_empty() {
        let fact = format!("to undo, in this order: {}", names(&undo));
        return Subject::of(paint(BUSY, '◂'), "next", [fact]);
    }
    let of_status = |status| rows.iter().filter(move |row| row.status == status);
    let told = |row: &Row, reason: Option<String>| {
        let reason = reason.map_or_else(String::new, |reason| paint(DIM, format!(" ({reason})")));
        format!("{}{reason}", named(&row.id, runbook))
    };
    let mut facts: Vec<String> = of_status(InstanceStatus::Ready)
        .map(|row| told(row, row.reason.as_deref().map(plain)))
        .collect();
    if facts.is_empty() {
        let pending: BTreeSet<&StepId> = of_status(InstanceStatus::Pending)
            .map(|row| row.id.step())
            .collect();
        let after = of_status(InstanceStatus::Pending).filter_map(|row| {
            let needs = &runbook.step(row.id.step())?.needs;
            let is_first = needs.iter().all(|need| !pending.contains(need));
            is_first.then(|| told(row, Some("once that is settled".to_owned())))
        });
        facts.extend(after);
    }
    Subject::of(paint(BUSY, '▸'), "next", facts)
}

/// An instance with its title.
fn named(id: &InstanceId, runbook: &Runbook) -> String {
    let title = runbook
        .step(id.step())
        .map_or_else(String::new, |step| plain(&step.title));
    format!("`{}`: {title}", plain(&id.to_string()))
}
