//! Completion in real shells, and of runs that a database keeps.

use std::path::PathBuf;

use super::shared_runs::server::Server;
use crate::completion::{RUNBOOK, waiting};
use crate::support::terminal::{Kind, Terminal};
use crate::support::{Outcome, Project};

/// A shell at a terminal, with the program on its PATH and nothing of the person's own.
fn shell(project: &Project, words: &[&str]) -> Terminal {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_runbook"));
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{path}", program.parent().unwrap().display());
    let (name, rest) = words.split_first().unwrap();
    let there = std::env::split_paths(&path).any(|folder| folder.join(name).is_file());
    assert!(there, "this test needs `{name}`: scripts/setup installs it");
    let home = project.path().to_str().unwrap();
    let env = [
        ("PATH", path.as_str()),
        ("HOME", home),
        ("ZDOTDIR", home),
        ("INPUTRC", "/dev/null"),
        ("PS1", "> "),
    ];
    let (columns, env) = (120, env.as_slice());
    let kind = Kind {
        columns,
        env,
        ..Kind::default()
    };
    project.at(&kind).starts(name, rest)
}

/// Lets the shell complete the command's name, a run and a step, and carries out what stands there then.
fn completes(mut shell: Terminal, install: &str, project: &Project, run: &str) {
    // What the shell prints is not what is typed, so that it is known to have read this far.
    shell.types(&format!("{install}; echo re''ady\r"));
    shell.until("the shell is ready", |screen| {
        screen.lines().any(|line| line.starts_with("ready"))
    });
    shell.types("runbook conf\t");
    shell.shows("runbook confirm");
    shell.types("far\t");
    shell.shows(&format!("runbook confirm {run}"));
    shell.types("lo\t");
    shell.shows(&format!("runbook confirm {run} look"));
    shell.types("\r");
    shell.shows("confirmed");
    shell.types("exit\r");
    let _ended = shell.ends();
    let steps = project.show(run)["steps"].clone();
    let look = steps
        .as_array()
        .unwrap()
        .iter()
        .find(|step| step["step"] == "look");
    assert_eq!(look.unwrap()["status"], "succeeded");
}

#[test]
fn bash_completes_a_line() {
    let (project, run) = waiting();
    let bash = shell(&project, &["bash", "--norc", "--noprofile", "-i"]);
    completes(bash, "source <(runbook completions bash)", &project, &run);
}

#[test]
fn zsh_completes_a_line() {
    let (project, run) = waiting();
    let zsh = shell(&project, &["zsh", "-f", "-i"]);
    let install = "autoload -U compinit; compinit -u -D; source <(runbook completions zsh)";
    completes(zsh, install, &project, &run);
}

#[test]
fn fish_completes_a_line() {
    let (project, run) = waiting();
    let fish = shell(&project, &["fish", "--no-config", "-i"]);
    completes(fish, "runbook completions fish | source", &project, &run);
}

#[test]
fn runs_of_a_database_are_offered_and_one_that_is_silent_keeps_nobody_waiting() {
    let Some(server) = Server::start() else { return };
    let address = server.database("runs");
    let project = Project::new();
    project.runbook("farm.yaml", RUNBOOK);
    let mut exec = project.command(["exec", "farm.yaml"]);
    let waits: Outcome = exec.env("RUNBOOK_JOURNAL", &address).output().unwrap().into();
    waits.code(3);
    let offered = |address: &str, typed: &[&str]| -> Outcome {
        let mut command = project.command(["--", "runbook"]);
        command.args(typed).env("RUNBOOK_COMPLETE", "fish");
        command.env("RUNBOOK_JOURNAL", address).output().unwrap().into()
    };
    let runs = offered(&address, &["resume", ""]).code(0).prints("farm-").stdout;
    let run = runs.lines().find(|line| line.starts_with("farm-")).unwrap();
    let run = run.split('\t').next().unwrap();
    offered(&address, &["confirm", run, ""]).code(0).prints("look");
    // It takes connections, and says nothing.
    let silent = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = silent.local_addr().unwrap().port();
    let begun = std::time::Instant::now();
    let none = offered(
        &format!("postgres://runbook@127.0.0.1:{port}/runs"),
        &["resume", ""],
    );
    assert!(
        begun.elapsed() < std::time::Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
    assert!(!none.stdout.contains("farm-"));
    assert_eq!(none.stderr, "");
}
