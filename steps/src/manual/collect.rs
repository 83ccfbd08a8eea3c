//! Values that a person enters, and what is right for each kind.

use runbook_engine::id::ParamName;
use runbook_engine::runbook::{Param, ParamKind, Pattern};
use runbook_engine::step::Check;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

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
/// What would have been right.
pub fn check_value(collect: &Collect, value: &Value) -> Result<Value, String> {
    let param = collect.param().map_err(|invalid| invalid.to_string())?;
    let checked = match value {
        Value::String(text) if text.trim().is_empty() => return Err("it is empty".to_owned()),
        Value::String(text) => param.parse(text.trim()),
        other => param.check(other.clone()),
    };
    checked.map_err(|wrong| match (&wrong.help, &collect.example) {
        (Some(help), _) => format!("{wrong}; {help}"),
        (None, Some(Value::String(example))) => format!("{wrong}; for example `{example}`"),
        (None, Some(example)) => format!("{wrong}; for example `{example}`"),
        (None, None) => wrong.to_string(),
    })
}

impl Collect {
    /// What is asked for, as a parameter: the same rules hold for both.
    fn param(&self) -> Result<Param, regex::Error> {
        let kind = match self.kind {
            CollectKind::String => ParamKind::String,
            CollectKind::Integer => ParamKind::Integer,
            CollectKind::Number => ParamKind::Number,
            CollectKind::Boolean => ParamKind::Boolean,
            CollectKind::Enum => ParamKind::Enum(self.values.clone()),
            CollectKind::Url => ParamKind::Url(Vec::new()),
            CollectKind::Domain => ParamKind::Domain,
            CollectKind::Host => ParamKind::Host,
            CollectKind::Guid => ParamKind::Guid,
            CollectKind::Path => ParamKind::Path,
        };
        let pattern = self.pattern.as_deref().map(Pattern::new).transpose()?;
        Ok(Param::of_kind(kind, pattern))
    }

    /// Reports what is wrong with the definition.
    pub(super) fn check(&self, name: &str, check: &mut Check<'_>) {
        if let Err(invalid) = name.parse::<ParamName>() {
            check.problem(
                &["collect", name],
                format!("`{name}` cannot be the name of a value: {}", invalid.rule()),
            );
        }
        let message = match (self.kind == CollectKind::Enum, self.values.is_empty()) {
            (true, true) => Some("an `enum` needs `values`: the answers that it allows"),
            (false, false) => Some("only an `enum` has `values`"),
            (true, false) | (false, true) => None,
        };
        if let Some(message) = message {
            check.problem(&["collect", name, "values"], message);
        }
        match self.pattern.as_deref().map(Pattern::new) {
            Some(_) if self.kind != CollectKind::String => {
                check.problem(&["collect", name, "pattern"], "only a `string` has a `pattern`");
            }
            Some(Err(_)) => {
                let message = "it is not a regular expression, or too large";
                check.problem(&["collect", name, "pattern"], message);
            }
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
