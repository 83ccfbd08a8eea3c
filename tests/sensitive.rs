//! Sensitive outputs: handed on within a run, and never kept.

use crate::secrets::{CANARY, absent, unheard, unkept};
use crate::support::{Outcome, Project, until};

/// One step makes a secret, as a system gives one out once, and another uses it.
fn project(more: &str) -> Project {
    let project = Project::new();
    // It stands in no folder that the test looks at for secrets.
    project.write("system/secret", CANARY);
    project.runbook(
        "steps.yaml",
        &format!(
            "
runbook: steps
steps:
  make:
    sensitive: stdout
    uses: command
    with:
      run: [HELPER, complain-file, DIR/system/secret, then, print-file, DIR/system/secret, then, append, DIR/log, make]
      {more}
  gate: {{ needs: make, uses: command, with: {{ run: [HELPER, write, DIR/ready, x, then, until, DIR/go] }}, idempotent: true }}
  use:
    needs: gate
    uses: command
    with:
      stdin: '${{{{ steps.make.outputs.stdout }}}}'
      run: [HELPER, save-input, DIR/got]
"
        ),
    );
    project
}

#[track_caller]
fn is_nowhere(project: &Project) {
    for args in [
        &["show", "steps"][..],
        &["show", "steps", "--json"],
        &["log", "steps"],
        &["log", "steps", "--json"],
        &["journal", "verify", "steps"],
    ] {
        unheard(&project.run(args), &args.join(" "));
    }
    unkept(project);
}

#[track_caller]
fn was_handed_on(project: &Project) {
    assert_eq!(project.read("got").as_deref(), Some(CANARY));
    is_nowhere(project);
}

#[test]
fn a_sensitive_output_is_handed_on_and_kept_nowhere() {
    let project = project("");
    project.write("go", "");
    for args in [
        &["exec", "steps.yaml", "-vvv"][..],
        &["exec", "steps.yaml", "--json"],
    ] {
        let outcome = project.run(args).code(0);
        unheard(&outcome, "exec");
        assert_eq!(project.read("got").as_deref(), Some(CANARY));
    }
    for run in project.run(["list", "--json"]).json().as_array().unwrap() {
        let id = run["run"].as_str().unwrap();
        let shown = project.show(id);
        assert_eq!(shown["steps"][0]["outputs"]["stdout"], "******");
        let log = project.run(["log", id]).code(0);
        assert!(log.stdout.contains("are not kept"), "{}", log.stdout);
    }
    unkept(&project);
}

/// The run is killed after the secret was made.
fn killed(project: &Project) {
    let running = project.start(["exec", "steps.yaml"]);
    until("the secret is made", || project.has("ready"));
    running.kill();
    project.write("go", "");
}

#[test]
fn what_was_not_kept_is_asked_for_when_a_later_step_needs_it() {
    let project = project("");
    killed(&project);
    is_nowhere(&project);
    project
        .run(["resume", "steps"])
        .code(3)
        .tells("RB0108")
        .tells("`use` needs the secret `make.stdout`")
        .tells("is never kept")
        .tells("RUNBOOK_SECRET_MAKE_STDOUT");
    assert!(!project.has("got"));
    let resumed: Outcome = project
        .command(["resume", "steps"])
        .env("RUNBOOK_SECRET_MAKE_STDOUT", CANARY)
        .output()
        .unwrap()
        .into();
    unheard(&resumed.code(0), "resume");
    was_handed_on(&project);
    assert_eq!(project.lines("log"), ["make"], "it was made once");
}

#[test]
fn a_step_that_can_look_is_asked_for_it_first() {
    let project = project("validate: [HELPER, exists, DIR/log, then, print-file, DIR/system/secret]");
    killed(&project);
    unheard(&project.run(["resume", "steps"]).code(0), "resume");
    was_handed_on(&project);
    assert_eq!(project.lines("log"), ["make"], "it was made once");
}

#[test]
fn where_nobody_knows_it_the_step_gives_it_anew() {
    let project = project("rollback: [HELPER, append, DIR/log, unmake]");
    killed(&project);
    project
        .run(["resume", "steps"])
        .code(3)
        .tells("runbook rollback steps-")
        .tells("runbook decide steps-");
    project
        .run(["rollback", "steps", "--step", "make", "--yes"])
        .code(0);
    project
        .run(["decide", "steps", "make", "again", "--why", "its secret was lost"])
        .code(0);
    project.run(["resume", "steps"]).code(0);
    was_handed_on(&project);
    assert_eq!(project.lines("log"), ["make", "unmake", "make"]);
}

#[test]
fn a_sensitive_value_that_a_person_enters_is_not_kept_either() {
    let project = Project::new();
    project.runbook(
        "steps.yaml",
        "
runbook: steps
steps:
  ask:
    sensitive: password
    uses: manual
    with: { instructions: Set a password., collect: { password: { type: string } } }
  use: { needs: ask, uses: command, with: { stdin: '${{ steps.ask.outputs.password }}', run: [HELPER, save-input, DIR/got] } }
",
    );
    project.run(["exec", "steps.yaml"]).code(3);
    // Whoever confirms from elsewhere takes it along; it is given again to whoever goes on.
    project
        .run([
            "confirm",
            "steps",
            "ask",
            "--value",
            &format!("password={CANARY}"),
        ])
        .code(0);
    is_nowhere(&project);
    let resumed: Outcome = project
        .command(["resume", "steps"])
        .env("RUNBOOK_SECRET_ASK_PASSWORD", CANARY)
        .output()
        .unwrap()
        .into();
    unheard(&resumed.code(0), "resume");
    was_handed_on(&project);
}

#[test]
fn a_sensitive_output_that_is_named_in_arguments_is_an_error() {
    let project = Project::new();
    project.steps(
        "  make: { sensitive: stdout, uses: command, with: { run: [HELPER, say, x], rollback: [HELPER, say, '${{ outputs.stdout }}'] } }
  use: { needs: make, uses: command, with: { run: [HELPER, say, '${{ steps.make.outputs.stdout }}'] } }
",
    );
    let told = project.run(["check", "steps.yaml"]).code(2).stderr;
    assert_eq!(told.matches("error[RB0104]").count(), 2, "{told}");
    absent(told.as_bytes(), "check");
}
