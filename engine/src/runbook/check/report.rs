//! Collects what is wrong with a file, and says it in the same words everywhere.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::fields::Field;
use crate::diagnostic::{Code, Diagnostic, SourceFile, Sources, Span};
use crate::runbook::yaml::{MOST_MISTAKES, Node};

/// What is wrong with a file, or with several as one text, so far.
pub(in crate::runbook) struct Report {
    pub(super) file: Arc<SourceFile>,
    sources: Sources,
    /// What the file is, with its article.
    pub(super) subject: &'static str,
    /// Where overlays say that a step comes at another place.
    pub(super) moves: BTreeMap<String, Span>,
    problems: Vec<Diagnostic>,
}

impl Report {
    pub(in crate::runbook) fn new(sources: Sources, problems: Vec<Diagnostic>) -> Self {
        Self {
            file: Arc::clone(sources.whole()),
            sources,
            subject: "a runbook",
            moves: BTreeMap::new(),
            problems,
        }
    }

    /// The text that all places are in.
    pub(in crate::runbook) fn file(&self) -> &Arc<SourceFile> {
        &self.file
    }

    /// The files that the text is made of.
    pub(in crate::runbook) fn sources(&self) -> &Sources {
        &self.sources
    }

    /// Notes that a step comes at another place.
    pub(in crate::runbook) fn moved(&mut self, step: &str, place: Span) {
        self.moves.insert(step.to_owned(), place);
    }

    /// Says what is read from here on, with its article.
    pub(in crate::runbook) fn about(&mut self, subject: &'static str) {
        self.subject = subject;
    }

    /// An error at a place, to be added with [`push`](Self::push).
    pub(in crate::runbook) fn error(&self, code: Code, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(code, message).at(&self.file, span, "")
    }

    /// Adds what was found.
    pub(in crate::runbook) fn push(&mut self, problem: Diagnostic) {
        if !self.is_full() {
            self.problems.push(problem);
        }
    }

    /// Whether no more mistakes are told, so that looking for them is a waste.
    pub(super) fn is_full(&self) -> bool {
        self.problems.len() >= MOST_MISTAKES
    }

    /// Whether anything refuses the file.
    pub(in crate::runbook) fn has_errors(&self) -> bool {
        self.problems.iter().any(Diagnostic::is_error)
    }

    /// Everything, in the order of the files, each at its place in the file where it stands.
    pub(in crate::runbook) fn finish(self) -> Vec<Diagnostic> {
        let full = self.is_full();
        let located = |problem| self.sources.located(problem);
        let end = Span::new(self.file.text.len(), self.file.text.len());
        let message = format!("there are more than {MOST_MISTAKES} mistakes; the rest is not told");
        let last = full.then(|| located(self.error(Code::TooBig, end, message)));
        let mut problems: Vec<Diagnostic> = self.problems.into_iter().map(located).collect();
        problems.sort_by_cached_key(|problem| self.sources.rank(problem));
        problems.dedup();
        problems.extend(last);
        problems
    }

    /// The value of `field` has the wrong type.
    pub(in crate::runbook) fn wrong_type(&mut self, field: Field<'_>, expected: &str) {
        let Field { key, node } = field;
        let problem = if node.value().is_null() {
            let message = format!("`{}` has no value", key.name);
            let problem = self.error(Code::WrongType, key.span, message);
            problem.help(format!("write {expected} after it, or remove it"))
        } else {
            let name = if key.name.is_empty() {
                self.subject.to_owned()
            } else {
                format!("`{}`", key.name)
            };
            let message = format!("{name} must be {expected}, not {}", describe(node));
            let problem = self.error(Code::WrongType, first_line(&self.file, node.span()), message);
            match remedy(node, expected) {
                Some(help) => problem.help(help),
                None => problem,
            }
        };
        self.push(problem);
    }
}

/// What stands at a node, for people.
pub(super) fn describe(node: Node<'_>) -> String {
    match node.value() {
        Value::Null => "nothing".to_owned(),
        Value::Bool(_) => format!("the boolean `{}`", node.raw()),
        Value::Number(_) => format!("the number `{}`", node.raw()),
        Value::String(text) if text.len() <= 40 && !text.contains('\n') => format!("the text `{text}`"),
        Value::String(_) => "a text".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a map".to_owned(),
    }
}

/// What to do where YAML read another type than was meant.
fn remedy(node: Node<'_>, expected: &str) -> Option<String> {
    let text = node.raw();
    match node.value() {
        Value::Number(_) if expected.contains("duration") => {
            Some(format!("say in which unit: `{text}s`, `{text}m`, `{text}h`"))
        }
        Value::Bool(_) | Value::Number(_) if expected.contains("text") => {
            Some(format!("put quotes around it: `\"{text}\"`"))
        }
        Value::String(_) if expected.contains("`true`") => match text.to_ascii_lowercase().as_str() {
            "yes" | "on" | "y" | "true" => Some("write `true`".to_owned()),
            "no" | "off" | "n" | "false" => Some("write `false`".to_owned()),
            _ => None,
        },
        Value::String(_) if expected.contains("number") && text.parse::<f64>().is_ok() => {
            Some("write it without quotes and leading zeros".to_owned())
        }
        _ => None,
    }
}

/// A span cut off at the end of its first line: a whole block says less than its start.
pub(in crate::runbook) fn first_line(file: &SourceFile, span: Span) -> Span {
    let text = file.text.get(span.start..span.end).unwrap_or_default();
    let line = text.lines().next().unwrap_or_default();
    Span::new(span.start, span.start + line.trim_end().len())
}
