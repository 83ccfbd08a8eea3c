//! Who is who: the keys by which people prove that an entry is theirs.
//!
//! A [`PublicKey`] stands in a team's `operators.yaml`; the [`PrivateKey`] to it stays with its owner, who signs with
//! it as a [`Signer`]. Both are Ed25519.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use openssl::error::ErrorStack;
use openssl::pkey::{Id, PKey};
use openssl::sign::Verifier;
use serde::{Deserialize, Serialize};

pub use self::agreement::Agreement;
pub use self::private::{PrivateKey, PrivateKeyError};

mod agreement;
mod private;

#[cfg(test)]
mod tests;

/// The name of the kind of key, before its bytes.
const KIND: &str = "ed25519:";

/// How many characters of a key are shown where the whole is too much.
const SHORT: usize = 8;

/// The public half of a key: what others know somebody by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicKey([u8; Self::LEN]);

/// Text that is not a [`PublicKey`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not an Ed25519 key: `ed25519:`, then 32 bytes in base64")]
pub struct InvalidKey;

impl PublicKey {
    /// How many bytes it has.
    pub const LEN: usize = 32;

    /// The key of these bytes.
    #[must_use]
    pub fn new(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// Its beginning: enough for people to tell two apart.
    #[must_use]
    pub fn short(&self) -> String {
        let text = STANDARD.encode(self.0);
        format!("{KIND}{}…", &text[..SHORT])
    }

    /// Whether the owner of this key signed that.
    #[must_use]
    pub fn has_signed(&self, what: &Statement<'_>, signature: &Signature) -> bool {
        let verify = || -> Result<bool, ErrorStack> {
            let key = PKey::public_key_from_raw_bytes(&self.0, Id::ED25519)?;
            Verifier::new_without_digest(&key)?.verify_oneshot(&signature.0, &what.bytes())
        };
        // A key that is no point of the curve has signed nothing.
        verify().unwrap_or(false)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{KIND}{}", STANDARD.encode(self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for PublicKey {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        let text = text.strip_prefix(KIND).ok_or(InvalidKey)?;
        let bytes = STANDARD.decode(text).map_err(|_| InvalidKey)?;
        bytes.try_into().map(Self).map_err(|_| InvalidKey)
    }
}

impl TryFrom<String> for PublicKey {
    type Error = InvalidKey;

    fn try_from(text: String) -> Result<Self, InvalidKey> {
        text.parse()
    }
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> Self {
        key.to_string()
    }
}

/// What somebody signs. Its bytes begin with its kind, so that a signature of one kind is none of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statement<'a> {
    /// An entry of a journal, by its hash: it covers all entries before.
    Entry(&'a [u8; 32]),
    /// The table of contents of a bundle, by its hash: it covers everything in it.
    Manifest(&'a [u8; 32]),
}

impl Statement<'_> {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Entry(hash) => [b"runbook entry 1\0".as_slice(), *hash].concat(),
            Self::Manifest(hash) => [b"runbook bundle 1\0".as_slice(), *hash].concat(),
        }
    }
}

/// What a [`Signer`] put below a [`Statement`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature([u8; Self::LEN]);

impl Signature {
    /// How many bytes it has.
    pub const LEN: usize = 64;

    /// The signature of these bytes.
    #[must_use]
    pub fn new(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }
}

/// A signature, and whose it is said to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signed {
    /// The key that is said to have signed.
    pub key: PublicKey,
    /// The signature.
    pub signature: Signature,
}

/// Whoever signs what they write.
pub trait Signer: fmt::Debug + Send + Sync {
    /// The key that others know them by.
    fn key(&self) -> PublicKey;

    /// Signs.
    ///
    /// # Errors
    /// When they cannot, or will not sign that.
    fn sign(&self, what: &Statement<'_>) -> Result<Signature, SigningFailed>;
}

/// Why something was not signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it could not be signed: {0}")]
pub struct SigningFailed(pub String);
