//! The table of contents of a bundle: what it holds, with the hashes of all of it. A signature of it covers everything.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::event::Transcript;
use crate::core::operators::{Operators, Standing, Stranger};
use crate::id::{Host, Operator, RunId, RunbookName, Seq};
use crate::identity::PublicKey;

/// The most bytes that a manifest may have.
pub(super) const LARGEST: u64 = 64 * 1024 * 1024;

/// Who made a bundle, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Maker {
    /// The operator.
    pub operator: Operator,
    /// The machine.
    pub host: Host,
    /// When.
    pub time: Timestamp,
    /// The version of the program.
    pub program: String,
    /// What they sign with, if they do: the manifest is signed then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<PublicKey>,
}

impl Maker {
    /// Whether they pass for who they say. Anybody may make a bundle of what they can read: only who says that they are
    /// another is found.
    ///
    /// # Errors
    /// Why they do not.
    pub fn standing(&self, team: &Operators) -> Result<Standing, Stranger> {
        match team.standing(&self.operator, self.key.as_ref(), self.time) {
            Err(Stranger::Unknown | Stranger::OutOfTime { .. }) => Ok(Standing::Claimed),
            other => other,
        }
    }
}

/// What a bundle holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The version of the form.
    pub bundle: u64,
    /// The run.
    pub run: RunId,
    /// The name of its runbook.
    pub runbook: RunbookName,
    /// Who made it.
    pub made: Maker,
    /// How many entries there are.
    pub entries: u64,
    /// The hash of the last one, which covers all before it.
    pub last: String,
    /// The hash of the runbook's text.
    pub definition: String,
    /// The transcripts, in the order of the entries that began them.
    pub transcripts: Vec<Kept>,
    /// The attachments, by their hashes.
    pub attachments: Vec<Attached>,
}

impl Manifest {
    /// The name that people know the run by.
    #[must_use]
    pub fn name(&self) -> String {
        self.run.name(&self.runbook)
    }
}

/// A transcript.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// The entry that began what printed it.
    pub of: Seq,
    /// How many chunks it has.
    pub chunks: u32,
    /// How many bytes.
    pub bytes: u64,
    /// The hash over all of them.
    pub sha256: String,
}

impl From<Transcript> for Kept {
    fn from(of: Transcript) -> Self {
        let Transcript {
            of,
            chunks,
            bytes,
            sha256,
        } = of;
        Self {
            of,
            chunks,
            bytes,
            sha256,
        }
    }
}

/// An attachment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attached {
    /// Its hash.
    pub sha256: String,
    /// How many bytes it has.
    pub bytes: u64,
}
