//! Finished runs are kept as one small file each, and everything works on them as before.

use std::path::PathBuf;

use crate::support::{Project, until};

const STEPS: &str = "
  one: { uses: command, with: { run: [HELPER, say, on my way, then, append, DIR/log, one], rollback: [HELPER, append, DIR/log, undone] } }
  look: { needs: one, uses: manual, with: { instructions: Look., collect: { seen: { type: string } } } }
";

fn folder(project: &Project) -> PathBuf {
    let id = project.only_run()["run"].as_str().unwrap().to_owned();
    project.state_dir().join("runs").join(id)
}

fn is_sealed(project: &Project) -> bool {
    let folder = folder(project);
    let (file, db) = (folder.join("sealed").exists(), folder.join("db").exists());
    assert_ne!(file, db, "it is kept twice, or not at all");
    file
}

/// A run that is completed, with a transcript and a file that proves it.
fn completed() -> Project {
    completed_with(b"proof")
}

fn completed_with(proof: &[u8]) -> Project {
    let project = Project::new();
    project.steps(STEPS);
    std::fs::write(project.path().join("proof.txt"), proof).unwrap();
    project.run(["exec", "steps.yaml"]).code(3);
    assert!(!is_sealed(&project), "it is sealed, and waits");
    let confirm = [
        "confirm",
        "steps",
        "look",
        "--value",
        "seen=row",
        "--attach",
        "proof.txt",
    ];
    project.run(confirm).code(0);
    assert!(is_sealed(&project), "it is finished, and not sealed");
    project
}

#[test]
fn a_run_with_a_large_file_is_sealed_too_and_gives_the_file_back() {
    // Nothing in it repeats, so that nothing makes it smaller.
    let large: Vec<u8> = (0..20_u32 << 18)
        .flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes())
        .collect();
    let project = completed_with(&large);
    project
        .run(["journal", "verify", "steps"])
        .code(0)
        .prints("1 attachment");
    project.run(["log", "steps"]).code(0).prints("│ on my way");
    // It goes on from the file, and is sealed again.
    project.run(["rollback", "steps", "--yes"]).code(0);
    assert!(is_sealed(&project), "it is rolled back, and not sealed");
    project
        .run(["journal", "verify", "steps"])
        .code(0)
        .prints("1 attachment");
}

#[test]
fn a_finished_run_shows_and_proves_everything_as_before() {
    let project = completed();
    project.run(["list"]).code(0).prints("completed");
    assert_eq!(project.statuses("steps"), ["one: succeeded", "look: succeeded"]);
    project.run(["log", "steps"]).code(0).prints("│ on my way");
    project
        .run(["report", "steps", "--format", "md"])
        .code(0)
        .prints("proof.txt");
    project
        .run(["journal", "verify", "steps"])
        .code(0)
        .prints("1 attachment");
    project.run(["export", "steps", "-o", "steps.tar.zst"]).code(0);
    project
        .run(["journal", "verify", "steps.tar.zst"])
        .code(0)
        .prints("1 attachment");
    project.run(["exec", "--like", "steps", "--rehearse"]).code(0);
    // What is not possible any more is refused, and changes nothing.
    let id = project.run(["list", "--json"]).code(0).json()[1]["name"].clone();
    let name = id.as_str().unwrap();
    project.run(["approve", name, "one", "--yes"]).code(2);
    project
        .run(["confirm", name, "look", "--value", "seen=x"])
        .code(2)
        .tells("so it cannot be confirmed");
    project
        .run(["cancel", name, "--why", "no"])
        .code(2)
        .tells("is completed");
    project.run(["resume", name]).code(0);
    project.run(["prune", "--keep", "0", "--yes"]).code(0);
    project.run(["list", "--json"]).code(0).prints("[]");
}

#[test]
fn a_sealed_run_can_be_rolled_back_and_is_sealed_again() {
    let project = completed();
    let before = project.events("steps");
    let undo = ["rollback", "steps", "--why", "it broke", "--yes"];
    project.run(undo).code(0);
    assert_eq!(project.lines("log"), ["one", "undone"]);
    assert!(is_sealed(&project));
    let after = project.events("steps");
    assert_eq!(after[..before.len()], before, "what was there before was changed");
    project
        .run(["journal", "verify", "steps"])
        .code(0)
        .prints("1 attachment");
    project.run(["log", "steps"]).code(0).prints("│ on my way");
}

#[test]
fn a_rollback_of_a_sealed_run_that_is_killed_goes_on() {
    let project = Project::new();
    project.steps(
        "
  one:
    uses: command
    with:
      run: [HELPER, append, DIR/log, one]
      rollback: [HELPER, append, DIR/log, undoing, then, until, DIR/go]
",
    );
    project.run(["exec", "steps.yaml"]).code(0);
    assert!(is_sealed(&project));
    let undo = ["rollback", "steps", "--why", "it broke", "--yes"];
    let running = project.start(undo);
    until("it is under way", || project.lines("log").len() == 2);
    running.kill();
    assert!(!is_sealed(&project));
    project.run(["journal", "verify", "steps"]).code(0);
    project.write("go", "");
    project.run(["resume", "steps"]).code(4);
    let decide = ["decide", "steps", "one", "done", "--why", "I looked"];
    project.run(decide).code(0);
    assert_eq!(project.only_run()["status"], "rolled_back");
    assert!(is_sealed(&project));
    assert_eq!(project.lines("log"), ["one", "undoing"]);
}
