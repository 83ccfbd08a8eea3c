//! A second terminal: others look at a run and act on it while a process holds it.

use std::io::{Read as _, Write as _};
use std::path::PathBuf;

use serde_json::json;

use crate::platform::{self, Door};
use crate::support::{Project, Running, until};

const STEPS: &str = "
  slow:
    uses: command
    with: { run: [HELPER, say, on my way, then, append, DIR/log, begun, then, until, DIR/go] }
    timeout: 5m
  by-hand:
    needs: slow
    uses: manual
    with: { instructions: Look., collect: { seen: { type: string } } }
  beside:
    uses: manual
    with: { instructions: Look elsewhere. }
  last: { needs: by-hand, uses: command, with: { run: [HELPER, append, DIR/log, last] } }
";

/// A run that alice carries out; its step waits for the file `go`.
pub(crate) fn held(project: &Project) -> Running {
    project.steps(STEPS);
    let running = project.start(["exec", "steps.yaml"]);
    until("the step is under way", || !project.lines("log").is_empty());
    running
}

/// The folder of the only run.
pub(crate) fn folder(project: &Project) -> PathBuf {
    let run = project.only_run()["run"].as_str().unwrap().to_owned();
    project.state_dir().join("runs").join(run)
}

#[test]
fn others_look_while_it_is_carried_out() {
    let project = Project::new();
    let running = held(&project);
    let holder = format!("(process {})", running.pid());
    project
        .run(["show", "steps"])
        .code(0)
        .prints("carried out now by alice on ")
        .prints(&holder);
    let shown = project.show("steps");
    assert_eq!(shown["held_by"]["operator"], "alice");
    assert_eq!(shown["steps"][0]["status"], "running");
    until("what the step prints is seen", || {
        project
            .run(["log", "steps"])
            .code(0)
            .stdout
            .contains("│ on my way")
    });
    project.run(["journal", "verify", "steps"]).code(0);
    project.write("go", "");
    running.wait().code(3);
    assert!(project.show("steps")["held_by"].is_null());
}

#[test]
fn others_act_under_their_own_names_while_it_is_carried_out() {
    let project = Project::new();
    let mut running = held(&project);
    let run = |args: &[&str]| project.run_as("bob", args);
    run(&["confirm", "steps", "beside", "--note", "by phone"])
        .code(0)
        .tells("the run is carried out by alice on ");
    running.is_told_of("confirmed by bob");
    run(&["confirm", "steps", "beside"])
        .code(2)
        .tells("so it cannot be confirmed");
    run(&["confirm", "steps", "nowhere"])
        .code(2)
        .tells("lists the steps and instances");
    assert!(running.is_alive());
    run(&["cancel", "steps", "--why", "the window is over"]).code(0);
    running.wait();
    assert_eq!(project.show("steps")["status"], "cancelled");
    let events = project.events("steps");
    let by = |event: &str| events.iter().find(|one| one["event"] == event).unwrap()["operator"].clone();
    assert_eq!(by("confirmed"), "bob");
    assert_eq!(by("cancel_requested"), "bob");
    assert_eq!(by("attempt_started"), "alice");
    project.sound_entries("steps");
}

#[test]
fn a_question_gives_way_when_somebody_else_answers_it() {
    let project = Project::new();
    project.write("go", "");
    project.steps(STEPS);
    let mut terminal = project.at_terminal(80, &["exec", "steps.yaml"]);
    // What has waited longest is asked for first.
    terminal.shows("Look elsewhere.");
    project.run_as("bob", &["confirm", "steps", "beside"]).code(0);
    terminal.shows("confirmed by bob");
    terminal.shows("? seen");
    project.write("proof.txt", "proof");
    project
        .run_as(
            "bob",
            &[
                "confirm",
                "steps",
                "by-hand",
                "--value",
                "seen=row",
                "--attach",
                "proof.txt",
            ],
        )
        .code(0);
    let (code, screen) = terminal.ends();
    assert_eq!(code, 0, "{screen}");
    assert_eq!(screen.matches("confirmed by bob").count(), 2, "{screen}");
    assert_eq!(project.lines("log"), ["begun", "last"]);
    project
        .run(["journal", "verify", "steps"])
        .code(0)
        .prints("1 attachment");
}

#[test]
fn what_a_person_does_elsewhere_leaves_another_question_standing() {
    let project = Project::new();
    project.write("go", "");
    project.steps(STEPS);
    let mut terminal = project.at_terminal(80, &["exec", "steps.yaml"]);
    terminal.shows("Look elsewhere.");
    terminal.shows(">");
    terminal.types("ro");
    project
        .run_as("bob", &["confirm", "steps", "by-hand", "--value", "seen=row"])
        .code(0);
    terminal.shows("confirmed by bob");
    terminal.until("the question stands below", |screen| screen.ends_with("> ro"));
    terminal.types("w\r");
    terminal.answers("Is it done?", "y");
    assert_eq!(terminal.ends().0, 0);
    assert_eq!(project.show("steps")["status"], "completed");
}

#[test]
fn when_the_holder_dies_others_fall_back_to_the_journal() {
    let project = Project::new();
    held(&project).kill();
    project
        .run(["show", "steps"])
        .code(0)
        .prints("it was interrupted");
    project.run_as("bob", &["confirm", "steps", "beside"]).code(0);
    project.write("go", "");
    project.run_as("bob", &["resume", "steps", "--non-interactive"]);
    project.sound_entries("steps");
}

#[test]
fn a_rollback_is_carried_out_by_the_holder() {
    let project = Project::new();
    project.steps(
        "
  made:
    uses: command
    with: { run: [HELPER, write, DIR/made, x], rollback: [HELPER, append, DIR/log, undone] }
  hold: { needs: made, uses: manual, with: { instructions: Look. } }
",
    );
    let mut terminal = project.at_terminal(80, &["exec", "steps.yaml"]);
    terminal.shows("? Note");
    project
        .run_as("bob", &["rollback", "steps", "--why", "it broke", "--yes"])
        .code(0)
        .tells("the run is carried out by alice on ");
    let (code, screen) = terminal.ends();
    assert_eq!(
        (code, project.lines("log")),
        (0, vec!["undone".to_owned()]),
        "{screen}"
    );
    assert_eq!(project.show("steps")["status"], "rolled_back");
}

#[test]
fn a_log_is_followed_to_the_end_of_the_run() {
    let project = Project::new();
    let running = held(&project);
    let mut following = project.start(["log", "steps", "--follow", "--json"]);
    while following.next_line().unwrap()["event"] != "process_started" {}
    let printed = following.next_line().unwrap();
    assert_eq!(printed["text"], "on my way\n");
    project.write("go", "");
    following.until_event("person_needed", "by-hand");
    running.wait().code(3);
    for step in ["by-hand", "beside"] {
        let mut args = vec!["confirm", "steps", step];
        args.extend(["--value", "seen=row"].iter().filter(|_| step == "by-hand"));
        project.run(args).code(0);
    }
    project.run(["resume", "steps"]).code(0);
    following.until_event("verified", "last");
    following.wait().code(0);
}

#[test]
fn a_log_that_is_followed_tells_of_the_death_of_the_holder() {
    let project = Project::new();
    let running = held(&project);
    let name = project.run_name();
    let mut following = project.start(["log", "steps", "--follow"]);
    following.until_line("`slow` attempt 1 started");
    running.kill();
    following.is_told_of("the process that carried the run out is gone, in the middle of `slow`");
    following.is_told_of(&format!("runbook resume {name}"));
    project.run(["cancel", "steps", "--why", "enough"]).code(0);
    project.write("go", "");
    following.wait().code(0).prints("cancelled");
}

#[test]
fn a_log_is_followed_beyond_the_death_of_the_holder() {
    let project = Project::new();
    let running = held(&project);
    let mut following = project.start(["log", "steps", "--follow", "--json"]);
    following.until_event("attempt_started", "slow");
    running.kill();
    project.run(["cancel", "steps", "--why", "enough"]).code(0);
    project.write("go", "");
    let mut last = String::new();
    while let Some(line) = following.next_line() {
        last = line["event"].as_str().unwrap_or(&last).to_owned();
    }
    following.wait().code(0);
    assert!(!last.is_empty());
    assert_eq!(project.show("steps")["status"], "cancelled");
}

#[test]
fn what_was_asked_too_long_ago_is_not_done_any_more() {
    let project = Project::new();
    let running = held(&project);
    let ask = |until: &str| {
        let act =
            json!({ "confirm": { "instance": "beside", "values": {}, "attachments": [], "note": null } });
        let ask = json!({ "act": { "operator": "bob", "host": "there", "act": act, "until": until } });
        let request = json!({ "version": 3, "ask": ask });
        let mut stream = platform::door(&folder(&project));
        writeln!(stream, "{request}").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let answer = ask("2020-01-01T00:00:00Z");
    assert!(answer.contains("too long ago"), "{answer}");
    assert_eq!(project.statuses("steps")[2], "beside: waiting");
    let answer = ask("9999-01-01T00:00:00Z");
    assert!(answer.contains("recorded"), "{answer}");
    project.write("go", "");
    running.wait().code(3);
    assert_eq!(project.statuses("steps")[2], "beside: succeeded");
}

#[test]
fn visitors_who_never_read_disturb_nobody() {
    let project = Project::new();
    let running = held(&project);
    // More than a socket takes in before somebody reads.
    project.write("proof.bin", &"x".repeat(4 << 20));
    project
        .run_as("bob", &["confirm", "steps", "beside", "--attach", "proof.bin"])
        .code(0);
    let events = project.events("steps");
    let confirmed = events.iter().find(|one| one["event"] == "confirmed").unwrap();
    let sha256 = &confirmed["attachments"][0]["sha256"];
    let request = json!({ "version": 3, "ask": { "look": { "attachment": { "sha256": sha256 } } } });
    let mut deaf: Vec<Door> = (0..20)
        .map(|_| {
            let mut stream = platform::door(&folder(&project));
            writeln!(stream, "{request}").unwrap();
            stream
        })
        .collect();
    // Each answer has been made and begun: it is stuck from now on, and nothing is left to be worked out.
    for stream in &mut deaf {
        stream.read_exact(&mut [0]).unwrap();
    }
    project.run(["show", "steps"]).code(0);
    project
        .run_as("bob", &["cancel", "steps", "--why", "enough"])
        .code(0);
    running.wait();
    drop(deaf);
    assert_eq!(project.show("steps")["status"], "cancelled");
    project.sound_entries("steps");
}

#[test]
fn garbage_and_silence_at_the_door_disturb_nobody() {
    let project = Project::new();
    let running = held(&project);
    let folder = folder(&project);
    let silent: Vec<Door> = (0..20).map(|_| platform::door(&folder)).collect();
    for garbage in [
        &b"\n"[..],
        b"{}\n",
        b"{\"version\":9,\"ask\":{\"look\":\"verify\"}}\n",
        b"\xff\xfe\n",
        &[b'['; 100_000],
    ] {
        let mut stream = platform::door(&folder);
        // It may be cut off while it speaks.
        let _cut_off = stream.write_all(garbage);
        if !platform::says_no_more(&stream) && !garbage.ends_with(b"\n") {
            continue;
        }
        let mut answer = Vec::new();
        let _cut_off = stream.read_to_end(&mut answer);
        assert!(!String::from_utf8_lossy(&answer).contains("recorded"));
    }
    project.run_as("bob", &["confirm", "steps", "beside"]).code(0);
    drop(silent);
    project.write("go", "");
    running.wait().code(3);
    project.sound_entries("steps");
}

#[test]
fn fifty_who_act_at_once_are_all_answered_and_one_of_them_did_it() {
    let project = Project::new();
    let running = held(&project);
    let all: Vec<Running> = (0..50)
        .map(|n| project.start(["confirm", "steps", "beside", "--operator", &format!("p{n}")]))
        .collect();
    let codes: Vec<i32> = all.into_iter().map(|one| one.wait().code).collect();
    assert_eq!(codes.iter().filter(|&&code| code == 0).count(), 1, "{codes:?}");
    assert!(codes.iter().all(|code| [0, 2].contains(code)), "{codes:?}");
    project.write("go", "");
    running.wait().code(3);
    let confirmed = project
        .events("steps")
        .into_iter()
        .filter(|one| one["event"] == "confirmed");
    assert_eq!(confirmed.count(), 1);
}

#[test]
fn a_state_folder_with_a_long_name_has_a_door_too() {
    let project = Project::new();
    project.steps(STEPS);
    let long = project.path().join("x".repeat(120)).join("state");
    let mut command = project.command(["exec", "steps.yaml"]);
    command.env("RUNBOOK_STATE_DIR", &long);
    let running = Running::of(command);
    until("the step is under way", || !project.lines("log").is_empty());
    let mut command = project.command(["confirm", "steps", "beside"]);
    command.env("RUNBOOK_STATE_DIR", &long);
    Running::of(command).wait().code(0);
    project.write("go", "");
    running.wait().code(3);
}
