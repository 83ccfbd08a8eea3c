//! The state of a run: a pure function of its entries, with the queues that keep every turn cheap.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::amend::Amendment;
use super::event::{Outputs, RunStarted};
use super::hands::Hands;
use super::instance::{Instance, Phase};
use super::queue::{Place, Queues};
use super::rollback::Rollback;
use super::table::{InstanceIx, Table};
use super::workflow::{StepPolicy, Workflow};
use crate::id::{InstanceId, Operator, Seq, StepId};
use crate::runbook::graph::StepIx;

/// Where a run stands, and all that is known of it.
#[derive(Debug, Clone, PartialEq)]
pub struct RunState {
    pub(super) started: Arc<RunStarted>,
    pub(super) workflow: Arc<Workflow>,
    pub(super) next: Seq,
    pub(super) starter: Operator,
    pub(super) begun: Timestamp,
    pub(super) updated: Timestamp,
    pub(super) operator: Operator,
    pub(super) executor: Operator,
    pub(super) jobs: u32,
    pub(super) files: BTreeMap<String, String>,
    pub(super) cancelled: Option<String>,
    pub(super) hands: Hands,
    pub(super) rollback: Option<Rollback>,
    pub(super) amendments: Vec<Amendment>,
    /// The workflow that the next amendment leads to.
    pub(super) foreseen: Option<Arc<Workflow>>,
    table: Table,
    by_id: BTreeMap<InstanceId, InstanceIx>,
    queues: Queues,
}

impl RunState {
    pub(super) fn new(
        started: RunStarted,
        workflow: Arc<Workflow>,
        operator: Operator,
        now: Timestamp,
    ) -> Self {
        let jobs = started.jobs;
        let mut state = Self {
            started: Arc::new(started),
            next: Seq(0),
            starter: operator.clone(),
            executor: operator.clone(),
            begun: now,
            updated: now,
            operator,
            jobs,
            files: BTreeMap::new(),
            cancelled: None,
            hands: Hands::default(),
            rollback: None,
            amendments: Vec::new(),
            foreseen: None,
            table: Table::new(workflow.steps().len()),
            by_id: BTreeMap::new(),
            queues: Queues::default(),
            workflow: Arc::clone(&workflow),
        };
        for (at, policy) in workflow.steps() {
            state.table.step_mut(at).unmet = workflow.dag().needs(at).count();
            state.add(Instance::new(policy.id.clone().into(), at, None));
        }
        state
    }

    /// The same run under another workflow, of which nothing is begun yet.
    pub(super) fn under(&self, workflow: Arc<Workflow>) -> Self {
        let Self {
            workflow,
            table,
            by_id,
            queues,
            ..
        } = Self::new(
            (*self.started).clone(),
            workflow,
            self.starter.clone(),
            self.begun,
        );
        Self {
            workflow,
            table,
            by_id,
            queues,
            rollback: None,
            foreseen: None,
            ..self.clone()
        }
    }

    fn add(&mut self, instance: Instance) {
        let (id, step) = (instance.id.clone(), instance.step);
        let ix = self.table.add(instance);
        self.table.step_mut(step).unsettled += 1;
        self.queues.unsettled += 1;
        self.by_id.insert(id, ix);
        let workflow = Arc::clone(&self.workflow);
        let place = self.place(&workflow, step);
        self.queues.enter(ix, &self.table.instance(ix).phase, place);
    }

    /// Replaces the instance that stands for a whole step by those of its items.
    pub(super) fn fan_out(&mut self, step: StepIx, items: Vec<Instance>) {
        let whole = self.table.take_instances(step);
        self.more_items(items);
        for &ix in whole.iter() {
            self.set_phase(ix, Phase::FannedOut);
        }
    }

    /// Adds instances to a step that has others already, of which at least one is not settled.
    pub(super) fn more_items(&mut self, items: Vec<Instance>) {
        for mut instance in items {
            instance.phase = Phase::Ready;
            self.add(instance);
        }
    }

    /// The one place where an instance changes its phase: keeps all queues and counts in step.
    pub(super) fn set_phase(&mut self, ix: InstanceIx, phase: Phase) {
        let step = self.instance(ix).step;
        let workflow = Arc::clone(&self.workflow);
        let place = self.place(&workflow, step);
        let old = std::mem::replace(&mut self.instance_mut(ix).phase, phase);
        let phase = &self.table.instance(ix).phase;
        self.queues.leave(ix, &old, place);
        self.queues.enter(ix, phase, place);
        let (was, is) = (counts_as_settled(&old), counts_as_settled(phase));
        let shown = *phase != Phase::FannedOut;
        if was != is {
            self.count_settled(step, is, shown);
        }
    }

    /// An instance of `step` was settled, or is no longer: its dependents may go on, or no longer.
    fn count_settled(&mut self, step: StepIx, settled: bool, shown: bool) {
        let record = self.table.step_mut(step);
        let all_before = record.unsettled == 0;
        if settled {
            record.unsettled -= 1;
            self.queues.unsettled -= 1;
            self.queues.settled += usize::from(shown);
        } else {
            record.unsettled += 1;
            self.queues.unsettled += 1;
            self.queues.settled -= 1;
        }
        let all_now = record.unsettled == 0;
        if all_before == all_now {
            return;
        }
        let workflow = Arc::clone(&self.workflow);
        for dependent in workflow.dag().dependents(step) {
            let before = self.place(&workflow, dependent);
            let record = self.table.step_mut(dependent);
            if all_now {
                record.unmet -= 1;
            } else {
                record.unmet += 1;
            }
            let after = self.place(&workflow, dependent);
            if before.free != after.free {
                for &ix in self.table.instances_of(dependent) {
                    let phase = &self.table.instance(ix).phase;
                    self.queues.leave(ix, phase, before);
                    self.queues.enter(ix, phase, after);
                }
            }
        }
    }

    /// What of a step says where its instances wait.
    fn place<'a>(&self, workflow: &'a Workflow, step: StepIx) -> Place<'a> {
        Place {
            step,
            policy: workflow.step(step),
            line: workflow.line_of(step),
            free: self.needs_settled(step),
        }
    }

    /// What the run is, from its first entry.
    #[must_use]
    pub fn started(&self) -> &Arc<RunStarted> {
        &self.started
    }

    /// The rules of its steps.
    #[must_use]
    pub fn workflow(&self) -> &Arc<Workflow> {
        &self.workflow
    }

    /// The number of the entry that comes next.
    #[must_use]
    pub fn next_seq(&self) -> Seq {
        self.next
    }

    /// The number of its newest entry.
    #[must_use]
    pub fn last_seq(&self) -> Seq {
        Seq(self.next.0.saturating_sub(1))
    }

    /// Who started it.
    #[must_use]
    pub fn starter(&self) -> &Operator {
        &self.starter
    }

    /// Who acted last.
    #[must_use]
    pub fn operator(&self) -> &Operator {
        &self.operator
    }

    /// How many instances may be under way at once.
    #[must_use]
    pub fn jobs(&self) -> u32 {
        self.jobs
    }

    /// When it started.
    #[must_use]
    pub fn begun(&self) -> Timestamp {
        self.begun
    }

    /// When something last happened.
    #[must_use]
    pub fn updated(&self) -> Timestamp {
        self.updated
    }

    /// The files that the runbook refers to, as they were when the run started.
    #[must_use]
    pub fn files(&self) -> &BTreeMap<String, String> {
        &self.files
    }

    /// Why a person stopped it for good, if one did.
    #[must_use]
    pub fn cancelled(&self) -> Option<&str> {
        self.cancelled.as_deref()
    }

    /// How it is being undone, if it is.
    #[must_use]
    pub fn rollback(&self) -> Option<&Rollback> {
        self.rollback.as_ref()
    }

    /// How many instances are settled, and how many there are as far as is known.
    #[must_use]
    pub fn progress(&self) -> (usize, usize) {
        (self.queues.settled, self.queues.settled + self.queues.unsettled)
    }

    /// One instance.
    #[must_use]
    pub fn instance(&self, ix: InstanceIx) -> &Instance {
        self.table.instance(ix)
    }

    pub(super) fn instance_mut(&mut self, ix: InstanceIx) -> &mut Instance {
        self.table.instance_mut(ix)
    }

    /// Where the instance of that id stands, if it exists.
    #[must_use]
    pub fn find(&self, id: &InstanceId) -> Option<InstanceIx> {
        self.by_id.get(id).copied()
    }

    /// The instances of a step; one that stands for all while the step is not opened.
    #[must_use]
    pub fn instances_of(&self, step: StepIx) -> &[InstanceIx] {
        self.table.instances_of(step)
    }

    /// The rules by which an instance is carried out.
    #[must_use]
    pub fn policy(&self, ix: InstanceIx) -> &StepPolicy {
        self.workflow.step(self.instance(ix).step)
    }

    pub(super) fn table(&self) -> &Table {
        &self.table
    }

    pub(super) fn queues(&self) -> &Queues {
        &self.queues
    }

    pub(super) fn needs_settled(&self, step: StepIx) -> bool {
        self.table.step(step).unmet == 0
    }

    pub(super) fn step_of(&self, id: &StepId) -> Option<StepIx> {
        self.workflow.find(id.as_str())
    }

    pub(super) fn set_outputs(&mut self, ix: InstanceIx, outputs: Outputs) {
        self.instance_mut(ix).outputs = Arc::new(Value::Object(outputs));
    }
}

fn counts_as_settled(phase: &Phase) -> bool {
    phase.is_settled() || *phase == Phase::FannedOut
}
