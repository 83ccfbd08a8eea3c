//! Calls whose print is not part of a run: while planning, and where a step is asked beside the run's course.

use std::sync::Arc;

use serde_json::Value;
use tokio::sync::oneshot;

use super::driver::Watcher;
use super::secrets::Known;
use crate::core::event::ProcessMark;
use crate::id::InstanceId;
use crate::step::Transcriber;

/// Keeps nothing of what is printed; what is for the eyes of whoever is there is shown all the same.
pub(super) struct Unheard {
    pub(super) instance: InstanceId,
    pub(super) known: Known,
    pub(super) watcher: Arc<dyn Watcher>,
}

impl Transcriber for Unheard {
    fn write(&self, _stream: &'static str, _bytes: &[u8]) {}

    fn show(&self, text: &str) {
        self.watcher.shown(&self.instance, &self.known.mask().text(text));
    }

    fn keep(&self, _what: Value) -> oneshot::Receiver<()> {
        oneshot::channel().1
    }

    fn process_started(&self, _process: ProcessMark) {}
}
