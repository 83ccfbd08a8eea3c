//! The overlay's file, key by key. What it names in the runbook is not looked at yet.

use super::super::check::{Field, Fields, Named, Report, entries};
use super::super::yaml::{Key, Node, Part};
use crate::diagnostic::{Code, Span};
use crate::id::RunbookName;

/// The keys of an overlay.
pub(in crate::runbook) const KEYS: &[&str] = &[
    "overlay", "title", "for", "params", "roles", "sessions", "replace", "change", "move", "add", "skip",
];
/// The keys of `for:`.
pub(in crate::runbook) const FOR_KEYS: &[&str] = &["runbook", "sha256"];
/// The keys that say where a step is put.
pub(in crate::runbook) const ANCHOR_KEYS: &[&str] = &["before", "after"];

/// What an overlay says.
pub(super) struct Overlay<'a> {
    pub(super) name: &'a str,
    /// The runbook that it was written for.
    pub(super) runbook: Option<Named<'a>>,
    /// The fingerprint of that runbook's text, or its beginning.
    pub(super) sha256: Option<Named<'a>>,
    pub(super) params: Vec<Field<'a>>,
    pub(super) roles: Vec<Field<'a>>,
    pub(super) sessions: Vec<Field<'a>>,
    pub(super) replace: Vec<Field<'a>>,
    pub(super) change: Vec<Field<'a>>,
    pub(super) moves: Vec<Move<'a>>,
    pub(super) add: Vec<Addition<'a>>,
    pub(super) skip: Vec<Field<'a>>,
}

/// A step that is put elsewhere.
pub(super) struct Move<'a> {
    pub(super) key: Key<'a>,
    pub(super) anchor: Anchor<'a>,
}

/// A step that is added.
pub(super) struct Addition<'a> {
    pub(super) key: Key<'a>,
    pub(super) anchor: Anchor<'a>,
    /// The step without what says where it is put.
    pub(super) body: Part<'a>,
}

/// Where a step is put: before and after these others.
#[derive(Default)]
pub(super) struct Anchor<'a> {
    pub(super) before: Vec<Named<'a>>,
    pub(super) after: Vec<Named<'a>>,
}

impl Anchor<'_> {
    pub(super) fn is_empty(&self) -> bool {
        self.before.is_empty() && self.after.is_empty()
    }

    /// The place in words, for people.
    pub(super) fn words(&self) -> String {
        let list = |word: &str, names: &[Named<'_>]| {
            let names: Vec<String> = names.iter().map(|one| format!("`{}`", one.name)).collect();
            (!names.is_empty()).then(|| format!("{word} {}", names.join(", ")))
        };
        let parts = [list("after", &self.after), list("before", &self.before)];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

impl<'a> Overlay<'a> {
    pub(super) fn read(root: Node<'a>, report: &mut Report) -> Option<Self> {
        report.about("an overlay");
        let overlay = Self::read_as_overlay(root, report);
        report.about("a runbook");
        overlay
    }

    fn read_as_overlay(root: Node<'a>, report: &mut Report) -> Option<Self> {
        let root = Field::root(root);
        let fields = Fields::read(root, KEYS, report)?;
        let name = fields
            .required("overlay", "give the overlay a name: `overlay: contoso`", report)
            .and_then(|field| field.named(report))
            .filter(|name| name.parse::<RunbookName>(report).is_some());
        fields.text("title", report);
        let pin = fields
            .get("for")
            .and_then(|field| Fields::read(field, FOR_KEYS, report));
        let mut pinned = |key: &str| pin.as_ref()?.get(key)?.named(report);
        let (runbook, sha256) = (pinned("runbook"), pinned("sha256"));
        let skip = entries(fields.get("skip"), report);
        let overlay = Self {
            name: name.map_or("overlay", |name| name.name),
            runbook,
            sha256: sha256.filter(|hash| is_fingerprint(*hash, report)),
            params: entries(fields.get("params"), report),
            roles: entries(fields.get("roles"), report),
            sessions: entries(fields.get("sessions"), report),
            replace: entries(fields.get("replace"), report),
            change: entries(fields.get("change"), report),
            moves: moves(fields.get("move"), report),
            add: additions(fields.get("add"), report),
            skip: skip
                .into_iter()
                .filter(|field| is_reason(*field, report))
                .collect(),
        };
        Some(overlay)
    }
}

fn is_fingerprint(hash: Named<'_>, report: &mut Report) -> bool {
    let is_hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    let right = (12..=64).contains(&hash.name.len()) && hash.name.chars().all(is_hex);
    if !right {
        let message = "`sha256` must be the first 12 to 64 hexadecimal digits of a fingerprint";
        let problem = report.error(Code::InvalidValue, hash.span, message);
        report.push(problem.help("put quotes around it; `runbook check RUNBOOK --overlay FILE` tells it"));
    }
    right
}

fn is_reason(field: Field<'_>, report: &mut Report) -> bool {
    let reason = field.text(report);
    if reason.is_some_and(|reason| reason.trim().is_empty()) {
        let message = format!("it is not said why `{}` is skipped", field.key.name);
        let problem = report.error(Code::InvalidValue, field.node.span(), message);
        report.push(problem.help("write the reason after it; whoever carries the runbook out reads it"));
        return false;
    }
    reason.is_some()
}

fn moves<'a>(field: Option<Field<'a>>, report: &mut Report) -> Vec<Move<'a>> {
    let mut moves = Vec::new();
    for entry in entries(field, report) {
        let Some(fields) = Fields::read(entry, ANCHOR_KEYS, report) else {
            continue;
        };
        let anchor = anchor(&fields, report);
        if anchor.is_empty() {
            nowhere(entry, "`before: ID` or `after: ID`", report);
        } else {
            let key = entry.key;
            moves.push(Move { key, anchor });
        }
    }
    moves
}

fn additions<'a>(field: Option<Field<'a>>, report: &mut Report) -> Vec<Addition<'a>> {
    let mut additions = Vec::new();
    for entry in entries(field, report) {
        let fields = Fields::all(entry);
        let anchor = anchor(&fields, report);
        let mut body = Part::Whole(entry.node);
        if !anchor.is_empty() {
            let (span, mut entries) = body.into_entries();
            entries.retain(|name, _| !ANCHOR_KEYS.contains(name));
            body = Part::Map(span, entries);
        } else if body.is_map() && fields.get("needs").is_none() {
            nowhere(entry, "`before: ID`, `after: ID` or `needs: ID`", report);
        }
        let key = entry.key;
        additions.push(Addition { key, anchor, body });
    }
    additions
}

fn anchor<'a>(fields: &Fields<'a>, report: &mut Report) -> Anchor<'a> {
    Anchor {
        before: fields.names("before", report),
        after: fields.names("after", report),
    }
}

fn nowhere(entry: Field<'_>, expected: &str, report: &mut Report) {
    let message = format!("it is not said where `{}` is put", entry.key.name);
    let place: Span = entry.key.span;
    let problem = report.error(Code::MissingKey, place, message);
    report.push(problem.help(format!("write {expected}")));
}
