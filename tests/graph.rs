//! Pictures of a runbook's graph, and of where a run of it stands.

use crate::support::Project;

const RUNBOOK: &str = "runbook: picture
steps:
  first: { uses: manual, with: { instructions: Look. }, rehearse: { satisfied: true } }
  left: { needs: [first], uses: manual, with: { instructions: Look. } }
  right: { needs: [first], title: The other way, uses: manual, with: { instructions: Look. } }
  last: { needs: [left, right], uses: manual, with: { instructions: Look. } }
";

#[test]
fn a_picture_needs_no_run() {
    let project = Project::new();
    project.write("picture.yaml", RUNBOOK);
    let outcome = project.run(["check", "picture.yaml", "--graph"]).code(0);
    insta::assert_snapshot!(outcome.stdout);
    assert!(!project.has("state"), "nothing is touched");
}

#[test]
fn a_picture_of_a_run_shows_where_it_stands() {
    let project = Project::new();
    project.write("picture.yaml", RUNBOOK);
    let fault = ["exec", "picture.yaml", "--rehearse", "--rehearse-fail", "right"];
    project.run(fault).code(1);
    let run = project.run_name();
    let text = project.run(["show", &run, "--graph"]).code(0);
    insta::assert_snapshot!(text.stdout);
    let dot = project.run(["show", &run, "--graph", "dot"]).code(0);
    assert!(dot.stdout.contains("✗ right"), "{}", dot.stdout);
}
