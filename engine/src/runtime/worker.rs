//! The loop of a worker: as whoever carries a run out alone, with an eye on what the others do.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::desk::{Desk, Message};
use super::driver::{Control, Shown, Watcher, beat, linger, sleep_until};
use super::engine::{Engine, RuntimeError};
use super::member::{Around, Member, Service};
use super::run::Run;
use crate::core::event::Handing;
use crate::core::{Act, Input, RunStatus, wake_at};
use crate::id::{InstanceId, RunId, Seq};
use crate::journal::{Holder, JournalError};

/// How often a worker looks for itself, where no word comes; the store makes that longer where it can be heard.
const LOOK: Duration = Duration::from_secs(2);

/// How soon after the end of a claim it is looked whether it was renewed.
const AFTER_END: Duration = Duration::from_millis(50);

/// How long a worker waits while somebody has the run alone.
const STAND_BY: Duration = Duration::from_secs(1);

/// When a worker leaves a run that is not over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stay {
    /// When the run is over.
    ToTheEnd,
    /// Also when it waits for nobody but people.
    UntilPeople,
    /// Also when there is nothing to do for this worker, and nothing will be without somebody else.
    WhileBusy,
}

/// Why a worker has left a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worked {
    /// Where the run stands.
    pub status: RunStatus,
    /// How many entries of it were known.
    pub next: Seq,
    /// Somebody told it to.
    pub interrupted: bool,
    /// The run is no longer shared.
    pub is_alone: bool,
}

/// What befell a worker that people should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// Its claim ended while it was at it, and another worker has taken it over.
    TakenOver(InstanceId),
    /// Somebody has the run alone; the worker waits.
    HeldBy(Holder),
}

impl Engine {
    /// Lets workers go on with a run that is there: takes it for a moment, unless it is shared already.
    ///
    /// # Errors
    /// When somebody has it, or it cannot be read.
    pub async fn share(&self, run: RunId) -> Result<(), RuntimeError> {
        if let Some(shared) = self.join(run, Service::default()).await? {
            shared.close().await?;
            return Ok(());
        }
        let mut alone = self.open(run).await?;
        let shared = match alone.state().status().is_finished() {
            true => Ok(Vec::new()),
            false => alone.act(Act::Hand(Handing::Shared)).await,
        };
        alone.close().await?;
        shared.map(drop)
    }
}

impl Run {
    /// Whether this process is one of several workers here.
    #[must_use]
    pub fn is_joined(&self) -> bool {
        self.member.is_some()
    }

    /// Works on a shared run: whatever this worker can serve, until it has to leave.
    ///
    /// # Errors
    /// When the journal fails.
    pub async fn work(
        &mut self,
        stay: Stay,
        watcher: Arc<dyn Watcher>,
        control: &mut UnboundedReceiver<Control>,
    ) -> Result<Worked, RuntimeError> {
        let (messages, mut inbox) = unbounded_channel();
        let mut desk = Desk::new(watcher, messages);
        desk.begin_pulse();
        let worked = self.work_at(stay, &mut desk, &mut inbox, control).await;
        // Whatever happened, no call outlives the loop.
        let under_way = desk.calls.values().chain(&desk.asking);
        under_way.for_each(CancellationToken::cancel);
        desk.sessions.close().await;
        worked
    }

    async fn work_at(
        &mut self,
        stay: Stay,
        desk: &mut Desk,
        inbox: &mut UnboundedReceiver<Message>,
        control: &mut UnboundedReceiver<Control>,
    ) -> Result<Worked, RuntimeError> {
        let (mut stopping, mut summary) = (false, None::<Shown>);
        let mut inputs = vec![Input::Clock];
        let mut around = None::<Around>;
        loop {
            stopping |= self.heed(desk);
            let draining = stopping || !self.state.hands().are_shared();
            if around.is_none() {
                let found = self.look_around(draining).await?;
                self.tell_held(desk, found.held.as_ref());
                around = Some(found);
            }
            let held = !self.take_in_turn(desk, &mut inputs, draining).await?;
            self.show_and_let_go(desk).await;
            if !held {
                desk.is_kept();
                inputs = self.perform(desk, draining, self.durable);
                if !inputs.is_empty() {
                    continue;
                }
                self.ask_for_secrets(desk, draining);
            }
            let lacking = self.lacking();
            let wake = (!draining).then(|| wake_at(&self.state, &lacking)).flatten();
            if desk.is_idle() && self.may_leave(stay, draining, wake.is_some()) && !held {
                return Ok(self.worked(stopping));
            }
            if !held {
                self.refresh_summary(&mut summary).await?;
            }
            let clock = Arc::clone(&self.engine.clock);
            let marks_until = desk.marks_until();
            let look_at = around.as_ref().map(|around| around.look_at(held));
            tokio::select! {
                Some(message) = inbox.recv() => inputs.extend(desk.gather(message, inbox)?),
                () = linger(marks_until) => inputs.extend(desk.take_marks()),
                () = sleep_until(clock.as_ref(), wake), if !held => inputs.push(Input::Clock),
                () = beat(&mut desk.pulse) => self.is_glanced_at(desk),
                () = self.engine.journal.news(self.claim.run, LOOK) => {
                    (around, inputs) = (None, with_clock(inputs));
                }
                () = linger(look_at) => (around, inputs) = (None, with_clock(inputs)),
                Some(order) = control.recv() => {
                    stopping = true;
                    if order == Control::Stop {
                        let ended = self.stop(desk, inbox).await?;
                        return Ok(Worked { status: ended.status, ..self.worked(true) });
                    }
                    inputs.push(Input::Clock);
                }
            }
        }
    }

    /// Takes the inputs, unless somebody has the run alone: then they stay, and it is tried again.
    async fn take_in_turn(
        &mut self,
        desk: &mut Desk,
        inputs: &mut Vec<Input>,
        draining: bool,
    ) -> Result<bool, RuntimeError> {
        match self.take(inputs, draining).await {
            Ok(entries) => {
                inputs.clear();
                self.tell_amended(desk).await;
                if !entries.is_empty() {
                    desk.watcher.recorded(&entries, &self.state);
                }
                Ok(true)
            }
            Err(RuntimeError::Journal(JournalError::Held(holder))) => {
                self.tell_held(desk, holder.as_ref());
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    async fn tell_amended(&mut self, desk: &mut Desk) {
        if self.member.as_mut().is_some_and(Member::is_amended) {
            desk.goes_by(&self.runbook).await;
        }
    }

    /// Shows what was read, tells what was lost, and ends the calls that are another worker's by now.
    async fn show_and_let_go(&mut self, desk: &mut Desk) {
        self.tell_amended(desk).await;
        let Some(member) = &mut self.member else { return };
        let (unseen, lost) = (member.unseen(), member.lost());
        for (of, cancel) in &desk.calls {
            if !member.owns(*of) {
                cancel.cancel();
            }
        }
        if !unseen.is_empty() {
            desk.watcher.recorded(&unseen, &self.state);
        }
        for instance in lost {
            desk.watcher.befell(&Told::TakenOver(instance));
        }
    }

    fn tell_held(&mut self, desk: &Desk, holder: Option<&Holder>) {
        let Some(member) = &mut self.member else { return };
        if member.is_news(holder)
            && let Some(holder) = holder
        {
            desk.watcher.befell(&Told::HeldBy(holder.clone()));
        }
    }

    /// Whether a worker with nothing under way has nothing to wait for here.
    fn may_leave(&self, stay: Stay, draining: bool, wakes: bool) -> bool {
        let status = self.state.status();
        let over = status.rests();
        let for_people = over || status == RunStatus::Waiting;
        draining
            || match stay {
                Stay::ToTheEnd => over,
                Stay::UntilPeople => for_people,
                Stay::WhileBusy => over || !wakes,
            }
    }

    fn worked(&self, interrupted: bool) -> Worked {
        Worked {
            status: self.state.status(),
            next: self.state.next_seq(),
            interrupted,
            is_alone: !self.state.hands().are_shared(),
        }
    }
}

impl Around {
    /// When to look again, though no word comes.
    fn look_at(&self, held: bool) -> Instant {
        let end = self.next_end.map(|left| left + AFTER_END);
        let stand_by = held.then_some(STAND_BY);
        Instant::now() + end.into_iter().chain(stand_by).min().unwrap_or(Duration::MAX / 4)
    }
}

fn with_clock(mut inputs: Vec<Input>) -> Vec<Input> {
    inputs.push(Input::Clock);
    inputs
}
