//! Sending a run back: from what waits for a person to something earlier that was not done right.
//!
//! That one is done again, as if somebody had decided so. What stands on it was done with what it gave then, and is
//! looked at again once that is there anew: `validate` says whether it holds, and where it cannot tell, nothing is
//! repeated unless it may be, or a person says so. Nothing is undone.

use std::sync::Arc;

use jiff::Timestamp;

use super::apply::Misfit;
use super::event::{Entry, Need, SentBack};
use super::input::Rejection;
use super::instance::{Instance, Phase, Sending};
use super::permission::Forbidden;
use super::person::{goes_forward, named, not_now};
use super::state::RunState;
use super::table::InstanceIx;
use crate::id::{InstanceId, Operator};

/// What becomes of an instance when something that it stands on is done again.
enum Fate {
    /// Nothing: it was not begun, or a person has settled it for good.
    Stays,
    /// Its step's `when` or `for_each` is evaluated again.
    OpenedAgain,
    /// It is looked at again.
    LookedAtAgain,
    /// It must come to an end first.
    InTheWay(&'static str),
}

impl RunState {
    /// The event by which somebody sends the run back.
    pub(super) fn sent_back(
        &self,
        id: &InstanceId,
        to: &InstanceId,
        why: &str,
    ) -> Result<SentBack, Rejection> {
        let (ix, earlier) = (named(self, id)?, named(self, to)?);
        self.can_be_sent_back(ix, earlier)?;
        let below = self.workflow().dag().descendants([self.instance(earlier).step]);
        let order = self.workflow().dag().order().iter();
        let steps = order.filter(|step| below.contains(step));
        let mut again = Vec::new();
        for &ix in steps.flat_map(|&step| self.instances_of(step)) {
            let instance = self.instance(ix);
            match self.fate(ix) {
                Fate::Stays => {}
                Fate::OpenedAgain | Fate::LookedAtAgain => again.push(instance.id.clone()),
                Fate::InTheWay(instead) => {
                    let act = "looked at again yet, as what stands on what the run is sent back to must be";
                    return Err(not_now(&instance.id, &instance.phase, act, instead));
                }
            }
        }
        Ok(SentBack {
            instance: id.clone(),
            to: to.clone(),
            again,
            why: why.to_owned(),
        })
    }

    fn can_be_sent_back(&self, ix: InstanceIx, to: InstanceIx) -> Result<(), Rejection> {
        let act = "sent back";
        goes_forward(self, act)?;
        if self.rollback().is_some() {
            let (is, instead) = (
                "is rolled back",
                "`runbook decide RUN STEP again` reopens what is to be done again",
            );
            return Err(Rejection::RunNotNow { is, act, instead });
        }
        let (from, earlier) = (self.instance(ix), self.instance(to));
        if !matches!(from.phase, Phase::Waiting(Need::ManualWork | Need::Approval)) {
            let instead = "a run is sent back from manual work or an approval that it waits for; what failed or is in \
                           doubt is settled with `runbook decide`";
            return Err(not_now(&from.id, &from.phase, act, instead));
        }
        if !self
            .workflow()
            .dag()
            .ancestors(from.step)
            .any(|step| step == earlier.step)
        {
            let (instance, to) = (from.id.clone(), earlier.id.clone());
            return Err(Rejection::NotEarlier { instance, to });
        }
        match earlier.phase {
            Phase::Satisfied | Phase::Succeeded => Ok(()),
            ref other => Err(not_now(
                &earlier.id,
                other,
                "done again",
                "only what is done is sent back to; `runbook show RUN` tells what that is",
            )),
        }
    }

    fn fate(&self, ix: InstanceIx) -> Fate {
        let (instance, policy) = (self.instance(ix), self.policy(ix));
        // A person has settled the step as a whole, though it goes through a list.
        let is_settled_whole = policy.fans_out && instance.item.is_none();
        match &instance.phase {
            _ if instance.is_not_opened() => match instance.phase {
                Phase::Skipped(_) | Phase::Failed => Fate::OpenedAgain,
                _ => Fate::Stays,
            },
            Phase::Ready
            | Phase::Retrying { .. }
            | Phase::Observed
            | Phase::Waiting(Need::ManualWork | Need::Approval)
            | Phase::Satisfied
            | Phase::Succeeded
            | Phase::Failed => match policy.is_plain() {
                true => Fate::LookedAtAgain,
                false if is_settled_whole => Fate::Stays,
                false => Fate::OpenedAgain,
            },
            Phase::Observing { .. } | Phase::Running(_) | Phase::Verifying(_) => {
                Fate::InTheWay("wait until it has ended, and send the run back then")
            }
            Phase::InDoubt(_) | Phase::Waiting(Need::Decision) => {
                Fate::InTheWay("`runbook decide RUN STEP (done|again|fail|skip) --why TEXT` settles it first")
            }
            Phase::Pending
            | Phase::FannedOut
            | Phase::Skipped(_)
            | Phase::RolledBack
            | Phase::RollbackFailed
            | Phase::RollbackReady
            | Phase::RollbackRetrying { .. }
            | Phase::RollingBack(_)
            | Phase::RollbackVerifying(_)
            | Phase::RollbackInDoubt(_)
            | Phase::RollbackWaiting(_) => Fate::Stays,
        }
    }

    /// Whether somebody may send the run back from an instance: who may do what it waits for.
    ///
    /// # Errors
    /// Why not, and who may.
    pub(super) fn may_send_back(
        &self,
        id: &InstanceId,
        operator: &Operator,
        time: Timestamp,
    ) -> Result<(), Forbidden> {
        let phase = self.find(id).map(|ix| &self.instance(ix).phase);
        match phase {
            Some(Phase::Waiting(Need::Approval)) => self.may_judge(id, operator, time),
            _ => self.may_act_on(id, operator, time),
        }
    }

    /// Takes in that the run was sent back.
    pub(super) fn send_back(&mut self, sent: &SentBack, entry: &Entry) -> Result<(), Misfit> {
        let (by, at) = (&entry.operator, entry.time);
        let (from, to) = (self.known(&sent.instance)?, self.known(&sent.to)?);
        self.may_send_back(&sent.instance, by, at)
            .map_err(|forbidden| Misfit(forbidden.to_string()))?;
        self.can_be_sent_back(from, to)
            .map_err(|rejection| Misfit(rejection.to_string()))?;
        let sending = Arc::new(Sending {
            from: sent.instance.clone(),
            to: sent.to.clone(),
            by: by.clone(),
            at,
            why: sent.why.clone(),
        });
        // Whoever may not carry it out cannot have it repeated where nobody can tell what is there.
        let is_ordered = self.may_act_on(&sent.to, by, at).is_ok();
        self.visit_again(to, &sending, !is_ordered, Phase::Ready);
        let below = self.workflow().dag().descendants([self.instance(to).step]);
        for id in &sent.again {
            let ix = self.known(id)?;
            let instance = self.instance(ix);
            let next = match self.fate(ix) {
                Fate::OpenedAgain if below.contains(&instance.step) => Phase::Pending,
                Fate::LookedAtAgain if below.contains(&instance.step) => Phase::Ready,
                _ => return Err(self.misfit(ix, &instance.phase)),
            };
            let was_done = match instance.phase {
                Phase::Succeeded => true,
                Phase::Failed | Phase::Skipped(_) => instance.changed,
                _ => instance.done_before,
            };
            self.visit_again(ix, &sending, was_done, next);
        }
        Ok(())
    }

    fn visit_again(&mut self, ix: InstanceIx, sending: &Arc<Sending>, was_done: bool, next: Phase) {
        let instance = self.instance_mut(ix);
        instance.all_tries_free();
        instance.sent_back = Some(Arc::clone(sending));
        instance.done_before = was_done;
        instance.reopens = next == Phase::Pending;
        instance.approval = None;
        instance.ticks.clear();
        instance.ended = None;
        instance.since = None;
        self.set_phase(ix, next);
    }

    /// Whether an instance was done before and may not be done again as long as nobody can tell whether it still is.
    pub(super) fn is_not_repeated_unsure(&self, ix: InstanceIx) -> bool {
        self.instance(ix).done_before && !self.policy(ix).may_be_repeated()
    }

    /// Whether a person must say that an instance may be attempted: that is so, and nothing can tell.
    pub(super) fn needs_word(&self, ix: InstanceIx) -> bool {
        let abilities = self.policy(ix).abilities;
        self.is_not_repeated_unsure(ix) && !abilities.validates && !abilities.by_person
    }
}

impl Instance {
    /// Why it is done or looked at again, for people.
    #[must_use]
    pub fn sent_words(&self) -> Option<String> {
        let Sending { to, by, why, .. } = self.sent_back.as_deref()?;
        let what = if *to == self.id {
            "sent back".to_owned()
        } else {
            format!("`{to}` was sent back")
        };
        Some(format!("{what} by {by}: {why}"))
    }

    /// What it gives to those after it: nothing where its step was opened before and is not any more.
    #[must_use]
    pub fn gives(&self) -> Arc<serde_json::Value> {
        if self.is_left_out() {
            Arc::new(serde_json::Value::Null)
        } else {
            Arc::clone(&self.outputs)
        }
    }

    /// After what it was sent back to it is not known whether what it did before still holds, if that is so.
    #[must_use]
    pub fn done_before(&self) -> Option<&Sending> {
        self.sent_back.as_deref().filter(|_| self.done_before)
    }

    /// Whether it was part of its step until that was opened again.
    pub(super) fn is_left_out(&self) -> bool {
        self.reopens && matches!(self.phase, Phase::Skipped(_))
    }
}
