//! Sign-in at a certified OpenID provider, laid out as Microsoft's is.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::x509::X509;
use runbook_engine::step::{FailureKind, Purpose};
use runbook_steps::graph::Endpoints;
use serde_json::{Value, json};

use super::tenant::{ID, State, Steps, Tenant, certificate};

/// A secret of everything that a form might get wrong.
const SECRET: &str = "s3cret&more=%+ '\"<";

struct Provider {
    process: Child,
    port: u16,
    certificate: String,
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ended = self.process.kill();
        let _ended = self.process.wait();
    }
}

impl Provider {
    /// A provider for a tenant's Graph. Where it is not installed, the test that asks tests nothing, and this says so.
    #[expect(
        clippy::print_stderr,
        reason = "whoever reads the tests' output must learn what was not tested"
    )]
    fn start(tenant: &Tenant) -> Option<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/peers");
        let node = Command::new("node").arg("--version").output();
        if !folder.join("node_modules/oidc-provider").is_dir() || node.is_err() {
            assert!(
                std::env::var_os("RUNBOOK_TEST_OPENID").is_none(),
                "scripts/setup --ci installs Node.js and `oidc-provider`"
            );
            eprintln!("NOT TESTED: no OpenID provider; `scripts/setup --ci` installs one");
            return None;
        }
        let certificate = certificate();
        let key = X509::from_pem(certificate.as_bytes())
            .unwrap()
            .public_key()
            .unwrap()
            .rsa()
            .unwrap();
        let encoded = |number: &openssl::bn::BigNumRef| URL_SAFE_NO_PAD.encode(number.to_vec());
        let jwk = json!({ "kty": "RSA", "n": encoded(key.n()), "e": encoded(key.e()) });
        let graph = tenant.server.url("");
        let mut process = Command::new("node")
            .current_dir(&folder)
            .args(["openid.mjs", ID, &graph, SECRET, &jwk.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        Some(Self {
            process,
            port: line.trim().parse().unwrap(),
            certificate,
        })
    }

    fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn steps(&self, tenant: &Tenant, sign_in: &Value) -> Steps {
        let endpoints = Endpoints {
            graph: Some(tenant.server.url("")),
            sign_in: Some(self.address()),
        };
        let session = json!({ "tenant": ID, "scopes": ["Application.ReadWrite.All"], "sign_in": sign_in });
        Steps::new(endpoints, session)
    }

    /// What a person does in a browser, once these steps show a code.
    async fn decides(&self, act: &str, steps: &Steps) {
        steps
            .recorder
            .until(|recorder| !recorder.shown().is_empty())
            .await;
        let code = code(&steps.recorder.shown()[0]);
        let url = format!("{}/test/{act}/{code}", self.address());
        reqwest::get(url).await.unwrap().error_for_status().unwrap();
    }
}

fn look() -> Value {
    json!({ "validate": { "path": "/x", "satisfied": "true" } })
}

/// The code in what a person was shown.
fn code(shown: &str) -> String {
    let (_, rest) = shown.split_once("enter the code ").unwrap();
    rest.split(' ').next().unwrap().to_owned()
}

#[tokio::test]
async fn an_application_signs_in_with_a_secret_or_a_certificate() {
    let tenant = Tenant::new(State::default());
    let Some(provider) = Provider::start(&tenant) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app.pem");
    std::fs::write(&file, &provider.certificate).unwrap();
    for sign_in in [
        json!({ "client_id": "with-secret", "client_secret": SECRET }),
        json!({ "client_id": "with-certificate", "certificate": provider.certificate }),
        json!({ "client_id": "with-certificate", "certificate": file }),
    ] {
        let steps = provider.steps(&tenant, &sign_in);
        steps.validate(Purpose::Before, &look()).await.unwrap();
        let told = format!("{}{:?}", steps.recorder.all(), steps.recorder.shown());
        assert!(
            told.contains("signed in to the tenant") && !told.contains("s3cret"),
            "{told}"
        );
    }
    let asked = tenant.graph();
    assert_eq!(asked.len(), 3);
    assert!(
        asked
            .iter()
            .all(|one| one.header("authorization").unwrap().len() > 20)
    );
}

#[tokio::test]
async fn who_is_refused_is_told_why() {
    let tenant = Tenant::new(State::default());
    let Some(provider) = Provider::start(&tenant) else {
        return;
    };
    let other = certificate();
    for (sign_in, told) in [
        (
            json!({ "client_id": "with-secret", "client_secret": "wrong-s3cret" }),
            "invalid_client",
        ),
        (
            json!({ "client_id": "with-certificate", "certificate": other }),
            "invalid_client",
        ),
        (
            json!({ "client_id": "nobody", "client_secret": SECRET }),
            "invalid_client",
        ),
        (
            json!({ "client_id": "with-certificate", "certificate": "/nowhere/app.pem" }),
            "cannot be read",
        ),
        (
            json!({ "client_id": "with-certificate", "certificate": "app.pem" }),
            "absolute path",
        ),
        (json!({ "client_id": "unknown-person" }), "invalid_client"),
    ] {
        let steps = provider.steps(&tenant, &sign_in);
        let failure = steps.validate(Purpose::Before, &look()).await.unwrap_err();
        assert!(failure.message.contains(told), "{}", failure.message);
        assert!(!failure.message.contains("s3cret"), "{}", failure.message);
        assert!(
            failure.kind == FailureKind::Inputs || failure.message.contains("RB0320"),
            "{}",
            failure.message
        );
    }
    assert_eq!(tenant.asked(), [""; 0]);
}

#[tokio::test]
async fn a_person_signs_in_with_a_code_that_is_shown_and_kept_nowhere() {
    let tenant = Tenant::new(State::default());
    let Some(provider) = Provider::start(&tenant) else {
        return;
    };
    let steps = provider.steps(&tenant, &json!({ "client_id": "person" }));
    let with = look();
    let person = provider.decides("approve", &steps);
    let (found, ()) = tokio::join!(steps.validate(Purpose::Before, &with), person);
    found.unwrap();
    let shown = steps.recorder.shown();
    assert!(
        shown[0].contains(&format!("http://127.0.0.1:{}/", provider.port)),
        "{shown:?}"
    );
    let kept = steps.recorder.all();
    assert!(kept.contains("waits until somebody signs in"), "{kept}");
    assert!(!kept.contains(&code(&shown[0])), "{kept}");
    // The next step of the session asks nobody.
    steps.validate(Purpose::After, &with).await.unwrap();
    assert_eq!(steps.recorder.shown().len(), shown.len());
}

#[tokio::test]
async fn who_declines_or_stops_is_heeded() {
    let tenant = Tenant::new(State::default());
    let Some(provider) = Provider::start(&tenant) else {
        return;
    };
    let steps = provider.steps(&tenant, &json!({ "client_id": "person" }));
    let with = look();
    let person = provider.decides("decline", &steps);
    let (found, ()) = tokio::join!(steps.validate(Purpose::Before, &with), person);
    let message = found.unwrap_err().message;
    assert!(
        message.contains("declined") && message.contains("RB0320"),
        "{message}"
    );

    let cx = steps.context(Purpose::Before);
    let stop = async {
        steps.recorder.until(|recorder| recorder.shown().len() > 1).await;
        cx.cancel.cancel();
    };
    let (found, ()) = tokio::join!(steps.plugin.validate(&with, &cx), stop);
    assert!(found.unwrap_err().message.contains("was stopped"));
    assert_eq!(tenant.asked(), [""; 0]);
}
