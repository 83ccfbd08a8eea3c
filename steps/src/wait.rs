//! `wait`: asks another step's `validate` again and again, until it is as it should be.

use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;

use async_trait::async_trait;
use runbook_engine::step::{
    Abilities, Check, Context, Failure, FailureKind, InputProblem, KindDoc, Observation, Outputs, Registry,
    StepKind, Templated, Verdict,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::child::note;
use crate::text::Period;
use runbook_engine::runbook::expr::{Expression, InputPath, Scope, compile_loose};

/// See [`KindDoc`].
pub struct Wait;

/// The inputs of a `wait` step.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaitInputs {
    /// The step whose `validate` is asked; its `run` is never called.
    #[serde(rename = "for")]
    pub awaited: Awaited,
    /// The expression that must become true; `satisfied` where it is left out.
    pub until: Option<String>,
    /// How long to wait between two questions; ten seconds where it is left out.
    pub every: Option<Templated<Period>>,
    /// When to give up, counted from the start.
    pub deadline: Templated<Period>,
}

/// The step that is asked.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Awaited {
    /// Its kind.
    pub uses: String,
    /// Its inputs.
    #[serde(default)]
    pub with: Map<String, Value>,
}

/// The names that `until` may use besides those of every expression.
const NAMES: [&str; 5] = ["satisfied", "verdict", "observed", "outputs", "polls"];

const EVERY: Period = Period::seconds(10);

const TEXT: &str = r#"Asks `validate` of the step under `for` until `until` is true. The expression sees `satisfied`
(true or false), `verdict` (`"satisfied"`, `"unsatisfied"` or `"unknown"`), `observed`, `outputs` and `polls` (how
often it was asked, this time included), besides `params` and `steps`.

A question that fails, because a server does not answer yet, counts as "not yet"; the last failure is told
when the deadline has passed. A mistake in the inputs ends the wait at once. The step changes nothing, so that it
can be interrupted and resumed at any time; the deadline then begins anew. Its outputs are those of the step that
it asked.

```yaml
steps:
  wait-for-search:
    title: Wait until the search service is online
    uses: wait
    with:
      for:
        uses: command
        with: { validate: [systemctl, is-active, --quiet, search] }
      every: 15s
      deadline: 10m
```
"#;

#[async_trait]
impl StepKind for Wait {
    type Inputs = WaitInputs;

    const NAME: &'static str = "wait";

    fn doc(&self) -> KindDoc {
        let summary = "waits until another step's validation is as it should be";
        KindDoc {
            summary,
            text: TEXT,
            scripts: &["until"],
        }
    }

    fn marked(&self, with: &Value, registry: &Registry) -> Vec<InputPath> {
        let awaited = &with["for"];
        let plugin = awaited["uses"].as_str().and_then(|kind| registry.get(kind).ok());
        let places = plugin.map(|plugin| plugin.marked(&awaited["with"], registry));
        let within = |place: InputPath| ["for", "with"].into_iter().chain(place).collect();
        places.into_iter().flatten().map(within).collect()
    }

    fn abilities(&self, _: &WaitInputs) -> Abilities {
        Abilities {
            validates: true,
            undoes: false,
            by_person: false,
            needs_evidence: false,
            read_only: true,
        }
    }

    fn check(&self, inputs: &WaitInputs, check: &mut Check<'_>) {
        if let Some(source) = &inputs.until
            && let Err(why) = compile_loose(source, &NAMES)
        {
            check.problem(&["until"], why);
        }
        let Awaited { uses, with } = &inputs.awaited;
        let path = || vec!["for".to_owned(), "uses".to_owned()];
        match check.plugin(uses) {
            Err(missing) => {
                let help = missing.closest().map(|near| format!("did you mean `{near}`?"));
                check.report(InputProblem {
                    path: path(),
                    help,
                    ..InputProblem::new(missing.to_string())
                });
            }
            Ok(plugin) => {
                let abilities = check.nested(&["for", "with"], &plugin, &Value::Object(with.clone()));
                if abilities.is_some_and(|abilities| !abilities.validates) {
                    let message =
                        format!("there is nothing to wait for: this `{uses}` step has no validation");
                    check.report(InputProblem {
                        path: path(),
                        ..InputProblem::new(message)
                    });
                }
            }
        }
    }

    async fn validate(&self, inputs: &WaitInputs, cx: &Context) -> Result<Observation, Failure> {
        let Poll { holds, reason, seen } = Question::new(inputs)?.ask(cx, 1).await?;
        let verdict = if holds {
            Verdict::Satisfied
        } else {
            Verdict::Unsatisfied(reason)
        };
        Ok(Observation { verdict, ..seen })
    }

    async fn run(&self, inputs: &WaitInputs, cx: &Context) -> Result<Outputs, Failure> {
        let unfilled = || Failure::new(FailureKind::Inputs, "a length of time was not filled in");
        let every = inputs
            .every
            .as_ref()
            .map_or(Some(&EVERY), Templated::get)
            .ok_or_else(unfilled)?
            .get();
        let deadline = inputs.deadline.get().ok_or_else(unfilled)?;
        let question = Question::new(inputs)?;
        let inner = Context {
            cancel: cx.cancel.child_token(),
            ..cx.clone()
        };
        let mut last = Last::default();
        let result = {
            let mut asking = pin!(question.until_it_holds(&inner, every, &mut last));
            tokio::select! {
                biased;
                result = &mut asking => Some(result),
                () = pause(deadline.get()) => {
                    inner.cancel.cancel();
                    // What was asked may have started processes: it ends them before it returns.
                    let _ended = asking.await;
                    None
                }
            }
        };
        result.unwrap_or_else(|| {
            let Last { polls, mut reason } = last;
            if reason.is_empty() {
                "there was no answer".clone_into(&mut reason);
            }
            let message = format!("it was asked {polls} time(s) in {deadline}, and is not so yet: {reason}");
            Err(Failure::new(FailureKind::TimedOut, message))
        })
    }

    async fn rollback(&self, _: &WaitInputs, _: &Context) -> Result<(), Failure> {
        Ok(())
    }
}

/// What is asked, and when the answer will do.
struct Question<'a> {
    awaited: &'a Awaited,
    until: Option<(&'a str, Expression)>,
}

/// One answer.
struct Poll {
    holds: bool,
    /// Why it does not hold.
    reason: String,
    seen: Observation,
}

/// How far the asking came.
#[derive(Default)]
struct Last {
    polls: u64,
    reason: String,
}

impl<'a> Question<'a> {
    fn new(inputs: &'a WaitInputs) -> Result<Self, Failure> {
        let compile = |source: &'a String| {
            let compiled = compile_loose(source, &NAMES);
            compiled
                .map(|until| (source.as_str(), until))
                .map_err(|why| Failure::new(FailureKind::Inputs, why))
        };
        Ok(Self {
            awaited: &inputs.awaited,
            until: inputs.until.as_ref().map(compile).transpose()?,
        })
    }

    async fn until_it_holds(
        &self,
        cx: &Context,
        every: Duration,
        last: &mut Last,
    ) -> Result<Outputs, Failure> {
        loop {
            if cx.cancel.is_cancelled() {
                return Err(Failure::new(FailureKind::Failed, "the wait was stopped"));
            }
            last.polls += 1;
            let Poll { holds, reason, seen } = self.ask(cx, last.polls).await?;
            if holds {
                return Ok(seen.outputs);
            }
            if cx.cancel.is_cancelled() {
                continue;
            }
            if reason != last.reason {
                note(cx, &format!("not yet: {reason}"));
                last.reason = reason;
            }
            tokio::select! {
                () = cx.cancel.cancelled() => {}
                () = pause(every) => {}
            }
        }
    }

    async fn ask(&self, cx: &Context, polls: u64) -> Result<Poll, Failure> {
        let plugin = cx.registry.get(&self.awaited.uses);
        let plugin = plugin.map_err(|unknown| Failure::new(FailureKind::Inputs, unknown.to_string()))?;
        let with = Value::Object(self.awaited.with.clone());
        let seen = match plugin.validate(&with, cx).await {
            Ok(seen) => seen,
            Err(Failure {
                kind: FailureKind::Failed | FailureKind::TimedOut | FailureKind::Mistake,
                message,
                ..
            }) => {
                return Ok(Poll {
                    holds: false,
                    reason: message,
                    seen: Observation::unknown(),
                });
            }
            Err(failure) => return Err(failure),
        };
        let satisfied = seen.verdict == Verdict::Satisfied;
        let reason = match (&self.until, &seen.verdict) {
            (Some((source, _)), Verdict::Unsatisfied(reason)) => format!("`{source}` is false ({reason})"),
            (Some((source, _)), Verdict::Satisfied | Verdict::Unknown) => format!("`{source}` is false"),
            (None, Verdict::Unsatisfied(reason)) => reason.clone(),
            (None, Verdict::Satisfied | Verdict::Unknown) => "its validation cannot tell".to_owned(),
        };
        let holds = match &self.until {
            None => satisfied,
            Some((source, until)) => holds(source, until, &seen, cx, polls)?,
        };
        Ok(Poll { holds, reason, seen })
    }
}

fn holds(
    source: &str,
    until: &Expression,
    seen: &Observation,
    cx: &Context,
    polls: u64,
) -> Result<bool, Failure> {
    let failed = |why: String| Failure::new(FailureKind::Failed, why);
    let verdict = match seen.verdict {
        Verdict::Satisfied => "satisfied",
        Verdict::Unsatisfied(_) => "unsatisfied",
        Verdict::Unknown => "unknown",
    };
    let extra = [
        ("satisfied", json!(verdict == "satisfied")),
        ("verdict", json!(verdict)),
        ("observed", seen.observed.clone()),
        ("outputs", Value::Object(seen.outputs.clone())),
        ("polls", json!(polls)),
    ];
    let scope = Scope {
        params: cx.params.clone(),
        steps: cx.steps.clone(),
        item: cx.item.clone(),
        before: cx.before.clone(),
        outputs: None,
        run: cx.run.clone(),
        extra: BTreeMap::from(extra.map(|(name, value)| (name.to_owned(), value))),
    };
    let value = until
        .evaluate(&scope)
        .map_err(|error| failed(format!("`{source}` failed: {error}")))?;
    value
        .as_bool()
        .ok_or_else(|| failed(format!("`{source}` must be true or false, and is neither")))
}

fn pause(duration: Duration) -> impl Future<Output = ()> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a wait is this step's work; it always races its cancellation"
    )]
    tokio::time::sleep(duration)
}
