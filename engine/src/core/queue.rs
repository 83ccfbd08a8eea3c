//! Instances by what they wait for, so that no turn has to look through all of them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::event::Need;
use super::instance::Phase;
use super::lacking::Lacking;
use super::state::RunState;
use super::table::InstanceIx;
use super::workflow::{LineIx, OnFailure, StepPolicy};
use crate::id::LockName;
use crate::runbook::graph::StepIx;

/// The queues of a run. An instance is in those that its phase says, from its first moment to its last.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Queues {
    /// Steps whose needs are settled: they are opened as they are.
    pub(super) to_open: BTreeSet<StepIx>,
    /// Steps whose needs are settled: their `when` and `for_each` are evaluated first. Each instance that waits for
    /// that is there.
    pub(super) to_evaluate: BTreeSet<(StepIx, InstanceIx)>,
    /// Instances that may start once their line's turn comes; a line that is empty is not there.
    lines: BTreeMap<LineIx, Line>,
    pub(super) observed: BTreeSet<InstanceIx>,
    /// A call of a plugin is under way.
    pub(super) active: BTreeSet<InstanceIx>,
    pub(super) in_doubt: BTreeSet<InstanceIx>,
    pub(super) deciding: BTreeSet<InstanceIx>,
    pub(super) manual: BTreeSet<InstanceIx>,
    pub(super) approving: BTreeSet<InstanceIx>,
    pub(super) failed: BTreeSet<InstanceIx>,
    /// Those that failed and keep everything else from starting.
    pub(super) halting: BTreeSet<InstanceIx>,
    /// Those that failed and whose step then asks for a rollback.
    pub(super) undoing: BTreeSet<InstanceIx>,
    pub(super) rolled_back: BTreeSet<InstanceIx>,
    pub(super) locks: BTreeMap<LockName, InstanceIx>,
    pub(super) unsettled: usize,
    pub(super) settled: usize,
}

/// Those that wait for the same things: locks, and a slot or a person.
#[derive(Debug, Clone, PartialEq, Default)]
struct Line {
    ready: BTreeSet<InstanceIx>,
    retrying: BTreeSet<(Timestamp, InstanceIx)>,
}

/// What of an instance's step says where it waits.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) step: StepIx,
    pub(super) policy: &'a StepPolicy,
    pub(super) line: LineIx,
    /// All needs of the step are settled.
    pub(super) free: bool,
}

impl Queues {
    pub(super) fn enter(&mut self, ix: InstanceIx, phase: &Phase, place: Place<'_>) {
        self.sort(ix, phase, place, true);
        if phase.holds_locks() {
            let held = place.policy.locks.iter().map(|lock| (lock.clone(), ix));
            self.locks.extend(held);
        }
    }

    pub(super) fn leave(&mut self, ix: InstanceIx, phase: &Phase, place: Place<'_>) {
        self.sort(ix, phase, place, false);
        if phase.holds_locks() {
            for lock in &place.policy.locks {
                self.locks.remove(lock);
            }
        }
    }

    /// Puts an instance of this phase into its queues, or takes it out.
    fn sort(&mut self, ix: InstanceIx, phase: &Phase, place: Place<'_>, there: bool) {
        let Place {
            step, policy, free, ..
        } = place;
        match phase {
            Phase::Pending if free && policy.is_plain() => put(&mut self.to_open, step, there),
            Phase::Pending if free => put(&mut self.to_evaluate, (step, ix), there),
            Phase::Ready if free => self.line_up(place.line, |line| put(&mut line.ready, ix, there)),
            Phase::Retrying { at } if free => {
                self.line_up(place.line, |line| put(&mut line.retrying, (*at, ix), there));
            }
            Phase::Observed => put(&mut self.observed, ix, there),
            Phase::Observing { .. }
            | Phase::Running(_)
            | Phase::Verifying(_)
            | Phase::RollingBack(_)
            | Phase::RollbackVerifying(_) => put(&mut self.active, ix, there),
            Phase::InDoubt(_) | Phase::RollbackInDoubt(_) => put(&mut self.in_doubt, ix, there),
            Phase::Waiting(Need::Decision) | Phase::RollbackWaiting(Need::Decision) => {
                put(&mut self.deciding, ix, there);
            }
            Phase::Waiting(Need::ManualWork) | Phase::RollbackWaiting(Need::ManualWork) => {
                put(&mut self.manual, ix, there);
            }
            Phase::Waiting(Need::Approval) | Phase::RollbackWaiting(Need::Approval) => {
                put(&mut self.approving, ix, there);
            }
            Phase::Failed => {
                put(&mut self.failed, ix, there);
                match policy.on_failure {
                    OnFailure::Continue => {}
                    OnFailure::Stop => put(&mut self.halting, ix, there),
                    OnFailure::Rollback => {
                        put(&mut self.halting, ix, there);
                        put(&mut self.undoing, ix, there);
                    }
                }
            }
            Phase::RolledBack | Phase::RollbackFailed => put(&mut self.rolled_back, ix, there),
            Phase::Pending
            | Phase::Ready
            | Phase::Retrying { .. }
            | Phase::FannedOut
            | Phase::Satisfied
            | Phase::Succeeded
            | Phase::Skipped(_)
            | Phase::RollbackReady
            | Phase::RollbackRetrying { .. } => {}
        }
    }

    fn line_up(&mut self, at: LineIx, change: impl FnOnce(&mut Line)) {
        let line = self.lines.entry(at).or_default();
        change(line);
        if line.ready.is_empty() && line.retrying.is_empty() {
            self.lines.remove(&at);
        }
    }

    /// The steps that are to be evaluated, each once.
    pub(super) fn steps_to_evaluate(&self) -> impl Iterator<Item = StepIx> {
        let mut last = None;
        let steps = self.to_evaluate.iter().map(|(step, _)| *step);
        steps.filter(move |step| last.replace(*step) != Some(*step))
    }
}

fn put<T: Ord>(set: &mut BTreeSet<T>, item: T, there: bool) {
    if there {
        set.insert(item);
    } else {
        set.remove(&item);
    }
}

impl RunState {
    /// Whether another call of a plugin may be under way.
    pub(super) fn has_room(&self, lacking: &Lacking) -> bool {
        match lacking.worker() {
            None => self.queues().active.len() < self.jobs.max(1) as usize,
            Some(worker) => self.own_calls(lacking).count() < worker.jobs as usize,
        }
    }

    /// The instance that starts next: of those whose time has come, the one that failed before; else the
    /// first in the runbook.
    pub(super) fn next_to_start(&self, now: Timestamp, lacking: &Lacking) -> Option<InstanceIx> {
        let ours = |ix: InstanceIx| !self.is_for_others(ix, lacking);
        let due = self
            .open_lines(lacking)
            .filter_map(|line| line.retrying.iter().copied().find(|(_, ix)| ours(*ix)));
        let due = due.filter(|(at, _)| *at <= now).min().map(|(_, ix)| ix);
        due.or_else(|| {
            self.open_lines(lacking)
                .filter_map(|line| line.ready.iter().copied().find(|ix| ours(*ix)))
                .min()
        })
    }

    /// When the next instance that failed before is due, of those that only wait for that.
    pub(super) fn next_retry(&self, lacking: &Lacking) -> Option<Timestamp> {
        let ours = |ix: InstanceIx| !self.is_for_others(ix, lacking);
        let lines = self.open_lines(lacking);
        let retries = lines.filter_map(|line| line.retrying.iter().find(|(_, ix)| ours(*ix)));
        retries.map(|(at, _)| *at).min()
    }

    /// Whether anything can start now, or when its time has come.
    pub(super) fn can_go_on(&self) -> bool {
        let queues = self.queues();
        !(queues.to_open.is_empty() && queues.to_evaluate.is_empty())
            || self.open_lines(&Lacking::nothing()).next().is_some()
    }

    /// The lines in which somebody waits and whose first may start: locks are free, and there is room, or
    /// none is needed since a person does it, and neither a secret nor a role is lacking.
    fn open_lines<'a>(&'a self, lacking: &'a Lacking) -> impl Iterator<Item = &'a Line> {
        let (queues, room) = (self.queues(), self.has_room(lacking));
        let open = move |at: LineIx| {
            let rules = self.workflow.line(at);
            let locked = rules.locks.iter().any(|lock| queues.locks.contains_key(lock));
            (room || rules.by_person) && !locked && !lacking.withholds(&rules.secrets, &rules.roles)
        };
        let lines = queues.lines.iter();
        lines.filter(move |(at, _)| open(**at)).map(|(_, line)| line)
    }

    /// The first of each line that waits for a secret or a role that is lacking, or for somebody elsewhere.
    pub(super) fn first_in_lines(&self, lacking: &Lacking) -> impl Iterator<Item = InstanceIx> {
        let lines = self.queues().lines.iter();
        lines.filter_map(|(at, line)| {
            let rules = self.workflow.line(*at);
            let all_wait = lacking.withholds(&rules.secrets, &rules.roles);
            let retrying = line.retrying.iter().map(|(_, ix)| *ix);
            let mut waiting = line.ready.iter().copied().chain(retrying);
            waiting.find(|&ix| all_wait || self.is_for_others(ix, lacking))
        })
    }
}
