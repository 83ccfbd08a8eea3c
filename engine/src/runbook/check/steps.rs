//! The check of `steps:`, first pass: every key by itself, while not all names are known.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::fields::{Field, Fields, Named};
use super::inputs::Checked;
use super::secrets::sensitive;
use super::sessions::lock_of;
use super::{Checker, Declared, MOST_STEPS};
use crate::core::{ApprovalRule, OnFailure, Place, Retry};
use crate::diagnostic::{Code, Span};
use crate::id::{LockName, PluginName, RoleName, SessionName, StepId};
use crate::runbook::model::{Rehearse, Step};

/// The keys of a step.
pub(super) const KEYS: &[&str] = &[
    "title",
    "source",
    "needs",
    "skip",
    "when",
    "for_each",
    "role",
    "on",
    "approve",
    "session",
    "lock",
    "secrets",
    "sensitive",
    "timeout",
    "retry",
    "idempotent",
    "on_failure",
    "expect",
    "warning",
    "undo_with",
    "undo_note",
    "rehearse",
    "uses",
    "with",
];

/// A step of which each key was read, and whose expressions and inputs are still to be checked.
pub(super) struct Draft<'a> {
    pub(super) id: StepId,
    pub(super) span: Span,
    pub(super) needs: Vec<Named<'a>>,
    pub(super) undo_with: Vec<Named<'a>>,
    pub(super) skip: Option<Named<'a>>,
    pub(super) when: Option<Field<'a>>,
    pub(super) for_each: Option<Field<'a>>,
    pub(super) uses: Option<(PluginName, Span)>,
    pub(super) with: Option<Field<'a>>,
    pub(super) rehearse_field: Option<Field<'a>>,
    pub(super) secrets: Vec<Named<'a>>,
    sensitive: Vec<String>,
    title: Option<String>,
    source: Option<String>,
    role: Option<RoleName>,
    approve: Option<ApprovalRule>,
    on: Option<Place>,
    pub(super) session: Option<SessionName>,
    timeout: Option<Duration>,
    retry: Retry,
    idempotent: bool,
    on_failure: OnFailure,
    locks: Vec<LockName>,
    duration: Option<Duration>,
    warning: Option<String>,
    undo_note: Option<String>,
    rehearse: Rehearse,
}

impl Draft<'_> {
    /// The step, if its inputs turned out right.
    pub(super) fn finish(&self, checked: Checked) -> Option<Step> {
        let (uses, _) = self.uses.clone()?;
        let mut locks = self.locks.clone();
        let lock = self
            .session
            .as_ref()
            .and_then(|session| lock_of(session.as_str()).parse().ok());
        locks.extend(lock);
        locks.sort();
        locks.dedup();
        Some(Step {
            id: self.id.clone(),
            title: self.title.clone().unwrap_or_else(|| self.id.to_string()),
            source: self.source.clone(),
            needs: ids(&self.needs)?,
            skip: self.skip.map(|why| why.name.trim().to_owned()),
            when: checked.when,
            for_each: checked.for_each,
            role: self.role.clone(),
            approve: self.approve.clone(),
            on: self.on.clone(),
            session: self.session.clone(),
            timeout: self.timeout,
            retry: self.retry,
            idempotent: self.idempotent,
            on_failure: self.on_failure,
            locks,
            duration: self.duration,
            warning: self.warning.clone(),
            undo_with: ids(&self.undo_with)?,
            undo_note: self.undo_note.clone(),
            rehearse: self.rehearse.clone(),
            secrets: checked.secrets,
            sensitive: self.sensitive.clone(),
            uses,
            with: checked.with,
            abilities: checked.abilities?,
            files: checked.files,
            span: self.span,
        })
    }
}

/// The steps that are named, each once.
fn ids(named: &[Named<'_>]) -> Option<Vec<StepId>> {
    let mut ids: Vec<StepId> = Vec::new();
    for named in named {
        let id = named.name.parse().ok()?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Some(ids)
}

impl Checker<'_> {
    /// Reads all steps.
    pub(super) fn drafts<'a>(&mut self, field: Field<'a>, declared: &Declared<'_>) -> Vec<Draft<'a>> {
        let entries = self.entries(Some(field));
        if entries.is_empty() && field.node.value().is_object() {
            let problem = self
                .report
                .error(Code::InvalidValue, field.key.span, "the runbook has no steps");
            self.report
                .push(problem.help("a runbook carries out at least one step"));
        }
        if entries.len() > MOST_STEPS {
            let message = format!("the runbook has {} steps, more than {MOST_STEPS}", entries.len());
            let problem = self.report.error(Code::TooBig, field.key.span, message);
            self.report
                .push(problem.help("use `for_each` where steps differ in data only"));
            return Vec::new();
        }
        self.similar_ids(&entries);
        entries
            .into_iter()
            .filter_map(|entry| self.draft(entry, declared))
            .collect()
    }

    /// Expressions write `-` as `_`: two ids that differ in nothing else could not be told apart there.
    fn similar_ids(&mut self, entries: &[Field<'_>]) {
        let mut seen = BTreeMap::new();
        for Field { key, .. } in entries {
            let Some((first, span)) = seen.insert(key.name.replace('-', "_"), (key.name, key.span)) else {
                continue;
            };
            let message = format!("the ids `{first}` and `{}` differ only in `-` and `_`", key.name);
            let problem = self.report.error(Code::InvalidName, key.span, message);
            let problem = problem.at(&self.report.file, span, "the other one");
            self.report
                .push(problem.help("expressions write both as `_`; rename one of the two"));
        }
    }

    fn draft<'a>(&mut self, entry: Field<'a>, declared: &Declared<'_>) -> Option<Draft<'a>> {
        let id = entry.key_as::<StepId>(self.report);
        let fields = Fields::read(entry, KEYS, self.report)?;
        let help = "say what kind of step it is, as `uses: command`; `runbook steps` lists them";
        let uses = fields
            .required("uses", help, self.report)
            .and_then(|field| self.plugin(field));
        let session = fields
            .get("session")
            .and_then(|field| self.session_of(field, declared));
        let locks = fields.names("lock", self.report);
        let on_failure = [
            ("stop", OnFailure::Stop),
            ("continue", OnFailure::Continue),
            ("rollback", OnFailure::Rollback),
        ];
        let timeout = fields.duration("timeout", self.report);
        if timeout.is_some_and(|timeout| timeout.is_zero()) {
            self.out_of_range(fields.get("timeout"), "longer than nothing");
        }
        let mut rehearse = self.rehearse(fields.get("rehearse"));
        if let Some(kind) = uses.as_ref().and_then(|(name, _)| self.kind_of(name)) {
            let with = fields
                .get("with")
                .map_or(&Value::Null, |field| field.node.value());
            let mut outputs = kind.rehearsed_outputs(with);
            outputs.append(&mut rehearse.outputs);
            rehearse.outputs = outputs;
        }
        fields.names("sensitive", self.report);
        let fans_out = fields.get("for_each").is_some();
        let mut draft = Draft {
            // A step without a valid id is read for its other mistakes, and belongs to no graph.
            id: id?,
            span: entry.key.span,
            needs: fields.names("needs", self.report),
            undo_with: fields.names("undo_with", self.report),
            skip: fields.get("skip").and_then(|field| self.reason(field)),
            when: fields.get("when"),
            for_each: fields.get("for_each"),
            uses,
            with: fields.get("with"),
            rehearse_field: fields.get("rehearse"),
            secrets: fields.names("secrets", self.report),
            sensitive: Vec::new(),
            title: fields.owned("title", self.report),
            source: fields.owned("source", self.report),
            role: fields.get("role").and_then(|field| self.role(field, declared)),
            approve: fields
                .get("approve")
                .and_then(|field| self.approve(field, declared)),
            on: fields
                .get("on")
                .and_then(|field| self.place(field, declared, fans_out)),
            session,
            timeout,
            retry: self.retry(fields.get("retry")),
            idempotent: fields.flag("idempotent", self.report).unwrap_or_default(),
            on_failure: fields
                .choice("on_failure", &on_failure, self.report)
                .unwrap_or_default(),
            locks: locks
                .into_iter()
                .filter_map(|lock| lock.parse(self.report))
                .collect(),
            duration: fields.duration("expect", self.report),
            warning: fields.owned("warning", self.report),
            undo_note: fields.owned("undo_note", self.report),
            rehearse,
        };
        draft.sensitive = sensitive(&draft, declared);
        Some(draft)
    }

    /// Why a step is never carried out.
    fn reason<'a>(&mut self, field: Field<'a>) -> Option<Named<'a>> {
        let reason = field.named(self.report)?;
        if reason.name.trim().is_empty() {
            let problem = self
                .report
                .error(Code::InvalidValue, reason.span, "`skip` does not say why");
            self.report
                .push(problem.help("write why the step is not carried out, or remove the key"));
        }
        Some(reason)
    }

    fn session_of(&mut self, field: Field<'_>, declared: &Declared<'_>) -> Option<SessionName> {
        let named = field.named(self.report)?;
        if declared.sessions.contains(named.name) {
            return named.name.parse().ok();
        }
        let message = format!("there is no session `{}`", named.name);
        let problem = self.report.error(Code::UnknownSession, named.span, message);
        let problem = problem.did_you_mean(named.name, declared.sessions.iter().copied());
        let problem = if problem.help.is_empty() {
            problem.help("declare it below `sessions:`")
        } else {
            problem
        };
        self.report.push(problem);
        None
    }
}
