//! What can be asked of a runbook, and of the program, before anything is carried out.

use serde_json::{Value, json};

use crate::support::helper::in_yaml;
use crate::support::{Project, stable};

const FIRST: &str = "runbook: first
params:
  size: { type: intger }
steps:
  one: { uses: comand, with: { run: [hostname] } }
  two: { needs: [on], uses: manual, with: { instructions: Look. }, retires: 3 }
";

const SECOND: &str = "runbook: second
steps:
  a: { needs: b, uses: manual, with: { instructions: 'Look at ${{ params.nothing }}' } }
  b: { needs: a, uses: command, with: { run: hostname } }
";

const GOOD: &str = "runbook: good
steps:
  look: { uses: manual, with: { instructions: Look. } }
";

fn broken() -> Project {
    let project = Project::new();
    project.write("first.yaml", FIRST);
    project.write("second.yaml", SECOND);
    project.write("good.yaml", GOOD);
    project.write("no-yaml.yaml", "runbook: [\n");
    project
}

const FILES: [&str; 5] = [
    "first.yaml",
    "good.yaml",
    "second.yaml",
    "no-yaml.yaml",
    "nowhere.yaml",
];

#[test]
fn check_finds_every_mistake_in_every_file() {
    let project = broken();
    let outcome = project.run(["check"].iter().chain(&FILES)).code(2);
    insta::assert_snapshot!(stable(&outcome.stderr));
    assert!(!project.has("state"), "nothing is touched");
}

#[test]
fn check_tells_programs_the_same() {
    let project = broken();
    let outcome = project
        .run(["check", "--json", "first.yaml", "good.yaml"])
        .code(2);
    let files = outcome.json_lines();
    assert_eq!(files[0]["file"], "first.yaml");
    assert_eq!(files[0]["ok"], false);
    assert_eq!(
        (&files[1]["file"], &files[1]["ok"]),
        (&json!("good.yaml"), &json!(true))
    );
    let all = files[0]["diagnostics"].as_array().unwrap();
    assert!(all.len() >= 4, "{all:#?}");
    for one in all {
        assert!(one["code"].as_str().unwrap().starts_with("RB"), "{one}");
        assert_eq!(one["severity"], "error");
        assert!(one["message"].is_string() && one["help"].is_array());
        assert_eq!(one["places"][0]["file"], "first.yaml");
    }
    let plugin = all.iter().find(|one| one["code"] == "RB0030").unwrap();
    let place = &plugin["places"][0];
    assert_eq!((&place["line"], &place["column"]), (&json!(5), &json!(16)));
}

#[test]
fn a_sound_runbook_is_said_to_be_sound() {
    let project = broken();
    project
        .run(["check", "good.yaml"])
        .code(0)
        .tells("good.yaml: sound: 1 step");
    for name in ["hybrid-s2s", "quickstart"] {
        let path = format!("{}/runbooks/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
        project.run(["check", &path]).code(0).tells("sound");
    }
}

#[test]
fn a_broken_runbook_is_not_carried_out() {
    let project = broken();
    for command in ["exec", "plan"] {
        project
            .run([command, "first.yaml"])
            .code(2)
            .tells("RB0030")
            .tells("did you mean `command`?");
    }
    assert!(!project.has("state"), "not even a state folder is made");
}

#[test]
fn a_plan_asks_every_step_that_can_answer_and_touches_nothing() {
    let project = Project::new();
    project.write("there", "x");
    project.runbook(
        "plan.yaml",
        "
runbook: plan
params: { more: { type: boolean, default: false } }
steps:
  there: { uses: command, with: { run: [HELPER, append, DIR/log, x], validate: [HELPER, say, found, then, exists, DIR/there] } }
  missing: { needs: there, uses: command, with: { run: [HELPER, append, DIR/log, x], validate: [HELPER, say, it is not there, then, exists, DIR/missing] } }
  reads: { needs: there, when: steps.there.outputs.stdout == `found`, uses: command, with: { run: [HELPER, append, DIR/log, x] } }
  later: { needs: missing, when: steps.missing.outputs.stdout == `x`, uses: command, with: { run: [HELPER, append, DIR/log, x] } }
  broken: { uses: command, with: { run: [HELPER, append, DIR/log, x], validate: [HELPER, complain, no answer, then, end, '9'] } }
  person: { uses: manual, with: { instructions: Look. } }
  skipped: { when: params.more, uses: command, with: { run: [HELPER, append, DIR/log, x] } }
  each: { for_each: '[1, 2]', uses: command, with: { run: [HELPER, append, DIR/log, x] } }
",
    );
    let outcome = project.run(["plan", "plan.yaml"]).code(0);
    assert!(
        outcome.stderr.contains("nothing was touched"),
        "{}",
        outcome.stderr
    );
    let shown = outcome.stdout.replace(&in_yaml(project.path()), "DIR");
    let helper = regex::Regex::new(r"`[^`]*helper[^`]*`").unwrap();
    insta::assert_snapshot!(helper.replace_all(&shown, "`helper`"));
    let rows = project.run(["plan", "plan.yaml", "--json"]).code(0).json_lines();
    let forecast = |at: usize| rows[at]["forecast"].as_str().unwrap();
    let forecasts: Vec<&str> = (0..rows.len()).map(forecast).collect();
    let expected = [
        "in_place",
        "to_do",
        "to_do",
        "cannot_tell",
        "cannot_tell",
        "needs_person",
        "skipped",
        "to_do",
        "to_do",
    ];
    assert_eq!(
        forecasts
            .iter()
            .map(|name| name.replace("needs_a_", "needs_"))
            .collect::<Vec<_>>(),
        expected
    );
    assert!(
        !project.has("log") && !project.has("state"),
        "nothing was touched"
    );
}

#[test]
fn every_code_is_explained() {
    let project = Project::new();
    let codes = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/errors")).unwrap();
    let codes = codes.filter_map(|file| {
        file.unwrap()
            .file_name()
            .into_string()
            .unwrap()
            .strip_suffix(".md")
            .map(str::to_owned)
    });
    // All pages are in the program itself; a few show that they are found.
    for code in codes.filter(|code| code.starts_with("RB")).step_by(6) {
        project.run(["explain", &code]).code(0).prints(&code);
        project
            .run(["explain", &code.to_lowercase()])
            .code(0)
            .prints(&code);
    }
    project.run(["explain", "RB9999"]).code(2).tells("RB9999");
}

#[test]
fn the_kinds_of_step_are_listed_and_explained() {
    let project = Project::new();
    let list = project.run(["steps"]).code(0);
    for kind in ["command", "graph", "http", "manual", "powershell", "rhai", "wait"] {
        assert!(
            list.stdout.contains(kind),
            "{kind} is not listed:\n{}",
            list.stdout
        );
        project.run(["steps", kind]).code(0).prints(kind).prints("with:");
        let doc = project.run(["steps", kind, "--json"]).code(0).json();
        assert!(doc["inputs"]["properties"].is_object(), "{doc}");
    }
    project
        .run(["steps", "comand"])
        .code(2)
        .tells("RB0030")
        .tells("did you mean `command`?");
}

#[test]
fn every_key_of_steps_and_the_form_of_tests_are_told_without_the_documentation() {
    let project = Project::new();
    let schema: Value = project.run(["schema"]).code(0).json();
    let keys = schema["$defs"]["StepFile"]["properties"].as_object().unwrap();
    assert!(keys.len() > 15, "{keys:?}");
    for key in keys.keys() {
        let page = project
            .run(["steps", key])
            .code(0)
            .prints(&format!("# `{key}`"))
            .stdout;
        assert!(!page.contains(".md)"), "{page}");
        assert_eq!(project.run(["explain", key]).code(0).stdout, page);
    }
    project
        .run(["explain", "approve"])
        .prints("approve: { by: change-board, min: 2, expires: 3d }")
        .prints("| `on_expiry` | `ask` |");
    project
        .run(["test", "--keys"])
        .code(0)
        .prints("| `waits_for` |")
        .prints("## `people`");
    project
        .run(["test", "-h"])
        .code(0)
        .tells("")
        .prints("runbook test --keys");
    project
        .run(["steps", "site"])
        .code(0)
        .prints("outputs: #{ sha256: sha256(wanted(input)) },");
}

#[test]
fn the_schema_is_one_that_editors_understand() {
    let project = Project::new();
    let schema: Value = project.run(["schema"]).code(0).json();
    assert!(schema["$schema"].as_str().unwrap().contains("json-schema.org"));
    assert_eq!(schema["required"], json!(["runbook", "steps"]));
    let mut references = Vec::new();
    collect(&schema, &mut references);
    for reference in references {
        let path = reference.strip_prefix('#').unwrap();
        assert!(schema.pointer(path).is_some(), "`{reference}` leads nowhere");
    }
    let text = schema.to_string();
    for key in ["for_each", "on_failure", "rehearse", "collect", "powershell"] {
        assert!(text.contains(&format!("\"{key}\"")), "{key}");
    }
}

/// All references within a schema.
fn collect<'a>(value: &'a Value, into: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            into.extend(fields.get("$ref").and_then(Value::as_str));
            fields.values().for_each(|value| collect(value, into));
        }
        Value::Array(items) => items.iter().for_each(|value| collect(value, into)),
        _ => {}
    }
}

#[test]
fn a_command_line_that_says_nothing_sensible_is_bad_input() {
    let project = Project::new();
    for args in [
        &["exec"][..],
        &["frobnicate"],
        &["exec", "x.yaml", "--jobs", "0"],
        &["check"],
        &[],
    ] {
        project.run(args).code(2);
    }
    project
        .run(["exec", "nowhere.yaml"])
        .code(2)
        .tells("RB0001")
        .tells("nowhere.yaml");
    project
        .run(["--version"])
        .code(0)
        .prints(env!("CARGO_PKG_VERSION"));
    project.run(["exec", "--help"]).code(0).prints("--rehearse");
}

#[test]
fn all_that_is_wrong_with_what_is_collected_is_told_in_one_round() {
    let project = Project::new();
    project.write(
        "book.yaml",
        "
runbook: book
steps:
  a:
    uses: manual
    with:
      instructions: Look.
      collect:
        one: { type: enum }
        two: { type: integer, default: 1 }
        three: { type: enum, value: [a] }
        four: { type: many }
",
    );
    let outcome = project.run(["check", "book.yaml"]).code(2);
    outcome
        .tells("`collect.one.values`: an `enum` needs `values`")
        .tells("no input `default` here")
        .tells("did you mean `values`?")
        .tells("`collect.four.type` cannot be `many`")
        .keeps_quiet_of("collect.three.values")
        .tells("4 errors");
}

#[test]
fn what_a_site_step_declares_wrongly_is_told_with_what_to_write() {
    let project = Project::new();
    let script = r#"const STEP = #{
    summary: "signs in",
    inputs: #{ key: #{ type: "secret", doc: "The key", example: "0123456789" } },
    outputs: #{ token: #{ type: "secret", doc: "The token" } },
    changes: ["nothing"],
};
fn run(input, cx) { #{} }
"#;
    project.write("steps/sign.rhai", script);
    project.write("book.yaml", "runbook: book\nsteps:\n  a: { uses: site.sign }\n");
    let outcome = project.run(["check", "book.yaml"]).code(2);
    outcome
        .tells("a secret has no `example`")
        .tells("remove `example`, and say in `doc` what is meant")
        .tells("an output cannot be a secret")
        .tells("`sensitive: NAME`");
    project
        .run(["explain", "RB0034"])
        .code(0)
        .prints("neither `default` nor `example`");
}

#[test]
fn the_help_says_what_each_ruling_means() {
    let project = Project::new();
    let help = project.run(["decide", "-h"]).code(0);
    help.prints("done   it took effect")
        .prints("again  it did not")
        .prints("fail   it cannot succeed")
        .prints("skip   the run goes on without it");
}
