//! The practice tenant's sign-in: applications with a secret or a certificate, people with codes.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::{Padding, Rsa};
use openssl::sign::{RsaPssSaltlen, Signer};
use openssl::x509::X509;
use serde_json::{Value, json};

use super::bench::{Answer, Bench, CLIENT, SignedIn, TENANT, TOOLS};

#[track_caller]
fn refused(answer: &Answer, error: &str, number: u32) {
    let json = answer.json();
    assert_eq!(
        (&json["error"], &json["error_codes"][0]),
        (&json!(error), &json!(number)),
        "{json}"
    );
    assert!(
        json["error_description"]
            .as_str()
            .unwrap()
            .starts_with(&format!("AADSTS{number}: ")),
        "{json}"
    );
}

#[test]
fn an_application_signs_in_with_its_secret_and_no_other() {
    let bench = Bench::new(&[]);
    let signed_in = bench.sign_in();
    let organization = signed_in.get("/organization", &[]).status(200).json();
    assert_eq!(organization["value"][0]["id"], TENANT);
    assert_eq!(organization["value"][0]["onPremisesSyncEnabled"], true);

    let (scope, secret) = (format!("{}/.default", bench.address()), bench.secret());
    let ask = |client: &str, secret: &str, scope: &str| {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", client),
            ("client_secret", secret),
            ("scope", scope),
        ];
        bench.token(&form)
    };
    refused(
        &ask(CLIENT, "wrong", &scope).status(401),
        "invalid_client",
        7_000_215,
    );
    refused(
        &ask("someone", &secret, &scope).status(400),
        "unauthorized_client",
        700_016,
    );
    refused(
        &ask(CLIENT, &secret, "User.Read").status(400),
        "invalid_scope",
        1_002_012,
    );
    refused(
        &bench.post("/fabrikam.com/oauth2/v2.0/token", &[]).status(400),
        "invalid_request",
        90_002,
    );
    refused(
        &bench.token(&[("grant_type", "password")]).status(400),
        "unsupported_grant_type",
        70_003,
    );
}

/// A statement that a key signs.
fn statement(key: &PKey<Private>, thumbprint: &[u8], audience: &str, change: &Value) -> String {
    let now = jiff::Timestamp::now().as_second();
    let mut claims = json!({
        "aud": audience, "iss": CLIENT, "sub": CLIENT, "jti": uuid::Uuid::new_v4(), "nbf": now, "exp": now + 300,
    });
    for (name, value) in change.as_object().unwrap() {
        claims[name] = value.clone();
    }
    let header = json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": URL_SAFE_NO_PAD.encode(thumbprint) });
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let said = format!("{}.{}", part(&header), part(&claims));
    let mut signer = Signer::new(MessageDigest::sha256(), key).unwrap();
    signer.set_rsa_padding(Padding::PKCS1_PSS).unwrap();
    signer.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH).unwrap();
    let signature = signer.sign_oneshot_to_vec(said.as_bytes()).unwrap();
    format!("{said}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[test]
fn what_an_application_signs_is_really_checked() {
    let bench = Bench::new(&[]);
    let pem = bench.project.read("practice/app.pem").unwrap();
    let key = PKey::private_key_from_pem(pem.as_bytes()).unwrap();
    let certificate = X509::from_pem(pem.as_bytes()).unwrap();
    let thumbprint = certificate.digest(MessageDigest::sha256()).unwrap();
    let audience = format!("{}/{TENANT}/oauth2/v2.0/token", bench.address());
    let scope = format!("{}/.default", bench.address());
    let show = |statement: &str| {
        bench.token(&[
            ("grant_type", "client_credentials"),
            ("client_id", CLIENT),
            ("scope", &scope),
            (
                "client_assertion_type",
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            ),
            ("client_assertion", statement),
        ])
    };
    let good = statement(&key, &thumbprint, &audience, &json!({}));
    show(&good).status(200);
    refused(&show(&good).status(401), "invalid_client", 50_027);

    let other = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
    let now = jiff::Timestamp::now().as_second();
    let cases = [
        (statement(&other, &thumbprint, &audience, &json!({})), 700_027),
        (statement(&key, &[0; 32], &audience, &json!({})), 700_027),
        (
            statement(&key, &thumbprint, "https://elsewhere/token", &json!({})),
            700_023,
        ),
        (
            statement(&key, &thumbprint, &audience, &json!({ "exp": now - 900 })),
            700_024,
        ),
        (
            statement(&key, &thumbprint, &audience, &json!({ "nbf": now + 900 })),
            700_024,
        ),
        (
            statement(&key, &thumbprint, &audience, &json!({ "sub": "someone" })),
            700_021,
        ),
        ("a.b.c".to_owned(), 50_027),
        (String::new(), 50_027),
    ];
    for (statement, number) in &cases {
        refused(&show(statement).status(401), "invalid_client", *number);
    }
    // One letter of what was signed is another.
    let (said, signature) = good.rsplit_once('.').unwrap();
    let (header, claims) = said.split_once('.').unwrap();
    let claims = String::from_utf8(URL_SAFE_NO_PAD.decode(claims).unwrap())
        .unwrap()
        .replace("\"exp\":", "\"exp\": ");
    let forged = format!("{header}.{}.{signature}", URL_SAFE_NO_PAD.encode(claims));
    refused(&show(&forged).status(401), "invalid_client", 700_027);
}

/// A code, as a device asks for it.
fn code(bench: &Bench, scopes: &[&str]) -> Value {
    let scopes: Vec<String> = scopes
        .iter()
        .map(|scope| format!("{}/{scope}", bench.address()))
        .chain(["offline_access".to_owned()])
        .collect();
    let form = [("client_id", TOOLS), ("scope", &scopes.join(" "))];
    bench
        .post(&format!("/{TENANT}/oauth2/v2.0/devicecode"), &form)
        .status(200)
        .json()
}

fn poll(bench: &Bench, code: &Value) -> Answer {
    bench.token(&[
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("client_id", TOOLS),
        ("device_code", code["device_code"].as_str().unwrap()),
    ])
}

#[test]
fn a_person_signs_in_with_a_code() {
    let bench = Bench::new(&[]);
    let code = code(&bench, &["Application.ReadWrite.All", "Organization.Read.All"]);
    refused(&poll(&bench, &code).status(400), "authorization_pending", 70_016);
    bench
        .run(&["practice", "approve", "NOSUCHONE"])
        .code(2)
        .tells("no code that waits");
    let typed = code["user_code"].as_str().unwrap().to_lowercase();
    bench
        .run(&["practice", "approve", &typed])
        .code(0)
        .tells("signed in");
    let token = poll(&bench, &code).status(200).json();
    assert_eq!(token["scope"], "Application.ReadWrite.All Organization.Read.All");
    let signed_in = |token: &Value| SignedIn {
        bench: &bench,
        token: token["access_token"].as_str().unwrap().to_owned(),
    };
    signed_in(&token).patch(&json!({})).unwrap().status(204);
    // A code is good once.
    refused(&poll(&bench, &code).status(400), "bad_verification_code", 70_018);

    let refresh = token["refresh_token"].as_str().unwrap();
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", TOOLS),
        ("refresh_token", refresh),
    ];
    let renewed = bench.token(&form).status(200).json();
    signed_in(&renewed).get("/organization", &[]).status(200);
    refused(&bench.token(&form).status(400), "invalid_grant", 700_082);
}

#[test]
fn what_a_person_may_do_is_what_they_and_the_scopes_allow() {
    let bench = Bench::new(&[]);
    let sign_in = |scopes: &[&str], account: &str| {
        let code = code(&bench, scopes);
        let user_code = code["user_code"].as_str().unwrap();
        bench
            .run(&["practice", "approve", user_code, "--as", account])
            .code(0);
        let token = poll(&bench, &code).status(200).json()["access_token"]
            .as_str()
            .unwrap()
            .to_owned();
        SignedIn { bench: &bench, token }
    };
    let reader = sign_in(&["Application.ReadWrite.All"], "reader");
    let denied = reader.patch(&json!({})).unwrap().status(403).json();
    assert_eq!(denied["error"]["code"], "Authorization_RequestDenied");
    let least = sign_in(&["User.Read"], "admin");
    let organization = least.get("/organization", &[]).status(200).json();
    assert_eq!(organization["value"][0]["onPremisesSyncEnabled"], Value::Null);
    least.get("/servicePrincipals", &[]).status(403);
    sign_in(&["Application.Read.All"], "admin")
        .patch(&json!({}))
        .unwrap()
        .status(403);
}

#[test]
fn a_sign_in_can_go_wrong() {
    let bench = Bench::new(&["--approve-all"]);
    let scopes = ["Application.ReadWrite.All", "Organization.Read.All"];
    let after = |fault: &str| {
        bench.fault(&[fault]);
        poll(&bench, &code(&bench, &scopes))
    };
    refused(
        &after("sign-in-declined").status(400),
        "authorization_declined",
        70_021,
    );
    refused(&after("code-expired").status(400), "expired_token", 70_020);
    refused(&after("slow-down").status(400), "slow_down", 70_022);
    refused(&after("codes-blocked").status(400), "invalid_grant", 53_003);
    bench.fault(&["--off"]);

    let token = after("wrong-tenant").status(200).json()["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let elsewhere = SignedIn { bench: &bench, token };
    let organization = elsewhere.get("/organization", &[]).status(200).json();
    assert_ne!(organization["value"][0]["id"], TENANT);
    bench.fault(&["--off"]);

    // A person declines in the browser.
    let waiting = Bench::new(&[]);
    let declined = code(&waiting, &scopes);
    let user_code = declined["user_code"].as_str().unwrap();
    let form = [("code", user_code), ("decision", "decline")];
    assert!(
        waiting
            .post("/devicelogin", &form)
            .status(200)
            .body
            .contains("declined")
    );
    refused(
        &poll(&waiting, &declined).status(400),
        "authorization_declined",
        70_021,
    );
    assert!(
        waiting
            .get("/devicelogin?code=%22%3E%3Cscript%3E")
            .status(200)
            .body
            .contains("&quot;&gt;&lt;script")
    );
    waiting.post("/devicelogin", &[("code", "none")]).status(404);
    waiting
        .run(&["practice", "approve", "x", "--folder", "practice"])
        .code(2);
}

#[test]
fn it_describes_itself_as_openid_wants_it() {
    let bench = Bench::new(&[]);
    let path = format!("/{TENANT}/v2.0/.well-known/openid-configuration");
    let told = bench.get(&path).status(200).json();
    assert_eq!(
        told["token_endpoint"],
        format!("{}/{TENANT}/oauth2/v2.0/token", bench.address())
    );
    let path = format!("/{TENANT}/metadata/json/1");
    let metadata = bench.get(&path).status(200).json();
    assert_eq!(metadata["realm"], TENANT);
    assert_eq!(metadata["keys"][0]["usage"], "Signing");
    bench.get("/nobody.example/metadata/json/1").status(404);
    bench.fault(&["metadata-gone"]);
    assert_eq!(
        bench.get(&path).status(404).header("content-type"),
        Some("text/html")
    );
}
