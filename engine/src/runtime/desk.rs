//! The desk of the loop: which calls are under way, and what they tell.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::time::{Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::driver::Watcher;
use super::sessions::Sessions;
use crate::core::Input;
use crate::id::{InstanceId, Seq};
use crate::journal::JournalError;

/// The most inputs that share one append: bounds how long the first of them waits.
const BATCH: usize = 256;

/// What tasks tell the loop.
pub(super) enum Message {
    /// Something happened.
    Input(Input),
    /// A transcript could not be kept: the run must stop.
    Broken(JournalError),
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
}

impl Desk {
    /// Lets the watcher glance at the state as often as it wants.
    pub(super) fn begin_pulse(&mut self) {
        self.pulse = self.watcher.pace().map(|pace| {
            let mut pulse = tokio::time::interval(pace);
            pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
            pulse
        });
    }

    /// This message and all that are there already: they share one append.
    pub(super) fn gather(
        &mut self,
        first: Message,
        inbox: &mut UnboundedReceiver<Message>,
    ) -> Result<Vec<Input>, JournalError> {
        let mut inputs = Vec::new();
        let mut next = Some(first);
        while let Some(message) = next {
            match message {
                Message::Broken(error) => return Err(error),
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
        Ok(inputs)
    }
}
