//! The desk of the loop: which calls are under way, and what they tell.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::sync::oneshot;
use tokio::time::{Instant, Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::ask::Given;
use super::driver::Watcher;
use super::sessions::Sessions;
use crate::core::Input;
use crate::id::{InstanceId, Seq};
use crate::journal::JournalError;
use crate::runbook::Runbook;
use crate::secret::Secret;

/// The most inputs that share one append: bounds how long the first of them waits.
const BATCH: usize = 256;

/// How long the mark of a process waits for something else that happens, to share its append. Until it is durable,
/// its process is found by its token alone, as in the moment before the engine itself knows the mark.
const LINGER: Duration = Duration::from_millis(20);

/// What tasks tell the loop.
pub(super) enum Message {
    /// Something happened.
    Input(Input),
    /// A rollback keeps something, and waits until that is durable: the entry that started the call comes first.
    Keep(Seq, Input, oneshot::Sender<()>),
    /// A transcript could not be kept: the run must stop.
    Broken(JournalError),
    /// A question for a secret was answered.
    Given(Secret, Given),
    /// All questions for secrets were asked.
    Asked,
}

/// The calls under way, and the channel on which they report.
pub(super) struct Desk {
    pub(super) watcher: Arc<dyn Watcher>,
    pub(super) messages: UnboundedSender<Message>,
    /// By the entry that started them.
    pub(super) calls: HashMap<Seq, CancellationToken>,
    pub(super) clearing: HashMap<InstanceId, Seq>,
    /// When the watcher glances at the state.
    pub(super) pulse: Option<Interval>,
    pub(super) sessions: Sessions,
    /// Secrets are being asked for; calls that off.
    pub(super) asking: Option<CancellationToken>,
    /// The answers, until they are heeded.
    pub(super) given: Vec<(Secret, Given)>,
    marks: Marks,
    /// Who waits until what they keep is durable.
    keeping: Vec<(Seq, oneshot::Sender<()>)>,
}

/// The marks of processes that wait to be recorded, and until when they may. Most processes end sooner, and then
/// their mark costs nothing of its own.
#[derive(Default)]
struct Marks {
    held: Vec<Input>,
    until: Option<Instant>,
}

impl Desk {
    pub(super) fn new(watcher: Arc<dyn Watcher>, messages: UnboundedSender<Message>) -> Self {
        Self {
            watcher,
            messages,
            calls: HashMap::new(),
            clearing: HashMap::new(),
            pulse: None,
            sessions: Sessions::default(),
            asking: None,
            given: Vec::new(),
            marks: Marks::default(),
            keeping: Vec::new(),
        }
    }

    /// Whether nothing is under way.
    pub(super) fn is_idle(&self) -> bool {
        self.calls.is_empty() && self.clearing.is_empty() && self.asking.is_none()
    }

    /// Lets the watcher glance at the state as often as it wants.
    pub(super) fn begin_pulse(&mut self) {
        self.pulse = self.watcher.pace().map(|pace| {
            let mut pulse = tokio::time::interval(pace);
            pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
            pulse
        });
    }

    /// Until when marks are held, where there are any.
    pub(super) fn marks_until(&self) -> Option<Instant> {
        self.marks.until
    }

    /// The marks that are held, to be recorded now.
    pub(super) fn take_marks(&mut self) -> Vec<Input> {
        std::mem::take(&mut self.marks).held
    }

    /// All that was taken in is durable: the calls go on that waited for that, but those that are to stop.
    pub(super) fn is_kept(&mut self) {
        for (of, durable) in self.keeping.drain(..) {
            let goes_on = |cancel: &CancellationToken| !cancel.is_cancelled();
            if self.calls.get(&of).is_some_and(goes_on) {
                // Who has stopped meanwhile does not ask any more.
                let _gone = durable.send(());
            }
        }
    }

    /// From now on this is carried out.
    pub(super) async fn goes_by(&mut self, runbook: &Arc<Runbook>) {
        // The sessions may be others now, and open again when they are needed.
        std::mem::take(&mut self.sessions).close().await;
        self.watcher.amended(runbook);
    }

    /// This message and all that are there already: they share one append. Marks alone are held back.
    pub(super) fn gather(
        &mut self,
        first: Message,
        inbox: &mut UnboundedReceiver<Message>,
    ) -> Result<Vec<Input>, JournalError> {
        let Marks { held, until } = std::mem::take(&mut self.marks);
        let mut inputs = held;
        let mut next = Some(first);
        while let Some(message) = next {
            match message {
                Message::Broken(error) => return Err(error),
                Message::Keep(of, input, durable) => {
                    self.keeping.push((of, durable));
                    inputs.push(input);
                }
                Message::Given(secret, given) => {
                    self.given.push((secret, given));
                    inputs.push(Input::Clock);
                }
                Message::Asked => {
                    self.asking = None;
                    inputs.push(Input::Clock);
                }
                Message::Input(input) => {
                    match &input {
                        Input::Finished { of, .. } => drop(self.calls.remove(of)),
                        Input::ProcessCleared { instance, .. } => drop(self.clearing.remove(instance)),
                        _ => {}
                    }
                    inputs.push(input);
                }
            }
            next = if inputs.len() < BATCH {
                inbox.try_recv().ok()
            } else {
                None
            };
        }
        let is_mark = |input: &Input| matches!(input, Input::ProcessStarted { .. });
        if inputs.len() < BATCH && inputs.iter().all(is_mark) {
            let until = until.or_else(|| Some(Instant::now() + LINGER));
            self.marks = Marks { held: inputs, until };
            return Ok(Vec::new());
        }
        Ok(inputs)
    }
}
