//! A run as a table: one line per instance.

use anstyle::Style;
use runbook_engine::core::{InstanceStatus, Row, RunState};
use runbook_engine::runbook::{Runbook, Step};
use serde_json::{Value, json};
use textwrap::core::display_width;

use super::held::Held;
use super::layout::{Width, cut, widest};
use super::style::{CARE, DIM, of_instance, paint, words};
use super::time::took;
use super::{place, plain};

/// The widest column of ids; longer ones push the rest of their line.
pub(crate) const WIDEST_ID: usize = 40;

/// A title of which less than this could be shown says nothing.
const SHORTEST_TITLE: usize = 12;

/// The widest column of machines; longer names are cut.
const WIDEST_HOST: usize = 24;

/// One line per instance: sign, id, status, duration, the machine where it is another one, and title; and why it stands
/// there where that needs saying.
pub(crate) fn table(state: &RunState, runbook: &Runbook, held: &Held, width: Width) -> String {
    let rows = state.rows().into_iter().map(|row| Told {
        host: host(state, runbook, &row),
        step: runbook.step(row.id.step()),
        row: held.row(row, state, runbook),
    });
    let rows: Vec<Told<'_>> = rows.collect();
    let columns = if width.is_narrow() {
        Columns::default()
    } else {
        Columns {
            ids: widest(rows.iter().map(|told| told.row.id.to_string()), WIDEST_ID),
            statuses: widest(rows.iter().map(Told::status), WIDEST_ID),
            abouts: widest(rows.iter().map(Told::about), WIDEST_ID),
            hosts: widest(rows.iter().filter_map(|told| told.host.as_deref()), WIDEST_HOST),
        }
    };
    let lines: Vec<String> = rows.iter().map(|told| told.line(columns, width)).collect();
    lines.join("\n")
}

/// The widths of the columns; none where there is no room for any.
#[derive(Debug, Clone, Copy, Default)]
struct Columns {
    ids: usize,
    statuses: usize,
    abouts: usize,
    hosts: usize,
}

impl Columns {
    /// Whether there is no room for any.
    fn is_none(self) -> bool {
        self.ids == 0
    }
}

/// What a line tells of.
struct Told<'a> {
    row: Row,
    step: Option<&'a Step>,
    host: Option<String>,
}

fn host(state: &RunState, runbook: &Runbook, row: &Row) -> Option<String> {
    let ix = state.find(&row.id)?;
    place::host(state, runbook, state.instance(ix))
}

/// The status in words. What only looked, and found what it wanted, has been checked.
pub(super) fn status_words(status: InstanceStatus, step: Option<&Step>) -> String {
    match status {
        InstanceStatus::Satisfied if step.is_some_and(|step| step.abilities.read_only) => {
            "checked".to_owned()
        }
        status => words(status.as_str()),
    }
}

/// Where something stands by a person's word.
pub(crate) fn by_word(row: &Row) -> Option<&'static str> {
    row.word.as_ref().map(|_| declared(row.status))
}

/// What a person declared it to be.
pub(crate) fn declared(status: InstanceStatus) -> &'static str {
    match status {
        InstanceStatus::RolledBack => "declared undone",
        _ => "declared done",
    }
}

impl Told<'_> {
    fn status(&self) -> String {
        by_word(&self.row).map_or_else(|| status_words(self.row.status, self.step), str::to_owned)
    }

    /// How long it took and which attempt it is, or who is waited for.
    fn about(&self) -> String {
        let role = self.step.and_then(|step| step.role.as_ref());
        let about = match (self.row.took, role) {
            (Some(duration), _) => took(duration),
            (None, Some(role)) if needs_someone(self.row.status) => format!("for {role}"),
            _ => String::new(),
        };
        match self.row.attempts.0 {
            0 | 1 => about,
            attempts => format!("{about} attempt {attempts}").trim_start().to_owned(),
        }
    }

    fn line(&self, columns: Columns, width: Width) -> String {
        let (sign, style) = of_instance(self.row.status);
        let style = if self.row.word.is_some() { CARE } else { style };
        let host = self.host.as_deref().unwrap_or_default();
        let host = if columns.hosts > 0 {
            cut(host, columns.hosts)
        } else {
            host.to_owned()
        };
        let mut cells = vec![
            (Style::new(), plain(&self.row.id.to_string()), columns.ids),
            (style, self.status(), columns.statuses),
            (DIM, self.about(), columns.abouts),
            (Style::new(), host, columns.hosts),
        ];
        cells.retain(|(_, text, column)| *column > 0 || !text.is_empty());
        let used = |(_, text, column): &(Style, String, usize)| display_width(text).max(*column) + 2;
        let used = 4 + cells.iter().map(used).sum::<usize>();
        let title = self.step.map(|step| plain(&step.title));
        let mut below = None;
        match (title, width.left(used)) {
            (Some(title), None) => cells.push((Style::new(), title, 0)),
            // Without columns there is room for all of it below, unless it says nothing new.
            (Some(title), Some(left)) if columns.is_none() && display_width(title.as_str()) > left => {
                below = Some(title).filter(|title| *title != self.row.id.to_string());
            }
            (Some(title), Some(left)) if left >= SHORTEST_TITLE => {
                cells.push((Style::new(), cut(&title, left), 0));
            }
            (Some(_), Some(_)) | (None, _) => {}
        }
        // The last cell needs no room after it.
        while cells.pop_if(|(_, text, _)| text.is_empty()).is_some() {}
        let mut text = format!("  {} ", paint(style, sign));
        let last = cells.len().saturating_sub(1);
        for (at, (style, cell, column)) in cells.iter().enumerate() {
            text += &paint(*style, cell);
            if at < last {
                text += &" ".repeat(column.saturating_sub(display_width(cell)) + 2);
            }
        }
        if let Some(title) = below {
            text += "\n";
            text += &width.wrap("      ", 6, &title);
        }
        if let Some(reason) = &self.row.reason {
            let reason = plain(reason.lines().next().unwrap_or_default());
            text += "\n";
            text += &width.wrap("      ", 6, &paint(DIM, reason));
        }
        text
    }
}

fn needs_someone(status: InstanceStatus) -> bool {
    matches!(status, InstanceStatus::Waiting | InstanceStatus::InDoubt)
}

/// The same for programs.
pub(crate) fn as_json(state: &RunState, runbook: &Runbook, row: &Row) -> Value {
    json!({
        "step": row.id,
        "status": row.status,
        "attempts": row.attempts,
        "outputs": *row.outputs,
        "reason": row.reason,
        "started": row.started,
        "ended": row.ended,
        "host": host(state, runbook, row),
        "took": row.took.map(|took| took.as_secs_f64()),
        "declared": row.word.as_deref().map(|word| json!({ "operator": word.by, "time": word.at, "why": word.why })),
    })
}
