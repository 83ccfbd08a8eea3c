//! Whether a process carries a run out: where none does, what the journal shows as under way was cut off.

use runbook_engine::core::{Activity, Asks, Doubt, Instance, InstanceStatus, Phase, Row, RunState};
use runbook_engine::id::InstanceId;
use runbook_engine::runbook::Runbook;
use runbook_engine::runtime::{Story, Wanted};

/// Who can go on with a run.
#[derive(Debug, Clone)]
pub(crate) enum Held {
    /// Whoever takes it up, and gives these secrets, without which nothing of it goes on.
    No(Vec<Wanted>),
    /// Only the process that holds it: others ask it.
    Elsewhere,
    /// Nobody here: only a copy of the run is here, and it goes on where it came from.
    Copy,
}

impl Held {
    /// Nobody holds the run, and it rests for these secrets.
    pub(crate) fn of(story: &Story, rests_for: impl FnOnce() -> Vec<Wanted>) -> Self {
        if story.holder.is_some() || story.state.hands().are_shared() {
            Self::Elsewhere
        } else {
            Self::No(rests_for())
        }
    }

    /// The secrets without which nothing goes on.
    pub(crate) fn rests_for(&self) -> &[Wanted] {
        match self {
            Self::No(wanted) => wanted,
            Self::Elsewhere | Self::Copy => &[],
        }
    }

    /// Where an instance stands, as far as anybody can know.
    pub(crate) fn status(&self, instance: &Instance, status: InstanceStatus) -> InstanceStatus {
        match self {
            Self::No(_) if is_cut_off(&instance.phase) => InstanceStatus::InDoubt,
            Self::No(_) | Self::Elsewhere | Self::Copy => status,
        }
    }

    /// The row of an instance as it stands in truth, and what becomes of it where it was cut off or lacks a secret.
    pub(crate) fn row(&self, row: Row, state: &RunState, runbook: &Runbook) -> Row {
        let Some(instance) = state.find(&row.id).map(|ix| state.instance(ix)) else {
            return row;
        };
        let because = match self {
            Self::No(_) if state.cancelled().is_some() && state.rollback().is_none() => {
                stopped(&instance.phase)
            }
            Self::No(_) => outlook(instance, runbook).or_else(|| self.lacks(&row.id)),
            Self::Elsewhere | Self::Copy => None,
        };
        Row {
            status: self.status(instance, row.status),
            reason: because.or(row.reason),
            ..row
        }
    }

    fn lacks(&self, id: &InstanceId) -> Option<String> {
        let wanted = self.rests_for().iter().find(|wanted| wanted.by == *id)?;
        Some(format!(
            "it needs the secret `{}`, which nobody has given",
            wanted.secret
        ))
    }
}

/// Whether a call was under way, so that a process must have been there.
fn is_cut_off(phase: &Phase) -> bool {
    phase.activity().is_some() || matches!(phase, Phase::InDoubt(_) | Phase::RollbackInDoubt(_))
}

/// What becomes of something that was cut off in a run that was stopped for good.
fn stopped(phase: &Phase) -> Option<String> {
    interrupted(phase).map(|(what, _)| {
        format!("it was interrupted while it was being {what}, and the run is stopped: `decide` says whether it took effect")
    })
}

fn outlook(instance: &Instance, runbook: &Runbook) -> Option<String> {
    let phase = &instance.phase;
    if !is_cut_off(phase) {
        return None;
    }
    Some(match interrupted(phase) {
        None => "it was interrupted while it only looked: `resume` looks again".to_owned(),
        Some((what, _)) => {
            let then = match SettledBy::of(instance, runbook) {
                SettledBy::Looking => "`resume` looks whether it took effect, and goes on from there",
                SettledBy::Repeating => "it may be repeated, and `resume` carries it out again",
                SettledBy::Person => {
                    "`decide` says whether it took effect, and it is not repeated before somebody has said so"
                }
            };
            format!("it was interrupted while it was being {what}: {then}")
        }
    })
}

/// What was being done with an instance when the run was cut off, if it is to be settled what became of that.
pub(crate) fn interrupted(phase: &Phase) -> Option<(&'static str, &Activity)> {
    match phase {
        Phase::Running(activity)
        | Phase::Verifying(activity)
        | Phase::InDoubt(Doubt { activity, .. })
        | Phase::Observing {
            asks: Asks::Doubt,
            activity,
        } => Some(("carried out", activity)),
        Phase::RollingBack(activity)
        | Phase::RollbackVerifying(activity)
        | Phase::RollbackInDoubt(Doubt { activity, .. })
        | Phase::Observing {
            asks: Asks::RollbackDoubt,
            activity,
        } => Some(("undone", activity)),
        Phase::Pending
        | Phase::FannedOut
        | Phase::Ready
        | Phase::Retrying { .. }
        | Phase::Observing {
            asks: Asks::Before, ..
        }
        | Phase::Observed
        | Phase::Waiting(_)
        | Phase::Satisfied
        | Phase::Succeeded
        | Phase::Skipped(_)
        | Phase::Failed
        | Phase::RollbackReady
        | Phase::RollbackRetrying { .. }
        | Phase::RollbackWaiting(_)
        | Phase::RolledBack
        | Phase::RollbackFailed => None,
    }
}

/// How it is settled whether something interrupted took effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SettledBy {
    Looking,
    Repeating,
    Person,
}

impl SettledBy {
    pub(crate) fn of(instance: &Instance, runbook: &Runbook) -> Self {
        match runbook.step(instance.id.step()) {
            Some(step) if step.abilities.validates => Self::Looking,
            Some(step) if step.idempotent => Self::Repeating,
            Some(_) | None => Self::Person,
        }
    }
}
