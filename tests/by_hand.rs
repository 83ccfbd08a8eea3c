//! Manual work where nobody is asked about it: what is to be done is shown all the same, and who ticked what is kept.

use crate::advice::in_order;
use crate::support::Project;

const STEPS: &str = "
runbook: steps
params: { door: { type: string, default: front } }
steps:
  shut:
    title: Shut the door
    uses: manual
    with:
      instructions: Go to the **${{ params.door }}** door.
      checklist: ['The ${{ params.door }} door is shut', The key is *turned*]
      collect: { key: { type: string, prompt: Which key } }
      rollback: Open the ${{ params.door }} door again.
  other: { needs: shut, uses: site.tell, with: { text: hello } }
";

const TELL: &str = r#"const STEP = #{
    summary: "tells something",
    inputs: #{ text: #{ type: "string", doc: "What" } },
    changes: ["nothing"],
};

// The words of this script.
fn run(input, cx) { log(input.text); }
"#;

fn waiting() -> Project {
    let project = Project::new();
    project.write("steps/tell.rhai", TELL);
    project.write("steps.yaml", STEPS);
    let outcome = project.run(["exec", "steps.yaml"]).code(3);
    shows_the_work(&outcome.stderr);
    project
}

#[track_caller]
fn shows_the_work(text: &str) {
    in_order(
        text,
        &[
            "shut  Shut the door",
            "Go to the front door.",
            "[ ] The front door is shut",
            "[ ] The key is turned",
            "You are asked for: Which key",
            "is waiting: 0 of 2 settled",
        ],
    );
    assert!(!text.contains("Esc: not now"), "nobody is asked:\n{text}");
}

#[test]
fn what_is_to_be_done_and_undone_is_shown_without_a_terminal() {
    let project = waiting();
    shows_the_work(&project.run(["show", "steps"]).code(0).stdout);
    let args = ["confirm", "steps", "shut", "--ticked", "--value", "key=brass"];
    project.run(args).code(0).keeps_quiet_of("Go to the");
    project.run(["resume", "steps"]).code(0);
    let told = project.run(["rollback", "steps"]).code(3);
    in_order(
        &told.stderr,
        &[
            "shut  Shut the door",
            "Open the front door again.",
            "is to be undone by hand",
        ],
    );
    let shown = project.run(["show", "steps"]).code(0);
    let shown = shown.prints("Open the front door again.");
    shown.keeps_quiet_of("[ ]").keeps_quiet_of("You are asked for");
}

#[test]
fn a_report_tells_who_ticked_what_and_what_scripts_said() {
    let project = waiting();
    let args = ["confirm", "steps", "shut", "--ticked", "--value", "key=brass"];
    project.run_as("bob", &args).code(0);
    project.run(["resume", "steps"]).code(0);
    project.run(["rollback", "steps"]).code(3);
    project.run(["confirm", "steps", "shut"]).code(0);
    project.run(["resume", "steps"]).code(0);
    let report = project
        .run(["report", "steps", "--format", "json"])
        .code(0)
        .json();
    let evidence = &report["steps"][0]["evidence"];
    assert_eq!(evidence[0]["operator"], "bob");
    assert_eq!(
        evidence[0]["ticked"],
        serde_json::json!(["The front door is shut", "The key is *turned*"])
    );
    assert_eq!(evidence[1]["operator"], "alice", "who undid it ticked nothing");
    assert_eq!(evidence[1]["ticked"], serde_json::json!([]));
    let file = &report["definition"]["files"][0];
    assert_eq!(
        (&file["name"], &file["text"]),
        (&"steps/tell.rhai".into(), &TELL.into())
    );
    for format in ["html", "md"] {
        let report = project.run(["report", "steps", "--format", format]).code(0);
        in_order(
            &report.stdout,
            &["✓ ", "The front door is shut", "The words of this script."],
        );
    }
}
