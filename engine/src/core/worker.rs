//! Which part of a run is for one of several workers: where it is, what it works for, and what others have under way.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use super::instance::Activity;
use super::lacking::Lacking;
use super::state::RunState;
use super::table::InstanceIx;
use crate::id::{Host, InstanceId, Operator, ParamName, RoleName, Seq};

/// One of several processes that carry a run out together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worker {
    /// For whom it works.
    pub operator: Operator,
    /// The roles that it works for; none works for all.
    pub roles: Option<BTreeSet<RoleName>>,
    /// How many calls of its own may be under way at once.
    pub jobs: u32,
    /// The calls that others have under way, by the entry that started them. All others are its own.
    pub others: BTreeSet<Seq>,
}

impl Worker {
    /// Whether a step that asks for these roles is none of those that it works for.
    pub(super) fn leaves(&self, roles: &[RoleName]) -> bool {
        let wanted = self.roles.as_ref();
        wanted.is_some_and(|wanted| roles.iter().any(|role| !wanted.contains(role)))
    }
}

/// Where a step is carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// On this machine.
    Host(Host),
    /// On the machine that the item names, or a field in it.
    Item(Vec<String>),
    /// On the machine that a parameter names, or a field in it.
    Param(ParamName, Vec<String>),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, fields) = match self {
            Self::Host(host) => return write!(f, "{host}"),
            Self::Item(fields) => ("item".to_owned(), fields),
            Self::Param(name, fields) => (format!("params.{name}"), fields),
        };
        write!(f, "{name}")?;
        fields.iter().try_for_each(|field| write!(f, ".{field}"))
    }
}

impl RunState {
    /// The machine that an instance is carried out on; none where any will do.
    #[must_use]
    pub fn place_of(&self, ix: InstanceIx) -> Option<Host> {
        let (value, fields) = match self.policy(ix).on.as_ref()? {
            Place::Host(host) => return Some(host.clone()),
            Place::Item(fields) => (self.instance(ix).item.as_ref(), fields),
            Place::Param(name, fields) => (self.started().params.get(name), fields),
        };
        let found = fields
            .iter()
            .try_fold(value?, |value, field| value.get(field.as_str()));
        Some(match found {
            Some(Value::String(name)) => Host::new(name),
            // Nobody is there, and people read what stands in the way.
            Some(other) => Host::new(&other.to_string()),
            None => Host::new("nowhere"),
        })
    }

    /// Whether an instance is to be carried out on another machine, or by somebody else than who approved it.
    pub(super) fn is_for_others(&self, ix: InstanceIx, lacking: &Lacking) -> bool {
        let elsewhere = lacking.host().is_some_and(|here| {
            let place = self.place_of(ix);
            place.is_some_and(|place| !place.is_same(here))
        });
        elsewhere
            || lacking
                .worker()
                .is_some_and(|worker| self.is_barred_by_approving(ix, &worker.operator))
    }

    /// The calls under way that whoever lacks this has to make, or to see to.
    pub(super) fn own_calls<'a>(&'a self, lacking: &'a Lacking) -> impl Iterator<Item = InstanceIx> + 'a {
        let active = self.queues().active.iter().copied();
        active.filter(move |&ix| {
            let activity = self.instance(ix).phase.activity();
            activity.is_some_and(|activity| lacking.owns(activity))
        })
    }

    /// The calls of others that a worker could settle if nobody made them any more, by the entry that started them.
    pub fn abandoned<'a>(&'a self, lacking: &'a Lacking) -> impl Iterator<Item = Seq> + 'a {
        let active = self.queues().active.iter().copied();
        let ours = active.filter(move |&ix| !self.is_withheld(ix, lacking));
        let calls = ours.filter_map(|ix| self.instance(ix).phase.activity());
        calls
            .filter(move |activity| !lacking.owns(activity))
            .map(|activity| activity.of)
    }

    /// What is under way: the instance, and the entry that started the call.
    pub fn calls(&self) -> impl Iterator<Item = (&InstanceId, &Activity)> {
        let active = self.queues().active.iter();
        active.filter_map(|&ix| {
            let instance = self.instance(ix);
            Some((&instance.id, instance.phase.activity()?))
        })
    }
}
