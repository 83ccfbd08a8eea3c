//! A run whose runbook was wrong goes on by another one.

use serde_json::json;

use crate::support::{Outcome, Project, until};

const STEPS: &str = "
  pack: { uses: command, with: { run: [HELPER, append, DIR/log, pack], rollback: [HELPER, append, DIR/log, unpacked] } }
  ship: { needs: pack, uses: command, with: { run: [HELPER, end, 1] } }
  hand: { needs: ship, uses: manual, with: { instructions: Open the boxes. } }
";

fn amend(project: &Project, more: &[&str]) -> Outcome {
    let args = ["amend", "steps", "steps.yaml", "--why", "the truck was wrong"];
    project.run([&args, more].concat())
}

/// A run whose second step has failed, and a runbook in which that is mended.
fn failed() -> Project {
    let project = Project::new();
    project.steps(STEPS);
    project.run(["exec", "steps.yaml"]).code(1);
    project.steps(&STEPS.replace("HELPER, end, 1", "HELPER, append, DIR/log, ship"));
    project
}

#[test]
fn what_failed_is_mended_and_the_run_goes_on() {
    let project = failed();
    amend(&project, &["--yes"])
        .code(0)
        .tells("-  ship: { needs: pack,")
        .tells("+  ship: { needs: pack,")
        .tells("~ ship  changed: with")
        .tells("alice amended the run: the truck was wrong");
    project
        .run(["show", "steps"])
        .code(0)
        .prints("amended by alice at ");
    project
        .run(["decide", "steps", "ship", "again", "--why", "mended"])
        .code(0);
    project.run(["resume", "steps"]).code(3).tells("Open the boxes.");
    assert_eq!(project.lines("log"), ["pack", "ship"]);
    let entry = project
        .events("steps")
        .into_iter()
        .find(|entry| entry["event"] == "amended")
        .unwrap();
    assert_eq!(entry["operator"], "alice");
    assert_eq!(
        entry["revisions"],
        json!([{ "of": "step", "name": "ship", "act": { "changed": { "fields": ["with"] } } }])
    );
    project.run(["journal", "verify", "steps"]).code(0);
    let report = project.run(["report", "steps", "--format", "md"]).code(0);
    report.prints("run amended (ship changed: with): the truck was wrong");
    project.run(["export", "steps", "-o", "steps.bundle"]).code(0);
    project.run(["journal", "verify", "steps.bundle"]).code(0);
}

#[test]
fn nobody_is_asked_where_nobody_is_and_nothing_happens() {
    let project = failed();
    amend(&project, &[])
        .code(2)
        .tells("~ ship  changed: with")
        .tells("`--yes` amends it");
    assert!(
        project
            .events("steps")
            .iter()
            .all(|entry| entry["event"] != "amended")
    );
}

#[test]
fn what_is_done_stays_as_it_was() {
    let project = failed();
    project.steps(&STEPS.replace("DIR/log, pack", "DIR/log, wrap"));
    amend(&project, &["--yes"])
        .code(2)
        .tells("`pack` is done, in part at least: its `with` cannot change")
        .tells("undo this one first: `runbook rollback steps-");
    project
        .run(["rollback", "steps", "--step", "pack", "--yes"])
        .code(0);
    amend(&project, &["--yes"]).code(0);
    for step in ["pack", "ship"] {
        let again = ["decide", "steps", step, "again", "--why", "as it is now"];
        project.run(again).code(0);
    }
    project.run(["resume", "steps"]).code(1);
    assert_eq!(project.lines("log"), ["pack", "unpacked", "wrap"]);
}

#[test]
fn steps_and_parameters_come_and_go() {
    let project = failed();
    let book = "runbook: steps
params: { to: { type: string, prompt: Where to } }
steps:
  pack: { uses: command, with: { run: [HELPER, append, DIR/log, pack], rollback: [HELPER, append, DIR/log, unpacked] } }
  load: { needs: pack, uses: command, with: { run: [HELPER, append, DIR/log, '${{ params.to }}'] } }
  ship: { needs: [pack, load], uses: command, with: { run: [HELPER, append, DIR/log, ship] } }
";
    project.runbook("steps.yaml", book);
    amend(&project, &["--yes"])
        .code(2)
        .tells("the parameter `to` has no value (Where to)");
    amend(&project, &["--yes", "--set", "to=berlin"])
        .code(0)
        .tells("+ params.to  added")
        .tells("+ load       added")
        .tells("~ ship       changed: needs, with")
        .tells("- hand       taken away");
    project
        .run(["decide", "steps", "ship", "again", "--why", "mended"])
        .code(0);
    project.run(["resume", "steps"]).code(0);
    assert_eq!(project.lines("log"), ["pack", "berlin", "ship"]);
    amend(&project, &["--yes"])
        .code(2)
        .tells("the run is completed, so it cannot be amended");
}

#[test]
fn a_parameter_that_the_run_has_stays() {
    let project = Project::new();
    let book = "runbook: steps
params: { to: { type: string } }
steps:
  hand: { uses: manual, with: { instructions: 'Drive to ${{ params.to }}.' } }
";
    project.runbook("steps.yaml", book);
    project.run(["exec", "steps.yaml", "--set", "to=berlin"]).code(3);
    project.runbook("steps.yaml", &book.replace("Drive", "Walk"));
    amend(&project, &["--yes", "--set", "to=rome"])
        .code(2)
        .tells("the run has a value for the parameter `to`, which stays as it is");
    amend(&project, &["--yes"]).code(0);
    project.run(["resume", "steps"]).code(3).tells("Walk to berlin.");
}

#[test]
fn a_run_that_is_carried_out_is_amended_from_a_second_terminal() {
    let project = Project::new();
    let steps = "
  slow: { uses: command, with: { run: [HELPER, append, DIR/log, begun, then, until, DIR/go] } }
  again: { uses: command, retry: { attempts: 100, delay: 10m }, with: { run: [HELPER, end, 1] } }
";
    project.steps(steps);
    let running = project.start(["exec", "steps.yaml"]);
    running.is_told_of("next try in");
    until("the step is under way", || project.has("log"));
    project.steps(&steps.replace("HELPER, end, 1", "HELPER, append, DIR/log, mended"));
    let amend = ["amend", "steps", "steps.yaml", "--why", "a slip", "--yes"];
    project
        .run_as("bob", &amend)
        .code(2)
        .tells("the run is being carried out, so it cannot be amended");
    project.write("go", "");
    running.is_told_of("done (");
    project
        .run_as("bob", &amend)
        .code(0)
        .tells("the run is carried out by alice on ");
    running.is_told_of("bob amended the run: a slip");
    running.wait().code(0);
    assert_eq!(project.lines("log"), ["begun", "mended"]);
}

#[test]
fn whoever_is_being_asked_is_asked_anew() {
    let project = Project::new();
    let steps = "\n  hand: { uses: manual, with: { instructions: Look left. } }\n";
    project.steps(steps);
    let mut terminal = project.at_terminal(80, &["exec", "steps.yaml"]);
    terminal.shows("Look left.");
    project.steps(&steps.replace("left", "right"));
    let amend = ["amend", "steps", "steps.yaml", "--why", "a slip", "--yes"];
    project.run_as("bob", &amend).code(0);
    terminal.shows("bob amended the run: a slip");
    terminal.shows("Look right.");
    terminal.kills();
}

#[test]
fn the_steps_of_somebody_else_are_not_amended() {
    let project = Project::new();
    let operators = "operators: [{ name: alice, roles: [farm] }, { name: bob, roles: [farm, tenant] }]";
    project.write("operators.yaml", operators);
    let book = "runbook: steps
roles: { farm: of the farm, tenant: of the tenant }
steps:
  here: { role: farm, uses: manual, with: { instructions: Look here. } }
  there: { needs: here, role: tenant, uses: manual, with: { instructions: Look there. } }
";
    project.runbook("steps.yaml", book);
    project.run(["exec", "steps.yaml"]).code(3);
    project.runbook("steps.yaml", &book.replace("Look there", "Look away"));
    amend(&project, &["--yes"])
        .code(2)
        .tells("`there` asks for the role `tenant`, which `alice` does not have")
        .tells("`bob` may");
    project
        .run_as("bob", &["amend", "steps", "steps.yaml", "--why", "so", "--yes"])
        .code(0);
}

#[test]
fn another_runbook_is_no_amendment() {
    let project = failed();
    project.runbook(
        "other.yaml",
        "runbook: other\nsteps: { a: { uses: manual, with: { instructions: Look. } } }",
    );
    project
        .run(["amend", "steps", "other.yaml", "--why", "so", "--yes"])
        .code(2)
        .tells("the run is of the runbook `steps`, and `other.yaml` is `other`");
}
