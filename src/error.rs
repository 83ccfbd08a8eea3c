//! Why a command failed, in the one form in which people are told: diagnostics and an exit code.

use runbook_engine::core::{About, Rejection};
use runbook_engine::diagnostic::{Code, Diagnostic, closest};
use runbook_engine::journal::JournalError;
use runbook_engine::journal::bundle::BundleError;
use runbook_engine::runtime::RuntimeError;

use crate::exit::Exit;
use crate::render;
use crate::setting::Setting;

/// A command that could not do what it was asked.
#[derive(Debug)]
pub(crate) struct Failed {
    diagnostics: Vec<Diagnostic>,
    /// What is said where nothing is wrong.
    remark: Option<String>,
    exit: Exit,
}

impl Failed {
    /// What the user gave cannot be used.
    pub(crate) fn input(diagnostics: Vec<Diagnostic>) -> Self {
        Self::told(diagnostics, Exit::BadInput)
    }

    /// Something that should not happen did.
    pub(crate) fn fault(message: &str, error: &(dyn std::error::Error + 'static)) -> Self {
        let diagnostic = Diagnostic::error(Code::Internal, message).caused_by(error);
        Self::told(vec![diagnostic], Exit::Fault)
    }

    /// Somebody gave no answer at a prompt; nothing is lost, and `what` says what did not happen.
    pub(crate) fn interrupted(what: &str) -> Self {
        Self {
            diagnostics: Vec::new(),
            remark: Some(format!("interrupted: {what}")),
            exit: Exit::Interrupted,
        }
    }

    /// Not all that was to be printed could be; the command itself ended with `exit`.
    pub(crate) fn output(error: &(dyn std::error::Error + 'static), exit: Exit) -> Self {
        let message = "what was to be printed on standard output is not all there";
        let diagnostic = Diagnostic::error(Code::OutputLost, message)
            .caused_by(error)
            .help(
                "put right what the system says, then ask again; a run is in its journal: `runbook log RUN`",
            );
        let exit = if exit == Exit::Done { Exit::Fault } else { exit };
        Self::told(vec![diagnostic], exit)
    }

    fn told(diagnostics: Vec<Diagnostic>, exit: Exit) -> Self {
        Self {
            diagnostics,
            remark: None,
            exit,
        }
    }

    /// The same; where it says this, with the name that was probably meant before all other help.
    pub(crate) fn did_you_mean<'a>(
        mut self,
        code: Code,
        wrong: &str,
        right: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        if let Some(near) = closest(wrong, right) {
            for diagnostic in self.diagnostics.iter_mut().filter(|one| one.code == code) {
                diagnostic.help.insert(0, format!("did you mean `{near}`?"));
            }
        }
        self
    }

    /// What is said of it.
    pub(crate) fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// Tells the user, and gives the exit code.
    pub(crate) fn tell(self, setting: &Setting) -> Exit {
        render::diagnostic::print_all(&self.diagnostics, setting);
        if let Some(remark) = &self.remark {
            setting.look.tell(remark);
        }
        self.exit
    }

    /// A journal that failed, for the run that is called `name`.
    pub(crate) fn journal(name: &str, error: &JournalError) -> Self {
        let exit = match error {
            JournalError::NotFound(_) => Exit::BadInput,
            JournalError::Held(_)
            | JournalError::Copy
            | JournalError::Conflict { .. }
            | JournalError::NotClaimed => Exit::Held,
            _ => Exit::Fault,
        };
        Self::told(vec![error.diagnostic(name)], exit)
    }

    /// A run of this runbook that could not be started: there is none, and nothing was carried out.
    pub(crate) fn not_started(runbook: &str, error: RuntimeError, place: &str) -> Self {
        match error {
            RuntimeError::Journal(JournalError::Storage { source, .. }) => {
                let message = format!(
                    "no run of `{runbook}` was started: the state folder `{place}` could not take it"
                );
                let diagnostic = Diagnostic::error(Code::StateFolder, message).caused_by(&source);
                Self::input(vec![diagnostic.help(
                    "nothing was carried out: put right what the system says (space, permissions, disk), or choose \
                     another folder with `--state-dir` or RUNBOOK_STATE_DIR; then start it again",
                )])
            }
            RuntimeError::Journal(error @ JournalError::DatabaseAway { .. }) => {
                let mut failed = Self::journal(runbook, &error);
                for diagnostic in &mut failed.diagnostics {
                    diagnostic.help.pop();
                    let again = "then start it again, unless `runbook list` shows that it was started";
                    diagnostic.help.push(again.to_owned());
                }
                failed
            }
            other => Self::runtime(runbook, other),
        }
    }

    /// A runtime that failed, for the run that is called `name`.
    pub(crate) fn runtime(name: &str, error: RuntimeError) -> Self {
        match error {
            RuntimeError::Journal(error) => Self::journal(name, &error),
            RuntimeError::Definition(mut diagnostics) => {
                let message =
                    format!("run `{name}`: its definition is not one that this program can carry out");
                let help = "use the version of the program that started it; `runbook log` tells which";
                diagnostics.insert(0, Diagnostic::error(Code::JournalNewer, message).help(help));
                Self::told(diagnostics, Exit::Fault)
            }
            RuntimeError::Rejected(rejection) => Self::rejected(
                name,
                &rejection.to_string(),
                &rejection.instead(),
                rejection.about(),
            ),
            RuntimeError::RejectedThere {
                message,
                instead,
                about,
            } => Self::rejected(name, &message, &instead, about),
            RuntimeError::Holder(why) => {
                let message = format!("run `{name}`: the process that holds it could not do it: {why}");
                let help = format!("`runbook show {name}` tells where the run stands");
                let diagnostic = Diagnostic::error(Code::HolderFailed, message);
                Self::told(vec![diagnostic.help(help)], Exit::Fault)
            }
            RuntimeError::NotAsked(why) => {
                let message = format!(
                    "run `{name}`: the process that holds it wants something else signed than you asked for: {why}"
                );
                let diagnostic = Diagnostic::error(Code::NotAsked, message).help(
                    "nothing was signed: find out what that process is before you act on this run again",
                );
                Self::told(vec![diagnostic], Exit::Fault)
            }
            RuntimeError::Illegal(error) => {
                let message = format!("run `{name}`: its journal tells what cannot have happened");
                let diagnostic = Diagnostic::error(Code::JournalDamaged, message).caused_by(&error);
                let help = format!("`runbook journal verify {name}` checks it entry by entry");
                Self::told(vec![diagnostic.help(help)], Exit::Fault)
            }
            other => Self::fault("the run could not be carried out", &other),
        }
    }

    /// A bundle that could not be written, read or trusted.
    pub(crate) fn bundle(file: &str, error: &BundleError) -> Self {
        let exit = match error {
            BundleError::Journal(error) => return Self::journal(file, error),
            BundleError::Disk { doing: "read", .. } => Exit::BadInput,
            BundleError::Disk { .. } => Exit::Fault,
            _ => Exit::BadInput,
        };
        Self::told(vec![error.diagnostic(file)], exit)
    }

    /// A bundle whose run was moved to somebody else.
    pub(crate) fn not_for_you(file: &str, rejection: &Rejection) -> Self {
        let message = format!("`{file}`: {rejection}; nothing was stored");
        let diagnostic = Diagnostic::error(Code::InOtherHands, message);
        let help = "let them import it, under their own name: `--operator NAME` where the account is another";
        Self::told(vec![diagnostic.help(help)], Exit::Held)
    }

    /// An act that is not possible now.
    fn rejected(name: &str, message: &str, instead: &str, about: About) -> Self {
        let (code, exit) = match about {
            About::Unknown => (Code::StepNotInRun, Exit::BadInput),
            About::State => (Code::ActRejected, Exit::BadInput),
            About::Hands => (Code::InOtherHands, Exit::Held),
            About::Person => (Code::Forbidden, Exit::BadInput),
        };
        let diagnostic = Diagnostic::error(code, format!("run `{name}`: {message}"));
        Self::told(vec![diagnostic.help(instead.replace("RUN", name))], exit)
    }
}

impl From<Diagnostic> for Failed {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::input(vec![diagnostic])
    }
}
