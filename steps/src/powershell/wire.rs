//! What travels between us and the host script: values out, marked lines back.
//!
//! Values go out as JSON of ASCII characters, so that no code page can change them. Every text begins with `=` and
//! every map is a list of its names and values: PowerShell's own reader takes texts that look like dates for
//! dates, and drops or refuses names that differ only in case.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// What every mark begins with.
const MARK: &str = "@@rb-";

/// How many random digits follow.
const DIGITS: usize = 32;

/// A value in the form in which it travels.
pub(super) fn wire(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(format!("={text}")),
        Value::Array(items) => std::iter::once(json!("l"))
            .chain(items.iter().map(wire))
            .collect(),
        Value::Object(fields) => {
            let pairs = fields
                .iter()
                .flat_map(|(name, value)| [json!(format!("={name}")), wire(value)]);
            std::iter::once(json!("m")).chain(pairs).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// A message as one line of ASCII.
pub(super) fn line(message: &Value) -> Vec<u8> {
    let mut line = Vec::new();
    let mut units = [0; 2];
    for c in message.to_string().chars() {
        if c.is_ascii() && c != '\x7f' {
            line.push(c as u8);
        } else {
            for unit in c.encode_utf16(&mut units) {
                line.extend_from_slice(format!("\\u{unit:04x}").as_bytes());
            }
        }
    }
    line.push(b'\n');
    line
}

/// Draws a mark that no output can know beforehand.
pub(super) fn draw_mark() -> String {
    format!("{MARK}{}", uuid::Uuid::new_v4().simple())
}

/// What a marked line says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) mark: String,
    pub(super) kind: String,
    pub(super) content: String,
}

/// Takes a marked line apart: what stands before the mark, and what the line says. A program may have printed
/// something without ending its line.
pub(super) fn told(line: &[u8]) -> Option<(&[u8], Told)> {
    let starts = line
        .windows(MARK.len())
        .enumerate()
        .filter(|(_, window)| *window == MARK.as_bytes());
    // What is printed may look like a mark, so that each place is tried.
    let mut found = starts.filter_map(|(at, _)| Some((&line[..at], parse(&line[at..])?)));
    found.next()
}

fn parse(line: &[u8]) -> Option<Told> {
    let text = std::str::from_utf8(line).ok()?.trim_end_matches(['\r', '\n']);
    let mut words = text.split(' ');
    let (mark, kind, content) = (words.next()?, words.next()?, words.next()?);
    let digits = mark.strip_prefix(MARK)?;
    let whole = digits.len() == DIGITS && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    if !whole || words.next().is_some() {
        return None;
    }
    let content = String::from_utf8(STANDARD.decode(content).ok()?).ok()?;
    Some(Told {
        mark: mark.to_owned(),
        kind: kind.to_owned(),
        content,
    })
}

#[cfg(test)]
mod tests;
