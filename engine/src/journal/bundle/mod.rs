//! A bundle: a whole run in one file, to hand over, to archive, to prove.
//!
//! The file is three frames of Zstandard: one that is skipped and says what it is, the content as a tar archive, and
//! one that is skipped and holds the SHA-256 of all before it. So the usual programs unpack it, and whoever reads it
//! here meets no path that is not known beforehand. See `docs/reference/bundle.md`.

use std::io;

use super::JournalError;
use crate::diagnostic::{Code, Diagnostic};
use crate::identity::PublicKey;

pub(in crate::journal) use self::check::check_against;
pub use self::check::{Checked, check};
pub(in crate::journal) use self::gather::{Wanted, gather};
pub use self::manifest::{Maker, Manifest};
pub(in crate::journal) use self::write::Writing;
pub use self::write::write;

mod check;
pub mod envelope;
mod frames;
mod gather;
mod inspect;
mod manifest;
mod members;
mod write;

#[cfg(test)]
mod tests;

/// The version of the form; a program refuses a newer one.
pub const VERSION: u64 = 1;

/// The most bytes that a bundle may have.
pub const LARGEST: u64 = 2 * 1024 * 1024 * 1024;

/// The most bytes that may come out of a bundle.
pub const LARGEST_CONTENT: u64 = 4 * 1024 * 1024 * 1024;

/// How many bytes may come out whatever the size of the bundle.
const ALWAYS_ALLOWED: u64 = 256 * 1024 * 1024;

/// How many times its own size may come out of a bundle beyond that.
const LARGEST_RATIO: u64 = 200;

/// The most members that a bundle may have.
const MOST_MEMBERS: u64 = 4_000_000;

/// Why a bundle could not be written, read or trusted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// It is something else.
    #[error("the file is not a bundle")]
    NotABundle,
    /// It was written by a newer program.
    #[error("the bundle was written by a newer program ({0})")]
    Newer(String),
    /// It is larger, or holds more, than allowed.
    #[error("the bundle is larger than allowed: {0}")]
    TooLarge(String),
    /// It is not what was written; the first bad place.
    #[error("the bundle is damaged or was altered: {0}")]
    Damaged(String),
    /// Somebody says that they are another.
    #[error("the bundle is not from whom it says: {0}")]
    Forged(String),
    /// It is for the owner of another key.
    #[error("the bundle is encrypted for {}, and {}", .for_key.short(), theirs(.yours.as_ref()))]
    ForAnother {
        /// The key that opens it.
        for_key: PublicKey,
        /// The key that was tried.
        yours: Option<PublicKey>,
    },
    /// The system did not do what it was asked.
    #[error("the bundle could not be {doing}")]
    Disk {
        /// What was being done: `read`, `written`.
        doing: &'static str,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The journal that is put into the bundle could not be read, or not be trusted.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

impl BundleError {
    /// The problem in the form that people are told of it; `file` is the bundle.
    #[must_use]
    pub fn diagnostic(&self, file: &str) -> Diagnostic {
        let about = |code| Diagnostic::error(code, format!("`{file}`: {self}"));
        match self {
            Self::NotABundle => about(Code::BundleDamaged).help("name a file that `runbook export` wrote"),
            Self::Newer(_) => {
                about(Code::JournalNewer).help("use the version of `runbook` that wrote it, or a newer one")
            }
            Self::TooLarge(_) => about(Code::BundleTooLarge).help("nothing of it was stored"),
            Self::Damaged(_) => about(Code::BundleDamaged)
                .help("have it sent again, or exported anew; nothing of it was stored")
                .help(format!(
                    "`runbook journal verify {file}` tells everything that is wrong with it"
                )),
            Self::Forged(_) => about(Code::BundleDamaged)
                .help("nothing of it was stored; ask who is said to have made it whether they did")
                .help("`--operators FILE` says whose word counts"),
            Self::ForAnother { .. } => about(Code::BundleLocked)
                .help("have it exported for you, with `export --encrypt-for`")
                .help("`runbook identity show` tells which key is used; `--identity FILE` names another"),
            Self::Disk {
                doing: "read",
                source,
            } => about(Code::UnreadableFile)
                .caused_by(source)
                .help("name a file that you can read"),
            Self::Disk { source, .. } => about(Code::OutputNotWritten)
                .caused_by(source)
                .help("choose a folder that exists, that you may write to, and that has room"),
            Self::Journal(error) => error.diagnostic(file),
        }
    }
}

/// Which key was tried, for messages.
fn theirs(key: Option<&PublicKey>) -> String {
    key.map_or_else(
        || "you have no key here".to_owned(),
        |key| format!("your key is {}", key.short()),
    )
}

/// Counts what comes out of a bundle, and says when it is too much.
struct Budget {
    most: u64,
    used: u64,
}

impl Budget {
    /// What may come out of a bundle of this size.
    fn of(size: u64) -> Self {
        let most = ALWAYS_ALLOWED.saturating_add(size.saturating_mul(LARGEST_RATIO));
        Self {
            most: most.min(LARGEST_CONTENT),
            used: 0,
        }
    }

    fn take(&mut self, bytes: u64) -> Result<(), BundleError> {
        self.used = self.used.saturating_add(bytes);
        if self.used <= self.most {
            return Ok(());
        }
        let most = self.most / (1024 * 1024);
        Err(BundleError::TooLarge(format!(
            "more than {most} MiB would come out of it"
        )))
    }
}
