//! The story that the entries tell, told apart from the core's own state.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::Broken;
use super::entry::{LAWS, Moment};
use crate::core::event::{Approving, SentBack, Verdict};
use crate::core::{Entry, Event, OnFailure, Phase, RunState, Workflow};
use crate::id::{InstanceId, Operator};

/// What the entries so far tell, told apart from the core's own state.
pub struct History {
    state: RunState,
    jobs: u32,
    tales: BTreeMap<InstanceId, Tale>,
    pub(super) rule_obeyed: bool,
}

/// What happened to one instance.
#[derive(Debug, Clone, Default)]
pub(super) struct Tale {
    /// It was interrupted, and nothing and nobody has said since that it may be tried again.
    pub(super) doubtful: bool,
    /// Something may have changed the world since it was last undone.
    pub(super) touched: bool,
    /// What was last seen, and what was seen before it was touched.
    seen: Option<Value>,
    pub(super) before: Option<Value>,
    /// What was last asked approval for, and who gave it since.
    asked: Option<String>,
    pub(super) approvers: BTreeSet<Operator>,
}

impl History {
    /// The history of a run that has just started.
    #[must_use]
    pub fn new(state: &RunState, jobs: u32) -> Self {
        Self {
            state: state.clone(),
            jobs,
            tales: BTreeMap::new(),
            rule_obeyed: true,
        }
    }

    /// The fold of all entries so far.
    #[must_use]
    pub fn state(&self) -> &RunState {
        &self.state
    }

    /// From now on several carry it out, who may together have that many calls under way.
    pub(in crate::testing) fn allow(&mut self, jobs: u32) {
        self.jobs = jobs;
    }

    /// Learns what the next amendment leads to.
    pub fn foresee(&mut self, workflow: &Arc<Workflow>) {
        self.state.foresee(workflow);
    }

    /// Forgets it, where the amendment was refused.
    pub fn forget(&mut self) {
        self.state.forget();
    }

    /// Takes an entry in, and checks all laws.
    ///
    /// # Errors
    /// The first law that it breaks.
    pub fn record(&mut self, entry: &Entry) -> Result<(), Broken> {
        let before = self.state.clone();
        self.state.apply(entry).map_err(|illegal| illegal.to_string())?;
        if let Event::RunResumed { jobs } = &entry.event {
            self.jobs = *jobs;
        }
        let moment = Moment {
            before: &before,
            entry,
            after: &self.state,
            jobs: self.jobs,
            tales: &self.tales,
        };
        for (name, law) in LAWS {
            law(&moment)
                .map_err(|how| format!("{name}: {how}, at entry {}: {:?}", entry.seq, entry.event))?;
        }
        self.tell(&before, entry);
        Ok(())
    }

    /// Whether it has failed, and its step then asks for a rollback.
    fn fails_and_undoes(&self, instance: &InstanceId) -> bool {
        self.state.find(instance).is_some_and(|ix| {
            let failed = self.state.instance(ix).phase == Phase::Failed;
            failed && self.state.policy(ix).on_failure == OnFailure::Rollback
        })
    }

    /// What was done and cannot tell is doubtful from now on, but for what is done again by order.
    fn tell_of_sending(&mut self, before: &RunState, sent: &SentBack) {
        for id in std::iter::once(&sent.to).chain(&sent.again) {
            let tale = self.tales.entry(id.clone()).or_default();
            tale.asked = None;
            tale.approvers.clear();
            let Some(ix) = before.find(id).filter(|_| *id != sent.to) else {
                tale.doubtful = false;
                continue;
            };
            let (phase, policy) = (&before.instance(ix).phase, before.policy(ix));
            let once = !policy.may_be_repeated() && !policy.abilities.by_person;
            tale.doubtful |= once && *phase == Phase::Succeeded;
        }
    }

    fn tell(&mut self, before: &RunState, entry: &Entry) {
        match &entry.event {
            Event::RollbackStarted { .. } => self.rule_obeyed = true,
            Event::AttemptFailed { instance, .. } | Event::ObservationFailed { instance, .. } => {
                self.rule_obeyed &= !self.fails_and_undoes(instance);
            }
            _ => {}
        }
        if let Event::SentBack(sent) = &entry.event {
            self.tell_of_sending(before, sent);
        }
        let Some(instance) = subject(&entry.event) else {
            return;
        };
        let phase = before.find(instance).map(|ix| &before.instance(ix).phase);
        let repeatable = before
            .find(instance)
            .is_some_and(|ix| before.policy(ix).may_be_repeated());
        let by_person = before
            .find(instance)
            .is_some_and(|ix| before.policy(ix).abilities.by_person);
        let tale = self.tales.entry(instance.clone()).or_default();
        match &entry.event {
            Event::Interrupted { .. } => {
                tale.doubtful |= matches!(phase, Some(Phase::Running(_) | Phase::RollingBack(_)));
            }
            Event::Observed {
                verdict, observed, ..
            } => {
                tale.seen = Some(observed.clone());
                tale.doubtful &= *verdict == Verdict::Unknown;
            }
            Event::DoubtSettled { .. } if repeatable => tale.doubtful = false,
            Event::AttemptStarted { .. } => tale.touch(),
            Event::Approving(approving) => tale.approve(approving, &entry.operator),
            Event::Confirmed { .. } if matches!(phase, Some(Phase::Waiting(_))) => tale.touch(),
            Event::Decided { .. } => {
                tale.doubtful = false;
                // What a person says of manual work that nobody confirmed may be undone, or not.
                if by_person {
                    let ix = self.state.find(instance);
                    tale.touched = ix.is_some_and(|ix| self.state.instance(ix).changed);
                }
            }
            _ => {}
        }
        let ix = self.state.find(instance);
        if ix.is_some_and(|ix| self.state.instance(ix).phase == Phase::RolledBack) {
            *tale = Tale::default();
        }
    }
}

impl Tale {
    fn approve(&mut self, approving: &Approving, operator: &Operator) {
        match approving {
            Approving::Asked { proposal, .. } if self.asked.as_ref() == Some(&proposal.subject) => {}
            Approving::Asked { proposal, .. } => {
                self.asked = Some(proposal.subject.clone());
                self.approvers.clear();
            }
            Approving::Given { .. } => drop(self.approvers.insert(operator.clone())),
            Approving::Withdrawn { .. } => drop(self.approvers.remove(operator)),
            Approving::Unclear { .. } | Approving::Rejected { .. } | Approving::Expired { .. } => {
                self.approvers.clear();
            }
        }
    }

    fn touch(&mut self) {
        if !self.touched {
            self.before = self.seen.clone();
        }
        self.touched = true;
    }
}

/// The instance that an event is about.
fn subject(event: &Event) -> Option<&InstanceId> {
    match event {
        Event::ObservationStarted { instance }
        | Event::Observed { instance, .. }
        | Event::ObservationFailed { instance, .. }
        | Event::AttemptStarted { instance, .. }
        | Event::ProcessStarted { instance, .. }
        | Event::StopRequested { instance, .. }
        | Event::AttemptReturned { instance, .. }
        | Event::AttemptFailed { instance, .. }
        | Event::Verified { instance, .. }
        | Event::Interrupted { instance, .. }
        | Event::ProcessCleared { instance, .. }
        | Event::DoubtSettled { instance, .. }
        | Event::PersonNeeded { instance, .. }
        | Event::Ticked { instance, .. }
        | Event::Confirmed { instance, .. }
        | Event::Decided { instance, .. }
        | Event::RollbackAttemptStarted { instance, .. }
        | Event::RollbackKept { instance, .. }
        | Event::RollbackReturned { instance, .. }
        | Event::RolledBack { instance, .. }
        | Event::RollbackFailed { instance, .. } => Some(instance),
        Event::Approving(approving) => Some(approving.instance()),
        Event::RunStarted(_)
        | Event::FilePinned { .. }
        | Event::Amended(_)
        | Event::RunResumed { .. }
        | Event::StepOpened { .. }
        | Event::StepSkipped { .. }
        | Event::StepUnclear { .. }
        | Event::SentBack(_)
        | Event::Handed(_)
        | Event::CancelRequested { .. }
        | Event::RollbackStarted { .. } => None,
    }
}
