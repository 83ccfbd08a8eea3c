//! A run that is sent back: from what it waits for to something earlier that was not done right.

use crate::advice::in_order;
use crate::support::{Outcome, Project, until};

/// `record` can tell whether its file is there; `note` cannot.
const STEPS: &str = "
  make:
    title: Make the zone
    uses: manual
    with: { instructions: Make the zone., collect: { zone: { type: string } } }
  record:
    needs: make
    uses: command
    with:
      run: [HELPER, append, DIR/log, 'record ${{ steps.make.outputs.zone }}', then, append, 'DIR/${{ steps.make.outputs.zone }}', x]
      validate: [HELPER, exists, 'DIR/${{ steps.make.outputs.zone }}']
  note: { needs: make, uses: command, with: { run: [HELPER, append, DIR/log, note] } }
  look:
    title: Look at the zone
    needs: [record, note]
    uses: manual
    with: { instructions: Is it right? }
";

/// A run that waits for somebody to look at what was done.
fn to_be_looked_at() -> Project {
    let project = Project::new();
    project.steps(STEPS);
    project.run(["exec", "steps.yaml"]).code(3);
    confirms(&project, "old");
    project.run(["resume", "steps"]).code(3);
    assert_eq!(sorted(&project), ["note", "record old"]);
    project
}

fn sorted(project: &Project) -> Vec<String> {
    let mut lines = project.lines("log");
    lines.sort();
    lines
}

fn confirms(project: &Project, zone: &str) {
    let value = format!("zone={zone}");
    project
        .run(["confirm", "steps", "make", "--value", &value])
        .code(0);
}

fn sends_back(project: &Project) -> Outcome {
    let why = "it is the old domain";
    project.run_as("bob", &["reject", "steps", "look", "--to", "make", "--why", why])
}

#[test]
fn what_was_not_done_right_is_done_again_and_nothing_after_it_is_repeated_silently() {
    let project = to_be_looked_at();
    sends_back(&project)
        .code(0)
        .tells("bob: sent back to `make`: it is the old domain; 2 instances after it are looked at again")
        .tells("runbook resume steps-");
    let told = project.run(["resume", "steps"]).code(3).stderr;
    in_order(
        &told,
        &[
            "sent back",
            "to `make` from `look` by bob: it is the old domain",
            "again: sent back by bob: it is the old domain",
            "You are asked for: zone",
        ],
    );
    confirms(&project, "new");
    // What can tell is done again, what cannot is asked about.
    let asked = project.run(["resume", "steps"]).code(4);
    asked.tells("was done before, and cannot tell whether it still holds");
    assert_eq!(sorted(&project), ["note", "record new", "record old"]);
    let shown = project.run(["show", "steps"]).code(0);
    shown.prints("`make` was sent back by bob: it is the old domain; it was done before");
    project
        .run(["decide", "steps", "note", "done", "--why", "it holds"])
        .code(0);
    project.run(["resume", "steps"]).code(3);
    project.run(["confirm", "steps", "look"]).code(0);
    assert_eq!(project.show("steps")["status"], "completed");
    assert_eq!(sorted(&project), ["note", "record new", "record old"]);
    let event = project
        .events("steps")
        .into_iter()
        .find(|one| one["event"] == "sent_back")
        .unwrap();
    assert_eq!(event["to"], "make");
    assert_eq!(event["again"], serde_json::json!(["record", "note", "look"]));
    assert_eq!(event["operator"], "bob");
    let log = project.run(["log", "steps", "--step", "record"]).code(0);
    log.prints("`look` sent back to `make`");
    let report = project.run(["report", "steps", "--format", "md"]).code(0);
    report
        .prints("sent back to \\`make\\`: it is the old domain")
        .prints("zone: old")
        .prints("zone: new");
    project.run(["journal", "verify", "steps"]).code(0);
}

#[test]
fn what_still_holds_is_left_as_it_is() {
    let project = to_be_looked_at();
    sends_back(&project).code(0);
    project.run(["resume", "steps"]).code(3);
    confirms(&project, "old");
    project.run(["resume", "steps"]).code(4);
    assert_eq!(sorted(&project), ["note", "record old"]);
}

#[test]
fn it_is_said_why_a_run_cannot_be_sent_back() {
    let project = to_be_looked_at();
    let to = |from: &str, to: &str| {
        project
            .run(["reject", "steps", from, "--to", to, "--why", "so"])
            .code(2)
    };
    to("look", "lok")
        .tells("lists the steps and instances")
        .tells("look");
    to("record", "make").tells("`record` is succeeded, so it cannot be sent back");
    to("look", "look")
        .tells("`look` does not stand on `look`")
        .tells("name a step that it needs");
    sends_back(&project).code(0);
    sends_back(&project)
        .code(2)
        .tells("`look` is ready, so it cannot be sent back");
}

#[test]
fn a_question_gives_way_when_the_run_is_sent_back_by_somebody_else() {
    let project = to_be_looked_at();
    let mut terminal = project.at_terminal(80, &["resume", "steps"]);
    terminal.shows("Is it right?");
    sends_back(&project)
        .code(0)
        .tells("the run is carried out by alice on ");
    terminal.shows("again: sent back by bob");
    confirms(&project, "new");
    until("what stands on it is done again", || {
        project.lines("log").contains(&"record new".to_owned())
    });
    assert_eq!(
        terminal.ends().0,
        4,
        "somebody must say whether the other step holds"
    );
    project
        .run(["decide", "steps", "note", "again", "--why", "once more"])
        .code(0);
    project.run(["resume", "steps"]).code(3);
    assert_eq!(sorted(&project), ["note", "note", "record new", "record old"]);
    project.sound_entries("steps");
}
