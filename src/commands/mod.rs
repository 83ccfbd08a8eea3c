//! One file per command: its arguments, whose doc comments are the help, and its work.

pub(crate) mod cancel;
pub(crate) mod check;
pub(crate) mod confirm;
pub(crate) mod decide;
pub(crate) mod exec;
pub(crate) mod explain;
pub(crate) mod journal;
pub(crate) mod list;
pub(crate) mod log;
pub(crate) mod plan;
pub(crate) mod resume;
pub(crate) mod rollback;
pub(crate) mod schema;
pub(crate) mod show;
pub(crate) mod steps;

mod carry;
mod load;

pub(crate) use self::load::{read_bounded, read_bytes};

use runbook_engine::core::{Act, RunState};
use runbook_engine::diagnostic::{Code, Diagnostic};
use runbook_engine::id::{InstanceId, RunId};
use runbook_engine::runtime::{Engine, Run, Story, Watcher as _};

use crate::error::Failed;
use crate::exit::Exit;
use crate::render::layout::Width;
use crate::render::next;
use crate::setting::{Setting, find_run};
use crate::watch::Lines;

/// Claims the run that `text` means.
async fn open(text: &str, setting: &Setting) -> Result<Run, Failed> {
    let engine = setting.engine()?;
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

/// Records an act on a run that nobody carries out, and says where that leaves the run.
async fn record(mut run: Run, act: Act, setting: &Setting) -> Result<Exit, Failed> {
    let result = act_on(&mut run, act, setting).await;
    match result {
        Ok(()) => leave(run, setting).await.map(|_state| Exit::Done),
        Err(failed) => Err(give_up(run, failed).await),
    }
}

/// Records an act on a run, and shows it.
async fn act_on(run: &mut Run, act: Act, setting: &Setting) -> Result<(), Failed> {
    let entries = run
        .act(act)
        .await
        .map_err(|error| Failed::runtime(&run.name(), error))?;
    Lines::new(setting, run.runbook()).recorded(&entries, run.state());
    Ok(())
}

/// Gives a run back, and says where it stands and what comes next.
async fn leave(run: Run, setting: &Setting) -> Result<RunState, Failed> {
    let runbook = run.runbook().clone();
    let state = close(run).await?;
    setting
        .look
        .tell(&next::summary(&state, &runbook, Width::of_talk()));
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
async fn read(text: &str, engine: &Engine) -> Result<(RunId, Story), Failed> {
    let id = find_run(engine, text).await?;
    let story = engine
        .read(id)
        .await
        .map_err(|error| Failed::runtime(text, error))?;
    Ok((id, story))
}
