//! What `http` and `graph` have in common: requests are checked before any is sent.

use runbook_engine::step::Check;
use runbook_engine::testing::doubles::MemoryFiles;
use serde_json::{Value, json};

use crate::support::{check, check_in_session, plugin, problem};

fn in_tenant(with: &Value) -> Vec<String> {
    let session = json!({ "tenant": "contoso.com", "scopes": ["A"] });
    let (problems, _) = check_in_session("graph", with, Some(&session));
    let told = problems
        .iter()
        .map(|problem| format!("{}: {}", problem.path.join("."), problem.message));
    told.collect()
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
fn a_session_says_who_signs_in_where() {
    let of_session = |kind: &str, with: Value| {
        let (files, registry) = (MemoryFiles::default(), runbook_steps::builtin());
        let mut check = Check::new(&files, &registry);
        plugin(kind).check_session(&with, &mut check);
        check.finish().0
    };
    let tenant = json!({ "tenant": "${{ params.tenant }}", "scopes": ["Application.ReadWrite.All"] });
    assert_eq!(of_session("graph", tenant), []);
    assert_eq!(of_session("graph", json!({ "tenat": "x" }))[0].path, ["tenat"]);
    let told = |with: Value| of_session("graph", with)[0].message.clone();
    assert!(told(json!({ "scopes": ["A"] })).contains("`tenant` is missing"));
    assert!(told(json!({ "tenant": "a" })).contains("`scopes` is missing"));
    let application = |sign_in: Value| told(json!({ "tenant": "a", "sign_in": sign_in }));
    assert!(
        application(json!({ "client_id": "a", "client_secret": "in-the-file" }))
            .contains("does not stand in a runbook")
    );
    assert!(application(json!({ "certificate": "/a.pfx" })).contains("`client_id` is missing"));
    let both = json!({ "client_id": "a", "client_secret": "${{ params.s }}", "certificate": "/a.pfx" });
    assert!(application(both).contains("either"));
    assert!(
        of_session("http", json!({}))[0]
            .message
            .contains("share no session")
    );
}

#[test]
fn a_step_of_a_session_says_neither_tenant_nor_scopes() {
    let get = json!({ "path": "/organization" });
    assert_eq!(in_tenant(&json!({ "run": get })), [""; 0]);
    let told = in_tenant(&json!({ "run": get, "tenant": "a", "scopes": ["B"] }));
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told[0].starts_with("tenant: `tenant` belongs to the step's session"),
        "{told:?}"
    );
    let (problems, _) = check("graph", &json!({ "run": get, "tenant": "a", "scopes": ["B"] }));
    assert!(problems[0].message.contains("declare a session"), "{problems:?}");
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
    let pasted = json!({ "validate": { "url": "https://a.example", "satisfied": "response.body == '${{ params.x }}'" } });
    assert_eq!(
        at("http", pasted).0,
        "validate.satisfied",
        "a value never becomes code"
    );
    assert!(in_tenant(&json!({ "run": { "path": "organization" } }))[0].contains("must start with `/`"));
}

#[test]
fn a_credential_in_clear_text_is_told() {
    let of = |url: &str| {
        check(
            "http",
            &json!({ "run": { "url": url, "headers": { "Authorization": "x" } } }),
        )
        .0
    };
    let told = of("http://a.example/x");
    assert!(
        told[0].warning && told[0].message.contains("in clear text"),
        "{told:?}"
    );
    assert_eq!(of("https://a.example/x"), []);
    assert_eq!(of("http://127.0.0.1:8080/x"), []);
}

#[test]
fn a_change_of_a_collection_has_one_meaning() {
    let merge = |merge: Value| in_tenant(&json!({ "run": { "path": "/a", "merge": merge } }));
    let either = ["run: `merge` needs either `add` or `remove`"];
    assert_eq!(merge(json!({ "property": "names" })), either);
    assert_eq!(merge(json!({ "property": "n", "add": 1, "remove": 2 })), either);
    let with = |run: Value, rollback: Value, validate: Option<Value>| {
        let mut with = json!({ "run": run, "rollback": rollback });
        if let Some(validate) = validate {
            with["validate"] = validate;
        }
        in_tenant(&with)
    };
    let add = json!({ "path": "/a", "merge": { "property": "n", "add": 1 } });
    let remove = json!({ "path": "/a", "merge": { "property": "n", "remove": 1 } });
    let look = json!({ "path": "/a", "satisfied": "true" });
    assert_eq!(with(add.clone(), remove.clone(), Some(look.clone())), [""; 0]);
    let blind = with(add.clone(), remove.clone(), None);
    assert!(blind[0].contains("nobody knows what the run added"), "{blind:?}");
    let elsewhere = json!({ "path": "/b", "merge": { "property": "n", "remove": 1 } });
    let elsewhere = with(add.clone(), elsewhere, Some(look));
    assert!(
        elsewhere[0].contains("nothing of the run to undo"),
        "{elsewhere:?}"
    );
    let taken = json!({ "path": "/a", "satisfied": "true", "observed": { "collections": "1" } });
    let taken = with(add, remove, Some(taken));
    assert!(taken[0].contains("choose another"), "{taken:?}");
}
