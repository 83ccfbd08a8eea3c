//! The stored form of what overlays and amendments changed.

use serde::{Deserialize, Serialize};

use super::parts::{all, twins};
use crate::core::event as core;

/// The twin of [`core::Overlaid`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Overlaid {
    file: String,
    text: String,
    overlays: Vec<PinnedOverlay>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PinnedOverlay {
    name: String,
    file: String,
    text: String,
    changes: Vec<Change>,
}

twins! {
    enum ChangeOf { Step, Param, Role, Session }
    enum ChangeAct { Added, Replaced, Changed, Moved, Skipped }
    struct Change { of: ChangeOf, name: String, act: ChangeAct, detail: String }
    struct Revision { of: ChangeOf, name: String, act: RevisionAct }
}

/// The twin of [`core::RevisionAct`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum RevisionAct {
    Added,
    Removed,
    Changed { fields: Vec<String> },
}

impl From<core::RevisionAct> for RevisionAct {
    fn from(of: core::RevisionAct) -> Self {
        match of {
            core::RevisionAct::Added => Self::Added,
            core::RevisionAct::Removed => Self::Removed,
            core::RevisionAct::Changed { fields } => Self::Changed { fields },
        }
    }
}

impl From<RevisionAct> for core::RevisionAct {
    fn from(of: RevisionAct) -> Self {
        match of {
            RevisionAct::Added => Self::Added,
            RevisionAct::Removed => Self::Removed,
            RevisionAct::Changed { fields } => Self::Changed { fields },
        }
    }
}

impl From<core::Overlaid> for Overlaid {
    fn from(of: core::Overlaid) -> Self {
        let core::Overlaid { file, text, overlays } = of;
        Self {
            file,
            text,
            overlays: all(overlays),
        }
    }
}

impl From<Overlaid> for core::Overlaid {
    fn from(of: Overlaid) -> Self {
        let Overlaid { file, text, overlays } = of;
        Self {
            file,
            text,
            overlays: all(overlays),
        }
    }
}

impl From<core::PinnedOverlay> for PinnedOverlay {
    fn from(of: core::PinnedOverlay) -> Self {
        let core::PinnedOverlay {
            name,
            file,
            text,
            changes,
        } = of;
        Self {
            name,
            file,
            text,
            changes: all(changes),
        }
    }
}

impl From<PinnedOverlay> for core::PinnedOverlay {
    fn from(of: PinnedOverlay) -> Self {
        let PinnedOverlay {
            name,
            file,
            text,
            changes,
        } = of;
        Self {
            name,
            file,
            text,
            changes: all(changes),
        }
    }
}
