//! What an application shows instead of a password: a statement signed with its certificate's key (RFC 7523).

use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Padding;
use openssl::sign::{RsaPssSaltlen, Signer};
use openssl::x509::X509;
use runbook_engine::step::{Failure, FailureKind};
use serde_json::json;

use crate::text::absolute;
use crate::web::edge;

/// How long a statement is good, in seconds.
const GOOD_FOR: i64 = 300;

/// The largest file of a certificate, in bytes.
const LARGEST: u64 = 1024 * 1024;

/// The statement that this application asks for a token, for the sign-in at `audience`.
pub(super) fn signed(
    certificate: &str,
    password: Option<&str>,
    client_id: &str,
    audience: &str,
) -> Result<String, Failure> {
    let (certificate, key) = read(certificate, password)?;
    let wrong = |error: ErrorStack| {
        Failure::new(
            FailureKind::Inputs,
            format!("the application's certificate cannot sign: {error}"),
        )
    };
    let digest = certificate.digest(MessageDigest::sha256()).map_err(wrong)?;
    let now = edge::time().as_second();
    let header = json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": URL_SAFE_NO_PAD.encode(digest) });
    let claims = json!({
        "aud": audience, "iss": client_id, "sub": client_id, "jti": edge::new_id(),
        "nbf": now, "iat": now, "exp": now + GOOD_FOR,
    });
    let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let said = format!("{}.{}", part(&header), part(&claims));
    let signature = signature(&key, said.as_bytes()).map_err(wrong)?;
    Ok(format!("{said}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

fn signature(key: &PKey<Private>, said: &[u8]) -> Result<Vec<u8>, ErrorStack> {
    let mut signer = Signer::new(MessageDigest::sha256(), key)?;
    signer.set_rsa_padding(Padding::PKCS1_PSS)?;
    signer.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH)?;
    signer.set_rsa_mgf1_md(MessageDigest::sha256())?;
    signer.sign_oneshot_to_vec(said)
}

/// The certificate and its key: from PEM text, or from a file in PEM or PFX.
#[expect(
    clippy::disallowed_methods,
    reason = "a certificate is read where the step says that it lies"
)]
fn read(given: &str, password: Option<&str>) -> Result<(X509, PKey<Private>), Failure> {
    let wrong = |message: String| Failure::new(FailureKind::Inputs, message);
    let bytes = if given.contains("-----BEGIN") {
        given.as_bytes().to_vec()
    } else {
        let path = absolute(given).map_err(|why| wrong(format!("the application's certificate: {why}")))?;
        let unreadable = |error| wrong(format!("`{given}` cannot be read: {error}"));
        let file = std::fs::File::open(path).map_err(unreadable)?;
        let mut bytes = Vec::new();
        file.take(LARGEST).read_to_end(&mut bytes).map_err(unreadable)?;
        bytes
    };
    let password = password.unwrap_or_default();
    let pem = || {
        let certificate = X509::from_pem(&bytes).ok()?;
        let key = PKey::private_key_from_pem_passphrase(&bytes, password.as_bytes()).ok()?;
        Some((certificate, key))
    };
    let pfx = || {
        let parsed = Pkcs12::from_der(&bytes).ok()?.parse2(password).ok()?;
        parsed.cert.zip(parsed.pkey)
    };
    pem().or_else(pfx).ok_or_else(|| {
        wrong(
            "the application's certificate cannot be used: it needs its private key beside it, in PEM or PFX, and the right `password` (RB0320)"
                .to_owned(),
        )
    })
}
