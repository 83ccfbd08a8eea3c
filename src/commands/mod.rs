//! One file per command: its arguments, whose doc comments are the help, and its work.

pub(crate) mod accept;
pub(crate) mod amend;
pub(crate) mod approve;
pub(crate) mod cancel;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod confirm;
pub(crate) mod decide;
pub(crate) mod doctor;
pub(crate) mod exec;
pub(crate) mod explain;
pub(crate) mod export;
pub(crate) mod handoff;
pub(crate) mod identity;
pub(crate) mod import;
pub(crate) mod journal;
pub(crate) mod list;
pub(crate) mod log;
pub(crate) mod man;
pub(crate) mod new;
pub(crate) mod plan;
pub(crate) mod practice;
pub(crate) mod prune;
pub(crate) mod reference;
pub(crate) mod reject;
pub(crate) mod report;
pub(crate) mod resume;
pub(crate) mod rollback;
pub(crate) mod schema;
pub(crate) mod show;
pub(crate) mod steps;
pub(crate) mod test;
pub(crate) mod work;

mod carry;
mod load;
pub(crate) mod output;
mod pages;
mod transcripts;

pub(crate) use self::load::{read_bounded, read_bytes};

use runbook_engine::core::event::RollbackScope;
use runbook_engine::core::{Act, RunState};
use runbook_engine::diagnostic::{Code, Diagnostic};
use runbook_engine::id::{InstanceId, Operator, RunId};
use runbook_engine::runtime::{Access, Engine, Run, Seat, Story, Watcher as _};

use crate::error::Failed;
use crate::exit::Exit;
use crate::render::held::Held;
use crate::render::layout::Width;
use crate::render::style::{DIM, paint};
use crate::render::{next, plain};
use crate::setting::{Setting, find_run};
use crate::watch::Lines;

/// Claims the run that `text` means.
async fn open(text: &str, setting: &Setting) -> Result<Run, Failed> {
    let engine = setting.acting_with(text).await?;
    let id = find_run(&engine, text).await?;
    engine
        .open(id)
        .await
        .map_err(|error| Failed::runtime(text, error))
}

/// The instance that a person typed.
fn instance(text: &str) -> Result<InstanceId, Failed> {
    text.parse().map_err(|error| {
        let diagnostic = Diagnostic::error(Code::InvalidName, format!("{error}"));
        diagnostic
            .help("`runbook show RUN` lists the steps and instances of a run")
            .into()
    })
}

/// The operator that a person typed.
fn operator(text: &str) -> Result<Operator, String> {
    if text.trim().is_empty() {
        return Err("an operator has a name".to_owned());
    }
    Ok(Operator::new(text))
}

/// That a question has nobody who could answer it.
fn nobody_is_asked(whether: &str, yes: impl Into<String>) -> Failed {
    let message = format!("nobody is here to be asked whether {whether}");
    Diagnostic::error(Code::Usage, message).help(yes).into()
}

/// The reason that a person gives.
fn reason(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    if text.is_empty() {
        Err("it is empty: say why, for whoever reads the journal")
    } else {
        Ok(text.to_owned())
    }
}

/// Gets at the run that `text` means, to act on it: claims it, or goes in by the door of whoever holds it.
async fn access(text: &str, setting: &Setting) -> Result<Access, Failed> {
    access_in(&setting.acting_with(text).await?, text, setting).await
}

/// The same, where more is asked of the engine than that.
async fn access_in(engine: &Engine, text: &str, setting: &Setting) -> Result<Access, Failed> {
    let id = find_run(engine, text).await?;
    let mut access = engine
        .access(id)
        .await
        .map_err(|error| Failed::runtime(text, error))?;
    match &mut access {
        Access::Own(run) => run.tell_of_left(Lines::new(setting, run.runbook())),
        Access::Through(visit) => {
            let remark = format!("the run is carried out by {}", visit.holder());
            setting.look.tell(&paint(DIM, plain(&remark)));
        }
    }
    Ok(access)
}

/// Records an act, and says where that leaves the run.
async fn record(mut access: Access, act: Act, setting: &Setting) -> Result<Exit, Failed> {
    let result = act_on(access.seat_mut(), act, setting).await;
    match result {
        Ok(()) => go(access, setting).await.map(|()| Exit::Done),
        Err(failed) => Err(go_after(access, failed).await),
    }
}

/// Leaves a run that was acted upon, and says where it stands.
async fn go(access: Access, setting: &Setting) -> Result<(), Failed> {
    match access {
        Access::Own(run) => leave(run, setting).await.map(drop),
        Access::Through(visit) => {
            let text = next::summary(visit.state(), visit.runbook(), &Held::Elsewhere, Width::of_talk());
            setting.look.tell(&text);
            Ok(())
        }
    }
}

/// Leaves a run after something failed.
async fn go_after(access: Access, failed: Failed) -> Failed {
    match access {
        Access::Own(run) => give_up(run, failed).await,
        Access::Through(_) => failed,
    }
}

/// Records an act on a run, and shows it.
pub(crate) async fn act_on(seat: &mut dyn Seat, act: Act, setting: &Setting) -> Result<(), Failed> {
    let name = seat.state().started().name();
    let named = named(&act);
    let entries = seat.act(act).await.map_err(|error| {
        let failed = Failed::runtime(&name, error);
        named
            .iter()
            .fold(failed, |failed, named| meant(failed, named, seat))
    })?;
    Lines::new(setting, seat.runbook()).recorded(&entries, seat.state());
    Ok(())
}

/// The steps and instances that an act names.
fn named(act: &Act) -> Vec<String> {
    match act {
        Act::Tick { instance, .. }
        | Act::Confirm { instance, .. }
        | Act::Decide { instance, .. }
        | Act::Approve { instance, .. }
        | Act::Reject { instance, .. } => vec![instance.to_string()],
        Act::SendBack { instance, to, .. } => vec![instance.to_string(), to.to_string()],
        Act::Rollback {
            scope: RollbackScope::Steps(steps),
            ..
        } => steps.iter().map(ToString::to_string).collect(),
        Act::Rollback {
            scope: RollbackScope::Run,
            ..
        }
        | Act::Amend(_)
        | Act::Cancel { .. }
        | Act::Hand(_) => Vec::new(),
    }
}

/// Of a name that the run does not have, the one that was probably meant.
fn meant(failed: Failed, named: &str, seat: &dyn Seat) -> Failed {
    let rows = seat.state().rows();
    let instances = rows.iter().map(|row| row.id.to_string());
    let steps = seat.runbook().steps().keys().map(ToString::to_string);
    let known: Vec<String> = instances.chain(steps).collect();
    if known.iter().any(|known| known == named) {
        return failed;
    }
    failed.did_you_mean(Code::StepNotInRun, named, known.iter().map(String::as_str))
}

/// Gives a run back, and says where it stands and what comes next.
async fn leave(run: Run, setting: &Setting) -> Result<RunState, Failed> {
    let held = match run.state().hands().are_shared() {
        true => Held::Elsewhere,
        false => Held::No(run.rests_for()),
    };
    let runbook = run.runbook().clone();
    let state = close(run).await?;
    setting
        .look
        .tell(&next::summary(&state, &runbook, &held, Width::of_talk()));
    Ok(state)
}

/// Gives a run back.
async fn close(run: Run) -> Result<RunState, Failed> {
    let name = run.name();
    run.close().await.map_err(|error| Failed::runtime(&name, error))
}

/// Gives a run back after something failed: the first error is the one that matters, and a claim ends with its
/// process in any case.
async fn give_up(run: Run, failed: Failed) -> Failed {
    let _kept = close(run).await;
    failed
}

/// The story of the run that `text` means, which nothing needs to hold.
pub(crate) async fn read(text: &str, engine: &Engine) -> Result<(RunId, Story), Failed> {
    let id = find_run(engine, text).await?;
    let story = engine
        .read(id)
        .await
        .map_err(|error| Failed::runtime(text, error))?;
    Ok((id, story))
}
