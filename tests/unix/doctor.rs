//! `doctor`: what is Unix's alone of the surroundings, and the database.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use super::shared_runs::server::Server;
use crate::doctor::{doctor, is, with_a_run};
use crate::platform;
use crate::support::{Outcome, Project};

fn mode(project: &Project, mode: u32) {
    std::fs::set_permissions(project.state_dir(), std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_folder_that_others_can_enter_or_change_is_found() {
    let (project, _) = with_a_run();
    mode(&project, 0o755);
    is(
        &doctor(&project).code(0),
        "state folder",
        "note",
        "other accounts",
    );
    mode(&project, 0o777);
    is(&doctor(&project).code(1), "state folder", "bad", "every account");
}

#[test]
fn a_socket_of_a_process_that_is_gone_is_found() {
    let (project, id) = with_a_run();
    is(&doctor(&project).code(0), "sockets", "good", "none");
    project.write(&format!("state/runs/{id}/door.sock"), "");
    is(&doctor(&project).code(0), "sockets", "note", "1 socket");
}

/// A program in a folder of its own, which is the whole PATH.
fn with_program(project: &Project, name: &str, script: &str) -> Outcome {
    let path = project.write(&format!("bin/{name}"), script);
    platform::make_executable(&path);
    let mut command = project.command(["doctor", "--json"]);
    command
        .env("PATH", project.path().join("bin"))
        .output()
        .unwrap()
        .into()
}

#[test]
fn programs_are_found_with_their_version_and_place_or_missed() {
    let project = Project::new();
    let outcome = with_program(&project, "pwsh", "#!/bin/sh\necho 7.5.1\n").code(0);
    is(&outcome, "PowerShell 7", "good", "7.5.1, ");
    is(&outcome, "OpenSSH client", "note", "`ssh` is not on the PATH");
    is(&outcome, "Windows PowerShell", "absent", "on Windows only");
    let outcome = with_program(&project, "pwsh", "#!/bin/sh\necho broken >&2; exit 3\n").code(0);
    is(&outcome, "PowerShell 7", "note", "broken");
    let outcome = with_program(&project, "ssh", "#!/bin/sh\necho OpenSSH_9.2p1 >&2\n").code(0);
    is(&outcome, "OpenSSH client", "good", "OpenSSH_9.2p1");
}

#[test]
fn a_locale_without_utf_8_and_few_files_are_found() {
    let project = Project::new();
    let mut command = project.command(["doctor", "--json"]);
    let outcome: Outcome = command.env("LC_ALL", "POSIX").output().unwrap().into();
    is(&outcome, "locale", "note", "not UTF-8");
    let mut command = project.command(["doctor", "--json"]);
    let outcome: Outcome = command.env("LC_ALL", "C.UTF-8").output().unwrap().into();
    is(&outcome, "locale", "good", "UTF-8");

    let mut few = Command::new("sh");
    few.args([
        "-c",
        "ulimit -n 70; exec \"$0\" doctor --json",
        env!("CARGO_BIN_EXE_runbook"),
    ]);
    let few = few
        .env("RUNBOOK_STATE_DIR", project.state_dir())
        .output()
        .unwrap();
    is(&few.into(), "open files", "note", "70 now");
}

#[test]
fn a_terminal_tells_its_size() {
    let project = Project::new();
    for (columns, expected) in [(120, "120 columns"), (40, "40 columns")] {
        let terminal = project.at_terminal(columns, &["doctor"]);
        let (code, screen) = terminal.ends();
        assert_eq!(code, 0, "{screen}");
        let words = screen.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains(expected), "{screen}");
        assert!(words.contains("no colours"), "{screen}");
    }
}

#[test]
fn the_self_test_is_for_windows() {
    let project = Project::new();
    let outcome = project.run(["doctor", "--windows-selftest"]).code(2);
    outcome.tells("the self-test is for Windows, and this is another system");
    assert_eq!(project.read("runbook-selftest.txt"), None);
}

#[test]
fn a_database_is_looked_at_and_nothing_is_made_there() {
    let Some(server) = Server::start() else { return };
    let address = server.database("runs");
    let project = Project::new();
    let doctor = |address: &str| -> Outcome {
        let mut command = project.command(["doctor", "--json"]);
        command.env("RUNBOOK_JOURNAL", address).output().unwrap().into()
    };
    let outcome = doctor(&address).code(0);
    is(&outcome, "database", "good", "PostgreSQL 1");
    is(&outcome, "tables", "good", "none yet");
    is(&outcome, "database clock", "good", "agrees");
    let there = server.sql(
        "runs",
        "SELECT count(*) FROM pg_namespace WHERE nspname = 'runbook'",
    );
    assert_eq!(there.trim(), "0");
    let mut exec = project.command(["exec", "quickstart", "--rehearse"]);
    let ended: Outcome = exec.env("RUNBOOK_JOURNAL", &address).output().unwrap().into();
    ended.code(0);
    let outcome = doctor(&address).code(0);
    is(&outcome, "tables", "good", "version 4");
    is(&outcome, "journals", "good", "1 run, 0 carried out now");
    server.sql("runs", "UPDATE runbook.version SET version = 99");
    is(&doctor(&address).code(1), "tables", "bad", "version 99");
    let nobody = address.replace("/runs", "/nowhere");
    is(&doctor(&nobody).code(1), "database", "bad", "nowhere");
}
