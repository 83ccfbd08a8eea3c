//! The order of intents and effects, and what becomes of a run whose journal fails.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Barrier;
use tokio::sync::mpsc::unbounded_channel;

mod clock;

use super::*;
use crate::core::RunStatus;
use crate::core::event::{Entry, ProcessMark};
use crate::diagnostic::SourceFile;
use crate::id::{Host, InstanceId, Operator, RunId, Seq};
use crate::identity::Signer;
use crate::journal::memory::Fault;
use crate::journal::{
    Chunk, Claim, Durable, Fill, Holder, Journal, JournalError, Kept, Listed, MemoryJournal, Standing,
    Summary, Verification, to_json,
};
use crate::runbook;
use crate::step::{
    Abilities, Context, Failure, FailureKind, Files, KindDoc, Observation, Outputs, Registry, StepKind,
    Verdict,
};

/// What happened, in order: appends, and calls of plugins.
#[derive(Clone, Default)]
struct Trace(Arc<Mutex<Vec<String>>>);

impl Trace {
    fn note(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// A journal in memory that notes every append, and whether it failed.
struct Spying {
    inner: MemoryJournal,
    trace: Trace,
}

#[async_trait]
impl Journal for Spying {
    async fn create_by(
        &self,
        run: RunId,
        holder: Holder,
        first: &[Entry],
        signer: Option<&dyn Signer>,
    ) -> Result<(Claim, Durable<Seq>), JournalError> {
        self.inner.create_by(run, holder, first, signer).await
    }

    async fn claim(&self, run: RunId, holder: Holder) -> Result<Claim, JournalError> {
        self.inner.claim(run, holder).await
    }

    async fn release(&self, claim: Claim, summary: Option<Summary>) -> Result<(), JournalError> {
        self.inner.release(claim, summary).await
    }

    async fn append_by(
        &self,
        claim: &Claim,
        expected: Seq,
        entries: &[Entry],
        signer: Option<&dyn Signer>,
    ) -> Result<Durable<Seq>, JournalError> {
        let durable = self.inner.append_by(claim, expected, entries, signer).await;
        let words = entries.iter().map(|entry| {
            let step = to_json(entry)["step"].as_str().unwrap_or_default().to_owned();
            format!("{} {step}", entry.event.name())
        });
        let verb = if durable.is_ok() { "append" } else { "failed" };
        let words = words.collect::<Vec<_>>().join(", ");
        self.trace.note(format!("{verb}: {}", words.trim_end()));
        durable
    }

    async fn kept(&self, run: RunId, from: Seq) -> Result<Vec<Kept>, JournalError> {
        self.inner.kept(run, from).await
    }

    async fn records(&self, run: RunId, from: Seq) -> Result<Vec<Vec<u8>>, JournalError> {
        self.inner.records(run, from).await
    }

    async fn restore(
        &self,
        run: RunId,
        holder: Holder,
        standing: Standing,
        fill: Fill<'_>,
    ) -> Result<Claim, JournalError> {
        self.inner.restore(run, holder, standing, fill).await
    }

    async fn is_copy(&self, run: RunId) -> Result<bool, JournalError> {
        self.inner.is_copy(run).await
    }

    async fn remove(&self, run: RunId) -> Result<(), JournalError> {
        self.inner.remove(run).await
    }

    fn print(&self, claim: &Claim, of: Seq, number: u32, chunk: &Chunk) -> Result<(), JournalError> {
        self.inner.print(claim, of, number, chunk)
    }

    async fn transcript(&self, run: RunId, of: Seq) -> Result<Vec<Chunk>, JournalError> {
        self.inner.transcript(run, of).await
    }

    async fn attach(&self, claim: &Claim, content: &[u8]) -> Result<String, JournalError> {
        self.inner.attach(claim, content).await
    }

    async fn attachment(&self, run: RunId, sha256: &str) -> Result<Vec<u8>, JournalError> {
        self.inner.attachment(run, sha256).await
    }

    async fn summarise(&self, claim: &Claim, summary: &Summary) -> Result<(), JournalError> {
        self.inner.summarise(claim, summary).await
    }

    async fn head_hash(&self, run: RunId) -> Result<String, JournalError> {
        self.inner.head_hash(run).await
    }

    async fn holder(&self, run: RunId) -> Result<Option<Holder>, JournalError> {
        self.inner.holder(run).await
    }

    async fn runs(&self) -> Result<Vec<RunId>, JournalError> {
        self.inner.runs().await
    }

    async fn list(&self) -> Result<Vec<Listed>, JournalError> {
        self.inner.list().await
    }

    async fn verify(&self, run: RunId) -> Result<Verification, JournalError> {
        self.inner.verify(run).await
    }
}

/// How a spy's `run` behaves.
#[derive(Debug, Default, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Manner {
    #[default]
    Ends,
    /// Waits for the others that meet.
    Meets,
    Panics,
    /// Ends only when it is told to stop.
    Hangs,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SpyInputs {
    #[serde(default)]
    run: Manner,
}

/// A kind of step that notes its calls; its outcome is there once it has run.
struct Spy {
    trace: Trace,
    world: Arc<Mutex<BTreeSet<InstanceId>>>,
    barrier: Arc<Barrier>,
}

#[async_trait]
impl StepKind for Spy {
    type Inputs = SpyInputs;

    const NAME: &'static str = "spy";

    fn doc(&self) -> KindDoc {
        KindDoc {
            summary: "notes its calls",
            text: "",
            scripts: &[],
        }
    }

    fn abilities(&self, _: &SpyInputs) -> Abilities {
        Abilities {
            validates: true,
            undoes: true,
            ..Abilities::default()
        }
    }

    async fn validate(&self, _: &SpyInputs, cx: &Context) -> Result<Observation, Failure> {
        self.trace.note(format!("validate {}", cx.instance));
        let there = self.world.lock().unwrap().contains(&cx.instance);
        let missing = Verdict::Unsatisfied("it has not run".to_owned());
        Ok(Observation {
            verdict: if there { Verdict::Satisfied } else { missing },
            observed: json!(there),
            outputs: Outputs::new(),
        })
    }

    async fn run(&self, inputs: &SpyInputs, cx: &Context) -> Result<Outputs, Failure> {
        self.trace.note(format!("run {}", cx.instance));
        match inputs.run {
            Manner::Ends => {}
            Manner::Meets => {
                self.barrier.wait().await;
            }
            Manner::Panics => panic!("as the test asked for"),
            Manner::Hangs => {
                cx.cancel.cancelled().await;
                return Err(Failure::new(FailureKind::Failed, "stopped"));
            }
        }
        self.world.lock().unwrap().insert(cx.instance.clone());
        Ok(Outputs::new())
    }

    async fn rollback(&self, _: &SpyInputs, cx: &Context) -> Result<(), Failure> {
        self.trace.note(format!("rollback {}", cx.instance));
        self.world.lock().unwrap().remove(&cx.instance);
        Ok(())
    }
}

struct NoFiles;

impl Files for NoFiles {
    fn read(&self, _: &str) -> Result<String, io::Error> {
        Err(io::ErrorKind::NotFound.into())
    }
}

struct Nobody;

impl Watcher for Nobody {
    fn recorded(&self, _: &[Entry], _: &crate::core::RunState) {}

    fn printed(&self, _: &InstanceId, _: &'static str, _: &[u8]) {}

    fn shown(&self, _: &InstanceId, _: &str) {}

    fn outlived(&self, _: &InstanceId, _: &[ProcessMark], _: jiff::Timestamp) {}
}

/// A journal, a world, and the engine over them.
struct Bench {
    trace: Trace,
    journal: Arc<Spying>,
    engine: Engine,
}

const ID: &str = "0190163d-8694-739b-aea5-966c26f8ad91";

impl Bench {
    fn new() -> Self {
        let trace = Trace::default();
        let spy = Spy {
            trace: trace.clone(),
            world: Arc::default(),
            barrier: Arc::new(Barrier::new(4)),
        };
        Self::over(MemoryJournal::new(), Registry::default().with(spy), trace)
    }

    fn over(inner: MemoryJournal, registry: Registry, trace: Trace) -> Self {
        let journal = Arc::new(Spying {
            inner,
            trace: trace.clone(),
        });
        let engine = Engine {
            journal: journal.clone(),
            registry,
            clock: Arc::new(SystemClock::default()),
            author: Author {
                operator: Operator::new("alice"),
                host: Host::new("here"),
                pid: 1,
                signer: None,
            },
        };
        Self {
            trace,
            journal,
            engine,
        }
    }

    /// What is left after the power failed, in the same world.
    fn after_power_failure(&self) -> Self {
        let (registry, trace) = (self.engine.registry.clone(), self.trace.clone());
        Self::over(self.journal.inner.crash(), registry, trace)
    }

    async fn start(&self, steps: &str) -> Run {
        let text = format!("runbook: bench\nsteps:\n{steps}");
        let loaded = runbook::load(
            &SourceFile::new("bench.yaml", text),
            &self.engine.registry,
            &NoFiles,
        );
        let new = NewRun {
            id: ID.parse().unwrap(),
            params: std::collections::BTreeMap::new(),
            rehearsal: None,
            jobs: 4,
            program: "test".to_owned(),
        };
        self.engine.start(loaded.runbook.unwrap(), new).await.unwrap()
    }

    /// How often `run` was called for each step, in the order of the first calls.
    fn runs(&self) -> Vec<String> {
        let all = self.trace.all().into_iter();
        all.filter_map(|what| what.strip_prefix("run ").map(str::to_owned))
            .collect()
    }
}

async fn carry_out(run: &mut Run) -> Result<Ended, RuntimeError> {
    let (_orders, mut control) = unbounded_channel();
    run.carry_out(None, Arc::new(Nobody), &mut control, &mut Door::shut())
        .await
}

const CHAIN: &str = "  a: { uses: spy }\n  b: { uses: spy, needs: a }\n";

const DIAMOND: &str = "  a: { uses: spy }\n  b: { uses: spy, needs: a, for_each: '[1, 2]' }
  c: { uses: spy, needs: a }\n  d: { uses: spy, needs: [b, c] }\n";

#[tokio::test]
async fn nothing_is_called_before_its_intent_is_durable() {
    let bench = Bench::new();
    let mut run = bench.start(CHAIN).await;
    assert_eq!(carry_out(&mut run).await.unwrap().status, RunStatus::Completed);
    assert_eq!(
        bench.trace.all(),
        [
            "append: step_opened a, observation_started a",
            "validate a",
            "append: observed a, attempt_started a",
            "run a",
            "append: attempt_returned a",
            "validate a",
            "append: verified a, step_opened b, observation_started b",
            "validate b",
            "append: observed b, attempt_started b",
            "run b",
            "append: attempt_returned b",
            "validate b",
            "append: verified b",
        ]
    );
}

#[tokio::test]
async fn undoing_waits_for_its_intent_too() {
    let bench = Bench::new();
    let mut run = bench.start("  a: { uses: spy }\n").await;
    carry_out(&mut run).await.unwrap();
    let before = bench.trace.all().len();
    let (scope, why) = (crate::core::event::RollbackScope::Run, "test".to_owned());
    run.act(crate::core::Act::Rollback { scope, why }).await.unwrap();
    carry_out(&mut run).await.unwrap();
    assert_eq!(
        bench.trace.all()[before..],
        [
            "append: rollback_started",
            "append: rollback_attempt_started a",
            "rollback a",
            "append: rollback_returned a",
            "validate a",
            "append: rolled_back a",
        ]
    );
}

#[tokio::test]
async fn outcomes_that_come_together_share_an_append() {
    let bench = Bench::new();
    let meets = |name: &str| format!("  {name}: {{ uses: spy, with: {{ run: meets }} }}\n");
    let mut run = bench.start(&["a", "b", "c", "d"].map(meets).concat()).await;
    carry_out(&mut run).await.unwrap();
    let returned: Vec<String> = bench
        .trace
        .all()
        .into_iter()
        .filter(|what| what.contains("attempt_returned"))
        .collect();
    assert_eq!(returned.len(), 1, "{returned:#?}");
    assert_eq!(returned[0].matches("attempt_returned").count(), 4);
}

/// Carries the diamond out with a journal whose append number `at` fails. Gives whether it failed at all.
async fn survives(at: u64, fault: Fault) -> bool {
    let bench = Bench::new();
    let mut run = bench.start(DIAMOND).await;
    bench.journal.inner.fail_append(at, fault);
    let failed = match carry_out(&mut run).await {
        Ok(ended) => {
            assert_eq!(ended.status, RunStatus::Completed);
            false
        }
        Err(RuntimeError::Journal(JournalError::Storage { .. })) => true,
        Err(error) => panic!("append {at}, {fault:?}: {error}"),
    };
    // What was under way may still end; it must not lead to anything.
    tokio::task::yield_now().await;
    drop(run);
    let trace = bench.trace.all();
    if failed {
        let last = trace.iter().position(|what| what.starts_with("failed")).unwrap();
        let calls = |what: &&String| what.starts_with("run ") || what.starts_with("validate ");
        let effects: Vec<_> = trace[last..].iter().filter(calls).collect();
        assert!(
            effects.is_empty(),
            "append {at}, {fault:?}: {effects:?} after the failure"
        );
    }
    let again = bench.after_power_failure();
    let mut run = again.engine.open(ID.parse().unwrap()).await.unwrap();
    let ended = carry_out(&mut run).await.unwrap();
    assert_eq!(ended.status, RunStatus::Completed, "append {at}, {fault:?}");
    let mut runs = again.runs();
    runs.sort();
    assert_eq!(
        runs,
        ["a", "b[1]", "b[2]", "c", "d"],
        "append {at}, {fault:?}: each once"
    );
    let found = again.engine.journal.verify(ID.parse().unwrap()).await.unwrap();
    assert!(found.findings.is_empty(), "{found:?}");
    failed
}

#[tokio::test]
async fn a_failed_append_stops_the_run_wherever_it_happens_and_no_effect_follows() {
    for fault in [Fault::Before, Fault::After] {
        let mut at = 0;
        while survives(at, fault).await {
            at += 1;
        }
        assert!(at >= 8, "only {at} appends were made");
    }
}

#[tokio::test]
async fn a_plugin_that_panics_has_failed() {
    let bench = Bench::new();
    let mut run = bench.start("  a: { uses: spy, with: { run: panics } }\n").await;
    let ended = carry_out(&mut run).await.unwrap();
    assert_eq!(ended.status, RunStatus::Failed);
    let reason = run.state().rows()[0].reason.clone().unwrap();
    assert!(reason.contains("broke off: a fault of the program"), "{reason}");
}

#[tokio::test]
async fn a_run_that_is_stopped_leaves_a_doubt_and_no_call_behind() {
    let bench = Bench::new();
    let mut run = bench.start("  a: { uses: spy, with: { run: hangs } }\n").await;
    let (orders, mut control) = unbounded_channel();
    let watcher = Arc::new(StopAt(orders));
    let ended = run
        .carry_out(None, watcher, &mut control, &mut Door::shut())
        .await
        .unwrap();
    assert!(ended.interrupted);
    let trace = bench.trace.all();
    assert_eq!(trace.last().map(String::as_str), Some("append: interrupted a"));
    drop(run);

    let again = bench.after_power_failure();
    let story = again.engine.read(ID.parse().unwrap()).await.unwrap();
    assert_eq!(story.state.rows()[0].status.as_str(), "in_doubt");
}

/// Orders a stop as soon as an attempt has started.
struct StopAt(tokio::sync::mpsc::UnboundedSender<Control>);

impl Watcher for StopAt {
    fn recorded(&self, entries: &[Entry], _: &crate::core::RunState) {
        if entries
            .iter()
            .any(|entry| entry.event.name() == "attempt_started")
        {
            self.0.send(Control::Stop).unwrap();
        }
    }

    fn printed(&self, _: &InstanceId, _: &'static str, _: &[u8]) {}

    fn shown(&self, _: &InstanceId, _: &str) {}

    fn outlived(&self, _: &InstanceId, _: &[ProcessMark], _: jiff::Timestamp) {}
}
