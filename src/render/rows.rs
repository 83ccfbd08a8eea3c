//! A run as a table: one line per instance.

use runbook_engine::core::{InstanceStatus, Row, RunState};
use runbook_engine::runbook::Runbook;
use serde_json::{Value, json};

use super::style::{DIM, of_instance, paint, words};
use super::time::took;

/// One line per instance: sign, id, status, duration, and why where that needs saying.
pub(crate) fn table(state: &RunState, runbook: &Runbook) -> String {
    let rows = state.rows();
    let widest = rows
        .iter()
        .map(|row| row.id.to_string().chars().count())
        .max()
        .unwrap_or(0)
        .min(40);
    let lines: Vec<String> = rows.iter().map(|row| line(row, widest, runbook)).collect();
    lines.join("\n")
}

fn line(row: &Row, width: usize, runbook: &Runbook) -> String {
    let (sign, style) = of_instance(row.status);
    let id = format!("{:<width$}", row.id.to_string());
    let status = format!("{:<15}", words(row.status.as_str()));
    let mut text = format!("  {} {id}  {}", paint(style, sign), paint(style, status));
    if let (Some(started), Some(ended)) = (row.started, row.ended) {
        text += &format!(" {}", paint(DIM, took(ended.duration_since(started))));
    }
    if row.attempts.0 > 1 {
        text += &paint(DIM, format!(" attempt {}", row.attempts));
    }
    let role = runbook.step(row.id.step()).and_then(|step| step.role.as_ref());
    if let (true, Some(role)) = (needs_someone(row.status), role) {
        text += &paint(DIM, format!(" for {role}"));
    }
    if let Some(reason) = &row.reason {
        let reason = reason.lines().next().unwrap_or_default();
        text += &format!("\n    {}", paint(DIM, reason));
    }
    text.trim_end().to_owned()
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
