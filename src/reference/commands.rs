//! Every command with its arguments and options, from the command line's own description.

use clap::{Arg, Command};

use super::cell;

/// The page of all commands.
pub(super) fn text(command: &Command) -> String {
    let mut all = command.clone().disable_help_subcommand(true);
    all.build();
    let mut text = String::from("## Everywhere\n\n");
    let global = |arg: &&Arg| arg.is_global_set() && !is_of_clap(arg);
    text += &table(all.get_arguments().filter(global));
    for below in all.get_subcommands().filter(|below| !below.is_hide_set()) {
        describe(below, &format!("runbook {}", below.get_name()), &mut text);
    }
    text
}

/// Whether an argument is one that every program has.
fn is_of_clap(arg: &Arg) -> bool {
    matches!(arg.get_id().as_str(), "help" | "version")
}

fn describe(command: &Command, name: &str, text: &mut String) {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    *text += &format!("\n## {name}\n\n{}.\n", cell(about.trim_end_matches('.')));
    let own = |arg: &&Arg| !arg.is_global_set() && !is_of_clap(arg) && !arg.is_hide_set();
    let table = table(command.get_arguments().filter(own));
    if !table.is_empty() {
        *text += &format!("\n{table}");
    }
    if let Some(end) = command.get_after_long_help().or(command.get_after_help()) {
        *text += &format!("\n```text\n{}\n```\n", end.to_string().trim_end());
    }
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        describe(below, &format!("{name} {}", below.get_name()), text);
    }
}

/// A row for each argument; nothing where there is none.
fn table<'a>(args: impl Iterator<Item = &'a Arg>) -> String {
    let rows: Vec<String> = args
        .map(|arg| format!("| {} | {} |\n", names(arg), meaning(arg)))
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    format!("| | |\n| --- | --- |\n{}", rows.concat())
}

/// How an argument is written.
fn names(arg: &Arg) -> String {
    let value = arg.get_value_names().filter(|_| arg.get_action().takes_values());
    let value = value
        .map(|names| names.iter().map(|name| format!(" {name}")).collect::<String>())
        .unwrap_or_default();
    let short = arg.get_short().map(|short| format!("-{short}"));
    let long = arg.get_long().map(|long| format!("--{long}"));
    let names: Vec<String> = short.into_iter().chain(long).collect();
    if names.is_empty() {
        return format!("`{}`", cell(value.trim()));
    }
    let names = names
        .iter()
        .map(|name| format!("`{}`", cell(&format!("{name}{value}"))));
    names.collect::<Vec<_>>().join(", ")
}

/// What an argument is for, and what it is where it is not given.
fn meaning(arg: &Arg) -> String {
    let mut text = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let values: Vec<String> = arg
        .get_possible_values()
        .iter()
        .filter(|value| !value.is_hide_set() && arg.get_action().takes_values())
        .filter(|_| !arg.is_hide_possible_values_set())
        .map(|value| format!("`{}`", value.get_name()))
        .collect();
    if !values.is_empty() {
        text += &format!(": {}", values.join(", "));
    }
    let default = arg
        .get_default_values()
        .first()
        .filter(|_| arg.get_action().takes_values());
    if let Some(default) = default {
        text += &format!("; `{}` if not given", default.to_string_lossy());
    }
    if let Some(variable) = arg.get_env() {
        text += &format!("; also the variable `{}`", variable.to_string_lossy());
    }
    cell(&text)
}
