//! Questions to the person at the terminal, on standard error.

use inquire::{Confirm, InquireError, Password, PasswordDisplayMode, Text};

use crate::error::Failed;

/// What a person said to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said<T> {
    /// This.
    Answer(T),
    /// Not now (the escape key).
    NotNow,
    /// They want to stop (Ctrl-C).
    Stop,
}

impl<T> Said<T> {
    /// The answer; a person who stops, or gives none, ends the command with nothing lost.
    pub(crate) fn or_stop(self) -> Result<T, Failed> {
        match self {
            Self::Answer(answer) => Ok(answer),
            Self::NotNow | Self::Stop => Err(Failed::interrupted()),
        }
    }
}

/// Asks for a line of text until `check` accepts it; what it says against an answer is shown.
pub(crate) fn text(
    question: &str,
    help: Option<&str>,
    preset: Option<&str>,
    check: impl Fn(&str) -> Result<(), String>,
) -> Result<Said<String>, Failed> {
    let mut initial = preset.map(str::to_owned);
    loop {
        let mut prompt = Text::new(question);
        if let Some(help) = help {
            prompt = prompt.with_help_message(help);
        }
        if let Some(preset) = &initial {
            prompt = prompt.with_initial_value(preset);
        }
        match said(prompt.prompt())? {
            Said::Answer(answer) => match check(&answer) {
                Ok(()) => return Ok(Said::Answer(answer)),
                Err(wrong) => {
                    anstream::eprintln!("  {wrong}");
                    initial = Some(answer);
                }
            },
            other => return Ok(other),
        }
    }
}

/// Asks for a secret; nothing is shown of it.
pub(crate) fn secret(question: &str) -> Result<Said<String>, Failed> {
    let prompt = Password::new(question)
        .with_display_mode(PasswordDisplayMode::Hidden)
        .without_confirmation();
    said(prompt.prompt())
}

/// Asks for yes or no.
pub(crate) fn yes(question: &str, preset: bool) -> Result<Said<bool>, Failed> {
    said(Confirm::new(question).with_default(preset).prompt())
}

fn said<T>(answer: Result<T, InquireError>) -> Result<Said<T>, Failed> {
    match answer {
        Ok(answer) => Ok(Said::Answer(answer)),
        Err(InquireError::OperationCanceled) => Ok(Said::NotNow),
        Err(InquireError::OperationInterrupted) => Ok(Said::Stop),
        Err(error) => Err(Failed::fault("the terminal could not be asked", &error)),
    }
}
