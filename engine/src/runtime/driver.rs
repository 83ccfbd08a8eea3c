//! The loop: everything that happens becomes one input, every turn one append, every effect a task.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_util::sync::CancellationToken;

use super::call::Call;
use super::clear::clear;
use super::engine::{PinnedFiles, Run, RuntimeError};
use super::transcriber::CallTranscriber;
use crate::core::event::{Entry, Failure, FailureKind, ProcessMark};
use crate::core::{
    Asks, Effect, Evaluation, Input, Outcome, Phase, RunState, RunStatus, Work, effects, wake_at,
};
use crate::id::{InstanceId, Seq, StepId};
use crate::journal::{Durable, JournalError};
use crate::runbook::expr;
use crate::step::{Context, Transcriber};

/// Whoever watches a run being carried out. Called from several tasks; must not block.
pub trait Watcher: Send + Sync {
    /// These entries have become durable, and led to this state.
    fn recorded(&self, entries: &[Entry], state: &RunState);

    /// A step printed something; secrets are masked.
    fn printed(&self, instance: &InstanceId, stream: &str, bytes: &[u8]);

    /// Processes of an interrupted attempt are still running; they are awaited until then, and ended after.
    fn outlived(&self, instance: &InstanceId, processes: &[ProcessMark], until: Timestamp);
}

/// What a running loop is told from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// Start nothing more, and return when what is under way has ended.
    Drain,
    /// Stop what is under way, and return.
    Stop,
}

/// Why the loop returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// Where the run stands.
    pub status: RunStatus,
    /// It was told to.
    pub interrupted: bool,
}

/// What tasks tell the loop.
pub(super) enum Message {
    /// Something happened.
    Input(Input),
    /// A transcript could not be kept: the run must stop.
    Broken(JournalError),
}

/// How long stopped calls may take to end before they are given up as interrupted.
const PATIENCE: Duration = Duration::from_secs(15);

/// The most inputs that share one append: bounds how long the first of them waits.
const BATCH: usize = 256;

/// The calls under way, and the channel on which they report.
struct Desk {
    watcher: Arc<dyn Watcher>,
    messages: UnboundedSender<Message>,
    /// By the entry that started them.
    calls: HashMap<Seq, CancellationToken>,
    clearing: HashMap<InstanceId, Seq>,
}

impl Run {
    /// Carries the run out until nothing goes on by itself: it is finished, failed, or waits for a person.
    ///
    /// # Errors
    /// When the journal fails: nothing goes on over a disk of unknown state.
    pub async fn carry_out(
        &mut self,
        jobs: Option<u32>,
        watcher: Arc<dyn Watcher>,
        control: &mut UnboundedReceiver<Control>,
    ) -> Result<Ended, RuntimeError> {
        let (messages, mut inbox) = unbounded_channel();
        let mut desk = Desk {
            watcher,
            messages,
            calls: HashMap::new(),
            clearing: HashMap::new(),
        };
        let ended = self.serve(jobs, &mut desk, &mut inbox, control).await;
        // Whatever happened, no call outlives the loop.
        desk.calls.values().for_each(CancellationToken::cancel);
        ended
    }

    async fn serve(
        &mut self,
        jobs: Option<u32>,
        desk: &mut Desk,
        inbox: &mut UnboundedReceiver<Message>,
        control: &mut UnboundedReceiver<Control>,
    ) -> Result<Ended, RuntimeError> {
        let mut draining = false;
        if self.untaken {
            let entries = self.take_up(jobs).await?;
            desk.watcher.recorded(&entries, &self.state);
        }
        let mut inputs = vec![Input::Clock];
        loop {
            let before = self.state.status();
            let entries = self.take(&inputs, draining).await?;
            if !entries.is_empty() {
                desk.watcher.recorded(&entries, &self.state);
            }
            if self.state.status() != before {
                self.engine
                    .journal
                    .summarise(&self.claim, &self.summary().await?)
                    .await?;
            }
            inputs = self.perform(desk, draining, self.durable);
            if !inputs.is_empty() {
                continue;
            }
            let wake = if draining { None } else { wake_at(&self.state) };
            if desk.calls.is_empty() && desk.clearing.is_empty() && wake.is_none() {
                return Ok(Ended {
                    status: self.state.status(),
                    interrupted: draining,
                });
            }
            let clock = Arc::clone(&self.engine.clock);
            tokio::select! {
                Some(message) = inbox.recv() => inputs = desk.gather(message, inbox)?,
                () = sleep_until(clock.as_ref(), wake) => inputs = vec![Input::Clock],
                Some(order) = control.recv() => {
                    draining = true;
                    if order == Control::Stop {
                        return self.stop(desk, inbox).await;
                    }
                    inputs = vec![Input::Clock];
                }
            }
        }
    }

    /// Starts what should be under way and is not. What can be answered at once is given back as inputs.
    fn perform(&self, desk: &mut Desk, draining: bool, proof: Durable<Seq>) -> Vec<Input> {
        let mut answers = Vec::new();
        for effect in effects(&self.state, draining) {
            match effect {
                Effect::Evaluate { step } => {
                    let result = self.evaluate(&step);
                    answers.push(Input::Evaluated { step, result });
                }
                Effect::Call(work) => self.call(desk, &work, proof),
                Effect::ClearProcess {
                    instance,
                    of,
                    process,
                    until,
                } => {
                    if desk.clearing.insert(instance.clone(), of).is_none() {
                        self.clear(desk, instance, of, process, until);
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
            mask: self.mask(),
            instance: work.instance.clone(),
            of: work.of,
            messages: desk.messages.clone(),
            state: Mutex::default(),
        });
        let Some(call) = self.prepare(work, cancel.clone(), transcriber.clone()) else {
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

    fn prepare(
        &self,
        work: &Work,
        cancel: CancellationToken,
        transcript: Arc<dyn Transcriber>,
    ) -> Option<Call> {
        let instance = self.state.instance(work.ix);
        let step = self.runbook.step(work.instance.step())?;
        let plugin = Arc::clone(self.engine.registry.get(step.uses.as_str()).ok()?);
        let outputs = match instance.outputs.as_ref() {
            Value::Object(outputs) => Some(outputs.clone()),
            _ => None,
        };
        let undoing = matches!(
            instance.phase,
            Phase::Observing {
                asks: Asks::RollbackDoubt,
                ..
            }
        );
        let cx = Context {
            run: self.facts(),
            instance: work.instance.clone(),
            attempt: instance.attempts.max(crate::id::AttemptNo(1)),
            purpose: work.purpose,
            params: Arc::new(self.params()),
            steps: Arc::new(self.state.facts_for(instance.step)),
            item: instance.item.clone(),
            before: instance.before.clone(),
            outputs,
            cancel,
            transcript,
            files: Arc::new(PinnedFiles(Arc::new(self.state.files().clone()))),
            registry: self.engine.registry.clone(),
            token: format!("{}:{}", self.claim.run, work.of),
        };
        let (runbook, mask) = (Arc::clone(&self.runbook), self.mask());
        Some(Call {
            runbook,
            plugin,
            rehearsal: self.state.started().rehearsal.clone(),
            cx,
            mask,
            undoing,
        })
    }

    fn evaluate(&self, id: &StepId) -> Result<Evaluation, Failure> {
        let mask = self.mask();
        let fail = |what: &str, error: &dyn std::error::Error| {
            let message = format!("its `{what}` could not be worked out: {error}");
            mask.failure(&Failure::new(FailureKind::Inputs, message))
        };
        let (Some(step), Some(at)) = (self.runbook.step(id), self.state.workflow().find(id.as_str())) else {
            return Err(Failure::new(FailureKind::Fault, "the runbook has no such step"));
        };
        let Some(&ix) = self.state.instances_of(at).first() else {
            return Ok(Evaluation::One);
        };
        let scope = self.scope(ix);
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

    fn clear(
        &self,
        desk: &Desk,
        instance: InstanceId,
        of: Seq,
        known: Option<ProcessMark>,
        until: Option<Timestamp>,
    ) {
        let rehearsal = self.state.started().rehearsal.is_some();
        let (clock, watcher) = (Arc::clone(&self.engine.clock), Arc::clone(&desk.watcher));
        let (messages, token) = (desk.messages.clone(), format!("{}:{of}", self.claim.run));
        tokio::spawn(async move {
            let found = if rehearsal {
                crate::core::event::LeftProcess::None
            } else {
                clear(&instance, known, &token, until, &clock, &watcher).await
            };
            // The receiver is gone only when the run has stopped.
            let _gone = messages.send(Message::Input(Input::ProcessCleared { instance, found }));
        });
    }

    /// Stops all calls; those that do not end by themselves, or end badly, were interrupted.
    async fn stop(
        &mut self,
        desk: &mut Desk,
        inbox: &mut UnboundedReceiver<Message>,
    ) -> Result<Ended, RuntimeError> {
        desk.calls.values().for_each(CancellationToken::cancel);
        let patience = tokio::time::sleep(PATIENCE);
        tokio::pin!(patience);
        while !desk.calls.is_empty() {
            let inputs = tokio::select! {
                Some(message) = inbox.recv() => desk.gather(message, inbox)?,
                () = &mut patience => break,
            };
            let inputs: Vec<Input> = inputs.into_iter().map(cut_off_if_failed).collect();
            let entries = self.take(&inputs, true).await?;
            desk.watcher.recorded(&entries, &self.state);
        }
        let left = self.state.active().filter_map(|instance| {
            let of = instance.phase.activity()?.of;
            Some(Input::Finished {
                instance: instance.id.clone(),
                of,
                outcome: Outcome::CutOff,
                transcript: None,
            })
        });
        let left: Vec<Input> = left.collect();
        let entries = self.take(&left, true).await?;
        desk.watcher.recorded(&entries, &self.state);
        Ok(Ended {
            status: self.state.status(),
            interrupted: true,
        })
    }
}

impl Desk {
    /// This message and all that are there already: they share one append.
    fn gather(
        &mut self,
        first: Message,
        inbox: &mut UnboundedReceiver<Message>,
    ) -> Result<Vec<Input>, JournalError> {
        let mut inputs = Vec::new();
        let mut next = Some(first);
        while let Some(message) = next {
            match message {
                Message::Broken(error) => return Err(error),
                Message::Input(input) => {
                    match &input {
                        Input::Finished { of, .. } => drop(self.calls.remove(of)),
                        Input::ProcessCleared { instance, .. } => drop(self.clearing.remove(instance)),
                        _ => {}
                    }
                    inputs.push(input);
                }
            }
            next = if inputs.len() < BATCH {
                inbox.try_recv().ok()
            } else {
                None
            };
        }
        Ok(inputs)
    }
}

/// While everything is being stopped, a failure is no failure: nobody knows how far the call had come.
fn cut_off_if_failed(input: Input) -> Input {
    match input {
        Input::Finished {
            instance,
            of,
            outcome: Outcome::Ran(Err(_)) | Outcome::Observed(Err(_)) | Outcome::RolledBack(Err(_)),
            transcript,
        } => Input::Finished {
            instance,
            of,
            outcome: Outcome::CutOff,
            transcript,
        },
        other => other,
    }
}

async fn sleep_until(clock: &dyn super::Clock, wake: Option<Timestamp>) {
    match wake {
        Some(at) => clock.sleep_until(at).await,
        None => std::future::pending().await,
    }
}
