//! The laws that are checked at every entry.

use std::collections::BTreeMap;

use super::history::Tale;
use super::{Broken, hold, instances};
use crate::core::event::{Need, RollbackScope};
use crate::core::{Entry, Event, Instance, InstanceStatus, OnFailure, Party, Phase, RunState, RunStatus};
use crate::id::{InstanceId, Operator};
use crate::runbook::graph::StepIx;

/// One entry between two states.
pub(super) struct Moment<'a> {
    pub(super) before: &'a RunState,
    pub(super) entry: &'a Entry,
    pub(super) after: &'a RunState,
    pub(super) jobs: u32,
    pub(super) tales: &'a BTreeMap<InstanceId, Tale>,
}

pub(super) type Law = fn(&Moment<'_>) -> Result<(), Broken>;

/// The laws that every entry keeps.
pub(super) const LAWS: &[(&str, Law)] = &[
    ("nothing doubtful is tried again", nothing_doubtful_is_tried_again),
    ("four eyes come first", four_eyes_come_first),
    ("locks are exclusive", locks_are_exclusive),
    ("no more starts than jobs allow", no_more_starts_than_jobs_allow),
    ("needs come first", needs_come_first),
    (
        "nothing starts in a run that has stopped",
        nothing_starts_in_a_run_that_has_stopped,
    ),
    ("only what changed is undone", only_what_changed_is_undone),
    ("undoing goes backwards", undoing_goes_backwards),
    ("nothing is undone twice at once", nothing_is_undone_twice_at_once),
    ("before is what was seen first", before_is_what_was_seen_first),
    (
        "blocked means that something before it failed",
        blocked_means_something_failed,
    ),
    ("the status tells the truth", the_status_tells_the_truth),
    ("an amendment keeps what is done", an_amendment_keeps_what_is_done),
    (
        "what stands on what is done again is looked at again",
        what_stands_on_what_is_done_again_is_looked_at_again,
    ),
];

impl Moment<'_> {
    /// The step that this entry begins to carry out, if it does: its opening, or anything that starts.
    fn forward_start(&self) -> Option<StepIx> {
        let step = |id: &str| self.before.workflow().find(id);
        let of = |id: &InstanceId| self.before.find(id).map(|ix| self.before.instance(ix));
        match &self.entry.event {
            Event::StepOpened { step: id, .. }
            | Event::StepSkipped { step: id, .. }
            | Event::StepUnclear { step: id, .. } => step(id.as_str()),
            Event::ObservationStarted { instance } => of(instance)
                .filter(|found| matches!(found.phase, Phase::Ready | Phase::Retrying { .. }))
                .map(|found| found.step),
            Event::AttemptStarted { instance, .. } => of(instance).map(|found| found.step),
            // The same event asks a person to undo.
            Event::PersonNeeded { instance, .. } => {
                let asked = self.after.find(instance).map(|ix| self.after.instance(ix));
                let forward = |found: &&Instance| found.phase == Phase::Waiting(Need::ManualWork);
                asked.filter(forward).map(|found| found.step)
            }
            _ => None,
        }
    }

    fn tale(&self, instance: &InstanceId) -> Tale {
        self.tales.get(instance).cloned().unwrap_or_default()
    }
}

fn nothing_doubtful_is_tried_again(moment: &Moment<'_>) -> Result<(), Broken> {
    match &moment.entry.event {
        Event::AttemptStarted { instance, .. } => hold(!moment.tale(instance).doubtful, || {
            format!("`{instance}` may have taken effect")
        }),
        Event::RollbackAttemptStarted { instance, .. } => {
            let ix = moment.before.find(instance);
            let again = ix.is_some_and(|ix| moment.before.instance(ix).phase == Phase::RollbackReady);
            hold(!(again && moment.tale(instance).doubtful), || {
                format!("`{instance}` may be undone")
            })
        }
        _ => Ok(()),
    }
}

fn four_eyes_come_first(moment: &Moment<'_>) -> Result<(), Broken> {
    let Event::AttemptStarted { instance, .. } = &moment.entry.event else {
        return Ok(());
    };
    let rule = moment.before.find(instance).map(|ix| moment.before.policy(ix));
    let Some(rule) = rule.and_then(|policy| policy.approve.as_ref()) else {
        return Ok(());
    };
    let barred = |who: &Operator| {
        let starter = rule.not.contains(&Party::Starter) && who == moment.before.starter();
        starter || (rule.not.contains(&Party::Executor) && *who == moment.entry.operator)
    };
    let approvers = moment.tale(instance).approvers;
    let count = approvers.iter().filter(|who| !barred(who)).count();
    hold(count >= rule.min as usize, || {
        format!("`{instance}` was approved by {approvers:?} only")
    })
}

fn locks_are_exclusive(moment: &Moment<'_>) -> Result<(), Broken> {
    let mut held = BTreeMap::new();
    for (ix, instance) in instances(moment.after) {
        let undoing = moment.after.rollback().is_some();
        let holds = matches!(
            instance.phase,
            Phase::Observing { .. } | Phase::Running(_) | Phase::Verifying(_) | Phase::InDoubt(_)
        );
        for lock in moment.after.policy(ix).locks.iter().filter(|_| holds && !undoing) {
            if let Some(other) = held.insert(lock, &instance.id) {
                return Err(format!("`{}` and `{other}` hold `{lock}`", instance.id));
            }
        }
    }
    Ok(())
}

fn no_more_starts_than_jobs_allow(moment: &Moment<'_>) -> Result<(), Broken> {
    let starts = matches!(
        moment.entry.event,
        Event::ObservationStarted { .. }
            | Event::AttemptStarted { .. }
            | Event::RollbackAttemptStarted { .. }
    );
    let active = moment.after.active().len();
    hold(!starts || active <= moment.jobs as usize, || {
        format!("{active} at once with {}", moment.jobs)
    })
}

fn needs_come_first(moment: &Moment<'_>) -> Result<(), Broken> {
    let Some(step) = moment.forward_start() else {
        return Ok(());
    };
    for need in moment.before.workflow().dag().needs(step) {
        for &ix in moment.before.instances_of(need) {
            let instance = moment.before.instance(ix);
            let settled = matches!(
                instance.phase,
                Phase::Satisfied | Phase::Succeeded | Phase::Skipped(_)
            );
            hold(settled, || format!("`{}` is {:?}", instance.id, instance.phase))?;
        }
    }
    Ok(())
}

fn nothing_starts_in_a_run_that_has_stopped(moment: &Moment<'_>) -> Result<(), Broken> {
    if moment.forward_start().is_none() {
        return Ok(());
    }
    hold(moment.before.cancelled().is_none(), || {
        "it is cancelled".to_owned()
    })?;
    hold(moment.before.rollback().is_none(), || {
        "it is rolled back".to_owned()
    })?;
    for (ix, instance) in instances(moment.before) {
        let halts = moment.before.policy(ix).on_failure != OnFailure::Continue;
        hold(!(halts && instance.phase == Phase::Failed), || {
            format!("`{}` failed", instance.id)
        })?;
    }
    Ok(())
}

fn only_what_changed_is_undone(moment: &Moment<'_>) -> Result<(), Broken> {
    match &moment.entry.event {
        Event::RollbackStarted {
            scope, plan, left, ..
        } => {
            let chosen = |step: StepIx| match scope {
                RollbackScope::Run => true,
                RollbackScope::Steps(steps) => steps.iter().any(|id| {
                    let named = moment.before.workflow().find(id.as_str());
                    named == Some(step) || named.is_some_and(|named| is_before(moment.before, named, step))
                }),
            };
            for (ix, instance) in instances(moment.before) {
                let abilities = moment.before.policy(ix).abilities;
                let due = chosen(instance.step) && moment.tale(&instance.id).touched && !abilities.read_only;
                let (undo, stay) = (due && abilities.undoes, due && !abilities.undoes);
                hold(undo == plan.contains(&instance.id), || {
                    format!("the plan is wrong on `{}`", instance.id)
                })?;
                hold(stay == left.contains(&instance.id), || {
                    format!("`{}` stays, or not", instance.id)
                })?;
            }
            Ok(())
        }
        Event::RollbackAttemptStarted { instance, .. } => {
            let phase = moment
                .before
                .find(instance)
                .map(|ix| &moment.before.instance(ix).phase);
            hold(phase != Some(&Phase::Satisfied), || {
                "it was there before the run".to_owned()
            })?;
            hold(moment.tale(instance).touched, || "it changed nothing".to_owned())
        }
        _ => Ok(()),
    }
}

fn is_before(state: &RunState, first: StepIx, then: StepIx) -> bool {
    state.workflow().dag().ancestors(then).any(|step| step == first)
}

fn undoing_goes_backwards(moment: &Moment<'_>) -> Result<(), Broken> {
    let Event::RollbackAttemptStarted { instance, .. } = &moment.entry.event else {
        return Ok(());
    };
    let Some(step) = moment.before.workflow().find(instance.step().as_str()) else {
        return Ok(());
    };
    for later in moment
        .before
        .still_to_undo()
        .iter()
        .filter(|later| *later != instance)
    {
        let Some(at) = moment.before.workflow().find(later.step().as_str()) else {
            continue;
        };
        hold(!is_before(moment.before, step, at), || {
            format!("`{later}` needs it and is not undone")
        })?;
    }
    Ok(())
}

fn nothing_is_undone_twice_at_once(moment: &Moment<'_>) -> Result<(), Broken> {
    let undoing = moment.after.rollback().is_some();
    hold(!undoing || moment.after.active().len() <= 1, || {
        "several are undone at once".to_owned()
    })
}

fn before_is_what_was_seen_first(moment: &Moment<'_>) -> Result<(), Broken> {
    for (id, tale) in moment.tales.iter().filter(|(_, tale)| tale.touched) {
        let Some(ix) = moment.before.find(id) else {
            continue;
        };
        let instance = moment.before.instance(ix);
        hold(instance.before == tale.before, || {
            format!("`{id}` has {:?}, seen was {:?}", instance.before, tale.before)
        })?;
    }
    Ok(())
}

fn blocked_means_something_failed(moment: &Moment<'_>) -> Result<(), Broken> {
    for row in moment.after.rows() {
        let Some(ix) = moment.after.find(&row.id) else {
            continue;
        };
        let dag = moment.after.workflow().dag();
        let in_the_way = dag
            .ancestors(moment.after.instance(ix).step)
            .flat_map(|step| moment.after.instances_of(step))
            .any(|&ix| {
                let phase = &moment.after.instance(ix).phase;
                matches!(phase, Phase::Failed | Phase::RolledBack | Phase::RollbackFailed)
            });
        match row.status {
            InstanceStatus::Blocked => hold(in_the_way, || format!("`{}` is blocked by nothing", row.id))?,
            InstanceStatus::Pending => hold(!in_the_way, || format!("`{}` is not blocked", row.id))?,
            _ => {}
        }
    }
    Ok(())
}

fn the_status_tells_the_truth(moment: &Moment<'_>) -> Result<(), Broken> {
    let state = moment.after;
    let all_settled = instances(state).all(|(_, found)| {
        matches!(
            found.phase,
            Phase::Satisfied | Phase::Succeeded | Phase::Skipped(_)
        )
    });
    let forward = state.cancelled().is_none() && state.rollback().is_none();
    let status = state.status();
    let wrong = || format!("{status:?}");
    hold(
        (status == RunStatus::Completed) == (all_settled && forward),
        wrong,
    )?;
    hold(state.progress().0 <= state.progress().1, wrong)?;
    match status {
        RunStatus::Completed => hold(state.progress().0 == state.progress().1, wrong),
        RunStatus::Waiting => hold(!state.waiting_for().is_empty(), wrong),
        RunStatus::Failed => hold(state.has_failures(), wrong),
        RunStatus::Cancelled => hold(state.cancelled().is_some() && state.active().len() == 0, wrong),
        RunStatus::RollingBack | RunStatus::Stuck => hold(!state.still_to_undo().is_empty(), wrong),
        RunStatus::RolledBack => hold(state.still_to_undo().is_empty(), wrong),
        RunStatus::Running => Ok(()),
    }
}

fn what_stands_on_what_is_done_again_is_looked_at_again(moment: &Moment<'_>) -> Result<(), Broken> {
    let Event::SentBack(sent) = &moment.entry.event else {
        return Ok(());
    };
    let is_again = |id: &InstanceId| sent.to == *id || sent.again.contains(id);
    for (ix, after) in instances(moment.after) {
        let before = moment.before.instance(ix);
        let unchanged = before == after;
        hold(unchanged != is_again(&after.id), || {
            format!("`{}` is touched, or not", after.id)
        })?;
        let kept = (&before.before, &before.outputs, before.changed, before.attempts);
        hold(
            kept == (&after.before, &after.outputs, after.changed, after.attempts),
            || format!("`{}` lost what is known of it", after.id),
        )?;
        let to = moment
            .after
            .find(&sent.to)
            .map(|ix| moment.after.instance(ix).step);
        let below = to.is_some_and(|to| is_before(moment.after, to, after.step));
        let done = matches!(after.phase, Phase::Satisfied | Phase::Succeeded);
        let by_word = moment.after.policy(ix).fans_out && after.item.is_none();
        hold(!(below && done) || by_word, || {
            format!("`{}` is still done", after.id)
        })?;
    }
    Ok(())
}

fn an_amendment_keeps_what_is_done(moment: &Moment<'_>) -> Result<(), Broken> {
    if !matches!(moment.entry.event, Event::Amended(_)) {
        return Ok(());
    }
    for (_, before) in instances(moment.before) {
        let after = moment.after.find(&before.id).map(|ix| moment.after.instance(ix));
        let same = after.is_some_and(|after| {
            let parts = |one: &Instance| (one.before.clone(), one.outputs.clone(), one.attempts, one.changed);
            parts(before) == parts(after)
        });
        let touched = before.attempts.0 > 0 || before.changed || before.before.is_some();
        hold(same || !touched, || format!("`{}` is not what it was", before.id))?;
        if matches!(
            before.phase,
            Phase::Satisfied | Phase::Succeeded | Phase::Skipped(_)
        ) {
            hold(after.is_some_and(|after| after.phase == before.phase), || {
                format!("`{}` is not done any more", before.id)
            })?;
        }
    }
    Ok(())
}
