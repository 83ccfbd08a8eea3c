//! The kinds of parameters, and what a value of each looks like.

use std::fmt;
use std::net::IpAddr;

use serde_json::Value;
use url::Url;
use uuid::Uuid;

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
            Self::Integer => trimmed
                .parse::<i64>()
                .map(Value::from)
                .map_err(|_| wrong("a whole number")),
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
            let unreadable = |error: serde_yaml::Error| {
                ParamError::new(format!("this is not a list: {error}"))
                    .help("write `a,b`, or `[a, b]` as in YAML")
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

fn quoted(text: &str) -> String {
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

fn check_url(text: &str, schemes: &[String]) -> Result<String, ParamError> {
    let allowed = if schemes.is_empty() {
        "https".to_owned()
    } else {
        schemes.join("` or `")
    };
    let url = Url::parse(text).map_err(|error| {
        let problem = ParamError::new(format!("{} is not a URL: {error}", quoted(text)));
        let scheme = schemes.first().map_or("https", String::as_str);
        if text.contains("://") {
            problem
        } else {
            problem.help(format!("write `{scheme}://{text}`"))
        }
    })?;
    if !schemes.is_empty() && !schemes.iter().any(|scheme| scheme == url.scheme()) {
        let problem = ParamError::new(format!("a URL with `{}` is not allowed here", url.scheme()));
        return Err(problem.help(format!("it must start with `{allowed}`")));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(ParamError::new(format!("{} names no host", quoted(text))));
    }
    if url.password().is_some() {
        let problem = ParamError::new("a URL must not hold a password");
        return Err(problem.help("it would be kept in the journal; use a parameter of type `secret`"));
    }
    Ok(text.to_owned())
}

fn check_domain(text: &str) -> Result<String, ParamError> {
    let lower = text.to_ascii_lowercase();
    let wrong = |why: &str| ParamError::new(format!("{} is not a domain: {why}", quoted(text)));
    let write = |error: ParamError, domain: &str| match is_domain(domain) {
        true => error.help(format!("write `{domain}`")),
        false => error.help("write a name like `example.com`"),
    };
    if let Some((_, rest)) = lower.split_once("://") {
        let domain = rest.split(['/', ':', '?', '#']).next().unwrap_or_default();
        return Err(write(wrong("it holds a protocol"), domain));
    }
    if let Some((domain, _)) = lower.split_once(['/', '?', '#']) {
        return Err(write(
            wrong("it holds a path"),
            domain.split(':').next().unwrap_or_default(),
        ));
    }
    if lower.trim_matches(['[', ']']).parse::<IpAddr>().is_ok() {
        return Err(
            wrong("it is an IP address").help("write the name that the DNS knows, like `example.com`")
        );
    }
    if let Some((_, domain)) = lower.split_once('@') {
        return Err(write(wrong("it is an address for mail"), domain));
    }
    if let Some((domain, _)) = lower.split_once(':') {
        return Err(write(wrong("it holds a port"), domain));
    }
    if lower.contains('*') {
        return Err(write(
            wrong("it holds a wildcard"),
            lower.trim_start_matches(['*', '.']),
        ));
    }
    if let Some(domain) = lower.strip_suffix('.') {
        return Err(write(wrong("it ends with a dot"), domain));
    }
    if !lower.contains('.') {
        return Err(
            wrong("it is a single label").help(format!("write it in full, like `{lower}.example.com`"))
        );
    }
    if !is_domain(&lower) {
        let help =
            "labels hold letters, digits and `-`, at most 63 each; write other letters in Punycode (`xn--…`)";
        return Err(wrong("a label does not follow the rules").help(help));
    }
    Ok(lower)
}

fn is_domain(text: &str) -> bool {
    let last_is_no_number = text
        .rsplit('.')
        .next()
        .is_some_and(|last| !last.bytes().all(|b| b.is_ascii_digit()));
    text.len() <= 253 && text.contains('.') && text.split('.').all(is_label) && last_is_no_number
}

fn is_label(label: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    (1..=63).contains(&label.len())
        && label.bytes().all(fits)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

fn check_host(text: &str) -> Result<String, ParamError> {
    let lower = text.to_ascii_lowercase();
    let wrong = |why: &str| ParamError::new(format!("{} is not a host: {why}", quoted(text)));
    if lower.parse::<IpAddr>().is_ok() {
        return Ok(lower);
    }
    if let Some((_, rest)) = lower.split_once("://") {
        let host = rest.split(['/', ':', '?', '#']).next().unwrap_or_default();
        return Err(wrong("it holds a protocol").help(format!("write `{host}`")));
    }
    if let Some((host, _)) = lower.split_once(['/', ':']) {
        return Err(wrong("it holds a port or a path").help(format!("write `{host}`")));
    }
    // Windows machines may have `_` in their names.
    let fits = |label: &str| is_label(&label.replace('_', "x"));
    if lower.len() <= 253 && lower.split('.').all(fits) {
        Ok(lower)
    } else {
        Err(wrong("it is neither a name nor an address")
            .help("write a name like `web1`, `web1.example.com`, or an IP address"))
    }
}
