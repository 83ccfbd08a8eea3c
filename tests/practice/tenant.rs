//! The practice tenant's Graph: what it answers, refuses and gets wrong on demand.

use serde_json::{Value, json};

use super::bench::{APP, Answer, Bench, OBJECT, SignedIn};

#[track_caller]
fn refused(answer: Answer, status: u16, code: &str) -> String {
    let answer = answer.status(status);
    let error = answer.json()["error"].clone();
    assert_eq!(error["code"], code, "{error}");
    assert_eq!(
        error["innerError"]["request-id"].as_str(),
        answer.header("request-id")
    );
    error["message"].as_str().unwrap().to_owned()
}

fn list(signed_in: &SignedIn<'_>, filter: &str, select: &str) -> Answer {
    signed_in.get("/servicePrincipals", &[("$filter", filter), ("$select", select)])
}

#[test]
fn an_application_is_found_by_its_id_and_by_nothing_that_looks_like_it() {
    let bench = Bench::new(&[]);
    let graph = bench.sign_in();
    let found = list(&graph, &format!("appId eq '{APP}'"), "id,appId")
        .status(200)
        .json();
    assert_eq!(found["value"], json!([{ "id": OBJECT, "appId": APP }]));
    let found = list(&graph, "AppId eq '00000000-0000-0000-0000-000000000000'", "id")
        .status(200)
        .json();
    assert_eq!(found["value"], json!([]));
    // The article's own quotes.
    refused(
        list(&graph, &format!("AppId eq '{APP}\u{2019}"), "id"),
        400,
        "Request_UnsupportedQuery",
    );
    refused(
        list(&graph, "displayName eq 'x'", "id"),
        400,
        "Request_UnsupportedQuery",
    );
    refused(
        list(&graph, &format!("appId eq '{APP}'"), "id,colour"),
        400,
        "BadRequest",
    );
    refused(
        graph.get(&format!("/servicePrincipals/{APP}"), &[]),
        404,
        "Request_ResourceNotFound",
    );
    graph
        .get(&format!("/servicePrincipals(appId='{APP}')"), &[])
        .status(200);
    refused(graph.get("/users", &[]), 400, "BadRequest");
    refused(bench.get("/v1.0/organization"), 401, "InvalidAuthenticationToken");
}

#[test]
fn a_list_comes_in_pages() {
    let bench = Bench::new(&[]);
    let graph = bench.sign_in();
    let first = graph
        .get("/servicePrincipals", &[("$top", "2"), ("$select", "id")])
        .status(200)
        .json();
    assert_eq!(first["value"].as_array().unwrap().len(), 2);
    let next = first["@odata.nextLink"].as_str().unwrap().to_owned();
    let next = next.strip_prefix(&bench.address()).unwrap();
    let (path, query) = next.strip_prefix("/v1.0").unwrap().split_once('?').unwrap();
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect();
    let pairs: Vec<(&str, &str)> = pairs
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let second = graph.get(path, &pairs).status(200).json();
    assert_eq!(second["value"].as_array().unwrap().len(), 1);
    assert_eq!(second["@odata.nextLink"], Value::Null);
    for wrong in ["0", "x", "99999999999999999999"] {
        refused(
            graph.get("/servicePrincipals", &[("$top", wrong)]),
            400,
            "Request_UnsupportedQuery",
        );
    }
}

#[test]
fn lists_show_keys_in_three_ways() {
    let bench = Bench::new(&[]);
    let graph = bench.sign_in();
    let keys = || {
        list(&graph, &format!("appId eq '{APP}'"), "id,keyCredentials")
            .status(200)
            .json()["value"][0]["keyCredentials"]
            .clone()
    };
    assert_eq!(keys()[0]["key"], Value::Null);
    bench.fault(&["list-with-keys"]);
    assert!(keys()[0]["key"].is_string());
    bench.fault(&["--off"]);
    bench.fault(&["list-without-keys"]);
    assert_eq!(keys(), json!([]));
    assert!(
        graph.application()["keyCredentials"][0]["key"].is_string(),
        "by its id it is shown"
    );
    bench.fault(&["keys-hidden"]);
    assert_eq!(graph.application()["keyCredentials"][0]["key"], Value::Null);
}

#[test]
fn a_collection_is_replaced_as_a_whole() {
    let bench = Bench::new(&[]);
    let graph = bench.sign_in();
    let before = graph.application();
    let new = format!("{APP}/*.adventureworks.com");
    // The article's command.
    let message = refused(
        graph.patch(&json!({ "servicePrincipalNames": new })).unwrap(),
        400,
        "Request_BadRequest",
    );
    assert!(message.contains("servicePrincipalNames"), "{message}");
    refused(
        graph.patch(&json!({ "servicePrincipalNames": null })).unwrap(),
        400,
        "Request_BadRequest",
    );
    refused(
        graph.patch(&json!({ "keyCredentials": null })).unwrap(),
        400,
        "Request_BadRequest",
    );
    assert_eq!(graph.application(), before);

    let answer = graph
        .patch(&json!({ "servicePrincipalNames": [new] }))
        .unwrap()
        .status(204);
    assert_eq!(answer.body, "");
    assert_eq!(
        graph.application()["servicePrincipalNames"],
        json!([new]),
        "the others are gone"
    );
    graph
        .patch(&json!({ "servicePrincipalNames": before["servicePrincipalNames"] }))
        .unwrap()
        .status(400);
    assert_eq!(bench.calls("tenant"), ["PATCH servicePrincipalNames"]);
}

#[test]
fn a_name_must_be_free_and_of_a_verified_domain() {
    let bench = Bench::new(&[]);
    let graph = bench.sign_in();
    let with = |name: &str| {
        let mut names = graph.application()["servicePrincipalNames"].clone();
        names.as_array_mut().unwrap().push(json!(name));
        graph.patch(&json!({ "servicePrincipalNames": names })).unwrap()
    };
    refused(with(&format!("{APP}/*.contoso.com")), 400, "Request_BadRequest");
    refused(
        with(&format!("{APP}/*.notadventureworks.com")),
        400,
        "Request_BadRequest",
    );
    refused(
        with("https://mail.adventureworks.com"),
        409,
        "Request_MultipleObjectsWithSameKeyValue",
    );
    bench.fault(&["name-in-use"]);
    refused(
        with(&format!("{APP}/*.adventureworks.com")),
        409,
        "Request_MultipleObjectsWithSameKeyValue",
    );
    with(&format!("{APP}/*.adventureworks.com")).status(204);
    refused(
        graph.patch(&json!({ "displayName": "x" })).unwrap(),
        400,
        "Request_BadRequest",
    );
    refused(
        graph.patch(&json!({ "colour": "x" })).unwrap(),
        400,
        "Request_BadRequest",
    );
    refused(graph.patch(&json!([])).unwrap(), 400, "BadRequest");
}

#[test]
fn a_certificate_is_added_and_taken_away_without_a_trace() {
    let bench = Bench::new(&[]);
    let graph = bench.sign_in();
    let untouched = bench.project.read("practice/tenant.json");
    let there = graph.application()["keyCredentials"].clone();
    let key = bench.farm()["sts"]["certificate"].clone();
    let mut keys = there.clone();
    keys.as_array_mut()
        .unwrap()
        .push(json!({ "type": "AsymmetricX509Cert", "usage": "Verify", "key": key }));
    graph
        .patch(&json!({ "keyCredentials": keys }))
        .unwrap()
        .status(204);
    let after = graph.application()["keyCredentials"].clone();
    assert_eq!(after[0], there[0]);
    assert_eq!(after[1]["key"], key);
    assert_eq!(after[1]["endDateTime"], "9999-12-31T23:59:59Z");
    graph
        .patch(&json!({ "keyCredentials": there }))
        .unwrap()
        .status(204);
    assert_eq!(
        bench.project.read("practice/tenant.json"),
        untouched,
        "to the byte"
    );

    for (fault, other) in [
        ("keys-refused-by-content", "by its id"),
        ("keys-refused-by-id", "by its content"),
    ] {
        bench.fault(&[fault]);
        let message = refused(
            graph.patch(&json!({ "keyCredentials": there })).unwrap(),
            400,
            "Request_BadRequest",
        );
        assert!(
            message.contains("Update to existing credential"),
            "{message}: {other}"
        );
        bench.fault(&["--off"]);
    }
}

#[test]
fn graph_has_no_time_loses_answers_and_withdraws_tokens() {
    let bench = Bench::new(&[]);
    let graph = bench.sign_in();
    let ask = || graph.get("/organization", &[]);
    bench.fault(&["throttled", "--times", "2"]);
    for _ in 0..2 {
        let answer = ask().status(429);
        assert!(answer.header("retry-after").unwrap().parse::<u32>().is_ok());
        refused(answer, 429, "TooManyRequests");
    }
    ask().status(200);
    bench.fault(&["throttled-until"]);
    let answer = ask().status(429);
    assert!(
        answer.header("retry-after").unwrap().ends_with(" GMT"),
        "{answer:?}"
    );
    bench.fault(&["unavailable"]);
    refused(ask(), 503, "ServiceUnavailable");
    bench.fault(&["token-withdrawn"]);
    refused(ask(), 401, "InvalidAuthenticationToken");
    refused(ask(), 401, "InvalidAuthenticationToken");

    let graph = bench.sign_in();
    bench.fault(&["forbidden"]);
    refused(
        graph.patch(&json!({})).unwrap(),
        403,
        "Authorization_RequestDenied",
    );
    bench.fault(&["lost-answer"]);
    assert!(
        graph.patch(&json!({ "servicePrincipalNames": [] })).is_none(),
        "no answer"
    );
    assert_eq!(
        graph.application()["servicePrincipalNames"],
        json!([]),
        "and yet it was done"
    );
}

#[test]
fn readings_are_stale_and_others_meddle() {
    let bench = Bench::new(&[]);
    let graph = bench.sign_in();
    let before = graph.application();
    bench.fault(&["stale-reads", "--times", "2"]);
    graph
        .patch(&json!({ "servicePrincipalNames": [] }))
        .unwrap()
        .status(204);
    assert_eq!(graph.application(), before);
    assert_eq!(graph.application(), before);
    assert_eq!(graph.application()["servicePrincipalNames"], json!([]));

    bench.fault(&["concurrent-change"]);
    assert_eq!(graph.application()["servicePrincipalNames"], json!([]));
    let after = graph.application();
    assert_eq!(
        after["servicePrincipalNames"],
        json!([format!("{APP}/partner.adventureworks.com")])
    );
    assert_eq!(after["keyCredentials"].as_array().unwrap().len(), 2);
}

#[test]
fn what_is_written_to_the_wrong_tenant_is_seen_and_not_kept() {
    let bench = Bench::new(&["--fault", "wrong-tenant"]);
    let untouched = bench.project.read("practice/tenant.json");
    let graph = bench.sign_in();
    let other = list(&graph, &format!("appId eq '{APP}'"), "id")
        .status(200)
        .json()["value"][0]["id"]
        .clone();
    assert_ne!(other, OBJECT);
    let other = other.as_str().unwrap();
    let names = |graph: &SignedIn<'_>| {
        let path = format!("/servicePrincipals/{other}");
        graph.get(&path, &[]).status(200).json()["servicePrincipalNames"].clone()
    };
    let before = names(&graph);
    let change = json!({ "servicePrincipalNames": [format!("{APP}/*.fabrikam.com")] });
    graph.patch_of(other, &change).unwrap().status(204);
    assert_eq!(names(&graph), before, "it is not kept");
    assert_eq!(
        bench.calls("tenant"),
        ["PATCH servicePrincipalNames"],
        "it is seen"
    );
    refused(
        graph.get(&format!("/servicePrincipals/{OBJECT}"), &[]),
        404,
        "Request_ResourceNotFound",
    );
    assert_eq!(bench.project.read("practice/tenant.json"), untouched);
}

#[test]
fn a_body_that_does_not_end_is_not_waited_for() {
    let bench = Bench::new(&[]);
    let request = format!("POST /{APP} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 10\r\n\r\nx");
    assert_eq!(bench.send_raw(request.as_bytes()).unwrap().status, 408);
}

#[test]
fn requests_from_elsewhere_and_too_large_ones_are_refused() {
    let bench = Bench::new(&[]);
    let ask = |host: &str| format!("GET / HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    assert_eq!(bench.send_raw(ask("localhost:1").as_bytes()).unwrap().status, 200);
    assert_eq!(
        bench.send_raw(ask("evil.example").as_bytes()).unwrap().status,
        421
    );
    let large = "x".repeat(2 * 1024 * 1024);
    let request = format!(
        "POST /{APP} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{large}",
        large.len()
    );
    let answer = bench.send_raw(request.as_bytes());
    assert!(answer.is_none_or(|answer| answer.status == 413));
    assert!(
        bench
            .send_raw(b"no http at all\r\n\r\n")
            .is_none_or(|answer| answer.status == 400)
    );
    bench.get("/%ff%00/..//x").status(400);
    bench.sign_in();
}
