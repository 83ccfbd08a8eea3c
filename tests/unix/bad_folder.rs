//! State folders that are somebody else's, another program's, or a newer version's: nothing in them is touched.

use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;

use crate::support::{Outcome, Project};

/// The account `nobody`.
const NOBODY: u32 = 65534;

const STEPS: &str = "\n  one: { uses: command, with: { run: [HELPER, append, DIR/log, one] } }\n";

const COMMANDS: [&[&str]; 4] = [
    &["exec", "steps.yaml"],
    &["list"],
    &["show", "steps"],
    &["resume", "steps"],
];

#[track_caller]
fn as_root() {
    assert!(
        nix::unistd::geteuid().is_root(),
        "this test gives files to another account: run it as root, as `.ci/run` does"
    );
}

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// The names and contents of all files below a folder.
fn contents(folder: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut all = Vec::new();
    for path in std::fs::read_dir(folder)
        .unwrap()
        .map(|found| found.unwrap().path())
    {
        if path.is_dir() {
            all.extend(contents(&path));
        } else {
            let bytes = std::fs::read(&path).unwrap();
            all.push((path, bytes));
        }
    }
    all.sort();
    all
}

#[test]
fn nobody_writes_into_the_state_folder_of_another_account_not_even_root() {
    as_root();
    let project = Project::new();
    project.steps(STEPS);
    project.run(["exec", "steps.yaml"]).code(0);
    for folder in [project.state_dir().join("runs"), project.state_dir()] {
        chown(&folder, Some(NOBODY), None).unwrap();
        let before = contents(&project.state_dir());
        for args in COMMANDS {
            project
                .run(args)
                .code(2)
                .tells("RB0407")
                .tells("belongs to `nobody`")
                .tells("use the account that it belongs to");
        }
        assert_eq!(contents(&project.state_dir()), before, "nothing was touched");
        chown(&folder, Some(0), None).unwrap();
    }
    project.run(["show", "steps"]).code(0);
    assert_eq!(project.lines("log"), ["one"]);
}

#[test]
fn an_account_that_may_not_enter_a_state_folder_is_told_whose_it_is() {
    as_root();
    let project = Project::new();
    project.steps(STEPS);
    project.run(["exec", "steps.yaml"]).code(0);
    mode(project.path(), 0o755);
    let program = project.path().join("runbook");
    std::fs::copy(env!("CARGO_BIN_EXE_runbook"), &program).unwrap();
    for args in COMMANDS {
        let mut command = std::process::Command::new(&program);
        command
            .args(args)
            .current_dir(project.path())
            .env("RUNBOOK_STATE_DIR", project.state_dir())
            .uid(NOBODY)
            .gid(NOBODY);
        let outcome: Outcome = command.output().unwrap().into();
        outcome.code(2).tells("RB0407").tells("belongs to `root`");
    }
    assert_eq!(project.lines("log"), ["one"]);
}

#[test]
fn a_state_folder_that_everybody_may_change_is_refused_until_the_right_is_taken_away() {
    let project = Project::new();
    project.steps(STEPS);
    project.run(["exec", "steps.yaml"]).code(0);
    mode(&project.state_dir(), 0o777);
    for args in COMMANDS {
        project
            .run(args)
            .code(2)
            .tells("RB0407")
            .tells("every account of this machine may change");
    }
    assert_eq!(project.lines("log"), ["one"]);
    mode(&project.state_dir(), 0o700);
    project.run(["show", "steps"]).code(0);
    // Where each account may change its own files only, as in `/tmp`, the runs are safe.
    mode(&project.state_dir(), 0o1777);
    project.run(["show", "steps"]).code(0);
}

#[test]
fn the_folder_of_another_program_is_left_alone() {
    let project = Project::new();
    project.steps(STEPS);
    let theirs = "state/runs/01890a5d-ac96-774b-bcce-b302099a8057/measurement.csv";
    let file = project.write(theirs, "1;2;3\n");
    for args in COMMANDS {
        project
            .run(args)
            .code(2)
            .tells("RB0407")
            .tells("was not put there by `runbook`")
            .tells("--state-dir");
    }
    assert_eq!(std::fs::read_to_string(file).unwrap(), "1;2;3\n");
    assert!(!project.has("state/format") && !project.has("log"));
}

#[test]
fn what_a_program_of_the_future_has_made_is_left_to_it() {
    let project = Project::new();
    project.steps(STEPS);
    project.run(["exec", "steps.yaml"]).code(0);
    let format = project.state_dir().join("format");
    assert_eq!(std::fs::read_to_string(&format).unwrap(), "runbook-state 1\n");
    std::fs::write(&format, "runbook-state 2\n").unwrap();
    let before = contents(&project.state_dir());
    for args in COMMANDS {
        project
            .run(args)
            .code(2)
            .tells("RB0405")
            .tells("was made by a newer program")
            .tells("or a newer one");
    }
    assert_eq!(contents(&project.state_dir()), before);
    std::fs::write(&format, "something else\n").unwrap();
    project.run(["list"]).code(2).tells("RB0407");
    std::fs::remove_file(&format).unwrap();
    project.run(["show", "steps"]).code(0);
    assert!(format.exists(), "it is made again beside runs of ours");
}
