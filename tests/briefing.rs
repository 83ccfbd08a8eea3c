//! What somebody who takes a run up is told first.

use crate::support::{Outcome, Project, until};

/// A step that needs a secret and is cut off while it is carried out; whether it took effect can be seen, or not.
fn cut_off(validate: &str) -> Project {
    let project = Project::new();
    let text = "
runbook: steps
params: { token: { type: secret } }
steps:
  first: { title: First of all, uses: command, with: { run: [HELPER, append, DIR/log, first] } }
  use:
    title: Use the token
    needs: first
    uses: command
    with: { VALIDATE run: [HELPER, write, DIR/began, x, then, until, DIR/go], stdin: '${{ params.token }}' }
  last: { title: Last of all, needs: use, uses: command, with: { run: [HELPER, append, DIR/log, last] } }
";
    project.runbook("steps.yaml", &text.replace("VALIDATE", validate));
    let mut command = project.command(["exec", "steps.yaml"]);
    command.env("RUNBOOK_SECRET_TOKEN", "a secret of the farm");
    let running = crate::support::Running::of(command);
    until("the step has begun", || project.has("began"));
    running.kill();
    // What it had started ends by itself, and is not waited for.
    project.write("go", "");
    project
}

/// The line of the briefing that begins with this word.
#[track_caller]
fn line(outcome: &Outcome, word: &str) -> String {
    let lines: Vec<&str> = outcome.stderr.lines().collect();
    let found = lines.iter().position(|line| line.contains(word));
    let at = found.unwrap_or_else(|| panic!("nothing is `{word}`:\n{}", outcome.stderr));
    let rest = lines[at + 1..]
        .iter()
        .take_while(|line| line.starts_with("       "));
    std::iter::once(&lines[at])
        .chain(rest)
        .map(|line| line.trim())
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn what_is_in_doubt_is_named_however_often_its_secret_is_not_given() {
    let project = cut_off("validate: [HELPER, end, '1'],");
    for _ in 0..3 {
        let outcome = project.run(["resume", "steps"]).code(3).tells("RB0108");
        assert!(line(&outcome, "✓ done").contains("1 of 3; last `first`"));
        let doubt = line(&outcome, "? in doubt");
        assert!(doubt.contains("`use` was being carried out since"), "{doubt}");
        assert!(doubt.ends_with("it is looked at first"), "{doubt}");
        let next = line(&outcome, "▸ next");
        assert!(
            next.contains("`last`: Last of all (once that is settled)"),
            "{next}"
        );
        let told = &outcome.stderr;
        assert!(told.find("? in doubt") < told.find("RB0108"), "{told}");
    }
}

#[test]
fn what_a_person_must_say_is_in_doubt_and_is_not_told_as_work() {
    let project = cut_off("");
    project.run(["resume", "steps"]).code(4);
    let outcome = project.run(["resume", "steps"]).code(4);
    let doubt = line(&outcome, "? in doubt");
    assert!(
        doubt.contains("`use`: nobody knows whether it took effect, and you have to say"),
        "{doubt}"
    );
    assert!(!outcome.stderr.contains("! waiting"), "{}", outcome.stderr);
}

#[test]
fn a_rollback_that_was_cut_off_tells_what_is_undone_next() {
    let project = Project::new();
    project.steps(
        "
  a: { uses: command, with: { run: [HELPER, append, DIR/log, a], rollback: [HELPER, append, DIR/log, undo-a] } }
  b:
    needs: a
    uses: command
    with: { run: [HELPER, append, DIR/log, b], rollback: [HELPER, write, DIR/began, x, then, until, DIR/go] }
",
    );
    project.run(["exec", "steps.yaml"]).code(0);
    let running = project.start(["rollback", "steps", "--yes"]);
    until("undoing has begun", || project.has("began"));
    running.kill();
    project.write("go", "");
    let outcome = project.run(["resume", "steps"]).code(4);
    let doubt = line(&outcome, "? in doubt");
    assert!(doubt.contains("`b` was being undone since"), "{doubt}");
    assert!(line(&outcome, "◂ next").ends_with("to undo, in this order: `b`, `a`"));
    assert!(
        line(&outcome, "◂ undone").ends_with("0 of 2 undone"),
        "of the undoing, and not of the work before it: {}",
        outcome.stderr
    );
}
