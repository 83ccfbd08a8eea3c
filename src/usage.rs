//! Errors of the command line itself, told as plainly as all others.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue};
use clap::{ColorChoice, Command, Error, ValueEnum as _};

/// Whether colours were asked for: what is wrong with a command line is told before it is understood.
pub(crate) fn colours(args: &[OsString]) -> ColorChoice {
    let words = args.iter().map(|arg| arg.to_str().unwrap_or_default());
    let next = args.iter().skip(1).map(|arg| arg.to_str()).chain([None]);
    let mut choices = words.zip(next).filter_map(|(word, next)| {
        let when = match word.strip_prefix("--color")? {
            "" => next?,
            rest => rest.strip_prefix('=')?,
        };
        ColorChoice::from_str(when, true).ok()
    });
    choices.next().unwrap_or(ColorChoice::Auto)
}

/// The error with a usage line of what the command itself takes: the options that serve everywhere say nothing there,
/// though they were given.
pub(crate) fn plainly(mut error: Error, command: &Command) -> Error {
    let Some(ContextValue::StyledStr(usage)) = error.get(ContextKind::Usage) else {
        return error;
    };
    let mut text = usage.to_string();
    for argument in command.get_arguments().filter(|one| one.is_global_set()) {
        let Some(long) = argument.get_long() else {
            continue;
        };
        let value = argument.get_value_names().and_then(<[_]>::first);
        let ending = match value {
            Some(value) if argument.get_action().takes_values() => format!(" <{value}>"),
            Some(_) | None => String::new(),
        };
        for shown in [format!(" --{long}{ending}..."), format!(" --{long}{ending}")] {
            text = text.replace(&shown, "");
        }
    }
    error.insert(ContextKind::Usage, ContextValue::StyledStr(text.into()));
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(args: &[&str]) -> String {
        let args: Vec<OsString> = ["runbook"].iter().chain(args).map(OsString::from).collect();
        let mut command = crate::cli::command().color(colours(&args));
        let error = command.try_get_matches_from_mut(args).unwrap_err();
        plainly(error, &command).render().to_string()
    }

    #[test]
    fn the_usage_names_what_the_command_itself_takes() {
        let everywhere = [
            "--operator",
            "bob",
            "--state-dir",
            "/tmp",
            "-v",
            "--color=never",
            "--json",
        ];
        let told = told(&[&["decide", "x"], &everywhere[..]].concat());
        assert!(
            told.contains("Usage: runbook decide --why <TEXT> <RUN> <STEP> <RULING>\n"),
            "{told}"
        );
    }

    #[test]
    fn colours_are_heeded_before_anything_is_understood() {
        let of = |args: &[&str]| colours(&args.iter().map(OsString::from).collect::<Vec<_>>());
        assert_eq!(of(&["runbook", "decide", "--color", "never"]), ColorChoice::Never);
        assert_eq!(of(&["runbook", "--color=always", "decide"]), ColorChoice::Always);
        assert_eq!(of(&["runbook", "decide", "--color"]), ColorChoice::Auto);
    }
}
