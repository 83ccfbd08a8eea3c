//! What others read from the state: where the run stands, row by row, and who is waited for.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::event::Need;
use super::instance::{Instance, Phase};
use super::state::RunState;
use super::status::{InstanceStatus, RunStatus};
use super::table::InstanceIx;
use super::word::Word;
use crate::id::{AttemptNo, InstanceId, Seq};
use crate::runbook::graph::StepIx;

/// One instance as people and programs see it.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The instance; the step itself while it is not opened.
    pub id: InstanceId,
    /// Where it stands.
    pub status: InstanceStatus,
    /// How many attempts were started.
    pub attempts: AttemptNo,
    /// Its outputs: a map, or null.
    pub outputs: Arc<Value>,
    /// Why it stands there, where that needs saying.
    pub reason: Option<String>,
    /// When it was first taken in hand.
    pub started: Option<Timestamp>,
    /// When it came to rest.
    pub ended: Option<Timestamp>,
    /// How long the last work on it took, doing it or undoing it, once that is over, if that is known.
    pub took: Option<SignedDuration>,
    /// By whose word it is done or undone, if that is all that is known of it.
    pub word: Option<Arc<Word>>,
}

/// Something that only a person can do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingFor {
    /// The instance.
    pub id: InstanceId,
    /// What is to be done.
    pub need: Need,
    /// Whether it is to be undone.
    pub undoing: bool,
    /// Since when.
    pub since: Timestamp,
}

/// Longer ids are nothing that a person types, in bytes.
const LONGEST_NAMEABLE: usize = 100;

impl RunState {
    /// Where the run stands.
    #[must_use]
    pub fn status(&self) -> RunStatus {
        let queues = self.queues();
        if let Some(rollback) = self.rollback() {
            return match rollback.current() {
                None => RunStatus::RolledBack,
                Some(ix) => match &self.instance(ix).phase {
                    Phase::RollbackFailed => RunStatus::Stuck,
                    Phase::RollbackWaiting(_) => RunStatus::Waiting,
                    _ => RunStatus::RollingBack,
                },
            };
        }
        if self.cancelled.is_some() {
            return if queues.active.is_empty() {
                RunStatus::Cancelled
            } else {
                RunStatus::Running
            };
        }
        if self.is_busy() || (!self.is_halted() && self.can_go_on()) {
            RunStatus::Running
        } else if !queues.deciding.is_empty() {
            RunStatus::Waiting
        } else if self.is_halted() {
            RunStatus::Failed
        } else if !(queues.manual.is_empty() && queues.approving.is_empty()) {
            RunStatus::Waiting
        } else if !queues.failed.is_empty() {
            RunStatus::Failed
        } else if self.is_complete() {
            RunStatus::Completed
        } else if !queues.rolled_back.is_empty() {
            RunStatus::RolledBack
        } else {
            RunStatus::Waiting
        }
    }

    /// Whether something is under way, or must be settled before anything else.
    pub(super) fn is_busy(&self) -> bool {
        let queues = self.queues();
        let next = !queues.observed.is_empty() && self.may_open();
        next || !(queues.active.is_empty() && queues.in_doubt.is_empty())
    }

    /// Whether a failure keeps everything else from starting.
    pub(super) fn is_halted(&self) -> bool {
        !self.queues().halting.is_empty()
    }

    /// Whether nothing is left to do.
    pub(super) fn is_complete(&self) -> bool {
        self.queues().unsettled == 0
    }

    /// Whether steps may be opened and instances started at all.
    pub(super) fn may_open(&self) -> bool {
        self.cancelled.is_none() && self.rollback.is_none() && !self.is_halted()
    }

    /// Whether an instance may be taken in hand: its needs are settled and no other holds its locks.
    pub(super) fn may_start(&self, ix: InstanceIx) -> bool {
        let locks = &self.queues().locks;
        let free = |lock| locks.get(lock).is_none_or(|&holder| holder == ix);
        let settled = self.needs_settled(self.instance(ix).step);
        self.may_open() && settled && self.policy(ix).locks.iter().all(free)
    }

    /// What only people can do now: what has waited longest comes first, then in the runbook's order.
    #[must_use]
    pub fn waiting_for(&self) -> Vec<WaitingFor> {
        let queues = self.queues();
        let both = queues
            .deciding
            .iter()
            .chain(&queues.manual)
            .chain(&queues.approving);
        let mut all: Vec<(StepIx, WaitingFor)> = both
            .filter_map(|&ix| {
                let instance = self.instance(ix);
                let (need, undoing) = self.asks_for(&instance.phase)?;
                let waiting = WaitingFor {
                    id: instance.id.clone(),
                    need,
                    undoing,
                    since: instance.asked?,
                };
                Some((instance.step, waiting))
            })
            .collect();
        all.sort_by_key(|(step, waiting)| (waiting.since, *step));
        all.into_iter().map(|(_, waiting)| waiting).collect()
    }

    /// What a person can do for an instance in this phase, and whether that is to undo it: a run that was
    /// stopped for good, or is undone, no longer waits for its other work.
    fn asks_for(&self, phase: &Phase) -> Option<(Need, bool)> {
        match phase {
            Phase::Waiting(need) if self.cancelled.is_none() && self.rollback.is_none() => {
                Some((*need, false))
            }
            Phase::RollbackWaiting(need) => Some((*need, true)),
            _ => None,
        }
    }

    /// Whether a person must decide what became of an interrupted attempt.
    #[must_use]
    pub fn needs_decision(&self) -> bool {
        let mut deciding = self.queues().deciding.iter();
        deciding.any(|&ix| self.asks_for(&self.instance(ix).phase).is_some())
    }

    /// Whether any instance has failed.
    #[must_use]
    pub fn has_failures(&self) -> bool {
        !self.queues().failed.is_empty()
    }

    /// Whether anything is under way according to the journal: after a crash, it no longer is.
    #[must_use]
    pub fn active(&self) -> impl ExactSizeIterator<Item = &Instance> {
        self.queues().active.iter().map(|&ix| self.instance(ix))
    }

    /// The entries that started what is in doubt.
    pub fn in_doubt(&self) -> impl Iterator<Item = Seq> {
        let instances = self.queues().in_doubt.iter().map(|&ix| self.instance(ix));
        instances.filter_map(|instance| match &instance.phase {
            Phase::InDoubt(doubt) | Phase::RollbackInDoubt(doubt) => Some(doubt.activity.of),
            _ => None,
        })
    }

    /// What is left of a rollback, the current one first.
    #[must_use]
    pub fn still_to_undo(&self) -> Vec<InstanceId> {
        self.rollback().map_or_else(Vec::new, |rollback| {
            rollback.plan[rollback.done..]
                .iter()
                .map(|&ix| self.instance(ix).id.clone())
                .collect()
        })
    }

    /// Every instance, in the runbook's order, and where it stands.
    pub fn statuses(&self) -> impl Iterator<Item = (&Instance, InstanceStatus)> {
        let blocked = self.blocked();
        let steps = self.workflow.steps().map(|(at, _)| at);
        let instances = steps.flat_map(|at| self.instances_of(at));
        instances.map(move |&ix| {
            let instance = self.instance(ix);
            (instance, self.status_of(ix, blocked.get(&instance.step)))
        })
    }

    /// Every instance, in the runbook's order.
    #[must_use]
    pub fn rows(&self) -> Vec<Row> {
        let blocked = self.blocked();
        let steps = self.workflow.steps().map(|(at, _)| at);
        let instances = steps.flat_map(|at| self.instances_of(at));
        instances
            .map(|&ix| self.row(ix, blocked.get(&self.instance(ix).step)))
            .collect()
    }

    /// The first instances that a person may want to name: those that wait for one or have failed, then the others
    /// in the runbook's order.
    #[must_use]
    pub fn nameable(&self, most: usize) -> Vec<InstanceId> {
        let mut ids: Vec<InstanceId> = self.waiting_for().into_iter().map(|one| one.id).collect();
        let failed = self.queues().failed.iter().copied();
        let steps = self.workflow.steps().map(|(at, _)| at);
        let all = steps.flat_map(|at| self.instances_of(at).iter().copied());
        for ix in failed.chain(all) {
            if ids.len() >= most {
                break;
            }
            let id = &self.instance(ix).id;
            if !ids.contains(id) {
                ids.push(id.clone());
            }
        }
        ids.truncate(most);
        ids.retain(|id| {
            let text = id.to_string();
            text.len() <= LONGEST_NAMEABLE && !text.contains(char::is_control)
        });
        ids
    }

    /// One instance's row.
    #[must_use]
    pub fn row_of(&self, ix: InstanceIx) -> Row {
        // Only what waits for other steps can be blocked by them, and only that costs a look at all steps.
        if self.waits_for_others(ix) {
            self.row(ix, self.blocked().get(&self.instance(ix).step))
        } else {
            self.row(ix, None)
        }
    }

    fn waits_for_others(&self, ix: InstanceIx) -> bool {
        let instance = self.instance(ix);
        let waits = match &instance.phase {
            Phase::Pending | Phase::Ready | Phase::Retrying { .. } => true,
            phase @ Phase::Waiting(Need::ManualWork | Need::Approval) => self.asks_for(phase).is_none(),
            _ => false,
        };
        waits && !self.needs_settled(instance.step)
    }

    fn status_of(&self, ix: InstanceIx, blocked: Option<&InstanceId>) -> InstanceStatus {
        match &self.instance(ix).phase {
            _ if self.waits_for_others(ix) && blocked.is_some() => InstanceStatus::Blocked,
            _ if self.waits_for_others(ix) => InstanceStatus::Pending,
            Phase::Pending => InstanceStatus::Ready,
            // Its work was due when the run was stopped for good, or undone.
            phase @ Phase::Waiting(Need::ManualWork | Need::Approval) if self.asks_for(phase).is_none() => {
                InstanceStatus::Ready
            }
            phase => phase.status(),
        }
    }

    fn row(&self, ix: InstanceIx, blocked: Option<&InstanceId>) -> Row {
        let instance = self.instance(ix);
        let blocked = blocked.filter(|_| self.waits_for_others(ix));
        Row {
            id: instance.id.clone(),
            status: self.status_of(ix, blocked),
            attempts: instance.attempts,
            outputs: instance.gives(),
            reason: self.reason(instance, blocked),
            started: instance.started,
            ended: instance.ended,
            took: instance.took(),
            word: instance.word().map(Arc::clone),
        }
    }

    fn reason(&self, instance: &Instance, blocked: Option<&InstanceId>) -> Option<String> {
        let error = || instance.error.as_ref().map(|error| error.message.clone());
        if let Some(by) = blocked {
            return Some(format!("`{by}` did not succeed"));
        }
        match &instance.phase {
            Phase::Retrying { at } => Some(format!(
                "next try at {at}: {}",
                error().unwrap_or_else(|| "it failed".to_owned())
            )),
            Phase::Ready => {
                let ix = self.find(&instance.id)?;
                let locked = self.policy(ix).locks.iter().find_map(|lock| {
                    let holder = self.queues().locks.get(lock)?;
                    Some(format!(
                        "waits for the lock `{lock}`, held by `{}`",
                        self.instance(*holder).id
                    ))
                });
                locked.or_else(|| self.approval_ahead(ix)).or_else(|| instance.sent_words())
            }
            Phase::InDoubt(_) | Phase::RollbackInDoubt(_) => Some("it was interrupted".to_owned()),
            Phase::Waiting(Need::Decision) if instance.done_before => instance.sent_words().map(|sent| {
                format!("{sent}; it was done before, and cannot tell whether its outcome is still there: a person must decide")
            }),
            Phase::Waiting(Need::Decision) => Some(
                "it was interrupted, and nobody knows whether it took effect: a person must decide"
                    .to_owned(),
            ),
            Phase::RollbackWaiting(Need::Decision) => Some(
                "undoing it was interrupted, and nobody knows how far it came: a person must decide"
                    .to_owned(),
            ),
            phase @ Phase::Waiting(Need::ManualWork | Need::Approval) if self.asks_for(phase).is_none() => {
                None
            }
            Phase::Waiting(Need::Approval) | Phase::RollbackWaiting(Need::Approval) => {
                self.approval_wanted(self.find(&instance.id)?)
            }
            Phase::Waiting(Need::ManualWork) => Some(match instance.sent_words() {
                Some(sent) => format!("{sent}; a person must see to it again and confirm"),
                None => "a person must do it and confirm".to_owned(),
            }),
            Phase::RollbackWaiting(Need::ManualWork) => Some("a person must undo it and confirm".to_owned()),
            Phase::Skipped(why) => Some(why.clone()),
            Phase::Failed => error(),
            Phase::RollbackRetrying { at } => Some(format!(
                "next try at undoing it at {at}: {}",
                instance
                    .rollback_error
                    .as_ref()
                    .map_or("it failed", |error| error.message.as_str())
            )),
            Phase::RollbackFailed => instance
                .rollback_error
                .as_ref()
                .map(|error| error.message.clone()),
            Phase::Observed => self.approval_ahead(self.find(&instance.id)?),
            Phase::Succeeded | Phase::RolledBack => instance.word().map(|word| word.words()),
            Phase::Pending => instance.sent_words(),
            Phase::FannedOut
            | Phase::Observing { .. }
            | Phase::Running(_)
            | Phase::Verifying(_)
            | Phase::Satisfied
            | Phase::RollbackReady
            | Phase::RollingBack(_)
            | Phase::RollbackVerifying(_) => None,
        }
    }

    /// The steps that cannot go on because of something before them, with what that is.
    fn blocked(&self) -> BTreeMap<StepIx, InstanceId> {
        let mut blocked = BTreeMap::new();
        let dag = self.workflow.dag();
        for &step in dag.order() {
            let by = dag.needs(step).find_map(|need| {
                let failed = self.instances_of(need).iter().find(|&&ix| {
                    matches!(
                        self.instance(ix).phase,
                        Phase::Failed | Phase::RolledBack | Phase::RollbackFailed
                    )
                });
                failed
                    .map(|&ix| self.instance(ix).id.clone())
                    .or_else(|| blocked.get(&need).cloned())
            });
            if let Some(by) = by {
                blocked.insert(step, by);
            }
        }
        blocked
    }
}
