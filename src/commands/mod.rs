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

use runbook_engine::core::Act;
use runbook_engine::diagnostic::{Code, Diagnostic};
use runbook_engine::id::InstanceId;
use runbook_engine::runtime::Run;

use crate::error::Failed;
use crate::exit::Exit;
use crate::render;
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
    use runbook_engine::runtime::Watcher as _;
    let (name, runbook) = (run.name(), run.runbook().clone());
    let result = run.act(act).await;
    if let Ok(entries) = &result {
        Lines::new(setting, &runbook).recorded(entries, run.state());
    }
    let state = run.close().await.map_err(|error| Failed::runtime(&name, error))?;
    result.map_err(|error| Failed::runtime(&name, error))?;
    setting.look.tell(&render::next::summary(&name, &state, &runbook));
    Ok(Exit::Done)
}
