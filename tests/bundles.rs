//! Bundles: a run in one file goes from one state folder to another, back and forth, whole or not at all.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::platform;
use crate::support::entries::sound;
use crate::support::{Outcome, Project, until};

pub(crate) const STEPS: &str = "
  made: { uses: command, with: { run: [HELPER, append, DIR/log, made, then, say, all is well] } }
  by-hand: { needs: made, uses: manual, with: { instructions: Look., attach: [{ name: proof, optional: true }] } }
  last: { needs: by-hand, uses: command, with: { run: [HELPER, append, DIR/log, last] } }
";

/// A machine of its own: a state folder, and somebody who sits there.
pub(crate) struct Desk<'a> {
    project: &'a Project,
    operator: &'static str,
}

impl Desk<'_> {
    pub(crate) fn state(&self) -> PathBuf {
        self.project.path().join(format!("state-of-{}", self.operator))
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.project.command(args);
        command
            .env("RUNBOOK_STATE_DIR", self.state())
            .env("RUNBOOK_OPERATOR", self.operator);
        command
    }

    #[track_caller]
    pub(crate) fn run(&self, args: &[&str]) -> Outcome {
        self.command(args).output().unwrap().into()
    }

    #[track_caller]
    fn entries(&self, run: &str) -> Vec<Value> {
        let log = self.run(&["log", run, "--json"]).code(0).json_lines();
        log.into_iter()
            .filter(|line| line.get("event").is_some())
            .collect()
    }

    /// Nothing was taken in.
    #[track_caller]
    pub(crate) fn has_no_runs(&self) {
        assert_eq!(self.run(&["list", "--json"]).code(0).json(), json!([]));
    }

    /// Moves the run to another desk.
    #[track_caller]
    fn hands_to(&self, run: &str, other: &Desk<'_>, file: &str) {
        let export = [
            "export",
            run,
            "-o",
            file,
            "--handoff",
            "--to",
            other.operator,
            "--note",
            "mind the gap",
        ];
        self.run(&export).code(0).tells("is moved");
        other
            .run(&["import", file])
            .code(0)
            .prints("the bundle holds")
            .tells("mind the gap");
    }
}

pub(crate) fn desks(project: &Project) -> (Desk<'_>, Desk<'_>) {
    let desk = |operator| Desk { project, operator };
    (desk("alice"), desk("bob"))
}

/// Gives each a key, and gives their lines for `operators.yaml`.
pub(crate) fn with_keys(desks: &[&Desk<'_>]) -> String {
    let line = |desk: &&Desk<'_>| {
        desk.run(&["identity", "new"]).code(0);
        let roles = ["farm-admin", "tenant-admin", "change-owner"];
        let roles = roles.iter().flat_map(|role| ["--role", role]);
        let export: Vec<&str> = ["identity", "export"].into_iter().chain(roles).collect();
        desk.run(&export).code(0).stdout
    };
    desks.iter().map(line).collect()
}

/// Alice's run, which waits for manual work.
fn waiting(project: &Project) {
    project.steps(STEPS);
    desks(project).0.run(&["exec", "steps.yaml"]).code(3);
}

#[test]
fn two_desks_pass_the_flagship_back_and_forth() {
    let project = Project::new();
    let (alice, bob) = desks(&project);
    let both = with_keys(&[&alice, &bob]);
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("runbooks/hybrid-s2s.yaml");
    std::fs::copy(shipped, project.path().join("hybrid-s2s.yaml")).unwrap();
    project.write("operators.yaml", &format!("operators:\n{both}"));
    let mut begin = vec!["exec", "hybrid-s2s.yaml", "--rehearse"];
    for step in ["allow-tenant-change", "manage-trust"] {
        begin.extend(["--rehearse-fail", step]);
    }
    let settled = |desk: &Desk<'_>, step: &str| {
        desk.run(&["decide", "hybrid", step, "done", "--why", "seen"])
            .code(0);
    };
    alice.run(&begin).code(1);
    alice.hands_to("hybrid", &bob, "one.tar.zst");
    alice.run(&["resume", "hybrid"]).code(5).tells("RB0505");
    settled(&bob, "allow-tenant-change");
    bob.run(&["resume", "hybrid"]).code(1);
    bob.hands_to("hybrid", &alice, "two.tar.zst");
    bob.run(&["resume", "hybrid"]).code(5).tells("RB0505");
    settled(&alice, "manage-trust");
    alice.run(&["resume", "hybrid"]).code(0).tells("is completed");
    alice.hands_to("hybrid", &bob, "three.tar.zst");
    let entries = bob.entries("hybrid");
    sound(&entries);
    let mut verified: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry["event"] == "verified") {
        *verified.entry(entry["step"].as_str().unwrap()).or_default() += 1;
    }
    assert!(
        verified.len() > 10 && verified.values().all(|&times| times == 1),
        "{verified:?}"
    );
    let by = |event: &str| -> Vec<&Value> {
        let found = entries.iter().filter(|entry| entry["event"] == event);
        found.map(|entry| &entry["operator"]).collect()
    };
    assert_eq!(by("moved_out"), ["alice", "bob", "alice"]);
    assert_eq!(by("moved_in"), ["bob", "alice", "bob"]);
    assert!(by("attempt_started").contains(&&Value::from("bob")));
    let proof = format!("authors: {} proven, 0 claimed", entries.len());
    for desk in [&alice, &bob] {
        desk.run(&["journal", "verify", "hybrid", "--operators", "operators.yaml"])
            .code(0)
            .prints("the journal holds");
    }
    bob.run(&["journal", "verify", "hybrid"]).code(0).prints(&proof);
    for file in ["one.tar.zst", "two.tar.zst", "three.tar.zst"] {
        bob.run(&["journal", "verify", file, "--operators", "operators.yaml"])
            .code(0)
            .prints("the bundle holds");
    }
}

#[test]
fn a_bundle_holds_transcripts_attachments_and_secrets_of_nobody_and_is_private() {
    let project = Project::new();
    waiting(&project);
    let (alice, bob) = desks(&project);
    project.write("proof.txt", "a photograph");
    alice
        .run(&["confirm", "steps", "by-hand", "--attach", "proof.txt"])
        .code(0);
    let exported = alice.run(&["export", "steps", "-o", "a.tar.zst"]).code(0);
    exported.prints("1 transcript, 1 attachment");
    assert!(platform::is_private(&project.path().join("a.tar.zst")));
    alice
        .run(&["export", "steps", "-o", "a.tar.zst"])
        .code(2)
        .tells("RB0520");
    bob.run(&["import", "a.tar.zst"]).code(0).tells("this is a copy");
    bob.run(&["log", "steps"]).code(0).prints("all is well");
    bob.run(&["journal", "verify", "steps"])
        .code(0)
        .prints("1 attachment");
    bob.run(&["list"]).code(0).prints("a copy, to be read");
    let refused = bob.run(&["resume", "steps"]).code(5);
    refused.tells("RB0424").tells("--take-over --why");
    bob.run(&["import", "a.tar.zst"]).code(2).tells("RB0423");
    alice.run(&["resume", "steps"]).code(0);
    assert_eq!(project.lines("log"), ["made", "last"]);
    // The copy follows, as long as it is one.
    alice.run(&["export", "steps", "-o", "b.tar.zst"]).code(0);
    bob.run(&["import", "b.tar.zst"]).code(0);
    assert_eq!(bob.entries("steps"), alice.entries("steps"));
}

#[test]
fn a_run_is_moved_to_nobody_else_than_who_is_named() {
    let project = Project::new();
    waiting(&project);
    let (alice, bob) = desks(&project);
    let export = ["export", "steps", "-o", "a.tar.zst", "--handoff"];
    alice.run(&export).code(2);
    alice
        .run(&[&export[..], &["--to", "alice"]].concat())
        .code(2)
        .tells("RB0500");
    assert!(!project.has("a.tar.zst"));
    alice.run(&[&export[..], &["--to", "bob"]].concat()).code(0);
    let carol = Desk {
        project: &project,
        operator: "carol",
    };
    carol
        .run(&["import", "a.tar.zst"])
        .code(5)
        .tells("offered to bob");
    carol.run(&["list"]).code(0).tells("no runs");
    alice
        .run(&["show", "steps"])
        .code(0)
        .prints("moved to another place for bob");
    alice
        .run(&["confirm", "steps", "by-hand"])
        .code(5)
        .tells("RB0505");
    // The file is lost on its way: the same again.
    alice
        .run(&[
            "export",
            "steps",
            "-o",
            "again.tar.zst",
            "--handoff",
            "--to",
            "bob",
        ])
        .code(0);
    bob.run(&["import", "again.tar.zst"]).code(0);
    bob.run(&["confirm", "steps", "by-hand"]).code(0);
    bob.run(&["resume", "steps"]).code(0);
    assert_eq!(project.lines("log"), ["made", "last"]);
}

#[test]
fn two_continuations_of_one_run_are_shown_and_never_merged() {
    let project = Project::new();
    waiting(&project);
    let (alice, bob) = desks(&project);
    alice.run(&["export", "steps", "-o", "a.tar.zst"]).code(0);
    bob.run(&["import", "a.tar.zst"]).code(0);
    bob.run(&[
        "accept",
        "steps",
        "--take-over",
        "--why",
        "alice's disk is broken",
    ])
    .code(0);
    bob.run(&["confirm", "steps", "by-hand"]).code(0);
    alice
        .run(&["confirm", "steps", "by-hand", "--note", "it was not"])
        .code(0);
    bob.run(&["export", "steps", "-o", "b.tar.zst", "--handoff", "--to", "alice"])
        .code(0);
    let before = alice.entries("steps");
    let refused = alice.run(&["import", "b.tar.zst"]).code(2).tells("RB0422");
    refused
        .tells("alice's disk is broken")
        .tells("it was not")
        .tells("nothing was stored");
    assert_eq!(alice.entries("steps"), before);
    alice.run(&["journal", "verify", "steps"]).code(0);
}

#[test]
fn what_is_damaged_or_no_bundle_is_refused_and_leaves_nothing() {
    let project = Project::new();
    waiting(&project);
    let (alice, bob) = desks(&project);
    alice.run(&["export", "steps", "-o", "a.tar.zst"]).code(0);
    let whole = std::fs::read(project.path().join("a.tar.zst")).unwrap();
    let write = |bytes: &[u8]| std::fs::write(project.path().join("b.tar.zst"), bytes).unwrap();
    for at in (0..whole.len()).step_by(whole.len() / 40) {
        let mut changed = whole.clone();
        changed[at] ^= 0x10;
        write(&changed);
        let refused = bob.run(&["import", "b.tar.zst"]).code(2);
        assert!(
            refused.stderr.contains("RB0420") || refused.stderr.contains("RB0405"),
            "{}",
            refused.stderr
        );
    }
    write(&whole[..whole.len() / 2]);
    bob.run(&["import", "b.tar.zst"])
        .code(2)
        .tells("RB0420")
        .tells("cannot be unpacked");
    bob.run(&["journal", "verify", "b.tar.zst"]).code(1).prints("✗");
    write(b"PK\x03\x04 this is a zip file");
    bob.run(&["import", "b.tar.zst"]).code(2).tells("is not a bundle");
    bob.run(&["import", "nowhere.tar.zst"]).code(2).tells("RB0001");
    bob.run(&["import", "."]).code(2).tells("RB0001");
    bob.has_no_runs();
}

/// Kills the program at many moments of this command; each time what is left must be whole or nothing.
fn killed_at_many_moments(desk: &Desk<'_>, args: &[&str], mut after: impl FnMut()) {
    let begun = std::time::Instant::now();
    drop(desk.run(args));
    let lasts = begun.elapsed();
    after();
    for part in 1..12 {
        let mut child = desk.command(args).spawn().unwrap();
        std::thread::sleep(lasts * part / 12);
        child.kill().unwrap();
        child.wait().unwrap();
        after();
    }
}

#[test]
fn a_process_that_is_killed_leaves_a_whole_bundle_or_none_and_a_whole_run_or_none() {
    let project = Project::new();
    waiting(&project);
    let (alice, bob) = desks(&project);
    let file = project.path().join("k.tar.zst");
    killed_at_many_moments(&alice, &["export", "steps", "-o", "k.tar.zst"], || {
        if file.exists() {
            alice.run(&["journal", "verify", "k.tar.zst"]).code(0);
            std::fs::remove_file(&file).unwrap();
        }
    });
    alice
        .run(&["export", "steps", "-o", "k.tar.zst", "--handoff", "--to", "bob"])
        .code(0);
    let state = bob.state();
    // Lists may not know its name yet: by its id it is found.
    let listed = || -> Option<String> {
        let rows = bob.run(&["list", "--json"]).code(0).json();
        Some(rows.get(0)?["run"].as_str()?.to_owned())
    };
    killed_at_many_moments(&bob, &["import", "k.tar.zst"], || {
        if let Some(run) = listed() {
            bob.run(&["journal", "verify", &run]).code(0);
        }
        // What was left behind is in nobody's way.
        let again = bob.run(&["import", "k.tar.zst"]);
        assert!(
            again.code == 0 || again.stderr.contains("RB0423"),
            "{}",
            again.stderr
        );
        let run = listed().unwrap();
        let run = bob.run(&["show", &run, "--json"]).code(0).json();
        assert_eq!(run["hands"]["of"], "bob");
        std::fs::remove_dir_all(&state).unwrap();
    });
}

#[test]
fn a_run_that_is_carried_out_can_be_exported_and_not_moved() {
    let project = Project::new();
    project.steps(
        "  slow: { uses: command, with: { run: [HELPER, append, DIR/log, begun, then, until, DIR/go] } }",
    );
    let (alice, _) = desks(&project);
    let mut child = alice.command(&["exec", "steps.yaml"]).spawn().unwrap();
    until("the step is under way", || !project.lines("log").is_empty());
    until("its door is open", || {
        alice.run(&["export", "steps", "-o", "a.tar.zst"]).code == 0
    });
    alice.run(&["journal", "verify", "a.tar.zst"]).code(0);
    alice
        .run(&["export", "steps", "-o", "b.tar.zst", "--handoff", "--to", "bob"])
        .code(5)
        .tells("RB0403");
    project.write("go", "");
    child.wait().unwrap();
}

#[test]
fn finished_runs_are_pruned_and_archived_and_no_others() {
    let project = Project::new();
    waiting(&project);
    let (alice, bob) = desks(&project);
    project.runbook(
        "short.yaml",
        "runbook: short\nsteps:\n  one: { uses: command, with: { run: [HELPER, say, x] } }\n",
    );
    for _ in 0..3 {
        alice.run(&["exec", "short.yaml"]).code(0);
    }
    let runs = || {
        alice
            .run(&["list", "--json"])
            .code(0)
            .json()
            .as_array()
            .unwrap()
            .len()
    };
    alice.run(&["prune"]).code(2);
    alice
        .run(&["prune", "--older-than", "1d"])
        .code(0)
        .tells("no finished run is that old");
    alice
        .run(&["prune", "--keep", "1"])
        .code(0)
        .prints("short-")
        .tells("2 runs would be removed; `--yes` does it");
    assert_eq!(runs(), 4);
    let archive = ["prune", "--keep", "1", "--archive", "archive", "--yes"];
    alice.run(&archive).code(0).tells("removed 2 runs");
    assert_eq!(runs(), 2);
    let kept: Vec<PathBuf> = std::fs::read_dir(project.path().join("archive"))
        .unwrap()
        .map(|found| found.unwrap().path())
        .collect();
    assert_eq!(kept.len(), 2);
    let file: &Path = &kept[0];
    let imported = bob.run(&["import", file.to_str().unwrap()]).code(0);
    let imported = imported.tells("this is a copy, to be read");
    assert!(
        !imported.stderr.contains("not moved to you"),
        "{}",
        imported.stderr
    );
    let shown = bob.run(&["show", "short"]).code(0).prints("succeeded");
    let shown = shown.prints("a copy, to be read; the run was over when it was exported");
    assert!(!shown.stdout.contains("goes on"), "{}", shown.stdout);
    bob.run(&["list"])
        .code(0)
        .prints("the run was over when it was exported");
    alice.run(&["prune", "--keep", "0", "--yes"]).code(0);
    assert_eq!(runs(), 1, "what waits is never removed");
    alice
        .run(&["show", "steps"])
        .code(0)
        .prints("a person must do it");
}
