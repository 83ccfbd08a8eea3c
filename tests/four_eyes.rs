//! What is carried out only once others have approved exactly that.

use std::ffi::OsStr;

use serde_json::Value;

use crate::support::{Outcome, Project, until};

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

/// Whoever approved by mistake says no, as they would have before; who has approved is told until the step begins.
#[test]
fn an_approval_is_taken_back_until_the_step_begins() {
    let project = waiting();
    approve(&project, "bob").code(0);
    approve(&project, "eve").code(0);
    project
        .run(["show", "steps"])
        .code(0)
        .prints("approved by bob, eve");
    by(
        &project,
        "eve",
        ["reject", "steps", "realm", "--why", "the wrong farm"],
    )
    .code(0);
    by(&project, "anna", ["resume", "steps"])
        .code(3)
        .tells("2 people with the role `board` must approve it first: bob has");
    assert_eq!(project.lines("log"), ["first"]);
    let log = project.run(["log", "steps"]).code(0);
    log.prints("`realm` approval taken back: the wrong farm");
    approve(&project, "eve")
        .code(0)
        .tells("by somebody who has not approved it");
    by(&project, "eve", ["resume", "steps"])
        .code(3)
        .tells("eve (which does not count, since eve carries the run out)");
    by(&project, "anna", ["resume", "steps"]).code(0);
    by(&project, "eve", ["reject", "steps", "realm", "--why", "too late"])
        .code(2)
        .tells("an approval is taken back before its step begins");
}

/// An approval after a crash is no taking up: whoever gives it does not carry the run out.
#[test]
fn a_run_that_was_cut_off_is_approved_before_anybody_resumes() {
    let project = Project::new();
    project.runbook(
        "steps.yaml",
        "runbook: steps
steps:
  asked: { approve: { not: [starter, executor] }, uses: command, with: { run: [HELPER, append, DIR/log, asked] } }
  slow: { uses: command, with: { run: [HELPER, write, DIR/began, x, then, until, DIR/go] } }
",
    );
    let running = project.start(["exec", "steps.yaml"]);
    until("it waits and works", || {
        project.has("began") && project.show("steps")["status"] == "running"
    });
    until("it is asked for", || {
        project.statuses("steps").contains(&"asked: waiting".to_owned())
    });
    running.kill();
    project.write("go", "");
    by(&project, "bob", ["approve", "steps", "asked", "--yes"]).code(0);
    project
        .run(["decide", "steps", "slow", "done", "--why", "so"])
        .code(0);
    project.run(["resume", "steps"]).code(0);
    assert_eq!(project.lines("log"), ["asked"]);
}

#[test]
fn that_roles_are_not_enforced_is_told_wherever_somebody_could_rely_on_them() {
    let project = waiting();
    let told = "roles are not enforced: there is no operators.yaml beside the runbook";
    project.run(["check", "steps.yaml"]).code(0).tells(told);
    project.run(["plan", "steps.yaml"]).code(0).tells(told);
    by(&project, "anna", ["exec", "steps.yaml", "--rehearse"])
        .code(0)
        .tells(told);
}

#[test]
fn the_report_tells_what_was_to_be_approved_by_whom_and_how_long_that_took() {
    let project = waiting();
    let report = project
        .run(["report", "steps", "--format", "json"])
        .code(0)
        .json();
    let step = &report["steps"][1];
    assert_eq!(step["approval"]["role"], "board", "{step}");
    assert_eq!(step["approval"]["min"], 2);
    assert!(
        step["approval"]["what"]["with"]["run"]
            .to_string()
            .contains("realm contoso")
    );
    assert!(step["waited"].is_i64(), "{step}");
    let page = project.run(["report", "steps", "--format", "md"]).code(0);
    page.prints("roles are not enforced")
        .prints("To be approved by: 2 people with the role board")
        .prints("Waited for a person")
        .prints("for \\`board\\`: waits for approval");
}
