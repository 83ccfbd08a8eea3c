//! What steps printed, as far as there is room for it in a report.

use jiff::Timestamp;
use runbook_engine::id::Seq;
use runbook_engine::journal::Chunk;
use serde::Serialize;

use super::clean::Clean;

/// The most bytes that are shown of one transcript: half from its beginning, half from its end.
const MOST_OF_ONE: usize = 64 * 1024;

/// The most bytes of all transcripts together.
const MOST: usize = 8 * 1024 * 1024;

/// The most pieces of one transcript: each is where another stream went on.
const MOST_PIECES: usize = 500;

/// How much room is left for transcripts.
#[derive(Debug)]
pub(crate) struct Room(usize);

impl Default for Room {
    fn default() -> Self {
        Self(MOST)
    }
}

impl Room {
    /// Whether nothing more has room: a transcript is shown from both ends.
    pub(crate) fn is_full(&self) -> bool {
        self.0 < 2
    }
}

/// What one call printed.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Printed {
    /// The entry that started the call.
    pub(super) of: Seq,
    /// What the call was.
    pub(super) call: Clean,
    pub(super) time: Timestamp,
    pub(super) pieces: Vec<Piece>,
    pub(super) bytes: u64,
    /// How many bytes are not shown.
    pub(super) left_out: u64,
}

/// What came on one stream without anything on another in between.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Piece {
    pub(super) stream: Clean,
    pub(super) text: Clean,
}

impl Printed {
    /// What the call that the entry `of` started has printed, as far as there is room.
    pub(crate) fn new(of: Seq, call: Clean, time: Timestamp, chunks: &[Chunk], room: &mut Room) -> Self {
        let all: usize = chunks.iter().map(|chunk| chunk.bytes.len()).sum();
        let mut printed = Self {
            of,
            call,
            time,
            pieces: Vec::new(),
            bytes: all as u64,
            left_out: 0,
        };
        let most = MOST_OF_ONE.min(room.0);
        let shown = if all <= most {
            0..0
        } else {
            most / 2..all - most / 2
        };
        let mut at = 0;
        let mut shown_bytes = 0;
        for row in chunks.chunk_by(|one, next| one.stream == next.stream) {
            let bytes: Vec<u8> = row.iter().flat_map(|chunk| chunk.bytes.iter().copied()).collect();
            let (kept, length) = (without(&bytes, at, &shown), bytes.len());
            at += length;
            let full = printed.pieces.len() >= MOST_PIECES;
            let kept = kept.into_iter().filter(|(bytes, cut)| *cut || !bytes.is_empty());
            for (bytes, cut) in kept.filter(|_| !full) {
                shown_bytes += bytes.len();
                let text = String::from_utf8_lossy(bytes);
                let text = if cut {
                    format!("{text}\n… [more was printed here]")
                } else {
                    text.into_owned()
                };
                printed.pieces.push(Piece {
                    stream: Clean::of(&row[0].stream),
                    text: Clean::printed(&text),
                });
            }
        }
        room.0 -= shown_bytes.min(room.0);
        printed.left_out = (all - shown_bytes) as u64;
        printed
    }

    /// The entry that started the call.
    pub(crate) fn of(&self) -> Seq {
        self.of
    }

    /// Whether nothing was printed.
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// A call of which only is told how much it printed.
    pub(crate) fn left_out(of: Seq, call: Clean, time: Timestamp, bytes: u64) -> Self {
        Self {
            of,
            call,
            time,
            pieces: Vec::new(),
            bytes,
            left_out: bytes,
        }
    }
}

/// What is left of bytes that stand at `at`, without this range of the whole; and whether the range begins there.
fn without<'a>(bytes: &'a [u8], at: usize, gap: &std::ops::Range<usize>) -> [(&'a [u8], bool); 2] {
    let within = |place: usize| place.saturating_sub(at).min(bytes.len());
    if gap.is_empty() {
        return [(bytes, false), (&[], false)];
    }
    let (from, to) = (within(gap.start), within(gap.end));
    let begins = (at..at + bytes.len()).contains(&gap.start) && from < to;
    [(&bytes[..from], begins), (&bytes[to..], false)]
}
