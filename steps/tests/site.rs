//! `site.NAME`: kinds of step that scripts define.

use std::sync::Arc;

use runbook_engine::step::{Check, Context, FailureKind, NoPlugin, Place, Plugin, Verdict};
use runbook_engine::testing::doubles::{MemoryFiles, Recorder, context};
use serde_json::{Value, json};

/// A step that puts a text into a file.
pub(crate) const LICENCE: &str = r#"
const STEP = #{
    summary: "puts the licence where the product looks for it",
    doc: "The product reads the file when it starts.",
    inputs: #{
        path: #{ type: "path", doc: "Where the licence goes", example: "/srv/product/licence" },
        licence: #{ type: "secret", doc: "The licence" },
        mode: #{ type: "enum", values: ["full", "trial"], default: "full", doc: "Which licence it is" },
        seats: #{ type: "integer", min: 1, max: 100, optional: true, doc: "How many may use it" },
        hosts: #{ type: "list", of: "host", default: [], doc: "Where it counts" },
        extra: #{ type: "data", optional: true, doc: "Anything" },
    },
    outputs: #{
        file: #{ type: "path", doc: "The file that was written", example: "/srv/product/licence" },
        seats: #{ type: "integer", optional: true, doc: "How many may use it" },
    },
    changes: ["the file `path`"],
};

fn validate(input, cx) {
    let found = if exists(input.path) { read_file(input.path) };
    #{
        satisfied: found == wanted(input),
        reason: "another licence, or none",
        observed: #{ hash: if found != () { sha256(found) } },
        outputs: #{ file: input.path, seats: input.seats },
    }
}

fn run(input, cx) {
    write_file(input.path, wanted(input));
    log("wrote " + input.path);
    #{ file: input.path, seats: input.seats }
}

fn rollback(input, cx) {
    remove_file(input.path);
}

fn wanted(input) {
    input.mode + ":" + input.licence
}
"#;

/// The files beside a runbook: one script.
fn beside(script: &str) -> MemoryFiles {
    MemoryFiles::of([("steps/licence.rhai", script)])
}

fn kind(script: &str) -> Arc<dyn Plugin> {
    runbook_steps::builtin()
        .find("site.licence", &beside(script))
        .unwrap()
}

/// What is wrong with a script: the places, and what is told.
fn mistakes(script: &str) -> Vec<(String, String)> {
    let missing = runbook_steps::builtin().find("site.licence", &beside(script));
    let Err(missing @ NoPlugin::Broken { .. }) = missing.map(|_| ()) else {
        return Vec::new();
    };
    let all = missing.diagnostics("farm/runbook.yaml");
    all.iter()
        .map(|one| {
            let label = &one.labels[0];
            assert_eq!(label.file.name.replace('\\', "/"), "farm/steps/licence.rhai");
            let (line, column) = label.file.line_column(label.span.start);
            (format!("{line}:{column}"), one.message.clone())
        })
        .collect()
}

/// What is wrong with inputs: the place, and what is told.
fn problems(with: &Value) -> Vec<(String, String)> {
    let registry = runbook_steps::builtin();
    let files = MemoryFiles::default();
    let mut check = Check::new(&files, &registry);
    assert!(kind(LICENCE).check(with, &mut check).is_some());
    let (problems, _) = check.finish();
    let told = problems.into_iter().map(|one| (one.path.join("."), one.message));
    told.collect()
}

#[test]
fn inputs_are_checked_all_at_once() {
    let right = json!({ "path": "/x", "licence": "${{ params.key }}", "seats": "${{ params.seats }}", "allow": { "folders": ["/"] } });
    assert_eq!(problems(&right), []);
    let wrong = json!({
        "pth": "/x", "licence": "typed in", "mode": "half", "seats": 101, "hosts": "web1", "allow": { "folders": ["here"] },
    });
    let told = problems(&wrong);
    let places: Vec<&str> = told.iter().map(|(place, _)| place.as_str()).collect();
    assert_eq!(
        places,
        ["pth", "licence", "mode", "seats", "hosts", "allow.folders.0"],
        "{told:#?}"
    );
    assert!(!format!("{told:?}").contains("typed in"));
    let none = problems(&json!({}));
    assert_eq!(none[0].1, "missing field `path`");
    assert_eq!(none[1].1, "missing field `licence`");
    assert_eq!(
        none[2].1,
        "the script of `site.licence` uses folders, and `allow` grants it none"
    );
    assert_eq!(none.len(), 3);
    let on_purpose = json!({ "path": "/x", "licence": "${{ params.key }}", "allow": { "folders": [] } });
    assert_eq!(problems(&on_purpose), []);
}

#[test]
fn a_declaration_is_checked_all_at_once() {
    let script = r#"const STEP = #{
    sumary: "x",
    inputs: #{
        a: #{ type: "strng", doc: "A" },
        allow: #{ type: "string", doc: "B" },
        c: #{ type: "integer", default: "one", doc: "C" },
        d: #{ type: "secret", default: "x", doc: "D" },
        e: #{ type: "enum", doc: "E" },
        f: #{ type: "string" },
    },
    outputs: #{ g: #{ type: "secret", doc: "G" } },
    changes: "all",
};
fn run(input, cx) { }
"#;
    let told: Vec<String> = mistakes(script)
        .into_iter()
        .map(|(place, message)| format!("{place} {message}"))
        .collect();
    insta::assert_snapshot!(told.join("\n"));
    let computed = "const STEP = #{ summary: now() };\nfn run(input, cx) { }\n";
    assert_eq!(
        mistakes(computed),
        [(
            "1:26".to_owned(),
            "a plain value expected: `STEP` is read without carrying anything out".to_owned()
        )]
    );
    assert!(
        mistakes("fn run(input, cx) { }")[0]
            .1
            .contains("no constant `STEP`")
    );
}

#[test]
fn a_script_is_checked_all_at_once() {
    let script = "const STEP = #{ summary: \"x\" };\nfn run(input, cx) {\n    wriet_file(input.path, \"x\");\n    let a = ;\n}\nfn validate(input, cx) {\n    exsts(\"x\")\n}\n";
    let told = mistakes(script);
    let places: Vec<&str> = told.iter().map(|(place, _)| place.as_str()).collect();
    assert_eq!(places, ["4:13", "7:5"], "{told:?}");
    let arity = mistakes("const STEP = #{ summary: \"x\" };\nfn run(cx) { }\n");
    assert_eq!(arity[0].1, "`run` takes 2 arguments: `fn run(input, cx)`");
}

#[test]
fn a_kind_whose_file_windows_could_not_keep_is_refused_everywhere() {
    let registry = runbook_steps::builtin();
    let files = MemoryFiles::of([
        ("steps/nul.rhai", LICENCE),
        ("steps/licence.rhai", LICENCE),
        ("steps/Licence.rhai", LICENCE),
    ]);
    for (name, why) in [
        ("site.nul", "`nul` is a device on Windows"),
        ("site.a:b", "cannot hold : on Windows"),
        (
            "site.licence",
            "`Licence.rhai` is there, which Windows takes for the same file",
        ),
    ] {
        let missing = registry.find(name, &files).map(drop).unwrap_err();
        let told = &missing.diagnostics("runbook.yaml")[0];
        assert!(told.message.contains(why), "{name}: {}", told.message);
    }
}

#[test]
fn a_kind_that_no_file_defines_is_told_with_its_nearest() {
    let missing = runbook_steps::builtin().find("site.license", &beside(LICENCE));
    let Err(missing) = missing.map(|_| ()) else {
        panic!("it is not defined")
    };
    let told = &missing.diagnostics("runbook.yaml")[0];
    assert!(
        told.message
            .contains("there is no file `steps/license.rhai` beside the runbook"),
        "{told}"
    );
    assert_eq!(missing.closest(), Some("site.licence"));
    let registry = runbook_steps::builtin();
    assert!(matches!(
        registry.find("sight.x", &beside(LICENCE)),
        Err(NoPlugin::Unknown(_))
    ));
    assert!(matches!(
        registry.find("site.", &beside(LICENCE)),
        Err(NoPlugin::Unknown(_))
    ));
}

#[test]
fn it_is_documented_like_a_built_in_kind() {
    let kind = kind(LICENCE);
    assert_eq!(
        kind.doc().summary,
        "puts the licence where the product looks for it"
    );
    insta::assert_snapshot!(kind.doc().text);
    insta::assert_json_snapshot!(kind.schema()["properties"]);
    assert_eq!(kind.schema()["required"], json!(["path", "licence"]));
    assert_eq!(
        kind.rehearsed_outputs(&Value::Null)["file"],
        "/srv/product/licence"
    );
}

#[test]
fn its_example_is_granted_what_it_uses() {
    let script = r#"
        const STEP = #{
            summary: "restarts the product",
            inputs: #{
                log: #{ type: "path", doc: "A", example: "/var/log/product/product.log" },
                note: #{ type: "path", doc: "B" },
                page: #{ type: "url", doc: "C", example: "https://monitor.contoso.com:8443/silence" },
                server: #{ type: "host", doc: "D" },
            },
        };
        fn run(input, cx) {
            command(["systemctl", "restart", "product"]);
            http(#{ url: "https://intranet.contoso.com/done" });
            http(#{ url: input.page, method: "POST" });
            write_file(input.note, read_file(input.log) + read_file("/etc/product.conf"));
        }
    "#;
    insta::assert_snapshot!(kind(script).doc().text);
}

#[test]
fn what_a_function_gives_is_held_against_the_declaration() {
    let step =
        "const STEP = #{ summary: \"gives\", outputs: #{ hash: #{ type: \"string\", doc: \"A\" } } };\n";
    let told = |functions: &str| mistakes(&format!("{step}{functions}"));
    assert_eq!(
        told(
            "fn validate(input, cx) { #{ satisfied: true, hash: \"1\" } }\nfn run(input, cx) { log(\"done\"); }"
        ),
        [
            (
                "2:46".to_owned(),
                "`validate` gives a map of `satisfied`, `reason`, `observed` and `outputs`: `hash` is none of them"
                    .to_owned()
            ),
            (
                "3:21".to_owned(),
                "here `run` gives no output `hash`, which `STEP` declares".to_owned()
            ),
        ]
    );
    assert_eq!(
        told(
            "fn validate(input, cx) { #{ satisfied: true, outputs: #{ hash: \"1\" } } }\nfn run(input, cx) { #{ hash: \"1\" } }"
        ),
        []
    );
}

fn with(folder: &std::path::Path, more: Value) -> Value {
    let mut with = json!({
        "path": folder.join("licence"), "licence": "hunter2", "allow": { "folders": [folder] },
    });
    with.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    with
}

#[tokio::test]
async fn inputs_reach_the_script_in_their_normal_form() {
    let script = r#"
        const STEP = #{
            summary: "tells its inputs",
            inputs: #{
                host: #{ type: "host", doc: "A" },
                count: #{ type: "integer", default: 3, doc: "B" },
                list: #{ type: "list", of: "string", optional: true, doc: "C" },
                extra: #{ type: "data", optional: true, doc: "D" },
            },
            outputs: #{ seen: #{ type: "data", doc: "All" } },
        };
        fn run(input, cx) { #{ seen: #{ input: input, step: cx.step } } }
    "#;
    let with = json!({ "host": "WEB1", "extra": { "a": [1, null] } });
    let outputs = kind(script).run(&with, &context(&Recorder::new())).await.unwrap();
    assert_eq!(
        outputs["seen"],
        json!({ "input": { "host": "web1", "count": 3, "list": null, "extra": { "a": [1, null] } }, "step": "step" })
    );
    for wrong in [
        json!({}),
        json!({ "host": "a b" }),
        json!({ "host": "a", "more": 1 }),
    ] {
        let failure = kind(script)
            .run(&wrong, &context(&Recorder::new()))
            .await
            .unwrap_err();
        assert_eq!(failure.kind, FailureKind::Inputs, "{failure:?}");
    }
}

#[tokio::test]
async fn outputs_are_those_that_were_declared() {
    let give = async |outputs: &str| {
        let script = format!(
            "const STEP = #{{ summary: \"gives\", outputs: #{{ a: #{{ type: \"integer\", doc: \"A\" }} }} }};
             fn run(input, cx) {{ given() }}
             fn given() {{ {outputs} }}"
        );
        kind(&script)
            .run(&json!({}), &context(&Recorder::new()))
            .await
            .map_err(|failure| failure.message)
    };
    assert_eq!(give("#{ a: 1 }").await.unwrap()["a"], 1);
    for (outputs, why) in [
        ("()", "gave no output `a`"),
        ("#{ a: `x` }", "gave an output `a` that does not fit"),
        (
            "#{ a: 1, b: 2 }",
            "gave an output `b`, which `STEP` does not declare",
        ),
        ("1", "must give a map of outputs"),
    ] {
        let told = give(outputs).await.unwrap_err();
        assert!(told.contains(why), "{outputs}: {told}");
    }
}

#[tokio::test]
async fn it_looks_acts_and_undoes() {
    let folder = tempfile::tempdir().unwrap();
    let kind = kind(LICENCE);
    let cx = context(&Recorder::new());
    let with = with(folder.path(), json!({ "seats": 5 }));
    let seen = kind.validate(&with, &cx).await.unwrap();
    assert_eq!(
        seen.verdict,
        Verdict::Unsatisfied("another licence, or none".to_owned())
    );
    assert_eq!(seen.observed, json!({ "hash": null }));
    let outputs = kind.run(&with, &cx).await.unwrap();
    assert_eq!(outputs["seats"], 5);
    assert_eq!(
        kind.validate(&with, &cx).await.unwrap().verdict,
        Verdict::Satisfied
    );
    assert_eq!(
        std::fs::read_to_string(folder.path().join("licence")).unwrap(),
        "full:hunter2"
    );
    kind.rollback(&with, &cx).await.unwrap();
    assert!(!folder.path().join("licence").exists());
}

#[tokio::test]
async fn a_failure_knows_its_place_in_the_script() {
    let script = "const STEP = #{ summary: \"fails\" };\nfn run(input, cx) {\n    deep();\n}\nfn deep() {\n    throw \"no farm here\";\n}\n";
    let failure = kind(script)
        .run(&json!({}), &context(&Recorder::new()))
        .await
        .unwrap_err();
    assert_eq!(
        failure.message,
        "the script failed: steps/licence.rhai:6:5: no farm here"
    );
    let place = Place {
        file: "steps/licence.rhai".to_owned(),
        line: 6,
        column: 5,
    };
    assert_eq!(failure.place, Some(place));
}

#[tokio::test]
async fn an_endless_loop_is_ended() {
    let script =
        "const STEP = #{ summary: \"never ends\" };\nfn run(input, cx) { log(\"here\"); loop { } }\n";
    let recorder = Recorder::new();
    let cx = context(&recorder);
    let kind = kind(script);
    let cancel = async {
        recorder
            .until(|recorder| recorder.text("log").contains("here"))
            .await;
        cx.cancel.cancel();
    };
    let none = json!({});
    let (result, ()) = tokio::join!(kind.run(&none, &cx), cancel);
    assert_eq!(result.unwrap_err().message, "the script was stopped");
}

#[tokio::test]
async fn a_wait_may_ask_a_site_step() {
    let folder = tempfile::tempdir().unwrap();
    let files = beside(LICENCE);
    let registry = runbook_steps::builtin();
    let with = json!({ "every": "1s", "deadline": "1m", "for": { "uses": "site.licence", "with": with(folder.path(), json!({ "licence": "${{ params.key }}" })) } });
    let mut check = Check::new(&files, &registry);
    let wait = registry.get("wait").unwrap();
    assert!(wait.check(&with, &mut check).is_some());
    let (problems, used) = check.finish();
    assert_eq!(problems, []);
    assert_eq!(used[0].0, "steps/licence.rhai", "the run keeps it");
    let cx = Context {
        registry: registry.clone().with_plugin(kind(LICENCE)),
        ..context(&Recorder::new())
    };
    let seen = wait.validate(&with, &cx).await.unwrap();
    assert!(matches!(seen.verdict, Verdict::Unsatisfied(_)));
}
