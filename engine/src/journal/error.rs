//! Why a journal did not do what it was asked.

use super::Holder;
use crate::id::{RunId, Seq};
use crate::identity::SigningFailed;

/// Why a journal did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// There is no such run.
    #[error("there is no run {0}")]
    NotFound(RunId),
    /// Somebody else holds the run.
    #[error("the run is held by {}", .0.as_ref().map_or_else(|| "another process".to_owned(), Holder::to_string))]
    Held(Option<Holder>),
    /// The writer is not up to date: somebody else has written. Nothing was appended.
    #[error("the journal is at entry {found}, not {expected}: somebody else has written to it")]
    Conflict {
        /// The entry that the writer expected to write.
        expected: Seq,
        /// The entry that comes next.
        found: Seq,
    },
    /// What is stored is not what was written.
    #[error("the journal is damaged: {0}")]
    Damaged(String),
    /// What is stored was written by a newer program.
    #[error("the journal was written by a newer program ({0})")]
    Newer(String),
    /// The state folder is not this account's, or no state folder at all. Nothing was changed.
    #[error("the state folder is not ours to use: {0}")]
    Foreign(String),
    /// The disk did not do what it was asked; the journal takes no more entries until it is opened again.
    #[error("the journal could not be {doing}")]
    Storage {
        /// What was being done: `written`, `read`, `opened`.
        doing: &'static str,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The database of runs does not answer, or nobody gets in.
    #[error("the database {database} cannot be reached")]
    DatabaseAway {
        /// Its address, without the password.
        database: String,
        /// What the database or the system said.
        #[source]
        source: std::io::Error,
    },
    /// The database of runs does not do what it is asked.
    #[error("the database {database} refuses")]
    DatabaseRefused {
        /// Its address, without the password.
        database: String,
        /// What the database said.
        #[source]
        source: std::io::Error,
    },
    /// The database of runs was set up by a newer program. Nothing was changed.
    #[error("the database {database} was set up by a newer program ({what})")]
    NewerDatabase {
        /// Its address, without the password.
        database: String,
        /// How that shows.
        what: String,
    },
    /// What was to be stored is larger or deeper than allowed, or out of place. Nothing was stored, and the
    /// journal takes others.
    #[error("it cannot be stored: {0}")]
    Unstorable(String),
    /// Its author signs, and this was not signed. Nothing was stored, and the journal takes others.
    #[error(transparent)]
    Unsigned(#[from] SigningFailed),
    /// The run is a copy of one in another place.
    #[error("the run is a copy of one in another place, and can only be read here")]
    Copy,
    /// The claim was given back, or is another's by now.
    #[error("the claim on the run is not held any more")]
    NotClaimed,
    /// An earlier write failed.
    #[error("an earlier entry could not be written; the run must be resumed by a new process")]
    Poisoned,
}
