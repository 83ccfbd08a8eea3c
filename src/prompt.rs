//! Questions to the person at the terminal, on standard error.

use inquire::validator::Validation;
use inquire::{Confirm, InquireError, Password, PasswordDisplayMode, Text};

use crate::error::Failed;

/// Why a question has no answer.
#[derive(Debug)]
pub(crate) enum Unanswered {
    /// Not now (the escape key).
    NotNow,
    /// They want to stop (Ctrl-C).
    Stop,
    /// They could not be asked.
    Failed(Failed),
}

impl Unanswered {
    /// The end of a command that cannot do without the answer; `what` says what that means.
    pub(crate) fn ends(self, what: &str) -> Failed {
        match self {
            Self::NotNow | Self::Stop => Failed::interrupted(what),
            Self::Failed(failed) => failed,
        }
    }
}

impl From<InquireError> for Unanswered {
    fn from(error: InquireError) -> Self {
        match error {
            InquireError::OperationCanceled => Self::NotNow,
            InquireError::OperationInterrupted => Self::Stop,
            error => Self::Failed(Failed::fault("the terminal could not be asked", &error)),
        }
    }
}

/// Asks for a line of text until `check` accepts it; what it says against an answer is shown.
pub(crate) fn text<C>(question: &str, help: Option<&str>, check: C) -> Result<String, Unanswered>
where
    C: Fn(&str) -> Result<(), String> + Clone,
{
    let mut prompt = Text::new(question).with_validator(validator(check));
    prompt.help_message = help;
    Ok(prompt.prompt()?)
}

/// Asks for a secret; nothing is shown of it.
pub(crate) fn secret(question: &str) -> Result<String, Unanswered> {
    let check = |text: &str| {
        if text.is_empty() {
            Err("it is empty".to_owned())
        } else {
            Ok(())
        }
    };
    let prompt = Password::new(question)
        .with_display_mode(PasswordDisplayMode::Hidden)
        .with_validator(validator(check))
        .with_help_message("nothing is shown of what you type")
        .without_confirmation();
    Ok(prompt.prompt()?)
}

/// Asks for yes or no.
pub(crate) fn yes(question: &str, preset: bool) -> Result<bool, Unanswered> {
    Ok(Confirm::new(question).with_default(preset).prompt()?)
}

/// Gives the terminal back from a question that nobody will answer any more: its thread may still wait.
pub(crate) fn abandon() {
    // Where nothing was asked, or the terminal has gone away, there is nothing to give back.
    let _gone = crossterm::terminal::disable_raw_mode();
    let _gone = crossterm::execute!(std::io::stderr(), crossterm::cursor::Show);
}

type Checked = Result<Validation, inquire::CustomUserError>;

fn validator<C>(check: C) -> impl Fn(&str) -> Checked + Clone
where
    C: Fn(&str) -> Result<(), String> + Clone,
{
    move |text| {
        Ok(match check(text) {
            Ok(()) => Validation::Valid,
            Err(wrong) => Validation::Invalid(wrong.into()),
        })
    }
}
