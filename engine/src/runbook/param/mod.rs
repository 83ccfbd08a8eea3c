//! Parameters: what a runbook asks before it starts, and which answers fit.

use regex::{Regex, RegexBuilder};
use serde_json::Value;

pub use self::file::{Place, read_values};
pub use self::kind::ParamKind;
pub use self::path::is_absolute;
pub use self::resolve::{Given, Resolved, resolve_params};
use crate::diagnostic::Span;
use crate::id::ParamName;

mod file;
mod kind;
mod network;
mod path;
mod resolve;

/// The longest value of a parameter, in bytes.
pub(super) const LONGEST_VALUE: usize = 64 * 1024;
/// The most items of a list.
pub(super) const MOST_ITEMS: usize = 10_000;

/// A parameter of a runbook.
#[derive(Debug, Clone, PartialEq)]
pub struct Param {
    /// The name.
    pub name: ParamName,
    /// What its values are.
    pub kind: ParamKind,
    /// How a person is asked for it.
    pub prompt: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// The value where none is given; it fits.
    pub default: Option<Value>,
    /// A value for rehearsals and for people to see what is meant; it fits.
    pub example: Option<Value>,
    /// Whether it may be left out; it is `null` then.
    pub optional: bool,
    /// What a text, or each text of a list, must look like.
    pub pattern: Option<Pattern>,
    /// The least number, length of a text in characters, or number of items.
    pub min: Option<f64>,
    /// The greatest number, length of a text in characters, or number of items.
    pub max: Option<f64>,
    /// Where its name stands in the runbook's file.
    pub span: Span,
}

/// A regular expression that a whole text must match.
#[derive(Debug, Clone)]
pub struct Pattern {
    source: String,
    whole: Regex,
}

impl Pattern {
    /// Compiles a regular expression.
    ///
    /// # Errors
    /// When it is not one, or is too large.
    pub fn new(source: &str) -> Result<Self, regex::Error> {
        // Alone first: in a group, `a)(b` would be one.
        Regex::new(source)?;
        let whole = RegexBuilder::new(&format!("^(?:{source})$"))
            .size_limit(1 << 20)
            .build()?;
        Ok(Self {
            source: source.to_owned(),
            whole,
        })
    }

    /// The regular expression as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.source
    }

    /// Whether the whole text matches.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        self.whole.is_match(text)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

/// A value that does not fit its parameter. The message never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ParamError {
    /// What is wrong with the value.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

impl ParamError {
    fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: None,
        }
    }

    fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }
}

impl Param {
    /// A rule for values of this kind that is not a runbook's parameter, such as what a person enters.
    ///
    /// # Panics
    /// Never: its name is a constant that follows the rules.
    #[must_use]
    pub fn of_kind(kind: ParamKind, pattern: Option<Pattern>) -> Self {
        #[expect(clippy::expect_used, reason = "the name is a constant that follows the rules")]
        let name = "value".parse().expect("a valid name");
        let (prompt, description, default, example) = (None, None, None, None);
        let (optional, min, max, span) = (false, None, None, Span::default());
        Self {
            name,
            kind,
            prompt,
            description,
            default,
            example,
            optional,
            pattern,
            min,
            max,
            span,
        }
    }

    /// Whether its value is kept out of everything durable or displayed.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.kind == ParamKind::Secret
    }

    /// The kind for people: `list of host`.
    #[must_use]
    pub fn kind_name(&self) -> String {
        self.kind.to_string()
    }

    /// Reads a value from text, as the command line and prompts give it. A list is separated by commas, or
    /// written as in YAML: `[a, b]`.
    ///
    /// # Errors
    /// When the text does not fit.
    pub fn parse(&self, text: &str) -> Result<Value, ParamError> {
        if self.is_secret() {
            return self.check(Value::String(text.to_owned()));
        }
        self.check(self.kind.read(text)?)
    }

    /// Checks a value, and gives it in its normal form: names of hosts, domains and GUIDs in lower case.
    ///
    /// # Errors
    /// When the value does not fit.
    pub fn check(&self, value: Value) -> Result<Value, ParamError> {
        match (&self.kind, value) {
            (ParamKind::List(of), Value::Array(items)) => {
                self.in_range(items.len() as f64, "items")?;
                if items.len() > MOST_ITEMS {
                    return Err(ParamError::new(format!(
                        "a list holds at most {MOST_ITEMS} items"
                    )));
                }
                let items = items.into_iter().enumerate().map(|(at, item)| {
                    let checked = of.check(item).and_then(|item| self.fits_pattern(item));
                    let place = |wrong: ParamError| format!("item {}: {}", at + 1, wrong.message);
                    checked.map_err(|wrong| ParamError {
                        message: place(wrong.clone()),
                        ..wrong
                    })
                });
                items.collect::<Result<_, _>>().map(Value::Array)
            }
            (kind, value) => {
                let value = self.fits_pattern(kind.check(value)?)?;
                match &value {
                    Value::Number(number) => self.in_range(number.as_f64().unwrap_or_default(), "")?,
                    Value::String(text) => self.in_range(text.chars().count() as f64, "characters")?,
                    Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {}
                }
                Ok(value)
            }
        }
    }

    fn fits_pattern(&self, value: Value) -> Result<Value, ParamError> {
        let fits = match (&self.pattern, &value) {
            (Some(pattern), Value::String(text)) => pattern.matches(text),
            _ => true,
        };
        if fits {
            return Ok(value);
        }
        let pattern = self.pattern.as_ref().map(Pattern::as_str).unwrap_or_default();
        let what = if self.is_secret() {
            "the secret".to_owned()
        } else {
            kind::shown(&value)
        };
        let error = ParamError::new(format!("{what} does not match the pattern `{pattern}`"));
        Err(match &self.example {
            Some(Value::String(example)) if !self.is_secret() => {
                error.help(format!("what fits looks like `{example}`"))
            }
            _ => error,
        })
    }

    fn in_range(&self, size: f64, unit: &str) -> Result<(), ParamError> {
        let shown = |bound: f64| {
            if unit.is_empty() {
                bound.to_string()
            } else {
                format!("{bound} {unit}")
            }
        };
        let found = if self.is_secret() {
            String::new()
        } else {
            format!(", not {size}")
        };
        match (self.min, self.max) {
            (Some(min), _) if size < min => Err(ParamError::new(format!(
                "at least {} expected{found}",
                shown(min)
            ))),
            (_, Some(max)) if size > max => {
                Err(ParamError::new(format!("at most {} expected{found}", shown(max))))
            }
            _ => Ok(()),
        }
    }
}
