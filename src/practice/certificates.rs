//! The certificates of a practice farm and tenant. Nobody trusts them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;
use jiff::civil::date;
use openssl::asn1::{Asn1Time, Asn1TimeRef};
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::{X509, X509NameBuilder};

/// A certificate and its key.
pub(super) struct Pair {
    pub(super) certificate: X509,
    pub(super) key: PKey<Private>,
}

/// What kind of key a certificate has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// As SharePoint's own, and as what the sign-in of applications takes.
    Rsa,
    /// Made in no time.
    Elliptic,
}

impl Kind {
    fn key(self) -> Result<PKey<Private>, ErrorStack> {
        match self {
            Self::Rsa => PKey::from_rsa(Rsa::generate(2048)?),
            Self::Elliptic => {
                let curve = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
                PKey::from_ec_key(EcKey::generate(&curve)?)
            }
        }
    }
}

/// A certificate that its own key signed, until an ASN.1 time such as `20310601000000Z`.
pub(super) fn make(kind: Kind, subject: &str, from: &str, until: &str) -> Result<Pair, ErrorStack> {
    let key = kind.key()?;
    let mut name = X509NameBuilder::new()?;
    name.append_entry_by_text("CN", subject)?;
    let name = name.build();
    let mut serial = BigNum::new()?;
    serial.rand(120, MsbOption::MAYBE_ZERO, false)?;
    let mut builder = X509::builder()?;
    builder.set_version(2)?;
    builder.set_serial_number(&*serial.to_asn1_integer()?)?;
    builder.set_subject_name(&name)?;
    builder.set_issuer_name(&name)?;
    builder.set_not_before(&*Asn1Time::from_str_x509(from)?)?;
    builder.set_not_after(&*Asn1Time::from_str_x509(until)?)?;
    builder.set_pubkey(&key)?;
    builder.sign(&key, MessageDigest::sha256())?;
    Ok(Pair {
        certificate: builder.build(),
        key,
    })
}

/// The certificate and its key as a PFX file, in base64.
pub(super) fn pfx(pair: &Pair, password: &str) -> Result<String, ErrorStack> {
    let file = Pkcs12::builder()
        .pkey(&pair.key)
        .cert(&pair.certificate)
        .build2(password)?;
    Ok(STANDARD.encode(file.to_der()?))
}

/// The certificate as Graph and the metadata carry it.
pub(super) fn base64(certificate: &X509) -> Result<String, ErrorStack> {
    Ok(STANDARD.encode(certificate.to_der()?))
}

/// A time of a certificate as Graph writes it. The last day of the year 9999, when a farm's own certificate ends, is
/// later than any timestamp.
pub(super) fn time(time: &Asn1TimeRef) -> Option<String> {
    let since = Asn1Time::from_unix(0).ok()?.diff(time).ok()?;
    let seconds = i64::from(since.days) * 86_400 + i64::from(since.secs);
    let time = date(1970, 1, 1)
        .at(0, 0, 0, 0)
        .checked_add(SignedDuration::from_secs(seconds));
    time.ok().map(|time| format!("{time}Z"))
}

/// The SHA-1 thumbprint, in capital letters.
pub(super) fn thumbprint(certificate: &X509) -> Result<String, ErrorStack> {
    let digest = certificate.digest(MessageDigest::sha1())?;
    Ok(digest.iter().map(|byte| format!("{byte:02X}")).collect())
}
