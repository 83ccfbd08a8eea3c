//! Amendments of a simulated run: people change what is to come, and try to change what is done.

use std::sync::Arc;

use super::simulation::Simulation;
use super::workflows::plain_step;
use crate::core::event::{Amended, ChangeOf, Revision, RevisionAct};
use crate::core::{Act, Retry, StepPolicy, Workflow};
use crate::id::StepId;

impl Simulation {
    /// An amendment, whether it is possible or not; the state and the history know what it leads to.
    pub(super) fn amend(&mut self) -> Option<Act> {
        let mut steps: Vec<StepPolicy> = self
            .state
            .workflow()
            .steps()
            .map(|(_, step)| step.clone())
            .collect();
        let chosen = usize::from(self.dice.roll(u8::try_from(steps.len()).unwrap_or(u8::MAX)));
        let revisions = match self.dice.roll(4) {
            0 => self.add(&mut steps, chosen),
            1 => remove(&mut steps, chosen),
            _ => vec![self.change(steps.get_mut(chosen)?)],
        };
        // Steps that would need each other in a circle are no runbook.
        let workflow = Arc::new(Workflow::new(steps).ok()?);
        self.foresee(&workflow);
        Some(Act::Amend(Box::new(Amended {
            file: "simulated.yaml".to_owned(),
            text: String::new(),
            overlaid: None,
            files: self.state.files().clone(),
            params: std::collections::BTreeMap::new(),
            why: "a whim".to_owned(),
            revisions,
        })))
    }

    /// Everybody knows what the next amendment leads to, once it is there.
    fn foresee(&mut self, workflow: &Arc<Workflow>) {
        self.state.foresee(workflow);
        self.history.foresee(workflow);
        self.amendments.push(Arc::clone(workflow));
    }

    /// Nobody foresees anything any more, whether it came about or was refused, or the process died before.
    pub(super) fn forget(&mut self) {
        let there = self.journal.iter().filter(|entry| entry.amends());
        self.amendments.truncate(there.count());
        self.state.forget();
        self.history.forget();
    }

    /// Puts a new step before or after another.
    fn add(&mut self, steps: &mut Vec<StepPolicy>, chosen: usize) -> Vec<Revision> {
        let mut new = plain_step(&format!("n{}", self.journal.len()));
        let mut revisions = vec![step(&new.id, RevisionAct::Added)];
        match steps.get_mut(chosen) {
            Some(other) if self.dice.chance(128) => {
                other.needs.push(new.id.clone());
                revisions.push(changed(&other.id, "needs"));
            }
            Some(other) => new.needs.push(other.id.clone()),
            None => {}
        }
        steps.insert(chosen.min(steps.len()), new);
        revisions
    }

    fn change(&mut self, policy: &mut StepPolicy) -> Revision {
        let field = match self.dice.roll(7) {
            0 => {
                policy.abilities.validates = !policy.abilities.validates;
                "with"
            }
            1 => {
                policy.abilities.by_person = !policy.abilities.by_person;
                "uses"
            }
            2 => {
                policy.retry = Retry {
                    attempts: 3,
                    ..Retry::default()
                };
                "retry"
            }
            3 => {
                policy.conditional = !policy.conditional;
                "when"
            }
            4 => {
                policy.fans_out = !policy.fans_out;
                "for_each"
            }
            5 => {
                policy.approve = None;
                "approve"
            }
            _ => {
                policy.locks.clear();
                "lock"
            }
        };
        changed(&policy.id, field)
    }
}

fn remove(steps: &mut Vec<StepPolicy>, chosen: usize) -> Vec<Revision> {
    if chosen >= steps.len() {
        return Vec::new();
    }
    let gone = steps.remove(chosen).id;
    let mut revisions = vec![step(&gone, RevisionAct::Removed)];
    for other in steps.iter_mut().filter(|other| other.needs.contains(&gone)) {
        other.needs.retain(|need| *need != gone);
        revisions.push(changed(&other.id, "needs"));
    }
    revisions
}

fn changed(id: &StepId, field: &str) -> Revision {
    let fields = vec![field.to_owned()];
    step(id, RevisionAct::Changed { fields })
}

fn step(id: &StepId, act: RevisionAct) -> Revision {
    Revision {
        of: ChangeOf::Step,
        name: id.to_string(),
        act,
    }
}
