//! What serde says about a plugin's inputs, in the words that the rest of the check uses.

use crate::diagnostic::closest;
use crate::id::PluginName;
use crate::step::InputProblem;

/// The message, and what to do.
pub(super) fn of_problem(plugin: &PluginName, problem: &InputProblem) -> (String, Vec<String>) {
    let message = problem.message.as_str();
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    if message.starts_with("unknown field")
        && let [wrong, allowed @ ..] = quoted.as_slice()
    {
        return unknown_field(plugin, wrong, allowed);
    }
    if message.starts_with("unknown variant")
        && let [wrong, allowed @ ..] = quoted.as_slice()
    {
        return unknown_value(&problem.path.join("."), wrong, allowed);
    }
    let place = match problem.path.as_slice() {
        [] => String::new(),
        path => format!("`{}`: ", path.join(".")),
    };
    if message.starts_with("missing field")
        && let [missing, ..] = quoted.as_slice()
    {
        let help = format!("`runbook steps {plugin}` shows the inputs");
        return (
            format!("{place}the input `{missing}` of `{plugin}` is missing"),
            vec![help],
        );
    }
    if let Some((found, expected)) = message
        .strip_prefix("invalid type: ")
        .and_then(|rest| rest.split_once(", expected "))
    {
        let (expected, found) = (kind(expected), value(found));
        let is_scalar = found.starts_with("the number") || found.starts_with("the boolean");
        let help = (expected == "text" && is_scalar).then(|| "put quotes around it".to_owned());
        return (
            format!("{place}{expected} expected, not {found}"),
            help.into_iter().collect(),
        );
    }
    (format!("{place}{message}"), Vec::new())
}

fn unknown_value(input: &str, wrong: &str, allowed: &[&str]) -> (String, Vec<String>) {
    let near = closest(wrong, allowed.iter().copied()).map(|near| format!("did you mean `{near}`?"));
    let list = format!("it is one of {}", list(allowed));
    (
        format!("`{input}` cannot be `{wrong}`"),
        near.into_iter().chain([list]).collect(),
    )
}

fn list(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

fn unknown_field(plugin: &PluginName, wrong: &str, allowed: &[&str]) -> (String, Vec<String>) {
    let near = closest(wrong, allowed.iter().copied()).map(|near| format!("did you mean `{near}`?"));
    let inputs = if allowed.is_empty() {
        "there are no inputs here".to_owned()
    } else {
        format!("the inputs here are {}", list(allowed))
    };
    (
        format!("`{plugin}` has no input `{wrong}` here"),
        near.into_iter().chain([inputs]).collect(),
    )
}

/// A type that serde expects.
fn kind(expected: &str) -> &str {
    match expected {
        "a string" | "string" | "a borrowed string" => "text",
        "a sequence" => "a list",
        "a map" => "a map",
        "a boolean" => "`true` or `false`",
        "u8" | "u16" | "u32" | "u64" | "usize" | "i8" | "i16" | "i32" | "i64" => "a whole number",
        "f32" | "f64" => "a number",
        _ if expected.starts_with("struct ") => "a map",
        _ => expected,
    }
}

/// A value that serde found.
fn value(found: &str) -> String {
    match found.split_once(' ') {
        _ if found == "sequence" => "a list".to_owned(),
        _ if found == "map" => "a map".to_owned(),
        _ if found == "null" || found == "unit value" => "nothing".to_owned(),
        Some(("string", text)) => format!("the text {}", text.replace('"', "`")),
        Some(("integer", number)) => format!("the number {number}"),
        Some(("floating", rest)) => format!("the number {}", rest.trim_start_matches("point ")),
        Some(("boolean", flag)) => format!("the boolean {flag}"),
        _ => found.to_owned(),
    }
}
