//! JSON values as Rhai's, and back.

use rhai::{Array, Dynamic, FLOAT, INT, Map};
use serde_json::{Number, Value};

/// How deep a value may be nested.
const DEEPEST: usize = 128;

/// A value of an expression that is no data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotData {
    /// A function, or something else that only exists while an expression is evaluated.
    #[error("a {0} is not a value that can be kept")]
    Kind(&'static str),
    /// A number that JSON does not have.
    #[error("the result of a calculation is not a finite number")]
    NotFinite,
    /// Lists in lists in lists.
    #[error("the value is nested deeper than {DEEPEST} levels")]
    TooDeep,
}

/// The JSON value as a Rhai value; `null` becomes `()`.
pub fn to_dynamic(value: &Value) -> Dynamic {
    match value {
        Value::Null => Dynamic::UNIT,
        Value::Bool(flag) => (*flag).into(),
        Value::Number(number) => number_to_dynamic(number),
        Value::String(text) => text.as_str().into(),
        Value::Array(items) => items.iter().map(to_dynamic).collect::<Array>().into(),
        Value::Object(map) => map
            .iter()
            .map(|(name, value)| (name.as_str().into(), to_dynamic(value)))
            .collect::<Map>()
            .into(),
    }
}

fn number_to_dynamic(number: &Number) -> Dynamic {
    match number.as_i64() {
        Some(whole) => Dynamic::from_int(whole),
        // Beyond 63 bits Rhai has only floating-point numbers.
        None => Dynamic::from_float(number.as_f64().unwrap_or_default()),
    }
}

/// The Rhai value as a JSON value; `()` becomes `null`, a character a string.
///
/// # Errors
/// When it holds a function, a number that is not finite, or is nested too deep.
pub fn to_value(value: Dynamic) -> Result<Value, NotData> {
    convert(value, 0)
}

fn convert(value: Dynamic, depth: usize) -> Result<Value, NotData> {
    if depth > DEEPEST {
        return Err(NotData::TooDeep);
    }
    let value = value.flatten();
    if value.is_unit() {
        return Ok(Value::Null);
    }
    if let Ok(flag) = value.as_bool() {
        return Ok(flag.into());
    }
    if let Ok(number) = value.as_int() {
        let number: INT = number;
        return Ok(number.into());
    }
    if let Ok(number) = value.as_float() {
        let number: FLOAT = number;
        return Number::from_f64(number)
            .map(Value::Number)
            .ok_or(NotData::NotFinite);
    }
    if value.is_string() || value.is_char() {
        return Ok(Value::String(value.to_string()));
    }
    let kind = value.type_name();
    let value = match value.try_cast_result::<Array>() {
        Ok(items) => {
            let items = items.into_iter().map(|item| convert(item, depth + 1));
            return items.collect::<Result<_, _>>().map(Value::Array);
        }
        Err(value) => value,
    };
    match value.try_cast::<Map>() {
        Some(map) => {
            let entries = map
                .into_iter()
                .map(|(name, value)| Ok((name.to_string(), convert(value, depth + 1)?)));
            entries.collect::<Result<_, _>>().map(Value::Object)
        }
        None => Err(NotData::Kind(if kind.contains("Fn") { "function" } else { kind })),
    }
}
