//! Damaged, newer and missing files: a clear answer for the run that they belong to, and none for the others.

use std::path::{Path, PathBuf};

use crate::support::{Outcome, Project};

const STEPS: &str = "
  one: { uses: command, with: { run: [HELPER, flood, '40000'] } }
  two: { needs: one, uses: manual, with: { instructions: Look. } }
";

/// A project with two runs, `steps` and `other`, and the folder of `steps`.
fn two_runs() -> (Project, PathBuf) {
    let project = Project::new();
    project.steps(STEPS);
    project.run(["exec", "steps.yaml"]).code(3);
    let id = project.only_run()["run"].as_str().unwrap().to_owned();
    let folder = project.state_dir().join("runs").join(id);
    project.write(
        "other.yaml",
        "runbook: other\nsteps:\n  look: { uses: manual, with: { instructions: Look. } }\n",
    );
    project.run(["exec", "other.yaml"]).code(3);
    (project, folder)
}

/// The run that was not touched can still be listed, shown and gone on with.
#[track_caller]
fn other_is_well(project: &Project) {
    project.run(["list"]).code(0).prints("other-").prints("waiting");
    assert_eq!(project.statuses("other"), ["look: waiting"]);
    project.run(["resume", "other"]).code(3);
}

/// An answer that people can do something with; never a panic.
#[track_caller]
fn sensible(outcome: &Outcome, what: &str) {
    let Outcome { code, stderr, .. } = outcome;
    assert!([0, 1, 3, 70].contains(code), "{what}: exit code {code}\n{stderr}");
    assert!(!stderr.contains("panicked"), "{what}\n{stderr}");
    if *code == 70 {
        assert!(
            stderr.contains("RB0404") || stderr.contains("RB0405"),
            "{what}\n{stderr}"
        );
        assert!(stderr.contains("help"), "{what}\n{stderr}");
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut all = Vec::new();
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            all.push(path);
        }
    }
    all.sort();
    all
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for file in files(from) {
        let copy = to.join(file.strip_prefix(from).unwrap());
        std::fs::create_dir_all(copy.parent().unwrap()).unwrap();
        std::fs::copy(file, copy).unwrap();
    }
}

/// The ways in which a file is damaged: what is left of it, none where it is deleted.
fn damages(bytes: &[u8]) -> Vec<(String, Option<Vec<u8>>)> {
    let flip = |at: usize| {
        let mut flipped = bytes.to_vec();
        flipped[at] ^= 0x40;
        (format!("flipped at {at}"), Some(flipped))
    };
    let mut all = vec![
        ("deleted".to_owned(), None),
        ("emptied".to_owned(), Some(Vec::new())),
        ("cut in half".to_owned(), Some(bytes[..bytes.len() / 2].to_vec())),
    ];
    all.extend(
        [1, 7, 20]
            .iter()
            .filter(|_| !bytes.is_empty())
            .map(|part| flip(bytes.len() * part / 23)),
    );
    all
}

#[test]
fn whatever_is_damaged_the_answer_is_clear_and_other_runs_are_well() {
    let (project, folder) = two_runs();
    let id = folder.file_name().unwrap().to_str().unwrap();
    let backup = project.path().join("backup");
    copy(&folder, &backup);
    let mut found = 0;
    for file in files(&backup) {
        let name = file.strip_prefix(&backup).unwrap();
        for (how, left) in damages(&std::fs::read(&file).unwrap()) {
            std::fs::remove_dir_all(&folder).unwrap();
            copy(&backup, &folder);
            match left {
                Some(bytes) => std::fs::write(folder.join(name), bytes).unwrap(),
                None => std::fs::remove_file(folder.join(name)).unwrap(),
            }
            let what = format!("{} {how}", name.display());
            project.run(["list"]).code(0).prints("other-");
            let verified = project.run(["journal", "verify", id]);
            sensible(&verified, &what);
            let shown = project.run(["show", id]);
            sensible(&shown, &what);
            let resumed = project.run(["resume", id]);
            sensible(&resumed, &what);
            // The lock and the summary are no part of the journal.
            let spare = ["lock", "summary.json"]
                .iter()
                .any(|spare| name == Path::new(spare));
            if spare {
                assert_eq!((verified.code, shown.code, resumed.code), (0, 0, 3), "{what}");
            } else if verified.code != 0 {
                found += 1;
                assert_ne!(
                    resumed.code, 3,
                    "{what}: it went on although it cannot be trusted"
                );
            }
        }
    }
    assert!(found >= 12, "only {found} damages were found");
    other_is_well(&project);
}

#[test]
fn a_run_without_its_summary_is_listed_as_unreadable_and_can_be_resumed() {
    let (project, folder) = two_runs();
    std::fs::remove_file(folder.join("summary.json")).unwrap();
    let id = folder.file_name().unwrap().to_str().unwrap();
    project
        .run(["list"])
        .code(0)
        .prints(id)
        .prints("unreadable")
        .prints("other-");
    project.run(["resume", id]).code(3);
    project.run(["list"]).code(0).prints("steps-").prints("waiting");
    other_is_well(&project);
}

#[test]
fn a_damaged_run_is_listed_with_what_was_known_of_it() {
    let (project, folder) = two_runs();
    std::fs::write(folder.join("db").join("db"), "").unwrap();
    project.run(["list"]).code(0).prints("steps-").prints("other-");
    for args in [&["show", "steps"][..], &["resume", "steps"], &["log", "steps"]] {
        project
            .run(args)
            .code(70)
            .tells("RB0404")
            .tells("the journal is damaged")
            .tells("from a backup");
    }
    project
        .run(["journal", "verify", "steps"])
        .code(70)
        .tells("RB0404");
    other_is_well(&project);
}

#[test]
fn an_entry_that_was_changed_is_found() {
    let (project, folder) = two_runs();
    let path = folder.join("head");
    let head = std::fs::read_to_string(&path).unwrap();
    let hash = head.trim_end().rsplit(' ').next().unwrap();
    let other: String = hash.chars().rev().collect();
    std::fs::write(&path, head.replace(hash, &other)).unwrap();
    project
        .run(["journal", "verify", "steps"])
        .code(1)
        .prints("entry")
        .tells("the journal cannot be trusted");
    project.run(["resume", "steps"]).code(70).tells("RB0404");
    other_is_well(&project);
}

#[test]
fn a_run_that_a_newer_program_wrote_is_refused() {
    let (project, folder) = two_runs();
    let path = folder.join("head");
    let head = std::fs::read_to_string(&path).unwrap();
    assert!(head.starts_with("runbook-journal 1 "), "{head}");
    std::fs::write(&path, head.replacen(" 1 ", " 2 ", 1)).unwrap();
    for args in [
        &["show", "steps"][..],
        &["resume", "steps"],
        &["rollback", "steps", "--yes"],
    ] {
        project.run(args).code(70).tells("RB0405").tells("newer program");
    }
    project.run(["list"]).code(0).prints("steps-");
    other_is_well(&project);
    std::fs::write(&path, head).unwrap();
    project.run(["resume", "steps"]).code(3);
}

// A folder without permissions stops no test that runs as root; a file where the folder should be stops all.
#[test]
fn a_state_folder_that_cannot_be_used_is_told_before_anything_is_carried_out() {
    let project = Project::new();
    project.write("state", "a file");
    project.steps("\n  one: { uses: command, with: { run: [HELPER, append, DIR/log, one] } }\n");
    for args in [
        &["exec", "steps.yaml"][..],
        &["list"],
        &["show", "x"],
        &["resume", "x"],
    ] {
        project
            .run(args)
            .code(2)
            .tells("RB0400")
            .tells("state` cannot be used")
            .tells("--state-dir");
    }
    assert!(!project.has("log"), "nothing was carried out");
}

#[test]
fn a_run_that_does_not_exist_is_told() {
    let project = Project::new();
    let asked = [
        &["show", "nowhere"][..],
        &["resume", "nowhere"],
        &["journal", "verify", "nowhere"],
    ];
    for args in asked {
        let told = project.run(args).code(2).tells("RB0401").tells("`nowhere`");
        told.tells("RUNBOOK_STATE_DIR");
    }
    project.steps(STEPS);
    project.run(["exec", "steps.yaml"]).code(3);
    for args in asked {
        let told = project.run(args).code(2).tells("RB0401").tells("`nowhere`");
        told.tells("runbook list");
    }
    project.run(["exec", "steps.yaml"]).code(3);
    project.run(["show", "steps"]).code(2).tells("RB0402");
}
