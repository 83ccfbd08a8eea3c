//! The terminal and the language: whether what the program shows can be read.

use std::io::IsTerminal as _;

use super::{Finding, ON_WINDOWS};
use crate::render::charset;
use crate::render::layout::Width;

/// The terminal: its size and its colours.
pub(crate) fn terminal() -> Finding {
    const CHECK: &str = "terminal";
    let streams = [
        std::io::stdin().is_terminal(),
        std::io::stdout().is_terminal(),
        std::io::stderr().is_terminal(),
    ];
    let [input, _, talk] = streams;
    if !input || !talk {
        let found = "none: nobody can be asked, so a run that needs a person stops as `waiting`";
        return Finding::absent(CHECK, found);
    }
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let dumb = std::env::var("TERM").is_ok_and(|name| name == "dumb");
    let colours = if set("NO_COLOR") || dumb {
        "no colours"
    } else {
        "colours"
    };
    let Some((width, height)) = terminal_size::terminal_size_of(std::io::stderr()) else {
        return Finding::note(
            CHECK,
            format!("it does not tell its size, {colours}"),
            "set it: stty columns 80 rows 25",
        );
    };
    let found = format!("{} columns, {} rows, {colours}", width.0, height.0);
    if Width::of_talk().is_narrow() {
        Finding::note(CHECK, found, "make it wider to see tables")
    } else {
        Finding::good(CHECK, found)
    }
}

/// The locale: whether the signs that are shown are in its set of characters.
pub(crate) fn locale() -> Finding {
    const CHECK: &str = "locale";
    if ON_WINDOWS {
        return Finding::good(CHECK, "UTF-16, as all consoles of Windows");
    }
    let named = charset::locale(|name| std::env::var(name).ok());
    match named.as_deref() {
        // What says nothing speaks against nothing: UTF-8 is shown.
        None => Finding::good(CHECK, "none is named: UTF-8"),
        Some(name) if charset::names_utf_8(name) => Finding::good(CHECK, name),
        Some(name) => {
            let help =
                "set LANG=C.UTF-8: until then signs such as ✓ become plainer ones, and other letters `?`";
            Finding::note(CHECK, format!("{name}: not UTF-8"), help)
        }
    }
}
