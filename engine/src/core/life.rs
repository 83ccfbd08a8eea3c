//! The life of an instance: every legal pair of phase and event, and nothing else.

use jiff::Timestamp;
use serde_json::Value;

use super::apply::Misfit;
use super::event::{DoubtRuling, Entry, Event, Failure, Need, Outputs, Verdict};
use super::instance::{Activity, Asks, Doubt, Phase, Tick};
use super::state::RunState;
use super::table::InstanceIx;

impl RunState {
    /// `validate` is asked, and answers.
    pub(super) fn look(&mut self, ix: InstanceIx, entry: &Entry) -> Result<(), Misfit> {
        let phase = self.instance(ix).phase.clone();
        match (phase, &entry.event) {
            (phase, Event::ObservationStarted { .. }) => {
                let asks = match phase {
                    Phase::Ready | Phase::Retrying { .. } if self.may_start(ix) => Asks::Before,
                    Phase::InDoubt(Doubt { cleared: true, .. }) => Asks::Doubt,
                    Phase::RollbackInDoubt(Doubt { cleared: true, .. }) => Asks::RollbackDoubt,
                    other => return Err(self.misfit(ix, &other)),
                };
                self.take_in_hand(ix, entry.time);
                let activity = Activity::new(entry.seq, entry.time);
                self.set_phase(ix, Phase::Observing { asks, activity });
            }
            (
                Phase::Observing {
                    asks: Asks::Before,
                    activity,
                },
                Event::Observed {
                    verdict,
                    observed,
                    outputs,
                    ..
                },
            ) => {
                let seen = (verdict, observed, outputs);
                self.observed(ix, activity, seen, entry.time);
            }
            (
                Phase::Observing {
                    asks: Asks::Before, ..
                },
                Event::ObservationFailed { error, retry_at, .. },
            ) => {
                self.failed(ix, error, *retry_at, entry.time);
            }
            (
                Phase::Observing { asks, activity },
                Event::Observed { .. } | Event::ObservationFailed { .. },
            ) => {
                // Back in doubt; the next event says how the doubt is settled.
                if let Event::ObservationFailed { error, .. } = &entry.event {
                    self.instance_mut(ix).error = Some(error.clone());
                }
                let doubt = Doubt {
                    activity,
                    cleared: true,
                };
                let phase = match asks {
                    Asks::RollbackDoubt => Phase::RollbackInDoubt(doubt),
                    Asks::Before | Asks::Doubt => Phase::InDoubt(doubt),
                };
                self.set_phase(ix, phase);
            }
            (other, _) => return Err(self.misfit(ix, &other)),
        }
        Ok(())
    }

    fn observed(
        &mut self,
        ix: InstanceIx,
        activity: Activity,
        (verdict, seen, outputs): (&Verdict, &Value, &Outputs),
        time: Timestamp,
    ) {
        match verdict {
            Verdict::Satisfied => {
                self.set_outputs(ix, outputs.clone());
                // After a failed attempt the outcome may be that attempt's work, which a rollback must undo.
                let phase = if self.instance(ix).changed {
                    Phase::Succeeded
                } else {
                    Phase::Satisfied
                };
                self.rest(ix, phase, time);
            }
            Verdict::Unknown if self.is_not_repeated_unsure(ix) => {
                let cleared = true;
                self.set_phase(ix, Phase::InDoubt(Doubt { activity, cleared }));
            }
            Verdict::Unsatisfied(_) | Verdict::Unknown => {
                if !self.instance(ix).changed {
                    self.instance_mut(ix).before = Some(seen.clone());
                }
                self.set_phase(ix, self.next_is_attempt(ix));
            }
        }
    }

    /// The phase of an instance that is to be attempted next. Where it may not start any more it is looked at
    /// again when it may.
    fn next_is_attempt(&self, ix: InstanceIx) -> Phase {
        if self.may_start(ix) {
            Phase::Observed
        } else {
            Phase::Ready
        }
    }

    /// An attempt starts, returns, fails, or is found to have succeeded.
    pub(super) fn attempt(&mut self, ix: InstanceIx, entry: &Entry) -> Result<(), Misfit> {
        let activity = Activity::new(entry.seq, entry.time);
        let phase = self.instance(ix).phase.clone();
        match (phase, &entry.event) {
            (phase, Event::AttemptStarted { attempt, .. })
                if self.may_be_attempted(ix, &phase)
                    && self.is_approved(ix, &entry.operator, entry.time)
                    && *attempt == self.instance(ix).attempts.next() =>
            {
                self.take_in_hand(ix, entry.time);
                let instance = self.instance_mut(ix);
                instance.attempts = *attempt;
                instance.changed = true;
                instance.returned = false;
                instance.done_before = false;
                instance.first_try.get_or_insert(entry.time);
                self.set_phase(ix, Phase::Running(activity));
            }
            (Phase::Running(_), Event::AttemptReturned { outputs, .. }) => {
                self.set_outputs(ix, outputs.clone());
                self.instance_mut(ix).returned = true;
                self.set_phase(ix, Phase::Verifying(activity));
            }
            (Phase::Running(_) | Phase::Verifying(_), Event::AttemptFailed { error, retry_at, .. }) => {
                self.failed(ix, error, *retry_at, entry.time);
            }
            (Phase::Verifying(_), Event::Verified { outputs, .. }) => {
                self.set_outputs(ix, outputs.clone());
                self.rest(ix, Phase::Succeeded, entry.time);
            }
            (other, _) => return Err(self.misfit(ix, &other)),
        }
        Ok(())
    }

    /// Whether an attempt may start: after a look, where the step can look.
    fn may_be_attempted(&self, ix: InstanceIx, phase: &Phase) -> bool {
        let in_turn = match phase {
            Phase::Observed => true,
            Phase::Ready | Phase::Retrying { .. } => !self.policy(ix).abilities.validates,
            _ => false,
        };
        in_turn && self.may_start(ix) && !self.needs_word(ix)
    }

    fn failed(&mut self, ix: InstanceIx, error: &Failure, retry_at: Option<Timestamp>, time: Timestamp) {
        let instance = self.instance_mut(ix);
        instance.error = Some(error.clone());
        instance.failures += 1;
        instance.first_try.get_or_insert(time);
        match retry_at {
            Some(at) => self.set_phase(ix, Phase::Retrying { at }),
            None => self.rest(ix, Phase::Failed, time),
        }
    }

    /// Cut off in the middle: what only looks is asked again, what may have changed something is in doubt.
    pub(super) fn cut_off(&mut self, ix: InstanceIx, entry: &Entry) -> Result<(), Misfit> {
        let again = Activity::new(entry.seq, entry.time);
        let doubt = |activity| Doubt {
            activity,
            cleared: false,
        };
        let next = match self.instance(ix).phase.clone() {
            Phase::Observing {
                asks: Asks::Before, ..
            } => Phase::Ready,
            Phase::Observing {
                asks: Asks::Doubt,
                activity,
            }
            | Phase::Running(activity) => Phase::InDoubt(doubt(activity)),
            Phase::Observing {
                asks: Asks::RollbackDoubt,
                activity,
            }
            | Phase::RollingBack(activity) => Phase::RollbackInDoubt(doubt(activity)),
            // It would be stopped again at once.
            Phase::Verifying(activity) if self.cancelled.is_some() => Phase::InDoubt(doubt(activity)),
            Phase::Verifying(_) => Phase::Verifying(again),
            Phase::RollbackVerifying(_) => Phase::RollbackVerifying(again),
            other => return Err(self.misfit(ix, &other)),
        };
        self.instance_mut(ix).since = None;
        self.set_phase(ix, next);
        Ok(())
    }

    /// A doubt is prepared for settling, and settled.
    pub(super) fn settle(&mut self, ix: InstanceIx, entry: &Entry) -> Result<(), Misfit> {
        let phase = self.instance(ix).phase.clone();
        match (phase, &entry.event) {
            (Phase::InDoubt(doubt), Event::ProcessCleared { .. }) if !doubt.cleared => {
                let cleared = true;
                self.set_phase(ix, Phase::InDoubt(Doubt { cleared, ..doubt }));
            }
            (Phase::RollbackInDoubt(doubt), Event::ProcessCleared { .. }) if !doubt.cleared => {
                let cleared = true;
                self.set_phase(ix, Phase::RollbackInDoubt(Doubt { cleared, ..doubt }));
            }
            (Phase::InDoubt(Doubt { cleared: true, .. }), Event::DoubtSettled { ruling, outputs, .. }) => {
                match ruling {
                    DoubtRuling::TookEffect => {
                        self.set_outputs(ix, outputs.clone());
                        self.instance_mut(ix).since = None;
                        self.rest(ix, Phase::Succeeded, entry.time);
                    }
                    DoubtRuling::Again | DoubtRuling::Repeat => {
                        self.set_phase(ix, self.next_is_attempt(ix));
                    }
                }
            }
            (Phase::RollbackInDoubt(Doubt { cleared: true, .. }), Event::DoubtSettled { ruling, .. }) => {
                match ruling {
                    DoubtRuling::TookEffect => {
                        self.instance_mut(ix).since = None;
                        self.undone(ix, entry.time);
                    }
                    DoubtRuling::Again | DoubtRuling::Repeat => self.set_phase(ix, Phase::RollbackReady),
                }
            }
            (other, _) => return Err(self.misfit(ix, &other)),
        }
        Ok(())
    }

    /// Nothing goes on without a person.
    pub(super) fn ask(&mut self, ix: InstanceIx, need: Need, entry: &Entry) -> Result<(), Misfit> {
        let time = entry.time;
        let phase = match (self.instance(ix).phase.clone(), need) {
            (Phase::Ready, Need::ManualWork)
                if self.may_start(ix) && self.is_approved(ix, &entry.operator, time) =>
            {
                Phase::Waiting(need)
            }
            (Phase::InDoubt(Doubt { cleared: true, .. }), Need::Decision) => Phase::Waiting(need),
            (Phase::Ready, Need::Decision) if self.may_start(ix) && self.needs_word(ix) => {
                Phase::Waiting(need)
            }
            (Phase::RollbackInDoubt(Doubt { cleared: true, .. }), Need::Decision) => {
                Phase::RollbackWaiting(need)
            }
            (_, Need::ManualWork) if self.is_next_to_undo(ix) => Phase::RollbackWaiting(need),
            (other, _) => return Err(self.misfit(ix, &other)),
        };
        if need == Need::ManualWork {
            let instance = self.instance_mut(ix);
            instance.since = None;
            instance.ticks.clear();
        }
        self.take_in_hand(ix, time);
        self.instance_mut(ix).asked = Some(time);
        self.set_phase(ix, phase);
        Ok(())
    }

    /// A person ticked an item off.
    pub(super) fn tick(&mut self, ix: InstanceIx, number: u32, tick: Tick) -> Result<(), Misfit> {
        match self.instance(ix).phase.clone() {
            Phase::Waiting(Need::ManualWork) if self.cancelled.is_none() && self.rollback.is_none() => {
                // Whoever ticked it off first has seen it so.
                self.instance_mut(ix).ticks.entry(number).or_insert(tick);
                Ok(())
            }
            other => Err(self.misfit(ix, &other)),
        }
    }

    /// A person did the manual work.
    pub(super) fn confirm(
        &mut self,
        ix: InstanceIx,
        values: &Outputs,
        time: Timestamp,
    ) -> Result<(), Misfit> {
        match self.instance(ix).phase.clone() {
            Phase::Waiting(Need::ManualWork) if self.cancelled.is_none() && self.rollback.is_none() => {
                self.set_outputs(ix, values.clone());
                self.instance_mut(ix).changed = true;
                self.rest(ix, Phase::Succeeded, time);
            }
            Phase::RollbackWaiting(Need::ManualWork) => self.undone(ix, time),
            other => return Err(self.misfit(ix, &other)),
        }
        Ok(())
    }

    pub(super) fn take_in_hand(&mut self, ix: InstanceIx, time: Timestamp) {
        let instance = self.instance_mut(ix);
        instance.started.get_or_insert(time);
        instance.since.get_or_insert(time);
        instance.ended = None;
    }

    pub(super) fn misfit(&self, ix: InstanceIx, phase: &Phase) -> Misfit {
        Misfit(format!("`{}` is {}", self.instance(ix).id, phase.status()))
    }
}
