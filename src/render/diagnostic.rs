//! Diagnostics: as text with the line and a caret, or as JSON.

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use runbook_engine::diagnostic::{Diagnostic, Severity};
use serde_json::{Value, json};

use super::layout::Width;
use super::{hint, plain};
use crate::setting::Setting;

/// Prints diagnostics on standard error.
pub(crate) fn print_all(diagnostics: &[Diagnostic], setting: &Setting) {
    for diagnostic in diagnostics {
        setting.look.tell_always(&told(diagnostic, setting.global.json));
    }
}

/// One diagnostic, for programs or for people.
pub(crate) fn told(diagnostic: &Diagnostic, json: bool) -> String {
    if json {
        as_json(diagnostic).to_string()
    } else {
        as_text(diagnostic)
    }
}

/// One diagnostic as a compiler shows it, with colours.
pub(crate) fn as_text(diagnostic: &Diagnostic) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let width = Width::of_talk();
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let before = severity.len() + diagnostic.code.as_str().len() + "[]: ".len();
    let message = within(width, before, &diagnostic.message);
    let title = level.primary_title(&message).id(diagnostic.code.as_str());
    let mut group = annotate_snippets::Group::with_title(title);
    let mut files: Vec<_> = diagnostic.labels.iter().map(|label| &label.file).collect();
    files.dedup();
    for file in files {
        let annotations = diagnostic
            .labels
            .iter()
            .enumerate()
            .filter(|(_, label)| label.file == *file);
        let annotations = annotations.map(|(at, label)| {
            let kind = if at == 0 {
                AnnotationKind::Primary
            } else {
                AnnotationKind::Context
            };
            let end = label.span.end.min(file.text.len());
            kind.span(label.span.start.min(end)..end)
                .label(label.text.as_str())
        });
        group = group.element(
            Snippet::source(file.text.as_str())
                .path(file.name.as_str())
                .annotations(annotations),
        );
    }
    // What is left of the rule beside the source: room for the numbers of its lines.
    let lines = diagnostic.labels.iter();
    let lines = lines.map(|label| label.file.line_column(label.span.end).0.to_string().len());
    let rule = lines.max().unwrap_or(0) + 1;
    for cause in &diagnostic.causes {
        let cause = format!("because: {cause}");
        group = group.element(Level::NOTE.message(within(width, rule + "= note: ".len(), &cause)));
    }
    for help in &diagnostic.help {
        group = group.element(Level::HELP.message(within(width, rule + "= help: ".len(), help)));
    }
    let renderer = Renderer::styled();
    let renderer = match width.left(0) {
        Some(columns) => renderer.term_width(columns),
        None => renderer,
    };
    renderer.render(&[group])
}

/// A text in lines that fit after `before` columns, without what could drive the terminal.
fn within(width: Width, before: usize, text: &str) -> String {
    width.narrower(before).wrap("", 0, &plain(&hint::in_text(text)))
}

/// One diagnostic for programs.
pub(crate) fn as_json(diagnostic: &Diagnostic) -> Value {
    let places = diagnostic.labels.iter().map(|label| {
        let (line, column) = label.file.line_column(label.span.start);
        let (end_line, end_column) = label.file.line_column(label.span.end);
        json!({
            "file": label.file.name, "line": line, "column": column,
            "end_line": end_line, "end_column": end_column, "text": label.text,
        })
    });
    json!({
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "message": diagnostic.message,
        "places": places.collect::<Vec<_>>(),
        "help": diagnostic.help.iter().map(|help| hint::in_text(help)).collect::<Vec<_>>(),
        "causes": diagnostic.causes,
    })
}
