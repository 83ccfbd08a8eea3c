//! How the definition of a run changes: in a line, thing by thing, and text beside text.

use std::collections::BTreeSet;
use std::time::Duration;

use anstyle::Style;
use runbook_engine::core::event::{Amended, Revision, RevisionAct};
use runbook_engine::runbook::Runbook;
use similar::{ChangeTag, TextDiff};

use super::layout::Width;
use super::overlay::{called, column, line};
use super::plain;
use super::style::{BAD, BOLD, CARE, DIM, GOOD, count, paint};

/// How long two texts are compared at most; after that the difference that is shown is not the shortest.
const PATIENCE: Duration = Duration::from_secs(2);

/// How many lines that are the same stand around those that differ.
const AROUND: usize = 3;

/// What an amendment changed, in a line.
pub(crate) fn summary(amended: &Amended) -> String {
    let names = amended
        .revisions
        .iter()
        .map(|one| format!("{} {}", name(one), act(&one.act)));
    match amended.revisions.len() {
        0..=6 => names.collect::<Vec<_>>().join("; "),
        many => count(many, "change"),
    }
}

/// What an amendment changes, one line each.
pub(crate) fn list(revisions: &[Revision], width: Width) -> String {
    let column = column(revisions.iter().map(name), width);
    let lines = revisions
        .iter()
        .map(|one| line(sign(&one.act), &name(one), &act(&one.act), column, width));
    lines.collect::<Vec<_>>().join("\n")
}

/// The texts that differ, as lines that go and lines that come.
pub(crate) fn texts(now: &Runbook, then: &Runbook) -> String {
    let (old, new) = (now.definition(), then.definition());
    let files: BTreeSet<&String> = now.files().keys().chain(then.files().keys()).collect();
    let text = |runbook: &'_ Runbook, name: &String| runbook.files().get(name).cloned().unwrap_or_default();
    let files = files
        .into_iter()
        .map(|name| (name.clone(), text(now, name), text(then, name)));
    let own = (new.name.clone(), old.text.clone(), new.text.clone());
    let blocks = std::iter::once(own)
        .chain(files)
        .filter_map(|(name, old, new)| difference(&name, &old, &new));
    blocks.collect::<Vec<_>>().join("\n")
}

fn difference(name: &str, old: &str, new: &str) -> Option<String> {
    if old == new {
        return None;
    }
    let difference = TextDiff::configure().timeout(PATIENCE).diff_lines(old, new);
    let mut lines = vec![paint(BOLD, plain(name))];
    for hunk in difference.unified_diff().context_radius(AROUND).iter_hunks() {
        lines.push(paint(DIM, hunk.header()));
        for change in hunk.iter_changes() {
            let (sign, style) = match change.tag() {
                ChangeTag::Delete => ('-', BAD),
                ChangeTag::Insert => ('+', GOOD),
                ChangeTag::Equal => (' ', Style::new()),
            };
            lines.push(paint(
                style,
                plain(&format!("{sign}{}", change.value().trim_end())),
            ));
        }
    }
    Some(lines.join("\n"))
}

fn name(revision: &Revision) -> String {
    called(revision.of, &revision.name)
}

fn act(act: &RevisionAct) -> String {
    match act {
        RevisionAct::Added => "added".to_owned(),
        RevisionAct::Removed => "taken away".to_owned(),
        RevisionAct::Changed { fields } => format!("changed: {}", fields.join(", ")),
    }
}

fn sign(act: &RevisionAct) -> (char, Style) {
    match act {
        RevisionAct::Added => ('+', GOOD),
        RevisionAct::Removed => ('-', BAD),
        RevisionAct::Changed { .. } => ('~', CARE),
    }
}
