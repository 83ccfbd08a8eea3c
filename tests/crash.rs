//! The program is killed while a step's own process is at work; another person resumes the run.

use serde_json::Value;

use crate::platform;
use crate::support::entries::{find, of_step};
use crate::support::{Outcome, Project, until};

/// A step that says when it begins, waits for `go`, and then writes its outcome.
pub(crate) fn slow(more: &str) -> String {
    format!(
        "
  slow:
    uses: command
    {more}
  after:
    needs: slow
    uses: command
    with: {{ run: [HELPER, append, DIR/log, after] }}
"
    )
}

pub(crate) const RUN: &str = "[HELPER, hold, DIR/alive, then, append, DIR/log, begun, then, until, DIR/go, then, \
                   write, DIR/outcome, new, then, append, DIR/log, ended]";

pub(crate) const VALIDATE: &str = "[HELPER, observe, DIR/outcome, then, has, DIR/outcome, new]";

pub(crate) fn validated(options: &str) -> String {
    slow(&format!(
        "with: {{ run: {RUN}, validate: {VALIDATE}, stdout: json }}\n    {options}"
    ))
}

/// Starts a run and kills the program while the child of its first step is at work.
pub(crate) fn killed(project: &Project, steps: &str) -> Outcome {
    project.steps(steps);
    let mut running = project.start(["exec", "steps.yaml", "--json"]);
    running.until_event("process_started", "slow");
    until("the child is at work", || project.lines("log") == ["begun"]);
    let outcome = running.kill();
    if platform::OUTLIVES {
        assert!(project.is_held("alive"), "the child outlives the engine");
    } else {
        until("the child ends with the engine", || !project.is_held("alive"));
    }
    outcome
}

/// What a step leaves that may go on when the engine is killed, if the system lets it.
fn left() -> &'static [&'static str] {
    if platform::OUTLIVES {
        &["begun", "ended"]
    } else {
        &["begun"]
    }
}

/// The events of `slow` since the program was killed, without the processes of `validate`.
pub(crate) fn since(entries: &[Value]) -> Vec<String> {
    let events = of_step(entries, "slow");
    let at = events.iter().position(|event| event == "interrupted").unwrap();
    let events = events[at..].iter();
    events
        .filter(|event| *event != "process_started")
        .cloned()
        .collect()
}

#[test]
fn a_child_that_outlives_its_time_is_ended_and_the_step_is_tried_again() {
    let project = Project::new();
    let run = "[HELPER, hold, DIR/alive, then, append, DIR/log, begun, then, hang-once, DIR/hung, then, \
               write, DIR/outcome, new]";
    let steps = slow(&format!(
        "with: {{ run: {run}, validate: {VALIDATE}, stdout: ignore }}\n    timeout: 2s"
    ));
    killed(&project, &steps);
    until("the child hangs", || project.has("hung"));
    let resumed = project.run_as("bob", &["resume", "steps"]).code(0);
    assert_eq!(
        resumed.stderr.contains("still runs from before"),
        platform::OUTLIVES
    );
    assert!(
        !project.is_held("alive"),
        "the child of the first attempt is gone"
    );
    assert_eq!(project.lines("log"), ["begun", "begun", "after"]);
    let entries = project.sound_entries("steps");
    let found = if platform::OUTLIVES { "ended" } else { "none" };
    assert_eq!(find(&entries, "process_cleared", "slow")["found"], found);
    assert_eq!(
        since(&entries),
        [
            "interrupted",
            "process_cleared",
            "observation_started",
            "observed",
            "doubt_settled",
            "attempt_started",
            "attempt_returned",
            "verified",
        ]
    );
    let settled = find(&entries, "doubt_settled", "slow");
    assert_eq!(
        (&settled["ruling"], &settled["operator"]),
        (&"again".into(), &"bob".into())
    );
    assert_eq!(project.show("steps")["steps"][0]["attempts"], 2);
}

#[test]
fn a_step_that_cannot_tell_is_left_to_a_person() {
    let project = Project::new();
    killed(&project, &slow(&format!("with: {{ run: {RUN} }}")));
    project.write("go", "");
    until("the child ends", || !project.is_held("alive"));
    for _ in 0..2 {
        project
            .run_as("bob", &["resume", "steps"])
            .code(4)
            .tells("`slow` was interrupted")
            .tells("runbook decide steps-");
    }
    assert_eq!(project.lines("log"), left(), "nothing is carried out again");
    assert_eq!(project.statuses("steps"), ["slow: in_doubt", "after: pending"]);
    assert_eq!(project.only_run()["status"], "waiting");
    let entries = project.sound_entries("steps");
    assert_eq!(
        since(&entries),
        ["interrupted", "process_cleared", "person_needed"]
    );
    assert_eq!(find(&entries, "person_needed", "slow")["need"], "decision");
}

/// A run that waits for a decision about `slow`, which has not taken effect.
fn in_doubt() -> Project {
    let project = Project::new();
    killed(
        &project,
        &slow(&format!("with: {{ run: {RUN} }}\n    timeout: 1s")),
    );
    project.run_as("bob", &["resume", "steps"]).code(4);
    assert!(!project.is_held("alive"));
    project
}

#[track_caller]
fn decided(project: &Project, ruling: &str) {
    let args = ["decide", "steps", "slow", ruling, "--why", "I looked"];
    project.run_as("carol", &args).code(0);
    let entries = project.sound_entries("steps");
    let decided = find(&entries, "decided", "slow");
    assert_eq!(decided["operator"], "carol");
    assert_eq!(decided["ruling"], ruling);
    assert_eq!(decided["why"], "I looked");
}

#[test]
fn a_person_says_that_it_is_done() {
    let project = in_doubt();
    decided(&project, "done");
    project.run_as("dave", &["resume", "steps"]).code(0);
    assert_eq!(project.lines("log"), ["begun", "after"]);
    assert_eq!(project.statuses("steps"), ["slow: succeeded", "after: succeeded"]);
}

#[test]
fn a_person_says_that_it_is_to_be_tried_again() {
    let project = in_doubt();
    decided(&project, "again");
    project.write("go", "");
    project.run_as("dave", &["resume", "steps"]).code(0);
    assert_eq!(project.lines("log"), ["begun", "begun", "ended", "after"]);
    let entries = project.sound_entries("steps");
    let second = entries
        .iter()
        .rfind(|entry| entry["event"] == "attempt_started" && entry["step"] == "slow")
        .unwrap();
    assert_eq!(
        (&second["attempt"], &second["operator"]),
        (&2.into(), &"dave".into())
    );
}

#[test]
fn a_person_says_that_it_has_failed() {
    let project = in_doubt();
    decided(&project, "fail");
    project
        .run_as("dave", &["resume", "steps"])
        .code(1)
        .tells("I looked");
    assert_eq!(project.lines("log"), ["begun"]);
    assert_eq!(project.statuses("steps"), ["slow: failed", "after: blocked"]);
}

#[test]
fn a_person_goes_on_without_it() {
    let project = in_doubt();
    decided(&project, "skip");
    project.run_as("dave", &["resume", "steps"]).code(0);
    assert_eq!(project.lines("log"), ["begun", "after"]);
    assert_eq!(project.statuses("steps"), ["slow: skipped", "after: succeeded"]);
}

#[test]
fn an_idempotent_step_is_tried_again_by_itself() {
    let project = Project::new();
    killed(
        &project,
        &slow(&format!(
            "with: {{ run: {RUN} }}\n    idempotent: true\n    timeout: 50s"
        )),
    );
    project.write("go", "");
    project.run_as("bob", &["resume", "steps"]).code(0);
    assert_eq!(
        project.lines("log"),
        [left(), &["begun", "ended", "after"]].concat()
    );
    let entries = project.sound_entries("steps");
    assert_eq!(find(&entries, "doubt_settled", "slow")["ruling"], "repeat");
}
