//! From the text of a file, and of the overlays on it, to a checked runbook.

use std::sync::Arc;

use super::check::{Report, check};
use super::model::Runbook;
use super::operators;
use super::overlay;
use super::yaml::Document;
use crate::diagnostic::{Code, Diagnostic, SourceFile, Sources, Span};
use crate::step::{Files, Registry};

/// What loading a file gave.
#[derive(Debug)]
pub struct Loaded {
    /// The runbook, unless there are errors.
    pub runbook: Option<Runbook>,
    /// Everything that is wrong or worth knowing, in the order of the files.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads a runbook from a file's text, and checks everything that can be checked before it runs.
pub fn load(file: &Arc<SourceFile>, registry: &Registry, files: &dyn Files) -> Loaded {
    load_with(file, &[], registry, files)
}

/// As [`load`], with overlays that change the runbook, one after the other, before it is checked.
pub fn load_with(
    file: &Arc<SourceFile>,
    overlays: &[Arc<SourceFile>],
    registry: &Registry,
    files: &dyn Files,
) -> Loaded {
    let (document, problems) = Document::parse(file);
    let mut report = Report::new(Sources::new(file, overlays), problems);
    let runbook = document.and_then(|document| {
        let document = document.within(report.file(), 0);
        if overlays.is_empty() {
            return check(&document, registry, files, &mut report);
        }
        match overlay::apply(&document, overlays, &mut report) {
            None => check(&document, registry, files, &mut report),
            Some(merged) => {
                let runbook = check(&merged.document, registry, files, &mut report)?;
                let Some(text) = merged.document.to_yaml() else {
                    let message = "the runbook with its overlays cannot be kept as one text";
                    let problem = report.error(Code::TooBig, Span::default(), message);
                    report.push(problem.help("make the runbook or its overlays shorter"));
                    return None;
                };
                Some(runbook.overlaid(merged.overlaid, text))
            }
        }
    });
    let runbook = runbook.filter(|_| !report.has_errors());
    let mut diagnostics = report.finish();
    let runbook = runbook.and_then(|runbook| operators::staffed(runbook, files, &mut diagnostics));
    Loaded { runbook, diagnostics }
}
