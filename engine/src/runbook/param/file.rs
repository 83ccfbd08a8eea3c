//! Values of parameters from a file: a map of names to values, in YAML or JSON.
//!
//! Somebody may have put a secret there, so nothing of the text but the names is ever shown.

use std::sync::Arc;

use serde_json::Value;

use crate::diagnostic::{Code, Diagnostic, SourceFile, Span};
use crate::runbook::yaml::Document;

/// Where a value was given: its name in a file, of which nothing else can be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: Arc<SourceFile>,
    /// The name.
    pub span: Span,
}

impl Place {
    /// Points at the place.
    #[must_use]
    pub fn mark(&self, diagnostic: Diagnostic, text: &str) -> Diagnostic {
        diagnostic.at(&self.file, self.span, text)
    }
}

/// Reads the values that a file gives, in its order.
///
/// # Errors
/// When it is neither YAML nor JSON, is no map, or gives a value twice.
pub fn read_values(file: &Arc<SourceFile>) -> Result<Vec<(String, Value, Place)>, Vec<Diagnostic>> {
    let says_something = |line: &str| !matches!(line.trim_start().chars().next(), None | Some('#'));
    if !file.text.lines().any(says_something) {
        return Ok(Vec::new());
    }
    let hidden = |mistakes| hide(mistakes, &names_alone(file, &[]));
    let (document, mistakes) = Document::parse(file);
    let Some(document) = document.filter(|_| mistakes.is_empty()) else {
        return Err(hidden(mistakes));
    };
    let root = document.root();
    match root.value() {
        // A file of nothing but comments.
        Value::Null => return Ok(Vec::new()),
        Value::Object(_) => {}
        _ => {
            let message = format!(
                "the file of parameters `{}` is not a map of names to values",
                file.name
            );
            let problem = Diagnostic::error(Code::WrongType, message).at(file, root.span(), "");
            return Err(hidden(vec![problem.help("write one `name: value` a line")]));
        }
    }
    let spans: Vec<Span> = root.entries().map(|(key, _)| key.span).collect();
    let shown = names_alone(file, &spans);
    let values = root.entries().map(|(key, node)| {
        let (file, span) = (Arc::clone(&shown), key.span);
        (key.name.to_owned(), node.value().clone(), Place { file, span })
    });
    Ok(values.collect())
}

/// The file with blanks for all but these names; what is where does not change.
fn names_alone(file: &SourceFile, names: &[Span]) -> Arc<SourceFile> {
    // The names come in the file's order.
    let shown = |at: usize| {
        let next = names.partition_point(|span| span.end <= at);
        names.get(next).is_some_and(|span| span.start <= at)
    };
    let mut text = String::with_capacity(file.text.len());
    for (at, c) in file.text.char_indices() {
        if matches!(c, '\n' | '\r') || shown(at) {
            text.push(c);
        } else {
            text.extend(std::iter::repeat_n(' ', c.len_utf8()));
        }
    }
    SourceFile::new(file.name.clone(), text)
}

/// The same mistakes, with nothing of the file shown.
fn hide(mistakes: Vec<Diagnostic>, shown: &Arc<SourceFile>) -> Vec<Diagnostic> {
    let hidden = mistakes.into_iter().map(|mut mistake| {
        for label in &mut mistake.labels {
            label.file = Arc::clone(shown);
        }
        mistake
    });
    hidden.collect()
}
