//! The steps that come before one, and what is known of each.

use std::fmt;
use std::sync::Arc;

use rpds::RedBlackTreeMapSync;
use serde::Serialize;
use serde_json::Value;

use crate::id::StepId;

/// What is known of a step that comes before.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepFacts {
    /// `succeeded`, `satisfied`, `skipped`.
    pub status: &'static str,
    /// Its outputs: a map of names, `null` where it was skipped; for a fan-out a map from item to outputs.
    pub outputs: Arc<Value>,
}

/// The steps that come before one. There may be many thousands, most of which nobody looks at: so each is put
/// together when somebody does.
pub trait Earlier: fmt::Debug + Send + Sync {
    /// The step of this id, which may be written with `_` for `-`, as after a dot.
    fn find(&self, name: &str) -> Option<(StepId, StepFacts)>;

    /// All of them, those that are needed directly first.
    fn all(&self) -> Box<dyn Iterator<Item = (StepId, StepFacts)> + Send + '_>;
}

/// A step's id as it is written after a dot.
pub(crate) fn dotted(id: &str) -> String {
    id.replace('-', "_")
}

impl Earlier for RedBlackTreeMapSync<StepId, StepFacts> {
    fn find(&self, name: &str) -> Option<(StepId, StepFacts)> {
        let similar = || self.iter().find(|(id, _)| dotted(id.as_str()) == dotted(name));
        let found = self.get_key_value(name).or_else(similar);
        found.map(|(id, facts)| (id.clone(), facts.clone()))
    }

    fn all(&self) -> Box<dyn Iterator<Item = (StepId, StepFacts)> + Send + '_> {
        Box::new(self.iter().map(|(id, facts)| (id.clone(), facts.clone())))
    }
}
