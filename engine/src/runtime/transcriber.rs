//! What a call prints, on its way into the journal: masked, cut into chunks, counted and hashed. A call that prints
//! without end fills its transcript, not the disk: of the rest, the last part is kept, and how much there was.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc::UnboundedSender;

use super::desk::Message;
use super::driver::Watcher;
use super::mask::{Mask, MaskedStream};
use super::overflow::Overflow;
use crate::core::Input;
use crate::core::event::{ProcessMark, Transcript};
use crate::id::{InstanceId, Seq};
use crate::journal::{Chunk, Claim, Journal, JournalError, LARGEST_CHUNK, TranscriptHasher};
use crate::runtime::Clock;
use crate::step::Transcriber;

/// When a transcript is full, in bytes and in chunks: many small ones cost more than their bytes.
const MOST: u64 = 8 * 1024 * 1024;
const MOST_CHUNKS: u32 = 64 * 1024;

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
    overflow: Overflow,
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
        if !state.overflow.is_empty() {
            let (lost, last) = state.overflow.take();
            if lost > 0 {
                self.note(&mut state, &format!("{lost} bytes were left out here"));
            }
            last.iter().for_each(|chunk| self.store(&mut state, chunk));
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
            let chunk = self.chunk(stream, piece);
            if !state.overflow.is_empty() {
                state.overflow.hold(chunk);
            } else if state.hasher.bytes() < MOST && state.hasher.chunks() < MOST_CHUNKS {
                self.store(state, &chunk);
            } else {
                self.note(
                    state,
                    "the transcript is full: of what follows, only the end will be kept",
                );
                state.overflow.hold(chunk);
            }
            self.watcher.printed(&self.instance, stream, piece);
        }
    }

    /// Adds a line of our own.
    fn note(&self, state: &mut State, line: &str) {
        self.store(state, &self.chunk("log", format!("{line}\n").as_bytes()));
    }

    fn chunk(&self, stream: &str, bytes: &[u8]) -> Chunk {
        Chunk {
            time: self.clock.now(),
            stream: stream.to_owned(),
            bytes: bytes.to_vec(),
        }
    }

    fn store(&self, state: &mut State, chunk: &Chunk) {
        if state.failed.is_some() {
            return;
        }
        match self
            .journal
            .print(&self.claim, self.of, state.hasher.chunks(), chunk)
        {
            Ok(()) => state.hasher.update(chunk),
            Err(error) => state.failed = Some(error),
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
