//! `doctor`: sound surroundings, and broken ones of every kind.

use serde_json::Value;

#[cfg(unix)]
use crate::shared_runs::server::Server;
use crate::support::{Outcome, Project};

/// What is found of one thing.
fn found(outcome: &Outcome, check: &str) -> Value {
    let findings = outcome.json()["findings"].clone();
    let mut findings = findings.as_array().unwrap().clone();
    findings.retain(|one| one["check"] == check);
    // The worst counts.
    findings.sort_by_key(|one| {
        ["absent", "good", "note", "bad"]
            .iter()
            .position(|health| one["health"] == *health)
    });
    findings
        .pop()
        .unwrap_or_else(|| panic!("nothing about {check}: {}", outcome.stdout))
}

#[track_caller]
fn is(outcome: &Outcome, check: &str, health: &str, text: &str) {
    let found = found(outcome, check);
    assert_eq!(found["health"], health, "{found}");
    assert!(found["found"].as_str().unwrap().contains(text), "{found}");
    let says_what_to_do = found["do"].as_str().is_some_and(|text| !text.is_empty());
    assert_eq!(says_what_to_do, matches!(health, "note" | "bad"), "{found}");
}

fn doctor(project: &Project) -> Outcome {
    project.run(["doctor", "--json"])
}

/// A project with a run that is over.
fn with_a_run() -> (Project, String) {
    let project = Project::new();
    project.run(["exec", "quickstart", "--rehearse"]).code(0);
    let id = project.only_run()["run"].as_str().unwrap().to_owned();
    (project, id)
}

#[test]
fn sound_surroundings_are_fit_and_nothing_is_made() {
    let project = Project::new();
    let outcome = doctor(&project).code(0);
    assert_eq!(outcome.json()["fit"], true);
    is(&outcome, "state folder", "good", "the first run makes it");
    is(&outcome, "clock", "good", "20");
    is(&outcome, "OpenSSL", "good", "OpenSSL 3");
    is(&outcome, "terminal", "absent", "nobody can be asked");
    assert!(!project.state_dir().exists());
    let text = project.run(["doctor"]).code(0);
    for check in [
        "state folder",
        "disk",
        "clock",
        "open files",
        "OpenSSL",
        "terminal",
        "locale",
        "PowerShell 7",
        "OpenSSH client",
    ] {
        assert!(text.stdout.contains(check), "{}", text.stdout);
    }
}

#[test]
fn journals_are_listed_and_on_request_verified() {
    let (project, _) = with_a_run();
    let outcome = doctor(&project).code(0);
    is(&outcome, "state folder", "good", "private");
    is(&outcome, "journals", "good", "1 run, 0 carried out now");
    let outcome = project.run(["doctor", "--json", "--verify"]).code(0);
    is(&outcome, "journals", "good", "1 of 1 run verified");
}

#[test]
fn a_damaged_journal_is_found_and_named() {
    let (project, id) = with_a_run();
    let name = project.run_name();
    let file = project.state_dir().join("runs").join(&id).join("sealed");
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes.truncate(middle);
    std::fs::write(&file, bytes).unwrap();
    let outcome = project.run(["doctor", "--json", "--verify"]).code(1);
    is(&outcome, "journals", "bad", &name);
    assert_eq!(outcome.json()["fit"], false);
    let text = project.run(["doctor", "--verify"]).code(1);
    assert!(text.stdout.contains("✗ journals"), "{}", text.stdout);
    text.tells("1 thing to put right first");

    project.write(&format!("state/runs/{id}/summary.json"), "?");
    is(&doctor(&project).code(1), "journals", "bad", "cannot be listed");
}

#[test]
fn a_clock_behind_the_journals_is_found() {
    let (project, id) = with_a_run();
    let file = format!("state/runs/{id}/summary.json");
    let mut summary: Value = serde_json::from_str(&project.read(&file).unwrap()).unwrap();
    summary["updated"] = "2090-01-01T00:00:00Z".into();
    project.write(&file, &summary.to_string());
    is(&doctor(&project).code(1), "clock", "bad", "was written at 2090");
}

#[test]
fn folders_that_cannot_be_used_are_told_apart() {
    let project = Project::new();
    std::fs::write(project.state_dir(), "a file").unwrap();
    assert_eq!(found(&doctor(&project).code(1), "state folder")["health"], "bad");

    let (project, _) = with_a_run();
    project.write("state/format", "runbook-state 99\n");
    is(&doctor(&project).code(1), "state folder", "bad", "99");
    project.write("state/format", "something else\n");
    is(
        &doctor(&project).code(1),
        "state folder",
        "bad",
        "not yours to use",
    );
}

#[cfg(unix)]
#[test]
fn the_self_test_is_for_windows() {
    let project = Project::new();
    let outcome = project.run(["doctor", "--windows-selftest"]).code(2);
    outcome.tells("the self-test is for Windows, and this is another system");
    assert_eq!(project.read("runbook-selftest.txt"), None);
}

/// What wine says. Windows itself may say more of it is well.
#[cfg(windows)]
#[test]
fn the_self_test_tries_everything_and_writes_a_report_without_names() {
    let project = Project::new();
    let before = folders_of_self_tests();
    let outcome = project.run(["doctor", "--windows-selftest", "--json", "--report", "report.txt"]);
    for (check, text) in [
        ("private files", "this account's and the system's alone"),
        ("locks", "one has it, another is refused, and gets it afterwards"),
        ("flushing", "ms for each write"),
        ("long paths", "was written, renamed and read"),
        ("named pipe", "a visitor was told something, and told it back"),
        ("job objects", "ended together"),
        ("kill on close", "ended with the program that had started them"),
        ("journal", "the step was in doubt, and the run went on"),
        ("key store", "a secret was kept, read and removed"),
        ("code pages", "own 65001"),
        ("time", "time zone"),
        ("folder", "gone again"),
    ] {
        is(&outcome, check, "good", text);
    }
    is(&outcome, "console", "absent", "without a window");
    let report = project.read("report.txt").unwrap();
    assert!(report.contains("good    locks: one has it"), "{report}");
    for name in ["USERNAME", "COMPUTERNAME"] {
        let name = std::env::var(name).unwrap();
        let words: Vec<&str> = report.split(|letter: char| !letter.is_alphanumeric()).collect();
        assert!(!words.contains(&name.as_str()), "{name} is in {report}");
    }
    assert_eq!(folders_of_self_tests(), before, "something is left");
}

/// What stands in the folder for temporary files of this self-test and of earlier ones, which may have been killed.
#[cfg(windows)]
fn folders_of_self_tests() -> Vec<String> {
    let found = std::fs::read_dir(std::env::temp_dir()).unwrap();
    let names = found.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names
        .filter(|name| name.starts_with("runbook-selftest-"))
        .collect()
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::PermissionsExt as _;
    use std::process::Command;

    use super::{doctor, is, with_a_run};
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
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
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
}

#[cfg(target_os = "linux")]
mod disks {
    use super::{doctor, is};
    use crate::support::Project;
    use crate::support::disk::Disk;

    #[test]
    fn a_disk_in_memory_a_full_one_and_one_to_be_read_only_are_found() {
        let project = Project::new();
        let disk = Disk::at(&project.state_dir(), 40 * 1024);
        is(&doctor(&project).code(0), "disk", "note", "in memory");
        disk.leave(100);
        is(&doctor(&project).code(1), "disk", "bad", "too little");
        disk.make_room();
        project.run(["exec", "quickstart", "--rehearse"]).code(0);
        disk.read_only(true);
        is(
            &doctor(&project).code(1),
            "state folder",
            "bad",
            "cannot be written to",
        );
    }
}

#[cfg(unix)]
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
