//! The object-safe face of a plugin: inputs as JSON, typed inside.

use async_trait::async_trait;
use serde_json::Value;

use super::{
    Abilities, Check, Context, Definition, Doc, Failure, FailureKind, Observation, Outputs, Registry,
    StepKind,
};
use crate::diagnostic::Code;
use crate::runbook::expr;

/// Something wrong with a step's `with:`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputProblem {
    /// Where in `with:`, as the names of fields and the numbers of items; empty for the whole.
    pub path: Vec<String>,
    /// Whether the key at the end of `path` is meant rather than its value.
    pub at_key: bool,
    /// A range of bytes within the text at `path`, where the problem lies inside a script.
    pub inside: Option<(usize, usize)>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// Under which code people are told.
    pub code: Code,
    /// It may be right all the same.
    pub warning: bool,
}

impl InputProblem {
    /// A problem with the whole of `with:`.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            path: Vec::new(),
            at_key: false,
            inside: None,
            message: message.into(),
            help: None,
            code: Code::InputProblem,
            warning: false,
        }
    }
}

/// A kind of step as the engine sees it. Implement [`StepKind`] instead, and wrap it in [`Typed`].
#[async_trait]
pub trait Plugin: Send + Sync {
    /// What `uses:` says.
    fn name(&self) -> &str;

    /// What people read about it.
    fn doc(&self) -> Doc<'_>;

    /// The file beside the runbook that defines it; none for a kind that is part of the program.
    fn definition(&self) -> Option<Definition<'_>> {
        None
    }

    /// See [`StepKind::KEEPS_TO_WORLD`].
    fn keeps_to_world(&self) -> bool {
        false
    }

    /// See [`StepKind::rehearsed_outputs`].
    fn rehearsed_outputs(&self, with: &Value) -> Outputs {
        let _ = with;
        Outputs::new()
    }

    /// See [`StepKind::gives`].
    fn gives(&self, with: &Value) -> Option<Vec<String>> {
        let _ = with;
        None
    }

    /// See [`StepKind::marked`].
    fn marked(&self, with: &Value, registry: &Registry) -> Vec<expr::InputPath> {
        let _ = (with, registry);
        Vec::new()
    }

    /// The JSON Schema of its inputs.
    fn schema(&self) -> Value;

    /// Checks inputs whose templates are not filled in yet; what is wrong goes to `check`.
    /// Gives the step's abilities unless the inputs do not even have the right types.
    fn check(&self, with: &Value, check: &mut Check<'_>) -> Option<Abilities>;

    /// See [`StepKind::check_session`].
    fn check_session(&self, with: &Value, check: &mut Check<'_>);

    /// See [`StepKind::validate`].
    ///
    /// # Errors
    /// When the question could not be asked, or the inputs do not fit.
    async fn validate(&self, with: &Value, cx: &Context) -> Result<Observation, Failure>;

    /// See [`StepKind::run`].
    ///
    /// # Errors
    /// When the outcome did not come about, or the inputs do not fit.
    async fn run(&self, with: &Value, cx: &Context) -> Result<Outputs, Failure>;

    /// See [`StepKind::rollback`].
    ///
    /// # Errors
    /// When it could not be undone entirely, or the inputs do not fit.
    async fn rollback(&self, with: &Value, cx: &Context) -> Result<(), Failure>;
}

/// Makes a [`Plugin`] of a [`StepKind`].
pub struct Typed<K>(pub K);

/// Reads inputs into their type.
///
/// # Errors
/// When they do not fit; the first place that does not.
pub fn typed<T: serde::de::DeserializeOwned>(with: &Value) -> Result<T, InputProblem> {
    serde_path_to_error::deserialize(with).map_err(|error| {
        let path: Vec<String> = error
            .path()
            .iter()
            .filter_map(|part| match part {
                serde_path_to_error::Segment::Seq { index } => Some(index.to_string()),
                serde_path_to_error::Segment::Map { key } => Some(key.clone()),
                serde_path_to_error::Segment::Enum { .. } | serde_path_to_error::Segment::Unknown => None,
            })
            .collect();
        let message = error.inner().to_string();
        InputProblem {
            at_key: message.starts_with("unknown field"),
            path,
            ..InputProblem::new(message)
        }
    })
}

/// Reads the inputs of a call, whose templates are filled in.
///
/// # Errors
/// When they do not fit.
pub fn fitted<T: serde::de::DeserializeOwned>(with: &Value) -> Result<T, Failure> {
    typed(with).map_err(|problem| {
        let place = if problem.path.is_empty() {
            "with".to_owned()
        } else {
            problem.path.join(".")
        };
        Failure::new(
            FailureKind::Inputs,
            format!("the input `{place}` does not fit: {}", problem.message),
        )
    })
}

#[async_trait]
impl<K: StepKind> Plugin for Typed<K> {
    fn name(&self) -> &str {
        K::NAME
    }

    fn doc(&self) -> Doc<'_> {
        self.0.doc()
    }

    fn keeps_to_world(&self) -> bool {
        K::KEEPS_TO_WORLD
    }

    fn rehearsed_outputs(&self, with: &Value) -> Outputs {
        let inputs = typed::<K::Inputs>(with);
        inputs.map_or_else(|_| Outputs::new(), |inputs| self.0.rehearsed_outputs(&inputs))
    }

    fn gives(&self, with: &Value) -> Option<Vec<String>> {
        self.0.gives(&typed::<K::Inputs>(with).ok()?)
    }

    fn marked(&self, with: &Value, registry: &Registry) -> Vec<expr::InputPath> {
        self.0.marked(with, registry)
    }

    fn schema(&self) -> Value {
        schemars::schema_for!(K::Inputs).to_value()
    }

    fn check(&self, with: &Value, check: &mut Check<'_>) -> Option<Abilities> {
        match typed::<K::Inputs>(with) {
            Ok(inputs) => {
                self.0.check(&inputs, check);
                Some(self.0.abilities_with(&inputs, check.files))
            }
            Err(problem) => {
                check.report(problem);
                None
            }
        }
    }

    fn check_session(&self, with: &Value, check: &mut Check<'_>) {
        self.0.check_session(with, check);
    }

    async fn validate(&self, with: &Value, cx: &Context) -> Result<Observation, Failure> {
        self.0.validate(&fitted(with)?, cx).await
    }

    async fn run(&self, with: &Value, cx: &Context) -> Result<Outputs, Failure> {
        self.0.run(&fitted(with)?, cx).await
    }

    async fn rollback(&self, with: &Value, cx: &Context) -> Result<(), Failure> {
        self.0.rollback(&fitted(with)?, cx).await
    }
}
