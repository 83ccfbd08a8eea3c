//! A person at a terminal: questions, their answers, and what is said at every width.

use crate::support::{Project, until};

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
    terminal.answers("1 of 2: There is a row", "y");
    terminal.answers("It is enabled", "yes");
    terminal.answers("How many rows are there", "many");
    terminal.shows("✗");
    terminal.types("\x15");
    terminal.answers("How many rows are there", "3");
    terminal.answers("kind", "");
    terminal.answers("a picture of the list", "nowhere.png");
    terminal.shows("there is no such file");
    terminal.types("\x15");
    terminal.answers("a picture of the list", "trust.png");
    terminal.answers("Note", "as described");
    terminal.answers("Is it done?", "");
    terminal.shows("answer y or n");
    // An answer that was refused is gone: the next one is typed without taking it away.
    terminal.types("maybe\r");
    terminal.shows("✗ answer y or n");
    terminal.types("y\r");
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
    terminal.shows("It is enabled (y/n)");
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
    terminal.shows("There is a row (y/n)");
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
  use: { secrets: password, uses: command, with: { run: [HELPER, leak, password], stdout: ignore } }
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
    terminal.shows("There is a row (y/n)");
    terminal.types("abc");
    terminal.shows("abc");
    terminal.types("\r");
    terminal.shows("answer y or n");
    terminal.types("\x1b");
    let (_, screen) = terminal.ends();
    // After it, lines begin at the left edge again.
    assert!(screen.lines().any(|line| line.starts_with("steps-")), "{screen}");
}

const DAYS: &str = "
  gate: { uses: command, with: { run: [HELPER, append, DIR/log, begun, then, until, DIR/go] }, timeout: 5m }
  later:
    needs: gate
    uses: manual
    with: { instructions: Look at the new one. }
  earlier:
    title: Ask the tenant's administrator
    uses: manual
    with:
      instructions: |
        Have `${{ params.name }}` added, that is **${{ params.name }}**.
      collect:
        zebra: { type: string, prompt: First of all }
        apple: { type: string, prompt: Only then }
  last: { needs: [later, earlier], uses: command, with: { run: [HELPER, append, DIR/log, last] } }
";

/// A run in which `earlier` has waited since before `later` came to wait.
fn of_days(project: &Project) {
    let text = format!(
        "runbook: days\nparams:\n  name: {{ type: string, default: \"*.contoso_a_b.com\" }}\nsteps:{DAYS}"
    );
    project.runbook("days.yaml", &text);
    let running = project.start(["exec", "days.yaml", "--non-interactive"]);
    until("it has begun", || !project.lines("log").is_empty());
    until("the first waits", || {
        project.statuses("days").contains(&"earlier: waiting".to_owned())
    });
    project.write("go", "");
    running.wait().code(3);
}

#[test]
fn what_has_waited_longest_is_shown_first_and_a_value_is_no_markdown() {
    let project = Project::new();
    of_days(&project);
    let mut terminal = project.at_terminal(100, &["resume", "days"]);
    terminal.shows("Have `*.contoso_a_b.com` added, that is *.contoso_a_b.com.");
    terminal.answers("First of all", "1");
    terminal.answers("Only then", "2");
    terminal.answers("Note", "");
    terminal.answers("Is it done?", "y");
    terminal.shows("Look at the new one.");
    terminal.answers("Note", "");
    terminal.answers("Is it done?", "y");
    let (code, screen) = terminal.ends();
    assert_eq!(code, 0, "{screen}");
}

#[test]
fn resume_begins_with_a_briefing() {
    let project = Project::new();
    of_days(&project);
    let mut terminal = project.at_terminal(100, &["resume", "days", "--operator", "bob"]);
    terminal.shows("First of all");
    let screen = terminal.screen();
    let said = |line: &str| screen.lines().position(|one| one.contains(line));
    let order = [
        "now operator bob",
        "✓ done       1 of 4; last `gate` at",
        "! waiting    `earlier`, to be done by hand, since",
        "`later`, to be done by hand, since",
        "Have `",
    ];
    let places: Vec<Option<usize>> = order.iter().map(|line| said(line)).collect();
    assert!(
        places.iter().all(Option::is_some) && places.is_sorted(),
        "{places:?}\n{screen}"
    );
    terminal.types("\x03");
    assert_eq!(terminal.ends().0, 130);
}

#[test]
fn a_checklist_is_not_confirmed_without_saying_that_it_is_ticked() {
    let project = Project::new();
    project.steps(TRUST);
    project.write("trust.png", "picture");
    project.run(["exec", "steps.yaml"]).code(3);
    project
        .run(["show", "steps"])
        .prints("look --ticked --value rows=VALUE --attach FILE");
    let confirm = [
        "confirm",
        "steps",
        "look",
        "--value",
        "rows=3",
        "--attach",
        "trust.png",
    ];
    project
        .run(confirm)
        .code(2)
        .tells("its checklist of 2 items is not ticked off")
        .tells("`--ticked`");
    let ticked = [confirm.as_slice(), &["--ticked"]].concat();
    project.run(ticked).code(0);
    assert_eq!(project.statuses("steps"), ["look: succeeded", "after: ready"]);
}
