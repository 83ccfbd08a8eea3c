//! What a call prints, on its way into the journal: masked, cut into chunks, counted and hashed. A call that prints
//! without end fills its transcript, not the disk: of the rest, the last part is kept, and how much there was.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

use super::desk::Message;
use super::driver::Watcher;
use super::overflow::Overflow;
use super::secrets::Known;
use crate::core::Input;
use crate::core::event::{ProcessMark, Transcript};
use crate::id::{InstanceId, Seq};
use crate::journal::{Chunk, Claim, Journal, JournalError, LARGEST_CHUNK, TranscriptHasher};
use crate::runtime::Clock;
use crate::secret::MaskedStream;
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
    pub(super) known: Known,
    /// The step gives sensitive outputs: what it prints may hold them before they are known.
    pub(super) sensitive: bool,
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
    /// What a sensitive step printed, until its outputs are known and can be masked.
    held: Vec<(&'static str, Vec<u8>)>,
    held_bytes: usize,
    /// How much it printed that is not kept.
    unkept: usize,
}

/// The most that is held of what a sensitive step prints.
const MOST_HELD: usize = 1024 * 1024;

impl CallTranscriber {
    /// Everything printed is in: gives its hash, or why it could not all be kept.
    pub(super) fn finish(&self) -> Result<Option<Transcript>, JournalError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        for (stream, bytes) in std::mem::take(&mut state.held) {
            self.tell(&mut state, stream, &bytes);
        }
        if state.unkept > 0 {
            let note = format!(
                "{} bytes that it printed are not kept: its outputs are sensitive\n",
                state.unkept
            );
            self.tell(&mut state, "log", note.as_bytes());
        }
        for (stream, mut held) in std::mem::take(&mut state.streams) {
            let rest = held.finish(&self.known.mask());
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

    fn tell(&self, state: &mut State, stream: &'static str, bytes: &[u8]) {
        let told = state
            .streams
            .entry(stream)
            .or_default()
            .push(&self.known.mask(), bytes);
        self.keep(state, stream, &told);
    }

    /// Holds what a sensitive step prints. Its standard output is what its outputs are made of.
    fn hold(state: &mut State, stream: &'static str, bytes: &[u8]) {
        if stream == "stdout" || state.held_bytes + bytes.len() > MOST_HELD {
            state.unkept += bytes.len();
            return;
        }
        state.held_bytes += bytes.len();
        state.held.push((stream, bytes.to_vec()));
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
        if self.sensitive {
            Self::hold(&mut state, stream, bytes);
        } else {
            self.tell(&mut state, stream, bytes);
        }
    }

    fn show(&self, text: &str) {
        self.watcher.shown(&self.instance, &self.known.mask().text(text));
    }

    fn keep(&self, what: Value) -> oneshot::Receiver<()> {
        let (durable, answer) = oneshot::channel();
        let input = Input::Kept {
            instance: self.instance.clone(),
            of: self.of,
            what: self.known.mask().value(&what),
        };
        // The receiver is gone only when the run has stopped; then nothing is answered.
        let _gone = self.messages.send(Message::Keep(self.of, input, durable));
        answer
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
