//! One instance in the view: where it stands, for how long, and what is to be said of it.

use anstyle::Style;
use jiff::Timestamp;
use runbook_engine::core::event::Need;
use runbook_engine::core::{Instance, InstanceStatus, Phase};
use runbook_engine::runbook::Step;

use super::line::Line;
use super::{Class, Entry, Scene};
use crate::render::layout::{Size, Width, cut, widest};
use crate::render::rows::{declared, status_words};
use crate::render::style::{BAD, CARE, DIM, of_instance};
use crate::render::time::{took, whole};
use crate::render::{place, plain};

/// The widest column of ids, as a part of the terminal.
const IDS: usize = 3;

/// The widest column of machines, as a part of the terminal.
const HOSTS: usize = 5;

/// The column of times has room for most of them, so that it does not move.
const TIME: usize = 7;

/// What is shown of one instance.
#[derive(Debug)]
pub(super) struct Row {
    sign: char,
    style: Style,
    id: String,
    word: String,
    time: String,
    /// The machine, where it is another one.
    host: String,
    /// Its title, what it prints, or why it stands there.
    detail: Line,
}

/// The widths of the columns.
#[derive(Debug, Clone, Copy)]
pub(super) struct Columns {
    id: usize,
    word: usize,
    time: usize,
    /// Nothing where no machine is named.
    host: usize,
    narrow: bool,
}

impl Columns {
    /// Columns for these rows.
    pub(super) fn of<'a>(rows: impl Iterator<Item = &'a Row> + Clone, size: Size) -> Self {
        let width = |part: fn(&Row) -> &str, most| widest(rows.clone().map(part), most);
        Self {
            id: width(|row| &row.id, size.columns / IDS),
            word: width(|row| &row.word, size.columns),
            time: width(|row| &row.time, size.columns).max(TIME),
            host: width(|row| &row.host, size.columns / HOSTS),
            narrow: is_narrow(size),
        }
    }
}

/// Whether what is said of an instance has no room beside it, but below.
pub(super) fn is_narrow(size: Size) -> bool {
    Width::from(size).is_narrow()
}

impl Row {
    pub(super) fn of(entry: &Entry<'_>, scene: &Scene<'_>) -> Self {
        let Entry { instance, status, .. } = *entry;
        let step = scene.runbook.step(instance.id.step());
        let (sign, style) = of_instance(status);
        let style = if instance.word().is_some() { CARE } else { style };
        Self {
            sign,
            style,
            id: plain(&instance.id.to_string()),
            word: word(instance, status, step),
            time: time(instance, scene.now),
            host: place::host(scene.state, scene.runbook, instance).unwrap_or_default(),
            detail: detail(entry, step, scene),
        }
    }

    /// Its line; and, in a narrow terminal, what is said of it in a line of its own, if there is room.
    pub(super) fn lines(self, columns: Columns, below_it: bool) -> Vec<Line> {
        let line = Line::default().with(self.style, format!("  {} ", self.sign));
        if columns.narrow {
            let line = line
                .with(Style::new(), format!("{}  ", self.id))
                .with(self.style, format!("{}  ", self.word))
                .with(DIM, self.time);
            let line = if self.host.is_empty() {
                line
            } else {
                line.with(Style::new(), format!("  {}", self.host))
            };
            let below = Line::default().with(Style::new(), "    ").and(self.detail);
            return if below_it { vec![line, below] } else { vec![line] };
        }
        let line = line
            .column(Style::new(), &self.id, columns.id)
            .column(self.style, &self.word, columns.word)
            .column(DIM, &self.time, columns.time);
        let line = if columns.host == 0 {
            line
        } else {
            line.column(Style::new(), &cut(&self.host, columns.host), columns.host)
        };
        vec![line.and(self.detail)]
    }
}

/// Where it stands, in a word or two.
fn word(instance: &Instance, status: InstanceStatus, step: Option<&Step>) -> String {
    match &instance.phase {
        Phase::Retrying { .. } | Phase::RollbackRetrying { .. } => "tried again".to_owned(),
        Phase::InDoubt(_) | Phase::RollbackInDoubt(_) => "interrupted".to_owned(),
        _ if instance.word().is_some() => declared(status).to_owned(),
        _ => status_words(status, step),
    }
}

/// For how long it has been under way or waited for, or was, or in how long it will be.
fn time(instance: &Instance, now: Timestamp) -> String {
    match (&instance.phase, instance.phase.activity()) {
        (_, Some(activity)) => whole(now.duration_since(activity.since)),
        (Phase::Waiting(_) | Phase::RollbackWaiting(_), None) => {
            let asked = instance.asked.map(|since| whole(now.duration_since(since)));
            asked.unwrap_or_default()
        }
        (Phase::Retrying { at } | Phase::RollbackRetrying { at }, None) => {
            format!("in {}", whole(at.duration_since(now)))
        }
        _ => instance.took().map_or_else(String::new, took),
    }
}

fn detail(entry: &Entry<'_>, step: Option<&Step>, scene: &Scene<'_>) -> Line {
    let instance = entry.instance;
    let title = step.map_or_else(String::new, |step| plain(&step.title));
    let line = match instance.attempts.0 {
        2.. if entry.class != Class::Done => {
            Line::default().with(CARE, format!("attempt {}  ", instance.attempts))
        }
        _ => Line::default(),
    };
    let error = |error: &Option<runbook_engine::core::event::Failure>| {
        let message = error.as_ref().map(|error| plain(&error.message));
        message.and_then(|text| text.trim().lines().next().map(str::to_owned))
    };
    let because = match &instance.phase {
        Phase::Failed | Phase::Retrying { .. } => error(&instance.error),
        Phase::RollbackFailed | Phase::RollbackRetrying { .. } => error(&instance.rollback_error),
        _ => None,
    };
    if let Some(word) = instance.word().filter(|_| entry.class == Class::Done) {
        return line.with(CARE, plain(&word.words()));
    }
    match (entry.class, because, scene.tails.of(&instance.id)) {
        (Class::Person, ..) => line
            .with(CARE, for_whom(instance, step))
            .with(Style::new(), format!(": {title}")),
        (_, Some(because), _) => line.with(BAD, because),
        (Class::Busy, None, Some(printed)) => line.with(DIM, "│ ").with(Style::new(), printed),
        (Class::Busy, None, None) => line.with(Style::new(), title),
        (Class::Bad | Class::Done | Class::ToCome, None, _) => line.with(DIM, title),
    }
}

/// Who is waited for, and what they are to do.
fn for_whom(instance: &Instance, step: Option<&Step>) -> String {
    let role = step.and_then(|step| step.role.as_ref());
    let who = role.map_or_else(|| "a person".to_owned(), ToString::to_string);
    match instance.phase {
        Phase::Waiting(Need::Decision) | Phase::RollbackWaiting(Need::Decision) => {
            format!("{who} must decide")
        }
        Phase::RollbackWaiting(Need::ManualWork) => format!("{who} must undo it"),
        Phase::Waiting(Need::Approval) => "waits for approval".to_owned(),
        _ => format!("for {who}"),
    }
}
