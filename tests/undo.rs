//! Rolling back: everything that the run changed, nothing else, and on after trouble.

use std::collections::BTreeMap;

use serde_json::json;

use crate::platform;
use crate::support::entries::{find, of_step};
use crate::support::{Project, until};

/// A step that sets the file `world/NAME` to `new`, and knows how to put it back.
fn sets(name: &str, needs: &str) -> String {
    format!(
        "
  {name}:
    needs: {needs}
    uses: command
    with:
      run: [HELPER, append, DIR/log, do-{name}, then, write, DIR/world/{name}, new]
      validate: [HELPER, observe, DIR/world/{name}, then, has, DIR/world/{name}, new]
      rollback: [HELPER, append, DIR/log, undo-{name}, then, restore, DIR/world/{name}]
      stdout: ignore
"
    )
    .replace("stdout: ignore", "stdout: json")
    .replace(
        &format!("then, write, DIR/world/{name}, new]"),
        &format!("then, write, DIR/world/{name}, new, then, say, '{{}}']"),
    )
}

/// Three steps, one after the other, and one beside them.
fn four() -> String {
    [sets("a", "[]"), sets("b", "a"), sets("c", "b"), sets("d", "a")].concat()
}

/// A folder in which `a` has another text, `b` is not there, `c` is in place already, and `d` is empty.
fn world(project: &Project) -> BTreeMap<String, Vec<u8>> {
    project.write("world/a", "old \u{e4}\r\n");
    project.write("world/c", "new");
    project.write("world/d", "");
    project.write("world/other", "untouched");
    contents(project)
}

pub(crate) fn contents(project: &Project) -> BTreeMap<String, Vec<u8>> {
    let files = std::fs::read_dir(project.path().join("world")).unwrap();
    files
        .map(|file| file.unwrap())
        .map(|file| {
            (
                file.file_name().into_string().unwrap(),
                std::fs::read(file.path()).unwrap(),
            )
        })
        .collect()
}

pub(crate) fn undone(project: &Project) -> Vec<String> {
    let log = project.lines("log").into_iter();
    log.filter(|line| line.starts_with("undo")).collect()
}

#[test]
fn a_rollback_restores_a_folder_byte_for_byte() {
    let project = Project::new();
    let before = world(&project);
    project.steps(&four());
    project.run(["exec", "steps.yaml", "--jobs", "1"]).code(0);
    assert_ne!(contents(&project), before);
    assert_eq!(
        project.statuses("steps"),
        ["a: succeeded", "b: succeeded", "c: satisfied", "d: succeeded"]
    );
    project
        .run_as(
            "bob",
            &["rollback", "steps", "--why", "the window is over", "--yes"],
        )
        .code(0)
        .tells("rolled back");
    assert_eq!(contents(&project), before);
    assert_eq!(
        undone(&project),
        ["undo-d", "undo-b", "undo-a"],
        "`c` was in place before"
    );
    assert_eq!(
        project.statuses("steps"),
        [
            "a: rolled_back",
            "b: rolled_back",
            "c: satisfied",
            "d: rolled_back"
        ]
    );
    let entries = project.sound_entries("steps");
    let started = entries
        .iter()
        .find(|entry| entry["event"] == "rollback_started")
        .unwrap();
    assert_eq!(started["operator"], "bob");
    assert_eq!(started["why"], "the window is over");
    assert_eq!(started["plan"], json!(["d", "b", "a"]));

    project.run(["resume", "steps"]).code(0);
    project.run(["rollback", "steps", "--yes"]).code(0);
    assert_eq!(undone(&project).len(), 3, "undone once");
}

#[test]
fn chosen_steps_are_undone_with_all_that_depends_on_them_and_done_anew() {
    let project = Project::new();
    world(&project);
    std::fs::remove_file(project.path().join("world/c")).unwrap();
    project.steps(&four());
    project.run(["exec", "steps.yaml"]).code(0);
    project.run(["rollback", "steps", "--step", "b", "--yes"]).code(0);
    assert_eq!(undone(&project), ["undo-c", "undo-b"]);
    assert_eq!(
        project.statuses("steps"),
        ["a: succeeded", "b: rolled_back", "c: rolled_back", "d: succeeded"]
    );
    assert_eq!(contents(&project)["a"], b"new");
    assert!(!project.has("world/b") && !project.has("world/c"));

    for step in ["b", "c"] {
        project
            .run(["decide", "steps", step, "again", "--why", "mended"])
            .code(0);
    }
    project.run(["resume", "steps"]).code(0);
    assert_eq!(contents(&project)["c"], b"new");
    assert_eq!(project.only_run()["status"], "completed");
    project.sound_entries("steps");
}

#[test]
fn a_step_that_the_run_does_not_have_cannot_be_undone() {
    let project = Project::new();
    project.steps(&four());
    world(&project);
    project.run(["exec", "steps.yaml"]).code(0);
    project
        .run(["rollback", "steps", "--step", "nowhere", "--yes"])
        .code(2)
        .tells("RB0501");
    assert_eq!(project.only_run()["status"], "completed");
    assert!(undone(&project).is_empty());
}

#[test]
fn steps_without_a_way_back_are_named_as_left_in_place() {
    let project = Project::new();
    project.write("world/a", "old");
    let one_way =
        "  one-way: { needs: a, uses: command, with: { run: [HELPER, append, DIR/log, one-way] } }\n";
    project.steps(&(sets("a", "[]") + one_way));
    project.run(["exec", "steps.yaml"]).code(0);
    project
        .run(["rollback", "steps", "--yes"])
        .code(0)
        .tells("no way back, left in place: `one-way`");
    assert_eq!(
        project.statuses("steps"),
        ["a: rolled_back", "one-way: succeeded"]
    );
    assert_eq!(contents(&project)["a"], b"old");
    project.run(["show", "steps"]).code(0).prints("left in place");
}

#[test]
fn what_a_failed_attempt_left_behind_is_undone_too() {
    let project = Project::new();
    project.write("world/a", "old");
    project.steps(
        "
  a:
    uses: command
    with:
      run: [HELPER, write, DIR/world/a, half, then, end, '1']
      validate: [HELPER, observe, DIR/world/a, then, has, DIR/world/a, new]
      rollback: [HELPER, restore, DIR/world/a]
      stdout: json
",
    );
    project.run(["exec", "steps.yaml"]).code(1);
    assert_eq!(contents(&project)["a"], b"half");
    project.run(["rollback", "steps", "--yes"]).code(0);
    assert_eq!(contents(&project)["a"], b"old");
    assert_eq!(project.statuses("steps"), ["a: rolled_back"]);
}

/// Three steps that are carried out; the way back of the second works once `mended` is there.
fn stuck() -> Project {
    let project = Project::new();
    let way = |name: &str, undo: &str, needs: &str| {
        format!(
            "  {name}: {{ needs: {needs}, uses: command, with: {{ run: [HELPER, append, DIR/log, do-{name}], \
             rollback: [HELPER, append, DIR/log, undo-{name}{undo}] }} }}\n"
        )
    };
    let undo = ", then, complain, the disk is full, then, exists, DIR/mended";
    project.steps(&[way("a", "", "[]"), way("b", undo, "a"), way("c", "", "b")].concat());
    project.run(["exec", "steps.yaml"]).code(0);
    project
        .run(["rollback", "steps", "--yes"])
        .code(1)
        .tells("is stuck")
        .tells("the disk is full")
        .tells("still to undo: `b`, `a`")
        .tells("runbook decide steps-");
    assert_eq!(
        undone(&project),
        ["undo-c", "undo-b"],
        "nothing further is undone"
    );
    assert_eq!(project.only_run()["status"], "stuck");
    assert_eq!(project.show("steps")["still_to_undo"], json!(["b", "a"]));
    project
}

#[test]
fn a_rollback_that_is_stuck_stays_stuck_until_a_person_decides() {
    let project = stuck();
    project.run(["resume", "steps"]).code(1);
    assert_eq!(undone(&project), ["undo-c", "undo-b"]);
    project.run(["show", "steps"]).code(0).prints("the disk is full");
}

#[test]
fn a_rollback_that_is_stuck_is_tried_again() {
    let project = stuck();
    project.write("mended", "");
    let args = ["decide", "steps", "b", "again", "--why", "there is room now"];
    project.run_as("bob", &args).code(0);
    project.run(["resume", "steps"]).code(0);
    assert_eq!(undone(&project), ["undo-c", "undo-b", "undo-b", "undo-a"]);
    assert_eq!(
        project.statuses("steps"),
        ["a: rolled_back", "b: rolled_back", "c: rolled_back"]
    );
    let entries = project.sound_entries("steps");
    assert_eq!(find(&entries, "decided", "b")["operator"], "bob");
}

#[test]
fn a_rollback_that_is_stuck_goes_on_after_a_person_has_undone_the_step() {
    let project = stuck();
    project
        .run(["decide", "steps", "b", "done", "--why", "by hand"])
        .code(0);
    project.run(["resume", "steps"]).code(0);
    assert_eq!(undone(&project), ["undo-c", "undo-b", "undo-a"]);
    assert_eq!(project.statuses("steps")[1], "b: rolled_back");
}

#[test]
fn a_rollback_that_is_stuck_goes_on_without_the_step() {
    let project = stuck();
    project
        .run(["decide", "steps", "b", "skip", "--why", "it does no harm"])
        .code(0);
    project.run(["resume", "steps"]).code(0);
    assert_eq!(undone(&project), ["undo-c", "undo-b", "undo-a"]);
    assert_eq!(
        project.statuses("steps"),
        ["a: rolled_back", "b: rollback_failed", "c: rolled_back"]
    );
    project
        .run(["show", "steps"])
        .code(0)
        .prints("rolled back")
        .prints("the disk is full");
}

/// A step whose way back waits for `go`.
pub(crate) const SLOW: &str = "
  a: { uses: command, with: { run: [HELPER, append, DIR/log, do-a], rollback: [HELPER, append, DIR/log, undo-a] } }
  b:
    needs: a
    timeout: 2s
    uses: command
    with:
      run: [HELPER, write, DIR/world/b, new]
      validate: [HELPER, has, DIR/world/b, new]
      rollback: [HELPER, hold, DIR/alive, then, append, DIR/log, undo-b, then, until, DIR/go, then, write, DIR/world/b, old]
";

#[test]
fn a_rollback_that_had_not_taken_effect_is_tried_again() {
    let project = Project::new();
    project.write("world/b", "old");
    project.steps(SLOW);
    project.run(["exec", "steps.yaml"]).code(0);
    let running = project.start(["rollback", "steps", "--yes"]);
    until("it is being undone", || undone(&project) == ["undo-b"]);
    running.kill();
    // Nobody lets the old process go on: its time is up, and it is ended.
    let resumed = project.start(["resume", "steps", "--json", "--operator", "bob"]);
    until("it is being undone again", || undone(&project).len() == 2);
    project.write("go", "");
    resumed.wait().code(0);
    assert_eq!(undone(&project), ["undo-b", "undo-b", "undo-a"]);
    let entries = project.sound_entries("steps");
    let found = if platform::OUTLIVES { "ended" } else { "none" };
    assert_eq!(find(&entries, "process_cleared", "b")["found"], found);
    assert_eq!(find(&entries, "doubt_settled", "b")["ruling"], "again");
    let again = of_step(&entries, "b")
        .iter()
        .filter(|event| *event == "rollback_attempt_started")
        .count();
    assert_eq!(again, 2);
}

#[test]
fn manual_work_is_undone_by_a_person() {
    let project = Project::new();
    project.steps(
        "
  a: { uses: command, with: { run: [HELPER, append, DIR/log, do-a], rollback: [HELPER, append, DIR/log, undo-a] } }
  b: { needs: a, uses: manual, with: { instructions: Switch it on., rollback: Switch it off. } }
",
    );
    project.run(["exec", "steps.yaml"]).code(3);
    project.run(["confirm", "steps", "b"]).code(0);
    project
        .run(["rollback", "steps", "--yes"])
        .code(3)
        .tells("to be undone by hand");
    assert!(undone(&project).is_empty(), "strictly in reverse order");
    project.run_as("bob", &["confirm", "steps", "b"]).code(0);
    project.run(["resume", "steps"]).code(0);
    assert_eq!(undone(&project), ["undo-a"]);
    assert_eq!(project.statuses("steps"), ["a: rolled_back", "b: rolled_back"]);
}

#[test]
fn undoing_that_fails_is_tried_again_as_the_step_says_and_after_a_crash_too() {
    let project = Project::new();
    project.steps(
        "
  one:
    retry: { attempts: 500, delay: 20ms, max_delay: 20ms }
    # The kill may come when the next try has begun.
    idempotent: true
    uses: command
    with:
      run: [HELPER, append, DIR/log, do]
      rollback: [HELPER, append, DIR/log, undo, then, has, DIR/mended, 'yes']
",
    );
    project.run(["exec", "steps.yaml"]).code(0);
    let undoing = project.start(["rollback", "steps", "--yes"]);
    undoing.is_told_of("next try in");
    undoing.kill();
    assert_eq!(project.only_run()["status"], "rolling_back");
    let resumed = project.start(["resume", "steps"]);
    resumed.is_told_of("next try in");
    project.write("mended", "yes");
    resumed.wait().code(0).tells("undone");
    let log = project.lines("log");
    assert!(
        log.len() > 3 && log[1..].iter().all(|line| line == "undo"),
        "{log:?}"
    );
    project.run(["journal", "verify", "steps"]).code(0);
}
