//! Transcripts: the stored form of their chunks, and the hash that covers them.

use jiff::Timestamp;
use openssl::sha::Sha256;

use super::chain::Digest;
use super::{Chunk, JournalError, LARGEST_CHUNK};
use crate::core::event::Transcript;
use crate::id::Seq;

/// The first byte of a stored chunk.
const VERSION: u8 = 1;

/// The longest name of a stream, in bytes.
const LONGEST_STREAM: usize = 100;

impl Chunk {
    /// The stored form: a version, the time (seconds and nanoseconds), the stream's name with its length, and
    /// the bytes. Each field but the last has a known length, so that no two chunks have the same form.
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>, JournalError> {
        let refuse = |why: String| JournalError::Unstorable(format!("a chunk of a transcript {why}"));
        if self.bytes.len() > LARGEST_CHUNK {
            return Err(refuse(format!(
                "has {} bytes; at most {LARGEST_CHUNK} can be kept",
                self.bytes.len()
            )));
        }
        let name = self.stream.as_bytes();
        let length = u8::try_from(name.len())
            .ok()
            .filter(|&length| usize::from(length) <= LONGEST_STREAM);
        let length = length.ok_or_else(|| refuse(format!("has a stream's name of {} bytes", name.len())))?;
        let mut bytes = vec![VERSION];
        bytes.extend(self.time.as_second().to_be_bytes());
        bytes.extend(self.time.subsec_nanosecond().to_be_bytes());
        bytes.push(length);
        bytes.extend(name);
        bytes.extend(&self.bytes);
        Ok(bytes)
    }

    /// The chunk of a stored form.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, JournalError> {
        if let Some(&version) = bytes.first()
            && version > VERSION
        {
            return Err(JournalError::Newer(format!(
                "a chunk of a transcript has version {version}"
            )));
        }
        Self::parse(bytes)
            .ok_or_else(|| JournalError::Damaged("a chunk of a transcript cannot be read".to_owned()))
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (_version, rest) = bytes.split_first()?;
        let (second, rest) = rest.split_first_chunk()?;
        let (nanosecond, rest) = rest.split_first_chunk()?;
        let (&length, rest) = rest.split_first()?;
        let (stream, rest) = rest.split_at_checked(usize::from(length))?;
        let time = Timestamp::new(i64::from_be_bytes(*second), i32::from_be_bytes(*nanosecond)).ok()?;
        let stream = String::from_utf8(stream.to_vec()).ok()?;
        Some(Self {
            time,
            stream,
            bytes: rest.to_vec(),
        })
    }
}

/// Works out what an entry says of a transcript: chunks go in as they are printed, in order.
#[derive(Clone)]
pub struct TranscriptHasher {
    hash: Sha256,
    chunks: u32,
    bytes: u64,
}

impl TranscriptHasher {
    /// A transcript without chunks.
    #[must_use]
    pub fn new() -> Self {
        Self {
            hash: Sha256::new(),
            chunks: 0,
            bytes: 0,
        }
    }

    /// Adds a chunk. What is hashed is, each with its length or of a fixed one: the time, the stream, the bytes.
    pub fn update(&mut self, chunk: &Chunk) {
        self.hash.update(&chunk.time.as_nanosecond().to_be_bytes());
        for part in [chunk.stream.as_bytes(), &chunk.bytes] {
            self.hash.update(&(part.len() as u64).to_be_bytes());
            self.hash.update(part);
        }
        self.chunks += 1;
        self.bytes += chunk.bytes.len() as u64;
    }

    /// How many chunks went in; also the number that the next one has.
    #[must_use]
    pub fn chunks(&self) -> u32 {
        self.chunks
    }

    /// How many bytes went in.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What the entry that ends the activity says of what was printed.
    #[must_use]
    pub fn finish(self, of: Seq) -> Transcript {
        let sha256 = Digest::from(self.hash.finish()).to_string();
        Transcript {
            of,
            chunks: self.chunks,
            bytes: self.bytes,
            sha256,
        }
    }
}

impl Default for TranscriptHasher {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::arbitrary::chunk;

    fn hashed(chunks: &[Chunk]) -> Transcript {
        let mut hasher = TranscriptHasher::new();
        chunks.iter().for_each(|chunk| hasher.update(chunk));
        hasher.finish(Seq(3))
    }

    proptest! {
        #[test]
        fn a_chunk_reads_back(chunk in chunk()) {
            prop_assert_eq!(Chunk::from_bytes(&chunk.to_bytes().unwrap()).unwrap(), chunk);
        }

        #[test]
        fn different_transcripts_have_different_hashes(
            one in prop::collection::vec(chunk(), 0..4), other in prop::collection::vec(chunk(), 0..4),
        ) {
            prop_assert_eq!(one == other, hashed(&one) == hashed(&other));
        }
    }

    #[test]
    fn moving_a_byte_between_chunks_or_fields_shows() {
        let chunk = |stream: &str, bytes: &[u8]| Chunk {
            time: Timestamp::UNIX_EPOCH,
            stream: stream.to_owned(),
            bytes: bytes.to_vec(),
        };
        let whole = hashed(&[chunk("out", b"ab"), chunk("out", b"c")]);
        assert_ne!(whole, hashed(&[chunk("out", b"a"), chunk("out", b"bc")]));
        assert_ne!(hashed(&[chunk("out", b"a")]), hashed(&[chunk("outa", b"")]));
        assert_eq!((whole.chunks, whole.bytes), (2, 3));
    }

    #[test]
    fn what_is_too_large_is_refused() {
        let large = Chunk {
            time: Timestamp::UNIX_EPOCH,
            stream: "stdout".to_owned(),
            bytes: vec![0; LARGEST_CHUNK + 1],
        };
        assert!(matches!(large.to_bytes(), Err(JournalError::Unstorable(_))));
    }
}
