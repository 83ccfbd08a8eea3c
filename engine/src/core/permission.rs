//! Who may do what: roles, and the standing of whoever acts. Where a team has no `operators.yaml`, everyone may do
//! everything.

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;

use super::Turn;
use super::event::{Event, Handing, RollbackScope};
use super::input::{Act, Input, Rejection};
use super::lacking::Lacking;
use super::operators::Stranger;
use super::state::RunState;
use super::table::InstanceIx;
use super::workflow::{StepPolicy, Workflow};
use crate::id::{Host, InstanceId, Operator, RoleName};
use crate::identity::PublicKey;

/// Somebody may not do something, and who may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forbidden {
    /// Who wanted to.
    pub operator: Operator,
    /// What stands in the way.
    pub barrier: Barrier,
    /// Who may, as far as is known.
    pub who_may: Vec<Operator>,
}

/// What stands in the way of somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Barrier {
    /// They do not pass for the person that they say they are.
    Stranger(Stranger),
    /// They do not have the role that a step asks for.
    Role {
        /// The step's instance.
        instance: InstanceId,
        /// The role.
        role: RoleName,
    },
    /// A step is carried out on another machine.
    Elsewhere {
        /// The step's instance.
        instance: InstanceId,
        /// That machine.
        host: Host,
    },
}

impl Barrier {
    /// Whether the file does not name the person, or not for this time.
    fn is_about_the_file(&self) -> bool {
        matches!(
            self,
            Self::Stranger(Stranger::Unknown | Stranger::OutOfTime { .. })
        )
    }
}

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.operator;
        match &self.barrier {
            Barrier::Role { instance, role } => {
                write!(
                    f,
                    "`{instance}` asks for the role `{role}`, which `{name}` does not have"
                )
            }
            Barrier::Elsewhere { instance, host } => {
                write!(
                    f,
                    "`{instance}` is carried out on `{host}`, and this is another machine"
                )
            }
            Barrier::Stranger(stranger) => f.write_str(&stranger.says(name)),
        }
    }
}

impl Forbidden {
    /// What to do instead.
    #[must_use]
    pub fn instead(&self) -> String {
        let name = &self.operator;
        let names: Vec<String> = self.who_may.iter().map(|name| format!("`{name}`")).collect();
        match &self.barrier {
            Barrier::Role { role, .. } if names.is_empty() => {
                format!("nobody in operators.yaml has the role `{role}` now")
            }
            Barrier::Role { .. } => format!(
                "{} may: hand it over, or let them do it under their own name",
                names.join(", ")
            ),
            Barrier::Elsewhere { host, .. } => {
                format!("go on with the run on `{host}`: the step says `on:`")
            }
            Barrier::Stranger(Stranger::Unsigned) => format!(
                "act under your own name; `{name}` needs their key here: `runbook identity show` tells which there is"
            ),
            Barrier::Stranger(Stranger::OtherKey(_)) => {
                format!("act under your own name, or with the key that operators.yaml gives `{name}`")
            }
            Barrier::Stranger(Stranger::Unknown | Stranger::OutOfTime { .. }) if names.is_empty() => {
                "nobody in operators.yaml may act now".to_owned()
            }
            Barrier::Stranger(Stranger::Unknown | Stranger::OutOfTime { .. }) => {
                format!("operators.yaml lets these act now: {}", names.join(", "))
            }
        }
    }
}

impl Workflow {
    /// Whether somebody may take part in a run of it.
    ///
    /// # Errors
    /// Why not, and who may.
    pub fn may_take_part(
        &self,
        operator: &Operator,
        key: Option<&PublicKey>,
        time: Timestamp,
    ) -> Result<(), Forbidden> {
        let Some(operators) = self.operators() else {
            return Ok(());
        };
        let Err(stranger) = operators.standing(operator, key, time) else {
            return Ok(());
        };
        Err(Forbidden {
            operator: operator.clone(),
            barrier: Barrier::Stranger(stranger),
            who_may: operators.who_is_there(time),
        })
    }

    /// The first role that a step asks for and somebody does not have.
    fn missing_role<'a>(
        &self,
        policy: &'a StepPolicy,
        operator: &Operator,
        time: Timestamp,
    ) -> Option<&'a RoleName> {
        let operators = self.operators()?;
        policy
            .roles
            .iter()
            .find(|role| !operators.has(operator, role, time))
    }

    /// What somebody may not be given to do.
    fn bars(&self, operator: &Operator, key: Option<&PublicKey>, time: Timestamp) -> Bars {
        let Some(operators) = self.operators() else {
            return Bars::default();
        };
        let asked = self.steps().flat_map(|(_, policy)| &policy.roles);
        let missing = asked.filter(|role| !operators.has(operator, role, time));
        Bars {
            stranger: operators.standing(operator, key, time).is_err(),
            roles: missing.cloned().collect(),
        }
    }
}

/// What somebody may not be given to do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Bars {
    /// Nothing at all.
    pub(super) stranger: bool,
    /// What asks for one of these roles.
    pub(super) roles: BTreeSet<RoleName>,
}

impl RunState {
    /// The same, without what somebody may not do.
    #[must_use]
    pub fn lacking_for(
        &self,
        operator: &Operator,
        key: Option<&PublicKey>,
        time: Timestamp,
        lacking: Lacking,
    ) -> Lacking {
        match self.workflow().operators() {
            None => lacking,
            Some(_) => lacking.barred_by(self.workflow().bars(operator, key, time)),
        }
    }

    /// Whether somebody may act on an instance.
    ///
    /// # Errors
    /// Why not, and who may.
    pub fn may_act_on(&self, id: &InstanceId, operator: &Operator, time: Timestamp) -> Result<(), Forbidden> {
        match self.step_of(id.step()) {
            None => Ok(()),
            Some(at) => self.may_carry_out(self.workflow().step(at), id, operator, time),
        }
    }

    /// Whether somebody has the roles that an instance asks for under that policy.
    pub(super) fn may_carry_out(
        &self,
        policy: &StepPolicy,
        id: &InstanceId,
        operator: &Operator,
        time: Timestamp,
    ) -> Result<(), Forbidden> {
        match self.workflow().missing_role(policy, operator, time) {
            None => Ok(()),
            Some(role) => Err(self.forbidden(id, role, operator, time)),
        }
    }

    /// Whether somebody may approve an instance, or reject it.
    ///
    /// # Errors
    /// Why not, and who may.
    pub fn may_judge(&self, id: &InstanceId, operator: &Operator, time: Timestamp) -> Result<(), Forbidden> {
        let rule = self
            .step_of(id.step())
            .and_then(|at| self.workflow().step(at).approve.as_ref());
        let role = rule.and_then(|rule| rule.by.as_ref());
        match (role, self.workflow().operators()) {
            (Some(role), Some(operators)) if !operators.has(operator, role, time) => {
                Err(self.forbidden(id, role, operator, time))
            }
            _ => Ok(()),
        }
    }

    fn forbidden(&self, id: &InstanceId, role: &RoleName, operator: &Operator, time: Timestamp) -> Forbidden {
        let operators = self.workflow().operators();
        Forbidden {
            operator: operator.clone(),
            barrier: Barrier::Role {
                instance: id.clone(),
                role: role.clone(),
            },
            who_may: operators.map_or_else(Vec::new, |operators| operators.who_has(role, time)),
        }
    }

    /// What would go on now if this operator had the roles for it, and who has them; in the runbook's order.
    #[must_use]
    pub fn forbidden_now(&self, operator: &Operator, time: Timestamp, lacking: &Lacking) -> Vec<Forbidden> {
        let due = self.due(lacking).into_iter().filter_map(|ix| {
            let (id, policy) = (&self.instance(ix).id, self.policy(ix));
            match policy.roles.iter().find(|role| lacking.bars_role(role)) {
                Some(role) => Some(self.forbidden(id, role, operator, time)),
                None => self.elsewhere(ix, operator, lacking),
            }
        });
        due.collect()
    }

    /// That an instance belongs on another machine than this, if it does.
    fn elsewhere(&self, ix: InstanceIx, operator: &Operator, lacking: &Lacking) -> Option<Forbidden> {
        let here = lacking.host()?;
        let host = self.place_of(ix).filter(|place| !place.is_same(here))?;
        let instance = self.instance(ix).id.clone();
        Some(Forbidden {
            operator: operator.clone(),
            barrier: Barrier::Elsewhere { instance, host },
            who_may: Vec::new(),
        })
    }
}

/// Refuses an input that whoever takes the turn may not give.
pub(super) fn permitted(state: &RunState, input: &Input, turn: &Turn) -> Result<(), Rejection> {
    if !matches!(input, Input::Act(_) | Input::Resumed { .. }) {
        return Ok(());
    }
    let (operator, now) = (&turn.operator, turn.now);
    state
        .workflow()
        .may_take_part(operator, turn.key.as_ref(), now)
        .map_err(Rejection::from)?;
    let of_step = |id: &InstanceId| state.may_act_on(id, operator, now).map_err(Rejection::from);
    match input {
        Input::Act(
            Act::Tick { instance, .. } | Act::Confirm { instance, .. } | Act::Decide { instance, .. },
        ) => of_step(instance),
        Input::Act(Act::SendBack { instance, .. }) => {
            state.may_send_back(instance, operator, now).map_err(Rejection::from)
        }
        Input::Act(Act::Approve { instance, .. } | Act::Reject { instance, .. }) => {
            state.may_judge(instance, operator, now).map_err(Rejection::from)
        }
        Input::Act(Act::Rollback {
            scope: RollbackScope::Steps(steps),
            ..
        }) => steps.iter().try_for_each(|step| of_step(&step.clone().into())),
        // Somebody who may do nothing with a run cannot be given it.
        Input::Act(Act::Hand(Handing::Offered { to, .. } | Handing::MovedOut { to, .. })) => {
            let absent = state.workflow().may_take_part(to, None, now).err();
            let absent = absent.filter(|one| one.barrier.is_about_the_file());
            absent.map_or(Ok(()), |one| Err(one.into()))
        }
        // Each step that is undone asks for its own role.
        Input::Act(
            Act::Hand(
                Handing::Accepted
                | Handing::MovedIn
                | Handing::TakenBack
                | Handing::TakenOver { .. }
                | Handing::Shared,
            )
            | Act::Cancel { .. }
            // Which roles it asks for is looked up where the new definition is.
            | Act::Amend(_)
            | Act::Rollback {
                scope: RollbackScope::Run,
                ..
            },
        )
        | Input::Resumed { .. }
        | Input::CutOff { .. }
        | Input::Expired { .. }
        | Input::Evaluated { .. }
        | Input::Described { .. }
        | Input::Finished { .. }
        | Input::ProcessStarted { .. }
        | Input::Kept { .. }
        | Input::ProcessCleared { .. }
        | Input::Clock => Ok(()),
    }
}

/// The instance of an event for which its author must have the step's role: it changes the world, or says what
/// became of it.
pub(super) fn asks_for_role(event: &Event) -> Option<&InstanceId> {
    match event {
        Event::AttemptStarted { instance, .. }
        | Event::RollbackAttemptStarted { instance, .. }
        | Event::Ticked { instance, .. }
        | Event::Confirmed { instance, .. }
        | Event::Decided { instance, .. } => Some(instance),
        Event::RunStarted(_)
        | Event::FilePinned { .. }
        | Event::Amended(_)
        | Event::RunResumed { .. }
        | Event::StepOpened { .. }
        | Event::StepSkipped { .. }
        | Event::StepUnclear { .. }
        | Event::ObservationStarted { .. }
        | Event::Observed { .. }
        | Event::ObservationFailed { .. }
        | Event::ProcessStarted { .. }
        | Event::StopRequested { .. }
        | Event::AttemptReturned { .. }
        | Event::AttemptFailed { .. }
        | Event::Verified { .. }
        | Event::Interrupted { .. }
        | Event::ProcessCleared { .. }
        | Event::DoubtSettled { .. }
        | Event::PersonNeeded { .. }
        | Event::CancelRequested { .. }
        | Event::RollbackStarted { .. }
        | Event::RollbackKept { .. }
        | Event::RollbackReturned { .. }
        | Event::RolledBack { .. }
        | Event::RollbackFailed { .. }
        | Event::Approving(_)
        | Event::SentBack(_)
        | Event::Handed(_) => None,
    }
}
