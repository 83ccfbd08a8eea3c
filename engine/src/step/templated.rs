//! An input that is not text, but may be written as one `${{ … }}`.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error as _};
use serde_json::Value;

/// A value of type `T`, or the template that will give one. When a step is carried out all templates have
/// been filled in, and [`get`](Templated::get) gives the value.
#[derive(Debug, Clone, PartialEq)]
pub enum Templated<T> {
    /// The value.
    Value(T),
    /// The text of the template, before it is filled in.
    Template(String),
}

impl<T> Templated<T> {
    /// The value, unless the template is still to be filled in.
    pub fn get(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Template(_) => None,
        }
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Templated<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(text) if text.contains("${{") => Ok(Self::Template(text)),
            value => T::deserialize(value).map(Self::Value).map_err(D::Error::custom),
        }
    }
}

impl<T: JsonSchema> JsonSchema for Templated<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Templated_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let value = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [value, { "type": "string", "pattern": r"\$\{\{.*\}\}" }] })
    }
}
