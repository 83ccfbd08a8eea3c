//! Values that expressions put into a text: they are data, and no Markdown.

use runbook_engine::runbook::expr::{MARK_END, MARK_START};

/// The values of a text, by the order in which they stand in it.
pub(super) struct Values(Vec<String>);

impl Values {
    /// Takes the marked values out of a text, and leaves the number of each in its place.
    pub(super) fn taken_from(text: &str) -> (String, Self) {
        let mut values = Vec::new();
        let mut pieces = text.split(MARK_START);
        let mut left = pieces.next().unwrap_or_default().to_owned();
        for piece in pieces {
            let (value, rest) = piece.split_once(MARK_END).unwrap_or((piece, ""));
            left += &format!("{MARK_START}{}{MARK_END}{rest}", values.len());
            values.push(value.to_owned());
        }
        (left, Self(values))
    }

    /// Puts the values back into a piece of the text.
    pub(super) fn put_into(&self, text: &str) -> String {
        let mut pieces = text.split(MARK_START);
        let mut whole = pieces.next().unwrap_or_default().to_owned();
        for piece in pieces {
            let (number, rest) = piece.split_once(MARK_END).unwrap_or((piece, ""));
            let value = number.parse().ok().and_then(|at: usize| self.0.get(at));
            whole += value.map_or(number, String::as_str);
            whole += rest;
        }
        whole
    }
}
