//! Carrying a run on, as `exec`, `resume` and `rollback` do: the loop, and the people it waits for.

use runbook_engine::core::event::Need;
use runbook_engine::core::{Act, RunStatus};
use runbook_engine::id::InstanceId;
use runbook_engine::runtime::{Run, Watcher as _};

use crate::error::Failed;
use crate::exit::Exit;
use crate::manual::{Answer, ask};
use crate::render;
use crate::setting::Setting;
use crate::signals;
use crate::watch::Lines;

/// Carries a run on until nothing goes on by itself and nobody here does what it waits for.
pub(super) async fn carry(mut run: Run, jobs: Option<u32>, setting: &Setting) -> Result<Exit, Failed> {
    let (name, runbook) = (run.name(), run.runbook().clone());
    let rollback_was_asked_for = run.state().rollback().is_some();
    let watcher = Lines::new(setting, &runbook);
    let mut control = signals::listen(setting);
    let mut put_off: Vec<InstanceId> = Vec::new();
    let interrupted = loop {
        let ended = run.carry_out(jobs, watcher.clone(), &mut control).await;
        let ended = ended.map_err(|error| Failed::runtime(&name, error))?;
        if ended.interrupted {
            break true;
        }
        if ended.status != RunStatus::Waiting || !setting.interactive() {
            break false;
        }
        let waiting = run.state().waiting_for().into_iter();
        let next = waiting
            .filter(|one| one.need == Need::ManualWork)
            .find(|one| !put_off.contains(&one.id));
        let Some(next) = next else { break false };
        match ask(&run, &next, setting).await {
            Ok(Answer::Done {
                values,
                attachments,
                note,
            }) => {
                let act = Act::Confirm {
                    instance: next.id,
                    values,
                    attachments,
                    note,
                };
                let entries = run
                    .act(act)
                    .await
                    .map_err(|error| Failed::runtime(&name, error))?;
                watcher.recorded(&entries, run.state());
            }
            Ok(Answer::NotNow) => put_off.push(next.id),
            Ok(Answer::Interrupted) => break true,
            Err(failed) => {
                // What was wrong is said; the run itself goes on waiting.
                failed.tell(setting);
                put_off.push(next.id);
            }
        }
    };
    let state = run.close().await.map_err(|error| Failed::runtime(&name, error))?;
    setting.look.tell(&render::next::summary(&name, &state, &runbook));
    Ok(if interrupted {
        Exit::Interrupted
    } else if state.status() == RunStatus::RolledBack && !rollback_was_asked_for {
        // A step failed, and its `on_failure` had the run undone.
        Exit::Failed
    } else {
        Exit::of(&state)
    })
}
