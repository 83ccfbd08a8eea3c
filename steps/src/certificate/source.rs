//! Where a certificate comes from: PEM, DER or PFX, in a file or as text.

use std::io::Read as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use openssl::error::ErrorStack;
use openssl::pkcs12::{ParsedPkcs12_2, Pkcs12};
use openssl::pkey::{PKey, PKeyRef, Private};
use openssl::provider::Provider;
use openssl::x509::X509;

/// The largest file that is read, in bytes: many times the largest bundle of certificates.
const LARGEST: u64 = 4 * 1024 * 1024;

/// A certificate with what stands beside it.
pub(super) struct Source {
    /// The certificate that is meant: the first of a file.
    pub(super) leaf: X509,
    /// The others: usually those who issued it.
    pub(super) others: Vec<X509>,
    /// Whether there is a private key, where a source can hold one (PFX).
    pub(super) key: Option<KeyBeside>,
}

/// What is known of the private key in a PFX. The key itself is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyBeside {
    /// It belongs to the certificate.
    Fits,
    /// It is another's.
    Foreign,
    /// There is none.
    Missing,
}

/// Why a certificate cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unreadable {
    /// The file cannot be read.
    #[error("`{0}` cannot be read: {1}")]
    File(String, std::io::Error),
    /// The file is too large to be a certificate.
    #[error("`{0}` has more than {max} bytes, which no certificate has", max = LARGEST)]
    TooLarge(String),
    /// It is in no form that is known.
    #[error("{0} holds no certificate in the form PEM, DER or PFX")]
    UnknownForm(String),
    /// It is a PFX, and the password is not its own.
    #[error("{0} is a PFX that the given password does not open")]
    WrongPassword(String),
    /// It is a PFX, and no password was given.
    #[error("{0} is a PFX, which needs `password`")]
    NeedsPassword(String),
    /// It is a PFX whose cipher this OpenSSL does not know.
    #[error("{0} is a PFX with a cipher that this OpenSSL does not know: export it anew with AES-256")]
    OldCipher(String),
    /// It is a PFX without a certificate.
    #[error("{0} is a PFX without a certificate")]
    Empty(String),
}

/// Reads at most [`LARGEST`] bytes of a file.
#[expect(
    clippy::disallowed_methods,
    reason = "a certificate is read where the step says that it lies"
)]
pub(super) fn bytes(path: &Path) -> Result<Vec<u8>, Unreadable> {
    let name = || path.display().to_string();
    let failed = |error| Unreadable::File(name(), error);
    let mut content = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(LARGEST + 1).read_to_end(&mut content))
        .map_err(failed)?;
    if content.len() as u64 > LARGEST {
        return Err(Unreadable::TooLarge(name()));
    }
    Ok(content)
}

impl Source {
    /// What a file holds.
    pub(super) fn of_file(path: &Path, password: Option<&str>) -> Result<Self, Unreadable> {
        Self::of_bytes(&bytes(path)?, password, &format!("`{}`", path.display()))
    }

    /// What a text holds: PEM, or base64 of DER.
    pub(super) fn of_text(text: &str) -> Result<Self, Unreadable> {
        let what = "the text under `pem`";
        if text.contains("-----BEGIN") {
            return Self::of_bytes(text.as_bytes(), None, what);
        }
        let bare: String = text.split_whitespace().collect();
        let der = STANDARD
            .decode(bare)
            .map_err(|_| Unreadable::UnknownForm(what.to_owned()))?;
        Self::of_bytes(&der, None, what)
    }

    fn of_bytes(content: &[u8], password: Option<&str>, what: &str) -> Result<Self, Unreadable> {
        let unknown = || Unreadable::UnknownForm(what.to_owned());
        if let Ok(leaf) = X509::from_der(content) {
            return Ok(Self {
                leaf,
                others: Vec::new(),
                key: None,
            });
        }
        if let Ok(archive) = Pkcs12::from_der(content) {
            let password = password.ok_or_else(|| Unreadable::NeedsPassword(what.to_owned()))?;
            return Self::of_archive(&archive, password, what);
        }
        let mut all = X509::stack_from_pem(content).map_err(|_| unknown())?.into_iter();
        let leaf = all.next().ok_or_else(unknown)?;
        Ok(Self {
            leaf,
            others: all.collect(),
            key: None,
        })
    }

    fn of_archive(archive: &Pkcs12, password: &str, what: &str) -> Result<Self, Unreadable> {
        let ParsedPkcs12_2 { pkey, cert, ca } = open(archive, password, what)?;
        let leaf = cert.ok_or_else(|| Unreadable::Empty(what.to_owned()))?;
        let key = match pkey {
            None => KeyBeside::Missing,
            Some(key) if belongs(&leaf, &key) => KeyBeside::Fits,
            Some(_) => KeyBeside::Foreign,
        };
        let others = ca.map(|all| all.into_iter().collect()).unwrap_or_default();
        Ok(Self {
            leaf,
            others,
            key: Some(key),
        })
    }
}

/// Opens a PFX. Older Windows servers write them with a cipher that OpenSSL has laid aside, in its `legacy` part.
fn open(archive: &Pkcs12, password: &str, what: &str) -> Result<ParsedPkcs12_2, Unreadable> {
    let wrong = |_: &ErrorStack| Unreadable::WrongPassword(what.to_owned());
    match archive.parse2(password) {
        Ok(parsed) => Ok(parsed),
        Err(errors) if is_unsupported(&errors) => {
            let _legacy = Provider::try_load(None, "legacy", true)
                .map_err(|_| Unreadable::OldCipher(what.to_owned()))?;
            archive.parse2(password).map_err(|errors| {
                if is_unsupported(&errors) {
                    Unreadable::OldCipher(what.to_owned())
                } else {
                    wrong(&errors)
                }
            })
        }
        Err(errors) => Err(wrong(&errors)),
    }
}

fn is_unsupported(errors: &ErrorStack) -> bool {
    let all = errors.errors().iter();
    all.filter_map(|error| error.reason())
        .any(|reason| reason.contains("unsupported") || reason.contains("unknown cipher"))
}

/// Whether a private key is that of a certificate.
pub(super) fn belongs(certificate: &X509, key: &PKeyRef<Private>) -> bool {
    certificate.public_key().is_ok_and(|public| public.public_eq(key))
}

/// Reads a private key without a password, in PEM.
pub(super) fn private_key(path: &Path) -> Result<PKey<Private>, String> {
    let content = bytes(path).map_err(|error| error.to_string())?;
    PKey::private_key_from_pem(&content)
        .map_err(|_| format!("`{}` is no private key in PEM without a password", path.display()))
}
