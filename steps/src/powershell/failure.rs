//! What went wrong in PowerShell, in words that say what to do.

use runbook_engine::platform::process::Exit;
use runbook_engine::step::{Failure, FailureKind};
use serde::Deserialize;

use super::message::Hello;
use super::reach;
use crate::text::{last_line, without_colours};

/// An error that ended a script.
#[derive(Debug, Deserialize)]
pub(super) struct Failed {
    during: During,
    message: String,
    #[serde(rename = "type")]
    kind: String,
    id: String,
    line: u64,
    code: String,
    causes: Vec<String>,
    /// The script that cannot be read, where that is another one.
    name: Option<String>,
}

/// What was being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum During {
    Connecting,
    /// The connection with another machine was lost.
    Lost,
    Modules,
    Parsing,
    Script,
}

/// Tells whether an error is of one kind.
type Fits = fn(&Failed) -> bool;

/// What is told apart, with what to do. The first that fits is meant.
const ADVICE: &[(Fits, &str)] = &[
    (
        |failed| failed.during == During::Parsing,
        "nothing was carried out; mend the script (RB0300)",
    ),
    (
        |failed| failed.kind.ends_with("PSSecurityException"),
        "a group policy decides which scripts may be carried out, `Get-ExecutionPolicy -List` shows it (RB0307)",
    ),
    (
        |failed| failed.says("NonInteractive") || failed.kind.ends_with("HostException"),
        "nobody sees the question: give the value, or `-Confirm:$false` (RB0305)",
    ),
    (
        |failed| failed.id.starts_with("MissingMandatoryParameter"),
        "PowerShell would ask for it, and nobody could answer: give it in the script (RB0305)",
    ),
    (
        |failed| failed.during == During::Modules || failed.id.starts_with("Modules_ModuleNotFound"),
        "install the module for all users of the machine, for the edition that the step uses (RB0306)",
    ),
    (
        |failed| failed.id.starts_with("CommandNotFoundException"),
        "is the module that has it installed here, and named under `modules`? (RB0306)",
    ),
    (
        |failed| failed.says("FeatureDependencyId") || failed.says("local farm is not accessible"),
        "the account has no way to the farm's database: not elevated, no SharePoint_Shell_Access, or signed in through \
         a second server (RB0308)",
    ),
    (
        |failed| failed.says("update conflict"),
        "another server wrote at the same time: let the step `retry`, and give such steps one `lock`",
    ),
    (
        |failed| failed.kind.ends_with("UnauthorizedAccessException"),
        "the account may not do this: `elevated: true` asks for administrator's rights (RB0304)",
    ),
];

/// What is told of a script on another machine that was refused by a third.
const SECOND_HOP: &str = "if a third machine is meant, this is the double hop: the sign-in that brought the script here \
                          cannot be used again to go on from here. Start runbook on this machine, or go through a \
                          session configuration with an account of its own (RB0308)";

/// The longest part of a script's line that a message repeats.
const LONGEST_CODE: usize = 80;

impl Failed {
    /// Whether no script can be carried out any more.
    pub(super) fn is_last(&self) -> bool {
        match self.during {
            During::Connecting | During::Lost => true,
            During::Modules | During::Parsing | During::Script => false,
        }
    }

    fn says(&self, text: &str) -> bool {
        self.message.contains(text) || self.causes.iter().any(|cause| cause.contains(text))
    }

    /// As the failure of a step.
    pub(super) fn explain(&self, script: &str, hello: &Hello, host: Option<&str>) -> Failure {
        let script = self.name.as_deref().unwrap_or(script);
        let there = host.unwrap_or("the other machine");
        let place = match (self.during, self.line) {
            (During::Connecting, _) => return reach::not_reached(there, &one_line(&self.message)),
            (During::Lost, _) => return reach::lost(there, script, &one_line(&self.message)),
            (During::Modules, _) => format!("PowerShell {} could not load a module", hello.version),
            (During::Parsing, line) => format!("PowerShell cannot read `{script}`, line {line}"),
            (During::Script, 0) => format!("`{script}` failed"),
            (During::Script, line) => format!("`{script}` failed in line {line}{}", self.quoted()),
        };
        let mut message = format!("{place}: {}", one_line(&self.message));
        if let Some(cause) = self
            .causes
            .last()
            .filter(|cause| !self.message.contains(cause.as_str()))
        {
            message += &format!(" ({})", one_line(cause));
        }
        if host.is_some() && self.is_refused() {
            message += "; ";
            message += SECOND_HOP;
        } else if let Some((_, advice)) = ADVICE.iter().find(|(fits, _)| fits(self)) {
            message += &format!("; {advice}");
        }
        let kind = if self.during == During::Parsing {
            FailureKind::Mistake
        } else {
            FailureKind::Failed
        };
        Failure::new(kind, message)
    }

    /// Whether somebody on the way did not accept who the account says it is.
    fn is_refused(&self) -> bool {
        self.during == During::Script
            && (self.kind.ends_with("UnauthorizedAccessException")
                || [
                    "FeatureDependencyId",
                    "local farm is not accessible",
                    "Access is denied",
                    "ANONYMOUS LOGON",
                    "logon session does not exist",
                    "No credentials are available in the security package",
                ]
                .iter()
                .any(|sign| self.says(sign)))
    }

    fn quoted(&self) -> String {
        let code = self.code.lines().next().unwrap_or_default();
        if code.is_empty() || code.contains('`') {
            return String::new();
        }
        let short: String = code.chars().take(LONGEST_CODE).collect();
        let more = if short.len() < code.len() { "…" } else { "" };
        format!(" (`{short}{more}`)")
    }
}

/// That a script ended the process that carried it out.
pub(super) fn left(script: &str, exit: &Exit) -> Failure {
    let message = match exit {
        Exit::Code(0) => {
            format!("`{script}` ended PowerShell with `exit` before it was over; `return` ends a script")
        }
        Exit::Code(code) => format!("`{script}` ended PowerShell with exit code {code}"),
        Exit::Signal(signal) => {
            format!("PowerShell was ended by the signal {signal} while it carried `{script}` out")
        }
    };
    Failure::new(FailureKind::Failed, message)
}

/// That a program was started which did not carry the host script out.
pub(super) fn not_started(program: &str, exit: &Exit, said: &str) -> Failure {
    let how = reach::ended(exit);
    let words = last_line(said).map_or_else(String::new, |line| format!(": {line}"));
    let advice = if said.contains("language mode") || said.contains("ConstrainedLanguage") {
        "an application control policy allows PowerShell its constrained language only (RB0307)"
    } else {
        "is it a PowerShell, and does it start by itself? (RB0302)"
    };
    Failure::new(
        FailureKind::Failed,
        format!("`{program}` {how} before it could be used{words}; {advice}"),
    )
}

fn one_line(text: &str) -> String {
    let printable = without_colours(text).replace(char::is_control, " ");
    printable.split_whitespace().collect::<Vec<_>>().join(" ")
}
