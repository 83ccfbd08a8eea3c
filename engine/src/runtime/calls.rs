//! Effects carried out: every call of a plugin is a task, and tells the loop how it ended.

use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::call::Call;
use super::desk::{Desk, Message};
use super::left::Leaving;
use super::run::Run;
use super::transcriber::CallTranscriber;
use crate::core::event::{Failure, FailureKind};
use crate::core::{Effect, Evaluation, Input, Work, effects};
use crate::id::{AttemptNo, Seq, StepId};
use crate::journal::Durable;
use crate::runbook::expr;
use crate::step::{Context, Transcriber};

impl Run {
    /// Starts what should be under way and is not. What can be answered at once is given back as inputs.
    pub(super) fn perform(&self, desk: &mut Desk, draining: bool, proof: Durable<Seq>) -> Vec<Input> {
        let mut answers = Vec::new();
        for effect in effects(&self.state, draining, &self.lacking(), self.engine.clock.now()) {
            match effect {
                Effect::Evaluate { step } => {
                    let result = self.evaluate(&step);
                    answers.push(Input::Evaluated { step, result });
                }
                Effect::Describe { instance } => {
                    let result = self.describe(&instance);
                    answers.push(Input::Described { instance, result });
                }
                Effect::Call(work) => self.call(desk, &work, proof),
                Effect::ClearProcess {
                    instance,
                    of,
                    process,
                    until,
                } => {
                    if desk.clearing.insert(instance.clone(), of).is_none() {
                        let leaving = Leaving {
                            instance,
                            of,
                            process,
                            until,
                        };
                        self.clear(desk, leaving);
                    }
                }
            }
        }
        answers
    }

    /// Makes a call whose intent is durable, or stops one that should stop.
    fn call(&self, desk: &mut Desk, work: &Work, proof: Durable<Seq>) {
        if let Some(cancel) = desk.calls.get(&work.of) {
            if work.stop {
                cancel.cancel();
            }
            return;
        }
        debug_assert!(work.of <= proof.get(), "the intent is durable before the call");
        let cancel = CancellationToken::new();
        let transcriber = Arc::new(CallTranscriber {
            journal: Arc::clone(&self.engine.journal),
            claim: self.claim.clone(),
            clock: Arc::clone(&self.engine.clock),
            watcher: Arc::clone(&desk.watcher),
            known: self.known.clone(),
            sensitive: self.gives_secrets(work.instance.step()),
            instance: work.instance.clone(),
            of: work.of,
            messages: desk.messages.clone(),
            state: Mutex::default(),
        });
        let Some(call) = self.prepare(desk, work, cancel.clone(), transcriber.clone()) else {
            return;
        };
        desk.calls.insert(work.of, cancel);
        let (messages, instance, of) = (desk.messages.clone(), work.instance.clone(), work.of);
        tokio::spawn(async move {
            let outcome = call.make().await;
            let message = match transcriber.finish() {
                Ok(transcript) => Message::Input(Input::Finished {
                    instance,
                    of,
                    outcome,
                    transcript,
                }),
                Err(error) => Message::Broken(error),
            };
            // The receiver is gone only when the run has stopped.
            let _gone = messages.send(message);
        });
    }

    pub(super) fn prepare(
        &self,
        desk: &mut Desk,
        work: &Work,
        cancel: CancellationToken,
        transcript: Arc<dyn Transcriber>,
    ) -> Option<Call> {
        let instance = self.state.instance(work.ix);
        let step = self.runbook.step(work.instance.step())?;
        let plugin = Arc::clone(self.runbook.registry().get(step.uses.as_str()).ok()?);
        let outputs = match instance.outputs.as_ref() {
            Value::Object(outputs) => Some(self.known.own_outputs(&instance.id, step, outputs.clone())),
            _ => None,
        };
        let cx = Context {
            run: self.facts(),
            instance: work.instance.clone(),
            attempt: instance.attempts.max(AttemptNo(1)),
            purpose: work.purpose,
            params: self.known.params(&self.told.params, step),
            steps: self.known.earlier(self.state.before(instance.step), step),
            item: instance.item.clone(),
            kept: instance.kept.clone(),
            before: instance.before.clone().filter(|_| instance.changed),
            outputs,
            cancel,
            transcript,
            files: Arc::clone(&self.told.files) as _,
            session: None,
            registry: self.runbook.registry().clone(),
            mask: self.known.mask(),
            world: None,
            token: format!("{}:{}", self.claim.run, work.of),
        };
        Some(Call {
            runbook: Arc::clone(&self.runbook),
            plugin,
            rehearsal: self.state.started().rehearsal.clone(),
            cx,
            session: desk.sessions.of(step),
            known: self.known.clone(),
        })
    }

    /// Whether a step gives sensitive outputs.
    fn gives_secrets(&self, id: &StepId) -> bool {
        self.runbook
            .step(id)
            .is_some_and(|step| !step.sensitive.is_empty())
    }

    fn evaluate(&self, id: &StepId) -> Result<Evaluation, Failure> {
        let mask = self.known.mask();
        let fail = |what: &str, error: &dyn std::error::Error| {
            let message = format!("its `{what}` could not be worked out: {error}");
            mask.failure(&Failure::new(FailureKind::Inputs, message))
        };
        let (Some(step), Some(at)) = (self.runbook.step(id), self.state.workflow().find(id.as_str())) else {
            return Err(Failure::new(FailureKind::Fault, "the runbook has no such step"));
        };
        if let Some(why) = &step.skip {
            return Ok(Evaluation::Skip(why.clone()));
        }
        let Some(&ix) = self.state.instances_of(at).first() else {
            return Ok(Evaluation::One);
        };
        let scope = self.scope(ix, step);
        if let Some(when) = &step.when {
            let holds = when
                .evaluate(&scope)
                .and_then(expr::truth)
                .map_err(|error| fail("when", &error))?;
            if !holds {
                return Ok(Evaluation::Skip(format!(
                    "its condition does not hold: {}",
                    when.source().trim()
                )));
            }
        }
        match &step.for_each {
            None => Ok(Evaluation::One),
            Some(list) => {
                let items = list
                    .evaluate(&scope)
                    .and_then(expr::items)
                    .map_err(|error| fail("for_each", &error))?;
                if items.iter().any(|item| mask.hides(&item.value)) {
                    let message = "its `for_each` gives a secret, which must not stand in the journal";
                    return Err(Failure::new(FailureKind::Inputs, message));
                }
                Ok(Evaluation::Each(items))
            }
        }
    }

    fn clear(&self, desk: &Desk, leaving: Leaving) {
        let (messages, instance) = (desk.messages.clone(), leaving.instance.clone());
        let seen_off = self.see_off(leaving, Some(Arc::clone(&desk.watcher)));
        tokio::spawn(async move {
            let found = seen_off.await;
            // The receiver is gone only when the run has stopped.
            let _gone = messages.send(Message::Input(Input::ProcessCleared { instance, found }));
        });
    }
}
