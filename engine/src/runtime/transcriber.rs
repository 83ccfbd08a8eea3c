//! What a call prints, on its way into the journal: masked, cut into chunks, counted and hashed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc::UnboundedSender;

use super::desk::Message;
use super::driver::Watcher;
use super::mask::{Mask, MaskedStream};
use crate::core::Input;
use crate::core::event::{ProcessMark, Transcript};
use crate::id::{InstanceId, Seq};
use crate::journal::{Chunk, Claim, Journal, JournalError, LARGEST_CHUNK, TranscriptHasher};
use crate::runtime::Clock;
use crate::step::Transcriber;

/// The transcriber of one call.
pub(super) struct CallTranscriber {
    pub(super) journal: Arc<dyn Journal>,
    pub(super) claim: Claim,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) watcher: Arc<dyn Watcher>,
    pub(super) mask: Mask,
    pub(super) instance: InstanceId,
    pub(super) of: Seq,
    pub(super) messages: UnboundedSender<Message>,
    pub(super) state: Mutex<State>,
}

/// What has been printed so far.
#[derive(Default)]
pub(super) struct State {
    streams: BTreeMap<&'static str, MaskedStream>,
    hasher: TranscriptHasher,
    failed: Option<JournalError>,
}

impl CallTranscriber {
    /// Everything printed is in: gives its hash, or why it could not all be kept.
    pub(super) fn finish(&self) -> Result<Option<Transcript>, JournalError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        for (stream, mut held) in std::mem::take(&mut state.streams) {
            let rest = held.finish(&self.mask);
            self.keep(&mut state, stream, &rest);
        }
        match state.failed.take() {
            Some(error) => Err(error),
            None => {
                let hasher = std::mem::take(&mut state.hasher);
                Ok((hasher.chunks() > 0).then(|| hasher.finish(self.of)))
            }
        }
    }

    fn keep(&self, state: &mut State, stream: &'static str, bytes: &[u8]) {
        for piece in bytes.chunks(LARGEST_CHUNK) {
            if state.failed.is_some() {
                return;
            }
            let chunk = Chunk {
                time: self.clock.now(),
                stream: stream.to_owned(),
                bytes: piece.to_vec(),
            };
            match self
                .journal
                .print(&self.claim, self.of, state.hasher.chunks(), &chunk)
            {
                Ok(()) => state.hasher.update(&chunk),
                Err(error) => state.failed = Some(error),
            }
            self.watcher.printed(&self.instance, stream, piece);
        }
    }
}

impl Transcriber for CallTranscriber {
    fn write(&self, stream: &'static str, bytes: &[u8]) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let told = state.streams.entry(stream).or_default().push(&self.mask, bytes);
        self.keep(&mut state, stream, &told);
    }

    fn process_started(&self, process: ProcessMark) {
        let input = Input::ProcessStarted {
            instance: self.instance.clone(),
            of: self.of,
            process,
        };
        // The receiver is gone only when the run has stopped; nobody is left to be told then.
        let _gone = self.messages.send(Message::Input(input));
    }
}
