//! The kinds of parameters, and what a value of each looks like.

use std::fmt;
use std::num::IntErrorKind;

use serde_json::Value;
use uuid::Uuid;

use super::network::{check_domain, check_host, check_url};
use super::{LONGEST_VALUE, ParamError, path};
use crate::diagnostic::closest;

/// What the values of a parameter are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParamKind {
    /// Any text.
    String,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// One of some texts.
    Enum(Vec<String>),
    /// A URL with one of these schemes; none means any.
    Url(Vec<String>),
    /// A registered name in the DNS, such as `example.com`.
    Domain,
    /// The name or address of a machine.
    Host,
    /// A GUID.
    Guid,
    /// The absolute path of a file or folder.
    Path,
    /// A text that is never kept or shown.
    Secret,
    /// Several values of another kind, neither lists nor secrets.
    List(Box<Self>),
}

impl ParamKind {
    /// The names of all kinds, as `type:` gives them.
    pub const NAMES: [&'static str; 12] = [
        "string", "integer", "number", "boolean", "enum", "url", "domain", "host", "guid", "path", "secret",
        "list",
    ];

    /// The kind's name, as `type:` gives it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Enum(_) => "enum",
            Self::Url(_) => "url",
            Self::Domain => "domain",
            Self::Host => "host",
            Self::Guid => "guid",
            Self::Path => "path",
            Self::Secret => "secret",
            Self::List(_) => "list",
        }
    }

    /// Makes a value of text; [`check`](Self::check) says whether it fits.
    pub(super) fn read(&self, text: &str) -> Result<Value, ParamError> {
        let trimmed = text.trim();
        let wrong = |expected: &str| ParamError::new(format!("{expected} expected, not {}", quoted(trimmed)));
        match self {
            Self::String | Self::Secret => Ok(text.into()),
            Self::Enum(_) | Self::Url(_) | Self::Domain | Self::Host | Self::Guid | Self::Path => {
                Ok(trimmed.into())
            }
            Self::Integer => match trimmed.parse::<i64>() {
                Ok(number) => Ok(number.into()),
                Err(error)
                    if matches!(
                        error.kind(),
                        IntErrorKind::PosOverflow | IntErrorKind::NegOverflow
                    ) =>
                {
                    Err(ParamError::new(format!(
                        "{} is too large: numbers lie between {} and {}",
                        quoted(trimmed),
                        i64::MIN,
                        i64::MAX
                    )))
                }
                Err(_) => Err(wrong("a whole number")),
            },
            Self::Number => {
                let number = trimmed.parse::<f64>().ok().filter(|number| number.is_finite());
                let whole = trimmed.parse::<i64>().ok().map(Value::from);
                whole.or(number.map(Value::from)).ok_or_else(|| wrong("a number"))
            }
            Self::Boolean => match trimmed {
                "true" => Ok(true.into()),
                "false" => Ok(false.into()),
                _ => Err(wrong("`true` or `false`")),
            },
            Self::List(of) => of.read_list(trimmed),
        }
    }

    fn read_list(&self, text: &str) -> Result<Value, ParamError> {
        if text.len() > LONGEST_VALUE {
            return Err(ParamError::new(format!(
                "a value holds at most {LONGEST_VALUE} bytes"
            )));
        }
        if text.is_empty() {
            return Ok(Value::Array(Vec::new()));
        }
        if text.starts_with('[') {
            let unreadable = |_| {
                ParamError::new(format!("a list expected, not {}", quoted(text))).help(
                    "write `a,b`, or `[a, b]`, in which each bracket and quotation mark has its other half",
                )
            };
            let value: Value = serde_yaml::from_str(text).map_err(unreadable)?;
            return Ok(match value {
                Value::Array(items) => {
                    Value::Array(items.into_iter().map(|item| self.as_read(item)).collect())
                }
                other => other,
            });
        }
        text.split(',')
            .map(|item| self.read(item.trim()))
            .collect::<Result<_, _>>()
            .map(Value::Array)
    }

    /// In a list on the command line nobody quotes what YAML takes for a number.
    fn as_read(&self, item: Value) -> Value {
        match (self, item) {
            (Self::Integer | Self::Number | Self::Boolean, item) => item,
            (_, Value::Number(number)) => number.to_string().into(),
            (_, item) => item,
        }
    }

    /// Whether a value fits; in its normal form.
    pub(super) fn check(&self, value: Value) -> Result<Value, ParamError> {
        match (self, &value) {
            (Self::Integer, Value::Number(number)) if number.is_i64() || number.is_u64() => Ok(value),
            (Self::Number, Value::Number(_)) | (Self::Boolean, Value::Bool(_)) => Ok(value),
            (Self::Integer, _) => Err(expected("a whole number", &value)),
            (Self::Number, _) => Err(expected("a number", &value)),
            (Self::Boolean, _) => Err(expected("`true` or `false`", &value)),
            (Self::List(of), _) => {
                Err(expected("a list", &value)
                    .help(format!("write `[a, b]`; the type of each item is `{of}`")))
            }
            (Self::Secret, Value::String(text)) => check_length(text).map(|()| value),
            (Self::Secret, _) => Err(ParamError::new("a text expected").help("put quotes around the secret")),
            (_, Value::String(text)) => {
                check_length(text)?;
                self.check_text(text).map(Value::String)
            }
            (_, Value::Bool(_) | Value::Number(_)) => {
                Err(expected("a text", &value).help(format!("put quotes around it: `\"{value}\"`")))
            }
            (_, Value::Null | Value::Array(_) | Value::Object(_)) => Err(expected("a text", &value)),
        }
    }

    fn check_text(&self, text: &str) -> Result<String, ParamError> {
        match self {
            Self::Enum(values) => check_enum(text, values),
            Self::Url(schemes) => check_url(text, schemes),
            Self::Domain => check_domain(text),
            Self::Host => check_host(text),
            Self::Guid => match Uuid::try_parse(text) {
                Ok(guid) => Ok(guid.hyphenated().to_string()),
                Err(_) => Err(ParamError::new(format!("{} is not a GUID", quoted(text)))
                    .help("a GUID looks like `00000003-0000-0ff1-ce00-000000000000`")),
            },
            Self::Path => path::check(text),
            Self::String | Self::Secret => Ok(text.to_owned()),
            Self::Integer | Self::Number | Self::Boolean | Self::List(_) => Ok(text.to_owned()),
        }
    }
}

impl fmt::Display for ParamKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::List(of) => write!(f, "list of {of}"),
            other => f.write_str(other.name()),
        }
    }
}

/// A value as messages show it.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(flag) => format!("the boolean `{flag}`"),
        Value::Number(number) => format!("the number `{number}`"),
        Value::String(text) => quoted(text),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a map".to_owned(),
    }
}

pub(super) fn quoted(text: &str) -> String {
    const LONGEST: usize = 80;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("`{}…`", &text[..end]),
        None => format!("`{text}`"),
    }
}

fn expected(what: &str, found: &Value) -> ParamError {
    let error = ParamError::new(format!("{what} expected, not {}", shown(found)));
    match found {
        Value::String(text) if serde_json::from_str::<Value>(text).is_ok_and(|value| !value.is_string()) => {
            error.help("write it without quotes")
        }
        _ => error,
    }
}

fn check_length(text: &str) -> Result<(), ParamError> {
    match text.len() {
        length if length > LONGEST_VALUE => Err(ParamError::new(format!(
            "a value holds at most {LONGEST_VALUE} bytes"
        ))),
        _ => Ok(()),
    }
}

fn check_enum(text: &str, values: &[String]) -> Result<String, ParamError> {
    if values.iter().any(|value| value == text) {
        return Ok(text.to_owned());
    }
    let list = values
        .iter()
        .map(|value| format!("`{value}`"))
        .collect::<Vec<_>>()
        .join(", ");
    let problem = ParamError::new(format!("{} is not one of the values", quoted(text)));
    if values.is_empty() {
        return Err(problem);
    }
    let same = values
        .iter()
        .find(|value| value.eq_ignore_ascii_case(text))
        .map(String::as_str);
    let help = match same.or_else(|| closest(text, values.iter().map(String::as_str))) {
        Some(near) => format!("did you mean `{near}`? The values are {list}"),
        None => format!("the values are {list}"),
    };
    Err(problem.help(help))
}
