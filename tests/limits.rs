//! Time-outs, locks and the number of steps at once.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::platform;
use crate::support::Project;
use crate::support::entries::find;

/// The most instances that were under way at once, by the entries.
fn most_at_once(entries: &[Value], among: impl Fn(&str) -> bool) -> usize {
    let (mut active, mut most) = (BTreeSet::new(), 0);
    for entry in entries {
        let Some(step) = entry["step"].as_str().filter(|step| among(step)) else {
            continue;
        };
        match entry["event"].as_str().unwrap() {
            "attempt_started" => drop(active.insert(step)),
            "attempt_returned" | "attempt_failed" => drop(active.remove(step)),
            _ => {}
        }
        most = most.max(active.len());
    }
    most
}

/// The most that the instances themselves have seen in their room.
fn most_seen(project: &Project, room: &str) -> usize {
    let counts = project.lines(&format!("{room}/counts"));
    counts.iter().map(|count| count.parse().unwrap()).max().unwrap()
}

const CROWD: &str = "
  crowd:
    for_each: '[1, 2, 3, 4, 5, 6, 7]'
    LOCK
    uses: command
    with: { run: [HELPER, crowd, DIR/all, LEAST] }
";

#[test]
fn no_more_steps_are_under_way_at_once_than_allowed() {
    for jobs in [1, 3] {
        let project = Project::new();
        let steps = CROWD.replace("LOCK", "").replace("LEAST", &format!("'{jobs}'"));
        project.steps(&steps);
        project
            .run(["exec", "steps.yaml", "--jobs", &jobs.to_string()])
            .code(0);
        let entries = project.sound_entries("steps");
        assert_eq!(most_at_once(&entries, |_| true), jobs);
        assert_eq!(
            most_seen(&project, "all"),
            jobs,
            "as many as allowed, and no more"
        );
    }
}

#[test]
fn a_lock_keeps_steps_apart_whatever_the_number_of_jobs() {
    let project = Project::new();
    let steps = CROWD.replace("LOCK", "lock: database").replace("LEAST", "'1'");
    let other =
        "  other: { lock: [database, disk], uses: command, with: { run: [HELPER, crowd, DIR/all, '1'] } }\n";
    project.steps(&(steps + other));
    project.run(["exec", "steps.yaml", "--jobs", "8"]).code(0);
    let entries = project.sound_entries("steps");
    assert_eq!(most_at_once(&entries, |_| true), 1);
    assert_eq!(most_seen(&project, "all"), 1);
}

#[test]
fn resume_may_change_the_number_of_jobs() {
    let project = Project::new();
    let crowd = CROWD.replace("LOCK", "needs: gate").replace("LEAST", "'5'");
    let steps = format!("  gate: {{ uses: manual, with: {{ instructions: Open. }} }}\n{crowd}");
    project.steps(&steps);
    project.run(["exec", "steps.yaml", "--jobs", "1"]).code(3);
    project.run(["confirm", "steps", "gate"]).code(0);
    project.run(["resume", "steps", "--jobs", "5"]).code(0);
    assert_eq!(most_seen(&project, "all"), 5);
}

#[test]
fn a_step_whose_time_is_up_is_ended_with_all_that_it_started() {
    let project = Project::new();
    project.steps(
        &"
  slow:
    timeout: WHILE
    uses: command
    with: { run: [HELPER, hold, DIR/child, then, grandchild, DIR/grandchild, then, append, DIR/log, begun, then, hang] }
"
        .replace("WHILE", platform::WHILE),
    );
    project
        .run(["exec", "steps.yaml"])
        .code(1)
        .tells("its time is up");
    assert_eq!(project.lines("log"), ["begun"]);
    assert!(!project.is_held("child"), "the child is gone");
    assert!(!project.is_held("grandchild"), "and what it had started");
    let entries = project.sound_entries("steps");
    assert_eq!(find(&entries, "stop_requested", "slow")["reason"], "timed_out");
    assert_eq!(
        find(&entries, "attempt_failed", "slow")["error"]["kind"],
        "timed_out"
    );
    project
        .run(["show", "steps"])
        .code(0)
        .prints(&format!("it took longer than {}", platform::WHILE));
}

#[test]
fn every_attempt_has_its_own_time() {
    let project = Project::new();
    project.steps(
        "
  slow:
    timeout: 2s
    retry: { attempts: 2, delay: 1ms }
    uses: command
    with: { run: [HELPER, hold, DIR/child, then, hang-once, DIR/hung, then, append, DIR/log, done] }
",
    );
    project.run(["exec", "steps.yaml"]).code(0);
    assert_eq!(project.lines("log"), ["done"]);
    assert_eq!(project.show("steps")["steps"][0]["attempts"], 2);
}

#[test]
fn what_a_step_leaves_behind_ends_with_it() {
    let project = Project::new();
    project.steps("\n  leave: { uses: command, with: { run: [HELPER, grandchild, DIR/grandchild] } }\n");
    project.run(["exec", "steps.yaml"]).code(0);
    assert!(!project.is_held("grandchild"));
    project.run(["log", "steps"]).code(0).prints("were ended");
}

#[test]
fn a_flood_of_output_is_bounded_and_kept_in_order() {
    let project = Project::new();
    project.steps("\n  flood: { uses: command, with: { run: [HELPER, flood, '3000000'] } }\n");
    project.run(["exec", "steps.yaml"]).code(0);
    let outputs = project.show("steps")["steps"][0]["outputs"].clone();
    assert_eq!(outputs["stdout_truncated"], true);
    assert!(outputs["stdout"].as_str().unwrap().len() <= 1024 * 1024);
    project.run(["journal", "verify", "steps"]).code(0);
    assert!(project.run(["log", "steps"]).code(0).stdout.len() >= 3_000_000);
}

/// The most memory that a process has had, in MiB; none where the system does not tell.
fn peak_of(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.trim().parse().unwrap();
    Some(kib / 1024)
}

/// How many bytes the files in a folder have.
fn size_of(folder: &Path) -> u64 {
    let sizes = std::fs::read_dir(folder).unwrap().map(|entry| {
        let entry = entry.unwrap();
        let about = entry.metadata().unwrap();
        if about.is_dir() {
            size_of(&entry.path())
        } else {
            about.len()
        }
    });
    sizes.sum()
}

/// What a run needs of memory whose first step prints so many bytes. The project is left with the finished run.
fn peak_after(project: &Project, bytes: &str) -> Option<u64> {
    project.steps(&format!(
        "
  flood: {{ uses: command, with: {{ run: [HELPER, say, 'it begins', then, flood, '{bytes}', then, say, 'it ends'] }} }}
  after: {{ needs: flood, uses: command, with: {{ run: [HELPER, until, DIR/go] }} }}
"
    ));
    let mut running = project.start(["exec", "steps.yaml", "--json"]);
    running.until_event("attempt_started", "after");
    let peak = peak_of(running.pid());
    project.write("go", "");
    running.wait().code(0);
    peak
}

#[test]
fn a_hundred_megabytes_of_output_fill_neither_memory_nor_disk() {
    let (small, large) = (Project::new(), Project::new());
    let (usual, peak) = (peak_after(&small, "1"), peak_after(&large, "104857600"));
    match (usual, peak) {
        (Some(usual), Some(peak)) => {
            println!("{usual} MiB without the flood, {peak} MiB with it");
            assert!(peak < usual + 64, "{usual} MiB became {peak} MiB");
        }
        _ => eprintln!("not shown here: what memory a process has had (needs /proc)"),
    }
    let log = large.run(["log", "steps", "--step", "flood"]).code(0);
    let log = log
        .prints("it begins")
        .prints("the transcript is full")
        .prints("bytes were left out here")
        .prints("it ends");
    let left_out = log.stdout.split(" bytes were left out here").next().unwrap();
    let left_out: u64 = left_out.rsplit(' ').next().unwrap().parse().unwrap();
    assert!((90_000_000..104_857_600).contains(&left_out), "{left_out}");
    // Each line of the transcript stands in the log behind a few signs.
    assert!(log.stdout.len() < 24 * 1024 * 1024, "{} bytes", log.stdout.len());
    large.run(["journal", "verify", "steps"]).code(0);
    let disk = size_of(&large.state_dir());
    assert!(disk < 32 * 1024 * 1024, "{disk} bytes on the disk");
}
