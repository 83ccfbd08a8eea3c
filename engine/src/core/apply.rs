//! The one transition function: what each event does to the state, and in which phases it is legal.

use std::sync::Arc;

use jiff::Timestamp;

use super::event::{Entry, Event, RunStarted};
use super::instance::{Activity, Phase, Tick};
use super::permission::asks_for_role;
use super::person::proven;
use super::state::RunState;
use super::table::InstanceIx;
use super::workflow::Workflow;
use crate::id::{InstanceId, Seq};

/// An event that the state does not accept: the journal is not one that this program wrote, or the program
/// has a fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("illegal event: entry {seq} ({event}) does not fit the state before it: {reason}")]
pub struct IllegalEvent {
    /// The entry.
    pub seq: Seq,
    /// The kind of its event.
    pub event: &'static str,
    /// What does not fit.
    pub reason: String,
}

/// What an event does not fit.
pub(super) struct Misfit(pub(super) String);

impl RunState {
    /// The state after the first entry of a journal.
    ///
    /// # Errors
    /// When that entry does not start a run.
    pub fn begin(workflow: &Arc<Workflow>, first: &Entry) -> Result<Self, IllegalEvent> {
        let Event::RunStarted(started) = &first.event else {
            return Err(illegal(first, "a journal begins with `run_started`"));
        };
        if first.seq != Seq(0) {
            return Err(illegal(first, "a journal begins with entry 0"));
        }
        let workflow = effective(workflow, started);
        let mut state = Self::new((**started).clone(), workflow, first.operator.clone(), first.time);
        state.next = Seq(1);
        Ok(state)
    }

    /// The state that these entries lead to, if the run was never amended.
    ///
    /// # Errors
    /// When they are not the entries of one run, in order.
    pub fn fold(workflow: &Arc<Workflow>, entries: &[Entry]) -> Result<Self, IllegalEvent> {
        Self::fold_amended(workflow, &[], entries)
    }

    /// The state that these entries lead to; each amendment leads to the next of these workflows.
    ///
    /// # Errors
    /// When they are not the entries of one run, in order, or a workflow is missing.
    pub fn fold_amended(
        workflow: &Arc<Workflow>,
        amendments: &[Arc<Workflow>],
        entries: &[Entry],
    ) -> Result<Self, IllegalEvent> {
        let Some((first, rest)) = entries.split_first() else {
            let reason = "the journal is empty".to_owned();
            return Err(IllegalEvent {
                seq: Seq(0),
                event: "nothing",
                reason,
            });
        };
        let mut state = Self::begin(workflow, first)?;
        let mut amendments = amendments.iter();
        for entry in rest {
            if entry.amends() {
                amendments.next().into_iter().for_each(|next| state.foresee(next));
            }
            state.apply(entry)?;
        }
        Ok(state)
    }

    /// Takes one entry in. An entry that is refused leaves the state unfit for further use.
    ///
    /// # Errors
    /// When the event is not legal in this state, or the entry is not the next one.
    pub fn apply(&mut self, entry: &Entry) -> Result<(), IllegalEvent> {
        if entry.seq != self.next {
            return Err(illegal(entry, &format!("entry {} was expected", self.next)));
        }
        self.transition(entry)
            .map_err(|Misfit(reason)| illegal(entry, &reason))?;
        self.next = entry.seq.next();
        self.updated = entry.time;
        self.operator = entry.operator.clone();
        Ok(())
    }

    fn transition(&mut self, entry: &Entry) -> Result<(), Misfit> {
        if self.hands.away().is_some() && !matches!(entry.event, Event::Handed(_)) {
            return Err(Misfit("the run goes on in another journal".to_owned()));
        }
        if let Some(instance) = asks_for_role(&entry.event) {
            self.may_act_on(instance, &entry.operator, entry.time)
                .map_err(|forbidden| Misfit(forbidden.to_string()))?;
        }
        match &entry.event {
            Event::SentBack(sent) => self.send_back(sent, entry),
            Event::Handed(handing) => self.hand(handing, entry),
            Event::Approving(approving) => self.approve(approving, entry),
            Event::RunStarted(_) => Err(Misfit("the run has started already".to_owned())),
            Event::FilePinned { name, text } => {
                self.files.insert(name.clone(), text.clone());
                Ok(())
            }
            Event::Amended(amended) => self.amend(amended, &entry.operator, entry.time),
            Event::RunResumed { jobs } => {
                self.jobs = *jobs;
                self.executor = entry.operator.clone();
                self.hands.alone();
                // What is asked approval for is described again: somebody else carries it out, or another machine.
                self.look_again();
                Ok(())
            }
            Event::StepOpened { .. } | Event::StepSkipped { .. } | Event::StepUnclear { .. } => {
                self.open(entry)
            }
            Event::CancelRequested { .. } if self.cancelled.is_some() => {
                Err(Misfit("the run is cancelled already".to_owned()))
            }
            Event::CancelRequested { why } => {
                self.cancelled = Some(why.clone());
                Ok(())
            }
            Event::RollbackStarted { .. } => self.start_rollback(&entry.event),
            Event::ObservationStarted { instance }
            | Event::Observed { instance, .. }
            | Event::ObservationFailed { instance, .. } => self.look(self.known(instance)?, entry),
            Event::AttemptStarted { instance, .. }
            | Event::AttemptReturned { instance, .. }
            | Event::AttemptFailed { instance, .. }
            | Event::Verified { instance, .. } => self.attempt(self.known(instance)?, entry),
            Event::ProcessStarted { instance, process } => {
                self.under_way(instance)?.process = Some(process.clone());
                Ok(())
            }
            Event::StopRequested { instance, reason } => {
                self.under_way(instance)?.stop = Some(*reason);
                Ok(())
            }
            Event::Interrupted { instance, .. } => self.cut_off(self.known(instance)?, entry),
            Event::ProcessCleared { instance, .. } | Event::DoubtSettled { instance, .. } => {
                self.settle(self.known(instance)?, entry)
            }
            Event::PersonNeeded { instance, need } => self.ask(self.known(instance)?, *need, entry),
            Event::Ticked { instance, number, .. } => {
                let tick = Tick {
                    by: entry.operator.clone(),
                    at: entry.time,
                };
                self.tick(self.known(instance)?, *number, tick)
            }
            Event::Confirmed {
                instance,
                values,
                attachments,
                ..
            } => {
                proven(self, instance, !attachments.is_empty())
                    .map_err(|rejection| Misfit(rejection.to_string()))?;
                self.confirm(self.known(instance)?, values, entry.time)
            }
            Event::Decided {
                instance,
                ruling,
                why,
            } => {
                let ix = self.known(instance)?;
                self.decide(ix, *ruling, why, entry.time)?;
                self.keep_word(ix, *ruling, why, entry);
                Ok(())
            }
            Event::RollbackAttemptStarted { instance, .. }
            | Event::RollbackKept { instance, .. }
            | Event::RollbackReturned { instance, .. }
            | Event::RolledBack { instance, .. }
            | Event::RollbackFailed { instance, .. } => self.undo(self.known(instance)?, entry),
        }
    }

    pub(super) fn known(&self, id: &InstanceId) -> Result<InstanceIx, Misfit> {
        self.find(id)
            .ok_or_else(|| Misfit(format!("there is no instance `{id}`")))
    }

    fn under_way(&mut self, id: &InstanceId) -> Result<&mut Activity, Misfit> {
        let ix = self.known(id)?;
        let nothing = || Misfit(format!("nothing of `{id}` is under way"));
        self.instance_mut(ix).phase.activity_mut().ok_or_else(nothing)
    }

    /// What was looked at, or is asked approval for, is looked at anew when it may start.
    pub(super) fn look_again(&mut self) {
        let queues = self.queues();
        let again: Vec<InstanceIx> = queues.observed.iter().chain(&queues.approving).copied().collect();
        for ix in again {
            self.set_phase(ix, Phase::Ready);
        }
    }

    /// Puts an instance into a phase in which nothing is under way.
    pub(super) fn rest(&mut self, ix: InstanceIx, phase: Phase, time: Timestamp) {
        let instance = self.instance_mut(ix);
        instance.ended = Some(time);
        if phase.is_settled() {
            instance.sent_back = None;
            instance.done_before = false;
        }
        self.set_phase(ix, phase);
    }
}

/// In a rehearsal every step answers for itself: nobody is waited for, and every step can tell.
pub(super) fn effective(workflow: &Arc<Workflow>, started: &RunStarted) -> Arc<Workflow> {
    match started.rehearsal {
        None => Arc::clone(workflow),
        Some(_) => Arc::new(workflow.rehearsed()),
    }
}

fn illegal(entry: &Entry, reason: &str) -> IllegalEvent {
    IllegalEvent {
        seq: entry.seq,
        event: entry.event.name(),
        reason: reason.to_owned(),
    }
}
