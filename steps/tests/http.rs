//! `http`: what is sent, what an answer means, and what happens when there is none.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;
use runbook_engine::runbook::expr::{MARK_END, MARK_START};
use runbook_engine::step::{Context, Failure, FailureKind, Observation, Verdict};
use runbook_engine::testing::conformance::{CANARY, Case, World, conformance};
use runbook_engine::testing::doubles::Recorder;
use serde_json::{Value, json};

use crate::support::server::{Asked, Reply, Server, json as answer, status};
use crate::support::{plugin, run, with_plugins};

async fn validate(with: Value) -> Result<Observation, Failure> {
    plugin("http")
        .validate(&with, &with_plugins(&Recorder::new()))
        .await
}

/// A server that gives these answers one after the other, the last for ever.
fn in_turn(answers: impl Fn(usize) -> Reply + Send + Sync + 'static) -> Server {
    let turn = AtomicUsize::new(0);
    Server::new(move |_| answers(turn.fetch_add(1, Ordering::Relaxed)))
}

#[tokio::test]
async fn an_answer_is_read_by_expressions() {
    let server = Server::new(|_| answer(200, &json!({ "realm": "r1", "keys": [{ "usage": "Signing" }] })));
    let with = |satisfied: &str| {
        json!({ "validate": {
            "url": server.url("/metadata"),
            "satisfied": satisfied,
            "outputs": { "realm": "response.json.realm" },
            "observed": { "keys": "response.json.keys.len", "kind": "response.headers[\"content-type\"]" },
        } })
    };
    let found = validate(with("response.status == 200 && response.json.realm == \"r1\""))
        .await
        .unwrap();
    assert_eq!(found.verdict, Verdict::Satisfied);
    assert_eq!(Value::Object(found.outputs), json!({ "realm": "r1" }));
    assert_eq!(found.observed, json!({ "keys": 1, "kind": "application/json" }));
    let found = validate(with("response.json.realm == \"r2\"")).await.unwrap();
    let Verdict::Unsatisfied(reason) = found.verdict else {
        panic!("it is satisfied");
    };
    assert!(reason.contains("`response.json.realm == \"r2\"`"), "{reason}");
    assert_eq!(found.outputs.len(), 0);
}

#[tokio::test]
async fn why_the_outcome_is_not_there_is_said_in_the_authors_words() {
    let server = Server::new(|_| {
        answer(
            200,
            &json!({ "keys": [{ "name": "old", "key": null }, { "name": "new", "key": "x" }] }),
        )
    });
    let with = |reason: &str| {
        json!({ "validate": {
            "url": server.url("/keys"),
            "satisfied": "response.json.keys.all(|k| k.key != ())",
            "reason": reason,
        } })
    };
    let told = async |reason: &str| match validate(with(reason)).await.unwrap().verdict {
        Verdict::Unsatisfied(reason) => reason,
        other => panic!("{other:?}"),
    };
    let unreadable =
        "\"the key \" + response.json.keys.filter(|k| k.key == ())[0].name + \" cannot be read\"";
    assert_eq!(told(unreadable).await, "the key old cannot be read");
    // What an author got wrong hides nothing.
    for (wrong, said) in [
        ("1 + 1", "gives no text"),
        ("response.json.none.name", "could not be evaluated"),
    ] {
        let told = told(wrong).await;
        assert!(
            told.contains("this does not hold: `response.json.keys.all") && told.contains(said),
            "{told}"
        );
    }
}

#[tokio::test]
async fn everything_is_sent_as_it_is_written() {
    let server = Server::new(|_| status(204, &[]));
    let requests = json!([
        { "method": "PUT", "url": server.url("/a"), "query": { "$filter": "x eq 'a&b'", "n": 1 }, "body": { "b": [1, "ä"] } },
        { "method": "POST", "url": server.url("/b"), "headers": { "X-One": "1" }, "body": "plain ${text}" },
        { "method": "DELETE", "url": server.url("/c") },
    ]);
    run("http", json!({ "run": requests })).await.unwrap();
    let asked = server.asked();
    let lines: Vec<String> = asked
        .iter()
        .map(|one| format!("{} {}", one.method, one.target))
        .collect();
    assert_eq!(
        lines,
        ["PUT /a?%24filter=x+eq+%27a%26b%27&n=1", "POST /b", "DELETE /c"]
    );
    assert_eq!(asked[0].body, r#"{"b":[1,"ä"]}"#);
    assert_eq!(asked[0].header("content-type"), Some("application/json"));
    assert_eq!(
        (asked[1].body.as_str(), asked[1].header("x-one")),
        ("plain ${text}", Some("1"))
    );
    assert!(asked[0].header("user-agent").unwrap().starts_with("runbook/"));
}

#[tokio::test]
async fn an_answer_that_is_not_expected_ends_the_step_and_is_told() {
    let server = in_turn(|turn| match turn {
        0 => status(200, &[]),
        _ => Reply::Status(409, Vec::new(), b"line one\nthe name is taken".to_vec()),
    });
    let one = |path: &str| json!({ "method": "POST", "url": server.url(path) });
    let failure = run("http", json!({ "run": [one("/1"), one("/2"), one("/3")] }))
        .await
        .unwrap_err();
    assert_eq!(failure.kind, FailureKind::Failed);
    assert_eq!(
        failure.message,
        "the answer is 409, which is not expected: the name is taken"
    );
    assert_eq!(server.asked().len(), 2, "nothing is sent after it");
    let expected = json!({ "validate": {
        "url": server.url("/"), "expect": { "status": [409] }, "satisfied": "response.status == 409",
    } });
    assert_eq!(validate(expected).await.unwrap().verdict, Verdict::Satisfied);
}

#[tokio::test]
async fn a_throttled_request_is_sent_again_after_the_pause() {
    let server = in_turn(|turn| match turn {
        0 => status(429, &[("retry-after", "0")]),
        1 => status(503, &[("retry-after", "0")]),
        _ => status(200, &[]),
    });
    let recorder = Recorder::new();
    let with = json!({ "run": { "method": "PUT", "url": server.url("/x?secret=1") } });
    plugin("http").run(&with, &with_plugins(&recorder)).await.unwrap();
    assert_eq!(server.asked().len(), 3);
    let log = recorder.text("log");
    assert!(
        log.contains("/x -> 429") && log.contains("tried again in 0 s") && log.contains("/x -> 200"),
        "{log}"
    );
    assert!(!log.contains("secret"), "the query is not told: {log}");
    let far = in_turn(|_| status(429, &[("retry-after", "86400")]));
    let failure = run("http", json!({ "run": { "url": far.url("/") } }))
        .await
        .unwrap_err();
    assert!(
        failure.message.contains("asks for a pause of 86400 s"),
        "{}",
        failure.message
    );
    assert_eq!(far.asked().len(), 1);
}

#[tokio::test]
async fn what_may_have_been_done_is_not_done_twice() {
    let server = in_turn(|turn| match turn {
        0 => Reply::Nothing,
        _ => status(200, &[]),
    });
    let with = |method: &str| json!({ "run": { "method": method, "url": server.url("/") } });
    let failure = run("http", with("POST")).await.unwrap_err();
    assert!(failure.message.contains("does not answer"), "{}", failure.message);
    assert_eq!(server.asked().len(), 1);
    let server = in_turn(|turn| match turn {
        0 => Reply::Nothing,
        _ => status(200, &[]),
    });
    run(
        "http",
        json!({ "run": { "method": "PUT", "url": server.url("/") } }),
    )
    .await
    .unwrap();
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn what_is_gone_when_it_is_deleted_again_was_deleted() {
    let delete = |server: &Server| json!({ "run": { "method": "DELETE", "url": server.url("/x"), "outputs": { "status": "response.status" } } });
    let lost = in_turn(|turn| {
        if turn == 0 {
            Reply::Nothing
        } else {
            status(404, &[])
        }
    });
    let outputs = run("http", delete(&lost)).await.unwrap();
    assert_eq!(outputs["status"], 204);
    let failed = in_turn(|turn| status(if turn == 0 { 503 } else { 404 }, &[]));
    run("http", delete(&failed)).await.unwrap();
    // What was never there, or was refused, is told.
    let absent = Server::new(|_| status(404, &[]));
    let failure = run("http", delete(&absent)).await.unwrap_err();
    assert!(failure.message.contains("404"), "{}", failure.message);
    let throttled = in_turn(|turn| status(if turn == 0 { 429 } else { 404 }, &[]));
    run("http", delete(&throttled)).await.unwrap_err();
}

#[tokio::test]
async fn another_host_is_not_followed() {
    let there = Server::new(|_| answer(200, &json!({ "it": "elsewhere" })));
    let to = there.url("/taken?token=s3cret#s3cret");
    let here = Server::new(move |asked| match asked.target.as_str() {
        "/away" => status(302, &[("location", &to)]),
        "/near" => status(302, &[("location", "/end")]),
        "/round" => status(302, &[("location", "/round")]),
        _ => answer(200, &json!({ "it": "here" })),
    });
    let with = |path: &str| json!({ "validate": { "url": here.url(path), "satisfied": "response.json.it == \"here\"" } });
    assert_eq!(validate(with("/near")).await.unwrap().verdict, Verdict::Satisfied);
    let failure = validate(with("/away")).await.unwrap_err();
    assert!(
        failure.message.contains("is not followed") && failure.message.contains("/taken`"),
        "{}",
        failure.message
    );
    assert!(!failure.message.contains("s3cret"), "{}", failure.message);
    assert_eq!(there.asked().len(), 0);
    let failure = validate(with("/round")).await.unwrap_err();
    assert!(failure.message.contains("too often"), "{}", failure.message);
}

#[tokio::test]
async fn an_answer_without_end_is_not_read_to_the_end() {
    let server = Server::new(|_| Reply::Status(200, Vec::new(), vec![b'x'; 9 * 1024 * 1024]));
    let with = json!({ "validate": { "url": server.url("/"), "satisfied": "true" } });
    let failure = validate(with).await.unwrap_err();
    assert!(
        failure.message.contains("larger than 8 MiB"),
        "{}",
        failure.message
    );
}

#[tokio::test]
async fn wrong_inputs_are_told_before_anything_is_sent() {
    let cases = [
        (json!({ "url": "ftp://a.example/" }), "must start with `https://`"),
        (
            json!({ "url": "https://kim:secret@a.example/" }),
            "no user and password",
        ),
        (json!({ "url": "https://" }), "is not an address"),
        (
            json!({ "url": "https://a.example", "headers": { "X": "a\r\nY: b" } }),
            "cannot be sent",
        ),
    ];
    for (request, told) in cases {
        let failure = run("http", json!({ "run": request })).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Inputs);
        assert!(failure.message.contains(told), "{}", failure.message);
        assert!(!failure.message.contains("secret"), "{}", failure.message);
    }
}

#[test]
fn an_expression_that_does_not_compile_is_told_at_its_place() {
    let with = json!({ "validate": [
        { "url": "https://a.example", "satisfied": "response.status = 200" },
        { "url": "https://a.example", "satisfied": "true", "outputs": { "x": "reponse.json" } },
    ] });
    let (problems, _) = crate::support::check("http", &with);
    let places: Vec<String> = problems.iter().map(|problem| problem.path.join(".")).collect();
    assert_eq!(
        places,
        ["validate.0.satisfied", "validate.1.outputs.x"],
        "{problems:?}"
    );
}

/// A setting behind a web server.
struct Setting {
    server: Server,
    value: Arc<std::sync::Mutex<String>>,
}

impl Setting {
    fn new() -> Self {
        let value = Arc::new(std::sync::Mutex::new("old".to_owned()));
        let held = Arc::clone(&value);
        let server = Server::new(
            move |asked: &Asked| match (asked.method.as_str(), asked.target.as_str()) {
                ("GET", "/setting") => answer(200, &json!({ "value": *held.lock().unwrap() })),
                ("PUT", "/setting") => {
                    held.lock().unwrap().clone_from(&asked.body);
                    status(204, &[])
                }
                ("PUT", "/slow") => {
                    "half".clone_into(&mut held.lock().unwrap());
                    Reply::Silence
                }
                _ => status(404, &[]),
            },
        );
        Self { server, value }
    }
}

impl World for Setting {
    fn reset(&self) {
        "old".clone_into(&mut self.value.lock().unwrap());
    }

    fn fingerprint(&self) -> Vec<u8> {
        self.value.lock().unwrap().clone().into_bytes()
    }

    fn is_halfway(&self, _: &Recorder) -> bool {
        *self.value.lock().unwrap() == "half"
    }

    fn complete(&self, context: Context) -> Context {
        context
    }
}

#[tokio::test]
async fn it_keeps_its_promises() {
    let world = Arc::new(Setting::new());
    let url = |path: &str| world.server.url(path);
    let with = |path: &str| {
        json!({
            "validate": {
                "url": url("/setting"),
                "headers": { "authorization": CANARY },
                "satisfied": "response.json.value == \"new\"",
                "observed": { "old": "response.json.value" },
            },
            "run": { "method": "PUT", "url": url(path), "body": "new" },
            "rollback": { "method": "PUT", "url": url("/setting"), "body": "old" },
        })
    };
    let case = Case {
        with: with("/setting"),
        slow: with("/slow"),
        world: Arc::clone(&world) as Arc<dyn World>,
    };
    conformance(plugin("http"), case).await;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn a_hostile_value_arrives_byte_for_byte(value in "[^\u{fdd0}\u{fdd1}\\x00]{1,24}") {
        prop_assume!(!matches!(value.as_str(), "." | ".."));
        let server = Server::new(|_| status(200, &[]));
        let url = format!("{}/{MARK_START}{value}{MARK_END}/end", server.url(""));
        let with = json!({ "run": { "method": "POST", "url": url, "query": { "q": value }, "body": { "b": value } } });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run("http", with)).unwrap();
        let asked = server.asked().remove(0);
        let url = url::Url::parse(&format!("http://x{}", asked.target)).unwrap();
        let segments: Vec<&str> = url.path_segments().unwrap().collect();
        prop_assert_eq!(segments.len(), 2, "{}", asked.target);
        let decoded = |text: &str| url::form_urlencoded::parse(format!("v={}", text.replace('+', "%2B")).as_bytes())
            .next().unwrap().1.into_owned();
        prop_assert_eq!(&decoded(segments[0]), &value);
        let query = url.query_pairs().next().unwrap().1.into_owned();
        prop_assert_eq!(&query, &value);
        let body: Value = serde_json::from_str(&asked.body).unwrap();
        prop_assert_eq!(&body["b"], &json!(value));
    }
}
