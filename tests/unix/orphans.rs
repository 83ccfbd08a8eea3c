//! What a killed engine leaves running: it is awaited or ended before anything else happens. On Windows nothing is left.

use serde_json::json;

use crate::crash::{RUN, killed, since, slow, validated};
use crate::left::cut_off_in_hands;
use crate::support::entries::{find, kept};
use crate::support::{Project, Running, until};
use crate::undo::{SLOW, contents, undone};

#[test]
fn a_child_that_outlives_the_engine_is_awaited_and_its_outcome_found() {
    let project = Project::new();
    let said = killed(&project, &validated("timeout: 50s"));
    let resumed = project.start(["resume", "steps", "--operator", "bob"]);
    until("bob is told of the child", || {
        resumed.told().contains("still runs from before")
    });
    assert_eq!(project.lines("log"), ["begun"], "nothing happens until then");
    project.write("go", "");
    resumed.wait().code(0);
    assert_eq!(project.lines("log"), ["begun", "ended", "after"]);

    let entries = project.sound_entries("steps");
    kept(&said.whole_lines(), &entries);
    assert_eq!(
        since(&entries),
        [
            "interrupted",
            "process_cleared",
            "observation_started",
            "observed",
            "doubt_settled"
        ]
    );
    assert_eq!(find(&entries, "process_cleared", "slow")["found"], "awaited");
    let settled = find(&entries, "doubt_settled", "slow");
    assert_eq!(settled["ruling"], "took_effect");
    assert_eq!(settled["outputs"]["content"], "new", "the outputs of `validate`");
    assert_eq!(settled["operator"], "bob");
    assert_eq!(find(&entries, "attempt_started", "slow")["operator"], "alice");
}

#[test]
fn a_decision_can_be_taken_before_anybody_resumes() {
    let project = Project::new();
    killed(&project, &slow(&format!("with: {{ run: {RUN} }}")));
    let args = ["decide", "steps", "slow", "done", "--why", "I looked"];
    let deciding = Running::of(project.command(args));
    deciding.is_told_of("still runs from before");
    assert!(project.is_held("alive"), "its process may still change something");
    project.write("go", "");
    deciding.wait().code(0);
    assert!(!project.is_held("alive"), "nothing is decided before it is over");
    project.run_as("bob", &["resume", "steps"]).code(0);
}

#[test]
fn a_doubt_is_settled_once_what_was_left_running_is_over_or_ended() {
    for (patience, is_over) in [("1h", true), ("0s", false)] {
        let (project, name) = cut_off_in_hands(false);
        let why = ["--why", "so", "--await-left", patience];
        let deciding = Running::of(project.command(["decide", &name, "put", "again"].iter().chain(&why)));
        deciding.is_told_of("still runs from before");
        if is_over {
            project.write("go", "");
        }
        deciding.wait().code(0);
        let cleared = project.events(&name).into_iter();
        let cleared = cleared.filter(|one| one["event"] == "process_cleared");
        let found: Vec<_> = cleared.map(|one| one["found"].clone()).collect();
        assert_eq!(found, [if is_over { "awaited" } else { "ended" }]);
        project.write("go", "");
        project.run(["resume", &name]).code(0);
    }
}

#[test]
fn resuming_awaits_what_was_left_as_long_as_was_chosen() {
    let (project, name) = cut_off_in_hands(false);
    project
        .run(["resume", &name, "--await-left", "0s"])
        .code(4)
        .tells("still runs from before");
    let unusable = project.run(["resume", &name, "--await-left", "10"]).code(2);
    unusable.tells("`10s`");
}

#[test]
fn a_rollback_that_is_killed_is_resumed_by_another_person() {
    let project = Project::new();
    project.write("world/b", "old");
    project.steps(SLOW);
    project.run(["exec", "steps.yaml"]).code(0);
    let mut running = project.start(["rollback", "steps", "--json", "--yes"]);
    running.until_event("process_started", "b");
    until("it is being undone", || undone(&project) == ["undo-b"]);
    let said = running.kill().whole_lines();
    assert_eq!(project.only_run()["status"], "rolling_back");

    let resumed = project.start(["resume", "steps", "--operator", "bob"]);
    until("bob is told of the process", || {
        resumed.told().contains("still runs from before")
    });
    project.write("go", "");
    resumed.wait().code(0);
    assert_eq!(undone(&project), ["undo-b", "undo-a"], "`b` was undone once");
    assert_eq!(contents(&project)["b"], b"old");
    let entries = project.sound_entries("steps");
    kept(&said, &entries);
    let settled = find(&entries, "doubt_settled", "b");
    assert_eq!(
        (&settled["ruling"], &settled["operator"]),
        (&json!("took_effect"), &json!("bob"))
    );
    assert_eq!(project.only_run()["status"], "rolled_back");
}
