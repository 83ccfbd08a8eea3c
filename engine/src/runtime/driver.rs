//! The loop: everything that happens becomes one input, every turn one append, every effect a task.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, Interval};
use tokio_util::sync::CancellationToken;

use super::desk::{Desk, Message};
use super::door::Door;
use super::engine::RuntimeError;
use super::run::Run;
use super::wanted::Wanted;
use super::worker::Told;
use crate::core::event::{Entry, ProcessMark};
use crate::core::{Forbidden, Input, Lacking, Outcome, RunState, RunStatus, wake_at};
use crate::id::{InstanceId, Seq};
use crate::runbook::Runbook;

/// Whoever watches a run being carried out. Called from several tasks; must not block.
pub trait Watcher: Send + Sync {
    /// These entries have become durable, and led to this state.
    fn recorded(&self, entries: &[Entry], state: &RunState);

    /// A step printed something; secrets are masked.
    fn printed(&self, instance: &InstanceId, stream: &'static str, bytes: &[u8]);

    /// A step has something for the eyes of whoever is there now: to be shown whatever else is, and kept nowhere.
    fn shown(&self, instance: &InstanceId, text: &str);

    /// Processes of an interrupted attempt are still running; they are awaited until then, and ended after.
    fn outlived(&self, instance: &InstanceId, processes: &[ProcessMark], until: Timestamp);

    /// The definition was changed: from now on this is what is carried out.
    fn amended(&self, _runbook: &Arc<Runbook>) {}

    /// Something befell the worker that the entries do not tell.
    fn befell(&self, _told: &Told) {}

    /// How often it wants to glance at the state while nothing is recorded; never, if it does not say.
    fn pace(&self) -> Option<Duration> {
        None
    }

    /// Time has passed: it is now that late, and the run stands here.
    fn glance(&self, _state: &RunState, _now: Timestamp) {}
}

/// What a running loop is told from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// Start nothing more, and return when what is under way has ended.
    Drain,
    /// Stop what is under way, and return.
    Stop,
}

/// Why the loop returned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Where the run stands.
    pub status: RunStatus,
    /// It was told to.
    pub interrupted: bool,
    /// Somebody else has the run from now on.
    pub handed_over: bool,
    /// The secrets for want of which something did not go on.
    pub lacking: Vec<Wanted>,
    /// What did not go on because it is not for whoever carries the run out.
    pub forbidden: Vec<Forbidden>,
}

/// What lists show of a running run.
pub(super) struct Shown {
    status: RunStatus,
    next: Seq,
    at: Timestamp,
}

/// How long stopped calls may take to end before they are given up as interrupted.
const PATIENCE: Duration = Duration::from_secs(15);

/// How old the summary that lists show of a running run may be.
const SUMMARY_AGE: SignedDuration = SignedDuration::from_secs(1);

impl Run {
    /// Carries the run out until nothing goes on by itself: it is finished, failed, or waits for a person. Who comes
    /// in by the door meanwhile is served.
    ///
    /// # Errors
    /// When the journal fails: nothing goes on over a disk of unknown state.
    pub async fn carry_out(
        &mut self,
        jobs: Option<u32>,
        watcher: Arc<dyn Watcher>,
        control: &mut UnboundedReceiver<Control>,
        door: &mut Door,
    ) -> Result<Ended, RuntimeError> {
        let (messages, mut inbox) = unbounded_channel();
        let mut desk = Desk::new(watcher, messages);
        desk.begin_pulse();
        let ended = self.serve(jobs, &mut desk, &mut inbox, control, door).await;
        // Whatever happened, no call outlives the loop.
        desk.calls
            .values()
            .chain(&desk.asking)
            .for_each(CancellationToken::cancel);
        desk.sessions.close().await;
        ended
    }

    async fn serve(
        &mut self,
        jobs: Option<u32>,
        desk: &mut Desk,
        inbox: &mut UnboundedReceiver<Message>,
        control: &mut UnboundedReceiver<Control>,
        door: &mut Door,
    ) -> Result<Ended, RuntimeError> {
        let mut draining = false;
        if self.untaken {
            if !self.ask_before_taking_up(control).await {
                return Ok(self.cut_short());
            }
            let entries = self.take_up(jobs).await?;
            desk.watcher.recorded(&entries, &self.state);
        }
        let mut inputs = vec![Input::Clock];
        let mut summary = None;
        loop {
            if self.fenced {
                return Ok(Ended {
                    interrupted: false,
                    handed_over: true,
                    ..self.cut_short()
                });
            }
            draining |= self.heed(desk);
            let entries = self.take(&inputs, draining).await?;
            desk.is_kept();
            if !entries.is_empty() {
                desk.watcher.recorded(&entries, &self.state);
            }
            inputs = self.perform(desk, draining, self.durable);
            if !inputs.is_empty() {
                continue;
            }
            self.ask_for_secrets(desk, draining);
            let lacking = self.lacking();
            let wake = if draining {
                None
            } else {
                wake_at(&self.state, &lacking)
            };
            if desk.is_idle() && wake.is_none() {
                let status = self.state.status();
                if !status.is_finished() {
                    // It may be held on, while a person is asked.
                    self.refresh_summary(&mut summary).await?;
                }
                return Ok(Ended {
                    status,
                    interrupted: draining,
                    handed_over: false,
                    lacking: self.wanted(&lacking),
                    forbidden: self.forbidden(&lacking),
                });
            }
            self.refresh_summary(&mut summary).await?;
            let clock = Arc::clone(&self.engine.clock);
            let marks_until = desk.marks_until();
            tokio::select! {
                Some(message) = inbox.recv() => inputs = desk.gather(message, inbox)?,
                () = linger(marks_until) => inputs = desk.take_marks(),
                () = sleep_until(clock.as_ref(), wake) => inputs = vec![Input::Clock],
                () = beat(&mut desk.pulse) => self.is_glanced_at(desk),
                asked = door.next() => {
                    let entries = self.answer(asked).await?;
                    if entries.iter().any(Entry::amends) {
                        desk.goes_by(&self.runbook).await;
                    }
                    desk.watcher.recorded(&entries, &self.state);
                    inputs = vec![Input::Clock];
                }
                Some(order) = control.recv() => {
                    draining = true;
                    if order == Control::Stop {
                        return self.stop(desk, inbox).await;
                    }
                    inputs = vec![Input::Clock];
                }
            }
        }
    }

    /// What is due, and is for somebody else.
    fn forbidden(&self, lacking: &Lacking) -> Vec<Forbidden> {
        let now = self.engine.clock.now();
        self.state
            .forbidden_now(&self.engine.author.operator, now, lacking)
    }

    pub(super) fn is_glanced_at(&self, desk: &Desk) {
        desk.watcher.glance(&self.state, self.engine.clock.now());
    }

    /// Lets lists show where the run stands: when its status changes, and otherwise now and then.
    pub(super) async fn refresh_summary(&self, last: &mut Option<Shown>) -> Result<(), RuntimeError> {
        let (status, next) = (self.state.status(), self.state.next_seq());
        let now = self.engine.clock.now();
        let fresh = last.as_ref().is_some_and(|shown| {
            shown.next == next || (shown.status == status && now.duration_since(shown.at) < SUMMARY_AGE)
        });
        if !fresh {
            self.engine
                .journal
                .summarise(&self.claim, &self.summary().await?)
                .await?;
            *last = Some(Shown {
                status,
                next,
                at: now,
            });
        }
        Ok(())
    }

    /// Stops all calls; those that do not end by themselves, or end badly, were interrupted.
    pub(super) async fn stop(
        &mut self,
        desk: &mut Desk,
        inbox: &mut UnboundedReceiver<Message>,
    ) -> Result<Ended, RuntimeError> {
        desk.calls.values().for_each(CancellationToken::cancel);
        let marks = desk.take_marks();
        let entries = self.take(&marks, true).await?;
        desk.watcher.recorded(&entries, &self.state);
        let patience = tokio::time::sleep(PATIENCE);
        tokio::pin!(patience);
        desk.asking.iter().for_each(CancellationToken::cancel);
        while !desk.calls.is_empty() || desk.asking.is_some() {
            let inputs = tokio::select! {
                Some(message) = inbox.recv() => desk.gather(message, inbox)?,
                () = beat(&mut desk.pulse) => {
                    self.is_glanced_at(desk);
                    continue;
                }
                () = &mut patience => break,
            };
            let inputs: Vec<Input> = inputs.into_iter().map(cut_off_if_failed).collect();
            let entries = self.take(&inputs, true).await?;
            desk.watcher.recorded(&entries, &self.state);
        }
        let left = self.state.active().filter_map(|instance| {
            let of = instance.phase.activity()?.of;
            Some(Input::Finished {
                instance: instance.id.clone(),
                of,
                outcome: Outcome::CutOff,
                transcript: None,
            })
        });
        let left: Vec<Input> = left.collect();
        let entries = self.take(&left, true).await?;
        desk.watcher.recorded(&entries, &self.state);
        Ok(self.cut_short())
    }

    /// The end of a loop that was told to stop.
    fn cut_short(&self) -> Ended {
        Ended {
            status: self.state.status(),
            interrupted: true,
            handed_over: false,
            lacking: Vec::new(),
            forbidden: Vec::new(),
        }
    }
}

/// While everything is being stopped, a failure is no failure: nobody knows how far the call had come.
fn cut_off_if_failed(input: Input) -> Input {
    match input {
        Input::Finished {
            instance,
            of,
            outcome: Outcome::Ran(Err(_)) | Outcome::Observed(Err(_)) | Outcome::RolledBack(Err(_)),
            transcript,
        } => Input::Finished {
            instance,
            of,
            outcome: Outcome::CutOff,
            transcript,
        },
        other => other,
    }
}

/// Waits for the next time that the watcher wants to glance at the state.
pub(super) async fn beat(pulse: &mut Option<Interval>) {
    match pulse {
        Some(pulse) => {
            pulse.tick().await;
        }
        None => std::future::pending().await,
    }
}

/// Waits until then; for ever, where there is no such time.
pub(super) async fn linger(until: Option<Instant>) {
    match until {
        Some(until) => tokio::time::sleep_until(until).await,
        None => std::future::pending().await,
    }
}

pub(super) async fn sleep_until(clock: &dyn super::Clock, wake: Option<Timestamp>) {
    match wake {
        Some(at) => clock.sleep_until(at).await,
        None => std::future::pending().await,
    }
}
