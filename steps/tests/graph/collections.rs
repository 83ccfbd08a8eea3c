//! Single items of collections: what others have there is never lost.

use std::sync::Arc;

use runbook_engine::step::{Context, Purpose, Verdict};
use runbook_engine::testing::conformance::{CANARY, Case, World, conformance};
use runbook_engine::testing::doubles::Recorder;
use serde_json::{Value, json};

use super::tenant::{ID, State, Steps, Tenant, certificate, plugin};

/// A step that adds these names, and takes them away again.
pub(super) fn names(items: &Value) -> Value {
    let merge = |act: &str| json!({ "path": "/servicePrincipals/o1", "merge": { "property": "servicePrincipalNames", act: items } });
    json!({
        "validate": {
            "path": "/servicePrincipals/o1",
            "query": { "$select": "id,servicePrincipalNames" },
            "satisfied": "response.json.servicePrincipalNames.contains(\"new\")",
            "observed": { "count": "response.json.servicePrincipalNames.len" },
        },
        "run": merge("add"),
        "rollback": merge("remove"),
    })
}

pub(super) fn tenant(names: &[&str]) -> Tenant {
    Tenant::new(State {
        names: names.iter().map(|name| json!(name)).collect(),
        ..State::default()
    })
}

#[tokio::test]
async fn what_is_there_stays_on_the_way_and_on_the_way_back() {
    let tenant = tenant(&["app", "app/OLD"]);
    let mut steps = Steps::of(&tenant);
    // One of the two is there already, though nobody has asked for it here.
    let with = names(&json!(["new", "App/Old"]));
    let found = steps.validate(Purpose::Before, &with).await.unwrap();
    assert!(matches!(found.verdict, Verdict::Unsatisfied(_)));
    assert_eq!(found.observed["count"], 2);
    steps.before = Some(found.observed);
    steps.run(&with).await.unwrap();
    assert_eq!(
        tenant.written(),
        [json!({ "servicePrincipalNames": ["app", "app/OLD", "new"] })]
    );
    assert_eq!(
        steps.validate(Purpose::After, &with).await.unwrap().verdict,
        Verdict::Satisfied
    );
    // A second time nothing is written.
    steps.run(&with).await.unwrap();
    assert_eq!(tenant.written().len(), 1);
    // Somebody else adds one meanwhile.
    tenant.state().names.push(json!("others"));
    steps.rollback(&with).await.unwrap();
    assert_eq!(
        tenant.state().names,
        ["app", "app/OLD", "others"].map(Value::from)
    );
    steps.rollback(&with).await.unwrap();
    assert_eq!(tenant.written().len(), 2, "undoing twice writes once");
}

#[tokio::test]
async fn without_a_look_before_nothing_is_taken_away() {
    let tenant = tenant(&["app", "new"]);
    let mut steps = Steps::of(&tenant);
    let with = names(&json!("new"));
    for before in [None, Some(Value::Null), Some(json!({ "count": 1 }))] {
        steps.before = before;
        let failure = steps.rollback(&with).await.unwrap_err();
        assert!(
            failure.message.contains("is not known") && failure.message.contains("RB0325"),
            "{}",
            failure.message
        );
    }
    assert_eq!(tenant.written(), Vec::<Value>::new());
}

#[tokio::test]
async fn a_change_in_between_is_not_overwritten() {
    let tenant = tenant(&["app"]);
    tenant.state().meanwhile = Some((1, "others"));
    let steps = Steps::of(&tenant);
    steps.run(&names(&json!("new"))).await.unwrap();
    assert_eq!(
        tenant.written(),
        [json!({ "servicePrincipalNames": ["app", "others", "new"] })]
    );
    assert!(
        steps
            .recorder
            .text("log")
            .contains("changed by somebody else meanwhile")
    );
}

#[tokio::test]
async fn a_change_that_does_not_show_yet_is_awaited() {
    let tenant = tenant(&["app"]);
    tenant.state().stale = 2;
    let steps = Steps::of(&tenant);
    steps.run(&names(&json!("new"))).await.unwrap();
    assert!(steps.recorder.text("log").contains("does not show yet"));
    assert_eq!(tenant.written().len(), 1);
}

pub(super) fn key(id: &str, content: Option<&str>) -> Value {
    json!({
        "keyId": id, "type": "AsymmetricX509Cert", "usage": "Verify", "key": content, "customKeyIdentifier": null,
        "displayName": "old", "startDateTime": "2021-06-01T00:00:00Z", "endDateTime": "9999-12-31T23:59:59Z",
    })
}

pub(super) fn keys() -> Value {
    let item = json!({ "type": "AsymmetricX509Cert", "usage": "Verify", "key": "bmV3" });
    json!({ "run": { "path": "/servicePrincipals/o1", "merge": { "property": "keyCredentials", "key": "key", "add": item } } })
}

#[tokio::test]
async fn keys_are_sent_as_they_are_or_in_another_form_where_that_is_refused() {
    for refuses_content in [false, true] {
        let keys_there = vec![key("k1", Some("b2xk"))];
        let tenant = Tenant::new(State {
            keys: keys_there,
            refuses_content,
            ..State::default()
        });
        let steps = Steps::of(&tenant);
        steps.run(&keys()).await.unwrap();
        let written = tenant.written();
        let last = &written.last().unwrap()["keyCredentials"];
        assert_eq!(
            last[1],
            json!({ "type": "AsymmetricX509Cert", "usage": "Verify", "key": "bmV3" })
        );
        assert_eq!(
            (&last[0]["keyId"], &last[0]["endDateTime"]),
            (&json!("k1"), &json!("9999-12-31T23:59:59Z"))
        );
        if refuses_content {
            assert_eq!((written.len(), last[0].get("key")), (3, None));
        } else {
            assert_eq!((written.len(), &last[0]["key"]), (1, &json!("b2xk")));
            assert_eq!(last[0]["displayName"], "old", "nothing of it is lost");
        }
        let contents: Vec<Value> = tenant.state().keys.iter().map(|key| key["key"].clone()).collect();
        assert_eq!(contents, ["b2xk", "bmV3"]);
    }
}

#[tokio::test]
async fn what_another_added_between_the_look_and_the_attempt_stays() {
    let tenant = tenant(&["app"]);
    let mut steps = Steps::of(&tenant);
    let with = names(&json!("new"));
    let found = steps.validate(Purpose::Before, &with).await.unwrap();
    steps.before = Some(found.observed);
    tenant.state().names.push(json!("new"));
    steps.outputs = Some(steps.run(&with).await.unwrap());
    assert_eq!(tenant.written(), Vec::<Value>::new());
    steps.rollback(&with).await.unwrap();
    assert_eq!(tenant.state().names, ["app", "new"].map(Value::from));
    // Where an attempt did not end, what it did is not known: what was not there before counts as its own.
    steps.outputs = None;
    steps.rollback(&with).await.unwrap();
    assert_eq!(tenant.state().names, ["app"].map(Value::from));
}

#[tokio::test]
async fn nothing_is_written_where_a_key_would_be_lost() {
    let tenant = Tenant::new(State {
        keys: vec![key("k1", None), key("k2", Some("b2xk"))],
        ..State::default()
    });
    let failure = Steps::of(&tenant).run(&keys()).await.unwrap_err();
    assert!(
        failure.message.starts_with("1 of the certificates"),
        "{}",
        failure.message
    );
    assert_eq!(tenant.written(), Vec::<Value>::new());
}

impl World for Tenant {
    fn reset(&self) {
        let mut state = self.state();
        (state.names, state.hangs) = (vec![json!("app")], false);
    }

    fn fingerprint(&self) -> Vec<u8> {
        json!(self.state().names).to_string().into_bytes()
    }

    fn is_halfway(&self, _: &Recorder) -> bool {
        self.state().names.contains(&json!("half"))
    }

    fn complete(&self, context: Context) -> Context {
        context
    }
}

#[tokio::test]
async fn it_keeps_its_promises() {
    let world = Arc::new(tenant(&["app"]));
    let sign_in = json!({ "client_id": "app", "certificate": certificate() });
    let mut with = names(&json!(["new"]));
    with["tenant"] = json!(ID);
    with["sign_in"] = sign_in;
    with["validate"]["headers"] = json!({ "x-canary": CANARY });
    let mut slow = with.clone();
    slow["rollback"]["merge"]["remove"] = json!(["new", "half"]);
    slow["run"] = json!([{ "path": "/servicePrincipals/o1", "method": "PATCH", "body": { "servicePrincipalNames": "hang" } }, with["run"]]);
    let case = Case {
        with,
        slow,
        world: Arc::clone(&world) as Arc<dyn World>,
    };
    conformance(plugin(world.endpoints()), case).await;
}
