//! What the surroundings of the program are like: each thing that runs depend on, how it is, and what to do about it.

use serde::Serialize;

pub(crate) mod database;
pub(crate) mod folder;
pub(crate) mod journals;
pub(crate) mod machine;
pub(crate) mod programs;
pub(crate) mod selftest;
pub(crate) mod terminal;

/// Whether this is Windows, where a few things need not be asked, and others only there.
const ON_WINDOWS: bool = matches!(std::env::consts::OS.as_bytes(), b"windows");

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Health {
    /// It is not there, and need not be.
    Absent,
    /// As it should be.
    Good,
    /// It works; somebody should know of it.
    Note,
    /// Runs cannot be carried out safely before it is put right.
    Bad,
}

/// One thing that was looked at.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Finding {
    /// What it is called.
    pub(crate) check: &'static str,
    /// How it is.
    pub(crate) health: Health,
    /// What was found.
    pub(crate) found: String,
    /// What to do now; nothing where all is well.
    #[serde(rename = "do")]
    pub(crate) to_do: Option<String>,
}

impl Finding {
    pub(crate) fn good(check: &'static str, found: impl Into<String>) -> Self {
        Self::of(Health::Good, check, found, None)
    }

    pub(crate) fn absent(check: &'static str, found: impl Into<String>) -> Self {
        Self::of(Health::Absent, check, found, None)
    }

    pub(crate) fn note(check: &'static str, found: impl Into<String>, to_do: impl Into<String>) -> Self {
        Self::of(Health::Note, check, found, Some(to_do.into()))
    }

    pub(crate) fn bad(check: &'static str, found: impl Into<String>, to_do: impl Into<String>) -> Self {
        Self::of(Health::Bad, check, found, Some(to_do.into()))
    }

    fn of(health: Health, check: &'static str, found: impl Into<String>, to_do: Option<String>) -> Self {
        let found = found.into();
        Self {
            check,
            health,
            found,
            to_do,
        }
    }
}
