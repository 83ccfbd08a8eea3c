//! What `when` and `for_each` must give.

use std::collections::BTreeSet;

use serde_json::Value;

use super::ExpressionError;
use crate::core::event::Item;
use crate::id::ItemKey;

/// The most items that a step fans out over.
pub const MOST_ITEMS: usize = 10_000;

/// The fields of an item that can name it, the first found counts.
const KEY_FIELDS: [&str; 3] = ["name", "id", "key"];

/// Takes the value of a `when`.
///
/// # Errors
/// When it is not a boolean.
pub fn truth(value: Value) -> Result<bool, ExpressionError> {
    let flag = value.as_bool();
    flag.ok_or_else(|| error(format!("it gives {}, not `true` or `false`", kind(&value))))
}

/// Takes the value of a `for_each`: each item's key is the string or number itself, or a map's `name`, `id` or
/// `key`.
///
/// # Errors
/// When it is not a list, an item has no key, two have the same, or there are more than [`MOST_ITEMS`].
pub fn items(value: Value) -> Result<Vec<Item>, ExpressionError> {
    let values = match value {
        Value::Array(values) => values,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            return Err(error(format!("it gives {}, not a list", kind(&value))));
        }
    };
    if values.len() > MOST_ITEMS {
        return Err(error(format!(
            "it gives {} items, more than {MOST_ITEMS}",
            values.len()
        )));
    }
    let mut seen = BTreeSet::new();
    let items = values.into_iter().enumerate().map(|(at, value)| {
        let name = name_of(&value).ok_or_else(|| {
            let problem = format!("item {} is {} that nothing names", at + 1, kind(&value));
            error(problem).help("items are strings, whole numbers, or maps with a `name`, `id` or `key`")
        })?;
        let key: ItemKey = name
            .parse()
            .map_err(|invalid| error(format!("item {}: {invalid}", at + 1)))?;
        if !seen.insert(key.clone()) {
            return Err(error(format!("two items have the key `{key}`"))
                .help("leave repeated items out with `unique()`"));
        }
        Ok(Item { key, value })
    });
    items.collect()
}

fn name_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) if !number.is_f64() => Some(number.to_string()),
        Value::Object(fields) => {
            let field = KEY_FIELDS.iter().find_map(|name| fields.get(*name))?;
            if field.is_object() { None } else { name_of(field) }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => None,
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

fn error(message: String) -> ExpressionError {
    ExpressionError::new("", message)
}
