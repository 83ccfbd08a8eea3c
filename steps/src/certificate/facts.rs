//! What a certificate says of itself.

use std::fmt::{self, Write as _};
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};
use openssl::asn1::{Asn1Time, Asn1TimeRef};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::Id;
use openssl::x509::{X509NameRef, X509Ref};
use serde_json::json;

use runbook_engine::step::Outputs;

const DAY: i64 = 24 * 60 * 60;

/// A moment in a certificate, in seconds since 1970. Certificates reach to the last second of the year 9999, which
/// [`Timestamp`] does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment(pub(super) i64);

impl Moment {
    fn of(time: &Asn1TimeRef) -> Result<Self, ErrorStack> {
        let since = Asn1Time::from_unix(0)?.diff(time)?;
        Ok(Self(i64::from(since.days) * DAY + i64::from(since.secs)))
    }

    /// How many seconds lie between `now` and this moment; less than none once it has passed.
    pub(super) fn after(self, now: Timestamp) -> i64 {
        self.0 - now.as_second()
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let epoch = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
        match epoch.checked_add(SignedDuration::from_secs(self.0)) {
            Ok(time) => write!(f, "{time}Z"),
            Err(_) => write!(f, "{} s after 1970", self.0),
        }
    }
}

/// How far away a moment is, for people: `in 36 days`, `2 days ago`, `in 7973 years`.
pub(super) fn distance(seconds: i64) -> String {
    let days = seconds.abs() / DAY;
    let amount = match days {
        0 => "less than a day".to_owned(),
        1 => "1 day".to_owned(),
        days if days < 3 * 365 => format!("{days} days"),
        days => format!("{} years", days / 365),
    };
    if seconds < 0 {
        format!("{amount} ago")
    } else {
        format!("in {amount}")
    }
}

/// What is to be known of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) thumbprint: String,
    pub(super) sha256: String,
    pub(super) subject: String,
    pub(super) subject_name: Option<String>,
    pub(super) issuer: String,
    pub(super) issuer_name: Option<String>,
    pub(super) serial: String,
    pub(super) not_before: Moment,
    pub(super) not_after: Moment,
    /// The names under "subject alternative name": DNS names and addresses.
    pub(super) names: Vec<String>,
    pub(super) key: KeyKind,
    pub(super) key_bits: u32,
    /// The algorithm of its signature, as OpenSSL names it.
    pub(super) signature: String,
    pub(super) self_signed: bool,
    pub(super) der: Vec<u8>,
}

/// The kind of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyKind {
    Rsa,
    Ec,
    Ed25519,
    Ed448,
    Other,
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rsa => "RSA",
            Self::Ec => "EC",
            Self::Ed25519 => "Ed25519",
            Self::Ed448 => "Ed448",
            Self::Other => "other",
        })
    }
}

impl Facts {
    pub(super) fn of(certificate: &X509Ref) -> Result<Self, ErrorStack> {
        let key = certificate.public_key()?;
        let names = certificate.subject_alt_names();
        let names = names.iter().flatten().filter_map(|name| {
            let address = || name.ipaddress().and_then(address);
            name.dnsname().map(str::to_owned).or_else(address)
        });
        let signature = certificate.signature_algorithm().object().nid().long_name();
        Ok(Self {
            thumbprint: hex(&certificate.digest(MessageDigest::sha1())?),
            sha256: hex(&certificate.digest(MessageDigest::sha256())?),
            subject: whole_name(certificate.subject_name()),
            subject_name: common_name(certificate.subject_name()),
            issuer: whole_name(certificate.issuer_name()),
            issuer_name: common_name(certificate.issuer_name()),
            serial: certificate.serial_number().to_bn()?.to_hex_str()?.to_string(),
            not_before: Moment::of(certificate.not_before())?,
            not_after: Moment::of(certificate.not_after())?,
            names: names.collect(),
            key: match key.id() {
                Id::RSA | Id::RSA_PSS => KeyKind::Rsa,
                Id::EC => KeyKind::Ec,
                Id::ED25519 => KeyKind::Ed25519,
                Id::ED448 => KeyKind::Ed448,
                _ => KeyKind::Other,
            },
            key_bits: key.bits(),
            signature: signature.unwrap_or("unknown").to_owned(),
            self_signed: certificate.verify(&key)?,
            der: certificate.to_der()?,
        })
    }

    /// What the step gives to later ones.
    pub(super) fn outputs(&self) -> Outputs {
        Outputs::from_iter([
            ("thumbprint".to_owned(), json!(self.thumbprint)),
            ("sha256".to_owned(), json!(self.sha256)),
            ("subject".to_owned(), json!(self.subject)),
            ("issuer".to_owned(), json!(self.issuer)),
            ("serial".to_owned(), json!(self.serial)),
            ("not_before".to_owned(), json!(self.not_before.to_string())),
            ("not_after".to_owned(), json!(self.not_after.to_string())),
            ("names".to_owned(), json!(self.names)),
            ("key".to_owned(), json!(self.key.to_string())),
            ("key_bits".to_owned(), json!(self.key_bits)),
            ("signature".to_owned(), json!(self.signature)),
            ("self_signed".to_owned(), json!(self.self_signed)),
            ("der".to_owned(), json!(STANDARD.encode(&self.der))),
        ])
    }

    /// One line for people, for the transcript.
    pub(super) fn line(&self, now: Timestamp) -> String {
        let left = self.not_after.after(now);
        let word = if left < 0 { "expired" } else { "expires" };
        let mut line = format!("{}: {word} {} ({})", self.subject, self.not_after, distance(left));
        let _infallible = write!(
            line,
            ", {} of {} bits, thumbprint {}",
            self.key, self.key_bits, self.thumbprint
        );
        line
    }
}

/// Bytes in hexadecimal, as Windows shows thumbprints.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _infallible = write!(text, "{byte:02X}");
        text
    })
}

fn address(bytes: &[u8]) -> Option<String> {
    let four = <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from);
    let sixteen = || <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from);
    four.or_else(sixteen).map(|address| address.to_string())
}

fn common_name(name: &X509NameRef) -> Option<String> {
    let entry = name.entries_by_nid(Nid::COMMONNAME).last()?;
    entry.data().to_string().ok()
}

/// A name as Windows and most tools write it: `CN=web, O=Contoso`, the most special part first.
fn whole_name(name: &X509NameRef) -> String {
    let mut parts: Vec<String> = name
        .entries()
        .map(|entry| {
            let key = entry.object().nid().short_name().unwrap_or("?");
            let value = entry.data().to_string().unwrap_or_else(|_| "?".to_owned());
            format!("{key}={value}")
        })
        .collect();
    parts.reverse();
    parts.join(", ")
}
