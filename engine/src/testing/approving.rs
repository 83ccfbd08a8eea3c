//! Approvals in a simulated run, and generated events about them.

use proptest::option;
use proptest::prelude::*;

use super::arbitrary::{failure, instance_id, text, time, value};
use super::simulation::Simulation;
use crate::core::Act;
use crate::core::event::{Approving, Event, Proposal};
use crate::id::{InstanceId, Operator};

impl Simulation {
    /// Somebody looks at what is to be approved.
    pub(super) fn judge(&mut self, instance: InstanceId) -> Option<Act> {
        let approval = self
            .state
            .instance(self.state.find(&instance)?)
            .approval
            .as_ref()?;
        let subject = approval.subject.clone();
        Some(match self.dice.next_of(&[200, 28, 28]) {
            0 => Act::Approve {
                instance,
                subject,
                note: None,
            },
            1 => Act::Approve {
                instance,
                subject: "something else".to_owned(),
                note: None,
            },
            _ => Act::Reject {
                instance,
                why: "not so".to_owned(),
            },
        })
    }

    /// Who looks at it: each time another one, if it is somebody's who carries nothing out.
    pub(super) fn approver(&mut self) -> Operator {
        match self.dice.next_of(&[190, 18, 18, 30]) {
            3 => self.somebody_who_has_approved(),
            0 => Operator::new(&format!("approver {}", self.journal.len())),
            1 => self.state.executor().clone(),
            _ => self.state.starter().clone(),
        }
    }

    /// Somebody who may take that back.
    fn somebody_who_has_approved(&self) -> Operator {
        let rows = self.state.rows().into_iter();
        let mut given = rows.filter_map(|row| {
            let approval = self.state.instance(self.state.find(&row.id)?).approval.as_ref()?;
            approval.by.last().cloned()
        });
        given.next().unwrap_or_else(|| self.state.starter().clone())
    }
}

/// Any event about an approval.
pub(super) fn approving_event() -> BoxedStrategy<Event> {
    let proposal = (text(), value()).prop_map(|(subject, what)| Proposal { subject, what });
    let approving = prop_oneof![
        (instance_id(), proposal).prop_map(|(instance, proposal)| Approving::Asked { instance, proposal }),
        (instance_id(), failure()).prop_map(|(instance, error)| Approving::Unclear { instance, error }),
        (instance_id(), text(), option::of(text())).prop_map(|(instance, subject, note)| Approving::Given {
            instance,
            subject,
            note
        }),
        (instance_id(), text()).prop_map(|(instance, why)| Approving::Rejected { instance, why }),
        (instance_id(), text()).prop_map(|(instance, why)| Approving::Withdrawn { instance, why }),
        (instance_id(), time()).prop_map(|(instance, asked)| Approving::Expired { instance, asked }),
    ];
    approving.prop_map(Event::Approving).boxed()
}
