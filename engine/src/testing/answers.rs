//! What the simulated shell answers at once: which instances a step has, and what would be carried out.

use serde_json::json;

use super::laws::Broken;
use super::simulation::Simulation;
use crate::core::event::{Item, Proposal};
use crate::core::{Evaluation, Input};
use crate::id::{InstanceId, StepId};

impl Simulation {
    /// The instances of a step.
    pub(super) fn evaluate(&mut self, step: &StepId) -> Result<Input, Broken> {
        let workflow = self.state.workflow();
        let fans_out = workflow.find(step.as_str());
        let fans_out = fans_out.is_some_and(|at| workflow.step(at).fans_out);
        let result = match self.dice.next_of(&[200, 30, 10]) {
            0 if fans_out => {
                let items = (0..=self.dice.roll(3)).map(item).collect::<Result<Vec<_>, _>>()?;
                Ok(Evaluation::Each(items))
            }
            0 => Ok(Evaluation::One),
            1 => Ok(Evaluation::Skip("not wanted".to_owned())),
            2 if fans_out => Ok(Evaluation::Each(vec![item(1)?, item(1)?])),
            _ => Err(super::world::failed("no such name")),
        };
        let step = step.clone();
        Ok(Input::Evaluated { step, result })
    }

    /// What would be carried out: mostly the same each time, now and then something else, or nothing that makes sense.
    pub(super) fn describe(&mut self, instance: InstanceId) -> Input {
        let result = match self.dice.next_of(&[220, 24, 12]) {
            2 => Err(super::world::failed("no such name")),
            which => Ok(Proposal {
                subject: format!("{instance} {which}"),
                what: json!({ "with": which }),
            }),
        };
        Input::Described { instance, result }
    }
}

fn item(number: u8) -> Result<Item, Broken> {
    let key = format!("i{number}")
        .parse()
        .map_err(|invalid| format!("{invalid}"))?;
    Ok(Item {
        key,
        value: number.into(),
    })
}
