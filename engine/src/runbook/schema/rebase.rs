//! References within a schema that becomes part of another one.

use serde_json::Value;

/// Makes references within a schema hold when it becomes a definition of another one.
pub(super) fn rebase(schema: &mut Value, definition: &str) {
    match schema {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(target) if name == "$ref" && target.starts_with('#') => {
                        *target = format!("#/$defs/{definition}{}", &target[1..]);
                    }
                    _ => rebase(value, definition),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rebase(item, definition)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
