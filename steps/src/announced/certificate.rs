//! `certificate`: looks whether a certificate is as it must be. Announced, not yet carried out.

use runbook_engine::step::{Abilities, Check, KindDoc, Templated};
use schemars::JsonSchema;
use serde::Deserialize;

use super::Announced;
use crate::text::Period;

/// See [`KindDoc`].
pub struct Certificate;

/// The inputs of a `certificate` step: exactly one of `path` and `pem`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CertificateInputs {
    /// The file that holds it, PEM or DER, on this machine.
    pub path: Option<String>,
    /// The certificate itself, as PEM or as base64 of DER: usually what another step gave.
    pub pem: Option<String>,
    /// What must be true of it.
    #[serde(default)]
    pub checks: Checks,
}

/// What must be true of a certificate; what is not named is not checked.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Checks {
    /// For how long it must still be valid.
    pub valid_for: Option<Templated<Period>>,
    /// The common name of its subject.
    pub subject: Option<String>,
    /// The common name of its issuer.
    pub issuer: Option<String>,
    /// The DNS names that it must be valid for.
    #[serde(default)]
    pub names: Vec<String>,
    /// Its SHA-1 thumbprint, in hexadecimal, as Windows shows it.
    pub thumbprint: Option<String>,
    /// The least size of an RSA key, in bits.
    pub key_bits: Option<Templated<u32>>,
}

const TEXT: &str = r#"Reads a certificate and compares it with `checks`; it changes nothing, and never reads a private
key. What it finds is given on: `thumbprint`, `subject`, `issuer`, `not_before`, `not_after`, `names`,
`key_bits` and `der` (base64).

```yaml
steps:
  signing-certificate:
    title: The token-signing certificate is good for another month
    uses: certificate
    with:
      pem: ${{ steps.export-certificate.outputs.certificate }}
      checks: { valid_for: 30d, key_bits: 2048 }
    rehearse: { outputs: { thumbprint: 9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B } }
```
"#;

impl Announced for Certificate {
    type Inputs = CertificateInputs;

    const NAME: &'static str = "certificate";

    fn doc(&self) -> KindDoc {
        let summary = "looks whether a certificate is as it must be";
        KindDoc {
            summary,
            text: TEXT,
            scripts: &[],
            available: false,
        }
    }

    fn abilities(&self, _: &CertificateInputs) -> Abilities {
        Abilities {
            validates: true,
            undoes: false,
            by_person: false,
            read_only: true,
        }
    }

    fn check(&self, inputs: &CertificateInputs, check: &mut Check<'_>) {
        if inputs.path.is_some() == inputs.pem.is_some() {
            check.problem(
                &[],
                "exactly one of `path` and `pem` says which certificate is meant",
            );
        }
    }
}
