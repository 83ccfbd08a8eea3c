//! Who changes what: two changes of one thing that do not come to the same are a contradiction.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::check::Report;
use crate::core::event::ChangeOf;
use crate::diagnostic::{Code, Diagnostic, Span};

/// What a change takes hold of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Scope<'a> {
    /// All of it; of a step, all but its place in the graph.
    All,
    /// A field, by the keys that lead to it, and all below.
    Field(Vec<&'a str>),
}

/// One change that an overlay makes.
#[derive(Debug, Clone)]
pub(super) struct Claim<'a> {
    pub(super) overlay: &'a str,
    /// What it does, as a verb.
    pub(super) verb: &'static str,
    pub(super) scope: Scope<'a>,
    /// What it sets; none where that cannot be compared.
    pub(super) value: Option<&'a Value>,
    pub(super) span: Span,
}

/// All changes so far, by what they change.
#[derive(Default)]
pub(super) struct Claims<'a>(BTreeMap<(&'static str, &'a str), Vec<Claim<'a>>>);

impl<'a> Claims<'a> {
    /// Adds a change, and tells what contradicts it.
    pub(super) fn add(&mut self, of: ChangeOf, name: &'a str, claim: Claim<'a>, report: &mut Report) {
        let claims = self.0.entry((word(of), name)).or_default();
        if let Some(other) = claims.iter().find(|other| contradict(other, &claim)) {
            let what = match &claim.scope {
                Scope::Field(path) => format!("`{name}.{}`", path.join(".")),
                Scope::All => format!("the {} `{name}`", word(of)),
            };
            let message = if other.overlay == claim.overlay {
                format!("the overlay `{}` changes {what} twice", claim.overlay)
            } else {
                format!(
                    "the overlays `{}` and `{}` both change {what}",
                    other.overlay, claim.overlay
                )
            };
            let place = |claim: &Claim<'_>| format!("`{}` {} it here", claim.overlay, claim.verb);
            let problem = Diagnostic::error(Code::OverlayConflict, message)
                .at(report.file(), claim.span, place(&claim))
                .at(report.file(), other.span, place(other))
                .help("keep one of the two, or make them say the same");
            report.push(problem);
        }
        claims.push(claim);
    }
}

pub(super) fn word(of: ChangeOf) -> &'static str {
    match of {
        ChangeOf::Step => "step",
        ChangeOf::Param => "parameter",
        ChangeOf::Role => "role",
        ChangeOf::Session => "session",
    }
}

fn contradict(one: &Claim<'_>, other: &Claim<'_>) -> bool {
    let same = one.scope == other.scope && one.value.is_some() && one.value == other.value;
    let overlap = match (&one.scope, &other.scope) {
        (Scope::All, Scope::All) => true,
        (Scope::All, Scope::Field(path)) | (Scope::Field(path), Scope::All) => path.first() != Some(&"needs"),
        (Scope::Field(one), Scope::Field(other)) => one.starts_with(other) || other.starts_with(one),
    };
    overlap && !same
}
