//! How one definition of a run differs from another.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::model::{Runbook, Step};
use super::yaml::Document;
use crate::core::event::{Amended, ChangeOf, Revision, RevisionAct};
use crate::id::ParamName;

/// What amends a run of one runbook to another, with these values for the parameters that are new.
#[must_use]
pub fn amendment(now: &Runbook, then: &Runbook, params: BTreeMap<ParamName, Value>, why: String) -> Amended {
    Amended {
        file: then.definition().name.clone(),
        text: then.definition().text.clone(),
        overlaid: then.overlays().map(|overlaid| Box::new((**overlaid).clone())),
        files: then.files().clone(),
        params,
        why,
        revisions: differences(now, then),
    }
}

/// What is not the same in `new` as in `old`, in the order of the file: parameters, roles, sessions, then steps. A step
/// whose session or whose files are others is another one too. What says nothing of the work, such as the title of the
/// whole, counts for nothing.
#[must_use]
pub fn differences(old: &Runbook, new: &Runbook) -> Vec<Revision> {
    let (then, now) = (Sections::of(old), Sections::of(new));
    let sections = [
        (ChangeOf::Param, "params"),
        (ChangeOf::Role, "roles"),
        (ChangeOf::Session, "sessions"),
        (ChangeOf::Step, "steps"),
    ];
    let mut found = Vec::new();
    for (of, section) in sections {
        let (then, now) = (then.section(section), now.section(section));
        let names = now
            .keys()
            .chain(then.keys().filter(|name| !now.contains_key(*name)));
        for name in names {
            let act = match (then.get(name), now.get(name)) {
                (None, _) => Some(RevisionAct::Added),
                (_, None) => Some(RevisionAct::Removed),
                (Some(then), Some(now)) => {
                    let mut fields = fields(then, now);
                    if of == ChangeOf::Step {
                        fields.extend(beside(old, new, name));
                    }
                    (!fields.is_empty()).then_some(RevisionAct::Changed { fields })
                }
            };
            found.extend(act.map(|act| Revision {
                of,
                name: name.clone(),
                act,
            }));
        }
    }
    found
}

/// A definition as it stands in the file.
struct Sections(Value);

impl Sections {
    fn of(runbook: &Runbook) -> Self {
        // It was read before, or there would be no runbook.
        let (document, _) = Document::parse(runbook.definition());
        Self(document.map_or(Value::Null, |document| document.root().value().clone()))
    }

    fn section(&self, name: &str) -> Map<String, Value> {
        let section = self.0.get(name).and_then(Value::as_object);
        section.cloned().unwrap_or_default()
    }
}

/// The keys whose values differ; what is no map differs as a whole.
fn fields(then: &Value, now: &Value) -> Vec<String> {
    match (then, now) {
        (Value::Object(then), Value::Object(now)) => {
            let names: BTreeSet<&String> = then.keys().chain(now.keys()).collect();
            let differs = |name: &&String| then.get(*name) != now.get(*name);
            names.into_iter().filter(differs).cloned().collect()
        }
        _ if then == now => Vec::new(),
        _ => vec!["value".to_owned()],
    }
}

/// What differs for a step though it says the same: the session that it names, and the files that it refers to.
fn beside(old: &Runbook, new: &Runbook, id: &str) -> Vec<String> {
    let find = |runbook: &Runbook| {
        runbook
            .steps()
            .values()
            .find(|step| step.id.as_str() == id)
            .cloned()
    };
    let (Some(then), Some(now)) = (find(old), find(new)) else {
        return Vec::new();
    };
    let session = |runbook: &Runbook, step: &Step| {
        let session = step
            .session
            .as_ref()
            .and_then(|name| runbook.sessions().get(name));
        session.map(|session| (session.uses.clone(), session.role.clone(), session.with.clone()))
    };
    let session = (session(old, &then) != session(new, &now)).then(|| "session".to_owned());
    let files: BTreeSet<&String> = then.files.iter().chain(&now.files).collect();
    let files = files
        .into_iter()
        .filter(|name| old.files().get(*name) != new.files().get(*name));
    session.into_iter().chain(files.cloned()).collect()
}
