//! What is said of a run that nobody carries out now: what was cut off, and what it lacks.

use crate::support::{Project, Running, until};

const SECRET: &str = "a secret of the farm";

/// Cut off while `put` is carried out.
fn cut_off(policy: &str) -> Project {
    let project = Project::new();
    let steps = "
  first: { uses: command, with: { run: [HELPER, append, DIR/log, first] } }
  put: { title: Put it there, needs: first, POLICY uses: command, with: { VALIDATE run: [HELPER, write, DIR/began, x, then, until, DIR/go] } }
  last: { needs: put, uses: command, with: { run: [HELPER, append, DIR/log, last] } }
";
    let (policy, validate) = match policy {
        "validate" => ("", "validate: [HELPER, end, '1'],"),
        policy => (policy, ""),
    };
    project.steps(&steps.replace("POLICY", policy).replace("VALIDATE", validate));
    let running = project.start(["exec", "steps.yaml"]);
    until("the step has begun", || project.has("began"));
    running.kill();
    project.write("go", "");
    project
}

#[test]
fn what_was_cut_off_is_not_shown_as_under_way() {
    for (policy, then) in [
        ("validate", "`resume` looks whether it took effect"),
        ("idempotent: true,", "`resume` carries it out again"),
        ("", "`decide` says whether it took effect"),
    ] {
        let project = cut_off(policy);
        let shown = project.run(["show", "steps"]).code(0);
        shown
            .prints("no process carries it out now")
            .prints("? put    in doubt")
            .prints(then)
            .keeps_quiet_of("running")
            .keeps_quiet_of("▸");
        let picture = project.run(["show", "steps", "--graph"]).code(0);
        picture.prints("?  put  (in doubt)");
        let report = project
            .run(["report", "steps", "--format", "json"])
            .code(0)
            .json();
        assert_eq!(report["steps"][1]["status"], "in_doubt", "{}", report["steps"][1]);
    }
}

#[test]
fn what_is_under_way_is_shown_as_such() {
    let project = Project::new();
    project.steps(
        "  put: { uses: command, with: { run: [HELPER, write, DIR/began, x, then, until, DIR/go] } }\n",
    );
    let running = project.start(["exec", "steps.yaml"]);
    until("the step has begun", || project.has("began"));
    project
        .run(["show", "steps"])
        .code(0)
        .prints("▸ put  running")
        .keeps_quiet_of("interrupted");
    project.write("go", "");
    running.wait().code(0);
}

#[test]
fn a_title_that_reads_as_an_order_gives_none_while_it_is_in_doubt() {
    let project = cut_off("");
    let name = project.run_name();
    let outcome = project.run(["resume", "steps"]).code(4);
    let told = outcome.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    let sentence =
        "`put` (\"Put it there\") was interrupted. Do not do it again yet: look whether it took effect, then";
    assert!(told.contains(sentence), "{told}");
    assert!(
        told.contains(&format!(
            "runbook decide {name} put done --why TEXT it took effect"
        )),
        "{told}"
    );
}

/// A run that rests for its secret.
fn without_secret() -> Project {
    let project = Project::new();
    project.runbook(
        "steps.yaml",
        "
runbook: steps
params: { token: { type: secret, prompt: The token }, note: { type: secret, optional: true } }
steps:
  first: { uses: command, with: { run: [HELPER, append, DIR/log, first] } }
  use:
    needs: first
    uses: command
    secrets: note
    with: { run: [HELPER, save-input, DIR/input], stdin: '${{ params.token }}' }
",
    );
    project
}

#[test]
fn a_run_without_its_secret_waits_for_it_and_the_advice_works() {
    let project = without_secret();
    let outcome = project.run(["exec", "steps.yaml"]).code(3);
    let name = project.run_name();
    let with = format!("runbook resume {name} --secret token=file:PATH");
    for told in [&outcome.stderr, &project.run(["show", "steps"]).code(0).stdout] {
        assert!(told.contains(&format!("{name} waits for a secret")), "{told}");
        assert!(
            told.contains("`use` needs the secret `token` (\"The token\")"),
            "{told}"
        );
        let at = told.find("its variable is RUNBOOK_SECRET_TOKEN");
        assert!(at.is_some() && at < told.find(&with), "{told}");
        assert!(!told.contains("to go on\n"), "{told}");
        assert!(
            !told.contains("`note`"),
            "what is optional is not asked for: {told}"
        );
    }
    assert!(
        outcome.stderr.find("RB0108") < outcome.stderr.find(&with),
        "{}",
        outcome.stderr
    );
    let listed = project.run(["list"]).code(0);
    listed
        .prints("waiting")
        .prints("needs the secret `token`")
        .keeps_quiet_of("interrupted");
    let listed = project.only_run();
    assert_eq!(listed["interrupted"], false);
    assert_eq!(listed["needs_secrets"], serde_json::json!(["token"]));
    assert_eq!(
        project.show("steps")["needs_secrets"],
        serde_json::json!(["token"])
    );
    crate::platform::keep_to_owner(&project.write("secret", SECRET));
    project
        .run(["resume", "steps", "--secret", "token=file:secret"])
        .code(0);
    assert_eq!(project.only_run()["needs_secrets"], serde_json::json!([]));
}

#[test]
fn a_run_that_was_cut_off_is_interrupted_though_it_needs_a_secret() {
    let project = Project::new();
    project.runbook(
        "steps.yaml",
        "
runbook: steps
params: { token: { type: secret } }
steps:
  use: { uses: command, with: { run: [HELPER, write, DIR/began, x, then, until, DIR/go], stdin: '${{ params.token }}' } }
",
    );
    let mut command = project.command(["exec", "steps.yaml"]);
    command.env("RUNBOOK_SECRET_TOKEN", SECRET);
    let running = Running::of(command);
    until("the step has begun", || project.has("began"));
    running.kill();
    project.write("go", "");
    project
        .run(["list"])
        .code(0)
        .prints("interrupted")
        .keeps_quiet_of("needs the secret");
    assert_eq!(project.only_run()["interrupted"], true);
}

/// Cut off while `put` is carried out, which nobody can look at; the run is in alice's hands. Her program is gone, and
/// what it had started is over, or still runs.
pub(crate) fn cut_off_in_hands(is_over: bool) -> (Project, String) {
    let project = Project::new();
    project.steps(
        "
  put: { uses: command, with: { run: [HELPER, write, DIR/began, x, then, until, DIR/go] } }
  last: { needs: put, uses: command, with: { run: [HELPER, append, DIR/log, last] } }
",
    );
    let running = project.start(["exec", "steps.yaml"]);
    until("the step has begun", || project.has("began"));
    running.kill();
    if is_over {
        project.write("go", "");
    }
    let name = project.run_name();
    project
        .run(["accept", &name, "--take-over", "--why", "it is hers"])
        .code(0);
    (project, name)
}

fn events_named(project: &Project, name: &str) -> Vec<String> {
    let events = project.events(name).into_iter();
    events
        .map(|one| {
            format!(
                "{} by {}",
                one["event"].as_str().unwrap(),
                one["operator"].as_str().unwrap()
            )
        })
        .collect()
}

#[test]
fn a_doubt_is_settled_by_anybody_before_anybody_has_resumed() {
    let (project, name) = cut_off_in_hands(true);
    let unknown = project.run_as("bob", &["decide", &name, "last", "done", "--why", "so"]);
    unknown.code(2).tells("`last` is pending");
    let before = events_named(&project, &name);
    assert!(
        !before.iter().any(|event| event.starts_with("interrupted")),
        "a refusal records nothing: {before:?}"
    );
    project
        .run_as("bob", &["decide", &name, "put", "done", "--why", "it is there"])
        .code(0)
        .tells("in the hands of alice");
    assert_eq!(
        events_named(&project, &name)[before.len()..],
        ["interrupted by bob", "process_cleared by bob", "decided by bob"]
    );
    project.run(["resume", &name]).code(0);
    assert_eq!(project.statuses(&name), ["put: succeeded", "last: succeeded"]);
}
