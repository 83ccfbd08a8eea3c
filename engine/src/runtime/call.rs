//! One call of a plugin: its context, its filled-in inputs, and its outcome, whatever the plugin does.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;
use serde_json::Value;

use super::rehearse::{failed, rehearse};
use super::secrets::{Known, sealed};
use super::sessions::session;
use crate::core::Outcome;
use crate::core::event::{Failure, FailureKind, Outputs, Rehearsal};
use crate::runbook::expr::{self, Put, Scope};
use crate::runbook::{Runbook, Step};
use crate::secret::{Mask, SecretName};
use crate::step::{Context, Kept, Plugin, Purpose, Registry};

/// A call that is ready to be made.
pub(super) struct Call {
    pub(super) runbook: Arc<Runbook>,
    pub(super) plugin: Arc<dyn Plugin>,
    pub(super) rehearsal: Option<Rehearsal>,
    pub(super) cx: Context,
    /// What the step's session keeps open.
    pub(super) session: Option<Arc<Kept>>,
    pub(super) known: Known,
}

impl Call {
    /// Makes the call. A plugin that panics has failed; secrets are out of whatever it says.
    pub(super) async fn make(self) -> Outcome {
        if self.cx.cancel.is_cancelled() {
            // Everything stops, perhaps because of a failed disk: what has not begun does not begin.
            return Outcome::CutOff;
        }
        let Some(step) = self.runbook.step(self.cx.instance.step()) else {
            let fault = Failure::new(FailureKind::Fault, "the runbook has no such step");
            return failed(self.cx.purpose, fault);
        };
        let outcome = AssertUnwindSafe(self.call(step)).catch_unwind().await;
        let outcome = outcome.unwrap_or_else(|_panic| {
            let message = format!("the plugin `{}` broke off: a fault of the program", step.uses);
            failed(self.cx.purpose, Failure::new(FailureKind::Fault, message))
        });
        self.without_secrets(outcome, &step.sensitive)
    }

    /// The outcome as it may be kept. What is sensitive of it is known from now on, and looked for in the rest.
    fn without_secrets(&self, outcome: Outcome, sensitive: &[String]) -> Outcome {
        let learn = |outputs: &Outputs| self.known.learn_outputs(&self.cx.instance, sensitive, outputs);
        let hide = |outputs: &Outputs, mask: &Mask| mask.outputs(&sealed(outputs, sensitive));
        match outcome {
            Outcome::Observed(Ok(mut found)) => {
                if let Value::Object(observed) = &found.observed {
                    learn(observed);
                }
                learn(&found.outputs);
                let mask = self.known.mask();
                found.observed = match &found.observed {
                    Value::Object(observed) => Value::Object(hide(observed, &mask)),
                    other => mask.value(other),
                };
                found.outputs = hide(&found.outputs, &mask);
                if let crate::step::Verdict::Unsatisfied(reason) = &mut found.verdict {
                    *reason = mask.text(reason);
                }
                Outcome::Observed(Ok(found))
            }
            Outcome::Ran(Ok(outputs)) => {
                learn(&outputs);
                Outcome::Ran(Ok(hide(&outputs, &self.known.mask())))
            }
            Outcome::Observed(Err(failure)) => Outcome::Observed(Err(self.known.mask().failure(&failure))),
            Outcome::Ran(Err(failure)) => Outcome::Ran(Err(self.known.mask().failure(&failure))),
            Outcome::RolledBack(end) => {
                Outcome::RolledBack(end.map_err(|failure| self.known.mask().failure(&failure)))
            }
            Outcome::CutOff => Outcome::CutOff,
        }
    }

    /// What a rehearsed step's inputs may read. A rehearsal asks for no secret: a text stands in for each.
    fn with_stand_ins(&self, scope: &Scope, step: &Step) -> Scope {
        let mut scope = scope.clone();
        let Value::Object(params) = Arc::make_mut(&mut scope.params) else {
            return scope;
        };
        for name in &step.secrets {
            let SecretName::Param(name) = name else {
                continue;
            };
            let optional = self
                .runbook
                .params()
                .get(name)
                .is_some_and(|param| param.optional);
            let stand_in = || match optional {
                true => Value::Null,
                false => format!("secret of a rehearsal: {name}").into(),
            };
            params.entry(name.to_string()).or_insert_with(stand_in);
        }
        scope
    }

    async fn call(&self, step: &Step) -> Outcome {
        let scope = Scope::of(&self.cx);
        if let Some(rehearsal) = &self.rehearsal {
            // What is missing for the inputs is to be found here, and not in earnest.
            let stand_in = self.with_stand_ins(&scope, step);
            return match fill(step, self.plugin.as_ref(), &self.cx.registry, &stand_in) {
                Ok(_) => rehearse(step, rehearsal, &scope, &self.cx).await,
                Err(mut failure) => {
                    failure.message += "; in a rehearsal, earlier steps give what stands below their `rehearse:`, or the `example` of an output";
                    failed(self.cx.purpose, failure)
                }
            };
        }
        let with = match fill(step, self.plugin.as_ref(), &self.cx.registry, &scope) {
            Ok(with) => with,
            Err(failure) => return failed(self.cx.purpose, failure),
        };
        let kept = self.session.as_ref();
        let session = match session(&self.runbook, &self.cx.registry, step, kept, &scope) {
            Ok(session) => session,
            Err(failure) => return failed(self.cx.purpose, failure),
        };
        let cx = Context {
            session,
            ..self.cx.clone()
        };
        match cx.purpose {
            Purpose::Run => Outcome::Ran(self.plugin.run(&with, &cx).await),
            Purpose::Rollback => Outcome::RolledBack(self.plugin.rollback(&with, &cx).await),
            Purpose::Plan
            | Purpose::Before
            | Purpose::After
            | Purpose::Doubt
            | Purpose::RollbackDoubt
            | Purpose::AfterRollback => Outcome::Observed(self.plugin.validate(&with, &cx).await),
        }
    }
}

/// A step's inputs with every template filled in.
pub(super) fn fill(
    step: &Step,
    plugin: &dyn Plugin,
    registry: &Registry,
    scope: &Scope,
) -> Result<Value, Failure> {
    let marked = plugin.marked(&step.with, registry);
    expr::fill(&step.with, plugin.doc().scripts, scope, Put::MarkedAt(&marked)).map_err(|error| {
        Failure::new(
            FailureKind::Inputs,
            format!("its inputs could not be worked out: {error}"),
        )
    })
}
