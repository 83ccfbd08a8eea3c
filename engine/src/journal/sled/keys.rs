//! What stands under which key. Keys sort as they are read: entries by number, chunks by activity and number.
//! Every value is cut into pieces, whose numbers end the keys.
//!
//! The entries of one append are one value: so they take hold together or not at all, and the usual append is
//! a single insertion, which costs sled half of what a batch does.

use crate::id::Seq;
use crate::journal::chain::{Digest, Record};

/// The most bytes of one piece. sled keeps up to 20 values in a page, writes pages whole, and puts what has more
/// than 128 KiB in a file of its own, which it never syncs: with pieces of this size no page is that large.
pub(super) const PIECE: usize = 4 * 1024;

/// How many bytes of a key number the piece.
const PIECE_NUMBER: usize = 4;

/// What sorts of things there are; the first byte of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    /// The [`Record`]s of one append, by the number of the first.
    Append = b'e',
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

    pub(super) fn append(first: Seq) -> Self {
        Self::of_kind(Kind::Append).then(&first.0.to_be_bytes())
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

    /// The number of the first entry, of an append's key.
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

/// How many bytes say how long a record is.
const LENGTH: usize = 4;

/// The stored form of an append: each record after its length.
pub(super) fn append_to_bytes<'a>(records: impl IntoIterator<Item = &'a Record>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for record in records {
        let record = record.to_bytes();
        // A record is far below 4 GiB: the stored form of an entry is bounded.
        let length = u32::try_from(record.len()).unwrap_or(u32::MAX);
        bytes.extend(length.to_be_bytes());
        bytes.extend(record);
    }
    bytes
}

/// The kept bytes of each record of an append. What has no sensible length is one record to its end: it will
/// not match its hash.
pub(super) fn append_from_bytes(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut records = Vec::new();
    while !bytes.is_empty() {
        let framed = bytes.split_first_chunk::<LENGTH>().and_then(|(length, rest)| {
            let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
            rest.split_at_checked(length)
        });
        let (record, rest) = framed.unwrap_or((bytes, &[]));
        records.push(record);
        bytes = rest;
    }
    records
}
