//! Four eyes: what must be approved before it is carried out, by whom, and for how long that holds.
//!
//! An approval is for what exactly would be carried out, known by its hash. An instance that is about to be attempted is
//! described first, each time anew; only what was approved goes on, and anything else is asked for again.

mod ahead;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::Turn;
use super::advance::begin;
use super::apply::Misfit;
use super::event::{Approving, Entry, Event, Failure, FailureKind, Need, Proposal};
use super::input::Rejection;
use super::instance::Phase;
use super::lacking::Lacking;
use super::outcome::later;
use super::person::not_now;
use super::state::RunState;
use super::table::InstanceIx;
use crate::id::{InstanceId, Operator, RoleName};

/// Who must approve a step before it is carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalRule {
    /// What they must be; none lets everybody.
    pub by: Option<RoleName>,
    /// How many of them, at least one.
    pub min: u32,
    /// Whose approval does not count.
    pub not: BTreeSet<Party>,
    /// How long after it was asked for an approval holds, and the attempt may start.
    pub expires: Option<Duration>,
    /// What happens if not enough people approve until then.
    pub on_expiry: OnExpiry,
}

/// Somebody who has a part in the run already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Party {
    /// Who started the run.
    Starter,
    /// Who carries it out.
    Executor,
}

impl Party {
    /// Who that is, for people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Starter => "started the run",
            Self::Executor => "carries the run out",
        }
    }
}

/// What happens if not enough people approve in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnExpiry {
    /// It is asked for anew.
    #[default]
    Ask,
    /// The instance fails.
    Fail,
}

/// An approval that was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Approval {
    /// The hash of what is to be approved.
    pub subject: String,
    /// That itself.
    pub what: Arc<Value>,
    /// Since when it is asked for.
    pub asked: Timestamp,
    /// Who has approved.
    pub by: Vec<Operator>,
}

impl ApprovalRule {
    /// Until when an approval holds that was asked for then.
    #[must_use]
    pub fn until(&self, asked: Timestamp) -> Option<Timestamp> {
        later(asked, self.expires?)
    }

    fn is_late(&self, approval: &Approval, now: Timestamp) -> bool {
        self.until(approval.asked).is_some_and(|until| now >= until)
    }

    /// How many approvals count if this operator carries the step out.
    fn counted(&self, approval: &Approval, executor: &Operator) -> u32 {
        let barred = self.not.contains(&Party::Executor);
        let counted = approval.by.iter().filter(|who| !(barred && *who == executor));
        u32::try_from(counted.count()).unwrap_or(u32::MAX)
    }

    fn is_met(&self, approval: &Approval, executor: &Operator) -> bool {
        self.counted(approval, executor) >= self.min
    }
}

impl RunState {
    /// Who carries the run out: who started it or took it up last.
    #[must_use]
    pub fn executor(&self) -> &Operator {
        &self.executor
    }

    /// How many approvals of an instance that waits for some count, and how many it takes.
    #[must_use]
    pub fn approvals(&self, ix: InstanceIx) -> Option<(u32, u32)> {
        let (rule, approval) = (
            self.policy(ix).approve.as_ref()?,
            self.instance(ix).approval.as_ref()?,
        );
        Some((rule.counted(approval, &self.executor), rule.min))
    }

    /// Who must approve an instance that waits for that, for people.
    pub(super) fn approval_wanted(&self, ix: InstanceIx) -> Option<String> {
        let (rule, approval) = (
            self.policy(ix).approve.as_ref()?,
            self.instance(ix).approval.as_ref()?,
        );
        let role = rule.by.as_ref().map(|role| format!(" with the role `{role}`"));
        let role = role.unwrap_or_default();
        let who = match rule.min {
            1 => format!("somebody{role}"),
            min => format!("{min} people{role}"),
        };
        let barred = |name: &Operator| rule.not.contains(&Party::Executor) && *name == self.executor;
        let names = approval.by.iter().map(|name| match barred(name) {
            true => format!("{name} (which does not count, since {name} carries the run out)"),
            false => name.to_string(),
        });
        let names: Vec<String> = names.collect();
        Some(match names.as_slice() {
            [] => format!("{who} must approve it first"),
            [name] => format!("{who} must approve it first: {name} has"),
            names => format!("{who} must approve it first: {} have", names.join(", ")),
        })
    }

    /// Whether an attempt would start next, if it is approved.
    fn is_proposed(&self, ix: InstanceIx) -> bool {
        let in_turn = match &self.instance(ix).phase {
            Phase::Observed => true,
            Phase::Ready | Phase::Retrying { .. } => !self.policy(ix).looks_first(),
            _ => false,
        };
        in_turn && self.policy(ix).approve.is_some() && self.may_start(ix) && !self.needs_word(ix)
    }

    /// Whether that is so, and there is room for it.
    fn is_next(&self, ix: InstanceIx, lacking: &Lacking) -> bool {
        let room = self.has_room(lacking) || self.policy(ix).abilities.by_person;
        room && self.is_proposed(ix)
    }

    /// Whether an instance may be carried out by this operator as far as approvals are concerned.
    pub(super) fn is_approved(&self, ix: InstanceIx, executor: &Operator, now: Timestamp) -> bool {
        self.policy(ix).approve.as_ref().is_none_or(|rule| {
            let approval = self.instance(ix).approval.as_ref();
            approval.is_some_and(|given| rule.is_met(given, executor) && !rule.is_late(given, now))
        })
    }

    /// What would be carried out next if it is approved, and is to be described for that.
    pub(super) fn to_describe(&self, now: Timestamp, lacking: &Lacking) -> Vec<InstanceIx> {
        if !self.may_open() {
            return Vec::new();
        }
        let observed = self.queues().observed.iter().copied();
        let next = self.next_to_start(now, lacking);
        let all = observed.chain(next).filter(|&ix| self.is_next(ix, lacking));
        all.filter(|&ix| !self.is_withheld(ix, lacking)).collect()
    }

    /// Whether this operator may approve what an instance waits for.
    fn may_approve(&self, ix: InstanceIx, operator: &Operator) -> Result<&Approval, Rejection> {
        let instance = self.instance(ix);
        let no = |is: String, instead| Rejection::NotNow {
            instance: instance.id.clone(),
            is,
            act: "approved by you",
            instead,
        };
        let (Phase::Waiting(Need::Approval), Some(rule), Some(approval)) =
            (&instance.phase, &self.policy(ix).approve, &instance.approval)
        else {
            return Err(not_now(
                &instance.id,
                &instance.phase,
                "approved",
                "only what the run asks approval for is approved; `runbook show RUN` tells",
            ));
        };
        let barred = rule.not.iter().find(|party| match party {
            Party::Starter => *operator == self.starter,
            Party::Executor => *operator == self.executor,
        });
        if let Some(party) = barred {
            let is = format!("is to be approved by somebody else than who {}", party.as_str());
            return Err(no(
                is,
                "let somebody else look at it: `runbook show RUN` tells who may",
            ));
        }
        if approval.by.contains(operator) {
            return Err(no(
                "has your approval already".to_owned(),
                "it takes somebody else too",
            ));
        }
        Ok(approval)
    }

    /// What this operator is asked to approve for an instance.
    ///
    /// # Errors
    /// When there is no such instance, it waits for no approval, or not for theirs.
    pub fn to_approve(&self, id: &InstanceId, operator: &Operator) -> Result<&Approval, Rejection> {
        let unknown = || Rejection::NoSuchInstance(id.clone());
        self.may_approve(self.find(id).ok_or_else(unknown)?, operator)
    }

    /// The event by which somebody approves.
    pub(super) fn approved_by(
        &self,
        ix: InstanceIx,
        subject: &str,
        note: Option<&String>,
        operator: &Operator,
    ) -> Result<Event, Rejection> {
        let approval = self.may_approve(ix, operator)?;
        let instance = self.instance(ix).id.clone();
        if approval.subject != subject {
            return Err(Rejection::NotNow {
                instance,
                is: "is no longer what you looked at".to_owned(),
                act: "approved",
                instead: "look at it again: `runbook approve RUN STEP`",
            });
        }
        Ok(Event::Approving(Approving::Given {
            instance,
            subject: subject.to_owned(),
            note: note.cloned(),
        }))
    }

    /// What time does to approvals that are asked for.
    pub(super) fn expired(&self, now: Timestamp) -> Vec<Event> {
        if !self.may_open() {
            return Vec::new();
        }
        let late = self.queues().approving.iter().filter_map(|&ix| {
            let (rule, approval) = (
                self.policy(ix).approve.as_ref()?,
                self.instance(ix).approval.as_ref()?,
            );
            let (instance, asked) = (self.instance(ix).id.clone(), approval.asked);
            rule.is_late(approval, now)
                .then_some(Event::Approving(Approving::Expired { instance, asked }))
        });
        late.collect()
    }

    /// Takes in what happened to an approval.
    pub(super) fn approve(&mut self, approving: &Approving, entry: &Entry) -> Result<(), Misfit> {
        let ix = self.known(approving.instance())?;
        let waits = self.instance(ix).phase == Phase::Waiting(Need::Approval);
        if matches!(
            approving,
            Approving::Given { .. } | Approving::Rejected { .. } | Approving::Withdrawn { .. }
        ) {
            self.may_judge(approving.instance(), &entry.operator, entry.time)
                .map_err(|forbidden| Misfit(forbidden.to_string()))?;
        }
        match approving {
            Approving::Asked { proposal, .. } if self.is_proposed(ix) => {
                self.ask_approval(ix, proposal, entry.time);
            }
            Approving::Unclear { error, .. } if self.is_proposed(ix) => {
                self.not_approved(ix, error.clone(), entry.time);
            }
            Approving::Given { subject, .. } => {
                let approval = self.may_approve(ix, &entry.operator);
                match approval {
                    Ok(approval) if approval.subject == *subject => {}
                    Ok(_) => return Err(Misfit("something else was approved".to_owned())),
                    Err(rejection) => return Err(Misfit(rejection.to_string())),
                }
                self.count_approval(ix, &entry.operator);
            }
            Approving::Rejected { why, .. } if waits || self.has_approval_ahead(ix) => {
                self.not_approved(ix, Failure::new(FailureKind::Rejected, why), entry.time);
            }
            Approving::Withdrawn { .. }
                if self.is_approver(ix, &entry.operator) && (waits || self.has_approval_ahead(ix)) =>
            {
                self.withdraw(ix, &entry.operator);
            }
            Approving::Expired { .. } if waits || self.is_proposed(ix) => self.expire(ix, entry.time),
            _ => return Err(self.misfit(ix, &self.instance(ix).phase)),
        }
        Ok(())
    }

    /// The same thing is asked for once, however often it comes up; approvals of anything else are void.
    fn ask_approval(&mut self, ix: InstanceIx, proposal: &Proposal, now: Timestamp) {
        let rule = self.policy(ix).approve.clone();
        let late = |given: &Approval| rule.as_ref().is_some_and(|rule| rule.is_late(given, now));
        self.take_in_hand(ix, now);
        let instance = self.instance_mut(ix);
        instance.since = None;
        let before = instance.approval.take();
        let same = before.filter(|given| given.subject == proposal.subject && !late(given));
        let approval = same.unwrap_or_else(|| Approval {
            subject: proposal.subject.clone(),
            what: Arc::new(proposal.what.clone()),
            asked: now,
            by: Vec::new(),
        });
        instance.asked = Some(approval.asked);
        instance.approval = Some(approval);
        self.set_phase(ix, Phase::Waiting(Need::Approval));
    }

    /// With enough of them it is looked at again, and described again: days may have passed.
    fn count_approval(&mut self, ix: InstanceIx, operator: &Operator) {
        if let Some(approval) = &mut self.instance_mut(ix).approval {
            approval.by.push(operator.clone());
        }
        if self.approvals(ix).is_some_and(|(count, min)| count >= min) {
            self.set_phase(ix, Phase::Ready);
        }
    }

    fn not_approved(&mut self, ix: InstanceIx, error: Failure, time: Timestamp) {
        let instance = self.instance_mut(ix);
        instance.approval = None;
        instance.error = Some(error);
        self.rest(ix, Phase::Failed, time);
    }

    fn expire(&mut self, ix: InstanceIx, time: Timestamp) {
        let fails = self.policy(ix).approve.as_ref().map(|rule| rule.on_expiry) == Some(OnExpiry::Fail);
        if fails {
            let late = Failure::new(FailureKind::TimedOut, "it was not approved in time");
            return self.not_approved(ix, late, time);
        }
        let instance = self.instance_mut(ix);
        instance.asked = Some(time);
        if let Some(approval) = &mut instance.approval {
            approval.by.clear();
            approval.asked = time;
        }
    }
}

/// What follows once it is known what would be carried out: it starts, or approval is asked for.
pub(super) fn described(
    state: &RunState,
    instance: &InstanceId,
    result: &Result<Proposal, Failure>,
    turn: &Turn,
) -> Option<Event> {
    let next = |ix: &InstanceIx| state.is_next(*ix, &turn.lacking);
    let ix = state.find(instance).filter(next)?;
    let (rule, instance) = (state.policy(ix).approve.as_ref()?, instance.clone());
    let proposal = match result {
        Ok(proposal) => proposal.clone(),
        Err(error) => {
            let error = error.clone();
            return Some(Event::Approving(Approving::Unclear { instance, error }));
        }
    };
    let known = state.instance(ix).approval.as_ref();
    let same = known.filter(|known| known.subject == proposal.subject);
    if same.is_some() && state.is_approved(ix, &turn.operator, turn.now) {
        return Some(begin(state, ix));
    }
    let in_vain = same.filter(|known| rule.on_expiry == OnExpiry::Fail && rule.is_late(known, turn.now));
    Some(Event::Approving(match in_vain {
        Some(Approval { asked, .. }) => {
            let asked = *asked;
            Approving::Expired { instance, asked }
        }
        None => Approving::Asked { instance, proposal },
    }))
}
