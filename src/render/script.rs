//! A script that failed: the place in it, with a caret, in the text that the run keeps.

use std::path::Path;

use runbook_engine::core::event::{Event, Failure};
use runbook_engine::diagnostic::{Code, Diagnostic, SourceFile, Span};
use runbook_engine::runbook::Runbook;

use super::next::quoted;
use super::story::subject;

/// What is told of a failure whose place in one of the run's files is known. `run` is its short name.
pub(crate) fn failure(event: &Event, run: &str, runbook: &Runbook) -> Option<Diagnostic> {
    let (Event::AttemptFailed { error, .. }
    | Event::ObservationFailed { error, .. }
    | Event::RollbackFailed { error, .. }) = event
    else {
        return None;
    };
    let Failure { message, place, kind } = error;
    let place = place.as_ref()?;
    let text = runbook.files().get(&place.file)?;
    let runbook_file = match runbook.overlays() {
        Some(overlaid) => &overlaid.file,
        None => &runbook.definition().name,
    };
    let name = Path::new(runbook_file).with_file_name(&place.file);
    let file = SourceFile::new(name.display().to_string(), text);
    let instance = subject(event)?;
    // What stands before the place in the message is what the snippet shows.
    let shown = format!("{}:{}:{}: ", place.file, place.line, place.column);
    let why = message
        .split_once(&shown)
        .map_or(message.as_str(), |(_, why)| why);
    let diagnostic = Diagnostic::error(Code::ScriptFailed, format!("`{instance}`: {why}"));
    let diagnostic = diagnostic.at(&file, span(text, place.line, place.column), "");
    let diagnostic = diagnostic.help(format!(
        "`runbook log {run} --step {}` shows what it printed; the run keeps this text of the script",
        quoted(&instance)
    ));
    Some(if kind.is_of_definition() {
        diagnostic
            .help("mend the script in its file, then amend the run: it keeps the script as it is until then")
    } else {
        diagnostic
    })
}

/// From a place to the end of the word there.
fn span(text: &str, line: u32, column: u32) -> Span {
    let number = |number: u32| usize::try_from(number).unwrap_or(usize::MAX).saturating_sub(1);
    let before: usize = text.split_inclusive('\n').take(number(line)).map(str::len).sum();
    let rest = text.get(before..).unwrap_or_default();
    let within = rest.char_indices().nth(number(column)).map_or(0, |(at, _)| at);
    let start = before + within;
    let word = text.get(start..).unwrap_or_default();
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let length = word.find(|c| !is_part(c)).unwrap_or(word.len());
    let first = word.chars().next().map_or(0, char::len_utf8);
    Span::new(start, start + length.max(first))
}
