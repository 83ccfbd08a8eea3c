//! What a person settles: an instance in doubt, one that failed, or what a rollback could not undo.

use jiff::Timestamp;

use super::apply::Misfit;
use super::event::{Failure, FailureKind, Need, Ruling};
use super::instance::{Doubt, Phase};
use super::state::RunState;
use super::table::InstanceIx;

impl RunState {
    /// A person settled it.
    pub(super) fn decide(
        &mut self,
        ix: InstanceIx,
        ruling: Ruling,
        why: &str,
        time: Timestamp,
    ) -> Result<(), Misfit> {
        let forward = self.cancelled.is_none() && !self.is_rolling_back();
        // What a person settles took as long as it did, which nobody measured.
        self.instance_mut(ix).since = None;
        match (self.instance(ix).phase.clone(), ruling) {
            (
                Phase::RollbackInDoubt(Doubt { cleared: true, .. })
                | Phase::RollbackWaiting(_)
                | Phase::RollbackRetrying { .. }
                | Phase::RollbackFailed,
                ruling,
            ) if self.is_current(ix) => self.decide_undoing(ix, ruling, why, time),
            (Phase::RollbackFailed, Ruling::Done) => self.undone(ix, time),
            (
                Phase::InDoubt(Doubt { cleared: true, .. })
                | Phase::Waiting(Need::ManualWork | Need::Decision)
                | Phase::Failed
                | Phase::Retrying { .. },
                ruling,
            ) if forward => self.decide_doing(ix, ruling, why, time),
            // What became of it matters for undoing a run that was stopped, too.
            (
                Phase::InDoubt(Doubt { cleared: true, .. }) | Phase::Waiting(Need::Decision),
                Ruling::Done | Ruling::Fail | Ruling::Skip,
            ) if self.cancelled.is_some() && self.rollback.is_none() => {
                self.decide_doing(ix, ruling, why, time);
            }
            (Phase::RolledBack, Ruling::Again) if forward => {
                self.decide_doing(ix, ruling, why, time);
            }
            (other, _) => return Err(self.misfit(ix, &other)),
        }
        Ok(())
    }

    fn decide_undoing(&mut self, ix: InstanceIx, ruling: Ruling, why: &str, time: Timestamp) {
        let decided = || Failure::new(FailureKind::Decided, why);
        match ruling {
            Ruling::Done => self.undone(ix, time),
            Ruling::Again => {
                self.instance_mut(ix).all_tries_free();
                self.set_phase(ix, Phase::RollbackReady);
            }
            Ruling::Fail => self.not_undone(ix, decided(), time),
            Ruling::Skip => {
                self.not_undone(ix, decided(), time);
                self.rollback_goes_on(ix);
            }
        }
    }

    /// A run that was rolled back goes forward again with this.
    fn decide_doing(&mut self, ix: InstanceIx, ruling: Ruling, why: &str, time: Timestamp) {
        self.rollback = None;
        let instance = self.instance_mut(ix);
        instance.done_before = false;
        if ruling != Ruling::Again {
            // It is the person's word from now on, whether its step was opened or not.
            instance.started.get_or_insert(time);
            instance.reopens = false;
        }
        // Only the person knows how far manual work came that is done, or failed.
        if self.policy(ix).abilities.by_person && matches!(ruling, Ruling::Done | Ruling::Fail) {
            self.instance_mut(ix).changed = true;
        }
        match ruling {
            Ruling::Done => self.rest(ix, Phase::Succeeded, time),
            Ruling::Again => self.try_again(ix),
            Ruling::Fail => {
                self.instance_mut(ix).error = Some(Failure::new(FailureKind::Decided, why));
                self.rest(ix, Phase::Failed, time);
            }
            Ruling::Skip => self.rest(ix, Phase::Skipped(why.to_owned()), time),
        }
    }

    /// All tries are free again; a step that was never opened is opened anew.
    fn try_again(&mut self, ix: InstanceIx) {
        if self.instance(ix).is_unopened() || self.instance(ix).reopens {
            return self.opens_again(ix);
        }
        let instance = self.instance_mut(ix);
        instance.all_tries_free();
        instance.ended = None;
        self.set_phase(ix, Phase::Ready);
    }
}
