//! The shipped runbook is rehearsed, killed again and again at many moments, and resumed by others: nothing is
//! repeated silently, nothing is lost.

use regex::Regex;
use serde_json::Value;

use crate::support::Project;
use crate::support::entries::{find, kept, sound};

/// A project with the shipped runbook, whose rehearsed attempts take a short while.
fn flagship() -> Project {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/runbooks/hybrid-s2s.yaml"));
    let takes = Regex::new(r"takes: \d+ms").unwrap();
    let project = Project::new();
    project.write(
        "hybrid-s2s.yaml",
        &takes.replace_all(&text.unwrap(), "takes: 10ms"),
    );
    project
}

const EXEC: [&str; 4] = ["exec", "hybrid-s2s.yaml", "--rehearse", "--json"];

const OPERATORS: [&str; 3] = ["alice", "bob", "carol"];

/// Starts the program, kills it after so many lines (or lets it end), and gives all that it had said, and
/// whether it came to its end.
fn killed_after(project: &Project, operator: &str, args: &[&str], lines: usize) -> (Vec<Value>, bool) {
    let mut running = project.start(args.iter().copied().chain(["--operator", operator]));
    let read = (0..lines).map_while(|_| running.next_line()).count();
    let outcome = running.kill();
    (outcome.whole_lines(), read < lines)
}

/// What was never interrupted says what should become of every step.
fn undisturbed() -> Vec<String> {
    let project = flagship();
    project.run(EXEC).code(0);
    project.statuses("hybrid")
}

/// Who wrote an entry is who had the run then.
#[track_caller]
fn signed(entries: &[Value], said: &[Value], operator: &str) {
    for line in said {
        let seq = usize::try_from(line["seq"].as_u64().unwrap()).unwrap();
        assert_eq!(entries[seq]["operator"], operator, "{line}");
    }
}

/// Every instance that succeeded was attempted, and its outcome is accounted for.
#[track_caller]
fn accounted(entries: &[Value], statuses: &[String]) {
    for row in statuses {
        if let Some(step) = row.strip_suffix(": succeeded") {
            find(entries, "attempt_started", step);
            let settled = entries.iter().filter(|entry| entry["step"] == step).any(|entry| {
                entry["event"] == "verified"
                    || (entry["event"] == "doubt_settled" && entry["ruling"] == "took_effect")
            });
            assert!(settled, "`{step}` succeeded for no reason");
        }
    }
}

#[test]
fn a_run_that_is_killed_again_and_again_comes_to_its_end() {
    let project = flagship();
    let (mut said, mut rounds, mut interruptions) = (Vec::new(), 0, 0);
    // A fixed sequence that looks random: every failure can be had again.
    let mut seed = 0x5eed_u32;
    loop {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let lines = 3 + usize::try_from(seed >> 28).unwrap();
        let operator = OPERATORS[rounds % OPERATORS.len()];
        let args: &[&str] = if rounds == 0 {
            &EXEC
        } else {
            &["resume", "hybrid", "--json"]
        };
        let (lines, ended) = killed_after(&project, operator, args, lines);
        said.push((operator, lines));
        rounds += 1;
        if ended {
            break;
        }
        assert!(rounds < 200, "it never ends");
    }
    assert!(rounds >= 12, "only {rounds} rounds");
    let entries = project.sound_entries("hybrid");
    for (operator, lines) in &said {
        kept(lines, &entries);
        signed(&entries, lines, operator);
        interruptions += lines.iter().filter(|line| line["event"] == "interrupted").count();
    }
    assert!(interruptions > 0, "no attempt was hit");
    assert_eq!(project.only_run()["status"], "completed");
    assert_eq!(project.statuses("hybrid"), undisturbed());
    accounted(&entries, &project.statuses("hybrid"));
}

/// Kills a fresh run once, after so many lines, and lets another person finish it.
fn once(lines: usize, expected: &[String]) {
    let project = flagship();
    let (said, ended) = killed_after(&project, "alice", &EXEC, lines);
    assert!(!ended);
    let resumed = project
        .run_as("bob", &["resume", "hybrid", "--json"])
        .code(0)
        .whole_lines();
    let entries = project.events("hybrid");
    sound(&entries);
    kept(&said, &entries);
    kept(&resumed, &entries);
    signed(&entries, &said, "alice");
    signed(&entries, &resumed, "bob");
    let first = said.len()..entries.len();
    assert!(first.contains(&usize::try_from(resumed[0]["seq"].as_u64().unwrap()).unwrap()));
    assert_eq!(resumed[0]["event"], "run_resumed");
    assert_eq!(project.statuses("hybrid"), expected, "killed after {lines} lines");
    accounted(&entries, expected);
    project.run(["journal", "verify", "hybrid"]).code(0);
}

#[test]
fn a_run_that_is_killed_early_comes_to_its_end() {
    let expected = undisturbed();
    (1..40).step_by(4).for_each(|lines| once(lines, &expected));
}

#[test]
fn a_run_that_is_killed_in_the_middle_comes_to_its_end() {
    let expected = undisturbed();
    (40..80).step_by(4).for_each(|lines| once(lines, &expected));
}

#[test]
fn a_run_that_is_killed_late_comes_to_its_end() {
    let expected = undisturbed();
    (80..120).step_by(4).for_each(|lines| once(lines, &expected));
}
