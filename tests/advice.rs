//! What a person is told to do next fits where the run stands.

use crate::support::{Project, until};

const BROKEN: &str = r#"const STEP = #{
    summary: "breaks",
    inputs: #{ size: #{ type: "integer", doc: "How large" } },
    changes: ["nothing"],
};

fn run(input, cx) {
    if input.size > 5 { throw "the disk is too small"; }
    let x = input.size;
    x.nothing.there
}
"#;

const STEPS: &str = "
runbook: steps
params: { size: { type: integer, default: 3 } }
steps:
  fine: { uses: command, with: { run: [HELPER, append, DIR/log, fine], rollback: [HELPER, append, DIR/log, undo] } }
  bad: { needs: fine, uses: site.broken, with: { size: '${{ params.size }}' } }
";

fn broken() -> Project {
    let project = Project::new();
    project.write("steps/broken.rhai", BROKEN);
    project.runbook("steps.yaml", STEPS);
    project
}

/// The places of these texts, one after the other.
#[track_caller]
pub(crate) fn in_order(text: &str, parts: &[&str]) {
    let places: Vec<Option<usize>> = parts.iter().map(|part| text.find(part)).collect();
    assert!(
        places.iter().all(Option::is_some) && places.is_sorted(),
        "{places:?} of {parts:?} in:\n{text}"
    );
}

#[test]
fn a_mistake_that_the_run_keeps_is_mended_and_the_advice_works() {
    let project = broken();
    let outcome = project.run(["exec", "steps.yaml"]).code(1);
    let run = project.run_name();
    let amend = format!("runbook amend {run} steps.yaml --why TEXT");
    let anew = format!("runbook exec steps.yaml --like {run}");
    in_order(
        &outcome.stderr,
        &[
            "mend the script in its file, then amend the run",
            "`bad`: the script failed",
            "trying again does not help",
            &amend,
            "then, or if something else was wrong",
            "to go on after that",
            &format!("runbook rollback {run}"),
            &anew,
        ],
    );
    outcome.keeps_quiet_of("once the cause is mended");
    project.write("steps/broken.rhai", &BROKEN.replace("x.nothing.there", "#{}"));
    let amended = project
        .run(["amend", &run, "steps.yaml", "--why", "a slip", "--yes"])
        .code(0);
    amended.tells("~ bad  changed: steps/broken.rhai");
    project
        .run(["decide", &run, "bad", "again", "--why", "mended"])
        .code(0);
    project.run(["resume", &run]).code(0);
    project.run(["rollback", &run, "--yes"]).code(0);
    project.run(["exec", "steps.yaml", "--like", &run]).code(0);
    assert_eq!(project.lines("log"), ["fine", "undo", "fine"]);
}

#[test]
fn what_may_be_mended_outside_is_tried_again() {
    let project = broken();
    let outcome = project.run(["exec", "steps.yaml", "-p", "size=7"]).code(1);
    in_order(
        &outcome.stderr,
        &[
            "`bad`: the disk is too small",
            "`bad`: the script failed",
            "first, if the runbook is wrong",
            "once the cause is mended",
            "to go on after that",
            "or to undo what was done",
            "after that, for another parameter",
        ],
    );
    outcome.keeps_quiet_of("trying again does not help");
}

#[test]
fn whoever_looks_at_a_run_that_is_held_is_not_told_to_resume_it() {
    let project = Project::new();
    project.steps(
        "
  slow: { uses: command, with: { run: [HELPER, append, DIR/log, begun, then, until, DIR/go] } }
  hand: { uses: manual, with: { instructions: Look. } }
",
    );
    let running = project.start(["exec", "steps.yaml"]);
    until("both are under way", || {
        project.has("log") && project.statuses("steps")[1] == "hand: waiting"
    });
    let run = project.run_name();
    let shown = project.run(["show", "steps"]).code(0);
    in_order(
        &shown.stdout,
        &[
            "carried out now by alice",
            &format!("runbook confirm {run} hand"),
            &format!("runbook log {run} --follow"),
        ],
    );
    shown.keeps_quiet_of("runbook resume");
    project
        .run_as("bob", &["confirm", "steps", "hand"])
        .code(0)
        .tells("--follow")
        .keeps_quiet_of("runbook resume");
    project
        .run(["resume", "steps"])
        .code(5)
        .tells("RB0403")
        .tells("log steps --follow")
        .keeps_quiet_of("runbook resume");
    project.write("go", "");
    running.wait().code(0);
}

#[test]
fn a_reason_is_one() {
    let project = Project::new();
    project.steps("  hand: { uses: manual, with: { instructions: Look. } }\n");
    project.run(["exec", "steps.yaml"]).code(3);
    for args in [
        &["decide", "steps", "hand", "skip"][..],
        &["cancel", "steps"],
        &["rollback", "steps", "--yes"],
    ] {
        for why in ["", "  ", "\t\n"] {
            let args = [args, &["--why", why]].concat();
            project.run(&args).code(2).tells("say why");
        }
    }
    assert_eq!(project.only_run()["status"], "waiting");
    project
        .run(["decide", "steps", "hand", "skip", "--why", " not here "])
        .code(0);
    let decided = project
        .events("steps")
        .into_iter()
        .find(|one| one["event"] == "decided");
    assert_eq!(decided.unwrap()["why"], "not here");
}

#[test]
fn nobody_is_waited_for_in_a_run_that_was_undone_or_cancelled() {
    for end in [
        &["rollback", "steps", "--yes"][..],
        &["cancel", "steps", "--why", "enough"],
    ] {
        let project = Project::new();
        project.steps(
            "
  a: { uses: command, with: { run: [HELPER, append, DIR/log, a], rollback: [HELPER, append, DIR/log, undo-a] } }
  hand: { needs: a, uses: manual, with: { instructions: Look. } }
",
        );
        project.run(["exec", "steps.yaml"]).code(3);
        project.run(["show", "steps"]).prints("a person must do it");
        project.run(end).code(0);
        project
            .run(["show", "steps"])
            .code(0)
            .keeps_quiet_of("a person must")
            .keeps_quiet_of("waiting");
    }
}

#[test]
fn whether_it_took_effect_or_may_be_repeated_is_told_apart() {
    let project = Project::new();
    project.steps(
        "
  looks:
    uses: command
    with: { validate: [HELPER, exists, DIR/looked], run: [HELPER, write, DIR/looked, x] }
  repeats: { idempotent: true, uses: command, with: { run: [HELPER, append, DIR/log, repeats] } }
",
    );
    let args = ["--rehearse", "--rehearse-interrupt", "looks"];
    project
        .run(["exec", "steps.yaml"].iter().chain(&args))
        .code(0)
        .tells("what was interrupted had not taken effect: trying again");
    project.steps(
        "
  repeats:
    idempotent: true
    uses: command
    with: { run: [HELPER, append, DIR/log, x, then, until, DIR/go] }
",
    );
    let running = project.start(["exec", "steps.yaml", "--jobs", "3"]);
    until("it is under way", || project.has("log"));
    running.kill();
    project.write("go", "");
    let runs = project.run(["list", "--json"]).json();
    let run = runs
        .as_array()
        .unwrap()
        .iter()
        .find(|run| run["rehearsal"] == false);
    let run = run.unwrap()["name"].as_str().unwrap().to_owned();
    project
        .run(["resume", &run])
        .code(0)
        .tells("nobody can tell whether it took effect, but it may be repeated: trying again");
}
