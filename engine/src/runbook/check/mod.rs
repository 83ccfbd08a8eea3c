//! From a YAML document to a runbook, with everything that is wrong told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use indexmap::IndexMap;

pub(super) use self::fields::{Field, Fields, Named, entries};
pub(super) use self::report::{Report, first_line};
use self::steps::Draft;
use super::expr::{Known, Site};
use super::model::{Runbook, Session, Step};
use super::param::Param;
use super::secrets::DeclaredSecrets;
use super::yaml::{Document, Key};
use crate::core::{StepPolicy, Workflow};
use crate::diagnostic::{Code, Span};
use crate::id::{PluginName, RoleName, RunbookName, SessionName, StepId};
use crate::secret::SecretName;
use crate::step::{Files, Registry};

mod approve;
mod fields;
mod inputs;
mod kinds;
mod needs;
mod outputs;
mod params;
mod place;
mod policy;
mod report;
mod secrets;
mod sessions;
mod skips;
mod steps;
mod told;
mod words;

/// The most steps of a runbook.
pub(super) const MOST_STEPS: usize = 60_000;

/// The keys of a runbook.
pub(super) const KEYS: &[&str] = &[
    "runbook",
    "title",
    "description",
    "source",
    "params",
    "roles",
    "sessions",
    "steps",
];

/// Checks everything in a document that can be checked before it runs.
pub(super) fn check(
    document: &Document,
    registry: &Registry,
    files: &dyn Files,
    report: &mut Report,
) -> Option<Runbook> {
    let root = Field::root(document.root());
    let mut checker = Checker {
        registry: registry.clone(),
        broken: BTreeSet::new(),
        files,
        report,
    };
    checker.runbook(root)
}

/// The sessions, by name.
type Sessions = IndexMap<SessionName, Session>;

/// What all parts of the check share.
struct Checker<'c> {
    /// The kinds of step, and those that files beside the runbook define as far as they were met.
    registry: Registry,
    /// The kinds whose files have mistakes, which are told once.
    broken: BTreeSet<PluginName>,
    files: &'c dyn Files,
    report: &'c mut Report,
}

/// The names that are declared, also where the declaration itself is wrong: a reference to it is right.
struct Declared<'a> {
    roles: BTreeSet<&'a str>,
    sessions: BTreeSet<&'a str>,
    steps: BTreeSet<&'a str>,
    known: Known,
    secrets: DeclaredSecrets,
    params: BTreeSet<&'a str>,
}

impl Declared<'_> {
    /// Whether there is a parameter of that name, which is no secret.
    fn is_open_param(&self, name: &str) -> bool {
        let is_it = |secret: SecretName| matches!(secret, SecretName::Param(param) if param.as_str() == name);
        self.params.contains(name) && !self.secrets.all().any(is_it)
    }
}

impl Checker<'_> {
    fn runbook(&mut self, root: Field<'_>) -> Option<Runbook> {
        if let Some((key, help)) = of_another_kind(root) {
            let problem = self
                .report
                .error(Code::NotARunbook, key.span, "this file is no runbook");
            self.report.push(problem.help(help));
            return None;
        }
        let fields = Fields::read(root, KEYS, self.report)?;
        let help = "give the runbook a name: `runbook: farm-upgrade`";
        let name = fields.required("runbook", help, self.report);
        let name: Option<RunbookName> = name.and_then(|field| field.named(self.report)?.parse(self.report));
        let title = fields.owned("title", self.report);
        let source = fields.owned("source", self.report);
        let description = fields.owned("description", self.report);
        let params = self.params(fields.get("params"));
        let roles = self.roles(fields.get("roles"));
        let steps = fields.required("steps", "a runbook carries out at least one step", self.report);
        let declared = declared(&fields, params.values());
        let sessions = self.sessions(fields.get("sessions"), &declared);
        let drafts = steps
            .map(|steps| self.drafts(steps, &declared))
            .unwrap_or_default();
        let mut files = BTreeMap::new();
        let steps = self.steps(drafts, &declared, &sessions, &mut files);
        if self.report.has_errors() {
            return None;
        }
        let (name, mut steps) = (name?, steps?);
        for step in &mut steps {
            if let Some(session) = step.session.as_ref().and_then(|name| sessions.get(name)) {
                self.add_secrets_of_session(step, session, &declared);
            }
        }
        let workflow = self.workflow(&steps, &sessions)?;
        let steps = steps.into_iter().map(|step| (step.id.clone(), step)).collect();
        let title = title.unwrap_or_else(|| name.to_string());
        let sources = self.report.sources().clone();
        let runbook = Runbook {
            name,
            title,
            source,
            description,
            params,
            roles,
            sessions,
            steps,
            workflow,
            files,
            file: Arc::clone(&self.report.file),
            sources,
            overlaid: None,
            registry: std::mem::take(&mut self.registry),
        };
        Some(runbook)
    }

    fn roles(&mut self, field: Option<Field<'_>>) -> IndexMap<RoleName, String> {
        let mut roles = IndexMap::new();
        for entry in self.entries(field) {
            let name = entry.key_as::<RoleName>(self.report);
            let meaning = if entry.node.value().is_object() {
                let fields = Fields::read(entry, &["title"], self.report);
                fields.and_then(|fields| {
                    fields
                        .required("title", "say who has the role", self.report)?
                        .text(self.report)
                })
            } else {
                entry.text(self.report)
            };
            roles.extend(name.zip(meaning.map(str::to_owned)));
        }
        roles
    }

    /// The entries of a map whose keys are names.
    fn entries<'a>(&mut self, field: Option<Field<'a>>) -> Vec<Field<'a>> {
        entries(field, self.report)
    }

    /// Second pass, when all names are known: the graph, the expressions and the plugins' inputs.
    fn steps(
        &mut self,
        drafts: Vec<Draft<'_>>,
        declared: &Declared<'_>,
        sessions: &Sessions,
        files: &mut BTreeMap<String, String>,
    ) -> Option<Vec<Step>> {
        let dag = self.graph(&drafts, declared);
        let mut reads = Vec::new();
        let mut steps = Vec::with_capacity(drafts.len());
        for (at, draft) in drafts.iter().enumerate() {
            if self.report.is_full() {
                break;
            }
            let checked = self.inputs(draft, declared, sessions, files);
            reads.extend(checked.reads.iter().map(|read| (at, read.clone())));
            steps.extend(draft.finish(checked));
        }
        if let Some(dag) = dag {
            self.reads(&drafts, &dag, &reads);
            self.undone_with(&drafts, &dag);
            if steps.len() == drafts.len() {
                Self::keep_what_comes_before(&mut steps, &dag);
            }
        }
        self.skipped_reads(&drafts, &reads);
        self.outputs(&drafts, &reads);
        (steps.len() == drafts.len()).then_some(steps)
    }

    fn workflow(&mut self, steps: &[Step], sessions: &Sessions) -> Option<Arc<Workflow>> {
        let policies = steps.iter().map(|step| StepPolicy {
            id: step.id.clone(),
            needs: step.needs.clone(),
            conditional: step.when.is_some() || step.skip.is_some(),
            fans_out: step.for_each.is_some(),
            abilities: step.abilities,
            idempotent: step.idempotent,
            timeout: step.timeout,
            retry: step.retry,
            on_failure: step.on_failure,
            locks: step.locks.clone(),
            secrets: step.secrets.clone(),
            roles: roles_of(step, sessions),
            approve: step.approve.clone(),
            undo_with: step.undo_with.clone(),
            on: step.on.clone(),
        });
        match Workflow::new(policies.collect()) {
            Ok(workflow) => Some(Arc::new(workflow)),
            Err(cycle) => {
                // The check of the graph has found every circle before; this one it must have missed.
                let problem = self.report.error(Code::Cycle, Span::default(), cycle.to_string());
                self.report.push(problem);
                None
            }
        }
    }
}

/// What an operator must be to carry a step out: its own role, and that of its session.
fn roles_of(step: &Step, sessions: &Sessions) -> Vec<RoleName> {
    let session = step.session.as_ref().and_then(|name| sessions.get(name));
    let session = session.and_then(|session| session.role.as_ref());
    let mut roles: Vec<RoleName> = step.role.iter().chain(session).cloned().collect();
    roles.dedup();
    roles
}

/// The key by which a file shows that it is of another kind, and what to do with it.
fn of_another_kind(root: Field<'_>) -> Option<(Key<'_>, &'static str)> {
    let keys = || root.node.entries().map(|(key, _)| key);
    if keys().any(|key| key.name == "runbook") {
        return None;
    }
    let help = |key: Key<'_>| match key.name {
        "overlay" => Some("it is an overlay: give it with its runbook, as `--overlay FILE`"),
        "operators" => Some("it names the people who carry out the runbooks beside it"),
        "tests" | "cases" => Some("it holds tests of a runbook: `runbook test FILE` carries them out"),
        _ => None,
    };
    keys().find_map(|key| Some((key, help(key)?)))
}

fn declared<'a, 'p>(fields: &Fields<'a>, params: impl Iterator<Item = &'p Param>) -> Declared<'a> {
    let names = |name: &str| -> BTreeSet<&'a str> {
        let field = fields.get(name);
        field
            .into_iter()
            .flat_map(|field| field.node.entries())
            .map(|(key, _)| key.name)
            .collect()
    };
    let (roles, sessions, steps) = (names("roles"), names("sessions"), names("steps"));
    let ids = steps.iter().filter_map(|id| id.parse::<StepId>().ok());
    let known = Known::new(names("params"), ids, Site::Condition);
    Declared {
        roles,
        sessions,
        steps,
        known,
        secrets: secrets::declared(params, fields),
        params: names("params"),
    }
}

#[cfg(test)]
mod tests;
