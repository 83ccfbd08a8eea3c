//! The terminal and the language: whether what the program shows can be read.

use std::io::IsTerminal as _;

use super::{Finding, ON_WINDOWS};

/// Narrower than this, tables become lists, and long names are cut.
const NARROW: u16 = 60;

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
            "lines are not wrapped",
        );
    };
    let found = format!("{} columns, {} rows, {colours}", width.0, height.0);
    if width.0 == 0 {
        Finding::note(
            CHECK,
            format!("it does not know its size, {colours}"),
            "set it: stty columns 80 rows 25",
        )
    } else if width.0 < NARROW {
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
    let value = |name: &&str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let named = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(value);
    let name = named.as_deref().unwrap_or("C");
    let lower = name.to_ascii_lowercase();
    if lower.contains("utf-8") || lower.contains("utf8") {
        Finding::good(CHECK, name)
    } else {
        let help = "set LANG=C.UTF-8, or signs such as ✓ and names with letters beyond a to z may look wrong";
        Finding::note(CHECK, format!("{name}: not UTF-8"), help)
    }
}
