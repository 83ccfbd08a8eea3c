//! Steps that answer as a case says; what it does not say is as in their `rehearse:`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use jiff::SignedDuration;
use serde_json::Value;
use tokio::sync::mpsc::UnboundedSender;

use super::clock::SkippingClock;
use crate::core::event::{Failure, FailureKind, Outputs, Verdict};
use crate::id::InstanceId;
use crate::runbook::cases::{Interruption, Located, Script};
use crate::runbook::expr::{self, Put, Scope};
use crate::runbook::{RehearsedDoubt, Runbook, Step};
use crate::runtime::rehearse::stopped;
use crate::runtime::{Clock as _, Control};
use crate::step::world::World;
use crate::step::{Abilities, Check, Context, Definition, Doc, Observation, Plugin, Purpose, Registry};

/// What all scripted steps of a case share.
pub(super) struct Scripts {
    pub(super) runbook: Arc<Runbook>,
    pub(super) scripts: BTreeMap<InstanceId, Located<Script>>,
    pub(super) clock: Arc<SkippingClock>,
    /// Stops the run, as if the machine failed.
    pub(super) control: UnboundedSender<Control>,
    /// What was cut off already.
    pub(super) cut_off: Mutex<BTreeSet<InstanceId>>,
    /// The worlds in which scripts were carried out.
    pub(super) worlds: Mutex<BTreeMap<InstanceId, Arc<World>>>,
}

/// The same kinds of step, each answering from the scripts.
pub(super) fn scripted(registry: &Registry, scripts: &Arc<Scripts>) -> Registry {
    registry.iter().fold(Registry::default(), |all, plugin| {
        all.with_plugin(Arc::new(Scripted {
            real: Arc::clone(plugin),
            scripts: Arc::clone(scripts),
        }))
    })
}

/// A kind of step that is as it is in all but what it does.
struct Scripted {
    real: Arc<dyn Plugin>,
    scripts: Arc<Scripts>,
}

/// How one instance answers.
struct Answer<'a> {
    step: &'a Step,
    script: Script,
    observed: Value,
    outputs: Outputs,
}

impl Scripts {
    /// The script of an instance: its own, or that of its step.
    fn of(&self, id: &InstanceId) -> Script {
        let own = self.scripts.get(id);
        let step = || self.scripts.get(&InstanceId::from(id.step().clone()));
        own.or_else(step)
            .map(|script| script.value.clone())
            .unwrap_or_default()
    }

    /// The world of an instance whose script is carried out; it stays the same for the whole case.
    fn world(&self, id: &InstanceId) -> Option<Arc<World>> {
        let described = self.of(id).world?;
        let mut worlds = self.worlds.lock().unwrap_or_else(PoisonError::into_inner);
        let world = worlds.entry(id.clone());
        Some(Arc::clone(
            world.or_insert_with(|| Arc::new(World::new(described.value))),
        ))
    }

    /// The call with the world that its script is carried out in, if that is so.
    fn in_world(&self, cx: &Context) -> Option<Context> {
        let world = Some(self.world(&cx.instance)?);
        Some(Context { world, ..cx.clone() })
    }

    /// Cuts the first attempt off, as if the machine failed. Gives whether it did.
    async fn cut_off(&self, cx: &Context) -> bool {
        let first = {
            let mut cut_off = self.cut_off.lock().unwrap_or_else(PoisonError::into_inner);
            cut_off.insert(cx.instance.clone())
        };
        if first {
            // The loop listens for as long as a call of its own is under way.
            let _listening = self.control.send(Control::Stop);
            cx.cancel.cancelled().await;
        }
        first
    }

    fn answer(&self, cx: &Context) -> Result<Answer<'_>, Failure> {
        let missing = || Failure::new(FailureKind::Fault, "the runbook has no such step");
        let step = self.runbook.step(cx.instance.step()).ok_or_else(missing)?;
        let script = self.of(&cx.instance);
        let scope = Scope::of(cx);
        let fill = |value: &Value| {
            expr::fill(value, &[], &scope, Put::Plain).map_err(|error| {
                let message = format!("what the test has it answer could not be worked out: {error}");
                Failure::new(FailureKind::Inputs, message)
            })
        };
        let outputs = script.outputs.as_ref().unwrap_or(&step.rehearse.outputs);
        let outputs = match fill(&Value::Object(outputs.clone()))? {
            Value::Object(outputs) => outputs,
            _ => Outputs::new(),
        };
        let observed = fill(script.observed.as_ref().unwrap_or(&step.rehearse.observed))?;
        Ok(Answer {
            step,
            script,
            observed,
            outputs,
        })
    }

    /// Lets the time pass that an attempt takes. Gives whether it was stopped meanwhile.
    async fn take_time(&self, answer: &Answer<'_>, cx: &Context) -> bool {
        let takes = answer.script.takes.or(answer.step.rehearse.takes);
        let takes = takes.and_then(|takes| SignedDuration::try_from(takes).ok());
        let until = takes.and_then(|takes| self.clock.now().checked_add(takes).ok());
        match until {
            None => cx.cancel.is_cancelled(),
            Some(until) => tokio::select! {
                biased;
                () = cx.cancel.cancelled() => true,
                () = self.clock.sleep_until(until) => false,
            },
        }
    }
}

impl Answer<'_> {
    /// Whether the outcome is in place before; what only looks finds what it wants, unless it is said otherwise.
    fn is_in_place(&self) -> bool {
        let rehearsed = self.step.rehearse.satisfied || self.step.abilities.read_only;
        self.script.satisfied.unwrap_or(rehearsed)
    }

    fn verdict(&self, purpose: Purpose) -> Verdict {
        let not = |why: &str| Verdict::Unsatisfied(why.to_owned());
        match purpose {
            Purpose::Plan | Purpose::Before if self.is_in_place() => Verdict::Satisfied,
            Purpose::Plan | Purpose::Before => not("in the test it is still to be done"),
            Purpose::Run | Purpose::After if self.script.takes_effect == Some(false) => {
                not("in the test it took no effect")
            }
            Purpose::Run | Purpose::After => Verdict::Satisfied,
            Purpose::Doubt | Purpose::RollbackDoubt => self.doubt(),
            Purpose::Rollback | Purpose::AfterRollback => not("it was undone"),
        }
    }

    fn doubt(&self) -> Verdict {
        let not = || Verdict::Unsatisfied("in the test it had not taken effect".to_owned());
        match (self.script.interrupted, self.step.rehearse.interrupted) {
            (Some(Interruption::Satisfied), _) => Verdict::Satisfied,
            (Some(Interruption::Unsatisfied), _) => not(),
            (Some(Interruption::Unknown), _) => Verdict::Unknown,
            (Some(Interruption::AsRehearsed) | None, rehearsed) => match rehearsed {
                Some(RehearsedDoubt::Satisfied) => Verdict::Satisfied,
                Some(RehearsedDoubt::Unknown) => Verdict::Unknown,
                Some(RehearsedDoubt::Unsatisfied) | None => not(),
            },
        }
    }
}

#[async_trait]
impl Plugin for Scripted {
    fn name(&self) -> &str {
        self.real.name()
    }

    fn doc(&self) -> Doc<'_> {
        self.real.doc()
    }

    fn definition(&self) -> Option<Definition<'_>> {
        self.real.definition()
    }

    fn keeps_to_world(&self) -> bool {
        self.real.keeps_to_world()
    }

    fn rehearsed_outputs(&self, with: &Value) -> Outputs {
        self.real.rehearsed_outputs(with)
    }

    fn gives(&self, with: &Value) -> Option<Vec<String>> {
        self.real.gives(with)
    }

    fn schema(&self) -> Value {
        self.real.schema()
    }

    fn check(&self, with: &Value, check: &mut Check<'_>) -> Option<Abilities> {
        self.real.check(with, check)
    }

    fn check_session(&self, with: &Value, check: &mut Check<'_>) {
        self.real.check_session(with, check);
    }

    async fn validate(&self, with: &Value, cx: &Context) -> Result<Observation, Failure> {
        if let Some(cx) = self.scripts.in_world(cx) {
            let _elsewhere = self.scripts.clock.hold();
            return self.real.validate(with, &cx).await;
        }
        let answer = self.scripts.answer(cx)?;
        let verdict = answer.verdict(cx.purpose);
        let outputs = match verdict {
            Verdict::Satisfied => answer.outputs,
            Verdict::Unsatisfied(_) | Verdict::Unknown => Outputs::new(),
        };
        Ok(Observation {
            verdict,
            observed: answer.observed,
            outputs,
        })
    }

    async fn run(&self, with: &Value, cx: &Context) -> Result<Outputs, Failure> {
        let scripts = &self.scripts;
        let answer = scripts.answer(cx)?;
        if scripts.take_time(&answer, cx).await {
            return Err(stopped());
        }
        let carried_out = match scripts.in_world(cx) {
            Some(cx) => {
                let _elsewhere = scripts.clock.hold();
                Some(self.real.run(with, &cx).await)
            }
            None => None,
        };
        if answer.script.interrupted.is_some() && scripts.cut_off(cx).await {
            return Err(stopped());
        }
        if let Some(outcome) = carried_out {
            return outcome;
        }
        if let Some(fails) = &answer.script.fails
            && fails.first.is_none_or(|first| cx.attempt.0 <= first)
        {
            return Err(Failure::new(FailureKind::Failed, fails.message.clone()));
        }
        if answer.step.abilities.read_only && !answer.is_in_place() {
            let message = "it only looks, and in the test it does not find what it wants";
            return Err(Failure::new(FailureKind::NotVerified, message));
        }
        Ok(answer.outputs)
    }

    async fn rollback(&self, with: &Value, cx: &Context) -> Result<(), Failure> {
        if let Some(cx) = self.scripts.in_world(cx) {
            let _elsewhere = self.scripts.clock.hold();
            return self.real.rollback(with, &cx).await;
        }
        match self.scripts.of(&cx.instance).undo_fails {
            Some(message) => Err(Failure::new(FailureKind::Failed, message)),
            None => Ok(()),
        }
    }
}
