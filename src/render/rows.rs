//! A run as a table: one line per instance.

use runbook_engine::core::{InstanceStatus, Row, RunState};
use runbook_engine::runbook::{Runbook, Step};
use serde_json::{Value, json};

use super::layout::{Width, cut, pad, widest};
use super::style::{DIM, of_instance, paint, words};
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
pub(crate) fn table(state: &RunState, runbook: &Runbook, width: Width) -> String {
    let rows = state.rows().into_iter();
    let rows: Vec<(Row, Option<String>)> = rows
        .map(|row| {
            let host = host(state, runbook, &row);
            (row, host)
        })
        .collect();
    let ids = widest(rows.iter().map(|(row, _)| row.id.to_string()), WIDEST_ID);
    let statuses = widest(
        rows.iter()
            .map(|(row, _)| status_words(row.status, runbook.step(row.id.step()))),
        WIDEST_ID,
    );
    let hosts = widest(rows.iter().filter_map(|(_, host)| host.as_deref()), WIDEST_HOST);
    let columns = if width.is_narrow() {
        Columns::default()
    } else {
        Columns { ids, statuses, hosts }
    };
    let lines = rows.iter().map(|(row, host)| {
        let host = host.as_deref().unwrap_or_default();
        line(row, host, columns, runbook.step(row.id.step()), width)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The widths of the columns; none where there is no room for any.
#[derive(Debug, Clone, Copy, Default)]
struct Columns {
    ids: usize,
    statuses: usize,
    hosts: usize,
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

fn line(row: &Row, host: &str, columns: Columns, step: Option<&Step>, width: Width) -> String {
    let Columns { ids, statuses, hosts } = columns;
    let (sign, style) = of_instance(row.status);
    let id = pad(&plain(&row.id.to_string()), ids);
    let status = pad(&status_words(row.status, step), statuses);
    let mut text = format!("  {} {id}  {}", paint(style, sign), paint(style, status));
    let role = step.and_then(|step| step.role.as_ref());
    let about = match (row.took, role) {
        (Some(duration), _) => took(duration),
        (None, Some(role)) if needs_someone(row.status) => format!("for {role}"),
        _ => String::new(),
    };
    let about = match row.attempts.0 {
        0 | 1 => about,
        attempts => format!("{about} attempt {attempts}"),
    };
    text += &format!("  {}", paint(DIM, pad(about.trim(), 10)));
    if hosts > 0 {
        text += &format!("  {}", pad(&cut(host, hosts), hosts));
    } else if !host.is_empty() {
        text += &format!("  {host}");
    }
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
    })
}
