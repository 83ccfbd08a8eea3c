//! What can be wrong with a text as YAML, in words that say what to do.

use std::sync::Arc;

use saphyr_parser::Tag;

use super::{DEEPEST, MOST_ALIASES, MOST_MISTAKES, MOST_VALUES};
use crate::diagnostic::{Code, Diagnostic, SourceFile, Span};

const TEMPLATE_HELP: &str =
    "put quotes around text that holds `${{ … }}`: outside quotes `{` starts a map here";
const COLON_HELP: &str = "if a `:` belongs to the text, put quotes around the whole text; if a key was meant, \
                          check how far the line is indented";

/// The text is not YAML, as the scanner says at byte `at`.
pub(super) fn of_syntax(file: &Arc<SourceFile>, at: usize, info: &str) -> Diagnostic {
    let line_start = file.text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let line = file.text[line_start..].lines().next().unwrap_or_default();
    if info.contains("recursion limit") {
        return too_deep(file, character(file, at));
    }
    let problem = Diagnostic::error(
        Code::YamlSyntax,
        format!("this is not YAML: {}", plain_words(info)),
    );
    let problem = problem.at(file, character(file, at), "");
    let indent = &line[..line.len() - line.trim_start().len()];
    if indent.contains('\t') {
        return problem.help("indent with spaces; YAML does not take tabs for it");
    }
    if line.contains("${{") && !info.contains("mapping values") {
        return problem.help(TEMPLATE_HELP);
    }
    match info {
        _ if info.contains("mapping values") => problem.help(COLON_HELP),
        _ if info.contains("unexpected character") => problem
            .help("put quotes around text that starts with `@`, `` ` ``, `%` or another special character"),
        _ if info.contains("escape") => {
            let help = "within double quotes `\\` starts an escape; use single quotes for a Windows path, or double it";
            problem.help(help)
        }
        _ if info.contains("unexpected end of stream") || info.contains("quoted scalar") => {
            problem.help("the closing quote or bracket is missing")
        }
        _ if info.contains("simple key") => {
            problem.help("a `:` is missing after the key, or this line is too far left")
        }
        _ if info.contains("unknown anchor") => problem.help("put quotes around text that starts with `*`"),
        _ if info.contains("sequence entries") => problem.help("start a list on the line below its key"),
        _ => problem,
    }
}

/// The scanner's words, without its grammar's.
fn plain_words(info: &str) -> String {
    let known = [
        ("mapping values are not allowed", "a `:` where no key can stand"),
        ("tabs disallowed", "a tab in the indentation"),
        (
            "simple key expect",
            "a line that is neither a key with its value nor part of the text above",
        ),
        ("unknown anchor", "a `*name` that no `&name` before it explains"),
        (
            "sequence entries are not allowed",
            "a list on the same line as its key",
        ),
        ("found unknown escape", "a `\\` that starts no known escape"),
        ("unexpected end of stream", "the file ends within quotes"),
        (
            "invalid indentation in quoted scalar",
            "a quote that is not closed",
        ),
        (
            "did not find expected '-' indicator",
            "a line of a list that does not start with `-`",
        ),
    ];
    let words = known.iter().find(|(part, _)| info.contains(part));
    words.map_or_else(|| info.to_owned(), |&(_, words)| words.to_owned())
}

/// A value that the reader of values refuses; the index found nothing wrong with it.
pub(super) fn of_value(file: &Arc<SourceFile>, error: &serde_yaml::Error) -> Diagnostic {
    let at = error
        .location()
        .map_or(0, |place| offset(file, place.line(), place.column()));
    let words = error.to_string();
    let words = words.split(" at line ").next().unwrap_or_default();
    if words.contains("recursion limit") {
        return too_deep(file, character(file, at));
    }
    Diagnostic::error(Code::YamlSyntax, format!("this is not YAML: {words}")).at(
        file,
        character(file, at),
        "",
    )
}

/// The text holds no document.
pub(super) fn empty(file: &Arc<SourceFile>) -> Diagnostic {
    Diagnostic::error(Code::YamlSyntax, "the file holds nothing")
        .at(file, Span::default(), "")
        .help("start with `runbook: NAME` and `steps:`; `runbook new` writes a starting point")
}

/// A second `---`.
pub(super) fn second_document(file: &Arc<SourceFile>, span: Span) -> Diagnostic {
    Diagnostic::error(Code::YamlSyntax, "the file holds a second YAML document")
        .at(file, span, "it starts here")
        .help("put each runbook in a file of its own")
}

/// `!tag`.
pub(super) fn tag(file: &Arc<SourceFile>, span: Span, tag: &Tag) -> Diagnostic {
    let name = if tag.is_yaml_core_schema() {
        format!("!!{}", tag.suffix)
    } else {
        tag.to_string()
    };
    Diagnostic::error(
        Code::YamlSyntax,
        format!("the YAML tag `{name}` is not supported"),
    )
    .at(file, span, "")
    .help("leave the tag out; put quotes around a value that is meant as text")
}

/// `<<: *name`.
pub(super) fn merge_key(file: &Arc<SourceFile>, span: Span) -> Diagnostic {
    Diagnostic::error(Code::UnknownKey, "the merge key `<<` is not supported")
        .at(file, span, "")
        .help("write the keys out, or repeat a whole value with `&name` and `*name`")
}

/// A key that is a map, a list or an alias.
pub(super) fn key_is_no_text(file: &Arc<SourceFile>, span: Span) -> Diagnostic {
    Diagnostic::error(Code::WrongType, "a key must be text")
        .at(file, span, "this is a map, a list or an alias")
        .help("put quotes around text that starts with `{`, `[` or `*`; a template `${{ … }}` needs them too")
}

/// A key that is there already.
pub(super) fn duplicate_key(file: &Arc<SourceFile>, name: &str, first: Span, second: Span) -> Diagnostic {
    Diagnostic::error(
        Code::DuplicateKey,
        format!("the key `{name}` stands twice in one map"),
    )
    .at(file, second, "again here")
    .at(file, first, "first here")
    .help("remove or rename one of the two")
}

/// Whether a plain scalar is a number that JSON does not have.
pub(super) fn is_not_finite(text: &str) -> bool {
    let number = text.strip_prefix(['-', '+']).unwrap_or(text);
    matches!(number, ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN")
}

/// `.nan` or `.inf`.
pub(super) fn not_finite(file: &Arc<SourceFile>, span: Span, text: &str) -> Diagnostic {
    Diagnostic::error(
        Code::InvalidValue,
        format!("`{text}` is not a number that a runbook can hold"),
    )
    .at(file, span, "")
    .help("write a finite number, or put quotes around text")
}

/// Whether a plain scalar is a whole number beyond 64 bits.
pub(super) fn is_too_large(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_number =
        digits.len() >= 19 && !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit());
    is_number && text.parse::<i64>().is_err() && text.parse::<u64>().is_err()
}

/// A whole number beyond 64 bits.
pub(super) fn too_large(file: &Arc<SourceFile>, span: Span, text: &str) -> Diagnostic {
    Diagnostic::error(Code::InvalidValue, format!("`{text}` is too large a number"))
        .at(file, span, "")
        .help("put quotes around it if it is meant as text")
}

/// The index and the values do not agree.
pub(super) fn ambiguous(file: &Arc<SourceFile>, span: Span) -> Diagnostic {
    Diagnostic::error(Code::YamlSyntax, "readers of YAML understand this differently")
        .at(file, span, "")
        .help("put double quotes around it, and write unusual line breaks and spaces as escapes")
}

/// A value that contains itself.
pub(super) fn endless(file: &Arc<SourceFile>, span: Span) -> Diagnostic {
    Diagnostic::error(
        Code::YamlSyntax,
        "this alias repeats the value that it stands in, without end",
    )
    .at(file, span, "")
    .help("write the value out")
}

fn too_big(file: &Arc<SourceFile>, span: Span, message: String) -> Diagnostic {
    Diagnostic::error(Code::TooBig, message)
        .at(file, span, "here it becomes too much")
        .help("split the runbook, or let a step read the data from a file")
}

pub(super) fn too_deep(file: &Arc<SourceFile>, span: Span) -> Diagnostic {
    too_big(
        file,
        span,
        format!("maps and lists are nested deeper than {DEEPEST} levels"),
    )
}

pub(super) fn too_many_aliases(file: &Arc<SourceFile>, span: Span) -> Diagnostic {
    too_big(file, span, format!("there are more than {MOST_ALIASES} aliases"))
}

pub(super) fn too_many_values(file: &Arc<SourceFile>, span: Span) -> Diagnostic {
    too_big(
        file,
        span,
        format!("there are more than {MOST_VALUES} values, counting what aliases repeat"),
    )
}

pub(super) fn too_many_mistakes(file: &Arc<SourceFile>, span: Span) -> Diagnostic {
    Diagnostic::error(
        Code::TooBig,
        format!("there are more than {MOST_MISTAKES} mistakes; the rest is not read"),
    )
    .at(file, span, "")
}

/// The character at a byte, as a span.
fn character(file: &SourceFile, at: usize) -> Span {
    let length = file.text[at..]
        .chars()
        .next()
        .map_or(0, |c| if c == '\n' { 0 } else { c.len_utf8() });
    Span::new(at, at + length)
}

/// The byte of a line and column, both from 1.
fn offset(file: &SourceFile, line: usize, column: usize) -> usize {
    let start: usize = file
        .text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    let rest = file.text[start..].char_indices();
    rest.take(column).last().map_or(start, |(byte, _)| start + byte)
}
