//! The steps and instances of a run, in a form whose copies share what they have in common: a call that is under
//! way keeps the table as it was when the call was made, at no cost.

use std::sync::Arc;

use rpds::VectorSync;
use serde_json::Value;

use super::instance::Instance;
use super::status::InstanceStatus;
use crate::runbook::graph::StepIx;
use crate::step::StepFacts;

/// The position of an instance in the order in which instances came to be. 32 bits, as for steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceIx(u32);

impl InstanceIx {
    fn new(at: usize) -> Self {
        #[expect(clippy::expect_used, reason = "steps and items are bounded far below 2^32")]
        Self(u32::try_from(at).expect("fewer than 2^32 instances"))
    }

    fn index(self) -> usize {
        self.0 as usize
    }
}

/// All steps and all instances.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Table {
    steps: VectorSync<StepRecord>,
    instances: VectorSync<Instance>,
}

/// What is kept of a step beside its instances.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct StepRecord {
    /// How many of its needs are not settled.
    pub(super) unmet: usize,
    /// How many of its instances are not settled.
    pub(super) unsettled: usize,
    /// Its instances; while it is not opened, one that stands for all.
    instances: Arc<Vec<InstanceIx>>,
}

impl Table {
    /// That many steps, still without instances.
    pub(super) fn new(steps: usize) -> Self {
        Self {
            steps: (0..steps).map(|_| StepRecord::default()).collect(),
            instances: VectorSync::new_sync(),
        }
    }

    /// Adds an instance to its step.
    pub(super) fn add(&mut self, instance: Instance) -> InstanceIx {
        let ix = InstanceIx::new(self.instances.len());
        Arc::make_mut(&mut self.step_mut(instance.step).instances).push(ix);
        self.instances.push_back_mut(instance);
        ix
    }

    /// Takes all instances from a step, before others take their place.
    pub(super) fn take_instances(&mut self, step: StepIx) -> Arc<Vec<InstanceIx>> {
        std::mem::take(&mut self.step_mut(step).instances)
    }

    pub(super) fn step(&self, at: StepIx) -> &StepRecord {
        #[cfg(test)]
        LOOKS.set(LOOKS.get() + 1);
        &self.steps[at.index()]
    }

    pub(super) fn step_mut(&mut self, at: StepIx) -> &mut StepRecord {
        &mut self.steps[at.index()]
    }

    pub(super) fn instance(&self, ix: InstanceIx) -> &Instance {
        #[cfg(test)]
        LOOKS.set(LOOKS.get() + 1);
        &self.instances[ix.index()]
    }

    pub(super) fn instance_mut(&mut self, ix: InstanceIx) -> &mut Instance {
        &mut self.instances[ix.index()]
    }

    pub(super) fn instances_of(&self, step: StepIx) -> &[InstanceIx] {
        &self.step(step).instances
    }

    /// What others may know of a step.
    pub(super) fn facts(&self, step: StepIx) -> StepFacts {
        let instances = self.instances_of(step);
        let status = |ix: InstanceIx| self.instance(ix).phase.status().as_str();
        match instances {
            [only] if self.instance(*only).id.item().is_none() => StepFacts {
                status: status(*only),
                outputs: self.instance(*only).gives(),
            },
            many => {
                let part = |ix: &&InstanceIx| !self.instance(**ix).is_left_out();
                let many: Vec<InstanceIx> = many.iter().filter(part).copied().collect();
                let by_item = many.iter().filter_map(|&ix| {
                    let instance = self.instance(ix);
                    let key = instance.id.item()?.as_str().to_owned();
                    Some((key, instance.outputs.as_ref().clone()))
                });
                let outputs = Arc::new(Value::Object(by_item.collect()));
                let alike = many.windows(2).all(|pair| status(pair[0]) == status(pair[1]));
                let status = match many.first() {
                    Some(&first) if alike => status(first),
                    _ => InstanceStatus::Succeeded.as_str(),
                };
                StepFacts { status, outputs }
            }
        }
    }
}

#[cfg(test)]
thread_local! {
    static LOOKS: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// How often this thread has looked at a step or an instance: the measure of what a turn costs.
#[cfg(test)]
pub(super) fn looks() -> u64 {
    LOOKS.get()
}
