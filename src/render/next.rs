//! The last lines of every command that leaves a run behind: where it stands, and the one next thing to do.

use runbook_engine::core::event::Need;
use runbook_engine::core::{InstanceStatus, RunState, RunStatus};
use runbook_engine::runbook::Runbook;

use super::style::{BOLD, DIM, of_run, paint, words};

/// Where the run stands, and what to do now.
pub(crate) fn summary(name: &str, state: &RunState, runbook: &Runbook) -> String {
    let status = state.status();
    let (settled, total) = state.progress();
    let rehearsal = if state.started().rehearsal.is_some() {
        " (rehearsal: nothing was touched)"
    } else {
        ""
    };
    let head = paint(of_run(status), words(status.as_str()));
    let mut lines = vec![format!(
        "\n{} is {head}: {settled} of {total} settled{rehearsal}",
        paint(BOLD, name)
    )];
    lines.extend(what_now(name, state, runbook));
    lines.join("\n")
}

/// What a person can do now, the most useful first.
fn what_now(name: &str, state: &RunState, runbook: &Runbook) -> Vec<String> {
    let command = |text: String, why: &str| format!("  {:<52} {}", text, paint(DIM, why));
    let mut lines = Vec::new();
    for waiting in state.waiting_for() {
        let step = runbook.step(waiting.id.step());
        let role = step
            .and_then(|step| step.role.as_ref())
            .map_or_else(String::new, |role| format!(" ({role})"));
        let title = step.map_or("", |step| step.title.as_str());
        let id = &waiting.id;
        match waiting.need {
            Need::ManualWork => {
                let what = if waiting.undoing {
                    "to be undone by hand"
                } else {
                    "waits for a person"
                };
                lines.push(format!("  `{id}` {what}{role}: {title}"));
                lines.push(command(
                    format!("runbook confirm {name} '{id}'"),
                    "once it is done",
                ));
            }
            Need::Decision => {
                lines.push(format!(
                    "  `{id}` was interrupted{role}; look whether it took effect, then:"
                ));
                lines.push(command(
                    format!("runbook decide {name} '{id}' done --why TEXT"),
                    "it took effect",
                ));
                lines.push(command(
                    format!("runbook decide {name} '{id}' again --why TEXT"),
                    "it did not: try again",
                ));
            }
        }
    }
    match state.status() {
        RunStatus::Waiting => lines.push(command(format!("runbook resume {name}"), "to go on")),
        RunStatus::Failed | RunStatus::Stuck => {
            let wanted = [InstanceStatus::Failed, InstanceStatus::RollbackFailed];
            for row in state.rows().iter().filter(|row| wanted.contains(&row.status)) {
                let reason = row
                    .reason
                    .as_deref()
                    .unwrap_or("it failed")
                    .lines()
                    .next()
                    .unwrap_or_default()
                    .to_owned();
                lines.push(format!("  `{}`: {reason}", row.id));
                lines.push(command(
                    format!("runbook log {name} --step '{}'", row.id),
                    "what it printed",
                ));
                lines.push(command(
                    format!("runbook decide {name} '{}' again --why TEXT", row.id),
                    "after mending the cause",
                ));
            }
            lines.push(command(format!("runbook resume {name}"), "to go on after that"));
            if state.status() == RunStatus::Failed {
                lines.push(command(
                    format!("runbook rollback {name}"),
                    "to undo what was done",
                ));
            } else {
                let left: Vec<String> = state.still_to_undo().iter().map(|id| format!("`{id}`")).collect();
                lines.push(format!("  still to undo: {}", left.join(", ")));
            }
        }
        RunStatus::Running | RunStatus::RollingBack => {
            lines.push(command(format!("runbook resume {name}"), "to go on"));
        }
        RunStatus::Cancelled => lines.push(command(
            format!("runbook rollback {name}"),
            "to undo what was done",
        )),
        RunStatus::Completed => lines.push(command(format!("runbook log {name}"), "the whole story")),
        RunStatus::RolledBack => {
            if let Some(rollback) = state.rollback()
                && !rollback.left.is_empty()
            {
                let left: Vec<String> = rollback
                    .left
                    .iter()
                    .map(|&ix| format!("`{}`", state.instance(ix).id))
                    .collect();
                lines.push(format!(
                    "  left in place, for there is no way back: {}",
                    left.join(", ")
                ));
            }
        }
    }
    lines
}
