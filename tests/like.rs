//! One more run like another: its parameters, what is said before, and what may differ.

use serde_json::{Value, json};

use crate::support::{Project, stable};

const RUNBOOK: &str = "
runbook: farm
params:
  server: { type: host, example: web0 }
  size: { type: integer, default: 1 }
  note: { type: string, optional: true }
  token: { type: secret }
steps:
  one: { secrets: token, uses: command, with: { run: [HELPER, save-input, DIR/input.json] } }
";

/// A project with one run, and its name.
fn project() -> (Project, String) {
    let project = Project::new();
    project.runbook("farm.yaml", RUNBOOK);
    exec(&project, &["farm.yaml", "--set", "server=web1", "-p", "size=2"]).code(0);
    let run = project.run_name();
    (project, run)
}

fn exec(project: &Project, args: &[&str]) -> crate::support::Outcome {
    let mut command = project.command(["exec"]);
    let output = command.args(args).env("RUNBOOK_SECRET_TOKEN", "n3w-one").output();
    output.unwrap().into()
}

fn told(project: &Project) -> Value {
    let input: Value = serde_json::from_str(&project.read("input.json").unwrap()).unwrap();
    input["params"].clone()
}

#[test]
fn a_run_like_another_has_its_parameters_and_they_are_shown_before() {
    let (project, run) = project();
    let outcome = exec(&project, &["farm.yaml", "--like", &run, "-p", "size=3"]).code(0);
    insta::assert_snapshot!(stable(&outcome.stderr));
    assert_eq!(told(&project)["server"], "web1");
    assert_eq!(told(&project)["size"], 3);
    // A secret is not kept: what counts is what is given now.
    assert_eq!(told(&project)["token"], "n3w-one");
    project
        .run(["exec", "farm.yaml", "--like", &run])
        .code(3)
        .tells("RB0108")
        .tells("RUNBOOK_SECRET_TOKEN");
}

#[test]
fn a_file_of_parameters_comes_before_the_run() {
    let (project, run) = project();
    project.write("more.yaml", "server: web9\nnote: new\n");
    exec(&project, &["farm.yaml", "--like", &run, "--params", "more.yaml"]).code(0);
    let told = told(&project);
    assert_eq!((&told["server"], &told["size"]), (&json!("web9"), &json!(2)));
    assert_eq!(told["note"], "new");
}

#[test]
fn without_a_file_it_is_the_runbook_as_it_was() {
    let (project, run) = project();
    std::fs::remove_file(project.path().join("farm.yaml")).unwrap();
    exec(&project, &["--like", &run]).code(0);
    assert_eq!(told(&project)["server"], "web1");
    project.run(["plan", "--like", "farm"]).code(2).tells("RB0402");
    project.run(["exec"]).code(2);
}

#[test]
fn what_is_not_as_it_was_is_told() {
    let (project, run) = project();
    project.runbook("farm.yaml", &RUNBOOK.replace("default: 1", "default: 7"));
    exec(&project, &["farm.yaml", "--like", &run])
        .code(0)
        .tells("RB0113")
        .tells("is not what it was in run");
    let other = RUNBOOK
        .replace("runbook: farm", "runbook: other")
        .replace("size: { type: integer, default: 1 }", "zone: { type: string }")
        .replace("type: host, example: web0", "type: integer");
    project.runbook("other.yaml", &other);
    let outcome = exec(&project, &["other.yaml", "--like", &run]).code(2);
    insta::assert_snapshot!(stable(&outcome.stderr));
    exec(&project, &["farm.yaml", "--like", "nowhere"])
        .code(2)
        .tells("RB0401");
}

#[test]
fn a_rehearsal_is_told_apart() {
    let project = Project::new();
    project.runbook("farm.yaml", RUNBOOK);
    project.run(["exec", "farm.yaml", "--rehearse"]).code(0);
    let run = project.run_name();
    exec(&project, &["farm.yaml", "--like", &run])
        .code(0)
        .tells("was a rehearsal")
        .tells("web0");
}
