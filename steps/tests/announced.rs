//! The kinds of step that are announced: they can be checked, and refuse to be carried out.

use runbook_engine::step::{Check, FailureKind};
use runbook_engine::testing::doubles::{MemoryFiles, Recorder, context};
use serde_json::{Value, json};

use crate::support::{check, plugin, problem};

fn kinds() -> [(&'static str, Value); 2] {
    [
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
    let looks = of(
        "http",
        json!({ "validate": { "url": "https://a.example", "satisfied": "true" } }),
    );
    assert!(looks.validates && looks.read_only && !looks.undoes);
}

#[test]
fn sessions_need_no_requests() {
    let of_session = |kind: &str, with: Value| {
        let (files, registry) = (MemoryFiles::default(), runbook_steps::builtin());
        let mut check = Check::new(&files, &registry);
        plugin(kind).check_session(&with, &mut check);
        check.finish().0
    };
    let tenant = json!({ "tenant": "${{ params.tenant }}", "scopes": ["Application.ReadWrite.All"] });
    assert_eq!(of_session("graph", tenant), []);
    assert_eq!(of_session("graph", json!({ "tenat": "x" }))[0].path, ["tenat"]);
    assert!(
        of_session("http", json!({}))[0]
            .message
            .contains("share no session")
    );
}

#[test]
fn wrong_inputs_are_refused_where_they_stand() {
    let at = |kind: &str, with: Value| problem(kind, &with);
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
