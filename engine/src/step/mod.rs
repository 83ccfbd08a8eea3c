//! The contract of the plugins: what a kind of step must offer, and what it may rely on.
//!
//! # The contract
//!
//! A plugin implements [`StepKind`]: typed inputs and three functions.
//!
//! - [`validate`](StepKind::validate) is read-only and answers one question: is the outcome there? It is
//!   called when planning, before an attempt, after it, after an interruption, and after a rollback.
//!   It may be called at any time and any number of times.
//! - [`run`](StepKind::run) brings the outcome about. The engine calls it only after the intent is durable
//!   in the journal, never twice at once for one instance, and never again after an interruption without
//!   asking `validate` (or a person) first. Run twice, it leaves the same world as run once, or `validate`
//!   tells the two apart.
//! - [`rollback`](StepKind::rollback) undoes what `run` did, also when `run` stopped half-way, and puts back what
//!   [`Context::before`] holds. Undoing twice is harmless.
//!
//! All three stop soon after [`Context::cancel`] is triggered, leave no process behind, print through
//! [`Context::transcript`] and nowhere else, and keep secrets out of outputs and errors.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use self::context::{Context, Files, Purpose, RunFacts, Transcriber};
pub(crate) use self::earlier::dotted;
pub use self::earlier::{Earlier, StepFacts};
pub use self::family::{Definition, Family, NoPlugin, TextProblem};
pub use self::plugin::{InputProblem, Plugin, Typed, fitted, typed};
pub use self::registry::{Registry, UnknownPlugin};
pub use self::session::{Inside, Kept, Open, Session};
pub use self::templated::Templated;
use crate::id::StepId;
use crate::runbook::DeclaredSecrets;
use crate::secret::SecretName;

pub use crate::core::event::{Failure, FailureKind, Outputs, Place, ProcessMark, Verdict};
use crate::runbook::expr;

mod context;
mod earlier;
mod family;
mod plugin;
mod registry;
mod session;
mod templated;
pub mod world;

/// What `validate` found.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// Whether the outcome is there.
    pub verdict: Verdict,
    /// What was seen; before the first attempt this is kept as `before`, which is what rollback restores.
    pub observed: Value,
    /// The step's outputs, where the outcome is there.
    pub outputs: Outputs,
}

impl Observation {
    /// The answer of a step that cannot tell.
    #[must_use]
    pub fn unknown() -> Self {
        Self {
            verdict: Verdict::Unknown,
            observed: Value::Null,
            outputs: Outputs::new(),
        }
    }
}

/// What a step with these inputs can do; the engine asks no more of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Abilities {
    /// `validate` can tell; without it, every answer is [`Verdict::Unknown`] and it is not called.
    pub validates: bool,
    /// There is a way back; without it a rollback leaves the step's work in place and says so.
    pub undoes: bool,
    /// A person carries it out: `run` is never called, the instance waits for their confirmation.
    pub by_person: bool,
    /// It cannot be confirmed without a file that proves it.
    pub needs_evidence: bool,
    /// It changes nothing, so that repeating it after an interruption is always right and there is
    /// nothing to undo.
    pub read_only: bool,
}

/// The documentation of a plugin, printed by `runbook steps KIND`.
#[derive(Debug, Clone, Copy)]
pub struct Doc<'a> {
    /// One line: what it does.
    pub summary: &'a str,
    /// The rest, in Markdown; ends with an example in a fenced YAML block.
    pub text: &'a str,
    /// Inputs (top-level names) that are scripts or expressions: never templated.
    pub scripts: &'a [&'a str],
}

/// The documentation of a kind of step that is part of the program.
pub type KindDoc = Doc<'static>;

/// A kind of step. See the [module's documentation](self) for what each function promises.
#[async_trait]
pub trait StepKind: Send + Sync + 'static {
    /// The inputs (`with:`) after templates were filled in. Unknown fields must be refused
    /// (`#[serde(deny_unknown_fields)]`); fields that are not text take [`Templated`].
    type Inputs: DeserializeOwned + JsonSchema + Send + Sync;

    /// Whether its calls reach nothing beyond [`Context::world`] where there is one: such a step can be carried out in a
    /// test.
    const KEEPS_TO_WORLD: bool = false;

    /// What `uses:` says.
    const NAME: &'static str;

    /// What people read about it.
    fn doc(&self) -> KindDoc;

    /// What a step with these inputs gives in a rehearsal where the runbook does not say it.
    fn rehearsed_outputs(&self, inputs: &Self::Inputs) -> Outputs {
        let _ = inputs;
        Outputs::new()
    }

    /// The names of all outputs that a step with these inputs may give, where they are known beforehand.
    fn gives(&self, inputs: &Self::Inputs) -> Option<Vec<String>> {
        let _ = inputs;
        None
    }

    /// The places in whose texts values come [marked](crate::runbook::expr::Put::Marked): the kind escapes them
    /// for where they stand.
    fn marked(&self, with: &Value, registry: &Registry) -> Vec<expr::InputPath> {
        let _ = (with, registry);
        Vec::new()
    }

    /// What a step with these inputs can do.
    fn abilities(&self, inputs: &Self::Inputs) -> Abilities;

    /// As [`abilities`](Self::abilities), for a kind whose abilities depend on a file that its inputs refer to.
    fn abilities_with(&self, inputs: &Self::Inputs, files: &dyn Files) -> Abilities {
        let _ = files;
        self.abilities(inputs)
    }

    /// Finds what is wrong with the inputs beyond their types, and names the files that they refer to.
    /// Runs before anything is carried out; templates are not filled in yet.
    fn check(&self, inputs: &Self::Inputs, check: &mut Check<'_>) {
        let _ = (inputs, check);
    }

    /// Finds what is wrong with the inputs of a session of this kind.
    fn check_session(&self, with: &Value, check: &mut Check<'_>) {
        let _ = with;
        check.problem(&[], format!("`{}` steps share no session", Self::NAME));
    }

    /// Is the outcome there?
    ///
    /// # Errors
    /// When the question itself could not be asked.
    async fn validate(&self, inputs: &Self::Inputs, cx: &Context) -> Result<Observation, Failure>;

    /// Brings the outcome about.
    ///
    /// # Errors
    /// When it did not come about; the world may have changed all the same.
    async fn run(&self, inputs: &Self::Inputs, cx: &Context) -> Result<Outputs, Failure>;

    /// Undoes it.
    ///
    /// # Errors
    /// When it could not be undone entirely.
    async fn rollback(&self, inputs: &Self::Inputs, cx: &Context) -> Result<(), Failure>;
}

/// What a plugin's `check` may ask and report.
pub struct Check<'a> {
    files: &'a dyn Files,
    registry: &'a Registry,
    session: Option<&'a Value>,
    secrets: Option<(&'a DeclaredSecrets, &'a StepId)>,
    problems: Vec<InputProblem>,
    used: Vec<(String, String)>,
    kinds: Vec<Arc<dyn Plugin>>,
}

impl<'a> Check<'a> {
    /// A check that reads files from `files` and nested steps' plugins from `registry`.
    #[must_use]
    pub fn new(files: &'a dyn Files, registry: &'a Registry) -> Self {
        Self {
            files,
            registry,
            session: None,
            secrets: None,
            problems: Vec::new(),
            used: Vec::new(),
            kinds: Vec::new(),
        }
    }

    /// The same for a step of a session with these inputs; templates are not filled in.
    #[must_use]
    pub fn in_session(self, with: Option<&'a Value>) -> Self {
        Self {
            session: with,
            ..self
        }
    }

    /// The same check of this step, in a runbook with these secrets.
    #[must_use]
    pub fn with_secrets(self, secrets: &'a DeclaredSecrets, step: &'a StepId) -> Self {
        Self {
            secrets: Some((secrets, step)),
            ..self
        }
    }

    /// The inputs of the step's session, if it has one; templates are not filled in.
    #[must_use]
    pub fn session(&self) -> Option<&'a Value> {
        self.session
    }

    /// The secrets that the templates of a text name.
    #[must_use]
    pub fn secrets_in(&self, text: &str) -> BTreeSet<SecretName> {
        self.secrets
            .map(|(secrets, step)| secrets.in_template(text, Some(step)))
            .unwrap_or_default()
    }

    /// Reports a problem at `path` within `with:` (`["run", "0"]`; empty for the whole).
    pub fn problem(&mut self, path: &[&str], message: impl Into<String>) {
        let path = path.iter().map(|&part| part.to_owned()).collect();
        self.problems.push(InputProblem {
            path,
            ..InputProblem::new(message)
        });
    }

    /// Reports a problem with all that is known of it.
    pub fn report(&mut self, problem: InputProblem) {
        self.problems.push(problem);
    }

    /// Reads a file that the inputs refer to, relative to the runbook; it is kept in the run's journal, and
    /// [`Context::file`] gives the kept text.
    pub fn file(&mut self, path: &[&str], name: &str) -> Option<String> {
        match self.files.read(name) {
            Ok(text) => {
                self.used.push((name.to_owned(), text.clone()));
                Some(text)
            }
            Err(error) => {
                self.problem(path, format!("the file `{name}` cannot be read: {error}"));
                None
            }
        }
    }

    /// The plugin of that name, for a step that contains another.
    ///
    /// # Errors
    /// When there is none, or the file that should define it cannot be used.
    pub fn plugin(&mut self, name: &str) -> Result<Arc<dyn Plugin>, NoPlugin> {
        let plugin = self.registry.find(name, self.files)?;
        if let Some(Definition { file, text }) = plugin.definition() {
            self.used.push((file.to_owned(), text.to_owned()));
            self.kinds.push(Arc::clone(&plugin));
        }
        Ok(plugin)
    }

    /// The kinds of nested steps that files define.
    pub(crate) fn take_kinds(&mut self) -> Vec<Arc<dyn Plugin>> {
        std::mem::take(&mut self.kinds)
    }

    /// Checks a nested step's `with` (found at `path`) against its plugin.
    pub fn nested(&mut self, path: &[&str], plugin: &Arc<dyn Plugin>, with: &Value) -> Option<Abilities> {
        let mut nested = Check {
            secrets: self.secrets,
            session: self.session,
            ..Check::new(self.files, self.registry)
        };
        let abilities = plugin.check(with, &mut nested);
        // The outer step's inputs are templated as a whole, which would make code of data here.
        for script in plugin.doc().scripts {
            if with
                .get(script)
                .is_some_and(|text| text.to_string().contains("${{"))
            {
                nested.problem(
                    &[script],
                    "a script is never templated; it reads the values from what it is given",
                );
            }
        }
        self.used.append(&mut nested.used);
        self.kinds.append(&mut nested.kinds);
        for mut problem in nested.problems {
            problem
                .path
                .splice(0..0, path.iter().map(|&part| part.to_owned()));
            self.problems.push(problem);
        }
        abilities
    }

    /// All that was found: the problems, and the files (name and text) that were read.
    #[must_use]
    pub fn finish(self) -> (Vec<InputProblem>, Vec<(String, String)>) {
        (self.problems, self.used)
    }
}
