//! The words of the line that is completed, as far as they are typed.

use std::path::PathBuf;

use clap::ArgMatches;
use clap::parser::ValuesRef;

use crate::cli;
use crate::setting;

/// A line as far as it is typed.
pub(super) struct Typed {
    /// The names of the command and of those below it.
    pub(super) command: Vec<String>,
    matches: ArgMatches,
}

impl Typed {
    /// What the shell passed on.
    pub(super) fn now() -> Option<Self> {
        let words = std::env::args_os().skip_while(|word| word != "--").skip(1);
        let parser = cli::command().ignore_errors(true);
        let mut matches = parser.try_get_matches_from(words).ok()?;
        let mut command = Vec::new();
        while let Some((name, below)) = matches.remove_subcommand() {
            command.push(name);
            matches = below;
        }
        Some(Self { command, matches })
    }

    /// The value of an argument that takes one text.
    pub(super) fn text(&self, id: &str) -> Option<&str> {
        let found = self.matches.try_get_one::<String>(id).ok()?;
        found.map(String::as_str)
    }

    /// The values of an argument that takes several texts.
    pub(super) fn texts(&self, id: &str) -> ValuesRef<'_, String> {
        self.matches.try_get_many(id).ok().flatten().unwrap_or_default()
    }

    /// The value of an argument that takes a path.
    pub(super) fn path(&self, id: &str) -> Option<PathBuf> {
        self.matches.try_get_one::<PathBuf>(id).ok()?.cloned()
    }

    /// The state folder, there or not.
    pub(super) fn state_dir(&self) -> Option<PathBuf> {
        setting::state_dir(self.path("state_dir"))
    }
}
