//! `command`, with real child programs.

use runbook_engine::step::{Context, FailureKind, Purpose, Verdict};
use runbook_engine::testing::doubles::{Recorder, context, instance};
use serde_json::{Value, json};
use std::sync::Arc;

use crate::support::{check, helper, plugin, problem, run};

/// Texts that break whoever pastes data into code.
const HOSTILE: &[&str] = &[
    "",
    " ",
    "$(touch x)",
    "`id`; rm -rf / #",
    "a\"b'c\\d",
    "%PATH% !x! ^&|<>",
    "line\nline\r\n\ttab",
    "-rf",
    "--",
    "*?[a]~",
    "ünïcödé 日本語 \u{202e}rtl",
    "\u{1}\u{7f}\u{fffd}",
    "${{ params.x }}",
    "{\"json\": [1]}",
];

#[tokio::test]
async fn arguments_arrive_as_they_are() {
    let mut words = vec!["arguments"];
    words.extend(HOSTILE);
    let outputs = run("command", json!({ "run": helper(&words) })).await.unwrap();
    let arrived: Vec<String> = serde_json::from_str(outputs["stdout"].as_str().unwrap()).unwrap();
    assert_eq!(arrived, HOSTILE);
}

#[tokio::test]
async fn the_document_arrives_as_it_is() {
    let recorder = Recorder::new();
    let params = json!({ "hostile": HOSTILE, "number": 1.5, "list": [1, null, true] });
    let cx = Context {
        params: Arc::new(params),
        item: Some(json!("web1")),
        before: Some(json!({ "allow": false })),
        ..context(&recorder)
    };
    let with = json!({ "run": helper(&["copy"]), "stdout": "ignore" });
    plugin("command").run(&with, &cx).await.unwrap();
    let arrived = recorder.text("stdout");
    assert_eq!(arrived, format!("{}\n", cx.document()), "one line, byte for byte");
    let document: Value = serde_json::from_str(&arrived).unwrap();
    assert_eq!(document["params"]["hostile"], json!(HOSTILE));
}

#[tokio::test]
async fn a_large_document_need_not_be_read() {
    let cx = Context {
        params: Arc::new(json!("x".repeat(4_000_000))),
        ..context(&Recorder::new())
    };
    for words in [&["print", "done"][..], &["end", "0", "done", ""]] {
        let outputs = plugin("command")
            .run(&json!({ "run": helper(words) }), &cx)
            .await
            .unwrap();
        assert_eq!(outputs["stdout"], "done");
    }
}

#[test]
fn values_are_no_arguments_of_batch_files() {
    for program in ["deploy.cmd", r"C:\tools\Deploy.BAT", "deploy.cmd."] {
        let (place, message) = problem(
            "command",
            &json!({ "run": [program, "-t", "${{ params.host }}"] }),
        );
        assert_eq!(place, "run.2");
        assert!(message.contains("is a batch file"), "{message}");
        assert!(
            check("command", &json!({ "run": [program, "-t", "web1"] }))
                .0
                .is_empty()
        );
    }
    let with = json!({ "run": ["deploy.exe", "${{ params.host }}"] });
    assert!(check("command", &with).0.is_empty());
}

#[tokio::test]
async fn text_loses_only_its_last_line_end() {
    for (printed, expected) in [
        ("a\n\n", "a\n"),
        ("a\r\n", "a"),
        ("a", "a"),
        ("\u{feff}a\n", "a"),
        ("", ""),
    ] {
        let outputs = run("command", json!({ "run": helper(&["end", "0", printed, ""]) }))
            .await
            .unwrap();
        assert_eq!(outputs["stdout"], expected, "{printed:?}");
    }
}

#[tokio::test]
async fn the_fields_of_an_object_are_the_outputs() {
    let json_of = |text: &str| json!({ "run": helper(&["print", text]), "stdout": "json" });
    let outputs = run("command", json_of(r#"{"realm": "abc", "keys": [1]}"#))
        .await
        .unwrap();
    assert_eq!(Value::Object(outputs), json!({ "realm": "abc", "keys": [1] }));
    for (printed, why) in [
        ("[1]", "it is a list"),
        ("kitten", "line 1, column 1 is not JSON"),
        ("", "printed nothing"),
    ] {
        let failure = run("command", json_of(printed)).await.unwrap_err();
        assert!(failure.message.ends_with(why), "{}", failure.message);
        assert!(
            !failure.message.contains("kitten"),
            "what was printed may be secret: {}",
            failure.message
        );
    }
}

#[tokio::test]
async fn a_flood_is_bounded_but_wholly_transcribed() {
    let recorder = Recorder::new();
    let flood = 5_000_000;
    let with = json!({ "run": helper(&["flood", &flood.to_string()]) });
    let outputs = plugin("command").run(&with, &context(&recorder)).await.unwrap();
    assert_eq!(
        outputs["stdout"].as_str().map(str::len),
        Some(1024 * 1024 - 1),
        "the first MiB, less its line end"
    );
    assert_eq!(outputs["stdout_truncated"], true);
    assert_eq!(recorder.bytes("stdout").len(), flood);
    assert!(recorder.largest_chunk() <= 16 * 1024);

    let with = json!({ "run": helper(&["flood", "2000000"]), "stdout": "json" });
    let failure = run("command", with).await.unwrap_err();
    assert!(
        failure.message.contains("more than 1048576 bytes"),
        "{}",
        failure.message
    );
}

#[tokio::test]
async fn validate_answers_with_its_exit_code() {
    let validate = async |code: &str, out: &str, err: &str, stdout: &str| {
        let with = json!({ "validate": helper(&["end", code, out, err]), "stdout": stdout });
        let cx = Context {
            purpose: Purpose::Before,
            ..context(&Recorder::new())
        };
        plugin("command").validate(&with, &cx).await
    };
    let seen = validate("0", "{\"a\": 1}", "", "json").await.unwrap();
    assert_eq!(seen.verdict, Verdict::Satisfied);
    assert_eq!(
        (seen.observed, Value::Object(seen.outputs)),
        (json!({ "a": 1 }), json!({ "a": 1 }))
    );

    let seen = validate("0", "", "", "text").await.unwrap();
    assert!(
        seen.outputs.is_empty(),
        "a silent `validate` must not hide what `run` gave"
    );

    let missing = |reason: &str| Verdict::Unsatisfied(reason.to_owned());
    assert_eq!(
        validate("1", "x\nno realm\n", "", "text").await.unwrap().verdict,
        missing("no realm")
    );
    assert_eq!(
        validate("1", "{\"a\": 1}", "no realm", "json")
            .await
            .unwrap()
            .verdict,
        missing("no realm")
    );
    let nothing = validate("1", "", "", "text").await.unwrap().verdict;
    assert!(matches!(nothing, Verdict::Unsatisfied(reason) if reason.ends_with("ended with exit code 1")));

    let failure = validate("2", "", "cannot reach the farm", "text")
        .await
        .unwrap_err();
    assert!(failure.message.contains("exit code 2") && failure.message.ends_with(": cannot reach the farm"));
}

#[tokio::test]
async fn failures_say_what_happened() {
    let failure = run(
        "command",
        json!({ "run": helper(&["end", "3", "", "first\nthe last line\n"]) }),
    )
    .await;
    let message = failure.unwrap_err().message;
    assert!(
        message.ends_with("ended with exit code 3: the last line"),
        "{message}"
    );

    let failure = run("command", json!({ "run": ["no-such-program-of-runbook"] }))
        .await
        .unwrap_err();
    assert_eq!(failure.kind, FailureKind::Failed);
    let expected = "the program `no-such-program-of-runbook` was not found in any folder that PATH names";
    assert_eq!(failure.message, expected);

    let with = json!({ "run": helper(&["print", "x"]), "cwd": "/no/such/folder" });
    let message = run("command", with).await.unwrap_err().message;
    assert!(
        message.ends_with("there is no folder `/no/such/folder`"),
        "{message}"
    );
}

#[tokio::test]
async fn a_child_knows_what_it_belongs_to() {
    let cx = Context {
        instance: instance("step[web 1]"),
        ..context(&Recorder::new())
    };
    let run_id = cx.run.id.unwrap().to_string();
    for (name, expected) in [
        ("RUNBOOK_STEP", "step[web 1]"),
        ("RUNBOOK_ATTEMPT", "1"),
        ("RUNBOOK_RUN", run_id.as_str()),
        ("RUNBOOK_TOKEN", cx.token.as_str()),
        ("OWN", "8080"),
    ] {
        let with = json!({ "run": helper(&["variable", name]), "env": { "OWN": 8080 } });
        let outputs = plugin("command").run(&with, &cx).await.unwrap();
        assert_eq!(outputs["stdout"], expected, "{name}");
    }
}

#[test]
fn wrong_inputs_are_refused_where_they_stand() {
    let at = |with: Value| problem("command", &with);
    assert_eq!(
        at(json!({})).1,
        "`run` or `validate` is missing: the step would do nothing"
    );
    assert_eq!(at(json!({ "run": [] })).0, "run");
    assert_eq!(at(json!({ "run": ["ls", "a\0b"] })).0, "run.1");
    let (place, message) = at(json!({ "run": "ls -l" }));
    assert_eq!(place, "run");
    assert!(message.contains("there is no shell"), "{message}");
    assert_eq!(
        at(json!({ "validate": ["ls"], "rollback": ["ls"] })).0,
        "rollback"
    );
    assert_eq!(
        at(json!({ "run": ["ls"], "env": { "RUNBOOK_RUN": "x" } })).0,
        "env.RUNBOOK_RUN"
    );
    assert_eq!(at(json!({ "run": ["ls"], "cwd": "here" })).0, "cwd");
    let (place, message) = at(json!({ "run": ["ls"], "secret_files": { "con.txt": "x" } }));
    assert_eq!(place, "secret_files.con.txt");
    assert!(message.contains("a device on Windows"), "{message}");
    let twins = json!({ "run": ["ls"], "secret_files": { "token": "x", "Token": "y" } });
    assert_eq!(check("command", &twins).0.len(), 2, "one file on Windows");
    assert_eq!(
        check(
            "command",
            &json!({ "run": ["ls"], "cwd": "${{ params.folder }}" })
        )
        .0,
        []
    );
}

#[test]
fn abilities_follow_from_the_inputs() {
    let of = |with: Value| check("command", &with).1.unwrap();
    let all = of(json!({ "run": ["a"], "validate": ["b"], "rollback": ["c"] }));
    assert!(all.validates && all.undoes && !all.read_only && !all.by_person);
    let check_only = of(json!({ "validate": ["b"] }));
    assert!(check_only.validates && check_only.read_only && !check_only.undoes);
    let run_only = of(json!({ "run": ["a"] }));
    assert!(!run_only.validates && !run_only.read_only && !run_only.undoes);
}
