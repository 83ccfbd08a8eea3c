//! Runs that are sent back in a simulation, and generated events about that.

use proptest::collection::vec;
use proptest::prelude::*;

use super::arbitrary::{instance_id, text};
use super::simulation::Simulation;
use crate::core::Act;
use crate::core::event::{Event, SentBack};
use crate::id::InstanceId;

impl Simulation {
    /// Somebody sends the run back from there to something before it, whether that is possible or not.
    pub(super) fn send_back(&mut self, instance: InstanceId) -> Option<Act> {
        let step = self.state.instance(self.state.find(&instance)?).step;
        let workflow = self.state.workflow().clone();
        let ancestors = workflow.dag().ancestors(step);
        let before: Vec<InstanceId> = ancestors
            .flat_map(|step| self.state.instances_of(step))
            .map(|&ix| self.state.instance(ix).id.clone())
            .collect();
        let chosen = usize::from(self.dice.roll(u8::try_from(before.len()).unwrap_or(u8::MAX)));
        let (to, why) = (before.get(chosen)?.clone(), "not done right".to_owned());
        Some(Act::SendBack { instance, to, why })
    }
}

/// Any event about it.
pub(super) fn sending_event() -> BoxedStrategy<Event> {
    (instance_id(), instance_id(), vec(instance_id(), 0..4), text())
        .prop_map(|(instance, to, again, why)| {
            Event::SentBack(SentBack {
                instance,
                to,
                again,
                why,
            })
        })
        .boxed()
}
