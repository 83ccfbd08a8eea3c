//! People with keys who act from a second terminal: what they do is signed by them, and by nobody else.

use std::ffi::OsStr;

use serde_json::Value;

use crate::platform;
use crate::support::{Outcome, Project, Running, until};

const BOOK: &str = "runbook: steps
roles: { farm: of the farm, tenant: of the tenant }
params: { word: { type: secret, optional: true } }
steps:
  slow:
    role: farm
    uses: command
    with: { run: [HELPER, append, DIR/log, begun, then, until, DIR/go], stdin: '${{ params.word }}' }
    timeout: 5m
  beside: { role: tenant, uses: manual, with: { instructions: Look. } }
  last: { role: farm, needs: [slow, beside], approve: { by: tenant }, uses: command, with: { run: [HELPER, append, DIR/log, last] } }
";

/// Alice of the farm and bob of the tenant, each with a key.
fn team(book: &str) -> Project {
    let project = Project::new();
    project.runbook("steps.yaml", book);
    let mut text = "operators:\n".to_owned();
    for (name, role) in [("alice", "farm"), ("bob", "tenant")] {
        by(&project, name, ["identity", "new"]).code(0);
        let lines = by(&project, name, ["identity", "export", "--role", role]).code(0);
        text += &lines.stdout;
    }
    project.write("operators.yaml", &text);
    project
}

fn by<S: AsRef<OsStr>>(project: &Project, name: &str, args: impl IntoIterator<Item = S>) -> Outcome {
    let mut command = project.command(args);
    command.env("RUNBOOK_OPERATOR", name).output().unwrap().into()
}

/// Alice's process carries the run out; its step waits for the file `go`.
fn held(project: &Project) -> Running {
    let running = project.start(["exec", "steps.yaml"]);
    until("the step is under way", || !project.lines("log").is_empty());
    running
}

/// Who wrote the only entry of this event, and how that is known.
fn author(project: &Project, event: &str) -> (String, String) {
    let events = project.events("steps");
    let found: Vec<&Value> = events.iter().filter(|one| one["event"] == event).collect();
    assert_eq!(found.len(), 1, "{event}: {events:?}");
    let text = |key: &str| found[0][key].as_str().unwrap().to_owned();
    (text("operator"), text("author"))
}

fn proven(name: &str) -> (String, String) {
    (name.to_owned(), "proven".to_owned())
}

/// Everybody's signature holds, and nothing is only claimed.
fn all_is_proven(project: &Project) {
    let verify = [
        "journal",
        "verify",
        "steps",
        "--operators",
        "operators.yaml",
        "--json",
    ];
    let verified = by(project, "carol", verify).code(0).json();
    assert_eq!(verified["authors"]["claimed"], 0, "{verified}");
    assert_eq!(verified["authors"]["proven"], verified["verification"]["entries"]);
}

#[test]
fn what_is_done_in_a_second_terminal_is_signed_by_whoever_does_it() {
    let project = team(BOOK);
    let running = held(&project);
    let confirm = ["confirm", "steps", "beside", "--note", "by phone"];
    by(&project, "bob", confirm).code(0).tells("carried out by alice");
    project.write("go", "");
    running.wait().code(3);
    // The same where nobody holds it.
    by(&project, "bob", ["approve", "steps", "last", "--yes"]).code(0);
    by(&project, "alice", ["resume", "steps"]).code(0);
    assert_eq!(author(&project, "confirmed"), proven("bob"));
    assert_eq!(author(&project, "approved"), proven("bob"));
    all_is_proven(&project);
}

#[test]
fn a_run_is_sent_back_under_a_signature_while_it_is_held() {
    let book = BOOK.replace("beside: { role: tenant,", "made: { role: farm, uses: manual, with: { instructions: Make. } }\n  beside: { needs: made, role: tenant,");
    let project = team(&book);
    let running = held(&project);
    by(&project, "alice", ["confirm", "steps", "made"]).code(0);
    by(
        &project,
        "alice",
        ["reject", "steps", "beside", "--to", "made", "--why", "so"],
    )
    .code(2)
    .tells("asks for the role `tenant`, which `alice` does not have");
    by(
        &project,
        "bob",
        [
            "reject",
            "steps",
            "beside",
            "--to",
            "made",
            "--why",
            "it is the old one",
        ],
    )
    .code(0);
    project.write("go", "");
    running.wait().code(3);
    assert_eq!(author(&project, "sent_back"), proven("bob"));
    all_is_proven(&project);
}

#[test]
fn an_approval_is_signed_while_the_run_is_held() {
    let book = BOOK.replace("role: tenant, uses: manual", "role: farm, uses: manual");
    let project = team(&book.replace("needs: [slow, beside]", "needs: slow"));
    project.write("go", "");
    // At a terminal the process stays, and waits.
    let mut terminal = project.at_terminal(80, &["exec", "steps.yaml"]);
    terminal.shows("Look.");
    by(&project, "bob", ["approve", "steps", "last", "--yes"]).code(0);
    until("it is carried out", || {
        project.lines("log").contains(&"last".to_owned())
    });
    terminal.types("\r");
    terminal.answers("Is it done?", "y");
    assert_eq!(terminal.ends().0, 0);
    assert_eq!(author(&project, "approved"), proven("bob"));
    all_is_proven(&project);
}

#[test]
fn what_follows_from_an_act_is_signed_by_whoever_carries_it_out() {
    let project = team(BOOK);
    let running = held(&project);
    by(
        &project,
        "bob",
        ["cancel", "steps", "--why", "the window is over"],
    )
    .code(0);
    running.wait();
    assert_eq!(author(&project, "cancel_requested"), proven("bob"));
    assert_eq!(author(&project, "stop_requested"), proven("alice"));
    all_is_proven(&project);
}

#[test]
fn nobody_acts_under_anothers_name_in_a_second_terminal() {
    let project = team(BOOK);
    let running = held(&project);
    let confirm = |more: &[&str]| {
        let args = ["confirm", "steps", "beside", "--operator", "bob"];
        by(&project, "eve", args.iter().chain(more).copied())
    };
    let alice = project.path().join("config/runbook/identities/alice.key");
    confirm(&["--identity", alice.to_str().unwrap()])
        .code(2)
        .tells("RB0506")
        .tells("the key of `alice`, and says that it is of `bob`");
    let bob = project.path().join("config/runbook/identities/bob.key");
    std::fs::rename(&bob, project.path().join("away.key")).unwrap();
    confirm(&[])
        .code(2)
        .tells("`bob` signs with a key, and this is not signed");
    // A key of her own under his name.
    by(&project, "bob", ["identity", "new"]).code(0);
    confirm(&[]).code(2).tells("a key that is not one of `bob`");
    // The public half is known to all: with that alone nothing can be signed.
    let text = std::fs::read_to_string(project.path().join("away.key")).unwrap();
    let public = text.lines().find(|line| line.starts_with("public: ")).unwrap();
    let own = std::fs::read_to_string(&bob).unwrap();
    let of_own = own.lines().find(|line| line.starts_with("public: ")).unwrap();
    std::fs::write(&bob, own.replace(of_own, public)).unwrap();
    confirm(&[]).code(2).tells("RB0510");
    let events = project.events("steps");
    assert!(events.iter().all(|one| one["event"] != "confirmed"), "{events:?}");
    drop(running);
}

#[test]
fn the_passphrase_is_asked_for_where_the_visitor_sits() {
    let project = team(BOOK);
    let key = project.path().join("config/runbook/identities/bob.key");
    std::fs::remove_file(&key).unwrap();
    let phrase = project.write("phrase", "correct horse battery\n");
    platform::keep_to_owner(&phrase);
    let source = format!("file:{}", phrase.display());
    by(&project, "bob", ["identity", "new", "--passphrase", &source]).code(0);
    let mut text = "operators:\n".to_owned();
    for (name, role) in [("alice", "farm"), ("bob", "tenant")] {
        let lines = by(&project, name, ["identity", "export", "--role", role]).code(0);
        text += &lines.stdout;
    }
    project.write("operators.yaml", &text);
    let running = held(&project);
    by(&project, "bob", ["confirm", "steps", "beside"])
        .code(2)
        .tells("it is locked");
    let mut terminal = project.at_terminal(80, &["confirm", "steps", "beside", "--operator", "bob"]);
    terminal.shows("Passphrase of the key of bob");
    terminal.types("correct horse battery\r");
    let (code, screen) = terminal.ends();
    assert_eq!(code, 0, "{screen}");
    assert!(!screen.contains("correct horse"), "{screen}");
    project.write("go", "");
    let told = running.wait().code(3);
    told.keeps_quiet_of("correct horse");
    all_is_proven(&project);
}

#[test]
fn what_holds_a_secret_is_not_signed() {
    let project = team(BOOK);
    let word = project.write("word", "opensesame-1");
    platform::keep_to_owner(&word);
    let source = format!("word=file:{}", word.display());
    let running = project.start(["exec", "steps.yaml", "--secret", &source]);
    until("the step is under way", || !project.lines("log").is_empty());
    let note = ["confirm", "steps", "beside", "--note", "with opensesame-1"];
    by(&project, "bob", note)
        .code(2)
        .tells("what you say holds a secret of the run");
    by(&project, "bob", ["confirm", "steps", "beside"]).code(0);
    project.write("go", "");
    running.wait().code(3);
    all_is_proven(&project);
}

#[test]
fn many_who_sign_at_once_are_all_heard_while_the_run_goes_on() {
    let mut book = "runbook: steps\nroles: { farm: of the farm, tenant: of the tenant }\nsteps:\n".to_owned();
    for number in 0..8 {
        book +=
            &format!("  hand-{number}: {{ role: tenant, uses: manual, with: {{ instructions: Look. }} }}\n");
    }
    book += "  begin: { role: farm, uses: command, with: { run: [HELPER, append, DIR/log, begun] } }\n";
    // A chain that appends all the time.
    let mut before = "begin".to_owned();
    for number in 0..60 {
        book += &format!(
            "  s{number}: {{ role: farm, needs: {before}, uses: command, with: {{ run: [HELPER, append, DIR/other, x] }} }}\n"
        );
        before = format!("s{number}");
    }
    book += &format!(
        "  end: {{ role: farm, needs: {before}, uses: command, with: {{ run: [HELPER, until, DIR/go] }}, timeout: 5m }}\n"
    );
    let project = team(&book);
    let running = held(&project);
    std::thread::scope(|scope| {
        for number in 0..8 {
            let project = &project;
            scope.spawn(move || {
                let step = format!("hand-{number}");
                by(project, "bob", ["confirm", "steps", &step]).code(0);
            });
        }
    });
    project.write("go", "");
    running.wait().code(0);
    let events = project.events("steps");
    let confirmed = events.iter().filter(|one| one["event"] == "confirmed");
    assert_eq!(confirmed.count(), 8);
    all_is_proven(&project);
}
