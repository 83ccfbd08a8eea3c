//! What is sent is what Graph's published schema knows: requests held against a slice of its OpenAPI description.

use std::path::{Path, PathBuf};

use regex::Regex;
use runbook_engine::step::Purpose;
use serde_json::{Value, json};

use super::tenant::{State, Steps, Tenant};
use crate::support::server::Asked;

/// The slice that `RUNBOOK_TEST_GRAPH_SLICE` names, or the one beside the repository. Where there is none, this says so.
#[expect(
    clippy::print_stderr,
    reason = "whoever reads the tests' output must learn what was not tested"
)]
fn slice() -> Option<Value> {
    let named = std::env::var_os("RUNBOOK_TEST_GRAPH_SLICE").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/reference/graph/openapi.yaml");
    let Some(text) = named
        .into_iter()
        .chain([beside])
        .find_map(|path| std::fs::read_to_string(path).ok())
    else {
        eprintln!("NOT TESTED: no description of Graph; name one in RUNBOOK_TEST_GRAPH_SLICE");
        return None;
    };
    Some(serde_yaml::from_str(&text).unwrap())
}

/// What is wrong with a value, by a schema of the slice.
fn wrong(slice: &Value, schema: &Value, value: &Value, at: &str) -> Option<String> {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().unwrap();
        return wrong(slice, &slice["components"]["schemas"][name], value, at);
    }
    let allowed = schema["enum"].as_array();
    if value.is_null() && schema["nullable"] == true {
        return None;
    }
    match (schema["type"].as_str(), value) {
        (Some("object"), Value::Object(fields)) => fields.iter().find_map(|(name, value)| {
            let Some(known) = schema["properties"].get(name) else {
                return Some(format!("{at}.{name} is not known"));
            };
            wrong(slice, known, value, &format!("{at}.{name}"))
        }),
        (Some("array"), Value::Array(items)) => items
            .iter()
            .find_map(|item| wrong(slice, &schema["items"], item, &format!("{at}[]"))),
        (Some("string"), Value::String(_)) if allowed.is_none_or(|all| all.contains(value)) => None,
        (Some("boolean"), Value::Bool(_)) => None,
        (kind, value) => Some(format!("{at} is {value}, not {kind:?}")),
    }
}

/// What is wrong with a request.
fn refusal(slice: &Value, asked: &Asked) -> Option<String> {
    let target = asked.target.strip_prefix("/v1.0").unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let operation = slice["paths"]
        .as_object()
        .unwrap()
        .iter()
        .find_map(|(template, operations)| {
            let pattern = regex::escape(template)
                .replace(r"\{id\}", "[^/()]+")
                .replace(r"\{appId\}", "[^/']+");
            let matches = Regex::new(&format!("^{pattern}$")).unwrap().is_match(path);
            matches.then(|| operations.get(asked.method.to_lowercase()))?
        });
    let Some(operation) = operation else {
        return Some(format!("{} {path} is not known", asked.method));
    };
    if let Some(parameters) = operation["parameters"].as_array() {
        let known = |name: &str| parameters.iter().any(|one| one["name"] == name);
        let mut names = url::form_urlencoded::parse(query.as_bytes());
        if let Some((name, _)) = names.find(|(name, _)| !known(name)) {
            return Some(format!("{name} is no parameter of {path}"));
        }
    }
    if asked.body.is_empty() {
        return None;
    }
    let body: Value = serde_json::from_str(&asked.body).unwrap();
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    wrong(slice, schema, &body, "body")
}

#[tokio::test]
async fn every_request_of_a_collection_is_one_that_graph_knows() {
    let Some(slice) = slice() else { return };
    let old = json!({
        "keyId": "5d6f1ed5-48bd-44da-8cf6-3b5d5b516ed8", "type": "AsymmetricX509Cert", "usage": "Verify", "key": "b2xk",
        "customKeyIdentifier": null, "displayName": null, "startDateTime": null, "endDateTime": "9999-12-31T23:59:59Z",
    });
    let tenant = Tenant::new(State {
        names: vec![json!("app")],
        keys: vec![old],
        refuses_content: true,
        ..State::default()
    });
    let mut steps = Steps::of(&tenant);
    let key = json!({ "type": "AsymmetricX509Cert", "usage": "Verify", "key": "bmV3" });
    let path = "/servicePrincipals/o1";
    let with = json!({
        "validate": [
            { "path": "/organization", "query": { "$select": "id" } },
            { "path": "/servicePrincipals", "query": { "$filter": "appId eq 'a'", "$select": "id" }, "satisfied": "false" },
        ],
        "run": [
            { "path": path, "merge": { "property": "servicePrincipalNames", "add": "app/*.contoso.com" } },
            { "path": path, "merge": { "property": "keyCredentials", "key": "key", "add": key } },
        ],
        "rollback": [
            { "path": path, "merge": { "property": "keyCredentials", "key": "key", "remove": { "key": "bmV3" } } },
            { "path": path, "merge": { "property": "servicePrincipalNames", "remove": "app/*.contoso.com" } },
        ],
    });
    steps.before = Some(steps.validate(Purpose::Before, &with).await.unwrap().observed);
    steps.run(&with).await.unwrap();
    tenant.state().refuses_content = false;
    steps.rollback(&with).await.unwrap();
    let mut asked = tenant.graph();
    asked.extend(
        tenant
            .server
            .asked()
            .into_iter()
            .filter(|one| one.target.contains("/organization")),
    );
    assert!(asked.len() > 10);
    for one in &asked {
        assert_eq!(
            refusal(&slice, one),
            None,
            "{} {}\n{}",
            one.method,
            one.target,
            one.body
        );
    }
    // The slice does tell them apart: the article's own mistake, and a name that Graph does not have.
    let article = |body: Value| Asked {
        method: "PATCH".to_owned(),
        target: "/v1.0/servicePrincipals/o1".to_owned(),
        headers: Vec::new(),
        body: body.to_string(),
    };
    assert!(refusal(&slice, &article(json!({ "servicePrincipalNames": "one" }))).is_some());
    assert!(refusal(&slice, &article(json!({ "spns": [] }))).is_some());
}
