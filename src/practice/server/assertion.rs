//! The statement that an application signs instead of showing a secret (RFC 7523): whether it is good.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::rsa::Padding;
use openssl::sign::{RsaPssSaltlen, Verifier};
use openssl::x509::X509;
use serde::Deserialize;

use crate::practice::scene::CLIENT;

/// By how many seconds clocks may differ.
const LEEWAY: i64 = 300;

/// Why a statement is not good.
#[derive(Debug, thiserror::Error)]
pub(super) enum Wrong {
    #[error("Client assertion is not a signed JWT that can be read.")]
    Unreadable,
    #[error(
        "Client assertion contains an invalid signature. The key was not found, or the signature does not match it."
    )]
    Signature,
    #[error("Client assertion is not within its valid time range. Current time: {0}.")]
    Time(String),
    #[error("Client assertion audience claim does not match the token endpoint: {0}.")]
    Audience(String),
    #[error("The client assertion's issuer or subject is not the application.")]
    Issuer,
    #[error("Client assertion was used before.")]
    Used,
}

impl Wrong {
    /// The number that Microsoft's sign-in gives.
    pub(super) fn number(&self) -> u32 {
        match self {
            Self::Unreadable | Self::Used => 50_027,
            Self::Signature => 700_027,
            Self::Time(_) => 700_024,
            Self::Audience(_) => 700_023,
            Self::Issuer => 700_021,
        }
    }
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    x5t: Option<String>,
    #[serde(rename = "x5t#S256")]
    x5t_sha256: Option<String>,
}

#[derive(Deserialize)]
struct Claims {
    aud: String,
    iss: String,
    sub: String,
    jti: String,
    nbf: i64,
    exp: i64,
}

/// The id of a statement that is good.
pub(super) fn check(statement: &str, audience: &str, certificate: &str) -> Result<String, Wrong> {
    let (said, signature) = statement.rsplit_once('.').ok_or(Wrong::Unreadable)?;
    let (header, claims) = said.split_once('.').ok_or(Wrong::Unreadable)?;
    let decoded = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| Wrong::Unreadable);
    let parsed: Header = serde_json::from_slice(&decoded(header)?).map_err(|_| Wrong::Unreadable)?;
    let claims: Claims = serde_json::from_slice(&decoded(claims)?).map_err(|_| Wrong::Unreadable)?;
    let good = STANDARD
        .decode(certificate)
        .ok()
        .and_then(|der| X509::from_der(&der).ok())
        .and_then(|known| is_signed(&parsed, said.as_bytes(), &decoded(signature).ok()?, &known).ok())
        .unwrap_or(false);
    if !good {
        return Err(Wrong::Signature);
    }
    let now = jiff::Timestamp::now();
    let seconds = now.as_second();
    if claims.nbf > seconds + LEEWAY || claims.exp < seconds - LEEWAY {
        return Err(Wrong::Time(now.to_string()));
    }
    if claims.aud != audience {
        return Err(Wrong::Audience(claims.aud));
    }
    if claims.iss != CLIENT || claims.sub != CLIENT {
        return Err(Wrong::Issuer);
    }
    Ok(claims.jti)
}

fn is_signed(header: &Header, said: &[u8], signature: &[u8], known: &X509) -> Result<bool, ErrorStack> {
    let named = |digest, given: &Option<String>| -> Result<bool, ErrorStack> {
        let Some(given) = given else { return Ok(false) };
        Ok(*given == URL_SAFE_NO_PAD.encode(known.digest(digest)?))
    };
    if !named(MessageDigest::sha256(), &header.x5t_sha256)? && !named(MessageDigest::sha1(), &header.x5t)? {
        return Ok(false);
    }
    let key = known.public_key()?;
    let mut verifier = Verifier::new(MessageDigest::sha256(), &key)?;
    match header.alg.as_str() {
        "RS256" => {}
        "PS256" => {
            verifier.set_rsa_padding(Padding::PKCS1_PSS)?;
            verifier.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH)?;
            verifier.set_rsa_mgf1_md(MessageDigest::sha256())?;
        }
        _ => return Ok(false),
    }
    verifier.verify_oneshot(signature, said)
}
