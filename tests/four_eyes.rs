//! What is carried out only once others have approved exactly that.

use std::ffi::OsStr;

use serde_json::Value;

use crate::support::{Outcome, Project};

const BOOK: &str = "runbook: steps
roles: { farm: of the farm, board: of the change board }
params: { realm: { type: string, default: contoso } }
steps:
  first: { uses: command, with: { run: [HELPER, append, DIR/log, first] } }
  realm:
    title: Set the realm
    needs: first
    approve: { by: board, min: 2 }
    uses: command
    with: { run: [HELPER, append, DIR/log, 'realm ${{ params.realm }}'] }
";

/// A run of anna's that waits for approval.
fn waiting() -> Project {
    let project = Project::new();
    project.runbook("steps.yaml", BOOK);
    by(&project, "anna", ["exec", "steps.yaml"])
        .code(3)
        .tells("2 people with the role `board` must approve it first")
        .tells("runbook approve steps-");
    assert_eq!(project.lines("log"), ["first"]);
    let show = project.run(["show", "steps"]).code(0);
    show.prints("roles are not enforced");
    project
}

fn by<S: AsRef<OsStr>>(project: &Project, name: &str, args: impl IntoIterator<Item = S>) -> Outcome {
    let mut command = project.command(args);
    command.env("RUNBOOK_OPERATOR", name).output().unwrap().into()
}

fn approve(project: &Project, name: &str) -> Outcome {
    by(project, name, ["approve", "steps", "realm", "--yes"])
}

#[test]
fn what_two_others_have_approved_is_carried_out_as_they_saw_it() {
    let project = waiting();
    approve(&project, "bob")
        .code(0)
        .tells("would be carried out on")
        .tells("realm contoso")
        .tells("must approve it first: bob has");
    approve(&project, "bob")
        .code(2)
        .tells("has your approval already");
    by(&project, "anna", ["resume", "steps"]).code(3);
    assert_eq!(project.lines("log"), ["first"]);
    approve(&project, "eve").code(0).tells("runbook resume steps-");
    by(&project, "anna", ["resume", "steps"]).code(0);
    assert_eq!(project.lines("log"), ["first", "realm contoso"]);
    let log = project.run(["log", "steps"]).code(0);
    log.prints("bob@").prints("`realm` approved");
    project.run(["journal", "verify", "steps"]).code(0);
    let report = project.run(["report", "steps", "--format", "md"]).code(0);
    report.prints("eve").prints("approved");
}

#[test]
fn whoever_starts_a_run_does_not_approve_it_and_is_not_asked() {
    let project = waiting();
    let told = approve(&project, "anna").code(2);
    let told = told.tells("somebody else than who started the run");
    assert!(
        !told.stderr.contains("would be carried out on"),
        "{}",
        told.stderr
    );
}

#[test]
fn nobody_approves_what_they_were_not_shown_and_asked() {
    let project = waiting();
    by(&project, "bob", ["approve", "steps", "realm"])
        .code(2)
        .tells("realm contoso")
        .tells("`--yes` approves what is shown above");
    by(&project, "bob", ["approve", "steps", "realn", "--yes"])
        .code(2)
        .tells("realm");
    by(&project, "bob", ["approve", "steps", "first", "--yes"])
        .code(2)
        .tells("only what the run asks approval for is approved");
}

#[test]
fn what_somebody_rejects_fails_with_the_reason_until_it_is_asked_again() {
    let project = waiting();
    let args = ["reject", "steps", "realm", "--why", "not before the backup"];
    by(&project, "bob", args).code(0).tells("not before the backup");
    assert_eq!(project.only_run()["status"], "failed");
    let again = ["decide", "steps", "realm", "again", "--why", "it is backed up"];
    by(&project, "anna", again);
    by(&project, "anna", ["resume", "steps"]).code(3);
    approve(&project, "bob").code(0);
    approve(&project, "eve").code(0);
    by(&project, "anna", ["resume", "steps"]).code(0);
    assert_eq!(project.lines("log"), ["first", "realm contoso"]);
}

#[test]
fn an_approval_of_something_else_is_void() {
    let project = Project::new();
    let book = BOOK.replace("${{ params.realm }}", "by ${{ run.operator }}");
    project.runbook("steps.yaml", &book);
    by(&project, "anna", ["exec", "steps.yaml"]).code(3);
    approve(&project, "bob").code(0).tells("realm by anna");
    approve(&project, "eve").code(0);
    by(&project, "carl", ["resume", "steps"])
        .code(3)
        .tells("2 people with the role `board` must approve it first");
    assert_eq!(project.lines("log"), ["first"]);
    by(&project, "carl", ["show", "steps"]).code(0);
    approve(&project, "bob").code(0).tells("realm by carl");
}

#[test]
fn the_journal_holds_what_was_approved() {
    let project = waiting();
    let log = project.run(["log", "steps", "--json"]).code(0);
    let entries = log
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let asked = entries
        .into_iter()
        .find(|entry| entry["event"] == "approval_asked")
        .unwrap();
    let what = asked["what"].to_string();
    let hash = openssl::sha::sha256(what.as_bytes());
    let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(asked["subject"], hash);
    assert!(what.contains("realm contoso"), "{what}");
}

#[test]
fn only_the_board_approves_where_a_team_says_who_that_is() {
    let project = Project::new();
    project.runbook("steps.yaml", BOOK);
    project.write(
        "operators.yaml",
        "operators:
  - { name: anna, roles: farm }
  - { name: bob, roles: board }
  - { name: eve, roles: [farm, board] }
  - { name: mallory, roles: farm }
",
    );
    by(&project, "anna", ["exec", "steps.yaml"]).code(3);
    approve(&project, "mallory")
        .code(2)
        .tells("RB0506")
        .tells("`realm` asks for the role `board`, which `mallory` does not have")
        .tells("`bob`, `eve` may");
    approve(&project, "bob").code(0);
    approve(&project, "eve").code(0);
    by(&project, "anna", ["resume", "steps"]).code(0);
    assert_eq!(project.lines("log"), ["first", "realm contoso"]);
}

#[test]
fn a_rehearsal_asks_nobody() {
    let project = Project::new();
    project.runbook("steps.yaml", BOOK);
    by(&project, "anna", ["exec", "steps.yaml", "--rehearse"]).code(0);
}
