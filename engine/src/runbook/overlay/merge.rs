//! The runbook while overlays are applied to it: what is replaced, changed, added and skipped.

use indexmap::IndexMap;
use serde_json::Value;

use super::super::check::{Field, Named, Report};
use super::super::expr::MOST_CANDIDATES;
use super::super::yaml::{Entries, Key, Node, Part};
use super::claims::{Claim, Claims, Scope, word};
use super::patch::{Leaf, patch};
use super::pin;
use super::read::Overlay;
use crate::core::event::{Change, ChangeAct, ChangeOf};
use crate::diagnostic::{Code, Span};

/// A step on its way into the merged runbook.
pub(super) struct Draft<'a> {
    /// Where its id stands.
    pub(super) place: Span,
    pub(super) body: Part<'a>,
    /// What it needs, each with the place where that is said.
    pub(super) needs: Vec<Named<'a>>,
    /// Its needs are no longer those that its body names.
    pub(super) rewired: bool,
    /// An overlay put it where it stands.
    pub(super) put: bool,
}

/// A runbook, and what became of it so far.
pub(super) struct Merge<'a, 'r> {
    pub(super) steps: IndexMap<&'a str, Draft<'a>>,
    report: &'r mut Report,
    root: Entries<'a>,
    span: Span,
    claims: Claims<'a>,
    changes: Vec<Change>,
}

impl<'a, 'r> Merge<'a, 'r> {
    /// The runbook as it stands; none if it is not a map, so that nothing can be anchored in it.
    pub(super) fn new(root: Node<'a>, report: &'r mut Report) -> Option<Self> {
        if !root.value().is_object() {
            return None;
        }
        let (span, root) = Part::Whole(root).into_entries();
        let steps = root.get("steps").map(|(_, steps)| steps.clone().into_entries().1);
        let drafts = steps
            .into_iter()
            .flatten()
            .map(|(id, (place, body))| (id, Draft::new(place, body)));
        Some(Self {
            steps: drafts.collect(),
            report,
            root,
            span,
            claims: Claims::default(),
            changes: Vec::new(),
        })
    }

    pub(super) fn report(&mut self) -> &mut Report {
        self.report
    }

    pub(super) fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }

    /// Applies an overlay. What it says of single steps comes first, then what it moves, adds and skips.
    pub(super) fn apply(&mut self, overlay: &Overlay<'a>) {
        let runbook = self.root.get("runbook").and_then(|(_, name)| name.text());
        pin::check(overlay, runbook.unwrap_or_default(), self.report);
        for (of, key, fields) in [
            (ChangeOf::Param, "params", &overlay.params),
            (ChangeOf::Role, "roles", &overlay.roles),
            (ChangeOf::Session, "sessions", &overlay.sessions),
        ] {
            for field in fields {
                self.declaration(overlay.name, of, key, *field);
            }
        }
        overlay
            .replace
            .iter()
            .for_each(|field| self.replace(overlay.name, *field));
        overlay
            .change
            .iter()
            .for_each(|field| self.change(overlay.name, *field));
        overlay
            .moves
            .iter()
            .for_each(|one| self.relocate(overlay.name, one));
        self.add(overlay.name, &overlay.add);
        overlay
            .skip
            .iter()
            .for_each(|field| self.skip(overlay.name, *field));
    }

    /// The merged runbook.
    pub(super) fn finish(self) -> Part<'a> {
        let mut root = self.root;
        if let Some((place, steps)) = root.get("steps").cloned() {
            let (span, _) = steps.clone().into_entries();
            let merged = self.steps.into_iter().map(|(id, draft)| (id, draft.finish()));
            let merged = Part::Map(span, merged.collect());
            // What is no map is told by the check of the whole.
            root.insert("steps", (place, if steps.is_map() { merged } else { steps }));
        }
        Part::Map(self.span, root)
    }

    /// Declares a parameter, role or session, or changes one that is there.
    fn declaration(&mut self, by: &'a str, of: ChangeOf, section: &'a str, field: Field<'a>) {
        let (name, place) = (field.key.name, field.key.span);
        let empty = || (place, Part::Map(place, Entries::new()));
        let (section_place, all) = self.root.get(section).cloned().unwrap_or_else(empty);
        let (span, mut all) = all.into_entries();
        let old = all.get(name).cloned();
        let value = field.node.value();
        let merged = match old {
            Some((old_place, old)) if old.is_map() && value.is_object() => {
                let mut leaves = Vec::new();
                let merged = patch(old, field.node, &mut leaves);
                self.leaves(by, of, name, &leaves);
                (old_place, merged)
            }
            None if is_only_a_change(of, value) => {
                let near = all.keys().copied().take(MOST_CANDIDATES);
                let what = word(of);
                let problem = self.report.error(
                    Code::OverlayAnchor,
                    place,
                    format!("the runbook has no {what} `{name}` to change"),
                );
                self.report.push(problem.did_you_mean(name, near));
                return;
            }
            known => {
                let act = if known.is_some() {
                    ChangeAct::Replaced
                } else {
                    ChangeAct::Added
                };
                self.claim(of, name, by, "declares", Scope::All, Some(value), place);
                self.note(of, name, act, String::new());
                (place, Part::Whole(field.node))
            }
        };
        all.insert(name, merged);
        self.root.insert(section, (section_place, Part::Map(span, all)));
    }

    /// Takes hold of a whole step, if it is there.
    fn takes(&mut self, by: &'a str, verb: &'static str, field: Field<'a>) -> bool {
        let known = self.is_there(field.key);
        if known {
            let (name, place) = (field.key.name, field.key.span);
            let value = Some(field.node.value());
            self.claim(ChangeOf::Step, name, by, verb, Scope::All, value, place);
        }
        known
    }

    fn replace(&mut self, by: &'a str, field: Field<'a>) {
        let (name, place) = (field.key.name, field.key.span);
        if !self.takes(by, "replaces", field) {
            return;
        }
        let body = Part::Whole(field.node);
        let needs = field.node.value().get("needs");
        if needs.is_some() {
            let scope = Scope::Field(vec!["needs"]);
            self.claim(ChangeOf::Step, name, by, "replaces", scope, needs, place);
        }
        if let Some(draft) = self.steps.get_mut(name) {
            // It stays in its place in the graph, unless it says another.
            if needs.is_some() {
                draft.needs = needs_of(&body);
            }
            draft.rewired = needs.is_none();
            draft.body = body;
            draft.place = place;
        }
        self.note(ChangeOf::Step, name, ChangeAct::Replaced, String::new());
    }

    fn change(&mut self, by: &'a str, field: Field<'a>) {
        let name = field.key.name;
        if !field.node.value().is_object() {
            return self.report.wrong_type(field, "a map of the fields that change");
        }
        if !self.is_there(field.key) {
            return;
        }
        let mut leaves = Vec::new();
        if let Some(draft) = self.steps.get_mut(name) {
            let empty = Part::Map(draft.place, Entries::new());
            let body = std::mem::replace(&mut draft.body, empty);
            draft.body = patch(body, field.node, &mut leaves);
            if leaves.iter().any(|leaf| leaf.path == ["needs"]) {
                draft.needs = needs_of(&draft.body);
                draft.rewired = false;
            }
        }
        self.leaves(by, ChangeOf::Step, name, &leaves);
    }

    fn skip(&mut self, by: &'a str, field: Field<'a>) {
        let (name, place) = (field.key.name, field.key.span);
        if !self.takes(by, "skips", field) {
            return;
        }
        if let Some(draft) = self.steps.get_mut(name) {
            let empty = Part::Map(draft.place, Entries::new());
            let body = std::mem::replace(&mut draft.body, empty);
            draft.body = body.with("skip", place, Part::Whole(field.node));
        }
        let why = field.node.value().as_str().unwrap_or_default().trim().to_owned();
        self.note(ChangeOf::Step, name, ChangeAct::Skipped, why);
    }

    /// Notes which fields were changed.
    fn leaves(&mut self, by: &'a str, of: ChangeOf, name: &'a str, leaves: &[Leaf<'a>]) {
        for leaf in leaves {
            let scope = Scope::Field(leaf.path.clone());
            self.claim(of, name, by, "sets", scope, Some(leaf.value.value()), leaf.span);
            if leaf.value.value().is_null() && !leaf.known {
                let field = leaf.path.join(".");
                let message = format!("`{name}` has no `{field}` to take out");
                let problem = self.report.error(Code::OverlayAnchor, leaf.span, message);
                self.report
                    .push(problem.help("`null` takes out what is there; leave it away here"));
            }
        }
        let fields: Vec<String> = leaves.iter().map(|leaf| leaf.path.join(".")).collect();
        if !fields.is_empty() {
            self.note(of, name, ChangeAct::Changed, fields.join(", "));
        }
    }

    /// Whether there is such a step; it is told where not.
    pub(super) fn is_there(&mut self, key: Key<'_>) -> bool {
        let known = self.steps.contains_key(key.name);
        if !known {
            let message = format!("the runbook has no step `{}`", key.name);
            let problem = self.report.error(Code::OverlayAnchor, key.span, message);
            let ids = self.steps.keys().copied().take(MOST_CANDIDATES);
            let problem = problem.did_you_mean(key.name, ids);
            let problem = if problem.help.is_empty() {
                problem.help("steps are named by their ids; `runbook check RUNBOOK --graph` shows them")
            } else {
                problem
            };
            self.report.push(problem);
        }
        known
    }

    pub(super) fn error(&mut self, code: Code, span: Span, message: String, help: &str) {
        let problem = self.report.error(code, span, message);
        self.report.push(problem.help(help));
    }

    pub(super) fn note(&mut self, of: ChangeOf, name: &str, act: ChangeAct, detail: String) {
        self.changes.push(Change {
            of,
            name: name.to_owned(),
            act,
            detail,
        });
    }

    #[expect(clippy::too_many_arguments, reason = "each is one word of the same sentence")]
    pub(super) fn claim(
        &mut self,
        of: ChangeOf,
        name: &'a str,
        overlay: &'a str,
        verb: &'static str,
        scope: Scope<'a>,
        value: Option<&'a Value>,
        span: Span,
    ) {
        let claim = Claim {
            overlay,
            verb,
            scope,
            value,
            span,
        };
        self.claims.add(of, name, claim, self.report);
    }
}

impl<'a> Draft<'a> {
    pub(super) fn new(place: Span, body: Part<'a>) -> Self {
        Self {
            place,
            needs: needs_of(&body),
            body,
            rewired: false,
            put: false,
        }
    }

    fn finish(self) -> (Span, Part<'a>) {
        if !self.rewired || !self.body.is_map() {
            return (self.place, self.body);
        }
        let needs = self.needs.iter().map(|need| (need.name, need.span)).collect();
        let place = self.needs.first().map_or(self.place, |need| need.span);
        let body = self.body.with("needs", place, Part::Texts(place, needs));
        (self.place, body)
    }
}

/// Whether this only makes sense as a change of something that is there.
fn is_only_a_change(of: ChangeOf, value: &Value) -> bool {
    let lacks = |key: &str| value.as_object().is_some_and(|fields| !fields.contains_key(key));
    match of {
        ChangeOf::Param => lacks("type"),
        ChangeOf::Session => lacks("uses"),
        ChangeOf::Role | ChangeOf::Step => false,
    }
}

/// What a step says that it needs. What is not right about that is told by the check of the whole.
pub(super) fn needs_of<'a>(body: &Part<'a>) -> Vec<Named<'a>> {
    let Some(node) = body.node("needs") else {
        return Vec::new();
    };
    let named = |node: Node<'a>| {
        let span = node.span();
        node.value().as_str().map(|name| Named { name, span })
    };
    named(node)
        .into_iter()
        .chain(node.items().filter_map(named))
        .collect()
}
