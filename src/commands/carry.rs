//! Carrying a run on, as `exec`, `resume` and `rollback` do: the loop, and the people it waits for.

use std::sync::Arc;
use std::time::Duration;

use runbook_engine::core::event::{Entry, Need};
use runbook_engine::core::{Barrier, Forbidden, RunStatus, WaitingFor};
use runbook_engine::diagnostic::{Code, Diagnostic};
use runbook_engine::id::InstanceId;
use runbook_engine::runbook::Runbook;
use runbook_engine::runbook::expr::Put;
use runbook_engine::runtime::{Control, Door, Ended, Run, Wanted, Watcher as _};
use tokio::sync::mpsc::UnboundedReceiver;

use super::{act_on, leave};
use crate::error::Failed;
use crate::exit::Exit;
use crate::manual::{self, Answer, Asked, Asking, Heard};
use crate::observe::{Observer, Watched};
use crate::render;
use crate::render::hint::{self, For};
use crate::render::layout::Width;
use crate::secrets;
use crate::setting::Setting;
use crate::signals;
use crate::watch::Lines;

/// Carries a run on until nothing goes on by itself and nobody here does what it waits for.
pub(super) async fn carry(
    mut run: Run,
    jobs: Option<u32>,
    watched: Watched,
    setting: &Setting,
) -> Result<Exit, Failed> {
    let mut control = signals::listen(setting)?;
    let observer = setting
        .observer
        .get_or_init(|| Observer::begin(&run, watched, setting));
    let worked = work(&mut run, jobs, &mut control, setting).await;
    observer.end(run.state(), setting).await;
    let end = worked?;
    let (runbook, name) = (run.runbook().clone(), run.name());
    let rollback_was_asked_for = run.is_undone_by_person();
    if !setting.interactive() {
        let filled = |id: &InstanceId, put: Put<'_>| run.inputs(id, put);
        for page in manual::pages(run.state(), &runbook, &filled, Width::of_talk()) {
            setting.look.tell(&page);
        }
    }
    let mut missing = secrets::missing(&runbook, &name, &end.lacking);
    missing.extend(end.forbidden.iter().map(|one| forbidden(one, &runbook, &name)));
    render::diagnostic::print_all(&missing, setting);
    let state = leave(run, setting).await?;
    Ok(if end.interrupted {
        Exit::Interrupted
    } else if end.handed_over {
        Exit::Held
    } else if state.status().goes_on_by_itself() && !missing.is_empty() {
        Exit::Waiting
    } else if state.status() == RunStatus::RolledBack && !rollback_was_asked_for {
        // A step failed, and its `on_failure` had the run undone.
        Exit::Failed
    } else {
        Exit::of(&state)
    })
}

/// What is said of a step that is for somebody else.
fn forbidden(forbidden: &Forbidden, runbook: &Runbook, run: &str) -> Diagnostic {
    let diagnostic = Diagnostic::warning(Code::Forbidden, forbidden.to_string());
    let diagnostic = match &forbidden.barrier {
        Barrier::Role { instance, .. } | Barrier::Elsewhere { instance, .. } => {
            match runbook.step(instance.step()) {
                Some(step) => {
                    let (file, span) = runbook.place(step.span);
                    diagnostic.at(&file, span, "")
                }
                None => diagnostic,
            }
        }
        Barrier::Stranger(_) => diagnostic,
    };
    diagnostic.help(forbidden.instead()).help(format!(
        "they go on with it: `{}`",
        hint::command(&format!("runbook resume {run}"), For::Another)
    ))
}

/// How the work here ended.
#[derive(Default)]
struct End {
    /// Somebody interrupted it.
    interrupted: bool,
    /// Somebody else has the run now.
    handed_over: bool,
    /// The secrets for want of which something did not go on.
    lacking: Vec<Wanted>,
    /// What did not go on because it is for somebody else.
    forbidden: Vec<Forbidden>,
}

impl End {
    fn interrupted() -> Self {
        Self {
            interrupted: true,
            ..Self::default()
        }
    }
}

/// Works until nothing is left to do here.
async fn work(
    run: &mut Run,
    jobs: Option<u32>,
    control: &mut UnboundedReceiver<Control>,
    setting: &Setting,
) -> Result<End, Failed> {
    let mut bench = Bench {
        watcher: Lines::new(setting, run.runbook()),
        door: open_door(run, setting),
        jobs,
        control,
    };
    let mut put_off: Vec<InstanceId> = Vec::new();
    loop {
        let view = bench.watcher.live();
        let ended = bench.carry_out(run).await?;
        drop(view);
        if let Some(observer) = setting.observer.get() {
            // While a question is open, nobody glances.
            observer.glance(run.state(), Duration::ZERO);
        }
        if ended.interrupted {
            return Ok(End::interrupted());
        }
        let end = End {
            interrupted: false,
            handed_over: ended.handed_over,
            lacking: ended.lacking,
            forbidden: ended.forbidden,
        };
        if ended.handed_over || !setting.interactive() {
            return Ok(end);
        }
        // What lacks a secret, or is somebody else's, does not keep anybody from other work.
        let held_up = !end.lacking.is_empty() || !end.forbidden.is_empty();
        let waits = ended.status == RunStatus::Waiting || held_up;
        let Some(next) = due(run, &put_off).filter(|_| waits) else {
            return Ok(end);
        };
        let id = next.id.clone();
        let answer = match bench.ask(run, next, setting).await {
            Ok(Asked::Interrupted) => return Ok(End::interrupted()),
            Ok(Asked::Otherwise) => continue,
            Ok(Asked::Answered(answer)) => Ok(answer),
            Err(failed) => Err(failed),
        };
        match answer {
            Ok(Answer::Done(done)) => drop(act_on(run, done.confirms(id), setting).await?),
            Ok(Answer::NotNow) => put_off.push(id),
            Ok(Answer::Interrupted) => return Ok(End::interrupted()),
            Err(failed) => {
                // What was wrong is said; the run itself goes on waiting.
                failed.tell(setting);
                put_off.push(id);
            }
        }
    }
}

/// The door by which others come in. A run goes on without one; they must then wait.
fn open_door(run: &Run, setting: &Setting) -> Door {
    Door::open(run).unwrap_or_else(|error| {
        let message = "other terminals cannot act on this run while it is carried out here";
        let warning = Diagnostic::warning(Code::NoDoor, message).caused_by(&error);
        render::diagnostic::print_all(&[warning], setting);
        Door::shut()
    })
}

/// All that listens while a run is worked on.
struct Bench<'a> {
    watcher: Arc<Lines>,
    door: Door,
    jobs: Option<u32>,
    control: &'a mut UnboundedReceiver<Control>,
}

impl Bench<'_> {
    async fn carry_out(&mut self, run: &mut Run) -> Result<Ended, Failed> {
        let watcher = Arc::clone(&self.watcher) as _;
        let ended = run
            .carry_out(self.jobs, watcher, self.control, &mut self.door)
            .await;
        ended.map_err(|error| Failed::runtime(&run.name(), error))
    }

    /// Asks the person here, and serves who comes in by the door meanwhile.
    async fn ask(&mut self, run: &mut Run, next: WaitingFor, setting: &Setting) -> Result<Asked, Failed> {
        let mut asking = Asking::begin(run, next, setting)?;
        loop {
            // An order may also have come after the work had ended, and now must not wait for an answer.
            tokio::select! {
                biased;
                Some(_) = self.control.recv() => {
                    asking.call_off().await;
                    return Ok(Asked::Interrupted);
                }
                heard = asking.next() => match heard {
                    Heard::Answered(answers) => {
                        return asking.settle(answers, run).await.map(Asked::Answered);
                    }
                    Heard::Ticked(tick) => {
                        if let Err(failed) = act_on(run, tick, setting).await {
                            asking.call_off().await;
                            return Err(failed);
                        }
                        continue;
                    }
                },
                asked = self.door.next() => {
                    let entries = run.answer(asked).await;
                    let entries = entries.map_err(|error| Failed::runtime(&run.name(), error))?;
                    if entries.iter().any(Entry::amends) {
                        self.watcher.amended(run.runbook());
                    }
                    self.watcher.recorded(&entries, run.state());
                }
            }
            let ended = self.carry_out(run).await?;
            if ended.interrupted || ended.handed_over || !is_due(run, asking.waiting()) {
                asking.call_off().await;
                return Ok(if ended.interrupted {
                    Asked::Interrupted
                } else {
                    Asked::Otherwise
                });
            }
        }
    }
}

/// Whether this work is still waited for, and was not asked for anew.
fn is_due(run: &Run, wanted: &WaitingFor) -> bool {
    run.state().waiting_for().contains(wanted)
}

/// The manual work that is due next and was not put off.
fn due(run: &Run, put_off: &[InstanceId]) -> Option<WaitingFor> {
    let mut waiting = run.state().waiting_for().into_iter();
    waiting.find(|one| one.need == Need::ManualWork && !put_off.contains(&one.id))
}
