//! Inputs that many plugins share: text that YAML may write as a number, one thing or a list, durations.

use std::fmt;
use std::marker::PhantomData;
use std::path::Path;
use std::str::FromStr;
use std::sync::LazyLock;
use std::time::Duration;

use jiff::{SignedDuration, Span, SpanRelativeTo};
use regex::Regex;
use runbook_engine::runbook::is_absolute;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Unexpected, Visitor};

/// Text that may be written as a number or a truth value, as YAML and templates give them: `8080`, `true`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Text(String);

impl Text {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// What is read where a text may stand: the text itself, or something that a map says instead.
pub trait FromText<'de>: From<Text> {
    /// Reads the map.
    ///
    /// # Errors
    /// When no map is expected, or another one.
    fn from_map<A: MapAccess<'de>>(_: A) -> Result<Self, A::Error> {
        Err(A::Error::invalid_type(Unexpected::Map, &EXPECTED))
    }
}

impl FromText<'_> for Text {}

const EXPECTED: &str = "text, a number or a truth value";

/// Reads a text, also where it is written as a number or a truth value, or what stands in its place.
///
/// # Errors
/// When neither is there.
pub fn text<'de, T: FromText<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_any(TextVisitor(PhantomData))
}

struct TextVisitor<T>(PhantomData<T>);

impl<'de, T: FromText<'de>> Visitor<'de> for TextVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EXPECTED)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        Ok(Text::from(text).into())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<T, E> {
        self.visit_str(&value.to_string())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<T, E> {
        self.visit_str(&value.to_string())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<T, E> {
        self.visit_str(&value.to_string())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<T, E> {
        self.visit_str(&value.to_string())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::from_map(map)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer)
    }
}

impl JsonSchema for Text {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Text".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "number", "boolean"] })
    }
}

/// One thing, or a list of them.
#[derive(Debug, Clone, PartialEq)]
pub struct OneOrMany<T>(pub Vec<T>);

struct OneOrManyVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for OneOrManyVisitor<T> {
    type Value = OneOrMany<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map, or a list of maps")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<OneOrMany<T>, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(items)).map(OneOrMany)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<OneOrMany<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(|one| OneOrMany(vec![one]))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrManyVisitor(PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for OneOrMany<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("OneOrMany_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [one, { "type": "array", "items": one, "minItems": 1 }] })
    }
}

/// A length of time as people write it: `10s`, `5m`, `1h 30m`, `30d`. More than nothing, at most [`Period::LONGEST`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period(Duration);

impl Period {
    /// The longest that may be asked for: a year.
    pub const LONGEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

    /// The length of time.
    #[must_use]
    pub fn get(self) -> Duration {
        self.0
    }

    /// A period of so many seconds, for defaults.
    #[must_use]
    pub const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match SignedDuration::try_from(self.0) {
            Ok(duration) => write!(f, "{duration:#}"),
            Err(_) => write!(f, "{:?}", self.0),
        }
    }
}

/// Not a length of time that can be waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a length of time is expected, such as `10s`, `5m` or `1h 30m`: more than nothing, at most a year")]
pub struct InvalidPeriod;

impl FromStr for Period {
    type Err = InvalidPeriod;

    fn from_str(text: &str) -> Result<Self, InvalidPeriod> {
        let span: Span = text.parse().map_err(|_| InvalidPeriod)?;
        let signed = span
            .to_duration(SpanRelativeTo::days_are_24_hours())
            .map_err(|_| InvalidPeriod)?;
        let duration = Duration::try_from(signed).map_err(|_| InvalidPeriod)?;
        if duration.is_zero() || duration > Self::LONGEST {
            Err(InvalidPeriod)
        } else {
            Ok(Self(duration))
        }
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}

impl JsonSchema for Period {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Period".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "examples": ["10s", "5m", "1h 30m"] })
    }
}

/// A path that means the same wherever the run is resumed.
///
/// # Errors
/// When it is relative; says so for people.
pub fn absolute(path: &str) -> Result<&Path, &'static str> {
    if is_absolute(path) {
        Ok(Path::new(path))
    } else {
        Err("an absolute path is expected: a run may be resumed from any other folder")
    }
}

/// What a program meant to say: without what colours it, moves the cursor or names the window, where it takes its
/// reader for a terminal.
#[must_use]
pub fn without_colours(text: &str) -> String {
    /// The sequences of a terminal: those that colour and move, and those that name its window.
    static SEQUENCES: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?").ok());
    match SEQUENCES.as_ref() {
        Some(sequences) => sequences.replace_all(text, "").into_owned(),
        None => text.to_owned(),
    }
}

/// The last line of `text` that is not blank, shortened to a length that fits a message.
#[must_use]
pub fn last_line(text: &str) -> Option<String> {
    const LONGEST: usize = 300;
    let text = without_colours(text);
    let line = text.lines().rev().map(str::trim).find(|line| !line.is_empty())?;
    let printable = line.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut short: String = printable.take(LONGEST).collect();
    if line.chars().count() > LONGEST {
        short.push('…');
    }
    Some(short)
}

#[cfg(test)]
mod tests;
