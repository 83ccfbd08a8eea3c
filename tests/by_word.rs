//! What a person declared done is told apart from what the program saw, wherever it is shown, with who and why.

use serde_json::json;

use crate::support::Project;

const STEPS: &str = "
  put: { title: Put it there, on_failure: continue, uses: command, with: { run: [HELPER, end, '1'], rollback: [HELPER, say, back] } }
  then: { title: Look, needs: put, uses: command, with: { run: [HELPER, append, DIR/log, looked] } }
";

const WHY: &str = "I did it with the console";

/// A run whose first step failed, and was done by bob.
fn declared() -> Project {
    let project = Project::new();
    project.steps(STEPS);
    project.run(["exec", "steps.yaml"]).code(1);
    project
        .run_as("bob", &["decide", "steps", "put", "done", "--why", WHY])
        .code(0);
    project
}

#[test]
fn what_is_done_by_somebodys_word_says_so() {
    let project = declared();
    project
        .run(["resume", "steps"])
        .code(0)
        .tells("by somebody's word alone: `put`");
    assert_eq!(project.lines("log"), ["looked"]);
    project
        .run(["show", "steps"])
        .code(0)
        .prints("put   declared done")
        .prints("bob said so: I did it with the console")
        .prints("then  succeeded");
    let shown = project.run(["show", "steps", "--json"]).code(0).json();
    assert_eq!(shown["steps"][0]["status"], "succeeded");
    let said = &shown["steps"][0]["declared"];
    assert_eq!((&said["operator"], &said["why"]), (&json!("bob"), &json!(WHY)));
    assert_eq!(shown["steps"][1]["declared"], json!(null));
    project.run(["list"]).code(0).prints("alice, 1 step by word");
    assert_eq!(project.only_run()["by_word"], 1);
    let report = |format| {
        project
            .run(["report", "steps", "--format", format])
            .code(0)
            .stdout
    };
    let (markdown, html) = (report("md"), report("html"));
    assert!(
        markdown.contains("put: Put it there (declared done)"),
        "{markdown}"
    );
    assert!(markdown.contains("1 succeeded, 1 declared done"), "{markdown}");
    assert!(html.contains("declared done"), "{html}");
    let report: serde_json::Value = serde_json::from_str(&report("json")).unwrap();
    assert_eq!(report["steps"][0]["declared"]["operator"], "bob");
    assert_eq!(report["steps"][1]["declared"], json!(null));
}

#[test]
fn a_word_counts_no_longer_than_the_program_knows_no_better() {
    let project = declared();
    project.run(["resume", "steps"]).code(0);
    project.run(["rollback", "steps", "--yes"]).code(0);
    let shown = project.run(["show", "steps", "--json"]).code(0).json();
    assert_eq!(
        (&shown["steps"][0]["status"], &shown["steps"][0]["declared"]),
        (&json!("rolled_back"), &json!(null))
    );
    assert_eq!(project.only_run()["by_word"], json!(null));
}

#[test]
fn what_was_undone_by_hand_says_so_too() {
    let project = Project::new();
    project
        .steps("  put: { uses: command, with: { run: [HELPER, say, put], rollback: [HELPER, end, '1'] } }\n");
    project.run(["exec", "steps.yaml"]).code(0);
    project.run(["rollback", "steps", "--yes"]).code(1);
    project
        .run_as("bob", &["decide", "steps", "put", "done", "--why", WHY])
        .code(0);
    project
        .run(["show", "steps"])
        .code(0)
        .prints("declared undone")
        .prints("bob said so");
}

#[test]
fn the_live_view_tells_it_apart() {
    let project = Project::new();
    let slow = "  slow: { uses: command, with: { run: [HELPER, until, DIR/go] } }\n";
    project.steps(&format!("{STEPS}{slow}"));
    let mut terminal = project.at_terminal(100, &["exec", "steps.yaml", "--jobs", "1"]);
    terminal.shows("1 failed");
    project
        .run_as("bob", &["decide", "steps", "put", "done", "--why", WHY])
        .code(0);
    terminal.shows("declared done");
    terminal.shows("bob said so: I did it with the console");
    project.write("go", "");
    let (code, screen) = terminal.ends();
    assert_eq!(code, 0, "{screen}");
}

#[test]
fn a_step_that_turns_out_to_be_in_place_once_it_is_to_be_tried_again_gets_its_line() {
    let project = Project::new();
    project.steps(
        "  put: { title: Put it there, uses: command, with: { run: [HELPER, end, '1'], validate: [HELPER, exists, DIR/it] } }\n",
    );
    project.run(["exec", "steps.yaml"]).code(1);
    project.write("it", "");
    project
        .run(["decide", "steps", "put", "again", "--why", "somebody else did it"])
        .code(0);
    project
        .run(["resume", "steps"])
        .code(0)
        .tells("= put  in place already: Put it there");
}
