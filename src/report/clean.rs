//! Text from a journal as a report may show it: without what drives terminals or turns the direction of reading,
//! and never longer than can be read.

use std::fmt::Display;

use anstream::adapter::strip_str;
use serde::Serialize;
use serde_json::Value;

use crate::render::plain;

/// The longest text, in bytes.
const LONGEST: usize = 16 * 1024;

/// The longest line of what a step printed, in characters.
const LONGEST_LINE: usize = 2000;

/// The longest text of a runbook, in bytes.
const LONGEST_DEFINITION: usize = 256 * 1024;

/// A text that can be shown. Texts of a journal come into a report only as this; values stay as they are for programs,
/// and become this where they are told to people.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub(crate) struct Clean(String);

impl Clean {
    /// A text of a few words or lines.
    pub(crate) fn of(text: impl Display) -> Self {
        Self(shortened(&cleaned(&text.to_string()), LONGEST))
    }

    /// A value: text as it is, everything else as JSON.
    pub(crate) fn value(value: &Value) -> Self {
        match value {
            Value::String(text) => Self::of(text),
            other => Self::of(format!("{other:#}")),
        }
    }

    /// The text of a runbook.
    pub(crate) fn definition(text: &str) -> Self {
        Self(shortened(&cleaned(text), LONGEST_DEFINITION))
    }

    /// What a step printed: long lines are cut one by one.
    pub(crate) fn printed(text: &str) -> Self {
        let text = cleaned(text);
        let lines: Vec<String> = text.lines().map(line).collect();
        Self(lines.join("\n"))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl maud::Render for Clean {
    fn render_to(&self, buffer: &mut String) {
        self.0.as_str().render_to(buffer);
    }
}

/// The text without the signs that a terminal takes for orders. What a line said before it was begun anew stays, as
/// a line of its own.
fn cleaned(text: &str) -> String {
    let bare = strip_str(text).to_string();
    plain(&bare.replace("\r\n", "\n").replace('\r', "\n"))
}

fn shortened(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(most);
    format!("{} … [{} more bytes]", &text[..end], text.len() - end)
}

fn line(text: &str) -> String {
    match text.char_indices().nth(LONGEST_LINE) {
        None => text.to_owned(),
        Some((end, _)) => {
            let more = text[end..].chars().count();
            format!("{} … [{more} more characters]", &text[..end])
        }
    }
}
