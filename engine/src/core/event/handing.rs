//! What can happen to the hands that a run is in; also what people ask for, word for word.

use serde::{Deserialize, Serialize};

use crate::id::Operator;

/// A run is offered, accepted, moved to another journal, or taken over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Handing {
    /// It is offered to somebody; whoever offers it has it until they accept.
    Offered {
        /// To whom.
        to: Operator,
        /// What they should know.
        note: Option<String>,
    },
    /// Whoever offered it has changed their mind.
    TakenBack,
    /// Whoever it was offered to has it from now on.
    Accepted,
    /// It goes on in another journal, and nothing more happens in this one.
    MovedOut {
        /// Who goes on with it there.
        to: Operator,
        /// What they should know.
        note: Option<String>,
    },
    /// It has arrived in this journal, and goes on here.
    MovedIn,
    /// Somebody has it from now on to whom nobody gave it.
    TakenOver {
        /// Why.
        why: String,
    },
    /// Any number of workers go on with it from now on; it is in nobody's hands alone.
    Shared,
}

impl Handing {
    /// The kind of event, as the journal names it.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Offered { .. } => "handoff_offered",
            Self::TakenBack => "handoff_taken_back",
            Self::Accepted => "handoff_accepted",
            Self::MovedOut { .. } => "moved_out",
            Self::MovedIn => "moved_in",
            Self::TakenOver { .. } => "taken_over",
            Self::Shared => "shared",
        }
    }
}
