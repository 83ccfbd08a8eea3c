//! Parameters: every way to give them, and everything that can be wrong with them.

use serde_json::json;

use crate::support::{Project, stable};

const RUNBOOK: &str = "
runbook: params
params:
  url: { type: url, schemes: [https], prompt: Address of the application, example: https://x.example }
  size: { type: integer, min: 1, max: 9 }
  zone: { type: enum, values: [intranet, extranet] }
  hosts: { type: list, of: host }
  token: { type: secret }
  note: { type: string, default: none, pattern: '[a-z]+' }
  maybe: { type: boolean, optional: true }
steps:
  one: { secrets: [token], uses: command, with: { run: [HELPER, save-input, DIR/input.json] } }
";

fn project() -> Project {
    let project = Project::new();
    project.runbook("params.yaml", RUNBOOK);
    project
}

/// The program with a secret in its environment.
fn exec(project: &Project, args: &[&str]) -> crate::support::Outcome {
    let mut command = project.command(["exec", "params.yaml"]);
    command
        .args(args)
        .env("RUNBOOK_SECRET_TOKEN", "s3cret")
        .output()
        .unwrap()
        .into()
}

fn told(project: &Project) -> serde_json::Value {
    let input: serde_json::Value = serde_json::from_str(&project.read("input.json").unwrap()).unwrap();
    input["params"].clone()
}

#[track_caller]
fn nothing_was_started(project: &Project) {
    assert!(!project.has("input.json"));
    assert_eq!(project.run(["list", "--json"]).code(0).json(), json!([]));
}

#[test]
fn all_that_is_missing_is_told_at_once() {
    let project = project();
    let outcome = project.run(["exec", "params.yaml"]).code(2);
    insta::assert_snapshot!(stable(&outcome.stderr));
    nothing_was_started(&project);
}

#[test]
fn all_that_does_not_fit_is_told_at_once() {
    let project = project();
    let args = "url=http://x size=12 zone=elsewhere hosts=a/b note=XX maybe=perhaps nope=1".split(' ');
    let args: Vec<&str> = args.flat_map(|set| ["--set", set]).collect();
    let outcome = exec(&project, &args).code(2);
    insta::assert_snapshot!(stable(&outcome.stderr));
    nothing_was_started(&project);
}

#[test]
fn a_secret_is_not_taken_from_where_others_can_see_it() {
    let project = project();
    project
        .run(["exec", "params.yaml", "--set", "token=k33p-quiet"])
        .code(2)
        .tells("RB0103")
        .tells("RUNBOOK_SECRET_TOKEN")
        .keeps_quiet_of("k33p-quiet");
    project.write("given.yaml", "token: k33p-quiet\n");
    project
        .run(["exec", "params.yaml", "--params", "given.yaml"])
        .code(2)
        .tells("RB0103")
        .keeps_quiet_of("k33p-quiet");
    nothing_was_started(&project);
}

#[test]
fn a_set_without_a_value_and_files_that_are_no_maps_are_told() {
    let project = project();
    exec(&project, &["--set", "url"])
        .code(2)
        .tells("RB0503")
        .tells("NAME=VALUE");
    exec(&project, &["--params", "nowhere.yaml"])
        .code(2)
        .tells("RB0001")
        .tells("nowhere.yaml");
    project.write("list.yaml", "[1, 2]\n");
    exec(&project, &["--params", "list.yaml"]).code(2).tells("RB0006");
    project.write("broken.yaml", "a: [1\nb: 2\n");
    exec(&project, &["--params", "broken.yaml"])
        .code(2)
        .tells("RB0002");
    project.write("twice.yaml", "size: 1\nsize: 2\n");
    exec(&project, &["--params", "twice.yaml"]).code(2);
    nothing_was_started(&project);
}

#[test]
fn values_come_from_a_file_and_the_command_line_overrides_it() {
    let project = project();
    project.write(
        "given.yaml",
        "url: https://intra.example/\nsize: 3\nzone: intranet\nhosts: [WEB1, web2]\nnote: kept\n",
    );
    let args = [
        "--params",
        "given.yaml",
        "--set",
        "size=4",
        "--set",
        "zone=extranet",
    ];
    exec(&project, &args).code(0);
    let expected = json!({
        "url": "https://intra.example/", "size": 4, "zone": "extranet", "hosts": ["web1", "web2"],
        "note": "kept", "maybe": null, "token": "s3cret",
    });
    let mut found = told(&project);
    // An optional parameter without a value may also be left out of the document.
    found["maybe"] = found["maybe"].clone();
    assert_eq!(found, expected);
    let shown = project.show("params")["params"].clone();
    assert_eq!(shown["size"], 4);
    assert!(
        shown.get("token").is_none_or(serde_json::Value::is_null),
        "{shown}"
    );
}

#[test]
fn of_several_files_the_last_that_names_a_value_counts() {
    let project = project();
    let all = "url: https://intra.example/\nsize: 3\nzone: intranet\nhosts: [web1]\nmaybe: true\n";
    project.write("all.yaml", all);
    project.write(
        "site.json",
        "{\n\t\"zone\": \"extranet\",\n\t\"maybe\": null\n}\n",
    );
    exec(
        &project,
        &["--params", "all.yaml", "--params", "site.json", "-p", "size=4"],
    )
    .code(0);
    let told = told(&project);
    assert_eq!((&told["zone"], &told["size"]), (&json!("extranet"), &json!(4)));
    assert_eq!(told["maybe"], json!(null));
}

#[test]
fn what_is_wrong_in_a_file_is_told_at_its_place_and_no_value_is_shown() {
    let project = project();
    let wrong = "# hush-1\nsize: 12\nzone: intranet # hush-2\ntokn: hush-3\ntoken: hush-4\n";
    project.write("given.yaml", wrong);
    let without = wrong.replace("token:", "# token:");
    project.write("typo.yaml", &without);
    let outcome = exec(&project, &["--params", "given.yaml"])
        .code(2)
        .keeps_quiet_of("hush");
    insta::assert_snapshot!("secret_in_a_file", outcome.stderr);
    let outcome = exec(&project, &["--params", "typo.yaml"])
        .code(2)
        .keeps_quiet_of("hush");
    insta::assert_snapshot!("typo_in_a_file", outcome.stderr);
    project.write("open.yaml", "size: 1\ntoken: 'hush-5\n");
    exec(&project, &["--params", "open.yaml"])
        .code(2)
        .tells("RB0002")
        .tells("open.yaml:2")
        .keeps_quiet_of("hush");
}

#[test]
fn values_keep_their_types_however_they_are_given() {
    let project = project();
    project.write(
        "given.json",
        r#"{"url": "https://x.example/a=b", "zone": "intranet"}"#,
    );
    let args = [
        "--params",
        "given.json",
        "--set",
        "size=5",
        "--set",
        "hosts=[web1, web2]",
        "--set",
        "maybe=true",
    ];
    exec(&project, &args).code(0);
    let told = told(&project);
    assert_eq!(told["size"], 5);
    assert_eq!(told["hosts"], json!(["web1", "web2"]));
    assert_eq!(told["maybe"], true);
    assert_eq!(told["note"], "none", "the default");
    assert_eq!(told["url"], "https://x.example/a=b");
}

#[test]
fn a_rehearsal_takes_examples_and_needs_no_secret() {
    let project = project();
    let args = [
        "exec",
        "params.yaml",
        "--rehearse",
        "--set",
        "size=1",
        "--set",
        "zone=intranet",
        "--set",
        "hosts=a",
    ];
    project.run(args).code(0).tells("examples stand in for `url`");
    assert_eq!(project.show("params")["params"]["url"], "https://x.example");
}

#[test]
fn data_never_becomes_code() {
    let project = Project::new();
    project.runbook(
        "params.yaml",
        "
runbook: params
params: { text: { type: string } }
steps:
  one: { uses: command, with: { run: [HELPER, say, '${{ params.text }}'] } }
  two: { needs: one, uses: command, with: { run: [HELPER, say, '${{ steps.one.outputs.stdout }}'] } }
",
    );
    let hostile = r#"'; touch hacked; $(touch hacked) ${{ params.text }} `x` "y" %PATH% then end 9"#;
    project
        .run(["exec", "params.yaml", "--set", &format!("text={hostile}")])
        .code(0);
    let steps = project.show("params")["steps"].clone();
    assert_eq!(steps[0]["outputs"]["stdout"], hostile);
    assert_eq!(steps[1]["outputs"]["stdout"], hostile);
    assert!(!project.has("hacked"));
}
