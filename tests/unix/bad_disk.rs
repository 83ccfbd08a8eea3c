//! A disk that fills up, or can only be read: the run stops, says why, and goes on once that is put right.

use std::collections::BTreeSet;

use crate::bundles::{self, desks};
use crate::doctor::{doctor, is};
use crate::support::disk::Disk;
use crate::support::{Outcome, Project};

const STEPS: &str = "
  one:
    uses: command
    with: { run: [HELPER, append, DIR/one, done, then, flood, '9000'], validate: [HELPER, exists, DIR/one] }
  two:
    needs: one
    uses: command
    with: { run: [HELPER, append, DIR/two, done, then, flood, '9000'], validate: [HELPER, exists, DIR/two] }
";

/// Where the disk was full, that is what is told, with what to do; the answer is the code of the error.
#[track_caller]
fn told_of_a_full_disk(outcome: &Outcome, when: &str) -> String {
    let Outcome { code, stderr, .. } = outcome;
    // The state folder itself may not find room: as any other that cannot be used, it is bad input.
    let expected = if stderr.contains("the state folder") {
        2
    } else {
        70
    };
    assert_eq!(*code, expected, "{when}\n{stderr}");
    assert!(
        !stderr.contains("panicked") && !stderr.contains("RB0900"),
        "{when}\n{stderr}"
    );
    assert!(
        stderr.to_lowercase().contains("no space left on device") || stderr.contains("no storage space"),
        "{when}\n{stderr}"
    );
    assert!(stderr.contains("help"), "{when}\n{stderr}");
    let (_, error) = stderr
        .split_once("error[")
        .unwrap_or_else(|| panic!("{when}\n{stderr}"));
    error[..6].to_owned()
}

/// Carries the runbook out on a disk with more and more room, until there is enough. Each time before, the run is
/// stopped, and goes on once there is room.
#[track_caller]
fn goes_on_once_there_is_room(project: &Project, disk: &Disk, steps: usize, leave: impl Fn(u64)) {
    project.steps(STEPS);
    let mut told = BTreeSet::new();
    for free in (0..).step_by(steps) {
        for left in ["one", "two", "state/runs", "state/format"] {
            let path = project.path().join(left);
            let _absent = std::fs::remove_file(&path).or_else(|_| std::fs::remove_dir_all(&path));
        }
        leave(free);
        let when = format!("with {free} free");
        let carried = project.run(["exec", "steps.yaml"]);
        if carried.code == 0 {
            break;
        }
        told.insert(told_of_a_full_disk(&carried, &when));
        let listed = project.run(["list", "--json"]);
        let began = listed.code == 0 && listed.json().as_array().is_some_and(|runs| !runs.is_empty());
        if began {
            // What is there can be read, though the disk takes nothing more.
            project.run(["show", "steps"]).code(0).prints("one");
            told_of_a_full_disk(&project.run(["exec", "steps.yaml"]), &when);
        }
        if !began {
            // No run is named that is none.
            assert!(
                !carried.stderr.contains("runbook resume"),
                "{when}\n{}",
                carried.stderr
            );
            assert_eq!(carried.code, 2, "{when}\n{}", carried.stderr);
        }
        disk.make_room();
        let next = if began {
            ["resume", "steps"]
        } else {
            ["exec", "steps.yaml"]
        };
        project.run(next).code(0);
        for step in ["one", "two"] {
            assert_eq!(project.lines(step), ["done"], "{when}: `{step}` once and no more");
        }
        project.sound_entries("steps");
    }
    let all = ["RB0400", "RB0406"].map(str::to_owned);
    assert_eq!(told, all.into(), "it was full before the run was made, and after");
}

#[test]
fn wherever_a_disk_fills_up_the_run_stops_and_goes_on_once_there_is_room() {
    let project = Project::new();
    let disk = Disk::at(&project.state_dir(), 4096);
    goes_on_once_there_is_room(&project, &disk, 16, |kib| disk.leave(kib));
}

#[test]
fn a_disk_that_takes_no_more_files_stops_a_run_that_goes_on_once_there_is_room() {
    let project = Project::new();
    let disk = Disk::for_files(&project.state_dir(), 64);
    goes_on_once_there_is_room(&project, &disk, 1, |files| disk.leave_files(files));
}

#[test]
fn a_disk_that_can_only_be_read_is_read_and_not_written_to() {
    let project = Project::new();
    project.steps(
        "
  one: { uses: command, with: { run: [HELPER, append, DIR/log, one, then, say, hello] } }
  two: { needs: one, uses: manual, with: { instructions: Look. } }
  three: { needs: two, uses: command, with: { run: [HELPER, append, DIR/log, three] } }
",
    );
    let disk = Disk::at(&project.state_dir(), 4096);
    project.run(["exec", "steps.yaml"]).code(3);
    disk.read_only(true);
    project.run(["list"]).code(0).prints("waiting");
    project
        .run(["show", "steps"])
        .code(0)
        .prints("a person must do it");
    project.run(["log", "steps"]).code(0).prints("hello");
    project
        .run(["journal", "verify", "steps"])
        .code(0)
        .prints("the journal holds");
    for args in [
        &["resume", "steps"][..],
        &["confirm", "steps", "two"],
        &["cancel", "steps", "--why", "no"],
        &["rollback", "steps", "--yes"],
        &["exec", "steps.yaml"],
    ] {
        // What cannot even be begun is as any other state folder that cannot be used: bad input.
        let stopped = project
            .run(args)
            .code(if args[0] == "exec" { 2 } else { 70 })
            .tells("RB0400")
            .tells("Read-only file system");
        let help = if args[0] == "exec" {
            "start it again"
        } else {
            "then `runbook resume steps`"
        };
        stopped.tells(help);
    }
    assert_eq!(project.lines("log"), ["one"], "nothing was carried out");
    disk.read_only(false);
    project.run(["confirm", "steps", "two"]).code(0);
    project.run(["resume", "steps"]).code(0);
    assert_eq!(project.lines("log"), ["one", "three"]);
    project.sound_entries("steps");
}

#[test]
fn no_state_folder_can_be_made_on_a_disk_that_can_only_be_read() {
    let project = Project::new();
    project.steps(STEPS);
    let disk = Disk::at(&project.state_dir(), 64);
    disk.read_only(true);
    for args in [&["list"][..], &["exec", "steps.yaml"]] {
        project
            .run(args)
            .code(2)
            .tells("RB0400")
            .tells("Read-only file system")
            .tells("--state-dir");
    }
    assert!(!project.has("one"));
}

#[test]
fn a_bundle_is_written_and_read_whole_or_not_at_all() {
    let project = Project::new();
    let (alice, bob) = desks(&project);
    let text = format!(
        "{}  flood: {{ uses: command, with: {{ run: [HELPER, flood, '90000'] }} }}\n",
        bundles::STEPS
    );
    project.steps(&text);
    alice.run(&["exec", "steps.yaml"]).code(3);
    let disk = Disk::at(&project.path().join("small"), 64);
    disk.leave(0);
    let export = [
        "export",
        "steps",
        "-o",
        "small/a.tar.zst",
        "--handoff",
        "--to",
        "bob",
    ];
    let full = alice.run(&export);
    assert_ne!(full.code, 0, "{}", full.stderr);
    assert!(full.stderr.contains("RB0521"), "{}", full.stderr);
    assert!(!project.has("small/a.tar.zst"));
    drop(disk);
    alice
        .run(&["export", "steps", "-o", "a.tar.zst", "--handoff", "--to", "bob"])
        .code(0);
    std::fs::create_dir_all(bob.state()).unwrap();
    let disk = Disk::at(&bob.state(), 4096);
    bob.run(&["list"]).code(0);
    disk.leave(40);
    let full = bob.run(&["import", "a.tar.zst"]);
    assert!([2, 70].contains(&full.code), "{}", full.stderr);
    disk.make_room();
    bob.has_no_runs();
    bob.run(&["import", "a.tar.zst"]).code(0);
    bob.run(&["journal", "verify", "steps"]).code(0);
}

#[test]
fn doctor_finds_a_disk_in_memory_a_full_one_and_one_to_be_read_only() {
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
