//! What the program shows: events and states as text and JSON, and diagnostics with a caret.

pub(crate) mod diagnostic;
pub(crate) mod entry;
pub(crate) mod next;
pub(crate) mod rows;
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

/// Text from outside without control characters, which could drive the reader's terminal.
pub(crate) fn plain(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control() && c != '\t' {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}
