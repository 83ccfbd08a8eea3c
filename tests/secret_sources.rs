//! Where secrets come from, when they are asked for, and how they reach a program.

use crate::platform;
use crate::secrets::{CANARY, absent, unheard, unkept};
use crate::support::{Outcome, Project, Running, until};

/// A step that needs no secret, then one that needs `token`, and one that needs neither.
const THREE: &str = "
runbook: steps
params: { token: { type: secret, prompt: Token of the farm } }
steps:
  first: { uses: command, with: { run: [HELPER, append, DIR/log, first] } }
  use:
    needs: first
    uses: command
    with: { stdin: '${{ params.token }}', run: [HELPER, save-input, DIR/got, then, append, DIR/log, use] }
  other: { needs: first, uses: command, with: { run: [HELPER, append, DIR/log, other] } }
  last: { needs: [use, other], uses: command, with: { run: [HELPER, append, DIR/log, last] } }
";

pub(crate) fn project() -> Project {
    let project = Project::new();
    project.runbook("steps.yaml", THREE);
    project
}

/// A file with the secret that only its owner can read.
pub(crate) fn secret_file(project: &Project) {
    platform::keep_to_owner(&project.write("token.txt", &format!("{CANARY}\n")));
}

#[track_caller]
pub(crate) fn went_through(project: &Project, outcome: Outcome) {
    unheard(&outcome.code(0), "the program");
    assert_eq!(project.read("got").as_deref(), Some(CANARY));
    assert_eq!(project.lines("log").len(), 4);
    std::fs::remove_file(project.path().join("got")).unwrap();
    std::fs::remove_file(project.path().join("log")).unwrap();
    std::fs::remove_file(project.path().join("token.txt")).ok();
    unkept(project);
}

#[test]
fn a_secret_comes_from_a_file_that_is_private() {
    let project = project();
    secret_file(&project);
    let exec = || project.run(["exec", "steps.yaml", "--secret", "token=file:token.txt"]);
    let file = project.path().join("token.txt");
    platform::let_all_read(&file);
    exec().code(2).tells("RB0109").tells(platform::HOW_TO_CLOSE);
    assert_eq!(project.run(["list", "--json"]).json(), serde_json::json!([]));
    if platform::let_group_read(&file) {
        let outcome = exec().tells("warning[RB0109]");
        went_through(&project, outcome);
    }
    secret_file(&project);
    let outcome = exec();
    assert!(!outcome.stderr.contains("RB0109"), "{}", outcome.stderr);
    went_through(&project, outcome);
}

#[test]
fn sources_stand_in_a_file_of_their_own() {
    let project = project();
    secret_file(&project);
    let sources = project.write(
        "sources.yaml",
        "token: file:token.txt\nfor_another_runbook: env:X\n",
    );
    platform::open_to_all(&sources);
    project
        .run(["exec", "steps.yaml", "--secrets", "sources.yaml"])
        .code(2)
        .tells("RB0109");
    platform::let_all_read(&sources);
    let outcome = project.run(["exec", "steps.yaml", "--secrets", "sources.yaml"]);
    went_through(&project, outcome);
    project.write("sources.yaml", "token: hunter2-is-no-source\n");
    project
        .run(["exec", "steps.yaml", "--secrets", "sources.yaml"])
        .code(2)
        .tells("RB0002")
        .keeps_quiet_of("hunter2");
}

#[test]
fn a_secret_comes_from_a_program_whose_complaints_are_shown() {
    let project = project();
    secret_file(&project);
    let source = |words: &str| format!("token=command:[HELPER, {words}]");
    let exec = |words: &str| {
        let helper = project.runbook("x", &source(words));
        let source = std::fs::read_to_string(helper).unwrap();
        project.run(["exec", "steps.yaml", "--secret", &source])
    };
    let outcome = exec("complain, unlocking the store, then, print-file, DIR/token.txt");
    let outcome = outcome.tells("token │ unlocking the store");
    went_through(&project, outcome);
    for (words, why) in [
        ("end, '3'", "it ended with exit code 3"),
        ("flood, '100000'", "it printed more than 65536 bytes"),
        ("say, abc", "fewer than 4 characters"),
    ] {
        exec(words).code(3).tells("RB0108").tells(why);
    }
}

#[test]
fn a_source_that_is_none_is_told_before_anything_starts() {
    let project = project();
    for (given, code) in [
        ("tokn=prompt", "RB0105"),
        ("token=hunter2", "RB0503"),
        ("hunter2", "RB0503"),
        ("token=command:cat hunter2", "RB0503"),
        ("token=file:nowhere", "RB0106"),
    ] {
        project
            .run(["exec", "steps.yaml", "--secret", given])
            .code(2)
            .tells(code)
            .keeps_quiet_of("hunter2");
    }
    project
        .run(["exec", "steps.yaml", "--secret", "tokn=prompt"])
        .tells("did you mean `token`?");
    assert_eq!(project.run(["list", "--json"]).json(), serde_json::json!([]));
}

#[test]
fn without_its_secret_a_step_waits_and_all_else_goes_on() {
    let project = project();
    project
        .run(["exec", "steps.yaml"])
        .code(3)
        .tells("RB0108")
        .tells("`use` needs the secret `token`")
        .tells("RUNBOOK_SECRET_TOKEN")
        .tells("--secret token=file:PATH")
        .tells("runbook resume steps-");
    assert_eq!(project.lines("log"), ["first", "other"]);
    let statuses = project.statuses("steps");
    assert_eq!(
        statuses,
        [
            "first: succeeded",
            "use: ready",
            "other: succeeded",
            "last: pending"
        ]
    );
    project.run(["resume", "steps"]).code(3).tells("RB0108");
    let resumed: Outcome = project
        .command(["resume", "steps"])
        .env("RUNBOOK_SECRET_TOKEN", CANARY)
        .output()
        .unwrap()
        .into();
    went_through(&project, resumed);
}

#[test]
fn a_plan_tells_which_steps_cannot_be_asked_without_a_secret() {
    let project = Project::new();
    project.runbook(
        "steps.yaml",
        "
runbook: steps
params: { token: { type: secret }, spare: { type: secret, optional: true } }
steps:
  look: { uses: command, with: { validate: [HELPER, end, '0'], stdin: '${{ params.token }}' } }
  free: { uses: command, with: { validate: [HELPER, end, '0'] }, when: params.spare == () }
",
    );
    project
        .run(["plan", "steps.yaml"])
        .code(0)
        .prints("it needs the secret `token`")
        .prints("in place");
    let planned: Outcome = project
        .command(["plan", "steps.yaml"])
        .env("RUNBOOK_SECRET_TOKEN", CANARY)
        .output()
        .unwrap()
        .into();
    assert!(!planned.code(0).stdout.contains("needs the secret"));
}

#[test]
fn a_person_is_asked_before_the_step_and_not_before_it_is_ready() {
    let project = Project::new();
    project.runbook(
        "steps.yaml",
        "
runbook: steps
params: { token: { type: secret, prompt: Token of the farm }, pin: { type: secret } }
steps:
  first: { uses: command, with: { run: [HELPER, until, DIR/go] } }
  use: { needs: first, secrets: [token, pin], uses: command, with: { run: [HELPER, save-input, DIR/got] } }
  other: { needs: first, uses: command, with: { run: [HELPER, append, DIR/log, other] } }
",
    );
    let mut terminal = project.at_terminal(80, &["exec", "steps.yaml"]);
    terminal.shows("first  running");
    assert!(!terminal.screen().contains("Token"), "{}", terminal.screen());
    project.write("go", "");
    terminal.shows("Token of the farm (secret, for `use`)");
    // While the question stands, all else goes on.
    until("the other step is done", || project.has("log"));
    terminal.answers("Token of the farm", "abc");
    terminal.shows("fewer than 4 characters");
    terminal.types("\x15");
    terminal.types(CANARY);
    terminal.types("\r");
    terminal.answers("pin (secret, for `use`)", "4711-0815");
    let written = terminal.written.clone();
    let (code, screen) = terminal.ends();
    assert_eq!(code, 0, "{screen}");
    absent(&written, "what was written to the terminal");
    absent(screen.as_bytes(), "the screen");
    let got: serde_json::Value = serde_json::from_str(&project.read("got").unwrap()).unwrap();
    assert_eq!(got["params"]["token"], CANARY);
    std::fs::remove_file(project.path().join("got")).unwrap();
    unkept(&project);
}

#[test]
fn whoever_does_not_know_it_now_leaves_the_run_waiting() {
    let project = project();
    let mut terminal = project.at_terminal(80, &["exec", "steps.yaml"]);
    terminal.shows("Token of the farm");
    terminal.types("\x1b");
    let (code, screen) = terminal.ends();
    assert_eq!(code, 3, "{screen}");
    assert!(screen.contains("RB0108") && screen.contains("resume"), "{screen}");
    assert_eq!(project.lines("log"), ["first", "other"]);
    let mut terminal = project.at_terminal(80, &["resume", "steps"]);
    terminal.shows("Token of the farm");
    terminal.types("\x03");
    let (code, screen) = terminal.ends();
    assert_eq!(code, 130, "{screen}");
    let mut terminal = project.at_terminal(80, &["resume", "steps"]);
    terminal.answers("Token of the farm", CANARY);
    assert_eq!(terminal.ends().0, 0);
    assert_eq!(project.read("got").as_deref(), Some(CANARY));
}

#[test]
fn a_program_inherits_no_secret() {
    let project = Project::new();
    project.steps(
        "  look: { uses: command, with: { run: [HELPER, variable, RUNBOOK_SECRET_TOKEN, then, save-input, DIR/input] } }\n",
    );
    let outcome: Outcome = project
        .command(["exec", "steps.yaml"])
        .env("RUNBOOK_SECRET_TOKEN", CANARY)
        .output()
        .unwrap()
        .into();
    outcome.code(0);
    unkept(&project);
    let steps = project.show("steps")["steps"].clone();
    assert_eq!(steps[0]["outputs"]["stdout"], "");
}

#[test]
fn a_step_is_given_the_secrets_that_it_names_and_no_others() {
    let project = Project::new();
    project.runbook(
        "steps.yaml",
        "
runbook: steps
params: { token: { type: secret }, pin: { type: secret } }
steps:
  none: { uses: command, with: { run: [HELPER, save-input, DIR/none] } }
  listed: { secrets: pin, uses: command, with: { run: [HELPER, save-input, DIR/listed] } }
  script: { uses: rhai, with: { script: 'fn run(cx) { #{ keys: cx.params.keys(), long: cx.params.token.len() } }' } }
",
    );
    let outcome: Outcome = project
        .command(["exec", "steps.yaml"])
        .env("RUNBOOK_SECRET_TOKEN", CANARY)
        .env("RUNBOOK_SECRET_PIN", "4711-0815")
        .output()
        .unwrap()
        .into();
    outcome.code(0);
    let params = |file: &str| -> serde_json::Value {
        let input: serde_json::Value = serde_json::from_str(&project.read(file).unwrap()).unwrap();
        input["params"].clone()
    };
    assert_eq!(params("none"), serde_json::json!({}));
    assert_eq!(params("listed"), serde_json::json!({ "pin": "4711-0815" }));
    let outputs = &project.show("steps")["steps"][2]["outputs"];
    assert_eq!(outputs["keys"], serde_json::json!(["token"]));
}

#[test]
fn a_secret_in_the_arguments_must_be_meant_and_is_warned_of() {
    let project = Project::new();
    let step = |more: &str| {
        project.runbook(
            "steps.yaml",
            &format!(
                "
runbook: steps
params: {{ token: {{ type: secret }} }}
steps:
  say: {{ uses: command, with: {{ {more}run: [HELPER, say, '--token=${{{{ params.token }}}}'] }} }}
"
            ),
        );
    };
    step("");
    for command in ["check", "plan", "exec"] {
        project
            .run([command, "steps.yaml"])
            .code(2)
            .tells("error[RB0104]")
            .tells("steps.yaml:5:")
            .tells("secret_files");
    }
    step("expose: arguments, ");
    for command in ["check", "plan", "exec"] {
        let outcome: Outcome = project
            .command([command, "steps.yaml"])
            .env("RUNBOOK_SECRET_TOKEN", CANARY)
            .output()
            .unwrap()
            .into();
        outcome.code(0).tells("warning[RB0104]");
    }
}

#[test]
fn a_script_cannot_put_a_secret_into_arguments_either() {
    let project = Project::new();
    project.runbook(
        "steps.yaml",
        "
runbook: steps
params: { token: { type: secret } }
steps:
  say: { uses: rhai, with: { allow: { commands: [HELPER] }, script: 'fn run(cx) { command([\"HELPER\", \"say\", cx.params.token]) }' } }
",
    );
    let outcome: Outcome = project
        .command(["exec", "steps.yaml"])
        .env("RUNBOOK_SECRET_TOKEN", CANARY)
        .output()
        .unwrap()
        .into();
    let outcome = outcome.code(1);
    assert!(
        outcome.stderr.contains("a secret stands in its arguments"),
        "{}",
        outcome.stderr
    );
    unheard(&outcome, "exec");
}

/// Carries out a step that is told a secret in a private file and does not end before `go` is there.
fn at_work(project: &Project) -> Running {
    secret_file(project);
    project.runbook(
        "steps.yaml",
        "
runbook: steps
params: { token: { type: secret } }
steps:
  read:
    idempotent: true
    uses: command
    with:
      secret_files: { token: '${{ params.token }}' }
      run:
        - HELPER
        - copy
        - { secret_file: token }
        - DIR/got
        - then
        - write
        - DIR/where
        - { secret_file: token, after: 'path=' }
        - then
        - until
        - DIR/go
",
    );
    let running = project.start(["exec", "steps.yaml", "--secret", "token=file:token.txt"]);
    until("the program has its file", || {
        let told = project.read("where");
        told.is_some_and(|told| told.starts_with("path="))
    });
    running
}

fn private_file(project: &Project) -> std::path::PathBuf {
    let told = project.read("where").unwrap();
    told.strip_prefix("path=").unwrap().into()
}

#[test]
fn a_secret_reaches_a_program_in_a_private_file_and_in_no_arguments() {
    let project = Project::new();
    let running = at_work(&project);
    let file = private_file(&project);
    for private in [file.as_path(), file.parent().unwrap()] {
        assert!(platform::is_private(private), "{}", private.display());
    }
    for (process, arguments) in platform::arguments() {
        absent(&arguments, &format!("the arguments of {process}"));
    }
    project.write("go", "");
    unheard(&running.wait().code(0), "exec");
    assert_eq!(project.read("got").as_deref(), Some(CANARY));
    assert!(
        !file.parent().unwrap().exists(),
        "the file is gone with its folder"
    );
    unkept(&project);
}

#[test]
fn a_private_file_that_a_killed_run_left_is_removed_on_resuming() {
    let project = Project::new();
    let running = at_work(&project);
    let file = private_file(&project);
    running.kill();
    assert!(file.exists(), "nobody was left to remove it");
    project.write("go", "");
    let resumed = project.run(["resume", "steps", "--secret", "token=file:token.txt"]);
    resumed.code(0);
    assert!(
        !file.parent().unwrap().exists(),
        "the folder of the first attempt is gone"
    );
    assert_eq!(project.read("got").as_deref(), Some(CANARY));
}
