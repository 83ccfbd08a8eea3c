//! Kinds of step that runbooks can be written against, checked and rehearsed with, but not yet carried out.

use async_trait::async_trait;
use runbook_engine::step::{
    Abilities, Check, Context, Failure, FailureKind, KindDoc, Observation, Outputs, StepKind,
};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub mod graph;
pub mod http;
pub mod request;

/// What is known of a kind of step before it can be carried out: its inputs and their meaning.
pub trait Announced: Send + Sync + 'static {
    /// See [`StepKind::Inputs`].
    type Inputs: DeserializeOwned + JsonSchema + Send + Sync;

    /// See [`StepKind::NAME`].
    const NAME: &'static str;

    /// See [`StepKind::doc`]; `available` must be false.
    fn doc(&self) -> KindDoc;

    /// See [`StepKind::abilities`].
    fn abilities(&self, inputs: &Self::Inputs) -> Abilities;

    /// See [`StepKind::check`].
    fn check(&self, inputs: &Self::Inputs, check: &mut Check<'_>);

    /// See [`StepKind::check_session`].
    fn check_session(&self, with: &Value, check: &mut Check<'_>) {
        let _ = with;
        check.problem(&[], format!("`{}` steps share no session", Self::NAME));
    }
}

/// A kind of step whose functions all answer that they are not there yet. The program refuses a runbook
/// that would get that far, unless it is rehearsed.
pub struct NotYet<K>(pub K);

fn unavailable<K: Announced>() -> Failure {
    let kind = K::NAME;
    let message =
        format!("this version cannot carry out `{kind}` steps; rehearse the runbook with `--rehearse`");
    Failure::new(FailureKind::Fault, message)
}

#[async_trait]
impl<K: Announced> StepKind for NotYet<K> {
    type Inputs = K::Inputs;

    const NAME: &'static str = K::NAME;

    fn doc(&self) -> KindDoc {
        self.0.doc()
    }

    fn abilities(&self, inputs: &K::Inputs) -> Abilities {
        self.0.abilities(inputs)
    }

    fn check(&self, inputs: &K::Inputs, check: &mut Check<'_>) {
        self.0.check(inputs, check);
    }

    fn check_session(&self, with: &Value, check: &mut Check<'_>) {
        self.0.check_session(with, check);
    }

    async fn validate(&self, _: &K::Inputs, _: &Context) -> Result<Observation, Failure> {
        Err(unavailable::<K>())
    }

    async fn run(&self, _: &K::Inputs, _: &Context) -> Result<Outputs, Failure> {
        Err(unavailable::<K>())
    }

    async fn rollback(&self, _: &K::Inputs, _: &Context) -> Result<(), Failure> {
        Err(unavailable::<K>())
    }
}
