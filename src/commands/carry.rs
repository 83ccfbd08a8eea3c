//! Carrying a run on, as `exec`, `resume` and `rollback` do: the loop, and the people it waits for.

use std::sync::Arc;

use runbook_engine::core::event::Need;
use runbook_engine::core::{Act, RunStatus, WaitingFor};
use runbook_engine::id::InstanceId;
use runbook_engine::runtime::{Control, Run};
use tokio::sync::mpsc::UnboundedReceiver;

use super::{act_on, leave};
use crate::error::Failed;
use crate::exit::Exit;
use crate::manual::{Answer, ask};
use crate::prompt;
use crate::setting::Setting;
use crate::signals;
use crate::watch::Lines;

/// Carries a run on until nothing goes on by itself and nobody here does what it waits for.
pub(super) async fn carry(mut run: Run, jobs: Option<u32>, setting: &Setting) -> Result<Exit, Failed> {
    let rollback_was_asked_for = run.state().rollback().is_some();
    let mut control = signals::listen(&setting.look)?;
    let interrupted = work(&mut run, jobs, &mut control, setting).await?;
    let state = leave(run, setting).await?;
    Ok(if interrupted {
        Exit::Interrupted
    } else if state.status() == RunStatus::RolledBack && !rollback_was_asked_for {
        // A step failed, and its `on_failure` had the run undone.
        Exit::Failed
    } else {
        Exit::of(&state)
    })
}

/// Works until nothing is left to do here. Gives whether somebody interrupted it.
async fn work(
    run: &mut Run,
    jobs: Option<u32>,
    control: &mut UnboundedReceiver<Control>,
    setting: &Setting,
) -> Result<bool, Failed> {
    let watcher = Lines::new(setting, run.runbook());
    let mut put_off: Vec<InstanceId> = Vec::new();
    loop {
        let live = watcher.live();
        let ended = run.carry_out(jobs, Arc::clone(&watcher) as _, control).await;
        drop(live);
        let ended = ended.map_err(|error| Failed::runtime(&run.name(), error))?;
        if ended.interrupted {
            return Ok(true);
        }
        if ended.status != RunStatus::Waiting || !setting.interactive() {
            return Ok(false);
        }
        let Some(next) = due(run, &put_off) else {
            return Ok(false);
        };
        // An order may also have come after the work had ended, and now must not wait for an answer.
        let answer = tokio::select! {
            biased;
            Some(_) = control.recv() => {
                prompt::abandon();
                return Ok(true);
            }
            answer = ask(run, &next, setting) => answer,
        };
        match answer {
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
                act_on(run, act, setting).await?;
            }
            Ok(Answer::NotNow) => put_off.push(next.id),
            Ok(Answer::Interrupted) => return Ok(true),
            Err(failed) => {
                // What was wrong is said; the run itself goes on waiting.
                failed.tell(setting);
                put_off.push(next.id);
            }
        }
    }
}

/// The manual work that is due next and was not put off.
fn due(run: &Run, put_off: &[InstanceId]) -> Option<WaitingFor> {
    let mut waiting = run.state().waiting_for().into_iter();
    waiting.find(|one| one.need == Need::ManualWork && !put_off.contains(&one.id))
}
