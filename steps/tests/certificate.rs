//! `certificate`: certificates of every sort, made here, and files that are made and undone.

use std::path::Path;

use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::{PKey, Private};
use openssl::provider::Provider;
use openssl::rsa::Rsa;
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509NameBuilder};
use runbook_engine::step::{Context, Failure, Observation, Verdict};
use runbook_engine::testing::doubles::Recorder;
use serde_json::{Value, json};

use crate::support::{check, plugin, problem, with_plugins};

/// A certificate that a test asks for.
struct Wanted<'a> {
    name: &'a str,
    names: Vec<String>,
    not_before: &'a str,
    not_after: &'a str,
    bits: u32,
    hash: MessageDigest,
    issuer: Option<&'a (X509, PKey<Private>)>,
    authority: bool,
}

impl Default for Wanted<'_> {
    fn default() -> Self {
        Self {
            name: "SharePoint Security Token Service",
            names: Vec::new(),
            not_before: "20200101000000Z",
            not_after: "99991231235959Z",
            bits: 2048,
            hash: MessageDigest::sha256(),
            issuer: None,
            authority: false,
        }
    }
}

impl Wanted<'_> {
    fn make(&self) -> (X509, PKey<Private>) {
        let key = PKey::from_rsa(Rsa::generate(self.bits).unwrap()).unwrap();
        let mut name = X509NameBuilder::new().unwrap();
        name.append_entry_by_nid(Nid::COMMONNAME, self.name).unwrap();
        let name = name.build();
        let mut made = X509::builder().unwrap();
        made.set_version(2).unwrap();
        made.set_serial_number(&BigNum::from_u32(7).unwrap().to_asn1_integer().unwrap())
            .unwrap();
        made.set_subject_name(&name).unwrap();
        made.set_issuer_name(self.issuer.map_or(&*name, |(issuer, _)| issuer.subject_name()))
            .unwrap();
        made.set_pubkey(&key).unwrap();
        made.set_not_before(&Asn1Time::from_str(self.not_before).unwrap())
            .unwrap();
        made.set_not_after(&Asn1Time::from_str(self.not_after).unwrap())
            .unwrap();
        if self.authority {
            made.append_extension(BasicConstraints::new().critical().ca().build().unwrap())
                .unwrap();
        }
        if !self.names.is_empty() {
            let mut names = SubjectAlternativeName::new();
            for name in &self.names {
                names.dns(name);
            }
            let names = names.build(&made.x509v3_context(None, None)).unwrap();
            made.append_extension(names).unwrap();
        }
        let signer = self.issuer.map_or(&key, |(_, key)| key);
        made.sign(signer, self.hash).unwrap();
        (made.build(), key)
    }

    fn pem(&self) -> String {
        String::from_utf8(self.make().0.to_pem().unwrap()).unwrap()
    }
}

async fn look(with: Value) -> Result<Observation, Failure> {
    let cx = with_plugins(&Recorder::new());
    plugin("certificate").validate(&with, &cx).await
}

/// What is wrong with a certificate.
async fn wrong(with: Value) -> String {
    match look(with).await.unwrap().verdict {
        Verdict::Unsatisfied(why) => why,
        other => format!("{other:?}"),
    }
}

async fn fits(with: Value) {
    assert_eq!(look(with).await.unwrap().verdict, Verdict::Satisfied);
}

#[tokio::test]
async fn it_tells_what_a_certificate_is_to_the_year_9999() {
    let (made, _) = Wanted {
        names: vec!["sts.contoso.example".into()],
        ..Wanted::default()
    }
    .make();
    let thumbprint: String = made
        .digest(MessageDigest::sha1())
        .unwrap()
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect();
    let pem = String::from_utf8(made.to_pem().unwrap()).unwrap();
    let recorder = Recorder::new();
    let cx = with_plugins(&recorder);
    let seen = plugin("certificate")
        .validate(&json!({ "pem": pem }), &cx)
        .await
        .unwrap();
    assert_eq!(seen.verdict, Verdict::Satisfied);
    assert_eq!(seen.outputs["thumbprint"], json!(thumbprint));
    assert_eq!(seen.outputs["not_before"], "2020-01-01T00:00:00Z");
    assert_eq!(seen.outputs["not_after"], "9999-12-31T23:59:59Z");
    assert_eq!(seen.outputs["subject"], "CN=SharePoint Security Token Service");
    assert_eq!(seen.outputs["names"], json!(["sts.contoso.example"]));
    assert_eq!(seen.outputs["key_bits"], 2048);
    assert_eq!(seen.outputs["self_signed"], true);
    let told = recorder.text("log");
    let start = "CN=SharePoint Security Token Service: expires 9999-12-31T23:59:59Z (in 79";
    assert!(told.starts_with(start), "{told}");

    let der = seen.outputs["der"].as_str().unwrap();
    fits(json!({ "pem": der })).await;
    let spaced: Vec<&str> = thumbprint
        .as_bytes()
        .chunks(2)
        .map(|two| std::str::from_utf8(two).unwrap())
        .collect();
    let spaced = spaced.join(":").to_lowercase();
    fits(json!({ "pem": der, "checks": { "thumbprint": spaced } })).await;
    let other = json!({ "pem": der, "checks": { "thumbprint": "00" } });
    assert!(wrong(other).await.contains(&thumbprint));
}

#[tokio::test]
async fn what_is_not_valid_now_is_never_right() {
    let expired = Wanted {
        not_after: "20210203040506Z",
        ..Wanted::default()
    };
    let why = wrong(json!({ "pem": expired.pem() })).await;
    assert!(why.starts_with("it expired 2021-02-03T04:05:06Z ("), "{why}");
    // Unless it must only be at hand.
    fits(json!({ "pem": expired.pem(), "checks": { "may_be_expired": true } })).await;
    let early = Wanted {
        not_before: "98760101000000Z",
        ..Wanted::default()
    };
    let why = wrong(json!({ "pem": early.pem() })).await;
    assert!(
        why.starts_with("it is valid only from 9876-01-01T00:00:00Z on (in "),
        "{why}"
    );
    let soon = Asn1Time::days_from_now(20).unwrap();
    let (_, key) = Wanted::default().make();
    let mut made = X509::builder().unwrap();
    made.set_pubkey(&key).unwrap();
    made.set_not_before(&Asn1Time::from_unix(0).unwrap()).unwrap();
    made.set_not_after(&soon).unwrap();
    made.sign(&key, MessageDigest::sha256()).unwrap();
    let pem = String::from_utf8(made.build().to_pem().unwrap()).unwrap();
    fits(json!({ "pem": pem, "checks": { "valid_for": "19d" } })).await;
    let why = wrong(json!({ "pem": pem, "checks": { "valid_for": "30d" } })).await;
    assert!(
        why.contains("sooner than 30d") || why.contains("sooner than 720h"),
        "{why}"
    );
}

#[tokio::test]
async fn names_strength_and_issuer_are_compared() {
    let many: Vec<String> = (0..500).map(|n| format!("web{n}.contoso.example")).collect();
    let pem = Wanted {
        names: [many.clone(), vec!["*.farm.example".into()]].concat(),
        ..Wanted::default()
    }
    .pem();
    fits(json!({ "pem": pem, "checks": { "names": ["web0.contoso.example", "WEB499.contoso.example", "a.farm.example"] } }))
        .await;
    let why =
        wrong(json!({ "pem": pem, "checks": { "names": ["web500.contoso.example", "a.b.farm.example"] } }))
            .await;
    let start = "it is not valid for `web500.contoso.example`, `a.b.farm.example` (its names: web0";
    assert!(why.starts_with(start), "{why}");

    let weak = Wanted {
        bits: 1024,
        hash: MessageDigest::sha1(),
        ..Wanted::default()
    }
    .pem();
    let why = wrong(json!({ "pem": weak, "checks": { "key_bits": 2048 } })).await;
    assert!(why.contains("has only 1024 bits; its signature (sha1"), "{why}");
    let why = wrong(json!({ "pem": pem, "checks": { "subject": "web", "issuer": "Contoso CA" } })).await;
    assert!(why.contains("should have the name `web`; its issuer is"), "{why}");
}

#[tokio::test]
async fn a_chain_leads_to_a_root_that_is_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, parts: &[&X509]| {
        let path = folder.path().join(name);
        let text: Vec<u8> = parts.iter().flat_map(|part| part.to_pem().unwrap()).collect();
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let authority = |name, issuer| {
        Wanted {
            name,
            issuer,
            authority: true,
            ..Wanted::default()
        }
        .make()
    };
    let root = authority("Contoso Root", None);
    let between = authority("Contoso Issuing", Some(&root));
    let leaf = Wanted {
        name: "web",
        issuer: Some(&between),
        ..Wanted::default()
    }
    .make();
    let stranger = authority("Contoso Root", None);
    let trusted = json!({ "trusted_by": file("roots.pem", &[&root.0]) });
    let whole = file("whole.pem", &[&leaf.0, &between.0]);
    fits(json!({ "path": whole, "checks": trusted })).await;
    let torn = file("torn.pem", &[&leaf.0]);
    let why = wrong(json!({ "path": torn, "checks": trusted })).await;
    assert!(
        why.starts_with("its chain does not lead to a trusted root: "),
        "{why}"
    );
    let other = json!({ "trusted_by": file("other.pem", &[&stranger.0]) });
    let why = wrong(json!({ "path": whole, "checks": other })).await;
    assert!(why.starts_with("its chain does not lead"), "{why}");
    let none = json!({ "path": whole, "checks": { "trusted_by": folder.path().join("none") } });
    assert!(look(none).await.unwrap_err().message.contains("cannot be read"));
}

#[tokio::test]
async fn a_pfx_is_opened_by_its_password_only() {
    let folder = tempfile::tempdir().unwrap();
    let (made, key) = Wanted::default().make();
    let write = |name: &str, archive: Pkcs12| {
        let path = folder.path().join(name);
        std::fs::write(&path, archive.to_der().unwrap()).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let new = Pkcs12::builder()
        .pkey(&key)
        .cert(&made)
        .build2("correct horse")
        .unwrap();
    let path = write("new.pfx", new);
    fits(json!({ "path": path, "password": "correct horse", "checks": { "private_key": true } })).await;
    let why =
        wrong(json!({ "path": path, "password": "correct horse", "checks": { "private_key": false } })).await;
    assert_eq!(why, "a private key is there, and should not be");
    let refused = look(json!({ "path": path, "password": "battery" }))
        .await
        .unwrap_err();
    assert!(
        refused
            .message
            .ends_with("is a PFX that the given password does not open"),
        "{}",
        refused.message
    );
    let refused = look(json!({ "path": path })).await.unwrap_err();
    assert!(
        refused.message.ends_with("needs `password`"),
        "{}",
        refused.message
    );

    // What a Windows server of 2012 writes.
    let legacy = Provider::try_load(None, "legacy", true).unwrap();
    let old = Pkcs12::builder()
        .key_algorithm(Nid::PBE_WITHSHA1AND3_KEY_TRIPLEDES_CBC)
        .cert_algorithm(Nid::PBE_WITHSHA1AND40BITRC2_CBC)
        .mac_md(MessageDigest::sha1())
        .pkey(&key)
        .cert(&made)
        .build2("old")
        .unwrap();
    drop(legacy);
    fits(json!({ "path": write("old.pfx", old), "password": "old" })).await;
}

#[tokio::test]
async fn damage_is_told_and_nothing_else() {
    let der = Wanted::default().make().0.to_der().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("damaged.cer");
    for end in 0..der.len() {
        std::fs::write(&path, &der[..end]).unwrap();
        let failure = look(json!({ "path": path })).await.unwrap_err();
        assert!(
            failure.message.contains("holds no certificate"),
            "{end}: {}",
            failure.message
        );
    }
    for pem in ["", "-----BEGIN CERTIFICATE-----\n!!\n", "AAAA", "é"] {
        assert!(look(json!({ "pem": pem })).await.is_err(), "{pem}");
    }
    let huge = folder.path().join("huge");
    std::fs::File::create(&huge)
        .unwrap()
        .set_len(5 * 1024 * 1024)
        .unwrap();
    let failure = look(json!({ "path": huge })).await.unwrap_err();
    assert!(failure.message.contains("which no certificate has"));
}

#[test]
fn wrong_inputs_are_refused_where_they_stand() {
    let at = |with: Value| problem("certificate", &with);
    assert!(at(json!({})).1.starts_with("exactly one of"));
    assert!(
        at(json!({ "path": "/a", "pem": "x" }))
            .1
            .starts_with("exactly one of")
    );
    assert_eq!(at(json!({ "path": "a.pem" })).0, "path");
    assert_eq!(
        at(json!({ "pem": "x", "checks": { "valid_for": "soon" } })).0,
        "checks.valid_for"
    );
    let create = |more: Value| {
        let mut create = json!({ "key": "/k", "certificate": "/c", "subject": "web" });
        create
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        at(json!({ "create": create })).0
    };
    assert_eq!(create(json!({ "key_bits": 512 })), "create.key_bits");
    assert_eq!(create(json!({ "request": "r" })), "create.request");
    assert_eq!(create(json!({ "subject": "" })), "create.subject");
    assert_eq!(create(json!({ "pfx": "/p" })), "create.pfx");
    let (problems, abilities) = check("certificate", &json!({ "path": "${{ params.file }}" }));
    assert_eq!(problems, []);
    assert!(abilities.unwrap().read_only);
}

fn making(folder: &Path) -> Value {
    let file = |name: &str| folder.join(name);
    json!({
        "create": {
            "key": file("k.pem"), "request": file("r.pem"), "certificate": file("c.pem"), "pfx": file("p.pfx"),
            "subject": "web1", "names": ["web1.contoso.example"], "key_bits": 2048,
        },
        "password": "correct horse",
        "checks": { "valid_for": "29d", "names": ["web1.contoso.example"] },
    })
}

#[tokio::test]
async fn what_it_makes_is_what_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let with = making(folder.path());
    let cx = with_plugins(&Recorder::new());
    let certificate = plugin("certificate");
    let before = certificate.validate(&with, &cx).await.unwrap();
    assert_eq!(
        before.observed,
        json!({ "key": false, "request": false, "certificate": false, "pfx": false })
    );
    certificate.run(&with, &cx).await.unwrap();
    let after = certificate.validate(&with, &cx).await.unwrap();
    assert_eq!(after.verdict, Verdict::Satisfied);
    assert_eq!(after.outputs["subject"], "CN=web1");
    assert_eq!(after.outputs["pfx_file"], json!(folder.path().join("p.pfx")));
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        assert!(
            runbook_engine::platform::private::is_private(&file.path()).unwrap(),
            "{file:?}"
        );
    }
    let pfx = json!({ "path": folder.path().join("p.pfx"), "password": "correct horse", "checks": { "private_key": true } });
    fits(pfx).await;

    // A key that was there before is used, and stays.
    std::fs::remove_file(folder.path().join("c.pem")).unwrap();
    let key = std::fs::read(folder.path().join("k.pem")).unwrap();
    let before = certificate.validate(&with, &cx).await.unwrap().observed;
    certificate.run(&with, &cx).await.unwrap();
    assert_eq!(std::fs::read(folder.path().join("k.pem")).unwrap(), key);
    let cx = Context {
        before: Some(before),
        ..cx
    };
    certificate.rollback(&with, &cx).await.unwrap();
    assert!(folder.path().join("k.pem").exists() && folder.path().join("r.pem").exists());
    assert!(!folder.path().join("c.pem").exists());
}

#[tokio::test]
async fn nothing_that_is_there_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let with = making(folder.path());
    let cx = with_plugins(&Recorder::new());
    for name in ["k.pem", "r.pem", "c.pem", "p.pfx"] {
        let path = folder.path().join(name);
        std::fs::write(&path, "somebody's").unwrap();
        let failure = plugin("certificate").run(&with, &cx).await.unwrap_err();
        assert!(
            failure.message.contains(path.to_str().unwrap()),
            "{}",
            failure.message
        );
        assert_eq!(std::fs::read(&path).unwrap(), b"somebody's");
        std::fs::remove_file(&path).unwrap();
    }
    // A certificate of another key.
    plugin("certificate").run(&with, &cx).await.unwrap();
    std::fs::remove_file(folder.path().join("k.pem")).unwrap();
    let failure = plugin("certificate").run(&with, &cx).await.unwrap_err();
    assert!(failure.message.contains("another key"), "{}", failure.message);
}
