//! Keys, requests and test certificates that a step makes.

use std::io::Write as _;
use std::path::Path;

use jiff::Timestamp;
use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::stack::Stack;
use openssl::x509::extension::{BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName};
use openssl::x509::{X509, X509Name, X509NameBuilder, X509Req};
use runbook_engine::platform::private;
use runbook_engine::step::Templated;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::facts::Facts;
use super::source::{self, Source};
use crate::text::Period;

/// What a step makes. Files that are there already are used or refused, and never overwritten.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Create {
    /// The file for the private key (PEM), for its owner only. Where it is there already, it is used.
    pub key: String,
    /// The file for a request to a certification authority (PEM).
    pub request: Option<String>,
    /// The file for a certificate that the key signs itself (PEM): for tests, and for trust that is set up by hand.
    pub certificate: Option<String>,
    /// The file for key and certificate together (PFX), for its owner only; needs `certificate` and `password`.
    pub pfx: Option<String>,
    /// The common name of the subject.
    pub subject: String,
    /// The DNS names under "subject alternative name".
    #[serde(default)]
    pub names: Vec<String>,
    /// For how long the certificate is valid; 30 days where it is left out.
    pub valid_for: Option<Templated<Period>>,
    /// The size of the RSA key, in bits, from 2048 to 8192; 3072 where it is left out.
    pub key_bits: Option<Templated<u32>>,
}

/// The sizes of keys that are made, in bits.
pub(super) const KEY_BITS: std::ops::RangeInclusive<u32> = 2048..=8192;

const VALID_FOR: Period = Period::seconds(30 * 24 * 60 * 60);

/// One of the files that a step makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Key,
    Request,
    Certificate,
    Pfx,
}

impl Part {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Request => "request",
            Self::Certificate => "certificate",
            Self::Pfx => "pfx",
        }
    }
}

impl Create {
    /// The files that are wanted, in the order in which they are made.
    pub(super) fn parts(&self) -> Vec<(Part, &Path)> {
        let optional = [
            (Part::Request, &self.request),
            (Part::Certificate, &self.certificate),
            (Part::Pfx, &self.pfx),
        ];
        let optional = optional
            .into_iter()
            .filter_map(|(part, path)| path.as_deref().map(|path| (part, Path::new(path))));
        std::iter::once((Part::Key, Path::new(&self.key)))
            .chain(optional)
            .collect()
    }

    pub(super) fn bits(&self) -> u32 {
        let bits = self.key_bits.as_ref().and_then(Templated::get);
        bits.copied().unwrap_or(3072)
    }

    /// Which files are there: what a rollback leaves alone.
    pub(super) fn present(&self) -> Value {
        let parts = self.parts().into_iter();
        let all = parts.map(|(part, path)| (part.name().to_owned(), json!(path.exists())));
        Value::Object(all.collect())
    }

    /// What is missing, or is there and is something else.
    pub(super) fn problems(&self, password: Option<&str>) -> Vec<String> {
        let missing = |path: &Path| format!("`{}` is not there", path.display());
        let mut key = None;
        let mut wrong = Vec::new();
        for (part, path) in self.parts() {
            if !path.exists() {
                wrong.push(missing(path));
                continue;
            }
            let fits = match (part, &key) {
                (Part::Key, _) => source::private_key(path).map(|found| key = Some(found)),
                (_, Some(key)) => self.fits(part, path, key, password),
                (_, None) => Ok(()),
            };
            wrong.extend(fits.err());
        }
        wrong
    }

    /// Whether a file that is there is what this step would make.
    pub(super) fn fits(
        &self,
        part: Part,
        path: &Path,
        key: &PKey<Private>,
        password: Option<&str>,
    ) -> Result<(), String> {
        let other = |why: &str| format!("`{}` is there, and is something else: {why}", path.display());
        match part {
            Part::Key => Ok(()),
            Part::Request => {
                let content = source::bytes(path).map_err(|error| error.to_string())?;
                let request = X509Req::from_pem(&content).map_err(|_| other("it is no request in PEM"))?;
                match request.verify(key) {
                    Ok(true) => Ok(()),
                    Ok(false) | Err(_) => Err(other("another key signed the request")),
                }
            }
            Part::Certificate | Part::Pfx => {
                let found = Source::of_file(path, password).map_err(|error| error.to_string())?;
                if !source::belongs(&found.leaf, key) {
                    return Err(other("the certificate belongs to another key"));
                }
                let facts = Facts::of(&found.leaf).map_err(|error| error.to_string())?;
                if facts.subject_name.as_deref() != Some(self.subject.as_str()) {
                    return Err(other(&format!("the certificate is for `{}`", facts.subject)));
                }
                if facts.names != self.names {
                    return Err(other("the certificate has other names"));
                }
                Ok(())
            }
        }
    }

    /// The content of a part.
    pub(super) fn content(
        &self,
        part: Part,
        key: &PKey<Private>,
        password: Option<&str>,
        now: Timestamp,
    ) -> Result<Vec<u8>, String> {
        let made = match part {
            Part::Key => key.private_key_to_pem_pkcs8(),
            Part::Request => self.request(key).and_then(|request| request.to_pem()),
            Part::Certificate => self.self_signed(key, now).and_then(|made| made.to_pem()),
            Part::Pfx => {
                let path = self.certificate.as_deref().unwrap_or_default();
                let certificate =
                    Source::of_file(Path::new(path), None).map_err(|error| error.to_string())?;
                Pkcs12::builder()
                    .name(&self.subject)
                    .pkey(key)
                    .cert(&certificate.leaf)
                    .build2(password.unwrap_or_default())
                    .and_then(|archive| archive.to_der())
            }
        };
        made.map_err(|error| format!("the {} could not be made: {error}", part.name()))
    }

    fn request(&self, key: &PKey<Private>) -> Result<X509Req, ErrorStack> {
        let mut request = X509Req::builder()?;
        request.set_subject_name(&*common_name(&self.subject)?)?;
        request.set_pubkey(key)?;
        if !self.names.is_empty() {
            let mut extensions = Stack::new()?;
            extensions.push(self.alternative().build(&request.x509v3_context(None))?)?;
            request.add_extensions(&extensions)?;
        }
        request.sign(key, MessageDigest::sha256())?;
        Ok(request.build())
    }

    fn self_signed(&self, key: &PKey<Private>, now: Timestamp) -> Result<X509, ErrorStack> {
        let name = common_name(&self.subject)?;
        let mut serial = BigNum::new()?;
        serial.rand(127, MsbOption::ONE, false)?;
        let length = self
            .valid_for
            .as_ref()
            .and_then(Templated::get)
            .unwrap_or(&VALID_FOR);
        let until = i64::try_from(length.get().as_secs()).unwrap_or(i64::MAX);
        let mut made = X509::builder()?;
        made.set_version(2)?;
        made.set_serial_number(&*serial.to_asn1_integer()?)?;
        made.set_subject_name(&name)?;
        made.set_issuer_name(&name)?;
        made.set_pubkey(key)?;
        made.set_not_before(&*Asn1Time::from_unix(now.as_second())?)?;
        made.set_not_after(&*Asn1Time::from_unix(now.as_second().saturating_add(until))?)?;
        made.append_extension(BasicConstraints::new().critical().build()?)?;
        let usage = KeyUsage::new()
            .critical()
            .digital_signature()
            .key_encipherment()
            .build()?;
        made.append_extension(usage)?;
        made.append_extension(ExtendedKeyUsage::new().server_auth().client_auth().build()?)?;
        if !self.names.is_empty() {
            let names = self.alternative().build(&made.x509v3_context(None, None))?;
            made.append_extension(names)?;
        }
        made.sign(key, MessageDigest::sha256())?;
        Ok(made.build())
    }

    fn alternative(&self) -> SubjectAlternativeName {
        let mut names = SubjectAlternativeName::new();
        for name in &self.names {
            names.dns(name);
        }
        names
    }
}

/// A new private key. Takes up to some seconds.
pub(super) fn new_key(bits: u32) -> Result<PKey<Private>, ErrorStack> {
    PKey::from_rsa(Rsa::generate(bits)?)
}

fn common_name(name: &str) -> Result<X509Name, ErrorStack> {
    let mut builder = X509NameBuilder::new()?;
    builder.append_entry_by_nid(Nid::COMMONNAME, name)?;
    Ok(builder.build())
}

/// Writes a file that was not there, whole or not at all, for its owner only.
pub(super) fn write_new(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = private::unfinished_file(folder, ".runbook-")?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path).map_err(|error| error.error)?;
    private::sync_folder(folder)
}
