//! The chain of hashes: each record carries its own hash, which covers the one before.

use std::fmt;
use std::str::FromStr;

use openssl::sha::Sha256;

use super::{JournalError, Kept, Seal, stored};
use crate::core::event::Entry;
use crate::id::Seq;
use crate::identity::{Signature, Signed, Signer, Statement};

/// A SHA-256, written in hexadecimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; Self::LEN]);

/// Text that is not a [`Digest`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a SHA-256 of 64 hexadecimal digits in lower case")]
pub struct InvalidDigest;

impl Digest {
    /// How many bytes it has.
    pub const LEN: usize = 32;

    /// What the first entry has in the place of the hash before it.
    pub const ZERO: Self = Self([0; Self::LEN]);

    /// The hash of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        // Not `sha256` of the library, which first loads all that OpenSSL can do: longer than a run of one step takes.
        let mut hash = Sha256::new();
        hash.update(bytes);
        Self(hash.finish())
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// The hash that a record gets: over the one before, then its own stored bytes.
    pub(super) fn following(self, stored: &[u8]) -> Self {
        let mut hash = Sha256::new();
        hash.update(&self.0);
        hash.update(stored);
        Self(hash.finish())
    }
}

impl From<[u8; Self::LEN]> for Digest {
    fn from(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        // At once: every entry is written with one, and formatting byte by byte takes longer than hashing.
        let halves = self.0.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        let digits: String = halves.map(|half| char::from(DIGITS[usize::from(half)])).collect();
        f.write_str(&digits)
    }
}

impl FromStr for Digest {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, InvalidDigest> {
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Ok(byte - b'0'),
            b'a'..=b'f' => Ok(byte - b'a' + 10),
            _ => Err(InvalidDigest),
        };
        let mut bytes = [0; Self::LEN];
        let text = text.as_bytes();
        if text.len() != 2 * Self::LEN {
            return Err(InvalidDigest);
        }
        for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Ok(Self(bytes))
    }
}

/// The newest entry of a journal: its place and its hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) seq: Seq,
    pub(crate) hash: Digest,
}

impl Head {
    /// That of a journal which ends with this entry.
    pub(crate) fn of(last: &Kept) -> Self {
        let (seq, hash) = (last.entry.seq, last.seal.hash);
        Self { seq, hash }
    }
}

/// What a store keeps of one entry: its hash, the signature over that if its author signs, and its stored form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) hash: Digest,
    pub(crate) signature: Option<Signature>,
    pub(crate) stored: Vec<u8>,
}

/// Stands before a signature. A stored form begins with a bracket.
const SIGNED: u8 = 1;

impl Record {
    /// The record of an entry that follows one with the hash `prev`.
    pub(crate) fn seal(
        prev: Digest,
        entry: &Entry,
        signer: Option<&dyn Signer>,
    ) -> Result<Self, JournalError> {
        let stored = stored::encode(entry, prev, signer.map(Signer::key))?;
        let hash = prev.following(&stored);
        let sign = |signer: &dyn Signer| signer.sign(&Statement::Entry(hash.as_bytes()));
        Ok(Self {
            hash,
            signature: signer.map(sign).transpose()?,
            stored,
        })
    }

    /// The bytes that are kept.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let hash = self.hash.as_bytes().as_slice();
        match &self.signature {
            None => [hash, &self.stored].concat(),
            Some(signature) => [hash, &[SIGNED], signature.as_bytes(), &self.stored].concat(),
        }
    }

    /// Takes kept bytes apart; says nothing yet about what they hold.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (hash, rest) = bytes.split_first_chunk::<{ Digest::LEN }>()?;
        let (signature, stored) = match rest.split_first() {
            Some((&SIGNED, rest)) => {
                let (signature, stored) = rest.split_first_chunk::<{ Signature::LEN }>()?;
                (Some(Signature::new(*signature)), stored)
            }
            _ => (None, rest),
        };
        Some(Self {
            hash: Digest(*hash),
            signature,
            stored: stored.to_vec(),
        })
    }

    /// Whether the content is the one that the hash was made of, given the hash before.
    pub(crate) fn follows(&self, prev: Digest) -> bool {
        prev.following(&self.stored) == self.hash
    }

    /// The entry, if this is the record that stands at `at`, after one with the hash `prev`.
    pub(crate) fn open(&self, at: Seq, prev: Digest) -> Result<Kept, JournalError> {
        if !self.follows(prev) {
            return Err(JournalError::Damaged(format!(
                "entry {at} does not match its hash"
            )));
        }
        let found = stored::decode(&self.stored, at)?;
        if found.entry.seq != at {
            let message = format!("entry {} stands in the place of entry {at}", found.entry.seq);
            return Err(JournalError::Damaged(message));
        }
        let signed = found.key.zip(self.signature);
        let signed = signed.map(|(key, signature)| Signed { key, signature });
        Ok(Kept {
            entry: found.entry,
            seal: Seal {
                hash: self.hash,
                signed,
            },
        })
    }
}

/// The place of the entry after `tip` (none: the first), and the hash before it.
fn after(tip: Option<Head>) -> (Seq, Digest) {
    tip.map_or((Seq(0), Digest::ZERO), |head| (head.seq.next(), head.hash))
}

/// The entries of records that were kept elsewhere, the first after `tip` (none: they begin a journal), if each
/// follows the one before.
pub(crate) fn open_all(tip: Option<Head>, records: &[Vec<u8>]) -> Result<Vec<Kept>, JournalError> {
    let (mut next, mut prev) = after(tip);
    let mut found = Vec::with_capacity(records.len());
    for bytes in records {
        let record = Record::from_bytes(bytes)
            .ok_or_else(|| JournalError::Damaged(format!("entry {next} is too short to be an entry")))?;
        found.push(record.open(next, prev)?);
        (next, prev) = (next.next(), record.hash);
    }
    Ok(found)
}

/// A record that was kept elsewhere, if it is the one at `at` that comes after `tip`.
pub(crate) fn follows(tip: Option<Head>, at: Seq, bytes: &[u8]) -> Result<Record, JournalError> {
    let (next, prev) = after(tip);
    let record = Record::from_bytes(bytes);
    record
        .filter(|record| at == next && record.follows(prev))
        .ok_or_else(|| JournalError::Unstorable(format!("entry {at} does not continue what is here")))
}

/// Seals `entries` one after the other, the first after `tip` (none: they begin a journal).
pub(crate) fn seal_all(
    tip: Option<Head>,
    entries: &[Entry],
    signer: Option<&dyn Signer>,
) -> Result<Vec<(Seq, Record)>, JournalError> {
    let (mut next, mut prev) = after(tip);
    let mut records = Vec::with_capacity(entries.len());
    for entry in entries {
        if entry.seq != next {
            let message = format!("an entry is numbered {}, where {next} comes next", entry.seq);
            return Err(JournalError::Unstorable(message));
        }
        let record = Record::seal(prev, entry, signer)?;
        prev = record.hash;
        records.push((next, record));
        next = next.next();
    }
    Ok(records)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_reads_what_it_writes_and_nothing_else() {
        let digest = Digest::of(b"runbook");
        assert_eq!(digest.to_string().parse(), Ok(digest));
        let upper = digest.to_string().to_uppercase();
        for wrong in ["", "00", &upper, &format!("{digest}0"), &"é".repeat(32)] {
            assert_eq!(wrong.parse::<Digest>(), Err(InvalidDigest), "{wrong}");
        }
    }

    #[test]
    fn a_known_hash() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Digest::of(b"").to_string(), empty);
    }
}
