//! Holds the chunks of transcripts against what entries say of them.

use std::collections::BTreeMap;

use crate::core::event::Transcript;
use crate::id::Seq;
use crate::journal::{Chunk, TranscriptHasher};

/// What entries say of transcripts, and the one whose chunks are being read.
#[derive(Default)]
pub(super) struct Transcripts {
    /// By the entry that started the activity: the entries that cover it. Several may, each from the beginning
    /// on, as when `run` returned and the check of its outcome printed more.
    covers: BTreeMap<Seq, Vec<(Seq, Transcript)>>,
    open: Option<Open>,
}

/// The transcript whose chunks are being read.
struct Open {
    of: Seq,
    hasher: TranscriptHasher,
    /// The number that the next chunk must have.
    next: u32,
    covers: Vec<(Seq, Transcript)>,
    /// Something is wrong already and was told; hashes would only say so again.
    wrong: bool,
}

type Report<'a> = &'a mut dyn FnMut(Seq, String);

impl Transcripts {
    /// Remembers what entry `by` says.
    pub(super) fn cover(&mut self, by: Seq, transcript: Transcript) {
        self.covers
            .entry(transcript.of)
            .or_default()
            .push((by, transcript));
    }

    /// Whether the chunks of this activity are being read.
    pub(super) fn is_at(&self, of: Seq) -> bool {
        self.open.as_ref().is_some_and(|open| open.of == of)
    }

    pub(super) fn chunk(&mut self, of: Seq, number: u32, bytes: &[u8], report: Report<'_>) {
        if !self.is_at(of) {
            self.close(report);
            let covers = self.covers.remove(&of).unwrap_or_default();
            self.open = Some(Open::new(of, covers, report));
        }
        if let Some(open) = &mut self.open {
            open.chunk(number, bytes, report);
        }
    }

    fn close(&mut self, report: Report<'_>) {
        if let Some(open) = self.open.take() {
            open.close(report);
        }
    }

    /// There are no more chunks: those that remain have none.
    pub(super) fn finish(&mut self, report: Report<'_>) {
        self.close(report);
        for (of, covers) in std::mem::take(&mut self.covers) {
            Open::new(of, covers, report).close(report);
        }
    }
}

impl Open {
    fn new(of: Seq, covers: Vec<(Seq, Transcript)>, report: Report<'_>) -> Self {
        let mut open = Self {
            of,
            hasher: TranscriptHasher::new(),
            next: 0,
            covers,
            wrong: false,
        };
        open.compare(report);
        open
    }

    fn chunk(&mut self, number: u32, bytes: &[u8], report: Report<'_>) {
        let of = self.of;
        let covering = |number: u32| {
            let by = self.covers.iter().find(|(_, said)| said.chunks > number);
            by.map_or(of, |(by, _)| *by)
        };
        if number > self.next {
            let missing = self.next;
            report(
                covering(missing),
                format!("dropped: chunk {missing} of the transcript of entry {of} is missing"),
            );
            self.wrong = true;
        }
        self.next = number.saturating_add(1);
        match Chunk::from_bytes(bytes) {
            Ok(chunk) => self.hasher.update(&chunk),
            Err(error) => {
                let message = format!("changed: chunk {number} of the transcript of entry {of}: {error}");
                report(covering(number), message);
                self.wrong = true;
            }
        }
        self.compare(report);
    }

    /// Compares what was read with what the entries say that cover just this much.
    fn compare(&mut self, report: Report<'_>) {
        if self.wrong {
            return;
        }
        let found = self.hasher.clone().finish(self.of);
        let here = self
            .covers
            .iter()
            .find(|(_, said)| said.chunks == found.chunks && *said != found);
        if let Some((by, _)) = here {
            let of = self.of;
            report(
                *by,
                format!("changed: the transcript of entry {of} is not the one that entry {by} covers"),
            );
            self.wrong = true;
        }
    }

    fn close(self, report: Report<'_>) {
        let longest = self.covers.iter().max_by_key(|(_, said)| said.chunks);
        let Some((by, said)) = longest.filter(|_| !self.wrong) else {
            return;
        };
        let (of, found, wanted) = (self.of, self.hasher.chunks(), said.chunks);
        if found < wanted {
            let message = format!("dropped: the transcript of entry {of} has {found} of its {wanted} chunks");
            report(*by, message);
        } else if found > wanted {
            let message =
                format!("changed: the transcript of entry {of} has {found} chunks; entry {by} says {wanted}");
            report(*by, message);
        }
    }
}
