//! The run of a case, from its parameters until nothing goes on, with all that people and failures do to it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::mpsc::unbounded_channel;
use uuid::Uuid;

use super::clock::SkippingClock;
use super::people::People;
use super::script::{Scripts, scripted};
use super::{Stage, failure};
use crate::core::event::{Entry, ProcessMark, RollbackScope};
use crate::core::{Act, RunState};
use crate::diagnostic::{Diagnostic, Span};
use crate::id::{Host, InstanceId, Operator, ParamName, RunId};
use crate::journal::MemoryJournal;
use crate::runbook::cases::{Case, Cases, Located, Undo};
use crate::runbook::{Given, Runbook, resolve_params};
use crate::runtime::{Author, Door, Engine, NewRun, Run, RuntimeError, Watcher};
use crate::step::world::World;

/// How often people may act in one case, beyond all that makes sense.
const MOST_ACTS: usize = 10_000;

/// What became of a run.
pub(super) struct Ran {
    pub(super) state: RunState,
    pub(super) entries: Vec<Entry>,
    /// The worlds in which scripts were carried out.
    pub(super) worlds: BTreeMap<InstanceId, Arc<World>>,
    /// What went wrong on the way.
    pub(super) problems: Vec<Diagnostic>,
}

/// Carries a case out.
pub(super) async fn carry(
    runbook: Arc<Runbook>,
    cases: &Cases,
    case: &Case,
    stage: &Stage<'_>,
) -> Result<Ran, Vec<Diagnostic>> {
    let (params, secrets) = params(&runbook, cases, case)?;
    let fault = |error: RuntimeError| {
        let message = format!("the run could not be carried out: {error}");
        vec![failure(message).at(&cases.file, case.name.span, "")]
    };
    let clock = Arc::new(SkippingClock::default());
    let (orders, mut control) = unbounded_channel();
    let scripts = Arc::new(Scripts {
        runbook: Arc::clone(&runbook),
        scripts: case.steps.clone(),
        clock: Arc::clone(&clock),
        control: orders,
        cut_off: Mutex::default(),
        worlds: Mutex::default(),
    });
    // Both name the scripted kinds: a run carries out those of its runbook, and one that is resumed those of the engine.
    let registry = scripted(runbook.registry(), &scripts);
    let engine = Engine {
        journal: Arc::new(MemoryJournal::new()),
        registry: registry.clone(),
        clock,
        author: author(),
    };
    let new = NewRun {
        id: RunId::new(Uuid::nil()),
        params,
        rehearsal: None,
        // One after the other: the order is the same each time.
        jobs: 1,
        program: stage.program.to_owned(),
    };
    let id = new.id;
    let played = Runbook::clone(&runbook)
        .with_kinds(registry)
        .carried_out_by_anyone();
    let mut run = engine.start(played, new).await.map_err(fault)?;
    run.set_secrets(&secrets);
    let mut people = People::of(case, &cases.file, stage.check_values);
    let (mut rollback, mut problems) = (case.rollback.as_ref(), Vec::new());
    for _ in 0..MOST_ACTS {
        let (quiet, mut shut) = (Arc::new(Quiet), Door::shut());
        let ended = run.carry_out(None, quiet, &mut control, &mut shut).await;
        if ended.map_err(fault)?.interrupted {
            // The machine has failed, and somebody resumes the run.
            run.close().await.map_err(fault)?;
            run = engine.open(id).await.map_err(fault)?;
            run.set_secrets(&secrets);
            continue;
        }
        let act = match people.next(&run) {
            Ok(act) => act.or_else(|| rollback.take().map(undo)),
            Err(problem) => {
                problems.push(problem);
                break;
            }
        };
        let Some((act, span)) = act else {
            break;
        };
        match run.act(act).await {
            Ok(_) => {}
            Err(RuntimeError::Rejected(rejection)) => {
                let problem = failure(rejection.to_string()).at(&cases.file, span, "");
                problems.push(problem.help(rejection.instead()));
                break;
            }
            Err(error) => return Err(fault(error)),
        }
    }
    if problems.is_empty() {
        problems = people.left_over();
    }
    let worlds = scripts
        .worlds
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    ran(run, worlds, problems).await.map_err(fault)
}

async fn ran(
    run: Run,
    worlds: BTreeMap<InstanceId, Arc<World>>,
    problems: Vec<Diagnostic>,
) -> Result<Ran, RuntimeError> {
    let entries = run.entries().await?;
    let state = run.close().await?;
    Ok(Ran {
        state,
        entries,
        worlds,
        problems,
    })
}

fn undo(undo: &Located<Undo>) -> (Act, Span) {
    let scope = match &undo.value {
        Undo::All => RollbackScope::Run,
        Undo::Steps(steps) => RollbackScope::Steps(steps.clone()),
    };
    let why = "the test says so".to_owned();
    (Act::Rollback { scope, why }, undo.span)
}

type Params = (BTreeMap<ParamName, Value>, BTreeMap<ParamName, String>);

/// The values of the parameters: those of the case, else the defaults and examples. For a secret anything does.
fn params(runbook: &Runbook, cases: &Cases, case: &Case) -> Result<Params, Vec<Diagnostic>> {
    let given = case.params.iter();
    let given = given.map(|(name, value)| (name.clone(), Given::Value(value.value.clone())));
    let resolved = resolve_params(runbook, given.collect(), true, None).map_err(|problems| {
        let place = |problem: Diagnostic| problem.at(&cases.file, case.name.span, "of this case");
        problems.into_iter().map(place).collect::<Vec<_>>()
    })?;
    let missing = resolved.missing.iter().map(|name| {
        let message = format!("the parameter `{name}` has no value");
        let problem = failure(message).at(&cases.file, case.name.span, "");
        problem.help("give it below `params:` of the case; it has neither a default nor an example")
    });
    let missing: Vec<Diagnostic> = missing.collect();
    if !missing.is_empty() {
        return Err(missing);
    }
    let mut secrets = resolved.secrets;
    for (name, param) in runbook.params() {
        if param.is_secret() && !param.optional {
            secrets
                .entry(name.clone())
                .or_insert_with(|| format!("secret of a test: {name}"));
        }
    }
    Ok((resolved.values, secrets))
}

fn author() -> Author {
    Author {
        operator: Operator::new("tester"),
        host: Host::new("test"),
        signer: None,
        pid: 0,
    }
}

/// Nobody watches.
struct Quiet;

impl Watcher for Quiet {
    fn recorded(&self, _entries: &[Entry], _state: &RunState) {}

    fn printed(&self, _instance: &InstanceId, _stream: &str, _bytes: &[u8]) {}

    fn shown(&self, _instance: &InstanceId, _text: &str) {}

    fn outlived(&self, _instance: &InstanceId, _processes: &[ProcessMark], _until: Timestamp) {}
}
