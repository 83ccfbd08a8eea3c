//! Rehearsals: the shipped runbook played through, with and without faults, and marked as what they are.

use std::path::PathBuf;

use serde_json::json;

use crate::support::entries::{find, of_step};
use crate::support::{Outcome, Project};

fn flagship() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/runbooks/hybrid-s2s.yaml"))
}

#[track_caller]
fn rehearsed(project: &Project, more: &[&str], code: i32) -> Outcome {
    let path = flagship();
    let mut command = project.command(["exec"]);
    let outcome: Outcome = command
        .arg(&path)
        .arg("--rehearse")
        .args(more)
        .output()
        .unwrap()
        .into();
    outcome.code(code)
}

#[test]
fn the_shipped_runbook_can_be_played_through() {
    let project = Project::new();
    rehearsed(&project, &[], 0)
        .tells("rehearsal: steps answer from the runbook, and nothing is touched")
        .tells("is completed: 47 of 47 settled (rehearsal: nothing was touched)");
    assert_eq!(project.only_run()["rehearsal"], true);
    assert_eq!(project.show("hybrid")["rehearsal"], true);
    project.run(["list"]).code(0).prints("rehearsal");
    project
        .run(["show", "hybrid"])
        .code(0)
        .prints("rehearsal: nothing was touched");
    project.run(["log", "hybrid"]).code(0).prints("rehearsal started");
    let entries = project.sound_entries("hybrid");
    assert!(entries[0]["rehearsal"].is_object(), "{}", entries[0]);
    let settled = ["satisfied", "succeeded", "skipped"];
    for row in project.statuses("hybrid") {
        assert!(settled.iter().any(|status| row.ends_with(status)), "{row}");
    }
}

#[test]
fn every_path_through_the_shipped_runbook_can_be_played() {
    let project = Project::new();
    let args = [
        "--set",
        "web_app_url=http://sharepoint",
        "--set",
        "farm_version=2013",
        "--set",
        "restart_iis=true",
        "--set",
        "federated_search_script=true",
        "--set",
        "install_graph_modules=true",
    ];
    rehearsed(&project, &args, 0);
    let skipped: Vec<String> = project
        .statuses("hybrid")
        .into_iter()
        .filter(|row| row.ends_with(": skipped"))
        .collect();
    assert!(skipped.is_empty(), "{skipped:?}");
}

#[test]
fn a_step_of_the_shipped_runbook_fails_and_is_tried_again_after_a_decision() {
    let project = Project::new();
    rehearsed(&project, &["--rehearse-fail", "set-realm:1"], 1)
        .tells("`set-realm`")
        .tells("the rehearsal plays a failure here");
    let args = ["decide", "hybrid", "set-realm", "again", "--why", "rehearsing"];
    project.run_as("bob", &args).code(0);
    project.run_as("bob", &["resume", "hybrid"]).code(0);
    let entries = project.sound_entries("hybrid");
    let attempts = of_step(&entries, "set-realm");
    let attempts = attempts.iter().filter(|event| *event == "attempt_started");
    assert_eq!(attempts.count(), 2);
}

#[test]
fn the_shipped_runbook_can_be_rolled_back() {
    let project = Project::new();
    rehearsed(&project, &["--rehearse-fail", "trusted-token-issuer"], 1);
    let mut rounds = 0;
    let mut code = project.run(["rollback", "hybrid", "--yes"]).code;
    // What was done by hand is undone by hand.
    while code == 3 && rounds < 40 {
        for row in project.statuses("hybrid") {
            if let Some(step) = row.strip_suffix(": waiting") {
                project.run(["confirm", "hybrid", step]).code(0);
            }
        }
        code = project.run(["resume", "hybrid"]).code;
        rounds += 1;
    }
    assert_eq!(code, 0);
    assert_eq!(project.only_run()["status"], "rolled_back");
    let statuses = project.statuses("hybrid");
    assert!(
        statuses.contains(&"set-realm: rolled_back".to_owned()),
        "{statuses:#?}"
    );
    project.sound_entries("hybrid");
}

/// A small runbook of steps whose faults are rehearsed.
const SMALL: &str = "
  retried: { retry: { attempts: 2, delay: 1ms }, uses: command, with: { run: [HELPER, append, DIR/log, touched] }, rehearse: { outputs: { stdout: one } } }
  unknown: { needs: retried, uses: command, with: { run: [HELPER, append, DIR/log, touched] }, rehearse: { interrupted: unknown } }
  found: { needs: unknown, uses: command, with: { run: [HELPER, append, DIR/log, touched] }, rehearse: { interrupted: satisfied, outputs: { stdout: two } } }
  each: { needs: found, for_each: '[1, 2]', uses: command, with: { run: [HELPER, append, DIR/log, touched] } }
";

#[track_caller]
fn small(project: &Project, faults: &[&str], code: i32) -> Outcome {
    project.steps(SMALL);
    let outcome = project.run(["exec", "steps.yaml", "--rehearse"].iter().chain(faults));
    assert!(!project.has("log"), "nothing is touched");
    outcome.code(code)
}

#[test]
fn a_first_attempt_fails_and_the_retry_brings_the_second() {
    let project = Project::new();
    small(&project, &["--rehearse-fail", "retried:1"], 0);
    assert_eq!(project.show("steps")["steps"][0]["attempts"], 2);
    project.sound_entries("steps");
}

#[test]
fn every_attempt_fails() {
    let project = Project::new();
    small(&project, &["--rehearse-fail", "retried"], 1);
    assert_eq!(project.show("steps")["steps"][0]["attempts"], 2);
    assert_eq!(project.statuses("steps")[0], "retried: failed");
}

#[test]
fn one_item_of_a_fan_out_fails() {
    let project = Project::new();
    small(&project, &["--rehearse-fail", "each[2]"], 1);
    assert_eq!(
        project.statuses("steps")[3..],
        ["each[1]: succeeded", "each[2]: failed"]
    );
}

#[test]
fn an_interruption_leaves_a_doubt_that_a_person_settles() {
    let project = Project::new();
    small(&project, &["--rehearse-interrupt", "unknown"], 4).tells("`unknown` was interrupted");
    assert_eq!(project.statuses("steps")[1], "unknown: in_doubt");
    project
        .run(["decide", "steps", "unknown", "done", "--why", "I looked"])
        .code(0);
    project.run(["resume", "steps"]).code(0);
    assert!(!project.has("log"));
}

#[test]
fn an_interruption_after_which_the_outcome_is_found() {
    let project = Project::new();
    small(&project, &["--rehearse-interrupt", "found"], 0);
    let entries = project.sound_entries("steps");
    let settled = find(&entries, "doubt_settled", "found");
    assert_eq!(settled["ruling"], "took_effect");
    assert_eq!(settled["outputs"], json!({ "stdout": "two" }));
}

#[test]
fn a_fault_in_a_step_that_is_not_there_is_told() {
    let project = Project::new();
    small(&project, &["--rehearse-fail", "retrid"], 2)
        .tells("RB0020")
        .tells("did you mean `retried`?");
    project
        .run(["exec", "steps.yaml", "--rehearse-fail", "retried"])
        .code(2)
        .tells("--rehearse");
    assert_eq!(project.run(["list", "--json"]).code(0).json(), json!([]));
}

#[test]
fn what_a_person_brings_back_is_the_example_of_it_in_a_rehearsal_and_in_tests() {
    let project = Project::new();
    project.steps(
        "
  look: { uses: manual, with: { instructions: Look., collect: { seen: { type: integer, example: 7 }, more: { type: string, example: x, optional: true } } } }
  say: { needs: look, uses: command, with: { run: [HELPER, say, '${{ steps.look.outputs.seen }}'] } }
",
    );
    project.run(["exec", "steps.yaml", "--rehearse"]).code(0);
    let name = project.run_name();
    let look = &project.run(["show", &name, "--json"]).code(0).json()["steps"][0]["outputs"];
    assert_eq!(look, &serde_json::json!({ "seen": 7 }));
    project.write(
        "steps.test.yaml",
        "tests: steps.yaml\ncases:\n  usual:\n    expect: { run: completed, steps: { look: { outputs: { seen: 7 } } } }\n",
    );
    project.run(["test", "steps.yaml"]).code(0);
}

#[test]
fn manual_work_is_not_waited_for_in_a_rehearsal() {
    let project = Project::new();
    project.steps(
        "\n  look: { uses: manual, with: { instructions: Look., collect: { seen: { type: boolean } } }, rehearse: { outputs: { seen: true } } }\n",
    );
    project
        .run(["exec", "steps.yaml"])
        .code(3)
        .tells("`look` waits for a person");
    project.run(["exec", "steps.yaml", "--rehearse"]).code(0);
}
