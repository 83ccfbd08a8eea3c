//! `wait`, asking real child programs.

use runbook_engine::step::{FailureKind, Verdict};
use runbook_engine::testing::doubles::Recorder;
use serde_json::{Value, json};

use crate::support::{check, helper, plugin, problem, run, with_plugins};

fn wait(awaited: &Value, until: Option<&str>) -> Value {
    let mut with = json!({
        "for": { "uses": "command", "with": { "validate": awaited, "stdout": "json" } },
        "every": "10ms",
        "deadline": "30s",
    });
    if let Some(until) = until {
        with["until"] = json!(until);
    }
    with
}

#[tokio::test]
async fn it_goes_on_as_soon_as_the_outcome_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state");
    let recorder = Recorder::new();
    let cx = with_plugins(&recorder);
    let with = wait(&helper(&["has", file.to_str().unwrap(), "ready"]), None);
    let wait = plugin("wait");
    let appear = async {
        recorder.until(|recorder| recorder.processes().len() >= 3).await;
        std::fs::write(&file, "ready").unwrap();
    };
    let (outputs, ()) = tokio::join!(wait.run(&with, &cx), appear);
    assert_eq!(
        Value::Object(outputs.unwrap()),
        json!({ "content": "ready" }),
        "the outputs of what was asked"
    );
    assert_eq!(
        recorder.text("log").matches("not yet").count(),
        1,
        "the same reason is told once"
    );
}

#[tokio::test]
async fn the_expression_sees_the_answer() {
    let printed = helper(&["end", "1", r#"{"state": "online"}"#, ""]);
    for until in [
        r#"observed.state == "online""#,
        r#"outputs.state == "online" && !satisfied"#,
        r#"verdict == "unsatisfied" && polls == 3"#,
    ] {
        run("wait", wait(&printed, Some(until))).await.unwrap();
    }
    let failure = run("wait", wait(&printed, Some("observed.status == 1")))
        .await
        .unwrap_err();
    assert!(
        failure.message.starts_with("`observed.status == 1` failed: "),
        "{}",
        failure.message
    );
    let failure = run("wait", wait(&printed, Some("polls"))).await.unwrap_err();
    assert_eq!(failure.message, "`polls` must be true or false, and is neither");
}

#[tokio::test]
async fn the_deadline_ends_it() {
    let mut with = wait(&helper(&["end", "1", "", "no answer from web1"]), None);
    with["deadline"] = json!("200ms");
    let failure = run("wait", with.clone()).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::TimedOut);
    assert!(failure.message.contains("in 200ms"), "{}", failure.message);
    assert!(
        failure.message.ends_with("no answer from web1"),
        "{}",
        failure.message
    );

    with["for"]["with"]["validate"] = helper(&["hang"]);
    let failure = run("wait", with).await.unwrap_err();
    assert_eq!(
        failure.kind,
        FailureKind::TimedOut,
        "a question without an answer does not hold it up"
    );
}

#[tokio::test]
async fn a_question_that_fails_is_not_yet() {
    let cx = with_plugins(&Recorder::new());
    let with = wait(&helper(&["end", "7", "", "connection refused"]), None);
    let seen = plugin("wait").validate(&with, &cx).await.unwrap();
    let Verdict::Unsatisfied(reason) = seen.verdict else {
        panic!("{:?}", seen.verdict)
    };
    assert!(reason.ends_with("connection refused"), "{reason}");

    let wrong = wait(&json!(["ls", "a\u{0}b"]), None);
    let failure = plugin("wait").run(&wrong, &cx).await.unwrap_err();
    assert_eq!(
        failure.kind,
        FailureKind::Inputs,
        "a mistake does not become right by waiting"
    );
}

#[tokio::test]
async fn validate_asks_once() {
    let recorder = Recorder::new();
    let cx = with_plugins(&recorder);
    let seen = plugin("wait")
        .validate(&wait(&helper(&["print", "{\"a\": 1}"]), None), &cx)
        .await
        .unwrap();
    assert_eq!(
        (seen.verdict, seen.observed),
        (Verdict::Satisfied, json!({ "a": 1 }))
    );
    assert_eq!(recorder.processes().len(), 1);
}

#[test]
fn wrong_inputs_are_refused_where_they_stand() {
    let good = wait(&json!(["ls"]), Some("satisfied"));
    assert_eq!(check("wait", &good).0, []);
    let changed = |pointer: &str, value: Value| {
        let mut with = good.clone();
        *with.pointer_mut(pointer).unwrap() = value;
        problem("wait", &with)
    };
    assert_eq!(changed("/for/uses", json!("comand")).0, "for.uses");
    assert_eq!(changed("/for/with/validate", json!([])).0, "for.with.validate");
    let (place, message) = changed("/for/with", json!({ "run": ["ls"] }));
    assert_eq!(place, "for.uses");
    assert!(message.contains("no validation"), "{message}");
    assert_eq!(changed("/until", json!("satisfied &&")).0, "until");
    assert_eq!(changed("/every", json!("soon")).0, "every");
    let templated = json!({ "for": good["for"], "every": "${{ params.e }}", "deadline": "${{ params.d }}" });
    assert_eq!(check("wait", &templated).0, []);
}
