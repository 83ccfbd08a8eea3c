//! A run as a table: one line per instance.

use runbook_engine::core::{InstanceStatus, Row, RunState};
use runbook_engine::runbook::{Runbook, Step};
use serde_json::{Value, json};

use super::layout::{Width, cut, pad, widest};
use super::plain;
use super::style::{DIM, of_instance, paint, words};
use super::time::took;

/// The widest column of ids; longer ones push the rest of their line.
pub(crate) const WIDEST_ID: usize = 40;

/// A title of which less than this could be shown says nothing.
const SHORTEST_TITLE: usize = 12;

/// One line per instance: sign, id, status, duration and title, and why it stands there where that needs saying.
pub(crate) fn table(state: &RunState, runbook: &Runbook, width: Width) -> String {
    let rows = state.rows();
    let ids = widest(rows.iter().map(|row| row.id.to_string()), WIDEST_ID);
    let statuses = widest(
        rows.iter()
            .map(|row| status_words(row.status, runbook.step(row.id.step()))),
        WIDEST_ID,
    );
    let columns = if width.is_narrow() {
        (0, 0)
    } else {
        (ids, statuses)
    };
    let lines: Vec<String> = rows
        .iter()
        .map(|row| line(row, columns, runbook.step(row.id.step()), width))
        .collect();
    lines.join("\n")
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

fn line(row: &Row, (ids, statuses): (usize, usize), step: Option<&Step>, width: Width) -> String {
    let (sign, style) = of_instance(row.status);
    let id = pad(&plain(&row.id.to_string()), ids);
    let status = pad(&status_words(row.status, step), statuses);
    let mut text = format!("  {} {id}  {}", paint(style, sign), paint(style, status));
    let role = step.and_then(|step| step.role.as_ref());
    let about = match (row.started, row.ended, role) {
        (Some(started), Some(ended), _) => took(ended.duration_since(started)),
        (_, _, Some(role)) if needs_someone(row.status) => format!("for {role}"),
        _ => String::new(),
    };
    let about = match row.attempts.0 {
        0 | 1 => about,
        attempts => format!("{about} attempt {attempts}"),
    };
    text += &format!("  {}", paint(DIM, pad(about.trim(), 10)));
    if let Some(title) = step.map(|step| plain(&step.title)) {
        let used = textwrap::core::display_width(&text) + 2;
        match width.left(used) {
            None => text += &format!("  {title}"),
            Some(left) if left >= SHORTEST_TITLE => text += &format!("  {}", cut(&title, left)),
            Some(_) => {}
        }
    }
    let mut text = text.trim_end().to_owned();
    if let Some(reason) = &row.reason {
        let reason = plain(reason.lines().next().unwrap_or_default());
        text += "\n";
        text += &width.wrap("      ", 6, &paint(DIM, reason));
    }
    text
}

fn needs_someone(status: InstanceStatus) -> bool {
    matches!(status, InstanceStatus::Waiting | InstanceStatus::InDoubt)
}

/// The same for programs.
pub(crate) fn as_json(row: &Row) -> Value {
    json!({
        "step": row.id,
        "status": row.status,
        "attempts": row.attempts,
        "outputs": *row.outputs,
        "reason": row.reason,
        "started": row.started,
        "ended": row.ended,
    })
}
