//! A person at a terminal: questions, their answers, and what is said at every width.

#![cfg(unix)]

use crate::support::Project;

const TRUST: &str = "
  look:
    title: Look at the trust
    uses: manual
    with:
      instructions: |
        Open **Security**, then *Manage trust*, and look for the trust of the tenant's token service in the list.
      checklist: [There is a row, It is enabled]
      collect:
        rows: { type: integer, prompt: How many rows are there, example: 3 }
        kind: { type: enum, values: [one, two], optional: true }
      attach: [{ name: trust.png, description: a picture of the list }]
  after: { needs: look, uses: command, with: { run: [HELPER, append, DIR/log, after] } }
";

#[test]
fn a_person_is_asked_for_all_the_evidence_and_the_run_goes_on() {
    let project = Project::new();
    project.steps(TRUST);
    project.write("trust.png", "picture");
    let mut terminal = project.at_terminal(80, &["exec", "steps.yaml"]);
    terminal.answers("There is a row", "y");
    terminal.answers("It is enabled", "yes");
    terminal.answers("kind", "");
    terminal.answers("How many rows are there", "many");
    terminal.shows("✗");
    terminal.types("\x15");
    terminal.answers("How many rows are there", "3");
    terminal.answers("a picture of the list", "nowhere.png");
    terminal.shows("there is no such file");
    terminal.types("\x15");
    terminal.answers("a picture of the list", "trust.png");
    terminal.answers("Note", "as described");
    terminal.answers("Is it done?", "");
    let (code, screen) = terminal.ends();
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains("is completed: 2 of 2 settled"), "{screen}");
    assert_eq!(project.lines("log"), ["after"]);
    let confirmed = project
        .events("steps")
        .into_iter()
        .find(|one| one["event"] == "confirmed");
    let confirmed = confirmed.unwrap();
    assert_eq!(confirmed["values"]["rows"], 3);
    assert_eq!(confirmed["note"], "as described");
    assert_eq!(confirmed["attachments"][0]["name"], "trust.png");
}

#[test]
fn not_now_leaves_the_run_waiting_and_says_how_to_go_on() {
    let project = Project::new();
    project.steps(TRUST);
    let mut terminal = project.at_terminal(80, &["exec", "steps.yaml"]);
    terminal.answers("There is a row", "y");
    terminal.shows("It is enabled (y/N)");
    terminal.types("\x1b");
    let (code, screen) = terminal.ends();
    assert_eq!(code, 3, "{screen}");
    assert!(screen.contains("`look` waits for a person"), "{screen}");
    assert!(screen.contains("runbook confirm steps-"), "{screen}");
    assert_eq!(project.statuses("steps"), ["look: waiting", "after: pending"]);
}

#[test]
fn ctrl_c_at_a_question_stops_and_loses_nothing() {
    let project = Project::new();
    project.steps(TRUST);
    let mut terminal = project.at_terminal(80, &["exec", "steps.yaml"]);
    terminal.shows("There is a row (y/N)");
    terminal.types("\x03");
    let (code, screen) = terminal.ends();
    assert_eq!(code, 130, "{screen}");
    project.sound_entries("steps");
    assert_eq!(project.statuses("steps"), ["look: waiting", "after: pending"]);
}

#[test]
fn what_is_missing_is_asked_for_and_secrets_are_not_shown() {
    let project = Project::new();
    project.runbook(
        "ask.yaml",
        r#"
runbook: ask
params:
  domain: { type: domain, prompt: Public domain, example: contoso.com }
  password: { type: secret, prompt: Password of the service }
steps:
  use: { uses: command, with: { run: [HELPER, leak, password], stdout: ignore } }
  say: { uses: command, with: { run: [HELPER, append, DIR/log, "${{ params.domain }}"] } }
"#,
    );
    let mut terminal = project.at_terminal(80, &["exec", "ask.yaml"]);
    terminal.answers("Public domain", "https://contoso.com");
    terminal.shows("it holds a protocol");
    terminal.types("\x15");
    terminal.answers("Public domain", "contoso.com");
    terminal.answers("Password of the service", "correct-horse");
    let (code, screen) = terminal.ends();
    assert_eq!(code, 0, "{screen}");
    assert!(
        screen.contains("(hidden)") && !screen.contains("correct-horse"),
        "{screen}"
    );
    assert_eq!(project.lines("log"), ["contoso.com"]);
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for columns in [40, 80, 200] {
        let project = Project::new();
        project.steps(TRUST);
        let mut terminal = project.at_terminal(columns, &["exec", "steps.yaml"]);
        terminal.shows("There is a row");
        // What is too wide goes on in the next row without a new line, and words are torn apart.
        for word in ["Manage", "token", "service"] {
            terminal.shows(word);
        }
        terminal.types("\x1b");
        let (code, _) = terminal.ends();
        assert_eq!(code, 3);
    }
}

#[test]
fn the_terminal_is_given_back_as_it_was() {
    let project = Project::new();
    project.steps(TRUST);
    let mut terminal = project.at_terminal(80, &["exec", "steps.yaml"]);
    terminal.shows("There is a row (y/N)");
    terminal.types("abc");
    terminal.shows("abc");
    terminal.types("\r");
    terminal.shows("answer y or n");
    terminal.types("\x1b");
    let (_, screen) = terminal.ends();
    // After it, lines begin at the left edge again.
    assert!(screen.lines().any(|line| line.starts_with("steps-")), "{screen}");
}
