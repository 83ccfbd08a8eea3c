//! How a step gets its instances: it is opened, or settled without; and again where the run was sent back to something
//! that it stands on.

use jiff::Timestamp;

use super::apply::Misfit;
use super::decide::twice;
use super::event::{Entry, Event, Item};
use super::instance::{Instance, Phase};
use super::state::RunState;
use super::table::InstanceIx;
use crate::id::{InstanceId, StepId};
use crate::runbook::graph::StepIx;

/// Why an instance is not carried out that was part of its step before that was opened again.
const LEFT_OUT: &str = "the list that its step goes through does not hold it any more";

impl RunState {
    /// A step is opened, or settled without being opened.
    pub(super) fn open(&mut self, entry: &Entry) -> Result<(), Misfit> {
        match &entry.event {
            Event::StepOpened { step, items: None } => {
                let (_, pending) = self.unopened(step)?;
                if pending.iter().any(|&ix| self.instance(ix).item.is_some()) {
                    return Err(Misfit(format!("the step `{step}` goes through a list")));
                }
                for ix in pending {
                    self.opened(ix);
                }
            }
            Event::StepOpened {
                step,
                items: Some(items),
            } => {
                let (at, pending) = self.unopened(step)?;
                if items.is_empty() || twice(items).is_some() {
                    return Err(Misfit("it has no items, or one of them twice".to_owned()));
                }
                if pending.iter().any(|&ix| self.instance(ix).item.is_some()) {
                    self.open_again(step, at, items, &pending, entry.time);
                } else {
                    self.fan_out(at, items.iter().map(|item| of_item(step, at, item)).collect());
                }
            }
            Event::StepSkipped { step, reason } => {
                for ix in self.unopened(step)?.1 {
                    self.rest(ix, Phase::Skipped(reason.clone()), entry.time);
                }
            }
            Event::StepUnclear { step, error } => {
                for ix in self.unopened(step)?.1 {
                    self.instance_mut(ix).error = Some(error.clone());
                    self.rest(ix, Phase::Failed, entry.time);
                }
            }
            _ => return Err(Misfit("it opens no step".to_owned())),
        }
        Ok(())
    }

    fn opened(&mut self, ix: InstanceIx) {
        self.instance_mut(ix).reopens = false;
        self.set_phase(ix, Phase::Ready);
    }

    /// The items that a step had before go on as what they are; others come, and some are left out.
    fn open_again(
        &mut self,
        step: &StepId,
        at: StepIx,
        items: &[Item],
        pending: &[InstanceIx],
        time: Timestamp,
    ) {
        let new = items.iter().map(|item| of_item(step, at, item));
        let new: Vec<Instance> = new
            .filter(|one| {
                !self
                    .instances_of(at)
                    .iter()
                    .any(|&ix| self.instance(ix).id == one.id)
            })
            .collect();
        // Before any other is settled: the step is not, as long as one of its items is to come.
        self.more_items(new);
        for &ix in pending {
            let key = self.instance(ix).id.item().cloned();
            match items.iter().find(|item| Some(&item.key) == key.as_ref()) {
                Some(item) => {
                    self.instance_mut(ix).item = Some(item.value.clone());
                    self.opened(ix);
                }
                None => self.rest(ix, Phase::Skipped(LEFT_OUT.to_owned()), time),
            }
        }
    }

    /// A step that may be opened now, and the instances that wait for that: one that stands for all, or those that it
    /// had before.
    fn unopened(&self, step: &StepId) -> Result<(StepIx, Vec<InstanceIx>), Misfit> {
        let at = self
            .step_of(step)
            .ok_or_else(|| Misfit(format!("there is no step `{step}`")))?;
        let instances = self.instances_of(at).iter().copied();
        let pending = instances.filter(|&ix| self.instance(ix).phase == Phase::Pending);
        let pending: Vec<InstanceIx> = pending.collect();
        if self.may_open() && self.needs_settled(at) && !pending.is_empty() {
            Ok((at, pending))
        } else {
            Err(Misfit(format!("the step `{step}` is not about to be opened")))
        }
    }

    /// Those of a step that could not be opened wait for that again, all together.
    pub(super) fn opens_again(&mut self, ix: InstanceIx) {
        let step = self.instance(ix).step;
        for other in self.instances_of(step).to_vec() {
            let instance = self.instance_mut(other);
            if other == ix || (instance.reopens && instance.phase == Phase::Failed) {
                instance.all_tries_free();
                instance.ended = None;
                self.set_phase(other, Phase::Pending);
            }
        }
    }
}

fn of_item(step: &StepId, at: StepIx, item: &Item) -> Instance {
    let id = InstanceId::of_item(step.clone(), item.key.clone());
    Instance::new(id, at, Some(item.value.clone()))
}
