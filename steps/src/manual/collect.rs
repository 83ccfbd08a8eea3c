//! Values that a person enters, and what is right for each kind.

use regex::{Regex, RegexBuilder};
use runbook_engine::id::ParamName;
use runbook_engine::step::Check;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

/// The longest text that can be entered, in bytes.
const LONGEST: usize = 64 * 1024;

/// The most memory that a pattern may be compiled to.
const LARGEST_PATTERN: usize = 256 * 1024;

/// One value that is asked for.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Collect {
    /// Which kind of value it is.
    #[serde(rename = "type")]
    pub kind: CollectKind,
    /// What the person is asked.
    pub prompt: Option<String>,
    /// What an answer may look like.
    pub example: Option<Value>,
    /// Whether it may be left out.
    #[serde(default)]
    pub optional: bool,
    /// The answers that an `enum` allows.
    #[serde(default)]
    pub values: Vec<String>,
    /// A regular expression that the whole of a `string` must match.
    pub pattern: Option<String>,
}

/// The kinds of values that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CollectKind {
    /// Any text.
    String,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// One of `values`.
    Enum,
    /// An absolute URL.
    Url,
    /// A DNS domain, such as `adventureworks.com`.
    Domain,
    /// A host's name or address.
    Host,
    /// A GUID.
    Guid,
    /// A path.
    Path,
}

/// Takes an entered value: text, or a value that has its type already.
///
/// # Errors
/// What would have been right; the value itself, which may be secret, is not repeated.
pub fn check_value(collect: &Collect, value: &Value) -> Result<Value, String> {
    let text = match value {
        Value::String(text) => text.trim(),
        Value::Number(_) if matches!(collect.kind, CollectKind::Integer | CollectKind::Number) => {
            &value.to_string()
        }
        Value::Bool(flag) if collect.kind == CollectKind::Boolean => return Ok((*flag).into()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            return Err(expected(collect));
        }
    };
    if text.len() > LONGEST {
        return Err(format!("it is longer than {LONGEST} bytes"));
    }
    if text.is_empty() {
        return Err("it is empty".to_owned());
    }
    typed(collect, text).ok_or_else(|| expected(collect))
}

fn typed(collect: &Collect, text: &str) -> Option<Value> {
    let right = |right: bool| right.then(|| Value::from(text));
    match collect.kind {
        CollectKind::String => right(collect.pattern().is_none_or(|pattern| pattern.is_match(text))),
        CollectKind::Integer => text.parse::<i64>().ok().map(Value::from),
        CollectKind::Number => {
            let number = text.parse::<f64>().ok()?;
            text.parse::<i64>().map_or_else(
                |_| serde_json::Number::from_f64(number).map(Value::from),
                |whole| Some(whole.into()),
            )
        }
        CollectKind::Boolean => text.to_ascii_lowercase().parse::<bool>().ok().map(Value::from),
        CollectKind::Enum => right(collect.values.iter().any(|value| value == text)),
        CollectKind::Url => right(url::Url::parse(text).is_ok_and(|url| url.has_host())),
        CollectKind::Domain => right(is_domain(text) && text.contains('.')),
        CollectKind::Host => right(is_domain(text) || text.parse::<std::net::IpAddr>().is_ok()),
        CollectKind::Guid => uuid::Uuid::try_parse(text)
            .ok()
            .map(|guid| guid.hyphenated().to_string().into()),
        CollectKind::Path => right(!text.contains(|c: char| c.is_control())),
    }
}

fn is_domain(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(label)
}

fn expected(collect: &Collect) -> String {
    let what = match collect.kind {
        CollectKind::String => match &collect.pattern {
            Some(pattern) => format!("a text that matches `{pattern}` is expected"),
            None => "a text is expected".to_owned(),
        },
        CollectKind::Integer => "a whole number is expected".to_owned(),
        CollectKind::Number => "a number is expected".to_owned(),
        CollectKind::Boolean => "`true` or `false` is expected".to_owned(),
        CollectKind::Enum => format!("one of `{}` is expected", collect.values.join("`, `")),
        CollectKind::Url => "a URL is expected, with its scheme and host".to_owned(),
        CollectKind::Domain => "a DNS domain is expected, without a scheme".to_owned(),
        CollectKind::Host => "a host's name or address is expected".to_owned(),
        CollectKind::Guid => "a GUID is expected".to_owned(),
        CollectKind::Path => "a path is expected".to_owned(),
    };
    match &collect.example {
        Some(Value::String(example)) => format!("{what}, such as `{example}`"),
        Some(example) => format!("{what}, such as `{example}`"),
        None => what,
    }
}

impl Collect {
    fn pattern(&self) -> Option<Regex> {
        self.pattern.as_deref().and_then(|pattern| compile(pattern).ok())
    }

    /// Reports what is wrong with the definition.
    pub(super) fn check(&self, name: &str, check: &mut Check<'_>) {
        if let Err(invalid) = name.parse::<ParamName>() {
            check.problem(
                &["collect", name],
                format!("`{name}` cannot be the name of a value: {}", invalid.rule()),
            );
        }
        if (self.kind == CollectKind::Enum) == self.values.is_empty() {
            let message = "an `enum`, and nothing else, has `values`: the answers that it allows";
            check.problem(&["collect", name, "values"], message);
        }
        match self.pattern.as_deref().map(compile) {
            Some(_) if self.kind != CollectKind::String => {
                check.problem(&["collect", name, "pattern"], "only a `string` has a `pattern`");
            }
            Some(Err(why)) => check.problem(&["collect", name, "pattern"], why),
            Some(Ok(_)) | None => {}
        }
        if let Some(example) = &self.example
            && !example.as_str().is_some_and(|text| text.contains("${{"))
            && check_value(self, example).is_err()
        {
            check.problem(
                &["collect", name, "example"],
                "the example would not be accepted as an answer",
            );
        }
    }
}

fn compile(pattern: &str) -> Result<Regex, String> {
    let whole = format!("^(?:{pattern})$");
    let built = RegexBuilder::new(&whole).size_limit(LARGEST_PATTERN).build();
    built.map_err(|_| "it is not a regular expression, or too large".to_owned())
}
