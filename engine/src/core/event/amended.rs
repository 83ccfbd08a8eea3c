//! What an amendment says: the definition of a run from there on, and how it differs from the one before.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::overlaid::{ChangeOf, Overlaid};
use crate::id::ParamName;

/// The definition of a run was changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Amended {
    /// The name of the runbook's file.
    pub file: String,
    /// The runbook's whole text, or what overlays made of it.
    pub text: String,
    /// What overlays changed, if there are any.
    pub overlaid: Option<Box<Overlaid>>,
    /// The texts of all files that the runbook refers to, by name.
    pub files: BTreeMap<String, String>,
    /// The values of the parameters that it has and the one before had not; no secrets.
    pub params: BTreeMap<ParamName, Value>,
    /// Why.
    pub why: String,
    /// How it differs from the one before.
    pub revisions: Vec<Revision>,
}

/// One thing that an amendment changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revision {
    /// What sort of thing it is.
    pub of: ChangeOf,
    /// Its name: of a step, the id.
    pub name: String,
    /// What became of it.
    pub act: RevisionAct,
}

/// What became of something that an amendment changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum RevisionAct {
    /// It was not there.
    Added,
    /// It is not there any more.
    Removed,
    /// Some of it is different.
    Changed {
        /// The keys whose values are others; of a step also what its kind, session and files say, by their names.
        fields: Vec<String>,
    },
}

impl Amended {
    /// What became of a step, if anything did.
    #[must_use]
    pub fn of_step(&self, step: &str) -> Option<&RevisionAct> {
        let mut found = self.revisions.iter();
        let found = found.find(|revision| revision.of == ChangeOf::Step && revision.name == step);
        found.map(|revision| &revision.act)
    }
}
