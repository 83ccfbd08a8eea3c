//! The half of a key that its owner keeps: made, written down, with a passphrase or without, and signed with.

use std::fmt;

use openssl::error::ErrorStack;
use openssl::pkey::{Id, PKey, Private};
use openssl::sign;
use openssl::symm::Cipher;

use super::{PublicKey, Signature, Signer, SigningFailed, Statement};

/// The private half of a key.
#[derive(Clone)]
pub struct PrivateKey {
    pub(super) key: PKey<Private>,
    public: PublicKey,
}

/// Why there is no private key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrivateKeyError {
    /// It is locked, and no passphrase or another one was given.
    #[error("the passphrase does not open it")]
    Locked,
    /// The text holds no such key.
    #[error("it holds no private Ed25519 key")]
    NotAKey,
    /// OpenSSL could not.
    #[error("OpenSSL could not make it")]
    OpenSsl(#[from] ErrorStack),
}

/// How the text of a key begins that a passphrase opens.
const ENCRYPTED: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----";

impl PrivateKey {
    /// Makes a new key.
    ///
    /// # Errors
    /// When OpenSSL has no randomness.
    pub fn generate() -> Result<Self, PrivateKeyError> {
        Self::of(PKey::generate_ed25519()?)
    }

    fn of(key: PKey<Private>) -> Result<Self, PrivateKeyError> {
        if key.id() != Id::ED25519 {
            return Err(PrivateKeyError::NotAKey);
        }
        let bytes = key.raw_public_key()?;
        let bytes = bytes.try_into().map_err(|_| PrivateKeyError::NotAKey)?;
        let public = PublicKey::new(bytes);
        Ok(Self { key, public })
    }

    /// Whether a passphrase opens the key that is in this text.
    #[must_use]
    pub fn is_locked(pem: &str) -> bool {
        pem.lines().any(|line| line.trim() == ENCRYPTED)
    }

    /// Reads a key: PKCS#8 in PEM; what stands before it is not looked at.
    ///
    /// # Errors
    /// When it is another key or none, or the passphrase does not open it.
    pub fn from_pem(pem: &str, passphrase: Option<&str>) -> Result<Self, PrivateKeyError> {
        let key = if Self::is_locked(pem) {
            let passphrase = passphrase.ok_or(PrivateKeyError::Locked)?;
            let opened = PKey::private_key_from_pem_passphrase(pem.as_bytes(), passphrase.as_bytes());
            opened.map_err(|_| PrivateKeyError::Locked)?
        } else {
            // OpenSSL must not ask at the terminal by itself.
            let opened = PKey::private_key_from_pem_passphrase(pem.as_bytes(), b"");
            opened.map_err(|_| PrivateKeyError::NotAKey)?
        };
        Self::of(key)
    }

    /// Writes it down: PKCS#8 in PEM, which the passphrase opens, if there is one.
    ///
    /// # Errors
    /// When OpenSSL cannot.
    pub fn to_pem(&self, passphrase: Option<&str>) -> Result<String, PrivateKeyError> {
        let pem = match passphrase {
            None => self.key.private_key_to_pem_pkcs8()?,
            Some(passphrase) => {
                let cipher = Cipher::aes_256_cbc();
                self.key
                    .private_key_to_pem_pkcs8_passphrase(cipher, passphrase.as_bytes())?
            }
        };
        String::from_utf8(pem).map_err(|_| PrivateKeyError::NotAKey)
    }
}

impl Signer for PrivateKey {
    fn key(&self) -> PublicKey {
        self.public
    }

    fn sign(&self, what: &Statement<'_>) -> Result<Signature, SigningFailed> {
        let sign = || -> Result<Vec<u8>, ErrorStack> {
            sign::Signer::new_without_digest(&self.key)?.sign_oneshot_to_vec(&what.bytes())
        };
        let bytes = sign().map_err(|error| SigningFailed(error.to_string()))?;
        let bytes = bytes.try_into();
        let bytes = bytes.map_err(|_| SigningFailed("OpenSSL gave no Ed25519 signature".to_owned()))?;
        Ok(Signature::new(bytes))
    }
}

impl fmt::Debug for PrivateKey {
    /// Nothing of the private half.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the private key of {}", self.public)
    }
}
