//! What stands under which key. Keys sort as they are read: entries by number, chunks by activity and number.
//! Every value is cut into pieces, whose numbers end the keys.

use crate::id::Seq;
use crate::journal::chain::{Digest, Head};

/// The most bytes of one piece. sled keeps up to 20 values in a page, writes pages whole, and puts what has more
/// than 128 KiB in a file of its own, which it never syncs: with pieces of this size no page is that large.
pub(super) const PIECE: usize = 4 * 1024;

/// Where the [`Head`] stands.
pub(super) const HEAD: &[u8] = b"h";

/// How many bytes of a key number the piece.
const PIECE_NUMBER: usize = 4;

/// What sorts of things there are; the first byte of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    /// A [`Record`](crate::journal::chain::Record), by number.
    Entry = b'e',
    /// A chunk of a transcript, by the activity's entry and its own number.
    Chunk = b't',
    /// The content of an attachment, by its hash.
    Content = b'a',
    /// The size of an attachment all of whose pieces are there, by its hash.
    Attached = b's',
}

/// The key of a whole value, without the number of a piece.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key(Vec<u8>);

impl Key {
    pub(super) fn of_kind(kind: Kind) -> Self {
        Self(vec![kind as u8])
    }

    pub(super) fn entry(seq: Seq) -> Self {
        Self::of_kind(Kind::Entry).then(&seq.0.to_be_bytes())
    }

    pub(super) fn transcript(of: Seq) -> Self {
        Self::of_kind(Kind::Chunk).then(&of.0.to_be_bytes())
    }

    pub(super) fn chunk(of: Seq, number: u32) -> Self {
        Self::transcript(of).then(&number.to_be_bytes())
    }

    pub(super) fn content(hash: &Digest) -> Self {
        Self::of_kind(Kind::Content).then(hash.as_bytes())
    }

    pub(super) fn attached(hash: &Digest) -> Self {
        Self::of_kind(Kind::Attached).then(hash.as_bytes())
    }

    fn then(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }

    /// The key of a piece.
    pub(super) fn piece(&self, number: u32) -> Vec<u8> {
        [self.0.as_slice(), &number.to_be_bytes()].concat()
    }

    /// The key of the value that a piece belongs to.
    pub(super) fn of_piece(piece: &[u8]) -> Self {
        Self(piece[..piece.len().saturating_sub(PIECE_NUMBER)].to_vec())
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// What follows the kind, if it has just this many bytes.
    fn rest<const N: usize>(&self) -> Option<[u8; N]> {
        self.0.get(1..)?.try_into().ok()
    }

    /// The number of an entry's key.
    pub(super) fn to_seq(&self) -> Option<Seq> {
        self.rest().map(|bytes| Seq(u64::from_be_bytes(bytes)))
    }

    /// The activity and the number of a chunk's key.
    pub(super) fn to_chunk(&self) -> Option<(Seq, u32)> {
        let bytes: [u8; 12] = self.rest()?;
        let (of, number) = bytes.split_first_chunk()?;
        Some((
            Seq(u64::from_be_bytes(*of)),
            u32::from_be_bytes(number.try_into().ok()?),
        ))
    }

    /// The hash of an attachment's key.
    pub(super) fn to_digest(&self) -> Option<Digest> {
        self.rest::<{ Digest::LEN }>().map(Digest::from)
    }
}

/// The stored form of the head: the number, then the hash.
pub(super) fn head_to_bytes(head: Head) -> Vec<u8> {
    [head.seq.0.to_be_bytes().as_slice(), head.hash.as_bytes()].concat()
}

pub(super) fn head_from_bytes(bytes: &[u8]) -> Option<Head> {
    let (seq, hash) = bytes.split_first_chunk()?;
    let hash: [u8; Digest::LEN] = hash.try_into().ok()?;
    Some(Head {
        seq: Seq(u64::from_be_bytes(*seq)),
        hash: hash.into(),
    })
}
