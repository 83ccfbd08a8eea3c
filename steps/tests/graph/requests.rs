//! What is sent, and what answers mean.

use std::sync::Arc;

use proptest::prelude::*;
use runbook_engine::runbook::expr::{MARK_END, MARK_START};
use runbook_engine::step::{FailureKind, Kept, Purpose, Verdict};
use serde_json::{Value, json};
use url::form_urlencoded::parse;

use super::tenant::{ID, State, Steps, Tenant};

fn look(path: &str) -> Value {
    json!({ "validate": { "path": path, "satisfied": "true", "outputs": { "it": "response.json" } } })
}

#[tokio::test]
async fn steps_of_a_session_share_a_sign_in() {
    let tenant = Tenant::new(State::default());
    let mut steps = Steps::of(&tenant);
    for _ in 0..3 {
        steps.validate(Purpose::Before, &look("/x")).await.unwrap();
    }
    assert_eq!(tenant.sign_ins(), 1);
    let form = &tenant.server.asked()[0];
    assert_eq!(form.target, format!("/{ID}/oauth2/v2.0/token"));
    assert!(
        form.body.contains("grant_type=client_credentials") && form.body.contains(".default"),
        "{}",
        form.body
    );
    // Another account in the same session is another sign-in, and so is a session that begins anew.
    steps.session["sign_in"]["client_id"] = json!("another");
    steps.validate(Purpose::Before, &look("/x")).await.unwrap();
    assert_eq!(tenant.sign_ins(), 2);
    steps.kept = Arc::new(Kept::default());
    steps.validate(Purpose::Before, &look("/x")).await.unwrap();
    assert_eq!(tenant.sign_ins(), 3);
    let told = format!("{}{:?}", steps.recorder.all(), steps.recorder.shown());
    assert!(told.contains("which is not Microsoft's own"), "{told}");
    assert!(
        !told.contains("token-") && !told.contains("s3cret-never-told"),
        "{told}"
    );
}

#[tokio::test]
async fn nothing_is_sent_to_another_tenant() {
    let tenant = Tenant::new(State {
        other: Some("11111111-246c-4ac4-a0ad-7124aaaaaaaa"),
        ..State::default()
    });
    let steps = Steps::of(&tenant);
    let write =
        json!({ "run": { "method": "PATCH", "path": "/x", "body": { "servicePrincipalNames": [] } } });
    for _ in 0..2 {
        let failure = steps.run(&write).await.unwrap_err();
        assert!(
            failure.message.contains("11111111-246c") && failure.message.contains("RB0321"),
            "{}",
            failure.message
        );
    }
    assert_eq!(tenant.asked(), [""; 0]);
    assert_eq!(tenant.sign_ins(), 2, "a wrong sign-in is not kept");
    let mut by_domain = Steps::of(&Tenant::new(State::default()));
    by_domain.session["tenant"] = json!("contoso.com/../evil");
    let failure = by_domain.run(&write).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Inputs, "{}", failure.message);
}

#[tokio::test]
async fn a_list_is_read_to_its_end_and_never_elsewhere() {
    let tenant = Tenant::new(State::default());
    let page = |items: Value, next: Option<String>| {
        let body = json!({ "value": items, "@odata.nextLink": next });
        (200, vec![("content-type", "application/json".to_owned())], body)
    };
    let next = tenant.server.url("/v1.0/users?$skiptoken=2");
    tenant.state().next = vec![page(json!([1, 2]), Some(next.clone())), page(json!([3]), None)];
    let steps = Steps::of(&tenant);
    let found = steps.validate(Purpose::Before, &look("/users")).await.unwrap();
    assert_eq!(found.outputs["it"]["value"], json!([1, 2, 3]));
    assert_eq!(
        tenant.asked(),
        ["GET /v1.0/users", "GET /v1.0/users?$skiptoken=2"]
    );
    let elsewhere = Some("https://evil.example/v1.0/users".to_owned());
    tenant.state().next = vec![page(json!([1]), elsewhere)];
    let failure = steps
        .validate(Purpose::Before, &look("/users"))
        .await
        .unwrap_err();
    assert!(failure.message.contains("not at Graph"), "{}", failure.message);
}

#[tokio::test]
async fn an_error_says_what_graph_said_and_what_to_do() {
    let tenant = Tenant::new(State::default());
    let error = |status: u16, code: &str| {
        let inner = json!({ "request-id": "r-1", "date": "2026-11-23T04:00:00" });
        let body = json!({ "error": { "code": code, "message": "no\u{1b}[31m", "innerError": inner } });
        (status, Vec::new(), body)
    };
    let steps = Steps::of(&tenant);
    let write = json!({ "run": { "method": "PATCH", "path": "/x", "body": {} } });
    tenant.state().next = vec![error(403, "Authorization_RequestDenied")];
    let message = steps.run(&write).await.unwrap_err().message;
    for part in [
        "Authorization_RequestDenied",
        "request-id r-1",
        "lacks a permission",
        "RB0322",
    ] {
        assert!(message.contains(part), "{message}");
    }
    assert!(!message.contains('\u{1b}'), "{message}");
    tenant.state().next = vec![error(404, "Request_ResourceNotFound")];
    assert!(
        steps
            .run(&write)
            .await
            .unwrap_err()
            .message
            .contains("an application's id goes as")
    );
    // A token that was withdrawn is replaced, once.
    tenant.state().next = vec![error(401, "InvalidAuthenticationToken")];
    steps.run(&write).await.unwrap();
    assert_eq!(tenant.sign_ins(), 2);
    tenant.state().next = vec![(429, vec![("retry-after", "0".to_owned())], json!({}))];
    steps.run(&write).await.unwrap();
    assert!(steps.recorder.text("log").contains("tried again in 0 s"));
    // A redirect with a token is never followed.
    tenant.state().next = vec![(302, vec![("location", "/v1.0/elsewhere".to_owned())], json!({}))];
    let failure = steps.validate(Purpose::Before, &look("/x")).await.unwrap_err();
    assert!(failure.message.contains("RB0324"), "{}", failure.message);
}

#[tokio::test]
async fn a_token_that_graph_repeats_is_not_told() {
    let tenant = Tenant::new(State::default());
    let error = json!({ "error": { "code": "No", "message": "`Bearer token-1` is refused" } });
    tenant.state().next = vec![(403, Vec::new(), error)];
    let steps = Steps::of(&tenant);
    let failure = steps.validate(Purpose::Before, &look("/x")).await.unwrap_err();
    assert!(
        failure.message.contains("is refused") && !failure.message.contains("token-1"),
        "{}",
        failure.message
    );
}

#[tokio::test]
async fn no_value_is_sent_in_the_query_of_a_path() {
    let tenant = Tenant::new(State::default());
    let path = format!("/users?$filter=n eq {MARK_START}5 or 1 eq 1{MARK_END}");
    let failure = Steps::of(&tenant)
        .validate(Purpose::Before, &look(&path))
        .await
        .unwrap_err();
    assert!(failure.message.contains("`query`"), "{}", failure.message);
    assert_eq!(tenant.asked(), [""; 0]);
}

#[tokio::test]
async fn an_empty_value_does_not_widen_a_path() {
    let tenant = Tenant::new(State::default());
    let steps = Steps::of(&tenant);
    for value in ["", ".", ".."] {
        let path = format!("/servicePrincipals/{MARK_START}{value}{MARK_END}");
        let failure = steps
            .run(&json!({ "run": { "method": "DELETE", "path": path } }))
            .await
            .unwrap_err();
        assert_eq!(failure.kind, FailureKind::Inputs);
    }
    assert_eq!(tenant.asked(), [""; 0]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn a_hostile_value_arrives_byte_for_byte(
        value in prop_oneof![
            "[^\u{fdd0}\u{fdd1}\\x00]{1,24}",
            "['\"’‘“”;&|$(){}<>%#?/\\\\. a]{1,24}",
            Just("’; Remove-Item -Recurse / #".to_owned()),
            Just("x' or '1' eq '1".to_owned()),
        ],
    ) {
        prop_assume!(!matches!(value.as_str(), "." | ".."));
        let tenant = Tenant::new(State::default());
        let marked = format!("{MARK_START}{value}{MARK_END}");
        let with = json!({ "run": {
            "method": "POST", "path": format!("/x(name='{marked}')/y"),
            "query": { "$filter": format!("name eq '{marked}'") }, "body": { "value": value, "path": value },
        } });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(Steps::of(&tenant).run(&with)).unwrap();
        let asked = tenant.graph().remove(0);
        let (path, query) = asked.target.split_once('?').unwrap();
        let parts: Vec<&str> = path.split('/').collect();
        prop_assert_eq!(parts.len(), 4, "{}", path);
        let decoded = |text: &str| parse(format!("v={}", text.replace('+', "%2B")).as_bytes()).next().unwrap().1.into_owned();
        let unquoted = |text: &str, begin: &str, end: &str| {
            let inner = text.strip_prefix(begin).unwrap().strip_suffix(end).unwrap().to_owned();
            assert!(!inner.replace("''", "").contains('\''), "{inner}");
            inner.replace("''", "'")
        };
        prop_assert_eq!(&unquoted(&decoded(parts[2]), "x(name='", "')"), &value);
        let mut pairs = parse(query.as_bytes());
        let (name, filter) = pairs.next().unwrap();
        prop_assert_eq!(name.as_ref(), "$filter");
        prop_assert_eq!(pairs.next(), None);
        prop_assert_eq!(&unquoted(&filter, "name eq '", "'"), &value);
        let body: Value = serde_json::from_str(&asked.body).unwrap();
        prop_assert_eq!(&body, &json!({ "value": value, "path": value }));
    }
}

#[tokio::test]
async fn a_wrong_filter_is_not_sent() {
    let tenant = Tenant::new(State::default());
    let filter = format!("accountEnabled eq {MARK_START}true or true{MARK_END}");
    let with = json!({ "validate": { "path": "/x", "query": { "$filter": filter }, "satisfied": "true" } });
    let failure = Steps::of(&tenant)
        .validate(Purpose::Before, &with)
        .await
        .unwrap_err();
    assert!(
        failure.message.contains("outside quotation marks"),
        "{}",
        failure.message
    );
    assert_eq!(tenant.asked(), [""; 0]);
    let ok = Steps::of(&tenant)
        .validate(Purpose::Before, &look("/x"))
        .await
        .unwrap();
    assert_eq!(ok.verdict, Verdict::Satisfied);
}
