//! The kinds of step that are announced: they can be checked, and refuse to be carried out.

use runbook_engine::step::FailureKind;
use runbook_engine::testing::doubles::{Recorder, context};
use serde_json::{Value, json};

use crate::support::{check, plugin, problem};

fn kinds() -> [(&'static str, Value); 3] {
    [
        (
            "powershell",
            json!({ "run": "Get-Date", "validate": "$true", "rollback": "Get-Date" }),
        ),
        ("http", json!({ "run": { "url": "https://a.example" } })),
        ("graph", json!({ "run": { "path": "/organization" } })),
    ]
}

#[tokio::test]
async fn they_refuse_to_be_carried_out() {
    for (kind, with) in kinds() {
        let (plugin, with, cx) = (plugin(kind), with, context(&Recorder::new()));
        assert!(!plugin.doc().available);
        assert_eq!(check(kind, &with).0, [], "{kind}");
        let failures = [
            plugin.validate(&with, &cx).await.unwrap_err(),
            plugin.run(&with, &cx).await.unwrap_err(),
            plugin.rollback(&with, &cx).await.unwrap_err(),
        ];
        for failure in failures {
            assert_eq!(failure.kind, FailureKind::Fault);
            let start = format!("this version cannot carry out `{kind}` steps");
            assert!(failure.message.starts_with(&start), "{}", failure.message);
        }
    }
}

#[test]
fn their_abilities_follow_from_the_inputs() {
    let of = |kind: &str, with: Value| check(kind, &with).1.unwrap();
    let shell = of(
        "powershell",
        json!({ "run": "a", "validate": "b", "rollback": "c" }),
    );
    assert!(shell.validates && shell.undoes && !shell.read_only);
    let looks = of(
        "http",
        json!({ "validate": { "url": "https://a.example", "satisfied": "true" } }),
    );
    assert!(looks.validates && looks.read_only && !looks.undoes);
}

#[test]
fn sessions_need_no_scripts() {
    for (kind, with) in [
        (
            "powershell",
            json!({ "edition": "desktop", "setup": "Add-PSSnapin X", "modules": ["A"] }),
        ),
        (
            "graph",
            json!({ "tenant": "${{ params.tenant }}", "scopes": ["Application.ReadWrite.All"] }),
        ),
    ] {
        assert_eq!(check(kind, &with).0, [], "{kind}");
    }
}

#[test]
fn wrong_inputs_are_refused_where_they_stand() {
    let at = |kind: &str, with: Value| problem(kind, &with);
    assert_eq!(at("powershell", json!({})).0, "");
    assert_eq!(
        at("powershell", json!({ "validate": "a", "rollback": "b" })).0,
        "rollback"
    );
    assert_eq!(
        at("powershell", json!({ "run": "a", "edition": "ise" })).0,
        "edition"
    );

    let get = json!({ "url": "https://a.example" });
    assert!(
        at("http", json!({ "validate": get }))
            .1
            .starts_with("`satisfied` is missing")
    );
    let writes = json!({ "url": "https://a.example", "method": "POST", "satisfied": "true" });
    assert!(
        at("http", json!({ "validate": [writes] }))
            .1
            .contains("may only read")
    );
    assert!(
        at("http", json!({ "run": { "url": "a.example" } }))
            .1
            .contains("must start with `https://`")
    );
    assert_eq!(at("http", json!({ "run": [] })).0, "run");
    let typo = json!({ "run": [{ "url": "https://a.example", "metod": "PUT" }] });
    assert_eq!(at("http", typo).0, "run.0.metod");
    let status = json!({ "run": { "url": "https://a.example", "expect": { "status": [2000] } } });
    assert!(at("http", status).1.contains("`2000` is not a status code"));

    let merge = |merge: Value| at("graph", json!({ "run": { "path": "/a", "merge": merge } })).1;
    assert_eq!(
        merge(json!({ "property": "names" })),
        "`merge` needs either `add` or `remove`"
    );
    assert_eq!(
        merge(json!({ "property": "n", "add": 1, "remove": 2 })),
        "`merge` needs either `add` or `remove`"
    );
    assert!(
        at("graph", json!({ "run": { "path": "organization" } }))
            .1
            .contains("must start with `/`")
    );
}
