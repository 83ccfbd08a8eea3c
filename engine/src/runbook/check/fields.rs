//! Reading a map key by key: unknown keys, missing keys and wrong types are told where they stand.

use std::str::FromStr;
use std::time::Duration;

use serde_json::Value;

use super::report::Report;
use crate::diagnostic::{Code, Span, closest};
use crate::id::InvalidName;
use crate::runbook::duration;
use crate::runbook::yaml::{Key, Node};

/// A key and its value.
#[derive(Debug, Clone, Copy)]
pub(in crate::runbook) struct Field<'a> {
    pub(in crate::runbook) key: Key<'a>,
    pub(in crate::runbook) node: Node<'a>,
}

/// A text and its place.
#[derive(Debug, Clone, Copy)]
pub(in crate::runbook) struct Named<'a> {
    pub(in crate::runbook) name: &'a str,
    pub(in crate::runbook) span: Span,
}

/// The keys of one map.
pub(in crate::runbook) struct Fields<'a> {
    entries: Vec<Field<'a>>,
    /// What a missing key is missing in.
    owner: Field<'a>,
    /// The keys that unknown ones were probably meant to be: they are not missing too.
    misspelt: Vec<String>,
}

impl<'a> Fields<'a> {
    /// Reads a map that may have only the keys in `allowed`.
    pub(in crate::runbook) fn read(owner: Field<'a>, allowed: &[&str], report: &mut Report) -> Option<Self> {
        if !owner.node.value().is_object() {
            report.wrong_type(owner, "a map");
            return None;
        }
        let (mut entries, mut misspelt) = (Vec::new(), Vec::new());
        for (key, node) in owner.node.entries() {
            if allowed.contains(&key.name) {
                entries.push(Field { key, node });
            } else if key.name != "<<" {
                misspelt.extend(unknown_key(owner.key.name, key, allowed, report));
            }
        }
        Some(Self {
            entries,
            owner,
            misspelt,
        })
    }

    /// Whether the map has none of its keys.
    pub(in crate::runbook) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All keys of a map, whatever they are.
    pub(in crate::runbook) fn all(owner: Field<'a>) -> Self {
        let entries = owner.node.entries().map(|(key, node)| Field { key, node });
        Self {
            entries: entries.collect(),
            owner,
            misspelt: Vec::new(),
        }
    }

    pub(in crate::runbook) fn get(&self, name: &str) -> Option<Field<'a>> {
        self.entries.iter().find(|field| field.key.name == name).copied()
    }

    pub(in crate::runbook) fn required(
        &self,
        name: &str,
        help: &str,
        report: &mut Report,
    ) -> Option<Field<'a>> {
        let found = self.get(name);
        if found.is_none() && !self.misspelt.iter().any(|meant| meant == name) {
            let message = match self.owner.key.name {
                "" => format!("the key `{name}` is missing"),
                owner => format!("`{owner}` lacks the key `{name}`"),
            };
            let problem = report
                .error(Code::MissingKey, self.owner.key.span, message)
                .help(help);
            report.push(problem);
        }
        found
    }

    pub(in crate::runbook) fn text(&self, name: &str, report: &mut Report) -> Option<&'a str> {
        self.get(name)?.text(report)
    }

    pub(in crate::runbook) fn owned(&self, name: &str, report: &mut Report) -> Option<String> {
        self.text(name, report).map(str::to_owned)
    }

    pub(in crate::runbook) fn flag(&self, name: &str, report: &mut Report) -> Option<bool> {
        let field = self.get(name)?;
        let flag = field.node.value().as_bool();
        if flag.is_none() {
            report.wrong_type(field, "`true` or `false`");
        }
        flag
    }

    pub(in crate::runbook) fn number(&self, name: &str, report: &mut Report) -> Option<f64> {
        let field = self.get(name)?;
        let number = field.node.value().as_f64();
        if number.is_none() {
            report.wrong_type(field, "a number");
        }
        number
    }

    pub(in crate::runbook) fn duration(&self, name: &str, report: &mut Report) -> Option<Duration> {
        let field = self.get(name)?;
        let Value::String(text) = field.node.value() else {
            let what = "a duration like `30s` or `1h30m`";
            report.wrong_type(field, what);
            return None;
        };
        match duration::parse(text) {
            Ok(duration) => Some(duration),
            Err(invalid) => {
                let message = format!("`{name}` must be a duration: {invalid}");
                let problem = report
                    .error(Code::InvalidValue, field.node.span(), message)
                    .help(invalid.help());
                report.push(problem);
                None
            }
        }
    }

    /// A text or a list of texts.
    pub(in crate::runbook) fn names(&self, name: &str, report: &mut Report) -> Vec<Named<'a>> {
        let Some(field) = self.get(name) else {
            return Vec::new();
        };
        match field.node.value() {
            Value::String(text) => vec![Named {
                name: text,
                span: field.node.span(),
            }],
            Value::Array(_) => {
                let items = field.node.items().map(|node| Field { node, ..field });
                items.filter_map(|item| item.named(report)).collect()
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
                report.wrong_type(field, "a text or a list of texts");
                Vec::new()
            }
        }
    }

    /// One of some words.
    pub(in crate::runbook) fn choice<T: Copy>(
        &self,
        name: &str,
        choices: &[(&str, T)],
        report: &mut Report,
    ) -> Option<T> {
        let field = self.get(name)?;
        let text = field.text(report)?;
        let found = choices.iter().find(|(word, _)| *word == text);
        if found.is_none() {
            let words = || choices.iter().map(|(word, _)| *word);
            let list = words()
                .map(|word| format!("`{word}`"))
                .collect::<Vec<_>>()
                .join(", ");
            let message = format!("`{name}` cannot be `{text}`");
            let problem = report.error(Code::InvalidValue, field.node.span(), message);
            let problem = problem
                .did_you_mean(text, words())
                .help(format!("it is one of {list}"));
            report.push(problem);
        }
        found.map(|(_, value)| *value)
    }
}

/// The entries of a map whose keys are names.
pub(in crate::runbook) fn entries<'a>(field: Option<Field<'a>>, report: &mut Report) -> Vec<Field<'a>> {
    let Some(field) = field else {
        return Vec::new();
    };
    if !field.node.value().is_object() {
        report.wrong_type(field, "a map from names to their declarations");
        return Vec::new();
    }
    let entries = field.node.entries();
    entries.map(|(key, node)| Field { key, node }).collect()
}

impl<'a> Field<'a> {
    /// The whole of a document.
    pub(in crate::runbook) fn root(node: Node<'a>) -> Self {
        let key = Key {
            name: "",
            span: Span::default(),
        };
        Self { key, node }
    }

    pub(in crate::runbook) fn text(self, report: &mut Report) -> Option<&'a str> {
        self.named(report).map(|named| named.name)
    }

    pub(in crate::runbook) fn named(self, report: &mut Report) -> Option<Named<'a>> {
        match self.node.value() {
            Value::String(text) => Some(Named {
                name: text,
                span: self.node.span(),
            }),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                report.wrong_type(self, "text");
                None
            }
        }
    }

    /// The key as a name of its kind.
    pub(in crate::runbook) fn key_as<T: FromStr<Err = InvalidName>>(self, report: &mut Report) -> Option<T> {
        Named {
            name: self.key.name,
            span: self.key.span,
        }
        .parse(report)
    }
}

impl Named<'_> {
    pub(in crate::runbook) fn parse<T: FromStr<Err = InvalidName>>(self, report: &mut Report) -> Option<T> {
        match self.name.parse() {
            Ok(name) => Some(name),
            Err(invalid) => {
                let problem = report.error(Code::InvalidName, self.span, invalid.to_string());
                let better =
                    ["-", "_"].map(|letter| self.name.trim().replace([' ', '.', '/', ':', '-'], letter));
                let better = better.into_iter().find(|name| name.parse::<T>().is_ok());
                report.push(
                    better
                        .into_iter()
                        .fold(problem, |problem, name| problem.help(format!("write `{name}`"))),
                );
                None
            }
        }
    }
}

/// Reports the key, and gives the one that was probably meant.
fn unknown_key(owner: &str, key: Key<'_>, allowed: &[&str], report: &mut Report) -> Option<String> {
    let message = match owner {
        "" => format!("{} has no key `{}`", report.subject, key.name),
        owner => format!("`{owner}` has no key `{}`", key.name),
    };
    let problem = report.error(Code::UnknownKey, key.span, message);
    let list = allowed
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ");
    let meant = closest(key.name, allowed.iter().copied());
    let problem = match meant {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None => problem,
    };
    report.push(problem.help(format!("the keys here are {list}")));
    meant.map(str::to_owned)
}
