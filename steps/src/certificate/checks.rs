//! What must be true of a certificate, compared with what it says.

use jiff::Timestamp;
use openssl::error::ErrorStack;
use openssl::stack::Stack;
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::verify::X509VerifyFlags;
use openssl::x509::{X509, X509StoreContext, X509VerifyResult};
use runbook_engine::step::Templated;
use schemars::JsonSchema;
use serde::Deserialize;

use super::facts::{Facts, KeyKind, distance};
use super::source::{KeyBeside, Source};
use crate::text::Period;

/// What must be true of a certificate; what is not named is not checked, but that it is valid now.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Checks {
    /// For how long it must still be valid.
    pub valid_for: Option<Templated<Period>>,
    /// Whether it may have expired already; where it must be at hand all the same.
    pub may_be_expired: Option<Templated<bool>>,
    /// The common name of its subject.
    pub subject: Option<String>,
    /// The common name of its issuer.
    pub issuer: Option<String>,
    /// The DNS names that it must be valid for; a name of the certificate may be `*.example.com`.
    #[serde(default)]
    pub names: Vec<String>,
    /// Its SHA-1 thumbprint, in hexadecimal, as Windows shows it; spaces and colons do not matter.
    pub thumbprint: Option<String>,
    /// The least size of an RSA key, in bits; a key on an elliptic curve must be as
    /// strong, with fewer.
    pub key_bits: Option<Templated<u32>>,
    /// A file (PEM) with the roots that are trusted: the chain must lead to one of them. Certificates in between
    /// may stand beside the certificate, or in this file.
    pub trusted_by: Option<String>,
    /// Whether its private key must be there too (PFX only).
    pub private_key: Option<Templated<bool>>,
}

/// What is wrong, one sentence each; nothing where everything is as it must be.
pub(super) fn compare(
    source: &Source,
    facts: &Facts,
    checks: &Checks,
    roots: &[X509],
    now: Timestamp,
) -> Result<Vec<String>, ErrorStack> {
    let mut wrong = Vec::new();
    validity(facts, checks, now, &mut wrong);
    names(facts, checks, &mut wrong);
    strength(facts, checks, &mut wrong);
    if let Some(wanted) = &checks.thumbprint {
        let bare: String = wanted.chars().filter(char::is_ascii_hexdigit).collect();
        if !bare.eq_ignore_ascii_case(&facts.thumbprint) {
            wrong.push(format!(
                "its thumbprint is {}, and should be {}",
                facts.thumbprint,
                bare.to_ascii_uppercase()
            ));
        }
    }
    if checks.trusted_by.is_some() {
        wrong.extend(chain(source, roots)?);
    }
    match (checks.private_key.as_ref().and_then(Templated::get), source.key) {
        (Some(true), None | Some(KeyBeside::Missing)) => {
            wrong.push("its private key is not there".to_owned());
        }
        (Some(true), Some(KeyBeside::Foreign)) => {
            wrong.push("the private key beside it is not its own".to_owned());
        }
        (Some(false), Some(KeyBeside::Fits | KeyBeside::Foreign)) => {
            wrong.push("a private key is there, and should not be".to_owned());
        }
        _ => {}
    }
    Ok(wrong)
}

fn validity(facts: &Facts, checks: &Checks, now: Timestamp, wrong: &mut Vec<String>) {
    let (starts, left) = (facts.not_before.after(now), facts.not_after.after(now));
    if starts > 0 {
        wrong.push(format!(
            "it is valid only from {} on ({})",
            facts.not_before,
            distance(starts)
        ));
    }
    let may_be_expired = checks.may_be_expired.as_ref().and_then(Templated::get);
    if left < 0 && may_be_expired == Some(&true) {
        return;
    }
    if left < 0 {
        wrong.push(format!("it expired {} ({})", facts.not_after, distance(left)));
    } else if let Some(&needed) = checks.valid_for.as_ref().and_then(Templated::get)
        && left < i64::try_from(needed.get().as_secs()).unwrap_or(i64::MAX)
    {
        wrong.push(format!(
            "it expires {} ({}), sooner than {needed} from now",
            facts.not_after,
            distance(left)
        ));
    }
}

fn names(facts: &Facts, checks: &Checks, wrong: &mut Vec<String>) {
    let pairs = [
        ("subject", &checks.subject, &facts.subject_name, &facts.subject),
        ("issuer", &checks.issuer, &facts.issuer_name, &facts.issuer),
    ];
    for (what, wanted, found, whole) in pairs {
        if let Some(wanted) = wanted
            && found.as_ref() != Some(wanted)
        {
            wrong.push(format!(
                "its {what} is `{whole}`, and should have the name `{wanted}`"
            ));
        }
    }
    let missing: Vec<String> = checks
        .names
        .iter()
        .filter(|name| !covers(facts, name))
        .map(|name| format!("`{name}`"))
        .collect();
    if !missing.is_empty() {
        let has = if facts.names.is_empty() {
            "none".to_owned()
        } else {
            facts.names.join(", ")
        };
        wrong.push(format!(
            "it is not valid for {} (its names: {has})",
            missing.join(", ")
        ));
    }
}

/// Whether a certificate is valid for a name. The common name counts only where there are no others, as in
/// certificates that farms made for themselves.
fn covers(facts: &Facts, wanted: &str) -> bool {
    let common = facts.subject_name.iter().filter(|_| facts.names.is_empty());
    facts.names.iter().chain(common).any(|name| matches(name, wanted))
}

/// Whether a name of a certificate, which may begin with `*.`, stands for this one. The star is exactly one label.
fn matches(name: &str, wanted: &str) -> bool {
    let (name, wanted) = (name.trim_end_matches('.'), wanted.trim_end_matches('.'));
    if name.eq_ignore_ascii_case(wanted) {
        return true;
    }
    match (name.strip_prefix("*."), wanted.split_once('.')) {
        (Some(domain), Some((label, rest))) => {
            !label.is_empty() && label != "*" && domain.contains('.') && domain.eq_ignore_ascii_case(rest)
        }
        _ => false,
    }
}

fn strength(facts: &Facts, checks: &Checks, wrong: &mut Vec<String>) {
    let Some(&least) = checks.key_bits.as_ref().and_then(Templated::get) else {
        return;
    };
    let least = match facts.key {
        KeyKind::Rsa => least,
        KeyKind::Ec | KeyKind::Ed25519 | KeyKind::Ed448 => on_a_curve(least),
        KeyKind::Other => {
            wrong.push("the strength of its key cannot be told".to_owned());
            return;
        }
    };
    if facts.key_bits < least {
        wrong.push(format!(
            "its key ({}) has only {} bits",
            facts.key, facts.key_bits
        ));
    }
    if ["md5", "sha1"]
        .iter()
        .any(|weak| facts.signature.to_ascii_lowercase().contains(weak))
    {
        wrong.push(format!("its signature ({}) is weak", facts.signature));
    }
}

/// How many bits on an elliptic curve are as strong as an RSA key (NIST SP 800-57 part 1, table 2).
fn on_a_curve(rsa_bits: u32) -> u32 {
    match rsa_bits {
        ..=1024 => 160,
        1025..=2048 => 224,
        2049..=3072 => 256,
        3073..=7680 => 384,
        7681.. => 512,
    }
}

/// What is wrong with the chain from a certificate to the roots, if anything. Validity in time is judged elsewhere.
fn chain(source: &Source, roots: &[X509]) -> Result<Option<String>, ErrorStack> {
    let mut store = X509StoreBuilder::new()?;
    store.set_flags(X509VerifyFlags::NO_CHECK_TIME)?;
    let mut between = Stack::new()?;
    for certificate in roots {
        store.add_cert(certificate.clone())?;
    }
    for certificate in &source.others {
        between.push(certificate.clone())?;
    }
    let store = store.build();
    let mut context = X509StoreContext::new()?;
    let result = context.init(&store, &source.leaf, &between, |context| {
        context.verify_cert()?;
        Ok(context.error())
    })?;
    Ok((result != X509VerifyResult::OK).then(|| {
        format!(
            "its chain does not lead to a trusted root: {}",
            result.error_string()
        )
    }))
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_one_label() {
        assert!(matches("*.contoso.com", "web1.Contoso.com"));
        assert!(matches("Web1.contoso.com.", "web1.contoso.com"));
        assert!(!matches("*.contoso.com", "contoso.com"));
        assert!(!matches("*.contoso.com", "a.web1.contoso.com"));
        assert!(!matches("*.com", "contoso.com"));
        assert!(!matches("*.contoso.com", ".contoso.com"));
        assert!(!matches("w*.contoso.com", "web1.contoso.com"));
    }
}
