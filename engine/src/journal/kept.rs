//! An entry with what proves it: its hash, and the signature of its author.

use super::Digest;
use crate::core::event::Entry;
use crate::identity::{PublicKey, Signed, Statement};

/// An entry as a journal keeps it.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    /// The entry.
    pub entry: Entry,
    /// What proves it.
    pub seal: Seal,
}

/// What proves an entry: its hash, and the signature over that, which was not checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seal {
    /// The hash, which covers all entries before.
    pub hash: Digest,
    /// The signature, if its author signs.
    pub signed: Option<Signed>,
}

impl Seal {
    /// The key whose owner signed the entry, if the signature is right.
    #[must_use]
    pub fn signer(&self) -> Option<PublicKey> {
        let Signed { key, signature } = self.signed.as_ref()?;
        let statement = Statement::Entry(self.hash.as_bytes());
        key.has_signed(&statement, signature).then_some(*key)
    }
}
