//! The stored form of what overlays changed.

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
