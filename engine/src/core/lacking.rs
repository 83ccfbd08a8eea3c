//! What whoever takes a turn does not have: secrets, roles, the right machine, and what others have under way. What needs
//! one of these is not taken in hand, and everything else goes on.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::instance::{Activity, Doubt, Phase};
use super::permission::Bars;
use super::state::RunState;
use super::table::InstanceIx;
use super::worker::Worker;
use super::workflow::StepPolicy;
use crate::id::{Host, InstanceId, RoleName};
use crate::secret::SecretName;

/// The secrets that this process does not know now, the roles that its operator does not have, the machine without
/// which it does nothing that belongs on another, and its place among other workers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lacking {
    secrets: BTreeSet<SecretName>,
    bars: Bars,
    host: Option<Host>,
    worker: Option<Arc<Worker>>,
}

impl Lacking {
    /// Nothing is lacking.
    #[must_use]
    pub fn nothing() -> Self {
        Self::default()
    }

    /// Whether a step that needs these secrets, and asks for these roles, is to be left alone.
    #[must_use]
    pub fn withholds(&self, needed: &[SecretName], roles: &[RoleName]) -> bool {
        let secret = !self.secrets.is_empty() && needed.iter().any(|name| self.secrets.contains(name));
        secret || self.bars(roles)
    }

    /// Whether a step that asks for these roles is somebody else's.
    fn bars(&self, roles: &[RoleName]) -> bool {
        let barred = !self.bars.roles.is_empty() && roles.iter().any(|role| self.bars_role(role));
        self.bars.stranger || barred || self.worker().is_some_and(|worker| worker.leaves(roles))
    }

    /// Whether the operator does not have this role.
    pub(super) fn bars_role(&self, role: &RoleName) -> bool {
        self.bars.roles.contains(role)
    }

    /// The same secrets, for somebody who may not do all.
    pub(super) fn barred_by(self, bars: Bars) -> Self {
        Self { bars, ..self }
    }

    /// The same on this machine, and on no other.
    #[must_use]
    pub fn here(self, host: Host) -> Self {
        let host = Some(host);
        Self { host, ..self }
    }

    /// The same for one of several workers.
    #[must_use]
    pub fn among(self, worker: Worker) -> Self {
        let worker = Some(Arc::new(worker));
        Self { worker, ..self }
    }

    pub(super) fn host(&self) -> Option<&Host> {
        self.host.as_ref()
    }

    pub(super) fn worker(&self) -> Option<&Worker> {
        self.worker.as_deref()
    }

    /// Whether a call that is under way is not another worker's.
    pub(super) fn owns(&self, activity: &Activity) -> bool {
        self.worker()
            .is_none_or(|worker| !worker.others.contains(&activity.of))
    }

    fn of<'a>(&'a self, policy: &'a StepPolicy) -> impl Iterator<Item = &'a SecretName> {
        policy.secrets.iter().filter(|name| self.secrets.contains(name))
    }
}

impl FromIterator<SecretName> for Lacking {
    fn from_iter<T: IntoIterator<Item = SecretName>>(names: T) -> Self {
        Self {
            secrets: names.into_iter().collect(),
            ..Self::default()
        }
    }
}

impl RunState {
    /// Whether an instance waits for a secret, or for somebody with another role or elsewhere.
    pub(crate) fn is_withheld(&self, ix: InstanceIx, lacking: &Lacking) -> bool {
        let policy = self.policy(ix);
        lacking.withholds(&policy.secrets, &policy.roles) || self.is_for_others(ix, lacking)
    }

    /// Whether an instance waits for somebody else, whatever secrets are known.
    fn is_not_ours(&self, ix: InstanceIx, lacking: &Lacking) -> bool {
        lacking.bars(&self.policy(ix).roles) || self.is_for_others(ix, lacking)
    }

    /// What would go on now if these secrets were known, and what each lacks, in the runbook's order.
    #[must_use]
    pub fn withheld(&self, lacking: &Lacking) -> Vec<(InstanceId, SecretName)> {
        let due = self.due(lacking).into_iter();
        // Nobody is asked for a secret of a step that is somebody else's.
        let ours = due.filter(|&ix| !self.is_not_ours(ix, lacking));
        ours.flat_map(|ix| self.wanted_by(ix, lacking)).collect()
    }

    fn wanted_by<'a>(
        &'a self,
        ix: InstanceIx,
        lacking: &'a Lacking,
    ) -> impl Iterator<Item = (InstanceId, SecretName)> + 'a {
        let names = lacking.of(self.policy(ix));
        names.map(move |name| (self.instance(ix).id.clone(), name.clone()))
    }

    /// What would go on now if nothing were lacking, in the runbook's order; of those that wait for the same, the first.
    pub(super) fn due(&self, lacking: &Lacking) -> Vec<InstanceIx> {
        if *lacking == Lacking::nothing() {
            return Vec::new();
        }
        let mut due: Vec<InstanceIx> = Vec::new();
        let queues = self.queues();
        if self.may_open() {
            due.extend(self.first_in_lines(lacking));
            due.extend(queues.observed.iter().copied());
            due.extend(queues.to_evaluate.iter().map(|(_, ix)| *ix));
        }
        if self.cancelled().is_none() {
            due.extend(queues.in_doubt.iter().copied().filter(|&ix| self.looks_next(ix)));
        }
        due.extend(self.own_calls(lacking));
        due.extend(self.to_undo_next());
        due.sort_unstable();
        due.dedup();
        due
    }

    /// Whether the doubt about an instance is settled by asking the step.
    fn looks_next(&self, ix: InstanceIx) -> bool {
        let (Phase::InDoubt(Doubt { cleared, .. }) | Phase::RollbackInDoubt(Doubt { cleared, .. })) =
            &self.instance(ix).phase
        else {
            return false;
        };
        *cleared && self.policy(ix).abilities.validates
    }

    /// What begins again by itself when a process takes the run up: the check of an outcome, and what it lacks.
    #[must_use]
    pub fn held_up(&self, lacking: &Lacking) -> Vec<(InstanceId, SecretName)> {
        let active = self.own_calls(lacking);
        let held_up = active.filter(|&ix| self.is_held_up(ix, lacking) && !self.is_not_ours(ix, lacking));
        held_up.flat_map(|ix| self.wanted_by(ix, lacking)).collect()
    }

    /// What a rollback undoes next, where nothing holds it up and no person does it.
    fn to_undo_next(&self) -> Option<InstanceIx> {
        let ix = self.rollback()?.current()?;
        let policy = self.policy(ix);
        let free = self.queues().active.is_empty() && !policy.abilities.by_person;
        (free && self.instance(ix).phase.can_be_undone()).then_some(ix)
    }

    /// Whether a call that the state shows as under way is not made, since it lacks a secret: only what was cut off
    /// while its outcome was checked begins again without an entry of its own.
    pub(crate) fn is_held_up(&self, ix: InstanceIx, lacking: &Lacking) -> bool {
        let phase = &self.instance(ix).phase;
        matches!(phase, Phase::Verifying(_) | Phase::RollbackVerifying(_)) && self.is_withheld(ix, lacking)
    }
}
