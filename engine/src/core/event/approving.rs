//! What can happen to an approval: it is asked for, given, taken back, refused, or comes too late.

use jiff::Timestamp;
use serde_json::Value;

use super::Failure;
use crate::id::InstanceId;

/// What exactly would be carried out, and its hash.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// The SHA-256 of `what` in its canonical form, in hexadecimal.
    pub subject: String,
    /// The step, its inputs, what it may read, and the machine; no secret.
    pub what: Value,
}

/// Something about the approval of an instance.
#[derive(Debug, Clone, PartialEq)]
pub enum Approving {
    /// It is not carried out before this is approved.
    Asked {
        /// The instance.
        instance: InstanceId,
        /// What is to be approved.
        proposal: Proposal,
    },
    /// What would be carried out could not be worked out.
    Unclear {
        /// The instance.
        instance: InstanceId,
        /// Why not.
        error: Failure,
    },
    /// Whoever wrote the entry approves.
    Given {
        /// The instance.
        instance: InstanceId,
        /// The hash of what they approve.
        subject: String,
        /// What else they said.
        note: Option<String>,
    },
    /// Whoever wrote the entry does not want it carried out so.
    Rejected {
        /// The instance.
        instance: InstanceId,
        /// Why.
        why: String,
    },
    /// Whoever wrote the entry had approved, and takes that back: it is waited for again.
    Withdrawn {
        /// The instance.
        instance: InstanceId,
        /// Why.
        why: String,
    },
    /// Not enough people approved in time.
    Expired {
        /// The instance.
        instance: InstanceId,
        /// When it was asked for.
        asked: Timestamp,
    },
}

impl Approving {
    /// The kind of event, as the journal names it.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Asked { .. } => "approval_asked",
            Self::Unclear { .. } => "approval_unclear",
            Self::Given { .. } => "approved",
            Self::Rejected { .. } => "rejected",
            Self::Withdrawn { .. } => "approval_withdrawn",
            Self::Expired { .. } => "approval_expired",
        }
    }

    /// The instance that it is about.
    #[must_use]
    pub fn instance(&self) -> &InstanceId {
        match self {
            Self::Asked { instance, .. }
            | Self::Unclear { instance, .. }
            | Self::Given { instance, .. }
            | Self::Rejected { instance, .. }
            | Self::Withdrawn { instance, .. }
            | Self::Expired { instance, .. } => instance,
        }
    }
}
