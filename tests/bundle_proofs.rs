//! Who made a bundle, who can open one, and what of its evidence was touched.

use crate::bundles::{Desk, STEPS, desks, with_keys};
use crate::support::Project;

/// Alice's run, which waits for manual work; she and bob have keys.
fn waiting(project: &Project) -> (Desk<'_>, Desk<'_>) {
    let (alice, bob) = desks(project);
    let both = with_keys(&[&alice, &bob]);
    project.steps(STEPS);
    project.write("operators.yaml", &format!("operators:\n{both}"));
    alice.run(&["exec", "steps.yaml"]).code(3);
    (alice, bob)
}

#[test]
fn only_whom_a_bundle_is_encrypted_for_can_open_it() {
    let project = Project::new();
    let (alice, bob) = waiting(&project);
    let (file, stranger) = ("for-bob.bundle", "carol");
    alice
        .run(&["export", "steps", "-o", file, "--encrypt-for", stranger])
        .code(2)
        .tells("RB0510")
        .tells("`carol` has no key in the run's own operators.yaml");
    assert!(!project.path().join(file).exists());
    let export = ["export", "steps", "-o", file, "--encrypt-for", "bob"];
    alice
        .run(&[&export[..], &["--handoff", "--to", "bob"]].concat())
        .code(0);
    let bytes = std::fs::read(project.path().join(file)).unwrap();
    let holds = |what: &[u8]| bytes.windows(what.len()).any(|found| found == what);
    assert!(!holds(b"by-hand") && !holds(b"manifest"));
    // Not even who wrote it.
    alice
        .run(&["journal", "verify", file])
        .code(2)
        .tells("RB0425")
        .tells("is encrypted for");
    bob.run(&["journal", "verify", file])
        .code(0)
        .prints("the bundle holds")
        .prints("made: by alice")
        .prints("proven");
    for (name, broken) in [
        ("cut", bytes[..bytes.len() - 1].to_vec()),
        ("altered", {
            let mut altered = bytes.clone();
            let middle = altered.len() / 2;
            altered[middle] ^= 1;
            altered
        }),
    ] {
        std::fs::write(project.path().join(name), broken).unwrap();
        bob.run(&["import", name])
            .code(2)
            .tells("RB0420")
            .tells("changed or cut off");
        bob.has_no_runs();
    }
    bob.run(&["import", file, "--operators", "operators.yaml"])
        .code(0)
        .prints("the bundle holds");
    bob.run(&["journal", "verify", "steps"]).code(0);
}

#[test]
fn who_makes_a_bundle_in_the_name_of_another_is_named_and_refused() {
    let project = Project::new();
    let (alice, bob) = waiting(&project);
    alice.run(&["identity", "new", "--operator", "mallory"]).code(0);
    let key = project.path().join("config/runbook/identities/mallory.key");
    let key = key.to_str().unwrap();
    alice
        .run(&["export", "steps", "-o", "forged", "--identity", key])
        .code(0);
    bob.run(&["journal", "verify", "forged", "--operators", "operators.yaml"])
        .code(1)
        .prints("maker: the manifest: this is signed with a key that is not one of `alice`");
    bob.run(&["import", "forged"])
        .code(2)
        .tells("not from whom it says");
    // Trusted is who the given file names, whatever the run says of itself.
    alice.run(&["export", "steps", "-o", "honest"]).code(0);
    let lines = alice
        .run(&["identity", "export", "--operator", "mallory"])
        .code(0)
        .stdout;
    let others = format!("operators:\n{}", lines.replace("mallory", "alice"));
    project.write("others.yaml", &others);
    bob.run(&["import", "honest", "--operators", "others.yaml"])
        .code(2)
        .tells("entry 0: this is signed with a key that is not one of `alice`");
    bob.has_no_runs();
    bob.run(&["import", "honest"]).code(0);
}

#[test]
fn work_that_must_be_proven_is_done_with_its_evidence_and_never_without() {
    let project = Project::new();
    let alice = &desks(&project).0;
    project.steps("\n  look: { uses: manual, with: { instructions: Look., evidence: required } }\n");
    alice.run(&["exec", "steps.yaml"]).code(3);
    alice
        .run(&["confirm", "steps", "look"])
        .code(2)
        .tells("RB0502")
        .tells("a file that proves it");
    let ruled = |ruling| alice.run(&["decide", "steps", "look", ruling, "--why", "trust me"]);
    ruled("done").code(2);
    ruled("fail").code(0);
    ruled("done")
        .code(2)
        .tells("`look` asks for evidence, and cannot be done without it")
        .tells("again");
    ruled("again").code(0);
    alice.run(&["resume", "steps"]).code(3);
    project.write("photo.txt", "seen");
    alice
        .run(&["confirm", "steps", "look", "--attach", "photo.txt"])
        .code(0);
    alice
        .run(&["journal", "verify", "steps"])
        .code(0)
        .prints("1 attachment");
    assert_eq!(
        alice.run(&["show", "steps", "--json"]).json()["status"],
        "completed"
    );
}
