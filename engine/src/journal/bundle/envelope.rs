//! A bundle that only one person can open: encrypted for the owner of a key.
//!
//! The key that encrypts is agreed on between a key pair made for this file alone and the recipient's (X25519, then
//! HKDF). What is encrypted (AES-256-GCM) goes in pieces, each with its number and whether it is the last, bound to
//! the head of the file: so a piece that was changed, moved, dropped or cut off is found before it is looked at.

use std::io::{self, Read, Seek, SeekFrom, Write};

use openssl::error::ErrorStack;
use openssl::md::Md;
use openssl::pkey::Id;
use openssl::pkey_ctx::PkeyCtx;
use openssl::symm::{Cipher, decrypt_aead, encrypt_aead};

use super::BundleError;
use crate::identity::{Agreement, PrivateKey, PublicKey};

/// How a file begins that is encrypted.
const MAGIC: &[u8; 19] = b"runbook-encrypted 1";

/// How many bytes stand before the first piece: the form, whom it is for, and the public key of this file.
const HEAD: usize = MAGIC.len() + 1 + PublicKey::LEN + Agreement::LEN;

/// How many bytes are encrypted at once.
const PIECE: usize = 64 * 1024;

/// How many bytes prove a piece.
const TAG: usize = 16;

/// How many bytes make every piece's encryption another one.
const NONCE: usize = 12;

/// The key of one file, and what all its pieces are bound to.
struct Cryption {
    key: [u8; 32],
    head: [u8; HEAD],
    next: u64,
}

impl Cryption {
    fn new(shared: &[u8], head: [u8; HEAD]) -> Result<Self, ErrorStack> {
        let mut key = [0; 32];
        let mut derivation = PkeyCtx::new_id(Id::HKDF)?;
        derivation.derive_init()?;
        derivation.set_hkdf_md(Md::sha256())?;
        derivation.set_hkdf_key(shared)?;
        derivation.set_hkdf_salt(&head)?;
        derivation.add_hkdf_info(b"runbook bundle")?;
        derivation.derive(Some(&mut key))?;
        Ok(Self { key, head, next: 0 })
    }

    /// No two pieces under one key have the same: the key is the file's own, and pieces are numbered.
    fn nonce(&mut self, last: bool) -> [u8; NONCE] {
        let mut nonce = [0; NONCE];
        nonce[..8].copy_from_slice(&self.next.to_be_bytes());
        nonce[NONCE - 1] = u8::from(last);
        self.next += 1;
        nonce
    }

    fn encrypt(&mut self, piece: &[u8], last: bool) -> Result<Vec<u8>, ErrorStack> {
        let (nonce, mut tag) = (self.nonce(last), [0; TAG]);
        let cipher = Cipher::aes_256_gcm();
        let mut text = encrypt_aead(cipher, &self.key, Some(&nonce), &self.head, piece, &mut tag)?;
        text.extend(tag);
        Ok(text)
    }

    fn decrypt(&mut self, piece: &[u8], last: bool) -> Option<Vec<u8>> {
        let nonce = self.nonce(last);
        let (text, tag) = piece.split_at_checked(piece.len().checked_sub(TAG)?)?;
        decrypt_aead(
            Cipher::aes_256_gcm(),
            &self.key,
            Some(&nonce),
            &self.head,
            text,
            tag,
        )
        .ok()
    }
}

/// Encrypts what is written.
pub struct Locking<W> {
    inner: W,
    cryption: Cryption,
    piece: Vec<u8>,
}

impl<W: Write> Locking<W> {
    /// Begins a file that only the owner of this key can open.
    ///
    /// # Errors
    /// When it cannot be written, or the key is none that can be encrypted for.
    pub fn begin(mut inner: W, recipient: &PublicKey) -> io::Result<Self> {
        let Agreement { public, shared } = Agreement::with(recipient).map_err(io::Error::other)?;
        let parts = [&MAGIC[..], b"\n", recipient.as_bytes(), &public].concat();
        let head = parts.try_into().map_err(|_| io::ErrorKind::InvalidData)?;
        let cryption = Cryption::new(&shared, head)?;
        inner.write_all(&head)?;
        Ok(Self {
            inner,
            cryption,
            piece: Vec::with_capacity(PIECE),
        })
    }

    /// Ends it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self) -> io::Result<W> {
        let last = self.cryption.encrypt(&self.piece, true)?;
        self.inner.write_all(&last)?;
        Ok(self.inner)
    }
}

impl<W: Write> Write for Locking<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        // A full piece waits until there is more, since the last is encrypted as such.
        if self.piece.len() == PIECE && !buffer.is_empty() {
            let text = self.cryption.encrypt(&self.piece, false)?;
            self.inner.write_all(&text)?;
            self.piece.clear();
        }
        let taken = buffer.len().min(PIECE - self.piece.len());
        self.piece.extend(&buffer[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// For whom a file is encrypted, if it is; it is read from the beginning afterwards.
///
/// # Errors
/// When it cannot be read.
pub fn recipient(mut file: impl Read + Seek) -> io::Result<Option<PublicKey>> {
    let mut start = Vec::new();
    file.by_ref().take(HEAD as u64).read_to_end(&mut start)?;
    file.seek(SeekFrom::Start(0))?;
    let key = start
        .strip_prefix(MAGIC)
        .and_then(|rest| rest.get(1..=PublicKey::LEN));
    let key = key.and_then(|key| key.try_into().ok());
    Ok(key.map(PublicKey::new))
}

/// Reads an encrypted file as what was encrypted.
pub struct Opening<R> {
    inner: R,
    cryption: Cryption,
    /// How many bytes of the file were not read yet.
    left: u64,
    /// What was read, and how much of it was given on.
    piece: (Vec<u8>, usize),
    size: u64,
}

impl<R: Read + Seek> Opening<R> {
    /// Opens a file of so many bytes.
    ///
    /// # Errors
    /// When it is for somebody else, was cut off, or cannot be read.
    pub fn begin(mut inner: R, size: u64, key: &PrivateKey) -> Result<Self, BundleError> {
        let read = |source| BundleError::Disk {
            doing: "read",
            source,
        };
        let cut = || BundleError::Damaged("truncated: the file ends too early".to_owned());
        let left = size.checked_sub((HEAD + TAG) as u64).ok_or_else(cut)? + TAG as u64;
        let mut head = [0; HEAD];
        inner.read_exact(&mut head).map_err(read)?;
        let (before, ephemeral) = head.split_at(HEAD - Agreement::LEN);
        let (_, owner) = before.split_at(MAGIC.len() + 1);
        let yours = crate::identity::Signer::key(key);
        if owner != yours.as_bytes() {
            let owner = owner.try_into().map_err(|_| cut())?;
            return Err(BundleError::ForAnother {
                for_key: PublicKey::new(owner),
                yours: Some(yours),
            });
        }
        let altered = |_| BundleError::Damaged("changed: the first bytes of the file".to_owned());
        let shared = key.agree(ephemeral).map_err(altered)?;
        let cryption = Cryption::new(&shared, head).map_err(altered)?;
        Ok(Self {
            inner,
            cryption,
            left,
            piece: (Vec::new(), 0),
            size: left,
        })
    }

    /// How many bytes come out of it.
    pub fn size(&self) -> u64 {
        let whole = (PIECE + TAG) as u64;
        self.size - self.size.div_ceil(whole) * TAG as u64
    }

    fn next(&mut self) -> io::Result<()> {
        let whole = (PIECE + TAG) as u64;
        let mut text = Vec::new();
        let read = self
            .inner
            .by_ref()
            .take(self.left.min(whole))
            .read_to_end(&mut text)?;
        self.left -= read as u64;
        let number = self.cryption.next;
        let piece = self.cryption.decrypt(&text, self.left == 0).ok_or_else(|| {
            let at = number * whole + HEAD as u64;
            let message = format!("what is encrypted was changed or cut off, at byte {at} or behind it");
            io::Error::new(io::ErrorKind::InvalidData, message)
        })?;
        self.piece = (piece, 0);
        Ok(())
    }
}

impl<R: Read + Seek> Read for Opening<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.piece.1 == self.piece.0.len() && self.left > 0 {
            self.next()?;
        }
        let (piece, given) = &mut self.piece;
        let count = buffer.len().min(piece.len() - *given);
        buffer[..count].copy_from_slice(&piece[*given..*given + count]);
        *given += count;
        Ok(count)
    }
}

impl<R: Read + Seek> Seek for Opening<R> {
    /// Only to the beginning.
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        if to != SeekFrom::Start(0) {
            return Err(io::ErrorKind::Unsupported.into());
        }
        self.inner.seek(SeekFrom::Start(HEAD as u64))?;
        self.cryption.next = 0;
        self.left = self.size;
        self.piece = (Vec::new(), 0);
        Ok(0)
    }
}
