//! The table of transitions, for people to read: which events are legal in which phase, and what comes of it.

use std::fmt::Write as _;

use self::events::events;
use super::*;
use crate::core::event::Need;
use crate::core::instance::{Activity, Asks, Doubt, Phase};
use crate::core::rollback::Rollback;
use crate::id::AttemptNo;

mod events;

fn activity() -> Activity {
    Activity::new(Seq(0), Timestamp::UNIX_EPOCH)
}

fn doubt(cleared: bool) -> Doubt {
    let activity = activity();
    Doubt { activity, cleared }
}

/// Every phase; the compiler says when one is missing from `name`.
fn phases() -> Vec<Phase> {
    let observing = |asks| Phase::Observing {
        asks,
        activity: activity(),
    };
    vec![
        Phase::Pending,
        Phase::FannedOut,
        Phase::Ready,
        Phase::Retrying {
            at: Timestamp::UNIX_EPOCH,
        },
        observing(Asks::Before),
        observing(Asks::Doubt),
        observing(Asks::RollbackDoubt),
        Phase::Observed,
        Phase::Running(activity()),
        Phase::Verifying(activity()),
        Phase::InDoubt(doubt(false)),
        Phase::InDoubt(doubt(true)),
        Phase::Waiting(Need::ManualWork),
        Phase::Waiting(Need::Decision),
        Phase::Waiting(Need::Approval),
        Phase::Satisfied,
        Phase::Succeeded,
        Phase::Skipped(String::new()),
        Phase::Failed,
        Phase::RollbackReady,
        Phase::RollbackRetrying {
            at: Timestamp::UNIX_EPOCH,
        },
        Phase::RollingBack(activity()),
        Phase::RollbackVerifying(activity()),
        Phase::RollbackInDoubt(doubt(false)),
        Phase::RollbackInDoubt(doubt(true)),
        Phase::RollbackWaiting(Need::ManualWork),
        Phase::RollbackWaiting(Need::Decision),
        Phase::RolledBack,
        Phase::RollbackFailed,
    ]
}

fn name(phase: &Phase) -> String {
    let cleared = |doubt: &Doubt| if doubt.cleared { "(cleared)" } else { "" };
    match phase {
        Phase::Pending => "Pending".to_owned(),
        Phase::FannedOut => "FannedOut".to_owned(),
        Phase::Ready => "Ready".to_owned(),
        Phase::Retrying { .. } => "Retrying".to_owned(),
        Phase::Observing { asks, .. } => format!("Observing({asks:?})"),
        Phase::Observed => "Observed".to_owned(),
        Phase::Running(_) => "Running".to_owned(),
        Phase::Verifying(_) => "Verifying".to_owned(),
        Phase::InDoubt(doubt) => format!("InDoubt{}", cleared(doubt)),
        Phase::Waiting(need) => format!("Waiting({need:?})"),
        Phase::Satisfied => "Satisfied".to_owned(),
        Phase::Succeeded => "Succeeded".to_owned(),
        Phase::Skipped(_) => "Skipped".to_owned(),
        Phase::Failed => "Failed".to_owned(),
        Phase::RollbackReady => "RollbackReady".to_owned(),
        Phase::RollbackRetrying { .. } => "RollbackRetrying".to_owned(),
        Phase::RollingBack(_) => "RollingBack".to_owned(),
        Phase::RollbackVerifying(_) => "RollbackVerifying".to_owned(),
        Phase::RollbackInDoubt(doubt) => format!("RollbackInDoubt{}", cleared(doubt)),
        Phase::RollbackWaiting(need) => format!("RollbackWaiting({need:?})"),
        Phase::RolledBack => "RolledBack".to_owned(),
        Phase::RollbackFailed => "RollbackFailed".to_owned(),
    }
}

/// The run in which the events are tried.
#[derive(Debug, Clone, Copy)]
enum Stage {
    Forward,
    Undoing,
    Undone,
    Cancelled,
}

/// A run at that stage whose only instance is in this phase; none where the two do not go together.
fn at(stage: Stage, phase: &Phase) -> RunState {
    let mut state = Run::of([step("z"), step("a").needs(&["z"]).blind()]).state;
    let before = state.find(&Run::id("z")).unwrap();
    state.set_phase(before, Phase::Succeeded);
    let ix = state.find(&Run::id("a")).unwrap();
    let instance = state.instance_mut(ix);
    instance.started = Some(Timestamp::UNIX_EPOCH);
    instance.attempts = AttemptNo(0);
    instance.changed = !matches!(
        phase,
        Phase::Satisfied | Phase::RolledBack | Phase::Pending | Phase::FannedOut
    );
    state.set_phase(ix, phase.clone());
    let plan = vec![ix];
    let rollback = |done| Rollback {
        scope: RollbackScope::Run,
        why: String::new(),
        plan: plan.clone(),
        done,
        left: vec![],
    };
    match stage {
        Stage::Forward => {}
        Stage::Undoing => state.rollback = Some(rollback(0)),
        Stage::Undone => state.rollback = Some(rollback(1)),
        Stage::Cancelled => state.cancelled = Some(String::new()),
    }
    state
}

fn table(stage: Stage) -> String {
    let mut table = String::new();
    for (told, event) in events() {
        let mut legal = Vec::new();
        for phase in phases() {
            let mut state = at(stage, &phase);
            let ix = state.find(&Run::id("a")).unwrap();
            let turn = (Operator::new("ada"), Host::new("here"));
            let (seq, time, event) = (state.next_seq(), Timestamp::UNIX_EPOCH, event.clone());
            let entry = Entry {
                seq,
                time,
                operator: turn.0,
                host: turn.1,
                event,
            };
            if state.apply(&entry).is_ok() {
                let (from, to) = (name(&phase), name(&state.instance(ix).phase));
                legal.push(if from == to {
                    from
                } else {
                    format!("{from} -> {to}")
                });
            }
        }
        let all = legal.len() == phases().len() && legal.iter().all(|line| !line.contains("->"));
        let lines = if all { vec!["any phase".to_owned()] } else { legal };
        let lines = if lines.is_empty() {
            vec!["never".to_owned()]
        } else {
            lines
        };
        writeln!(table, "{told}\n    {}", lines.join("\n    ")).unwrap();
    }
    table
}

#[test]
fn while_the_run_goes_forward() {
    insta::assert_snapshot!(table(Stage::Forward));
}

#[test]
fn while_it_is_undone() {
    insta::assert_snapshot!(table(Stage::Undoing));
}

#[test]
fn when_it_was_undone() {
    insta::assert_snapshot!(table(Stage::Undone));
}

#[test]
fn when_it_was_cancelled() {
    insta::assert_snapshot!(table(Stage::Cancelled));
}

#[test]
fn every_kind_of_event_is_tried() {
    let kinds: std::collections::BTreeSet<_> = events().into_iter().map(|(_, event)| event.name()).collect();
    assert_eq!(kinds.len(), 37);
}
