//! What can be told of a script before it is carried out: characters that are not what they look like, and
//! mistakes of syntax.
//!
//! What the [scanner](scan) finds is certain. The grammar that is asked afterwards does not know all of the language:
//! where it objects, PowerShell's own parser decides, if it is at hand. If not, what the grammar finds is a warning;
//! PowerShell itself reads all scripts of a step before it carries the first one out.

use runbook_engine::diagnostic::Code;
use runbook_engine::step::{Check, InputProblem};
use tree_sitter::{Node, Parser};

use self::scan::{Mistake, scan};
use super::program::Edition;
use super::reader::Reader;

mod scan;

/// The longest script.
const LONGEST: usize = 256 * 1024;

/// The most mistakes of one script that are told at once.
const MOST: usize = 10;

/// Reports what is wrong with the script in the input `name`.
pub(super) fn check(name: &str, script: &str, reader: Option<(&Reader, Edition)>, check: &mut Check<'_>) {
    let problem = |code, message: String, inside| InputProblem {
        path: vec![name.to_owned()],
        inside,
        code,
        ..InputProblem::new(message)
    };
    if script.len() > LONGEST {
        let message = format!(
            "the script is longer than the {} KiB that are allowed",
            LONGEST / 1024
        );
        check.report(problem(Code::TooBig, message, None));
        return;
    }
    let scanned = scan(script);
    for Mistake {
        at,
        message,
        help,
        code,
    } in scanned.mistakes.iter().take(MOST).cloned()
    {
        check.report(InputProblem {
            help,
            ..problem(code, message, Some(at))
        });
    }
    if !scanned.mistakes.is_empty() || !scanned.has_code {
        return;
    }
    let Some(at) = unread(script) else { return };
    if let Some(mistakes) = reader.and_then(|(reader, edition)| reader.read(edition, script)) {
        for mistake in mistakes {
            check.report(problem(
                Code::ScriptSyntax,
                format!("PowerShell does not understand it: {}", mistake.message.trim()),
                Some(shown(script, mistake.at)),
            ));
        }
    } else {
        let message = "this may not be PowerShell: the check does not understand it".to_owned();
        check.report(InputProblem {
            warning: true,
            help: Some(
                "the check does not know all of the language; PowerShell reads it before the step begins"
                    .to_owned(),
            ),
            ..problem(Code::ScriptSyntax, message, Some(at))
        });
    }
}

/// The first place that the grammar does not understand.
fn unread(script: &str) -> Option<(usize, usize)> {
    let mut parser = Parser::new();
    parser
        .set_language(&tree_sitter_powershell::LANGUAGE.into())
        .ok()?;
    // The language knows no case; the grammar does here and there.
    let tree = parser.parse(script.to_ascii_lowercase(), None)?;
    let mut node = tree.root_node();
    if !node.has_error() {
        return None;
    }
    while let Some(below) = first_wrong(node) {
        node = below;
    }
    let range = node.byte_range();
    let (start, end) = shown(script, (range.start, range.end));
    (script.is_char_boundary(start) && script.is_char_boundary(end)).then_some((start, end))
}

/// A place that can be shown: what is missing has no length, and a whole script would show nothing.
fn shown(script: &str, (start, end): (usize, usize)) -> (usize, usize) {
    let last = script.char_indices().next_back().map_or(0, |(at, _)| at);
    let start = start.min(last);
    let first = script[start..].chars().next().map_or(1, char::len_utf8);
    let line = script[start..].lines().next().map_or(1, str::len);
    (start, end.clamp(start + first, start + line.max(first)))
}

fn first_wrong(node: Node<'_>) -> Option<Node<'_>> {
    let mut walk = node.walk();
    node.children(&mut walk)
        .find(|child| child.is_error() || child.is_missing() || child.has_error())
}
