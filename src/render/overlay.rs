//! What overlays changed in a runbook: in a line, as a list, and step by step.

use anstyle::Style;
use runbook_engine::core::event::{Change, ChangeAct, ChangeOf, Overlaid};
use runbook_engine::runbook::fingerprint;
use serde_json::{Value, json};

use super::layout::{Width, pad, widest};
use super::plain;
use super::rows::WIDEST_ID;
use super::style::{CARE, DIM, GOOD, paint};

/// The overlays in one line: how many steps each adds, changes, skips.
pub(crate) fn summary(overlaid: &Overlaid) -> String {
    let overlays = overlaid.overlays.iter().map(|overlay| {
        let of = |act| {
            let changes = overlay.changes.iter();
            let steps = changes.filter(|change| change.of == ChangeOf::Step && change.act == act);
            (act, steps.count())
        };
        let acts = [
            ChangeAct::Added,
            ChangeAct::Replaced,
            ChangeAct::Changed,
            ChangeAct::Moved,
            ChangeAct::Skipped,
        ];
        let counts = acts.map(of).into_iter().filter(|(_, count)| *count > 0);
        let mut counts: Vec<String> = counts
            .map(|(act, count)| format!("{count} {}", act.as_str()))
            .collect();
        if counts.is_empty() {
            counts.push("no step changed".to_owned());
        }
        format!("{} ({})", overlay.name, counts.join(", "))
    });
    let overlays: Vec<String> = overlays.collect();
    plain(&format!("with {}", overlays.join(", ")))
}

/// Everything that the overlays changed, one line each.
pub(crate) fn list(overlaid: &Overlaid, width: Width) -> String {
    let column = column(overlaid.changes().map(|(_, change)| name(change)), width);
    let mut lines = Vec::new();
    for overlay in &overlaid.overlays {
        let file = if overlay.changes.is_empty() {
            format!("{} ({}) changes nothing", overlay.name, overlay.file)
        } else {
            format!("{} ({}):", overlay.name, overlay.file)
        };
        lines.push(width.wrap("", 2, &plain(&file)));
        for change in &overlay.changes {
            lines.push(line(sign(change.act), &name(change), &act(change), column, width));
        }
    }
    lines.join("\n")
}

/// What overlays changed in a step, one line for each change.
pub(crate) fn marks(overlaid: &Overlaid, step: &str) -> Vec<String> {
    let changes = overlaid.changes_of(step);
    let marks = changes.map(|(overlay, change)| {
        let (sign, style) = sign(change.act);
        let text = plain(&format!("{overlay}: {}", act(change)));
        format!("{} {}", paint(style, sign), paint(DIM, text))
    });
    marks.collect()
}

/// One change as a sentence that stands by itself.
pub(crate) fn sentence(overlay: &str, change: &Change) -> String {
    format!("{overlay}: {} {}", name(change), act(change))
}

/// For programs.
pub(crate) fn as_json(overlaid: &Overlaid) -> Value {
    let overlays = overlaid.overlays.iter().map(|overlay| {
        let changes: Vec<Value> = overlay.changes.iter().map(change_as_json).collect();
        json!({ "name": overlay.name, "file": overlay.file, "changes": changes })
    });
    json!({
        "runbook": { "file": overlaid.file, "sha256": fingerprint(&overlaid.text) },
        "overlays": overlays.collect::<Vec<_>>(),
    })
}

/// What overlays changed in a step, for programs.
pub(crate) fn marks_as_json(overlaid: &Overlaid, step: &str) -> Vec<Value> {
    let changes = overlaid.changes_of(step);
    let marks = changes.map(|(overlay, change)| {
        json!({ "overlay": overlay, "act": change.act.as_str(), "detail": change.detail })
    });
    marks.collect()
}

fn change_as_json(change: &Change) -> Value {
    json!({ "of": change.of, "name": change.name, "act": change.act, "detail": change.detail })
}

/// How wide the names in a list of changes are.
pub(super) fn column(names: impl IntoIterator<Item = String>, width: Width) -> usize {
    if width.is_narrow() {
        0
    } else {
        widest(names, WIDEST_ID)
    }
}

/// A line of such a list: the sign of what was done, what it was done to, and what that was.
pub(super) fn line(
    (sign, style): (char, Style),
    name: &str,
    act: &str,
    column: usize,
    width: Width,
) -> String {
    let head = format!("  {} {}  ", paint(style, sign), pad(&plain(name), column));
    let indent = if column == 0 { 6 } else { 4 + column + 2 };
    width.wrap(&head, indent, &plain(act))
}

/// What was changed; of what is no step, with its kind.
pub(super) fn called(of: ChangeOf, name: &str) -> String {
    match of {
        ChangeOf::Step => name.to_owned(),
        ChangeOf::Param => format!("params.{name}"),
        ChangeOf::Role => format!("roles.{name}"),
        ChangeOf::Session => format!("sessions.{name}"),
    }
}

fn name(change: &Change) -> String {
    called(change.of, &change.name)
}

/// What became of it, in words.
fn act(change: &Change) -> String {
    let word = change.act.as_str();
    match (change.act, change.detail.as_str()) {
        (_, "") => word.to_owned(),
        (ChangeAct::Changed | ChangeAct::Skipped, detail) => format!("{word}: {detail}"),
        (ChangeAct::Added | ChangeAct::Replaced | ChangeAct::Moved, detail) => format!("{word} {detail}"),
    }
}

fn sign(act: ChangeAct) -> (char, Style) {
    match act {
        ChangeAct::Added => ('+', GOOD),
        ChangeAct::Replaced | ChangeAct::Changed => ('~', CARE),
        ChangeAct::Moved => ('>', CARE),
        ChangeAct::Skipped => ('-', DIM),
    }
}
