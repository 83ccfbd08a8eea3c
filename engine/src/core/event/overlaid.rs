//! What overlays changed in a runbook before a run of it started, and what both said.

use serde::{Deserialize, Serialize};

/// The runbook as it was before overlays changed it, and the overlays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overlaid {
    /// The name of the runbook's file.
    pub file: String,
    /// The runbook's whole text.
    pub text: String,
    /// The overlays, in the order in which they were applied.
    pub overlays: Vec<PinnedOverlay>,
}

/// One overlay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PinnedOverlay {
    /// Its name.
    pub name: String,
    /// The name of its file.
    pub file: String,
    /// Its whole text.
    pub text: String,
    /// What it changed.
    pub changes: Vec<Change>,
}

/// One thing that an overlay changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// What sort of thing it is.
    pub of: ChangeOf,
    /// Its name: of a step, the id.
    pub name: String,
    /// What became of it.
    pub act: ChangeAct,
    /// More for people: where a step was put, which fields changed, why it is skipped.
    pub detail: String,
}

/// What an overlay can change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeOf {
    /// A step.
    Step,
    /// A parameter.
    Param,
    /// A role.
    Role,
    /// A session.
    Session,
}

/// What an overlay can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeAct {
    /// It was not there.
    Added,
    /// It is another one.
    Replaced,
    /// Some of its fields are others.
    Changed,
    /// It is carried out at another place.
    Moved,
    /// It is not carried out.
    Skipped,
}

impl ChangeAct {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Replaced => "replaced",
            Self::Changed => "changed",
            Self::Moved => "moved",
            Self::Skipped => "skipped",
        }
    }
}

impl Overlaid {
    /// What overlays changed in a step, each change with the name of the overlay.
    pub fn changes_of<'a>(&'a self, step: &'a str) -> impl Iterator<Item = (&'a str, &'a Change)> {
        self.changes()
            .filter(move |(_, change)| change.of == ChangeOf::Step && change.name == step)
    }

    /// All that overlays changed, each change with the name of the overlay.
    pub fn changes(&self) -> impl Iterator<Item = (&str, &Change)> {
        self.overlays.iter().flat_map(|overlay| {
            let changes = overlay.changes.iter();
            changes.map(|change| (overlay.name.as_str(), change))
        })
    }
}
