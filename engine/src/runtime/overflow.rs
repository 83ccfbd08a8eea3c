//! What a transcript has no room for: all of it is counted, and the last of it is held back until the end is known.

use std::collections::VecDeque;

use crate::journal::{Chunk, LARGEST_CHUNK};

/// How much of what follows a full transcript is held back, in bytes and in chunks.
pub(super) const LAST: usize = 64 * 1024;
const LAST_CHUNKS: usize = LAST / 64;

/// What was printed after a transcript was full.
#[derive(Debug, Default)]
pub(super) struct Overflow {
    held: VecDeque<Chunk>,
    bytes: usize,
    lost: u64,
}

impl Overflow {
    /// Whether nothing was printed that had no room.
    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Holds a chunk back, and lets go of the first ones that are not among the last any more.
    pub(super) fn hold(&mut self, chunk: Chunk) {
        self.bytes += chunk.bytes.len();
        match self.held.back_mut() {
            // What comes in drops is put together, as long as it stays one chunk.
            Some(last)
                if last.stream == chunk.stream && last.bytes.len() + chunk.bytes.len() <= LARGEST_CHUNK =>
            {
                last.bytes.extend_from_slice(&chunk.bytes);
            }
            _ => self.held.push_back(chunk),
        }
        while let Some(first) = self.held.front() {
            let fits = self.bytes - first.bytes.len() < LAST && self.held.len() <= LAST_CHUNKS;
            if fits {
                break;
            }
            self.bytes -= first.bytes.len();
            self.lost += first.bytes.len() as u64;
            self.held.pop_front();
        }
    }

    /// How many bytes were let go of, and the chunks that were not.
    pub(super) fn take(&mut self) -> (u64, VecDeque<Chunk>) {
        let Self { held, lost, .. } = std::mem::take(self);
        (lost, held)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{LAST, LAST_CHUNKS, Overflow};
    use crate::journal::Chunk;

    fn chunk(stream: &str, bytes: &[u8]) -> Chunk {
        let (time, stream) = (Timestamp::UNIX_EPOCH, stream.to_owned());
        let bytes = bytes.to_vec();
        Chunk { time, stream, bytes }
    }

    #[test]
    fn the_last_is_held_and_all_is_counted() {
        let mut overflow = Overflow::default();
        for number in 0..100_000_u32 {
            overflow.hold(chunk("stdout", format!("{number:07}\n").as_bytes()));
        }
        let (lost, held) = overflow.take();
        let held: Vec<u8> = held.into_iter().flat_map(|chunk| chunk.bytes).collect();
        assert_eq!(lost + held.len() as u64, 800_000);
        assert!((LAST..=2 * LAST).contains(&held.len()), "{}", held.len());
        assert!(held.ends_with(b"0099998\n0099999\n"));
        assert!(overflow.is_empty());
    }

    #[test]
    fn streams_stay_apart_and_in_order_and_few() {
        let mut overflow = Overflow::default();
        for _ in 0..10_000 {
            overflow.hold(chunk("stdout", b"a"));
            overflow.hold(chunk("stderr", b"b"));
        }
        let (lost, held) = overflow.take();
        assert!(held.len() <= LAST_CHUNKS);
        assert_eq!(lost + held.len() as u64, 20_000);
        assert_eq!(held.back().unwrap().stream, "stderr");
    }
}
