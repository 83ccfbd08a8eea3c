//! Changing the definition of a run that has begun: what may be different from there on, and what stays as it was.
//!
//! A step that was not begun may change in every way. One that was begun, and of which nothing is done, keeps what
//! made its instances; what they do may change. One that is done, or in doubt, keeps all that it means, since undoing
//! it goes by its definition. Four eyes are never taken away.

use std::sync::Arc;

use jiff::Timestamp;

use super::apply::{Misfit, effective};
use super::event::{Amended, Need, RevisionAct};
use super::input::Rejection;
use super::instance::{Instance, Phase};
use super::operators::OPERATORS_FILE;
use super::rollback::Rollback;
use super::state::RunState;
use super::table::InstanceIx;
use super::workflow::{StepPolicy, Workflow};
use crate::id::{Operator, StepId};
use crate::runbook::graph::StepIx;

/// The keys of a step that say nothing of what it does.
const WORDS: [&str; 5] = ["title", "source", "warning", "expect", "rehearse"];

/// The keys of a step that made its instances, or say what sort of work they are.
const MAKING: [&str; 4] = ["when", "for_each", "skip", "uses"];

/// That the definition of a run was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amendment {
    /// By whom.
    pub by: Operator,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub why: String,
}

/// How far a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    /// Nothing of it was begun: it was not opened.
    Untouched,
    /// It was opened, and nothing of it is done.
    Begun,
    /// Nobody knows how far it is.
    InDoubt,
    /// Some of it is done.
    Done,
}

impl Reach {
    fn of(instance: &Instance) -> Self {
        match &instance.phase {
            _ if instance.is_unopened() => Self::Untouched,
            Phase::Pending
            | Phase::FannedOut
            | Phase::Ready
            | Phase::Retrying { .. }
            | Phase::Observed
            | Phase::Waiting(Need::ManualWork | Need::Approval)
            | Phase::Failed
            | Phase::RolledBack => Self::Begun,
            Phase::Observing { .. }
            | Phase::Running(_)
            | Phase::Verifying(_)
            | Phase::InDoubt(_)
            | Phase::Waiting(Need::Decision)
            | Phase::RollingBack(_)
            | Phase::RollbackVerifying(_)
            | Phase::RollbackInDoubt(_)
            | Phase::RollbackWaiting(_) => Self::InDoubt,
            Phase::Satisfied
            | Phase::Succeeded
            | Phase::Skipped(_)
            | Phase::RollbackReady
            | Phase::RollbackRetrying { .. }
            | Phase::RollbackFailed => Self::Done,
        }
    }

    /// Why a change cannot be: how far the step is, and what to do instead.
    fn refuses(self, act: &RevisionAct) -> Option<Refusal> {
        let changes = |keeps: &dyn Fn(&str) -> bool| match act {
            RevisionAct::Added => None,
            RevisionAct::Removed => Some("it cannot be taken away".to_owned()),
            RevisionAct::Changed { fields } => {
                let kept = fields.iter().find(|field| keeps(field));
                kept.map(|field| format!("its `{field}` cannot change"))
            }
        };
        let means = |field: &str| !WORDS.contains(&field);
        let (what, is, instead) = match self {
            Self::Untouched => return None,
            Self::Begun => (
                changes(&|field| MAKING.contains(&field)),
                "was begun",
                "leave that as it was; `with`, `needs` and what else it does may change",
            ),
            Self::InDoubt => (
                changes(&means),
                "is in doubt",
                "`runbook decide RUN STEP (done|again|fail|skip) --why TEXT` settles it first",
            ),
            Self::Done => (
                changes(&means),
                "is done, in part at least",
                "add a step that does what is missing, or undo this one first: `runbook rollback RUN --step STEP`",
            ),
        };
        what.map(|what| Refusal { what, is, instead })
    }
}

struct Refusal {
    what: String,
    is: &'static str,
    instead: &'static str,
}

impl RunState {
    /// How its definition was changed, the first change first.
    #[must_use]
    pub fn amendments(&self) -> &[Amendment] {
        &self.amendments
    }

    /// Says what workflow the next amendment leads to: an entry tells of a definition, which the core cannot read.
    pub fn foresee(&mut self, workflow: &Arc<Workflow>) {
        let theirs = effective(workflow, &self.started).by(self.workflow.operators().cloned());
        self.foreseen = Some(Arc::new(theirs));
    }

    /// Forgets what was foreseen, where the amendment was refused.
    pub fn forget(&mut self) {
        self.foreseen = None;
    }

    fn reach(&self, step: StepIx) -> Reach {
        let instances = self.instances_of(step).iter().map(|&ix| self.instance(ix));
        instances.map(Reach::of).max().unwrap_or(Reach::Untouched)
    }

    /// Whether the run can be amended so by this operator now, which was foreseen.
    ///
    /// # Errors
    /// Why not.
    pub fn can_be_amended(
        &self,
        amended: &Amended,
        operator: &Operator,
        now: Timestamp,
    ) -> Result<(), Rejection> {
        self.can_be_amended_at_all(amended)?;
        let new = self.foreseen.as_ref().ok_or(Rejection::Unread)?;
        for (at, old) in self.workflow.steps() {
            let then = new.find(old.id.as_str()).map(|at| new.step(at));
            let revision = amended.of_step(old.id.as_str());
            let refuse = |Refusal { what, is, instead }| {
                let step = old.id.clone();
                Err(Rejection::NotAmendable {
                    step,
                    what,
                    is,
                    instead,
                })
            };
            let refusal = revision.and_then(|act| self.reach(at).refuses(act));
            if let Some(refusal) = refusal.or_else(|| loses_four_eyes(old, then)) {
                return refuse(refusal);
            }
            if revision.is_some() {
                self.has_the_roles(old, operator, now)?;
            }
            if !self.carries_on(at, then) {
                let what = "it cannot be another step from now on".to_owned();
                let (is, instead) = ("was begun", "leave it in the runbook as it was");
                return refuse(Refusal { what, is, instead });
            }
        }
        let concerned = new.steps().map(|(_, policy)| policy);
        let concerned = concerned.filter(|policy| amended.of_step(policy.id.as_str()).is_some());
        for policy in concerned {
            self.has_the_roles(policy, operator, now)?;
        }
        Ok(())
    }

    fn can_be_amended_at_all(&self, amended: &Amended) -> Result<(), Rejection> {
        let no = |is, instead| {
            let act = "amended";
            Err(Rejection::RunNotNow { is, act, instead })
        };
        if self.cancelled.is_some() {
            no(
                "is cancelled",
                "`runbook exec FILE --like RUN` starts another with the same parameters",
            )
        } else if self.is_rolling_back() {
            no(
                "is being rolled back",
                "`runbook resume RUN` goes on with the rollback",
            )
        } else if self.is_complete() {
            no(
                "is completed",
                "`runbook exec FILE --like RUN` starts another with the same parameters",
            )
        } else if amended.revisions.is_empty() {
            no(
                "has that definition already",
                "change the runbook's file first, then amend the run",
            )
        } else if !self.queues().active.is_empty() {
            no(
                "is being carried out",
                "wait until nothing is under way, or stop it (Ctrl-C) where it is carried out",
            )
        } else {
            Ok(())
        }
    }

    /// Whoever changes what somebody with a role does must have that role.
    fn has_the_roles(
        &self,
        policy: &StepPolicy,
        operator: &Operator,
        now: Timestamp,
    ) -> Result<(), Rejection> {
        Ok(self.may_carry_out(policy, &policy.id.clone().into(), operator, now)?)
    }

    /// Whether the instances of a step can go on under that policy.
    fn carries_on(&self, step: StepIx, then: Option<&StepPolicy>) -> bool {
        if self.reach(step) == Reach::Untouched {
            return true;
        }
        let mut instances = self.instances_of(step).iter().map(|&ix| self.instance(ix));
        let skipped = |one: &Instance| matches!(one.phase, Phase::Skipped(_));
        then.is_some_and(|then| instances.all(|one| skipped(one) || one.item.is_some() == then.fans_out))
    }

    /// Takes an amendment in.
    pub(super) fn amend(
        &mut self,
        amended: &Amended,
        operator: &Operator,
        now: Timestamp,
    ) -> Result<(), Misfit> {
        self.can_be_amended(amended, operator, now)
            .map_err(|rejection| Misfit(rejection.to_string()))?;
        self.look_again();
        let workflow = self.foreseen.take().unwrap_or_else(|| Arc::clone(&self.workflow));
        let started = Arc::make_mut(&mut self.started);
        started.file.clone_from(&amended.file);
        started.text.clone_from(&amended.text);
        started.overlaid.clone_from(&amended.overlaid);
        started.params.extend(amended.params.clone());
        // Who may take part was settled when the run started.
        let operators = self.files.remove_entry(OPERATORS_FILE);
        self.files.clone_from(&amended.files);
        self.files.remove(OPERATORS_FILE);
        self.files.extend(operators);
        let mut next = self.under(workflow);
        for step in self.opened_in_order() {
            next.take_over(self, step, amended);
        }
        next.amendments.push(Amendment {
            by: operator.clone(),
            at: now,
            why: amended.why.clone(),
        });
        let there = |ixs: &[InstanceIx]| {
            let same = ixs.iter().filter_map(|&ix| next.find(&self.instance(ix).id));
            same.collect()
        };
        let rollback = self.rollback.as_ref().map(|old| Rollback {
            plan: there(&old.plan),
            left: there(&old.left),
            ..old.clone()
        });
        next.rollback = rollback;
        *self = next;
        Ok(())
    }

    /// The steps of which there are instances, in the order in which these came to be.
    fn opened_in_order(&self) -> Vec<StepIx> {
        let opened = self.workflow.steps().map(|(at, _)| at).filter(|&at| {
            let mut instances = self.instances_of(at).iter();
            instances.any(|&ix| self.instance(ix).phase != Phase::Pending || self.instance(ix).reopens)
        });
        let mut opened: Vec<StepIx> = opened.collect();
        opened.sort_by_key(|&at| self.instances_of(at).first().copied());
        opened
    }

    /// Gives a step the instances that it had before an amendment.
    fn take_over(&mut self, old: &Self, step: StepIx, amended: &Amended) {
        let id: &StepId = &old.workflow.step(step).id;
        let Some(at) = self.step_of(id) else { return };
        let is_changed = amended.of_step(id.as_str()).is_some();
        let instances: Vec<Instance> = old
            .instances_of(step)
            .iter()
            .map(|&ix| old.instance(ix).clone())
            .collect();
        if is_changed && instances.iter().all(Instance::is_unopened) {
            // Its `when` or `for_each` went wrong: it is evaluated anew.
            return;
        }
        if instances.iter().any(|instance| instance.item.is_some()) {
            let items = instances
                .iter()
                .map(|one| Instance::new(one.id.clone(), at, one.item.clone()));
            self.fan_out(at, items.collect());
        }
        let places: Vec<InstanceIx> = self.instances_of(at).to_vec();
        for (ix, instance) in places.into_iter().zip(instances) {
            self.settle_in(ix, at, instance, is_changed);
        }
    }

    fn settle_in(&mut self, ix: InstanceIx, step: StepIx, instance: Instance, is_changed: bool) {
        let (here, phase) = (self.instance(ix).phase.clone(), instance.phase.clone());
        *self.instance_mut(ix) = Instance {
            step,
            phase: here,
            ..instance
        };
        let asked_before = matches!(phase, Phase::Retrying { .. } | Phase::Waiting(Need::ManualWork));
        let waits_too_soon = matches!(phase, Phase::Waiting(Need::ManualWork)) && !self.needs_settled(step);
        if (is_changed && asked_before) || waits_too_soon {
            // It begins anew, as it is now.
            let instance = self.instance_mut(ix);
            instance.all_tries_free();
            instance.ticks.clear();
            self.set_phase(ix, Phase::Ready);
        } else {
            self.set_phase(ix, phase);
        }
    }
}

/// Who approves is settled when a run starts: whoever amends it could let themselves off.
fn loses_four_eyes(old: &StepPolicy, new: Option<&StepPolicy>) -> Option<Refusal> {
    let rule = old.approve.as_ref()?;
    let is = "asks for approval";
    let instead =
        "leave the step and its `approve` as they are; what it does may change, and is approved anew";
    match new {
        None => Some("it cannot be taken away".to_owned()),
        Some(new) if new.approve.as_ref() != Some(rule) => Some("its `approve` cannot change".to_owned()),
        Some(_) => None,
    }
    .map(|what| Refusal { what, is, instead })
}
