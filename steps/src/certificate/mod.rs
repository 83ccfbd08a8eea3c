//! `certificate`: looks whether a certificate is as it must be, or makes keys, requests and test certificates.

use std::path::Path;

use async_trait::async_trait;
use jiff::Timestamp;
use openssl::pkey::{PKey, Private};
use openssl::x509::X509;
use runbook_engine::step::{
    Abilities, Check, Context, Failure, FailureKind, KindDoc, Observation, Outputs, StepKind, Templated,
    Verdict,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

pub use self::checks::Checks;
pub use self::make::Create;

use self::facts::Facts;
pub(crate) use self::facts::hex;
use self::make::{KEY_BITS, Part};
use self::source::Source;
use crate::child::note;
use crate::text::absolute;

mod checks;
mod facts;
mod make;
mod source;

/// See [`KindDoc`].
pub struct Certificate;

/// The inputs of a `certificate` step: exactly one of `path`, `pem` and `create`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CertificateInputs {
    /// The file that holds it, as PEM, DER or PFX, on this machine: an absolute path.
    pub path: Option<String>,
    /// The certificate itself, as PEM or as base64 of DER: usually what another step gave.
    pub pem: Option<String>,
    /// What to make, if it is to be made.
    pub create: Option<Create>,
    /// The password of a PFX.
    pub password: Option<String>,
    /// What must be true of it.
    #[serde(default)]
    pub checks: Checks,
}

const TEXT: &str = r#"**Looking.** Reads a certificate from `path` or `pem` and compares it with `checks`; it changes nothing. A
certificate that is not valid now is never as it must be. Of a file with several certificates the first is meant, and
the others help to build its chain. Whether it was revoked is not asked.

What it finds is given on: `thumbprint`, `sha256`, `subject`, `issuer`, `serial`, `not_before`, `not_after` (UTC, to
the year 9999), `names`, `key`, `key_bits`, `signature`, `self_signed` and `der` (base64). A private key in a PFX is
compared with the certificate and never given on.

```yaml
params:
  key: { type: string, example: MIIC… }
steps:
  signing-certificate:
    title: The token-signing certificate is good for another month
    uses: certificate
    with:
      pem: ${{ params.key }}
      checks: { valid_for: 30d, key_bits: 2048 }
    rehearse: { outputs: { thumbprint: 9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B } }
```

**Making.** `create` makes what is named and is not there: a private key, a request for a certification authority, a
certificate that the key signs itself, and both together as a PFX. Nothing that is there is overwritten: a key is used,
anything else must fit, or the step fails. All are for their owner only. A rollback removes the files that the step
made, and leaves those that were there before.

```yaml
params:
  password: { type: secret }
steps:
  test-certificate:
    title: Make a certificate for the test farm
    uses: certificate
    with:
      create:
        key: /srv/farm/sts.key
        certificate: /srv/farm/sts.crt
        pfx: /srv/farm/sts.pfx
        subject: SharePoint Security Token Service
        names: [sts.contoso.example]
        valid_for: 90d
      password: ${{ params.password }}
```
"#;

/// The clock of this machine says whether a certificate is valid.
#[expect(
    clippy::disallowed_methods,
    reason = "validity is a fact about this machine now, not about the run"
)]
fn now() -> Timestamp {
    Timestamp::now()
}

#[async_trait]
impl StepKind for Certificate {
    type Inputs = CertificateInputs;

    const NAME: &'static str = "certificate";

    fn doc(&self) -> KindDoc {
        KindDoc {
            summary: "looks whether a certificate is as it must be, or makes one for tests",
            text: TEXT,
            scripts: &[],
        }
    }

    fn abilities(&self, inputs: &CertificateInputs) -> Abilities {
        Abilities {
            validates: true,
            undoes: inputs.create.is_some(),
            by_person: false,
            needs_evidence: false,
            read_only: inputs.create.is_none(),
        }
    }

    fn check(&self, inputs: &CertificateInputs, check: &mut Check<'_>) {
        let sources = [
            inputs.path.is_some(),
            inputs.pem.is_some(),
            inputs.create.is_some(),
        ];
        if sources.into_iter().filter(|&given| given).count() != 1 {
            let message =
                "exactly one of `path`, `pem` and `create` says which certificate is meant, or what to make";
            check.problem(&[], message);
        }
        let files = [
            (&["path"][..], inputs.path.as_deref()),
            (&["checks", "trusted_by"], inputs.checks.trusted_by.as_deref()),
        ];
        let made = inputs.create.iter().flat_map(|create| {
            let parts = create.parts().into_iter();
            parts.map(|(part, path)| (part, path.to_str().unwrap_or_default()))
        });
        for (place, path) in files
            .into_iter()
            .filter_map(|(at, path)| path.map(|path| (at, path)))
        {
            not_relative(place, path, check);
        }
        for (part, path) in made {
            not_relative(&["create", part.name()], path, check);
        }
        if let Some(create) = &inputs.create {
            making_makes_sense(create, inputs.password.is_some(), check);
        }
    }

    async fn validate(&self, inputs: &CertificateInputs, cx: &Context) -> Result<Observation, Failure> {
        match &inputs.create {
            Some(create) => look_at_made(create, inputs, cx),
            None => look(inputs, cx),
        }
    }

    async fn run(&self, inputs: &CertificateInputs, cx: &Context) -> Result<Outputs, Failure> {
        let Some(create) = &inputs.create else {
            // A step that only looks: what `validate` says next decides.
            return Ok(Outputs::new());
        };
        paths_are_absolute(inputs)?;
        if cx.cancel.is_cancelled() {
            return Err(stopped());
        }
        let password = inputs.password.as_deref();
        let key_file = Path::new(&create.key);
        let key = if key_file.exists() {
            source::private_key(key_file).map_err(failed)?
        } else {
            new_key(create.bits(), cx).await?
        };
        for (part, path) in create.parts() {
            if cx.cancel.is_cancelled() {
                return Err(stopped());
            }
            if path.exists() {
                create.fits(part, path, &key, password).map_err(failed)?;
                note(cx, &format!("{} is there already", path.display()));
                continue;
            }
            let content = create.content(part, &key, password, now()).map_err(failed)?;
            make::write_new(path, &content)
                .map_err(|error| failed(format!("`{}` cannot be written: {error}", path.display())))?;
            note(cx, &format!("made {}", path.display()));
        }
        Ok(Outputs::new())
    }

    async fn rollback(&self, inputs: &CertificateInputs, cx: &Context) -> Result<(), Failure> {
        let Some(create) = &inputs.create else {
            return Ok(());
        };
        paths_are_absolute(inputs)?;
        let was_there = |part: Part| {
            let before = cx.before.as_ref().and_then(|before| before.get(part.name()));
            // Without a word about it, it is not ours to remove.
            before.and_then(Value::as_bool).unwrap_or(true)
        };
        for (part, path) in create.parts().into_iter().rev() {
            if !was_there(part) && path.exists() {
                std::fs::remove_file(path)
                    .map_err(|error| failed(format!("`{}` cannot be removed: {error}", path.display())))?;
                note(cx, &format!("removed {}", path.display()));
            }
        }
        Ok(())
    }
}

fn failed(message: impl Into<String>) -> Failure {
    Failure::new(FailureKind::Failed, message)
}

fn stopped() -> Failure {
    failed("it was told to stop")
}

fn not_relative(place: &[&str], path: &str, check: &mut Check<'_>) {
    if !path.contains("${{")
        && let Err(why) = absolute(path)
    {
        check.problem(place, why);
    }
}

fn making_makes_sense(create: &Create, has_password: bool, check: &mut Check<'_>) {
    if let Some(Templated::Value(bits)) = &create.key_bits
        && !KEY_BITS.contains(bits)
    {
        check.problem(
            &["create", "key_bits"],
            format!(
                "a key has from {} to {} bits, not {bits}",
                KEY_BITS.start(),
                KEY_BITS.end()
            ),
        );
    }
    if create.subject.is_empty() || create.subject.chars().count() > 64 {
        check.problem(
            &["create", "subject"],
            "a common name has from 1 to 64 characters",
        );
    }
    if create.pfx.is_some() && create.certificate.is_none() {
        check.problem(
            &["create", "pfx"],
            "a PFX holds a certificate: name a file for it under `certificate`",
        );
    }
    if create.pfx.is_some() && !has_password {
        check.problem(
            &["create", "pfx"],
            "a PFX needs a `password`, best a secret parameter",
        );
    }
}

/// Templates may have put anything in the place of a path that was checked.
fn paths_are_absolute(inputs: &CertificateInputs) -> Result<(), Failure> {
    let made = inputs.create.iter().flat_map(Create::parts);
    let made = made.map(|(_, path)| path.to_str().unwrap_or_default());
    let given = [inputs.path.as_deref(), inputs.checks.trusted_by.as_deref()];
    let unfit = |why| Failure::new(FailureKind::Inputs, why);
    given
        .into_iter()
        .flatten()
        .chain(made)
        .try_for_each(|path| absolute(path).map(drop).map_err(unfit))
}

/// The key that is being made cannot be stopped, but nothing of it is used once the step was told to stop.
async fn new_key(bits: u32, cx: &Context) -> Result<PKey<Private>, Failure> {
    note(cx, &format!("making a key of {bits} bits"));
    let making = tokio::task::spawn_blocking(move || make::new_key(bits));
    let made = tokio::select! {
        () = cx.cancel.cancelled() => return Err(stopped()),
        made = making => made,
    };
    let fault = |error: &dyn std::error::Error| {
        Failure::new(FailureKind::Fault, format!("the key could not be made: {error}"))
    };
    made.map_err(|error| fault(&error))?
        .map_err(|error| fault(&error))
}

/// Compares what is there with what must be.
fn look(inputs: &CertificateInputs, cx: &Context) -> Result<Observation, Failure> {
    paths_are_absolute(inputs)?;
    let read = match (&inputs.path, &inputs.pem) {
        (Some(path), _) => Source::of_file(Path::new(path), inputs.password.as_deref()),
        (None, Some(text)) => Source::of_text(text),
        (None, None) => return Ok(Observation::unknown()),
    };
    let source = read.map_err(|error| failed(error.to_string()))?;
    verdict(&source, &inputs.checks, cx)
}

fn verdict(source: &Source, checks: &Checks, cx: &Context) -> Result<Observation, Failure> {
    let odd = |error: openssl::error::ErrorStack| failed(format!("the certificate cannot be read: {error}"));
    let facts = Facts::of(&source.leaf).map_err(odd)?;
    let now = now();
    note(cx, &facts.line(now));
    let roots = match &checks.trusted_by {
        Some(path) => roots(Path::new(path))?,
        None => Vec::new(),
    };
    let wrong = checks::compare(source, &facts, checks, &roots, now).map_err(odd)?;
    let outputs = facts.outputs();
    let verdict = if wrong.is_empty() {
        Verdict::Satisfied
    } else {
        Verdict::Unsatisfied(wrong.join("; "))
    };
    Ok(Observation {
        verdict,
        observed: Value::Object(outputs.clone()),
        outputs,
    })
}

fn roots(path: &Path) -> Result<Vec<X509>, Failure> {
    let content = source::bytes(path).map_err(|error| failed(error.to_string()))?;
    match X509::stack_from_pem(&content) {
        Ok(all) if !all.is_empty() => Ok(all),
        Ok(_) | Err(_) => Err(failed(format!(
            "`{}` holds no trusted root in PEM",
            path.display()
        ))),
    }
}

/// Whether all that is to be made is there and fits; then also whether it is as it must be.
fn look_at_made(create: &Create, inputs: &CertificateInputs, cx: &Context) -> Result<Observation, Failure> {
    paths_are_absolute(inputs)?;
    let password = inputs.password.as_deref();
    let wrong = create.problems(password);
    if !wrong.is_empty() {
        return Ok(Observation {
            verdict: Verdict::Unsatisfied(wrong.join("; ")),
            observed: create.present(),
            outputs: Outputs::new(),
        });
    }
    let mut outputs: Outputs = create
        .parts()
        .into_iter()
        .map(|(part, path)| (format!("{}_file", part.name()), json!(path)))
        .collect();
    let mut observation = match &create.certificate {
        None => Observation {
            verdict: Verdict::Satisfied,
            observed: Value::Null,
            outputs: Outputs::new(),
        },
        Some(path) => {
            let source = Source::of_file(Path::new(path), None).map_err(|error| failed(error.to_string()))?;
            verdict(&source, &inputs.checks, cx)?
        }
    };
    outputs.append(&mut observation.outputs);
    Ok(Observation {
        observed: create.present(),
        outputs,
        ..observation
    })
}
