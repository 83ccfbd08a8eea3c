//! Several programs at once: one run has one writer, different runs do not disturb each other.

use std::collections::BTreeSet;

use crate::support::{Project, Running, until};

const MANUAL: &str = "
  slow:
    uses: command
    with: { run: [HELPER, append, DIR/log, begun, then, until, DIR/go] }
  by-hand:
    needs: slow
    uses: manual
    with: { instructions: Look. }
";

/// A run that alice carries out; its step waits for the file `go`.
fn held(project: &Project) -> Running {
    project.steps(MANUAL);
    let running = project.start(["exec", "steps.yaml"]);
    until("the step is under way", || !project.lines("log").is_empty());
    running
}

#[test]
fn who_wants_to_write_to_a_run_is_told_who_holds_it() {
    let project = Project::new();
    let running = held(&project);
    let process = format!("(process {})", running.pid());
    for args in [&["resume", "steps"][..], &["resume", "steps", "--jobs", "2"]] {
        project
            .run_as("bob", args)
            .code(5)
            .tells("RB0403")
            .tells("alice on ")
            .tells(&process);
    }
    let row = project.only_run();
    assert_eq!(row["held_by"]["operator"], "alice");
    assert_eq!(row["held_by"]["pid"], running.pid());
    project.run(["list"]).code(0).prints("held by alice");

    project.write("go", "");
    running.wait().code(3);
    assert!(project.only_run()["held_by"].is_null());
    project.run_as("bob", &["confirm", "steps", "by-hand"]).code(0);
    assert_eq!(project.only_run()["status"], "completed");
    let entries = project.sound_entries("steps");
    let writers: BTreeSet<_> = entries.iter().map(|entry| entry["operator"].as_str()).collect();
    assert_eq!(writers, [Some("alice"), Some("bob")].into());
}

#[test]
fn a_run_is_free_as_soon_as_its_holder_is_dead() {
    let project = Project::new();
    let running = held(&project);
    project.run_as("bob", &["resume", "steps"]).code(5);
    running.kill();
    assert!(project.only_run()["held_by"].is_null());
    project.write("go", "");
    project.run_as("bob", &["resume", "steps"]).code(4);
}

#[test]
fn two_runs_at_once_do_not_disturb_each_other() {
    let project = Project::new();
    let first = held(&project);
    project.runbook(
        "other.yaml",
        "runbook: other\nsteps:\n  one: { uses: command, with: { run: [HELPER, say, hello] } }\n",
    );
    project.run(["exec", "other.yaml"]).code(0);
    project.run(["show", "other"]).code(0).prints("completed");
    project.write("go", "");
    first.wait().code(3);
    assert_eq!(project.statuses("steps"), ["slow: succeeded", "by-hand: waiting"]);
    project.sound_entries("steps");
    project.sound_entries("other");
}

#[test]
fn a_list_tells_how_far_an_interrupted_run_really_came() {
    let project = Project::new();
    project.steps(
        "
  first: { uses: command, with: { run: [HELPER, append, DIR/log, first] } }
  slow: { needs: first, uses: command, with: { run: [HELPER, until, DIR/go] } }
",
    );
    let mut running = project.start(["exec", "steps.yaml", "--json"]);
    running.until_event("attempt_started", "slow");
    assert_eq!(project.only_run()["interrupted"], false);
    running.kill();
    let row = project.only_run();
    assert_eq!(row["interrupted"], true);
    assert_eq!((&row["settled"], &row["total"]), (&1.into(), &2.into()));
    project.run(["list"]).code(0).prints("interrupted    1 of 2");
}

#[test]
fn ten_runs_can_be_started_at_once() {
    let project = Project::new();
    project.steps(
        "
  meet: { uses: command, with: { run: [HELPER, crowd, DIR/all, 10] } }
",
    );
    let running: Vec<Running> = (0..10).map(|_| project.start(["exec", "steps.yaml"])).collect();
    for one in running {
        one.wait().code(0);
    }
    let runs = project.run(["list", "--json"]).code(0).json();
    let ids: BTreeSet<&str> = runs
        .as_array()
        .unwrap()
        .iter()
        .map(|run| run["run"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), 10);
    for id in ids {
        assert_eq!(project.statuses(id), ["meet: succeeded"]);
        project.sound_entries(id);
    }
}

#[test]
fn two_who_resume_at_once_do_not_both_carry_out() {
    let project = Project::new();
    held(&project).kill();
    project.write("go", "");
    let both = ["bob", "carol"].map(|name| project.start(["resume", "steps", "--operator", name]));
    let codes: BTreeSet<i32> = both.into_iter().map(|one| one.wait().code).collect();
    assert!(
        codes == [4, 5].into() || codes == [4].into(),
        "one of them, or one after the other: {codes:?}"
    );
    assert_eq!(project.lines("log"), ["begun"]);
    project.sound_entries("steps");
}
