//! Where steps are put: additions and moves, and what that means for the needs of the others.

use std::sync::Arc;

use super::super::check::Named;
use super::super::yaml::Key;
use super::claims::Scope;
use super::merge::{Draft, Merge, needs_of};
use super::read::{Addition, Anchor, Move};
use crate::core::event::{ChangeAct, ChangeOf};
use crate::diagnostic::{Code, Diagnostic};

impl<'a> Merge<'a, '_> {
    /// Takes a step out of its place, and puts it into another.
    ///
    /// What needed it needs what it needed: the order of all others stays as it was.
    pub(super) fn relocate(&mut self, by: &'a str, one: &Move<'a>) {
        let Key { name, span } = one.key;
        if !self.is_there(one.key) {
            return;
        }
        let scope = Scope::Field(vec!["needs"]);
        self.claim(ChangeOf::Step, name, by, "moves", scope, None, span);
        let anchor = self.known(&one.anchor, name);
        if anchor.is_empty() {
            return;
        }
        let Some(step) = self.steps.get_mut(name) else {
            return;
        };
        let bridge: Vec<Named<'a>> = std::mem::take(&mut step.needs);
        (step.rewired, step.put) = (true, true);
        for draft in self.steps.values_mut().filter(|draft| needs(draft, name)) {
            draft.needs.retain(|need| need.name != name);
            draft.rewired = true;
            let bridge = bridge.iter().map(|need| Named { span, ..*need });
            bridge.for_each(|need| require(draft, need));
        }
        self.attach(one.key, &anchor, &[]);
        if let Some(from) = self.steps.get_index_of(name) {
            let to = self.position(&anchor, name);
            self.steps.move_index(from, if to > from { to - 1 } else { to });
        }
        self.report().moved(name, span);
        self.note(ChangeOf::Step, name, ChangeAct::Moved, one.anchor.words());
    }

    /// Adds steps. One may be anchored at another that is added too, whichever comes first in the file.
    pub(super) fn add(&mut self, by: &'a str, additions: &[Addition<'a>]) {
        let own = |addition: &Addition<'a>, name: &str| {
            let mut anchors = addition.anchor.before.iter().chain(&addition.anchor.after);
            let needs = needs_of(&addition.body);
            anchors.any(|one| one.name == name) || needs.iter().any(|need| need.name == name)
        };
        let mut open: Vec<&Addition<'a>> = additions.iter().collect();
        while !open.is_empty() {
            let waits = |one: &&Addition<'a>| {
                let mut anchors = one.anchor.before.iter().chain(&one.anchor.after);
                anchors.any(|anchor| open.iter().any(|other| other.key.name == anchor.name))
            };
            let Some(next) = open.iter().position(|one| !waits(one)) else {
                return self.circle(&open);
            };
            let addition = open.remove(next);
            let declared: Vec<&str> = additions
                .iter()
                .filter(|other| addition.anchor.after.iter().any(|after| own(other, after.name)))
                .map(|other| other.key.name)
                .collect();
            self.addition(by, addition, &declared);
        }
    }

    /// Additions that are put before and after each other, so that there is nowhere to begin.
    fn circle(&mut self, open: &[&Addition<'a>]) {
        let names: Vec<String> = open.iter().map(|one| format!("`{}`", one.key.name)).collect();
        let message = format!(
            "these steps are put before or after each other: {}",
            names.join(", ")
        );
        let file = Arc::clone(self.report().file());
        let problem = Diagnostic::error(Code::Cycle, message);
        let problem = open
            .iter()
            .fold(problem, |problem, one| problem.at(&file, one.key.span, ""));
        self.report()
            .push(problem.help("put one of them before or after a step of the runbook"));
        // The check of the whole still finds them by name.
        for one in open {
            let draft = Draft::new(one.key.span, one.body.clone());
            self.steps.entry(one.key.name).or_insert(draft);
        }
    }

    fn addition(&mut self, by: &'a str, addition: &Addition<'a>, declared: &[&str]) {
        let Key { name, span } = addition.key;
        if let Some(there) = self.steps.get(name) {
            let message = format!("the overlay `{by}` adds a step `{name}`, which is there already");
            let there = there.place;
            let file = Arc::clone(self.report().file());
            let problem = Diagnostic::error(Code::OverlayExists, message)
                .at(&file, span, "added here")
                .at(&file, there, "there already")
                .help("give it another id, or write it below `replace:` or `change:`");
            return self.report().push(problem);
        }
        let anchor = self.known(&addition.anchor, name);
        let draft = Draft {
            put: true,
            ..Draft::new(span, addition.body.clone())
        };
        let at = self.position(&anchor, name);
        self.steps.shift_insert(at, name, draft);
        self.attach(addition.key, &anchor, declared);
        let mut detail = addition.anchor.words();
        if detail.is_empty() {
            let needs = needs_of(&addition.body);
            let needs: Vec<String> = needs.iter().map(|need| format!("`{}`", need.name)).collect();
            detail = format!("needs {}", needs.join(", "));
        }
        self.note(ChangeOf::Step, name, ChangeAct::Added, detail);
    }

    /// Puts a step between others. `apart` are steps that say themselves where they stand.
    ///
    /// - `after` alone: whatever needs the anchor needs the step too.
    /// - `before` alone: the step needs what the anchor needs.
    /// - both: it stands between the two and concerns nothing else.
    fn attach(&mut self, key: Key<'a>, anchor: &Anchor<'a>, apart: &[&str]) {
        let mut own: Vec<Named<'a>> = anchor.after.clone();
        let mut dependants: Vec<(&'a str, Named<'a>)> = Vec::new();
        let itself = |span| Named { name: key.name, span };
        for before in &anchor.before {
            dependants.push((before.name, itself(before.span)));
            if let Some(draft) = self.steps.get(before.name)
                && anchor.after.is_empty()
            {
                let inherited = draft.needs.iter();
                own.extend(inherited.map(|need| Named {
                    span: before.span,
                    ..*need
                }));
            }
        }
        if anchor.before.is_empty() {
            for after in &anchor.after {
                let after_it = self.steps.iter().filter(|(id, draft)| {
                    **id != key.name && !apart.contains(*id) && needs(draft, after.name)
                });
                dependants.extend(after_it.map(|(id, _)| (*id, itself(after.span))));
            }
        }
        if let Some(draft) = self.steps.get_mut(key.name) {
            own.into_iter()
                .filter(|need| need.name != key.name)
                .for_each(|need| require(draft, need));
        }
        for (id, need) in dependants {
            if let Some(draft) = self.steps.get_mut(id) {
                require(draft, need);
            }
        }
    }

    /// The anchors that exist; the others are told, and so is a step that is its own anchor.
    fn known(&mut self, anchor: &Anchor<'a>, of: &str) -> Anchor<'a> {
        let mut keep = |names: &[Named<'a>]| -> Vec<Named<'a>> {
            let mut kept = Vec::new();
            for named in names {
                let Named { name, span } = *named;
                if name == of {
                    let message = format!("`{of}` cannot be put before or after itself");
                    self.error(Code::OverlayAnchor, span, message, "name another step");
                } else if self.is_there(Key { name, span }) {
                    kept.push(*named);
                }
            }
            kept
        };
        Anchor {
            before: keep(&anchor.before),
            after: keep(&anchor.after),
        }
    }

    /// Where in the order of the file a step goes: behind the last that it comes after and what was put there
    /// already, or else before the first that it comes before.
    fn position(&self, anchor: &Anchor<'_>, of: &str) -> usize {
        let at = |named: &Named<'_>| self.steps.get_index_of(named.name);
        if let Some(last) = anchor.after.iter().filter_map(at).max() {
            let put_there = |at: &usize| {
                let entry = self.steps.get_index(*at);
                entry.is_some_and(|(id, draft)| *id != of && draft.put)
            };
            return (last + 1..).take_while(put_there).last().unwrap_or(last) + 1;
        }
        let first = anchor.before.iter().filter_map(at).min();
        first.unwrap_or(self.steps.len())
    }
}

fn needs(draft: &Draft<'_>, name: &str) -> bool {
    draft.needs.iter().any(|need| need.name == name)
}

fn require<'a>(draft: &mut Draft<'a>, need: Named<'a>) {
    if !needs(draft, need.name) {
        draft.needs.push(need);
        draft.rewired = true;
    }
}
