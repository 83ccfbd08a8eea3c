//! A run changes hands in one state folder: offered, accepted, taken back, taken over.

use crate::support::{Project, Running, until};

const STEPS: &str = "
  made: { uses: command, with: { run: [HELPER, append, DIR/log, made, then, say, all is well] } }
  by-hand: { needs: made, uses: manual, with: { instructions: Look. } }
  last: { needs: by-hand, uses: command, with: { run: [HELPER, append, DIR/log, last] } }
";

/// A run of alice's that waits for manual work.
fn waiting() -> Project {
    let project = Project::new();
    project.steps(STEPS);
    project.run(["exec", "steps.yaml"]).code(3);
    project
}

fn offer(project: &Project) {
    let note = "web2 is down until noon";
    let args = ["handoff", "steps", "--to", "bob", "--note", note];
    project.run(args).code(0).tells("offered to bob");
}

#[test]
fn a_run_is_offered_and_accepted_with_a_briefing() {
    let project = waiting();
    offer(&project);
    project
        .run(["show", "steps"])
        .code(0)
        .prints("offered to bob, who has not accepted it yet; given by alice");
    project.run(["list"]).code(0).prints("offered to bob");
    let early = project.run_as("bob", &["resume", "steps"]).code(5);
    let early = early.tells("the run is offered to you by alice");
    assert!(!early.stderr.contains("--take-over"), "{}", early.stderr);
    let accepted = project.run_as("bob", &["accept", "steps"]).code(0);
    for said in [
        "given by alice at",
        "now in the hands of bob",
        "1 of 3; last `made`",
        "`by-hand`",
        "web2 is down until noon",
        "the last lines that `made` printed:",
        "│ all is well",
    ] {
        assert!(accepted.stderr.contains(said), "`{said}`:\n{}", accepted.stderr);
    }
    let hands = &project.show("steps")["hands"];
    assert_eq!(hands["of"], "bob");
    assert!(hands["offered"].is_null());
    project.run_as("bob", &["confirm", "steps", "by-hand"]).code(0);
    project.run_as("bob", &["resume", "steps"]).code(0);
    assert_eq!(project.lines("log"), ["made", "last"]);
    let entries = project.sound_entries("steps");
    let by = |event: &str| entries.iter().find(|one| one["event"] == event).unwrap()["operator"].clone();
    assert_eq!(
        (by("handoff_offered"), by("handoff_accepted")),
        ("alice".into(), "bob".into())
    );
}

#[test]
fn nobody_else_accepts_takes_back_or_goes_on() {
    let project = waiting();
    offer(&project);
    let refused = |operator: &str, args: &[&str], says: &str| {
        project.run_as(operator, args).code(5).tells("RB0505").tells(says);
    };
    refused(
        "carol",
        &["accept", "steps"],
        "offered to bob, and to nobody else",
    );
    refused(
        "alice",
        &["accept", "steps"],
        "offered to bob, and to nobody else",
    );
    refused(
        "carol",
        &["handoff", "steps", "--take-back"],
        "in the hands of alice",
    );
    refused("bob", &["resume", "steps"], "offered to you by alice");
    refused(
        "carol",
        &["handoff", "steps", "--to", "carol"],
        "in the hands of alice",
    );
    refused(
        "carol",
        &["cancel", "steps", "--why", "no"],
        "in the hands of alice",
    );
    project
        .run(["handoff", "steps", "--to", "carol"])
        .code(2)
        .tells("RB0500")
        .tells("--take-back");
    project.run(["handoff", "steps", "--take-back"]).code(0);
    project
        .run_as("bob", &["accept", "steps"])
        .code(2)
        .tells("offered to nobody");
    // As before the offer, it belongs to nobody in particular.
    project.run_as("carol", &["confirm", "steps", "by-hand"]).code(0);
    project.run_as("carol", &["resume", "steps"]).code(0);
    assert_eq!(project.lines("log"), ["made", "last"]);
    project.sound_entries("steps");
}

#[test]
fn until_it_is_accepted_the_giver_goes_on_with_it_and_afterwards_no_longer() {
    let project = waiting();
    offer(&project);
    project.run(["resume", "steps"]).code(3);
    project.run_as("bob", &["accept", "steps"]).code(0);
    let refused = project.run(["resume", "steps"]).code(5);
    refused
        .tells("RB0505")
        .tells("in the hands of bob")
        .tells("--take-over --why");
    project
        .run(["rollback", "steps", "--yes"])
        .code(5)
        .tells("RB0505");
    // Anybody may do the work that waits for people.
    project.run(["confirm", "steps", "by-hand"]).code(0);
    project.run_as("bob", &["resume", "steps"]).code(0);
}

#[test]
fn the_givers_process_that_is_still_open_writes_nothing_more() {
    let project = waiting();
    let mut terminal = project.at_terminal(80, &["resume", "steps"]);
    terminal.shows("Look.");
    // Through the process that holds the run, from other terminals.
    offer(&project);
    project
        .run_as("carol", &["accept", "steps"])
        .code(5)
        .tells("RB0505");
    terminal.shows("offered to bob");
    project
        .run_as("bob", &["accept", "steps"])
        .code(0)
        .tells("web2 is down");
    let (code, screen) = terminal.ends();
    assert_eq!(code, 5, "{screen}");
    assert!(screen.contains("in the hands of bob"), "{screen}");
    let entries = project.events("steps");
    assert_eq!(entries.last().unwrap()["event"], "handoff_accepted");
    assert_eq!(entries.last().unwrap()["operator"], "bob");
    project.run_as("bob", &["confirm", "steps", "by-hand"]).code(0);
    project.run_as("bob", &["resume", "steps"]).code(0);
    project.sound_entries("steps");
}

#[test]
fn what_is_under_way_ends_before_anybody_takes_the_run() {
    let project = Project::new();
    project.steps(
        "
  slow: { uses: command, with: { run: [HELPER, append, DIR/log, begun, then, until, DIR/go] }, timeout: 5m }
  last: { needs: slow, uses: command, with: { run: [HELPER, append, DIR/log, last] } }
",
    );
    let running: Running = project.start(["exec", "steps.yaml"]);
    until("the step is under way", || !project.lines("log").is_empty());
    offer(&project);
    let refused = project.run_as("bob", &["accept", "steps"]).code(2);
    refused.tells("RB0500").tells("is being carried out");
    project.write("go", "");
    running.wait().code(0);
    project.run_as("bob", &["accept", "steps"]).code(0);
    assert_eq!(project.lines("log"), ["begun", "last"]);
}

#[test]
fn a_run_whose_keeper_is_gone_is_taken_over_and_the_journal_says_why() {
    let project = waiting();
    offer(&project);
    project.run_as("bob", &["accept", "steps"]).code(0);
    project
        .run_as("carol", &["accept", "steps", "--take-over"])
        .code(2);
    let why = ["accept", "steps", "--take-over", "--why", "bob is ill"];
    project
        .run_as("carol", &why)
        .code(0)
        .tells("now in the hands of carol");
    project
        .run_as("bob", &["resume", "steps"])
        .code(5)
        .tells("in the hands of carol");
    project
        .run(["log", "steps"])
        .code(0)
        .prints("run taken over: bob is ill");
    project.run_as("carol", &["confirm", "steps", "by-hand"]).code(0);
    project.run_as("carol", &["resume", "steps"]).code(0);
}

#[test]
fn an_interrupted_run_is_accepted_and_its_doubt_stays_for_whoever_has_it() {
    let project = Project::new();
    project.steps(
        "
  slow: { uses: command, with: { run: [HELPER, append, DIR/log, begun, then, until, DIR/go] }, timeout: 5m }
",
    );
    let running = project.start(["exec", "steps.yaml"]);
    until("the step is under way", || !project.lines("log").is_empty());
    running.kill();
    offer(&project);
    project
        .run_as("bob", &["accept", "steps"])
        .code(0)
        .tells("in doubt");
    project.run(["resume", "steps"]).code(5);
    project.write("go", "");
    project.run_as("bob", &["resume", "steps"]).code(4);
    project.sound_entries("steps");
}
