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

/// What stands before a marked value: no character, so that no text of anybody's holds it.
pub const MARK_START: char = '\u{fdd0}';

/// What stands after a marked value.
pub const MARK_END: char = '\u{fdd1}';

/// How values are put into the texts around their expressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put<'a> {
    /// As they are.
    Plain,
    /// Between [`MARK_START`] and [`MARK_END`]: whoever reads the text as more than text, as Markdown, can tell
    /// which part of it is data.
    Marked,
    /// Marked at these places and below them, and as they are elsewhere.
    MarkedAt(&'a [InputPath]),
}

/// A place in inputs: the names of the fields that lead there; the items of lists are passed through.
pub type InputPath = Vec<&'static str>;

impl Put<'_> {
    /// How it is done at one place.
    fn at(self, path: &[String]) -> Self {
        let Self::MarkedAt(places) = self else {
            return self;
        };
        let fields = || path.iter().filter(|part| part.parse::<usize>().is_err());
        let leads = |place: &InputPath| {
            fields().count() >= place.len() && fields().zip(place).all(|(field, part)| field == part)
        };
        if places.iter().any(leads) {
            Self::Marked
        } else {
            Self::Plain
        }
    }

    fn value(self, into: &mut String, value: &str) {
        match self {
            Self::Plain | Self::MarkedAt(_) => into.push_str(value),
            Self::Marked => {
                into.push(MARK_START);
                into.push_str(&value.replace([MARK_START, MARK_END], "\u{fffd}"));
                into.push(MARK_END);
            }
        }
    }
}

/// Fills in every `${{ … }}` in every string below `with`, except below the top-level keys in `scripts`.
///
/// A string that is one expression alone becomes the expression's value, whatever its type. Otherwise values
/// are put in as text, maps and lists as JSON. What is put in is never looked at again: data that holds
/// `${{` stays data.
///
/// # Errors
/// When an expression cannot be evaluated.
pub fn fill(with: &Value, scripts: &[&str], scope: &Scope, put: Put<'_>) -> Result<Value, ExpressionError> {
    let filler = Filler { scope, put };
    let Value::Object(fields) = with else {
        return filler.value(with, &mut Vec::new());
    };
    let filled = fields.iter().map(|(name, value)| {
        if scripts.contains(&name.as_str()) {
            return Ok((name.clone(), value.clone()));
        }
        Ok((name.clone(), filler.value(value, &mut vec![name.clone()])?))
    });
    filled.collect::<Result<_, _>>().map(Value::Object)
}

#[derive(Clone, Copy)]
struct Filler<'a> {
    scope: &'a Scope,
    put: Put<'a>,
}

impl Filler<'_> {
    fn value(self, value: &Value, path: &mut Vec<String>) -> Result<Value, ExpressionError> {
        let mut below = |name: String, value: &Value| {
            path.push(name);
            let filled = self.value(value, path);
            path.pop();
            filled
        };
        match value {
            Value::String(text) if is_template(text) => {
                let here = Self {
                    put: self.put.at(path),
                    ..self
                };
                let filled = here.text(text).map_err(|error| error.within(path.clone()))?;
                Ok(match (&filled, self.put) {
                    (Value::Array(_) | Value::Object(_), Put::MarkedAt(_)) => self.marked(filled, path),
                    _ => filled,
                })
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

    /// A value that is itself a map or a list, with the texts in it marked where such a place is below it.
    fn marked(self, value: Value, path: &mut Vec<String>) -> Value {
        let mut below = |name: String, value: Value| {
            path.push(name);
            let marked = self.marked(value, path);
            path.pop();
            marked
        };
        match value {
            Value::String(text) => {
                let mut whole = String::with_capacity(text.len());
                self.put.at(path).value(&mut whole, &text);
                Value::String(whole)
            }
            Value::Array(items) => {
                let marked = items.into_iter().enumerate();
                Value::Array(marked.map(|(at, item)| below(at.to_string(), item)).collect())
            }
            Value::Object(fields) => {
                let marked = fields.into_iter();
                Value::Object(
                    marked
                        .map(|(name, value)| (name.clone(), below(name, value)))
                        .collect(),
                )
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value,
        }
    }

    fn text(self, text: &str) -> Result<Value, ExpressionError> {
        let parts = parts(text).map_err(|_| ExpressionError::new(text, "`}}` is missing"))?;
        if let [Part::Expression(range)] = parts.as_slice() {
            return match self.evaluate(&text[range.clone()])? {
                Value::String(value) => {
                    let mut whole = String::with_capacity(value.len());
                    self.put.value(&mut whole, &value);
                    Ok(Value::String(whole))
                }
                value => Ok(value),
            };
        }
        let mut filled = String::with_capacity(text.len());
        for part in &parts {
            match part {
                Part::Text(range) => filled.push_str(&text[range.clone()]),
                Part::Expression(range) => match self.evaluate(&text[range.clone()])? {
                    Value::Null => return Err(ExpressionError::empty(&text[range.clone()])),
                    Value::String(value) => self.put.value(&mut filled, &value),
                    value @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                        self.put.value(&mut filled, &value.to_string());
                    }
                },
            }
        }
        Ok(Value::String(filled))
    }

    fn evaluate(self, source: &str) -> Result<Value, ExpressionError> {
        let extra: Vec<&str> = self.scope.extra.keys().map(String::as_str).collect();
        let expression =
            super::compile_loose(source, &extra).map_err(|message| ExpressionError::new(source, message))?;
        expression.evaluate(self.scope)
    }
}
