//! `rhai`: scripts in their sandbox.

use std::path::Path;
use std::sync::Arc;

use runbook_engine::step::{Context, Failure, FailureKind, Observation, Outputs, Verdict};
use runbook_engine::testing::doubles::{MemoryFiles, Recorder, context};
use serde_json::{Value, json};

use crate::support::{HELPER, check, check_with_files, plugin, problem, run};

async fn run_body(body: &str, allow: Value) -> Result<Outputs, Failure> {
    run(
        "rhai",
        json!({ "script": format!("fn run(cx) {{ {body} }}"), "allow": allow }),
    )
    .await
}

/// What an expression gives.
async fn value(expression: &str, allow: Value) -> Result<Value, String> {
    let outputs = run_body(&format!("#{{ value: {expression} }}"), allow).await;
    outputs
        .map(|outputs| outputs["value"].clone())
        .map_err(|failure| failure.message)
}

async fn validate(body: &str) -> Result<Observation, Failure> {
    let with = json!({ "script": format!("fn validate(cx) {{ {body} }}") });
    plugin("rhai").validate(&with, &context(&Recorder::new())).await
}

#[tokio::test]
async fn the_document_is_data() {
    let hostile = "${{ 1 }} `; throw 1 \" \u{202e}";
    let cx = Context {
        params: Arc::new(json!({ "text": hostile, "list": [1, 2.5, null, { "a": true }] })),
        item: Some(json!("web1")),
        ..context(&Recorder::new())
    };
    let with = json!({ "script": "fn run(cx) { #{ params: cx.params, item: cx.item, run: cx.run.name } }" });
    let outputs = plugin("rhai").run(&with, &cx).await.unwrap();
    assert_eq!(outputs["params"], *cx.params);
    assert_eq!(
        (&outputs["item"], &outputs["run"]),
        (&json!("web1"), &json!("example-ad91"))
    );
}

#[tokio::test]
async fn validate_may_answer_in_many_ways() {
    let verdict = async |body: &str| validate(body).await.unwrap().verdict;
    assert_eq!(verdict("true").await, Verdict::Satisfied);
    assert!(matches!(verdict("false").await, Verdict::Unsatisfied(_)));
    assert_eq!(
        verdict("\"no realm\"").await,
        Verdict::Unsatisfied("no realm".to_owned())
    );
    assert_eq!(verdict("").await, Verdict::Unknown);
    assert_eq!(verdict("#{ observed: 1 }").await, Verdict::Unknown);
    let missing = verdict("#{ satisfied: false, reason: \"x\" }").await;
    assert_eq!(missing, Verdict::Unsatisfied("x".to_owned()));
    let seen = validate("#{ satisfied: true, observed: #{ a: 1 }, outputs: #{ b: 2 } }")
        .await
        .unwrap();
    assert_eq!(
        (seen.observed, Value::Object(seen.outputs)),
        (json!({ "a": 1 }), json!({ "b": 2 }))
    );
    for wrong in ["1", "[true]", "#{ satisfid: true }", "#{ satisfied: \"yes\" }"] {
        validate(wrong).await.unwrap_err();
    }
}

#[tokio::test]
async fn a_throw_is_a_failure_with_its_place() {
    let script = "fn run(cx) {\n    helper();\n}\nfn helper() {\n    throw \"no farm here\";\n}";
    let failure = run("rhai", json!({ "script": script })).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Failed);
    assert_eq!(
        failure.message,
        "the script failed: line 5, column 5: no farm here"
    );
    let failure = run_body("cx.params.nothing", json!({})).await.unwrap_err();
    assert!(failure.message.contains("nothing"), "{}", failure.message);
    let failure = run_body("parse_int(\"hunter2\")", json!({})).await.unwrap_err();
    assert!(!failure.message.contains("hunter2"), "{}", failure.message);
    assert_eq!(
        run_body("42", json!({})).await.unwrap_err().message,
        "`run` must give a map of outputs, or `()`"
    );
}

#[tokio::test]
async fn functions_of_the_host() {
    let is = async |expression: &str| value(expression, json!({})).await.unwrap();
    assert_eq!(is(r#"matches("web1", "^web\\d$")"#).await, true);
    assert_eq!(is(r#"find("a web1 b", "web\\d")"#).await, "web1");
    assert_eq!(is(r#"find("a", "web\\d")"#).await, Value::Null);
    assert_eq!(
        is(r#"parse_json("{\"a\": [1, null]}")"#).await,
        json!({ "a": [1, null] })
    );
    assert_eq!(is(r#"to_json(#{ a: [1, ()] })"#).await, r#"{"a":[1,null]}"#);
    assert_eq!(
        is(r#"sha256("abc")"#).await,
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
    let now = is("now()").await;
    assert!(now.as_str().unwrap().parse::<jiff::Timestamp>().is_ok(), "{now}");
    let error = value(r#"parse_json("hunter2")"#, json!({})).await.unwrap_err();
    assert!(!error.contains("hunter2"), "{error}");
}

#[tokio::test]
async fn what_it_prints_is_in_the_transcript() {
    let recorder = Recorder::new();
    let with = json!({ "script": "fn run(cx) { log(\"one\"); print(\"two\"); }" });
    plugin("rhai").run(&with, &context(&recorder)).await.unwrap();
    assert_eq!(recorder.text("log"), "one\ntwo\n");
}

#[tokio::test]
async fn only_allowed_programs_are_carried_out() {
    let call = format!(
        "command([{}, \"end\", \"3\", \"out $(id)\", \"err\"])",
        json!(HELPER)
    );
    let ended = value(&call, json!({ "commands": [HELPER] })).await.unwrap();
    assert_eq!(
        ended,
        json!({ "code": 3, "stdout": "out $(id)", "stderr": "err", "truncated": false })
    );
    let refused = value(&call, json!({ "commands": ["other"] })).await.unwrap_err();
    assert!(
        refused.contains("is not allowed: add it to `allow.commands`"),
        "{refused}"
    );
    let refused = value("command([])", json!({ "commands": ["other"] }))
        .await
        .unwrap_err();
    assert!(refused.ends_with("needs a program"), "{refused}");
}

#[tokio::test]
async fn a_folder_that_does_not_exist_is_told_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let (granted, below) = (folder.path().join("none"), folder.path().join("none/new"));
    let refused = |call: &str, allow: &Path| {
        let call = format!(
            "{call}({}{})",
            json!(below),
            if call == "write_file" { ", \"x\"" } else { "" }
        );
        let allow = json!({ "folders": [allow] });
        async move { value(&call, allow).await.unwrap_err() }
    };
    let message = format!(
        "the folder `{}` of `allow.folders` does not exist; make it first",
        granted.display()
    );
    for call in ["exists", "read_file", "write_file", "list_files", "remove_file"] {
        let why = refused(call, &granted).await;
        assert!(why.contains(&message), "{call}: {why}");
    }
    let why = refused("write_file", folder.path()).await;
    let message = format!("the folder `{}` does not exist; make it first", granted.display());
    assert!(why.contains(&message), "{why}");
    // Of what is elsewhere nothing is told.
    let why = refused("write_file", &folder.path().join("other")).await;
    assert!(why.contains("not below a folder of `allow.folders`"), "{why}");
}

#[tokio::test]
async fn files_are_reached_within_the_allowed_folders() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| json!(folder.path().join(name)).to_string();
    let allow = json!({ "folders": [folder.path()] });
    let is = async |expression: String| value(&expression, allow.clone()).await.unwrap();
    let (new, missing) = (path("new"), path("no/such"));
    assert_eq!(
        is(format!("{{ write_file({new}, \"ü\"); read_file({new}) }}")).await,
        "ü"
    );
    assert_eq!(
        is(format!("[exists({new}), exists({missing})]")).await,
        json!([true, false])
    );
    assert_eq!(
        is(format!("[remove_file({new}), remove_file({new})]")).await,
        json!([true, false])
    );
    assert_eq!(is(format!("remove_file({missing})")).await, false);
}

#[tokio::test]
async fn no_path_leads_out_of_the_allowed_folders() {
    let around = tempfile::tempdir().unwrap();
    let inside = around.path().join("inside");
    std::fs::create_dir(&inside).unwrap();
    std::fs::write(around.path().join("secret"), "hunter2").unwrap();
    let ways = [
        around.path().join("secret"),
        around.path().join("not-there"),
        inside.join("../secret"),
        inside.join("no/../../secret"),
        Path::new("secret").to_owned(),
        around.path().join("inside-not"),
    ];
    let allow = json!({ "folders": [inside] });
    for way in ways {
        let path = json!(way).to_string();
        for call in [
            format!("read_file({path})"),
            format!("write_file({path}, \"x\")"),
            format!("exists({path})"),
        ] {
            value(&call, allow.clone()).await.expect_err(&call);
        }
    }
    let secret = json!(around.path().join("secret"));
    let refused = value(&format!("read_file({secret})"), json!({}))
        .await
        .unwrap_err();
    assert!(refused.contains("allows no folders"), "{refused}");
    assert_eq!(
        std::fs::read_to_string(around.path().join("secret")).unwrap(),
        "hunter2"
    );
    assert!(!around.path().join("later").exists());
}

#[tokio::test]
async fn scripts_are_bounded() {
    for (body, why) in [
        ("let x = \"xxxxxxxx\"; loop { x += x; }", "too large"),
        ("let x = []; loop { x.push(1); }", "too large"),
        (
            "let x = `x`; x.pad(4000000, `x`); x.replace(`x`, x);",
            "too large",
        ),
        ("f(1)} fn f(x) { f(x + 1)", "stack overflow"),
    ] {
        let message = run_body(body, json!({})).await.unwrap_err().message;
        assert!(message.to_lowercase().contains(why), "{body}: {message}");
    }
}

#[tokio::test]
async fn texts_are_replaced_in_place() {
    let replaced = run_body("let x = \"a-b\"; x.replace(\"-\", \"+\"); #{ x: x }", json!({})).await;
    assert_eq!(replaced.unwrap()["x"], "a+b");
}

#[tokio::test]
async fn a_script_is_stopped_wherever_it_is() {
    let command = format!("command([{}, \"hang\"])", json!(HELPER));
    for body in ["loop { }", "sleep(3000)", command.as_str()] {
        let recorder = Recorder::new();
        let cx = context(&recorder);
        let script = format!("fn run(cx) {{ log(\"here\"); try {{ {body} }} catch {{ }} }}");
        let with = json!({ "script": script, "allow": { "commands": [HELPER] } });
        let cancel = async {
            recorder
                .until(|recorder| recorder.text("log").contains("here"))
                .await;
            cx.cancel.cancel();
        };
        let rhai = plugin("rhai");
        let (result, ()) = tokio::join!(rhai.run(&with, &cx), cancel);
        assert_eq!(result.unwrap_err().message, "the script was stopped", "{body}");
    }
}

#[test]
fn mistakes_are_found_where_they_stand() {
    let inside = |script: &str| {
        let (problems, _) = check("rhai", &json!({ "script": script }));
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert_eq!(problems[0].path, ["script"]);
        let range = problems[0]
            .inside
            .map(|(start, end)| script[start..end].to_owned());
        (range, problems[0].message.clone())
    };
    assert_eq!(
        inside("fn run(cx) {\n  let a = \"ü\" + ;\n}").0.as_deref(),
        Some(";")
    );
    assert_eq!(inside("fn run(cx) {}\nprint(1);").0.as_deref(), Some("p"));
    assert_eq!(inside("fn run() {}").1, "`run` takes one argument: `fn run(cx)`");
    assert!(inside("fn other(cx) {}").1.starts_with("it defines neither"));
    assert!(
        inside("fn validate(cx) {} fn rollback(cx) {}")
            .1
            .contains("nothing to undo")
    );
    inside("fn run(cx) { eval(\"1\") }");
    inside("fn run(cx) { import \"x\" as y; }");

    assert_eq!(problem("rhai", &json!({})).0, "");
    let hosts = json!({ "script": "fn run(cx) {}", "allow": { "hosts": ["*.example"] } });
    assert_eq!(
        problem("rhai", &hosts).1,
        "`*.example` is not a host, or a host and a port"
    );
    let commands = json!({ "script": "fn run(cx) {}", "allow": { "commands": ["hostname", "./here"] } });
    assert_eq!(problem("rhai", &commands).0, "allow.commands.1");
    let folders = json!({ "script": "fn run(cx) {}", "allow": { "folders": ["here"] } });
    assert_eq!(problem("rhai", &folders).0, "allow.folders.0");
}

#[tokio::test]
async fn a_script_may_stand_in_a_file() {
    let files = MemoryFiles::of([
        ("steps/a.rhai", "const A = 1; fn validate(cx) { global::A == 1 }"),
        ("b.rhai", "fn"),
    ]);
    let with = json!({ "file": "steps/a.rhai" });
    let (problems, abilities) = check_with_files("rhai", &with, &files);
    assert_eq!(problems, []);
    assert!(abilities.is_some_and(|abilities| abilities.validates && abilities.read_only));
    let cx = Context {
        files: Arc::new(files.clone()),
        ..context(&Recorder::new())
    };
    assert_eq!(
        plugin("rhai").validate(&with, &cx).await.unwrap().verdict,
        Verdict::Satisfied
    );

    let (problems, _) = check_with_files("rhai", &json!({ "file": "b.rhai" }), &files);
    assert!(
        problems[0]
            .message
            .starts_with("`b.rhai` cannot be used: line 1, column"),
        "{problems:?}"
    );
    let (problems, _) = check_with_files("rhai", &json!({ "file": "none.rhai" }), &files);
    assert_eq!(problems[0].path, ["file"]);
}

#[test]
fn abilities_follow_from_the_functions() {
    let of = |script: &str| check("rhai", &json!({ "script": script })).1.unwrap();
    let all = of("fn run(cx) {} fn validate(cx) {} fn rollback(cx) {}");
    assert!(all.validates && all.undoes && !all.read_only);
    let looks = of("fn validate(cx) {}");
    assert!(looks.validates && looks.read_only && !looks.undoes);
}
