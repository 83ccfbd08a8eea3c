//! An entry whose author signs elsewhere: what would be kept of it, and their signature below that.

use super::chain::{Digest, Head};
use super::{JournalError, stored};
use crate::core::event::Entry;
use crate::identity::{PublicKey, Signature, Signer, SigningFailed, Statement};

/// What would be kept of an entry, but for the signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Draft {
    key: PublicKey,
    prev: Digest,
    stored: Vec<u8>,
}

impl Draft {
    /// What would be kept of an entry that comes after the one with the hash `prev`, by the owner of `key`.
    pub(crate) fn of(entry: &Entry, prev: Digest, key: PublicKey) -> Result<Self, JournalError> {
        let stored = stored::encode(entry, prev, Some(key))?;
        Ok(Self { key, prev, stored })
    }

    /// What somebody else says that would be kept; nothing of it is believed yet.
    pub(crate) fn said(stored: Vec<u8>, prev: Digest, key: PublicKey) -> Self {
        Self { key, prev, stored }
    }

    /// The bytes of the stored form.
    pub(crate) fn stored(&self) -> &[u8] {
        &self.stored
    }

    /// The entry that they say, which should follow this head.
    pub(crate) fn entry(&self, head: Head) -> Result<Entry, JournalError> {
        stored::decode(&self.stored, head.seq.next()).map(|stored| stored.entry)
    }

    fn hash(&self) -> Digest {
        self.prev.following(&self.stored)
    }

    /// Signs it.
    pub(crate) fn sign(&self, signer: &dyn Signer) -> Result<Signature, SigningFailed> {
        signer.sign(&Statement::Entry(self.hash().as_bytes()))
    }

    /// Its author, who signs this and nothing else; none, if the signature is another's or below something else.
    pub(crate) fn signed(&self, signature: Signature) -> Option<Countersigned> {
        let hash = self.hash();
        let holds = self
            .key
            .has_signed(&Statement::Entry(hash.as_bytes()), &signature);
        holds.then_some(Countersigned {
            key: self.key,
            hash,
            signature,
        })
    }
}

/// Somebody who has signed one entry elsewhere.
#[derive(Debug)]
pub(crate) struct Countersigned {
    key: PublicKey,
    hash: Digest,
    signature: Signature,
}

impl Signer for Countersigned {
    fn key(&self) -> PublicKey {
        self.key
    }

    fn sign(&self, what: &Statement<'_>) -> Result<Signature, SigningFailed> {
        if *what == Statement::Entry(self.hash.as_bytes()) {
            Ok(self.signature)
        } else {
            Err(SigningFailed("they signed something else".to_owned()))
        }
    }
}
