//! What the program shows: events and states as text and JSON, and diagnostics with a caret.

pub(crate) mod busy;
pub(crate) mod diagnostic;
pub(crate) mod heading;
pub(crate) mod layout;
pub(crate) mod next;
pub(crate) mod progress;
pub(crate) mod rows;
pub(crate) mod story;
pub(crate) mod style;
pub(crate) mod time;

use std::io::Write as _;

use serde_json::Value;

/// Prints a result on standard output. A reader that has gone away is nobody's error.
pub(crate) fn result(text: &str) {
    let _closed = writeln!(anstream::stdout(), "{text}");
}

/// Prints a result for programs: one line of JSON.
pub(crate) fn json(value: &Value) {
    let _closed = writeln!(std::io::stdout(), "{value}");
}

/// Text from outside without what could drive the reader's terminal, or turn the direction in which it is read;
/// its lines stay.
pub(crate) fn plain(text: &str) -> String {
    let turns = |c| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let drives = |c: char| c.is_control() && !matches!(c, '\t' | '\n');
    text.replace(|c| drives(c) || turns(c), "\u{fffd}")
}
