//! What a person's act means, or why it is not possible now.

use super::Turn;
use super::event::{Approving, Event, Handing, Need, RollbackScope, Ruling};
use super::input::{Act, Rejection};
use super::instance::{Doubt, Phase};
use super::rollback;
use super::state::RunState;
use super::status::RunStatus;
use super::table::InstanceIx;
use crate::id::InstanceId;

/// The event that records the act.
pub(super) fn acted(state: &RunState, act: &Act, turn: &Turn) -> Result<Event, Rejection> {
    let (operator, now) = (&turn.operator, turn.now);
    match act {
        Act::Tick {
            instance,
            number,
            item,
        } => {
            tickable(state, instance)?;
            let (instance, number, item) = (instance.clone(), *number, item.clone());
            Ok(Event::Ticked {
                instance,
                number,
                item,
            })
        }
        Act::Confirm {
            instance,
            values,
            attachments,
            note,
        } => {
            confirmable(state, instance)?;
            proven(state, instance, !attachments.is_empty())?;
            Ok(Event::Confirmed {
                instance: instance.clone(),
                values: values.clone(),
                attachments: attachments.clone(),
                note: note.clone(),
            })
        }
        Act::Decide {
            instance,
            ruling,
            why,
        } => {
            decidable(state, instance, *ruling)?;
            let (instance, ruling, why) = (instance.clone(), *ruling, why.clone());
            Ok(Event::Decided {
                instance,
                ruling,
                why,
            })
        }
        Act::Approve {
            instance,
            subject,
            note,
        } => {
            let ix = named(state, instance)?;
            goes_forward(state, "approved")?;
            state.approved_by(ix, subject, note.as_ref(), operator)
        }
        Act::Reject { instance, why } => {
            let ix = rejectable(state, instance)?;
            let (instance, why) = (instance.clone(), why.clone());
            Ok(Event::Approving(if state.is_approver(ix, operator) {
                Approving::Withdrawn { instance, why }
            } else {
                Approving::Rejected { instance, why }
            }))
        }
        Act::SendBack { instance, to, why } => Ok(Event::SentBack(state.sent_back(instance, to, why)?)),
        Act::Hand(handing) => {
            worth_giving(state, handing)?;
            state.can_be_handed(handing, operator)?;
            Ok(Event::Handed(handing.clone()))
        }
        Act::Amend(amended) => {
            state.can_be_amended(amended, operator, now)?;
            Ok(Event::Amended(amended.clone()))
        }
        Act::Cancel { why } => {
            cancellable(state)?;
            Ok(Event::CancelRequested { why: why.clone() })
        }
        Act::Rollback { scope, why } => {
            undoable(state, scope)?;
            let (plan, left) = rollback::plan(state, scope);
            let (scope, why) = (scope.clone(), why.clone());
            Ok(Event::RollbackStarted {
                scope,
                plan,
                left,
                why,
            })
        }
    }
}

/// Only what is done by hand has a checklist, and not what is undone.
fn tickable(state: &RunState, instance: &InstanceId) -> Result<(), Rejection> {
    confirmable(state, instance)?;
    match &state.instance(named(state, instance)?).phase {
        phase @ Phase::RollbackWaiting(_) => Err(not_now(
            instance,
            phase,
            "ticked off",
            "`runbook confirm` records that it is undone",
        )),
        _ => Ok(()),
    }
}

fn confirmable(state: &RunState, instance: &InstanceId) -> Result<(), Rejection> {
    let ix = named(state, instance)?;
    match &state.instance(ix).phase {
        Phase::Waiting(Need::ManualWork) => {
            goes_forward(state, "confirmed")?;
            match state.rollback() {
                None => Ok(()),
                Some(_) => Err(Rejection::RunNotNow {
                    is: "is rolled back",
                    act: "confirmed",
                    instead: "`runbook decide RUN STEP again` reopens it",
                }),
            }
        }
        Phase::RollbackWaiting(Need::ManualWork) => Ok(()),
        other => Err(not_now(
            instance,
            other,
            "confirmed",
            "only manual work that the run waits for is confirmed",
        )),
    }
}

/// Work that is done by hand, and that must be proven, is done when its evidence is there.
pub(super) fn proven(state: &RunState, instance: &InstanceId, evidence: bool) -> Result<(), Rejection> {
    let ix = named(state, instance)?;
    let undoing = matches!(state.instance(ix).phase, Phase::RollbackWaiting(_));
    if evidence || undoing || !state.policy(ix).abilities.needs_evidence {
        Ok(())
    } else {
        Err(Rejection::Unproven(instance.clone()))
    }
}

fn rejectable(state: &RunState, instance: &InstanceId) -> Result<InstanceIx, Rejection> {
    let ix = named(state, instance)?;
    goes_forward(state, "rejected")?;
    match &state.instance(ix).phase {
        Phase::Waiting(Need::Approval) => Ok(ix),
        _ if state.has_approval_ahead(ix) => Ok(ix),
        other => Err(not_now(
            instance,
            other,
            "rejected",
            "only what the run asks approval for is rejected, and an approval is taken back before its step begins",
        )),
    }
}

fn decidable(state: &RunState, instance: &InstanceId, ruling: Ruling) -> Result<(), Rejection> {
    let ix = named(state, instance)?;
    let phase = &state.instance(ix).phase;
    let no = |instead| Err(not_now(instance, phase, "decided so", instead));
    match (phase, ruling) {
        (Phase::Waiting(Need::ManualWork) | Phase::RollbackWaiting(Need::ManualWork), Ruling::Done) => {
            no("`runbook confirm` records manual work that is done")
        }
        (Phase::Waiting(Need::ManualWork) | Phase::RollbackWaiting(Need::ManualWork), Ruling::Again) => {
            no("it waits for manual work already")
        }
        (Phase::Failed, Ruling::Done) if state.policy(ix).abilities.needs_evidence => {
            Err(Rejection::Unproven(instance.clone()))
        }
        (Phase::Waiting(Need::Approval), _) => {
            no("`runbook approve RUN STEP` or `runbook reject RUN STEP --why TEXT` settles it")
        }
        (Phase::Failed | Phase::RollbackFailed, Ruling::Fail) => {
            no("it has failed already; `again`, `done` and `skip` are possible")
        }
        (
            Phase::InDoubt(Doubt { cleared: false, .. })
            | Phase::RollbackInDoubt(Doubt { cleared: false, .. }),
            _,
        ) => Err(not_now(
            instance,
            phase,
            "decided yet",
            "try again in a moment: whoever carries the run out is seeing to it that no process of it is left",
        )),
        (Phase::InDoubt(_) | Phase::Waiting(Need::Decision), Ruling::Done | Ruling::Fail | Ruling::Skip)
            if state.cancelled().is_some() && state.rollback().is_none() =>
        {
            Ok(())
        }
        (Phase::RollbackFailed, Ruling::Again | Ruling::Skip) if !state.is_current(ix) => {
            no("`runbook rollback` tries again to undo it")
        }
        (
            Phase::RollbackInDoubt(_)
            | Phase::RollbackWaiting(_)
            | Phase::RollbackRetrying { .. }
            | Phase::RollbackFailed,
            _,
        ) => Ok(()),
        (Phase::InDoubt(_) | Phase::Waiting(_) | Phase::Failed | Phase::Retrying { .. }, _)
        | (Phase::RolledBack, Ruling::Again) => goes_forward(state, "decided so"),
        _ => no("only what is in doubt, waits, or failed is decided; `rollback --step` undoes what is done"),
    }
}

/// A run that is stopped for good, or being undone, does not go forward by anybody's word.
pub(super) fn goes_forward(state: &RunState, act: &'static str) -> Result<(), Rejection> {
    let no = |is, instead| Err(Rejection::RunNotNow { is, act, instead });
    if state.is_rolling_back() {
        no(
            "is being rolled back",
            "`runbook resume RUN` goes on with the rollback",
        )
    } else if state.cancelled().is_some() {
        no("is cancelled", "`runbook rollback RUN` undoes what it did")
    } else {
        Ok(())
    }
}

/// A run that is over is nobody's to go on with. One that was given away before stays so.
fn worth_giving(state: &RunState, handing: &Handing) -> Result<(), Rejection> {
    match (handing, state.status()) {
        (Handing::Offered { .. }, RunStatus::Completed | RunStatus::RolledBack) => {
            Err(Rejection::RunNotNow {
                is: "is finished",
                act: "given away",
                instead: "there is nothing to go on with: `runbook report RUN` tells what was done; should somebody else \
                      have to undo it, they take it over with `accept --take-over`",
            })
        }
        _ => Ok(()),
    }
}

fn cancellable(state: &RunState) -> Result<(), Rejection> {
    let act = "cancelled";
    let no = |is, instead| Err(Rejection::RunNotNow { is, act, instead });
    if state.cancelled().is_some() {
        no(
            "is cancelled already",
            "`runbook rollback RUN` undoes what it did",
        )
    } else if state.rollback().is_some() {
        no(
            "is rolled back, or being rolled back",
            "`runbook resume RUN` goes on with the rollback",
        )
    } else if state.is_complete() {
        no("is completed", "`runbook rollback RUN` undoes it")
    } else {
        Ok(())
    }
}

fn undoable(state: &RunState, scope: &RollbackScope) -> Result<(), Rejection> {
    has_way_back(state, scope)?;
    if state.queues().active.is_empty() {
        Ok(())
    } else {
        Err(Rejection::RunNotNow {
            is: "is being carried out",
            act: "rolled back",
            instead: "stop it first, then roll it back",
        })
    }
}

/// Whether a rollback of this scope may begin once nothing is under way.
pub(super) fn has_way_back(state: &RunState, scope: &RollbackScope) -> Result<(), Rejection> {
    if state.is_rolling_back() {
        return Err(Rejection::RunNotNow {
            is: "is being rolled back already",
            act: "rolled back",
            instead: "`runbook resume RUN` goes on with that",
        });
    }
    match scope {
        RollbackScope::Run => Ok(()),
        RollbackScope::Steps(steps) => match steps.iter().find(|step| state.step_of(step).is_none()) {
            None => Ok(()),
            Some(unknown) => Err(Rejection::NoSuchInstance(unknown.clone().into())),
        },
    }
}

pub(super) fn named(state: &RunState, id: &InstanceId) -> Result<InstanceIx, Rejection> {
    match state.find(id) {
        None => Err(Rejection::NoSuchInstance(id.clone())),
        Some(ix) if state.instance(ix).phase == Phase::FannedOut => {
            Err(Rejection::NameAnItem(id.step().clone()))
        }
        Some(ix) => Ok(ix),
    }
}

pub(super) fn not_now(
    instance: &InstanceId,
    phase: &Phase,
    act: &'static str,
    instead: &'static str,
) -> Rejection {
    let is = format!("is {}", phase.status().as_str().replace('_', " "));
    Rejection::NotNow {
        instance: instance.clone(),
        is,
        act,
        instead,
    }
}
