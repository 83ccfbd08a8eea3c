//! The people of a simulated run: they answer what they are asked, and meddle.

use super::simulation::Simulation;
use super::world::There;
use crate::core::event::{Need, Outputs, RollbackScope, Ruling};
use crate::core::{Act, Phase, RunStatus};
use crate::id::InstanceId;

impl Simulation {
    /// Nothing goes on: people do what they are asked for.
    pub(super) fn answer(&mut self) -> Option<Act> {
        if let Some(waiting) = self.state.waiting_for().into_iter().next() {
            let instance = waiting.id;
            if !waiting.undoing && self.dice.chance(24) {
                let act = self.send_back(instance.clone());
                if act.is_some() {
                    return act;
                }
            }
            return Some(match (waiting.need, self.dice.next_of(&[180, 38, 38])) {
                (Need::ManualWork, 0) => {
                    let before = self.world.before(&instance);
                    self.world
                        .by_hand(&instance, if waiting.undoing { before } else { There::Whole });
                    let (values, attachments, note) = (Outputs::new(), Vec::new(), None);
                    Act::Confirm {
                        instance,
                        values,
                        attachments,
                        note,
                    }
                }
                (Need::ManualWork, 1) => decide(instance, Ruling::Fail),
                (Need::ManualWork, _) => decide(instance, Ruling::Skip),
                (Need::Approval, _) => self.judge(instance)?,
                (Need::Decision, _) => decide(instance, self.ruling()),
            });
        }
        match self.state.status() {
            RunStatus::Stuck => {
                let instance = self.state.still_to_undo().into_iter().next()?;
                let ruling = if self.dice.is_used_up() {
                    Ruling::Skip
                } else {
                    self.ruling()
                };
                Some(decide(instance, ruling))
            }
            RunStatus::Failed | RunStatus::RolledBack if !self.dice.is_used_up() => self.try_again(),
            _ => None,
        }
    }

    fn try_again(&mut self) -> Option<Act> {
        let rows = self.state.rows();
        let reopened = |id: &InstanceId| {
            let phase = self.state.find(id).map(|ix| &self.state.instance(ix).phase);
            matches!(phase, Some(Phase::Failed | Phase::RolledBack))
        };
        let ids: Vec<InstanceId> = rows.into_iter().map(|row| row.id).filter(reopened).collect();
        let chosen = usize::from(self.dice.roll(u8::try_from(ids.len()).unwrap_or(u8::MAX)));
        let ruling = if self.dice.chance(200) {
            Ruling::Again
        } else {
            self.ruling()
        };
        ids.into_iter().nth(chosen).map(|id| decide(id, ruling))
    }

    fn ruling(&mut self) -> Ruling {
        match self.dice.roll(4) {
            0 => Ruling::Done,
            1 => Ruling::Again,
            2 => Ruling::Fail,
            _ => Ruling::Skip,
        }
    }

    /// People act as they like, whether it is possible or not.
    pub(super) fn meddle(&mut self) -> Option<Act> {
        let rows = self.state.rows();
        let chosen = usize::from(self.dice.roll(u8::try_from(rows.len()).unwrap_or(u8::MAX)));
        let instance = rows.into_iter().nth(chosen)?.id;
        let why = "a whim".to_owned();
        Some(match self.dice.next_of(&[80, 40, 40, 26, 16, 16, 26, 12]) {
            0 => decide(instance, self.ruling()),
            1 => Act::Confirm {
                instance,
                values: Outputs::new(),
                attachments: Vec::new(),
                note: None,
            },
            2 => Act::Rollback {
                scope: RollbackScope::Steps(vec![instance.step().clone()]),
                why,
            },
            3 => Act::Rollback {
                scope: RollbackScope::Run,
                why,
            },
            4 => Act::Cancel { why },
            6 => self.amend()?,
            7 => self
                .send_back(instance.clone())
                .unwrap_or(Act::Reject { instance, why }),
            _ => self
                .judge(instance.clone())
                .unwrap_or(Act::Reject { instance, why }),
        })
    }
}

fn decide(instance: InstanceId, ruling: Ruling) -> Act {
    let why = "a person said so".to_owned();
    Act::Decide {
        instance,
        ruling,
        why,
    }
}
