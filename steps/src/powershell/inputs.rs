//! The inputs of steps and of sessions, and what both say of the PowerShell that they need.

use runbook_engine::step::Check;
use schemars::JsonSchema;
use serde::Deserialize;

use super::place::{self, Through};
use super::program::Edition;
use super::reader::Reader;
use super::syntax;

/// The inputs of a `powershell` step.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PowerShellInputs {
    /// A script that tells whether the outcome is there; changes nothing.
    pub validate: Option<String>,
    /// A script that brings the outcome about.
    pub run: Option<String>,
    /// A script that undoes it, and puts back what `$Before` holds.
    pub rollback: Option<String>,
    /// Which PowerShell: `desktop` is Windows PowerShell 5.1, `core` (the default) is PowerShell 7.
    pub edition: Option<Edition>,
    /// Modules that are loaded before the scripts.
    pub modules: Option<Vec<String>>,
    /// A script that is carried out before each of the scripts, and whose functions and variables they see.
    pub setup: Option<String>,
    /// Whether it must run with administrator's rights.
    pub elevated: Option<bool>,
    /// The machine on which the scripts are carried out; by default this one.
    pub on: Option<String>,
    /// How that machine is reached.
    pub through: Option<Through>,
}

/// The inputs of a session of `powershell` steps.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionInputs {
    /// Which PowerShell: `desktop` is Windows PowerShell 5.1, `core` (the default) is PowerShell 7.
    pub edition: Option<Edition>,
    /// Modules that are loaded when a process is started.
    pub modules: Option<Vec<String>>,
    /// A script that prepares each process that is started, and whose functions and variables the steps see.
    pub setup: Option<String>,
    /// Whether it must run with administrator's rights.
    pub elevated: Option<bool>,
    /// Whether the steps share one process, or each script gets a new one that is prepared in the same way.
    #[serde(default)]
    pub process: Lifetime,
    /// The machine on which the scripts are carried out; by default this one.
    pub on: Option<String>,
    /// How that machine is reached.
    pub through: Option<Through>,
}

/// How long a process of a session lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Lifetime {
    /// As long as the run is carried out: the steps share a sign-in and what `setup` left.
    #[default]
    Shared,
    /// For one script: nothing that an earlier one read is remembered.
    Fresh,
}

/// What a PowerShell process must be, and how it is prepared.
#[derive(Debug, Clone, Copy)]
pub(super) struct Needs<'a> {
    pub(super) edition: Edition,
    pub(super) elevated: bool,
    pub(super) modules: &'a [String],
    pub(super) setup: Option<&'a str>,
}

impl PowerShellInputs {
    /// What the step's processes must be, where no session says so.
    pub(super) fn needs(&self) -> Needs<'_> {
        Needs {
            edition: self.edition.unwrap_or_default(),
            elevated: self.elevated.unwrap_or_default(),
            modules: self.modules.as_deref().unwrap_or_default(),
            setup: self.setup.as_deref(),
        }
    }

    /// The inputs given here that belong to the session of a step that has one.
    pub(super) fn of_session(&self) -> impl Iterator<Item = &'static str> {
        let given = [
            ("edition", self.edition.is_some()),
            ("modules", self.modules.is_some()),
            ("setup", self.setup.is_some()),
            ("elevated", self.elevated.is_some()),
            ("through", self.through.is_some()),
        ];
        given
            .into_iter()
            .filter_map(|(name, given)| given.then_some(name))
    }

    /// The step's scripts, by name.
    pub(super) fn scripts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let all = [
            ("validate", &self.validate),
            ("run", &self.run),
            ("rollback", &self.rollback),
        ];
        all.into_iter()
            .filter_map(|(name, script)| Some((name, script.as_deref()?)))
    }

    /// Reports what is wrong with a step's inputs.
    pub(super) fn check(&self, reader: Option<&Reader>, check: &mut Check<'_>) {
        if self.run.is_none() && self.validate.is_none() {
            check.problem(&[], "`run` or `validate` is missing: the step would do nothing");
        }
        if self.rollback.is_some() && self.run.is_none() {
            check.problem(&["rollback"], "there is nothing to undo: the step has no `run`");
        }
        place::check(self.on.as_deref(), self.through.as_ref(), self.edition, check);
        if let Some(session) = check.session() {
            if self.on.is_some() && session.get("process").is_none_or(|process| process != "fresh") {
                check.problem(&["on"], SHARED);
            }
            for name in self.of_session() {
                let message = format!("`{name}` belongs to the step's session: give it there, below `with:`");
                check.problem(&[name], message);
            }
        }
        let of_session = check
            .session()
            .and_then(|session| Edition::deserialize(&session["edition"]).ok());
        let edition = self.edition.or(of_session).unwrap_or_default();
        for (name, script) in self
            .scripts()
            .chain(self.setup.as_deref().map(|script| ("setup", script)))
        {
            syntax::check(name, script, reader.map(|reader| (reader, edition)), check);
        }
        modules(self.modules.as_deref().unwrap_or_default(), check);
    }
}

/// Why a step cannot choose its machine.
pub(super) const SHARED: &str = "the steps of this session share one process: give `on` in the session, or say \
                                 `process: fresh` there";

impl SessionInputs {
    /// What the session's processes must be.
    pub(super) fn needs(&self) -> Needs<'_> {
        Needs {
            edition: self.edition.unwrap_or_default(),
            elevated: self.elevated.unwrap_or_default(),
            modules: self.modules.as_deref().unwrap_or_default(),
            setup: self.setup.as_deref(),
        }
    }

    /// Reports what is wrong with a session's inputs.
    pub(super) fn check(&self, reader: Option<&Reader>, check: &mut Check<'_>) {
        if let Some(setup) = &self.setup {
            let edition = self.edition.unwrap_or_default();
            syntax::check("setup", setup, reader.map(|reader| (reader, edition)), check);
        }
        modules(self.modules.as_deref().unwrap_or_default(), check);
        place::check(self.on.as_deref(), self.through.as_ref(), self.edition, check);
    }
}

fn modules(names: &[String], check: &mut Check<'_>) {
    for (at, name) in names
        .iter()
        .enumerate()
        .filter(|(_, name)| name.trim().is_empty())
    {
        check.problem(
            &["modules", &at.to_string()],
            format!("`{name}` is no module's name"),
        );
    }
}
