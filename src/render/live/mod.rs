//! The live view of a run: what stands below the lines that are told while it is carried out. It is a pure function
//! of where the run stands, what its steps printed last, the time, and the size of the terminal.

use std::collections::BTreeSet;

use anstyle::Style;
use jiff::Timestamp;
use runbook_engine::core::{Instance, InstanceStatus, Phase, RunState};
use runbook_engine::id::InstanceId;
use runbook_engine::runbook::Runbook;

use self::fold::{Fold, fold};
use self::line::Line;
use self::row::{Columns, Row, is_narrow};
use super::layout::Size;
use super::next;
use super::style::{BAD, BOLD, BUSY, CARE, DIM, GOOD};

pub(crate) use self::tails::Tails;

mod fold;
mod line;
mod row;
mod tails;

/// Rows of the terminal that the view leaves free: that of the cursor, and one that shows what was there before.
const FREE: usize = 2;

/// With so many lines, one is spent to set the view apart from what was told.
const ROOMY: usize = 10;

/// Where the text of the next thing begins.
const INDENT: usize = 8;

/// What the view shows.
pub(crate) struct Scene<'a> {
    pub(crate) state: &'a RunState,
    pub(crate) runbook: &'a Runbook,
    pub(crate) tails: &'a Tails,
    /// Whether the person here is asked for the work of people.
    pub(crate) asks: bool,
    pub(crate) now: Timestamp,
}

/// One instance, and what matters of where it stands.
#[derive(Debug, Clone, Copy)]
struct Entry<'a> {
    instance: &'a Instance,
    status: InstanceStatus,
    class: Class,
}

/// The lines of the view; never more, and none wider, than the terminal has room for.
pub(crate) fn lines(scene: &Scene<'_>, size: Size) -> Vec<String> {
    let entries = entries(scene.state);
    let most = size.rows.saturating_sub(FREE).max(1);
    let room = size.columns.saturating_sub(1).max(1);
    let head = head(scene.state, &entries);
    let next = next_thing(scene, room, most / 3);
    let apart = (most >= ROOMY).then(Line::default);
    let left = most.saturating_sub(usize::from(apart.is_some()) + 1 + next.len());
    let body = body(&fold(&entries, left, is_narrow(size)), scene, size);
    let lines = apart.into_iter().chain([head]).chain(body).chain(next);
    lines.take(most).map(|line| line.fit(room)).collect()
}

fn entries(state: &RunState) -> Vec<Entry<'_>> {
    let waiting = state.waiting_for();
    let waiting: BTreeSet<&InstanceId> = waiting.iter().map(|one| &one.id).collect();
    let entries = state.statuses().map(|(instance, status)| Entry {
        instance,
        status,
        class: Class::of(instance, status, waiting.contains(&instance.id)),
    });
    entries.collect()
}

/// The instances, one by one or as numbers.
fn body(fold: &Fold<'_>, scene: &Scene<'_>, size: Size) -> Vec<Line> {
    let rows: Vec<(Row, bool)> = fold
        .shown
        .iter()
        .map(|entry| (Row::of(entry, scene), fold.details && entry.class.is_urgent()))
        .collect();
    let columns = Columns::of(rows.iter().map(|(row, _)| row), size);
    let rows = rows
        .into_iter()
        .flat_map(|(row, below_it)| row.lines(columns, below_it));
    let number = |sign: char, style, number: usize, words: &str| {
        let line = Line::default().with(style, format!("  {sign} {number} {words}"));
        (number > 0).then_some(line)
    };
    let done = number('✓', GOOD, fold.done, "done");
    let more = (!fold.more.is_empty()).then(|| {
        let more = CLASSES.iter().filter_map(|&(class, style, words)| {
            let number = fold.more.get(&class)?;
            Some((style, format!("{number} more {words}")))
        });
        more.fold(Line::default().with(DIM, "  …"), |line, (style, text)| {
            line.with(style, format!(" {text}"))
        })
    });
    let to_come = number('·', DIM, fold.to_come, "to come");
    done.into_iter().chain(rows).chain(more).chain(to_come).collect()
}

/// How far the whole is.
fn head(state: &RunState, entries: &[Entry<'_>]) -> Line {
    let (settled, total) = state.progress();
    let how_far = match state.rollback() {
        Some(rollback) => format!("  {} of {} undone", rollback.done, rollback.plan.len()),
        None => format!("  {settled} of {total} settled"),
    };
    let mut line = Line::default()
        .with(BOLD, state.started().name())
        .with(Style::new(), how_far);
    for (class, style, words) in CLASSES {
        let number = entries.iter().filter(|entry| entry.class == class).count();
        if number > 0 {
            line = line.with(DIM, ", ").with(style, format!("{number} {words}"));
        }
    }
    line
}

/// The one thing that a person must do, if there is any; how to say that it is done, if there is room for that.
fn next_thing(scene: &Scene<'_>, room: usize, most: usize) -> Vec<Line> {
    let Some(wanted) = next::wanted(scene.state, scene.runbook) else {
        return Vec::new();
    };
    let how = if scene.asks && wanted.is_asked_for {
        "you are asked here when nothing else is under way; or, from another terminal: "
    } else {
        "from another terminal: "
    };
    let head = Line::default().with(CARE, "  next: ");
    let mut lines = Line::paragraph(head, INDENT, Style::new(), &wanted.what, room);
    let hows = std::iter::once(how).chain(std::iter::repeat("or: "));
    for (how, command) in hows.zip(&wanted.commands) {
        let indent = Line::default().with(Style::new(), " ".repeat(INDENT));
        let paragraph = Line::paragraph(indent, INDENT, DIM, &format!("{how}{command}"), room);
        if lines.len() + paragraph.len() > most {
            break;
        }
        lines.extend(paragraph);
    }
    lines
}

/// What is always told of, the most urgent first.
const CLASSES: [(Class, Style, &str); 3] = [
    (Class::Person, CARE, "waiting"),
    (Class::Bad, BAD, "failed"),
    (Class::Busy, BUSY, "under way"),
];

/// What matters of a status to whoever watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    /// A person must act.
    Person,
    Bad,
    /// Under way, or tried again by itself.
    Busy,
    Done,
    ToCome,
}

impl Class {
    fn of(instance: &Instance, status: InstanceStatus, is_waited_for: bool) -> Self {
        match (&instance.phase, status) {
            _ if is_waited_for => Self::Person,
            (Phase::InDoubt(_) | Phase::RollbackInDoubt(_) | Phase::Observed, _) => Self::Busy,
            (Phase::Retrying { .. } | Phase::RollbackRetrying { .. }, _) => Self::Busy,
            (_, InstanceStatus::Failed | InstanceStatus::RollbackFailed) => Self::Bad,
            (
                _,
                InstanceStatus::Observing
                | InstanceStatus::Running
                | InstanceStatus::Verifying
                | InstanceStatus::RollingBack,
            ) => Self::Busy,
            (
                _,
                InstanceStatus::Succeeded
                | InstanceStatus::Satisfied
                | InstanceStatus::Skipped
                | InstanceStatus::RolledBack,
            ) => Self::Done,
            (
                _,
                InstanceStatus::Pending
                | InstanceStatus::Ready
                | InstanceStatus::Blocked
                | InstanceStatus::Waiting
                | InstanceStatus::InDoubt,
            ) => Self::ToCome,
        }
    }

    /// Whether it is shown by itself before others are.
    fn is_urgent(self) -> bool {
        match self {
            Self::Person | Self::Bad | Self::Busy => true,
            Self::Done | Self::ToCome => false,
        }
    }
}

#[cfg(test)]
mod tests;
