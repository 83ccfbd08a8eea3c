//! The people of a team, from their file.

use super::*;
use crate::core::operators::{Member, Operators};
use crate::id::Operator;
use crate::runbook::{operators_schema, read_operators};
use crate::testing::doubles::MemoryFiles;

const KEY: &str = "ed25519:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

fn file(text: &str) -> Arc<SourceFile> {
    SourceFile::new("operators.yaml", text)
}

#[track_caller]
fn good(text: &str) -> Operators {
    read_operators(&file(text)).unwrap()
}

/// What is wrong, as `line: code: message`.
#[track_caller]
fn wrong(text: &str) -> Vec<String> {
    let problems = read_operators(&file(text)).unwrap_err();
    let told = problems.iter().map(|problem| {
        let line = problem
            .labels
            .first()
            .map_or(0, |label| label.file.line_column(label.span.start).0);
        format!("{line}: {}: {}", problem.code, problem.message)
    });
    told.collect()
}

#[test]
fn people_have_roles_keys_and_a_time() {
    let text = format!(
        "operators:
  - {{ name: alice, roles: [farm-admin, approver], key: '{KEY}', from: 2026-01-01, until: 2026-01-31 }}
  - {{ name: 'CONTOSO\\bob', roles: tenant-admin }}
  - {{ name: eve, from: 2026-01-01T12:00:00+01:00 }}
"
    );
    let alice = Member {
        name: Operator::new("alice"),
        roles: ["farm-admin", "approver"]
            .map(|role| role.parse().unwrap())
            .into(),
        key: Some(KEY.parse().unwrap()),
        from: Some("2026-01-01T00:00:00Z".parse().unwrap()),
        until: Some("2026-02-01T00:00:00Z".parse().unwrap()),
    };
    let nothing = |name: &str| Member {
        name: Operator::new(name),
        roles: std::collections::BTreeSet::new(),
        key: None,
        from: None,
        until: None,
    };
    let bob = Member {
        roles: ["tenant-admin".parse().unwrap()].into(),
        ..nothing("CONTOSO\\bob")
    };
    let eve = Member {
        from: Some("2026-01-01T11:00:00Z".parse().unwrap()),
        ..nothing("eve")
    };
    assert_eq!(good(&text).members(), [alice, bob, eve]);
}

#[test]
fn every_mistake_is_told_at_its_place() {
    let text = format!(
        "operators:
  - {{ name: alice, rolls: [farm-admin], key: '{KEY}' }}
  - {{ roles: [farm admin] }}
  - {{ name: bob, key: '{KEY}' }}
  - {{ name: carol, key: 'ed25519:AAAA' }}
  - {{ name: dave, from: 2026-02-01, until: 2026-01-31 }}
  - {{ name: erin, until: tomorrow }}
  - {{ name: '  ' }}
"
    );
    let told = [
        "2: RB0005: `operators` has no key `rolls`",
        "3: RB0007: `operators` lacks the key `name`",
        "3: RB0008: `farm admin` is not a role's name: a letter, then letters, digits, `-` or `_`, at most 100 in all",
        "4: RB0009: this is the key of `alice`: a key proves one person",
        "5: RB0009: this is not the key of a person: it is not an Ed25519 key: `ed25519:`, then 32 bytes in base64",
        "6: RB0009: it ends before it begins",
        "7: RB0009: this is neither a day nor a moment",
        "8: RB0008: this cannot be the name of a person",
    ];
    let mut found = wrong(&text);
    found.sort();
    assert_eq!(found, told);
}

#[test]
fn a_file_that_names_nobody_is_refused() {
    assert_eq!(wrong("operators: []\n"), ["1: RB0009: the file names nobody"]);
    assert_eq!(wrong("people: []\n").len(), 2);
    assert_eq!(
        wrong("operators: alice\n"),
        ["1: RB0006: `operators` must be a list of people, not the text `alice`"]
    );
    assert_eq!(wrong("").len(), 1);
}

const BOOK: &str = "runbook: book
roles: { farm-admin: of the farm, tenant-admin: of the tenant }
sessions: { farm: { uses: site.cloud, role: farm-admin } }
steps:
  a: { uses: command, role: tenant-admin, with: { run: [x] } }
";

fn beside(operators: Option<&str>) -> Loaded {
    let files = operators.map(|text| ("operators.yaml".to_owned(), text.to_owned()));
    let files = MemoryFiles(files.into_iter().collect());
    load(&SourceFile::new("book.yaml", BOOK), &registry(), &files)
}

#[test]
fn the_file_beside_a_runbook_says_who_carries_it_out() {
    let loaded = beside(None);
    assert_eq!(loaded.diagnostics, []);
    let runbook = loaded.runbook.unwrap();
    assert!(runbook.workflow().operators().is_none());
    let text = "operators: [{ name: alice, roles: tenant-admin }]";
    let loaded = beside(Some(text));
    assert_eq!(loaded.diagnostics, []);
    let runbook = loaded.runbook.unwrap();
    assert_eq!(runbook.files()["operators.yaml"], text);
    assert_eq!(runbook.workflow().operators().unwrap().members().len(), 1);
}

#[test]
fn a_file_beside_it_that_cannot_be_understood_refuses_the_runbook() {
    let loaded = beside(Some("operators: [{ nam: alice }]"));
    assert!(loaded.runbook.is_none());
    assert!(
        loaded
            .diagnostics
            .iter()
            .all(|problem| problem.labels[0].file.name == "operators.yaml")
    );
}

#[test]
fn a_role_that_nobody_has_is_told() {
    let loaded = beside(Some("operators: [{ name: alice, roles: farm-admin }]"));
    assert!(loaded.runbook.is_some());
    let told: Vec<String> = loaded
        .diagnostics
        .iter()
        .map(|problem| problem.message.clone())
        .collect();
    assert_eq!(
        told,
        ["nobody has the role `tenant-admin`, which a step of the runbook asks for"]
    );
}

#[test]
fn the_schema_knows_the_keys() {
    let schema = operators_schema();
    let line = &schema["properties"]["operators"]["items"]["properties"];
    let keys: Vec<&String> = line.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["name", "roles", "key", "from", "until"]);
}
