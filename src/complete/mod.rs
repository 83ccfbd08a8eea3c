//! Shell completion: what may stand where the cursor is.
//!
//! A shell asks by calling the program with the variable [`VARIABLE`] and the words that are typed so far. Arguments
//! are known by the names of their values, so that a command needs nothing of its own to be completed. Answers are
//! quick and bounded; nothing is made, locked or changed for them, and what cannot be read is not offered.

use std::ffi::OsStr;

use clap::builder::ValueHint;
use clap::{Arg, Command};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter as _};
use clap_complete::env::{CompleteEnv, Shells};

use crate::exit::Exit;

mod candidates;
mod typed;

/// The variable by which a shell asks.
const VARIABLE: &str = "RUNBOOK_COMPLETE";

/// Answers a shell, if it is one that asks.
pub(crate) fn answer(command: fn() -> Command) -> Option<Exit> {
    let asks = std::env::args_os().any(|word| word == "--");
    let folder = std::env::current_dir().ok();
    let completion = CompleteEnv::with_factory(|| taught(command())).var(VARIABLE);
    match completion.try_complete(std::env::args_os(), folder.as_deref()) {
        Ok(false) => None,
        Ok(true) => Some(Exit::Done),
        // In the middle of a line that somebody types, silence is best.
        Err(_) if asks => Some(Exit::Failed),
        Err(error) => {
            let _closed = error.print();
            Some(Exit::BadInput)
        }
    }
}

/// What a shell reads when it starts, so that it asks this program.
pub(crate) fn registration(shell: &str, program: &str) -> Option<String> {
    let shells = Shells::builtins();
    let mut text = Vec::new();
    let shell = shells.completer(shell)?;
    shell
        .write_registration(VARIABLE, "runbook", "runbook", program, &mut text)
        .ok()?;
    String::from_utf8(text).ok()
}

/// The command line, with all that is known of the values of its arguments.
fn taught(command: Command) -> Command {
    let command = command.mut_args(|arg| match completer(&arg) {
        Some(completer) => arg.add(completer),
        None => arg,
    });
    command.mut_subcommands(taught)
}

/// What completes an argument, by the name of its value.
fn completer(arg: &Arg) -> Option<ArgValueCompleter> {
    // What has a list of its own is completed from that.
    if !arg.get_possible_values().is_empty() {
        return None;
    }
    let name = arg.get_value_names()?.first()?.as_str();
    let completer: fn(&str) -> Vec<CompletionCandidate> = match (name, arg.get_id().as_str()) {
        ("RUN", _) => candidates::runs,
        ("STEP", "rehearse_interrupt") | ("STEP[:ATTEMPT]", _) => candidates::steps_of_runbook,
        ("STEP", _) => candidates::steps,
        ("NAME=VALUE", "set") => candidates::params,
        ("NAME=SOURCE", _) => candidates::secrets,
        ("FILE", "file" | "files") if arg.is_positional() => candidates::runbooks,
        ("SHIPPED", _) => candidates::shipped,
        ("CODE", _) => candidates::codes,
        ("KIND", _) => candidates::kinds,
        _ if is_path(arg) => files,
        _ => return None,
    };
    let completer = move |current: &OsStr| {
        let found = current.to_str().map(completer).unwrap_or_default();
        found.into_iter().filter(is_plain).collect::<Vec<_>>()
    };
    Some(ArgValueCompleter::new(completer))
}

fn is_path(arg: &Arg) -> bool {
    matches!(
        arg.get_value_hint(),
        ValueHint::AnyPath | ValueHint::FilePath | ValueHint::DirPath
    )
}

/// Whether a word means itself in every shell. Some put it into the line as it is; what comes from a run or from a
/// folder must not become a command there.
fn is_plain(candidate: &CompletionCandidate) -> bool {
    let plain = |c: char| c.is_alphanumeric() || "._-/:@%+=,[]".contains(c) || c == std::path::MAIN_SEPARATOR;
    let word = candidate.get_value().to_str();
    word.is_some_and(|word| !word.is_empty() && word.chars().all(plain))
}

/// The files and folders that `current` may become.
fn files(current: &str) -> Vec<CompletionCandidate> {
    PathCompleter::any().complete(OsStr::new(current))
}
