//! `${{ … }}` within strings: finding the expressions, and filling in their values.

use std::ops::Range;

use serde_json::Value;

use super::{ExpressionError, Scope};

const OPENING: &str = "${{";

/// A piece of a string that may hold expressions, as a range of its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// Text that stands for itself.
    Text(Range<usize>),
    /// What stands between `${{` and `}}`.
    Expression(Range<usize>),
}

/// An expression whose `}}` is missing; it starts at this byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unclosed(pub(crate) usize);

/// Whether a string holds an expression.
pub(crate) fn is_template(text: &str) -> bool {
    text.contains(OPENING)
}

/// Takes a string apart.
pub(crate) fn parts(text: &str) -> Result<Vec<Part>, Unclosed> {
    let mut parts = Vec::new();
    let mut at = 0;
    while let Some(found) = text[at..].find(OPENING) {
        let start = at + found + OPENING.len();
        let length = closing(&text[start..]).ok_or(Unclosed(at + found))?;
        if found > 0 {
            parts.push(Part::Text(at..at + found));
        }
        parts.push(Part::Expression(start..start + length));
        at = start + length + 2;
    }
    if at < text.len() {
        parts.push(Part::Text(at..text.len()));
    }
    Ok(parts)
}

/// The length of the expression that `text` starts with: up to the `}}` outside its strings and braces.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut quote = None;
    let mut bytes = text.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match (quote, byte) {
            (Some(b'"' | b'\''), b'\\') => {
                bytes.next();
            }
            (Some(open), _) if open == byte => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'' | b'`') => quote = Some(byte),
            (None, b'{') => depth += 1,
            (None, b'}') if depth > 0 => depth -= 1,
            (None, b'}') if text.as_bytes().get(at + 1) == Some(&b'}') => return Some(at),
            (None, _) => {}
        }
    }
    None
}

/// Fills in every `${{ … }}` in every string below `with`, except below the top-level keys in `scripts`.
///
/// A string that is one expression alone becomes the expression's value, whatever its type. Otherwise values
/// are put in as text, maps and lists as JSON. What is put in is never looked at again: data that holds
/// `${{` stays data.
///
/// # Errors
/// When an expression cannot be evaluated.
pub fn fill(with: &Value, scripts: &[&str], scope: &Scope) -> Result<Value, ExpressionError> {
    let Value::Object(fields) = with else {
        return fill_value(with, scope, &mut Vec::new());
    };
    let filled = fields.iter().map(|(name, value)| {
        if scripts.contains(&name.as_str()) {
            return Ok((name.clone(), value.clone()));
        }
        Ok((name.clone(), fill_value(value, scope, &mut vec![name.clone()])?))
    });
    filled.collect::<Result<_, _>>().map(Value::Object)
}

fn fill_value(value: &Value, scope: &Scope, path: &mut Vec<String>) -> Result<Value, ExpressionError> {
    let mut below = |name: String, value: &Value| {
        path.push(name);
        let filled = fill_value(value, scope, path);
        path.pop();
        filled
    };
    match value {
        Value::String(text) if is_template(text) => {
            fill_text(text, scope).map_err(|error| error.within(path.clone()))
        }
        Value::Array(items) => {
            let filled = items
                .iter()
                .enumerate()
                .map(|(at, item)| below(at.to_string(), item));
            filled.collect::<Result<_, _>>().map(Value::Array)
        }
        Value::Object(fields) => {
            let filled = fields
                .iter()
                .map(|(name, value)| Ok((name.clone(), below(name.clone(), value)?)));
            filled.collect::<Result<_, _>>().map(Value::Object)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(value.clone()),
    }
}

fn fill_text(text: &str, scope: &Scope) -> Result<Value, ExpressionError> {
    let parts = parts(text).map_err(|_| ExpressionError::new(text, "`}}` is missing"))?;
    let evaluate = |range: &Range<usize>| {
        let source = &text[range.clone()];
        let extra: Vec<&str> = scope.extra.keys().map(String::as_str).collect();
        let expression =
            super::compile_loose(source, &extra).map_err(|message| ExpressionError::new(source, message))?;
        expression.evaluate(scope)
    };
    if let [Part::Expression(range)] = parts.as_slice() {
        return evaluate(range);
    }
    let mut filled = String::with_capacity(text.len());
    for part in &parts {
        match part {
            Part::Text(range) => filled.push_str(&text[range.clone()]),
            Part::Expression(range) => match evaluate(range)? {
                Value::Null => return Err(ExpressionError::empty(&text[range.clone()])),
                Value::String(value) => filled.push_str(&value),
                value @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                    filled.push_str(&value.to_string());
                }
            },
        }
    }
    Ok(Value::String(filled))
}
