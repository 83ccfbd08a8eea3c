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
    let told = project.run(["rollback", "steps", "--yes"]).code(3);
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
    project.run(["rollback", "steps", "--yes"]).code(3);
    project.run(["confirm", "steps", "shut"]).code(0);
    project.run(["resume", "steps"]).code(0);
    let report = project
        .run(["report", "steps", "--format", "json"])
        .code(0)
        .json();
    let evidence = &report["steps"][0]["evidence"];
    assert_eq!(evidence[0]["operator"], "bob");
    let ticked = |at: usize| {
        (
            &evidence[0]["ticked"][at]["item"],
            &evidence[0]["ticked"][at]["operator"],
        )
    };
    assert_eq!(ticked(0), (&"The front door is shut".into(), &"bob".into()));
    assert_eq!(ticked(1), (&"The key is *turned*".into(), &"bob".into()));
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

#[test]
fn each_item_that_is_ticked_off_is_kept_at_once_whoever_goes_on() {
    let project = waiting();
    let ticks = |project: &Project| {
        let events = project.events("steps").into_iter();
        let ticks = events.filter(|one| one["event"] == "ticked");
        ticks
            .map(|one| {
                format!(
                    "{} {} {}",
                    one["operator"].as_str().unwrap(),
                    one["number"],
                    one["item"]
                )
            })
            .collect::<Vec<_>>()
    };
    let mut terminal = project.at_terminal(100, &["resume", "steps"]);
    terminal.answers("1 of 2: The front door is shut", "y");
    terminal.shows("2 of 2: The key is turned");
    crate::support::until("it is kept", || {
        ticks(&project) == ["alice 1 \"The front door is shut\""]
    });
    // As a power cut would: what was answered before is not lost.
    terminal.kills();
    let shown = project.run(["show", "steps"]).code(0);
    in_order(
        &shown.stdout,
        &["[x] The front door is shut", "alice, 20", "[ ] The key is turned"],
    );
    let confirm = ["confirm", "steps", "shut", "--value", "key=brass"];
    project
        .run(confirm)
        .code(2)
        .tells("1 of the 2 items of its checklist are not ticked off");
    let mut terminal = project.at_terminal(100, &["confirm", "steps", "shut", "--operator", "bob"]);
    terminal.shows("[x] The front door is shut");
    terminal.answers("2 of 2: The key is turned", "y");
    assert!(!terminal.screen().contains("1 of 2:"), "{}", terminal.screen());
    terminal.answers("Which key", "brass");
    terminal.answers("Note", "");
    terminal.answers("Is it done?", "y");
    assert_eq!(terminal.ends().0, 0);
    project
        .run(["log", "steps"])
        .code(0)
        .prints("item 2 ticked off: The key is *turned*");
    let report = project
        .run(["report", "steps", "--format", "json"])
        .code(0)
        .json();
    let evidence = &report["steps"][0]["evidence"][0];
    assert_eq!(evidence["operator"], "bob");
    assert_eq!(evidence["ticked"][0]["operator"], "alice");
    assert_eq!(evidence["ticked"][1]["operator"], "bob");
    project.sound_entries("steps");
}

#[test]
fn an_undone_step_is_looked_at_from_the_beginning() {
    let project = waiting();
    let args = ["confirm", "steps", "shut", "--ticked", "--value", "key=brass"];
    project.run(args).code(0);
    project.run(["rollback", "steps", "--yes"]).code(3);
    project.run(["confirm", "steps", "shut"]).code(0);
    project.run(["resume", "steps"]).code(0);
    project
        .run(["decide", "steps", "shut", "again", "--why", "once more"])
        .code(0);
    let outcome = project.run(["resume", "steps"]).code(3);
    outcome.tells("[ ] The front door is shut").keeps_quiet_of("[x]");
}
