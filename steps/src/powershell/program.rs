//! Which program carries the scripts out: a setting of the machine, never of a runbook.

use runbook_engine::step::{Failure, FailureKind};
use schemars::JsonSchema;
use serde::Deserialize;

use super::message::Hello;

/// Which PowerShell carries the scripts out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Edition {
    /// Windows PowerShell 5.1.
    Desktop,
    /// PowerShell 7.
    #[default]
    Core,
}

impl Edition {
    /// What `$PSVersionTable.PSEdition` says.
    fn name(self) -> &'static str {
        match self {
            Self::Desktop => "Desktop",
            Self::Core => "Core",
        }
    }

    /// What people call it.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Desktop => "Windows PowerShell 5.1",
            Self::Core => "PowerShell 7",
        }
    }

    /// The variable that names its program.
    #[must_use]
    pub fn variable(self) -> &'static str {
        match self {
            Self::Desktop => "RUNBOOK_POWERSHELL_DESKTOP",
            Self::Core => "RUNBOOK_POWERSHELL_CORE",
        }
    }
}

/// The PowerShell programs of this machine.
#[derive(Debug, Clone, Default)]
pub struct Programs {
    /// Windows PowerShell 5.1; none where the machine has none.
    pub desktop: Option<String>,
    /// PowerShell 7; where none is named, `pwsh` is looked up in `PATH`.
    pub core: Option<String>,
    /// The programs stand in for the real ones on a test bench: which edition they are, and whether they are
    /// elevated, does not matter.
    pub stand_in: bool,
}

impl Programs {
    /// The program of an edition.
    ///
    /// # Errors
    /// When the machine has none.
    pub(super) fn of(&self, edition: Edition) -> Result<&str, Failure> {
        match edition {
            Edition::Core => Ok(self.core.as_deref().unwrap_or("pwsh")),
            Edition::Desktop => self
                .desktop
                .as_deref()
                .ok_or_else(|| missing(edition, "this machine has none")),
        }
    }

    /// Whether a program that was started is what the step needs.
    ///
    /// # Errors
    /// When it is another edition, of 32 bits, or not elevated; nothing was carried out.
    pub(super) fn suits(
        &self,
        hello: &Hello,
        edition: Edition,
        elevated: bool,
        host: Option<&str>,
    ) -> Result<(), Failure> {
        if self.stand_in {
            return Ok(());
        }
        let variable = edition.variable();
        let (whose, remedy) = match host {
            None => (
                format!("the program that {variable} names"),
                format!("name the right one, or leave {variable} out"),
            ),
            Some(host) => (
                format!("what answers on `{host}`"),
                "name the right `program` or `endpoint` in `through`".to_owned(),
            ),
        };
        if hello.edition != edition.name() {
            let (found, version) = (&hello.edition, &hello.version);
            return Err(refused(format!(
                "{} is needed, and {whose} is {version} ({found}): {remedy} (RB0303)",
                edition.title(),
            )));
        }
        if !hello.wide {
            return Err(refused(format!(
                "{whose} is a PowerShell of 32 bits, in which modules for 64 bits are missing: {remedy} (RB0303)"
            )));
        }
        if elevated && !hello.elevated {
            let remedy = match host {
                None => "start runbook as administrator, then resume the run",
                Some(_) => "go in with another account, or give this one the rights there",
            };
            return Err(refused(format!(
                "the step needs administrator's rights (`elevated: true`), and `{}` on {} does not have them: {remedy} \
                 (RB0304)",
                hello.user, hello.machine
            )));
        }
        Ok(())
    }
}

/// That there is no program.
pub(super) fn missing(edition: Edition, why: &str) -> Failure {
    refused(format!(
        "{} cannot be started: {why}; install it, or name its program in {} (RB0302)",
        edition.title(),
        edition.variable()
    ))
}

fn refused(message: String) -> Failure {
    Failure::new(FailureKind::Failed, message)
}
