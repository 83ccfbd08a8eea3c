//! A secret that two keys agree on, so that only the owner of one can read what was encrypted for it.
//!
//! The keys of operators are for signing (Ed25519). The same keys, in the form in which X25519 takes them (RFC 7748,
//! 4.1), agree on secrets: a team lists one key for each person.

use openssl::bn::{BigNum, BigNumContext};
use openssl::derive::Deriver;
use openssl::error::ErrorStack;
use openssl::pkey::{Id, PKey, Private};
use openssl::sha::sha512;

use super::{PrivateKey, PublicKey};

/// The prime of the curve, 2^255 - 19, in hexadecimal.
const PRIME: &str = "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed";

/// A secret that was agreed on with the owner of a key, who is not there.
pub struct Agreement {
    /// What they need to come to the same secret.
    pub public: [u8; Self::LEN],
    /// The secret.
    pub shared: Vec<u8>,
}

impl Agreement {
    /// How many bytes its public half has.
    pub const LEN: usize = 32;

    /// Makes a key pair for this once, and agrees.
    ///
    /// # Errors
    /// When OpenSSL has no randomness, or the key is none that can be agreed with.
    pub fn with(recipient: &PublicKey) -> Result<Self, ErrorStack> {
        let ours = PKey::generate_x25519()?;
        let bytes = ours.raw_public_key()?;
        let mut public = [0; Self::LEN];
        public.copy_from_slice(&bytes);
        let shared = derive(&ours, &montgomery(recipient)?)?;
        Ok(Self { public, shared })
    }
}

impl PrivateKey {
    /// The secret that was agreed on with the public half of an [`Agreement`].
    ///
    /// # Errors
    /// When that is none.
    pub fn agree(&self, public: &[u8]) -> Result<Vec<u8>, ErrorStack> {
        let seed = sha512(&self.key.raw_private_key()?);
        let key = PKey::private_key_from_raw_bytes(&seed[..PublicKey::LEN], Id::X25519)?;
        derive(&key, public)
    }
}

fn derive(key: &PKey<Private>, peer: &[u8]) -> Result<Vec<u8>, ErrorStack> {
    let peer = PKey::public_key_from_raw_bytes(peer, Id::X25519)?;
    let mut deriver = Deriver::new(key)?;
    deriver.set_peer(&peer)?;
    deriver.derive_to_vec()
}

/// The same point as X25519 takes it: u = (1 + y) / (1 - y).
fn montgomery(key: &PublicKey) -> Result<Vec<u8>, ErrorStack> {
    let mut context = BigNumContext::new()?;
    let (prime, one) = (BigNum::from_hex_str(PRIME)?, BigNum::from_u32(1)?);
    // Numbers are stored with their last byte first; the highest bit is the sign of x.
    let mut bytes = *key.as_bytes();
    bytes[PublicKey::LEN - 1] &= 0x7f;
    bytes.reverse();
    let y = BigNum::from_slice(&bytes)?;
    let (mut above, mut below) = (BigNum::new()?, BigNum::new()?);
    above.mod_add(&one, &y, &prime, &mut context)?;
    below.mod_sub(&one, &y, &prime, &mut context)?;
    let (mut inverse, mut u) = (BigNum::new()?, BigNum::new()?);
    inverse.mod_inverse(&below, &prime, &mut context)?;
    u.mod_mul(&above, &inverse, &prime, &mut context)?;
    let mut bytes = u.to_vec_padded(32)?;
    bytes.reverse();
    Ok(bytes)
}
