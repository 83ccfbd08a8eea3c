//! The checked runbook: every name in it exists, every type fits, the steps have an order.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use serde_json::Value;

use super::expr::Expression;
use super::param::Param;
use crate::core::event::Overlaid;
use crate::core::operators::{OPERATORS_FILE, Operators};
use crate::core::{ApprovalRule, OnFailure, Place, Retry, Workflow};
use crate::diagnostic::{SourceFile, Sources, Span};
use crate::id::{LockName, ParamName, PluginName, RoleName, RunbookName, SessionName, StepId};
use crate::secret::SecretName;
use crate::step::{Abilities, Outputs, Registry};

/// A checked runbook, made by [`load`](super::load).
#[derive(Debug, Clone)]
pub struct Runbook {
    pub(super) name: RunbookName,
    pub(super) title: String,
    pub(super) source: Option<String>,
    pub(super) description: Option<String>,
    pub(super) params: IndexMap<ParamName, Param>,
    pub(super) roles: IndexMap<RoleName, String>,
    pub(super) sessions: IndexMap<SessionName, Session>,
    pub(super) steps: IndexMap<StepId, Step>,
    pub(super) workflow: Arc<Workflow>,
    pub(super) files: BTreeMap<String, String>,
    /// The definition: the file, or with overlays what they made of it.
    pub(super) file: Arc<SourceFile>,
    /// Where all places are.
    pub(super) sources: Sources,
    pub(super) overlaid: Option<Arc<Overlaid>>,
    /// The kinds of step, with those that files beside it define.
    pub(super) registry: Registry,
}

impl Runbook {
    /// The name.
    #[must_use]
    pub fn name(&self) -> &RunbookName {
        &self.name
    }

    /// The title; the name where the file gives none.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The document that it carries out.
    #[must_use]
    pub fn source(&self) -> Option<&str> {
        self.source.as_deref()
    }

    /// What it is for.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// The parameters, in the file's order.
    #[must_use]
    pub fn params(&self) -> &IndexMap<ParamName, Param> {
        &self.params
    }

    /// The roles and what each means, in the file's order.
    #[must_use]
    pub fn roles(&self) -> &IndexMap<RoleName, String> {
        &self.roles
    }

    /// The sessions, in the file's order.
    #[must_use]
    pub fn sessions(&self) -> &IndexMap<SessionName, Session> {
        &self.sessions
    }

    /// The steps, in the file's order.
    #[must_use]
    pub fn steps(&self) -> &IndexMap<StepId, Step> {
        &self.steps
    }

    /// One step.
    #[must_use]
    pub fn step(&self, id: &StepId) -> Option<&Step> {
        self.steps.get(id)
    }

    /// What the core needs to know of the steps.
    #[must_use]
    pub fn workflow(&self) -> &Arc<Workflow> {
        &self.workflow
    }

    /// The texts of all files that the steps refer to, by name.
    #[must_use]
    pub fn files(&self) -> &BTreeMap<String, String> {
        &self.files
    }

    /// The whole definition: the file that it was read from, or what overlays made of it.
    #[must_use]
    pub fn definition(&self) -> &Arc<SourceFile> {
        &self.file
    }

    /// The kinds of step that carry it out, with those that files beside it define.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The file in which something of it stands, and where.
    #[must_use]
    pub fn place(&self, span: Span) -> (Arc<SourceFile>, Span) {
        self.sources.place(span)
    }

    /// What overlays changed in it, if there are any.
    #[must_use]
    pub fn overlays(&self) -> Option<&Arc<Overlaid>> {
        self.overlaid.as_ref()
    }

    /// The same runbook, carried out by these people, of whom this file tells.
    #[must_use]
    pub(super) fn carried_out_by(mut self, operators: Operators, text: String) -> Self {
        self.files.insert(OPERATORS_FILE.to_owned(), text);
        Self {
            workflow: Arc::new(self.workflow.by(Some(operators))),
            ..self
        }
    }

    /// The same runbook, carried out by anyone, whoever approves.
    #[must_use]
    pub(crate) fn carried_out_by_anyone(mut self) -> Self {
        self.files.remove(OPERATORS_FILE);
        Self {
            workflow: Arc::new(self.workflow.by(None).approved()),
            ..self
        }
    }

    /// The same runbook, its steps carried out by these kinds.
    #[must_use]
    pub(crate) fn with_kinds(self, registry: Registry) -> Self {
        Self { registry, ..self }
    }

    /// The same runbook, whose text is what overlays made of another.
    #[must_use]
    pub fn with_history(self, overlaid: Option<Overlaid>) -> Self {
        Self {
            overlaid: overlaid.map(Arc::new),
            ..self
        }
    }

    /// The same, as what overlays made of a runbook; `text` is the merged definition.
    pub(super) fn overlaid(self, overlaid: Overlaid, text: String) -> Self {
        let files = std::iter::once(overlaid.file.as_str());
        let files: Vec<&str> = files
            .chain(overlaid.overlays.iter().map(|overlay| overlay.file.as_str()))
            .collect();
        Self {
            file: SourceFile::new(files.join(" + "), text),
            ..self.with_history(Some(overlaid))
        }
    }
}

/// A long-lived environment that steps share.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// The name.
    pub name: SessionName,
    /// The plugin that opens it.
    pub uses: PluginName,
    /// What an operator must be to open it.
    pub role: Option<RoleName>,
    /// The plugin's inputs; templates are not filled in.
    pub with: Value,
    /// Where its name stands.
    pub span: Span,
}

/// One documented procedure.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The id.
    pub id: StepId,
    /// The title; the id where the file gives none.
    pub title: String,
    /// The part of the document that it carries out.
    pub source: Option<String>,
    /// The steps that come before.
    pub needs: Vec<StepId>,
    /// Why it is never carried out, if so.
    pub skip: Option<String>,
    /// Whether it is carried out at all.
    pub when: Option<Expression>,
    /// What it fans out over.
    pub for_each: Option<Expression>,
    /// What an operator must be to carry it out.
    pub role: Option<RoleName>,
    /// Who must approve it before it is carried out, if anybody must.
    pub approve: Option<ApprovalRule>,
    /// The machine that it is carried out on; any, if it does not say.
    pub on: Option<Place>,
    /// The environment that it is carried out in.
    pub session: Option<SessionName>,
    /// How long one attempt may take.
    pub timeout: Option<Duration>,
    /// How often it is tried.
    pub retry: Retry,
    /// Whether it may be repeated after an interruption without asking.
    pub idempotent: bool,
    /// What its failure means for the run.
    pub on_failure: OnFailure,
    /// What it must not share with others at the same time; the session's lock is among them.
    pub locks: Vec<LockName>,
    /// How long it usually takes, for people.
    pub duration: Option<Duration>,
    /// What people are told before it is carried out.
    pub warning: Option<String>,
    /// The steps of which one must be undone too for this one to be undone; none where it is undone by itself.
    pub undo_with: Vec<StepId>,
    /// What people are told before it is undone.
    pub undo_note: Option<String>,
    /// The secrets that it is given, and without which it is not carried out, in order.
    pub secrets: Vec<SecretName>,
    /// Its outputs that are secrets.
    pub sensitive: Vec<String>,
    /// How it answers in a rehearsal.
    pub rehearse: Rehearse,
    /// The plugin that carries it out.
    pub uses: PluginName,
    /// The plugin's inputs; templates are not filled in.
    pub with: Value,
    /// What the plugin can do with these inputs.
    pub abilities: Abilities,
    /// The files that it refers to, and the one that defines its kind.
    pub files: Vec<String>,
    /// Where its id stands.
    pub span: Span,
}

/// How a step answers in a rehearsal.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rehearse {
    /// Whether the outcome is in place before.
    pub satisfied: bool,
    /// What `validate` observes.
    pub observed: Value,
    /// What the step gives.
    pub outputs: Outputs,
    /// How long it pretends to take.
    pub takes: Option<Duration>,
    /// What `validate` finds after an interruption.
    pub interrupted: Option<RehearsedDoubt>,
}

/// What `validate` finds after an interruption in a rehearsal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RehearsedDoubt {
    /// It had taken effect.
    Satisfied,
    /// It had not.
    Unsatisfied,
    /// It cannot tell.
    Unknown,
}
