//! Streams that are closed or full, folders and variables that are gone, and limits of the system: no run is lost.

use std::io::{BufRead as _, BufReader};
use std::process::Command;

use crate::support::entries::find;
use crate::support::{Outcome, Project, until};

const STEPS: &str = "
  one: { uses: command, with: { run: [HELPER, append, DIR/log, one, then, say, hello] } }
  two: { needs: one, uses: command, with: { run: [HELPER, until, DIR/go, then, append, DIR/log, two] } }
  three: { needs: two, uses: command, with: { run: [HELPER, append, DIR/log, three] } }
";

/// A project whose steps may go on.
fn project() -> Project {
    let project = Project::new();
    project.steps(STEPS);
    project.write("go", "");
    project
}

/// The program, started by a shell that does something to it first.
fn shell(project: &Project, line: &str) -> Outcome {
    let program = project.command([""; 0]);
    let mut command = Command::new("sh");
    command.args(["-c", line, "sh"]).arg(program.get_program());
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.current_dir(project.path()).output().unwrap().into()
}

#[track_caller]
fn carried_out_once(project: &Project) {
    assert_eq!(project.lines("log"), ["one", "two", "three"]);
    assert_eq!(project.only_run()["status"], "completed");
    project.sound_entries("steps");
}

#[test]
fn a_reader_that_goes_away_neither_stops_nor_spoils_a_run() {
    let project = Project::new();
    project.steps(STEPS);
    let mut child = project.command(["exec", "steps.yaml", "--json"]).spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    assert!(line.contains("run_started"));
    drop((stdout, child.stderr.take()));
    project.write("go", "");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    carried_out_once(&project);
    let listed = shell(&project, "\"$1\" list | head -c 1; \"$1\" log steps | head -1").code(0);
    assert_eq!(listed.stderr, "", "nobody is told of a closed pipe");
}

#[test]
fn closed_streams_neither_stop_nor_spoil_a_run() {
    for closed in ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"] {
        let project = project();
        shell(&project, &format!("\"$1\" exec steps.yaml {closed}")).code(0);
        carried_out_once(&project);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_printed_is_told_and_is_in_the_journal() {
    let project = project();
    shell(&project, "\"$1\" exec steps.yaml --json > /dev/full")
        .code(70)
        .tells("RB0504")
        .tells("No space left on device")
        .tells("runbook log RUN");
    carried_out_once(&project);
    shell(&project, "\"$1\" log steps > /dev/full")
        .code(70)
        .tells("RB0504");
    shell(&project, "\"$1\" list 2> /dev/full")
        .code(0)
        .prints("completed");
}

#[test]
fn a_home_that_is_not_named_is_found_or_another_folder_is_asked_for() {
    let project = project();
    let mut command = project.command(["list"]);
    command.env_clear();
    let outcome: Outcome = command.output().unwrap().into();
    outcome.code(0).keeps_quiet_of("panicked");
    let mut command = project.command(["exec", "steps.yaml"]);
    command.env_remove("HOME").env_remove("XDG_STATE_HOME");
    let outcome: Outcome = command.output().unwrap().into();
    outcome.code(0);
    carried_out_once(&project);
}

#[test]
fn a_folder_that_was_deleted_under_the_program_matters_only_to_names_within_it() {
    let project = project();
    let within = |words: &str| {
        let line = format!("mkdir gone && cd gone && rmdir ../gone && {words}");
        shell(&project, &line)
    };
    within("\"$1\" exec steps.yaml").code(2).tells("RB0001");
    within("\"$1\" --state-dir state list").code(2).tells("RB0400");
    within(&format!("\"$1\" exec {}/steps.yaml", project.path().display())).code(0);
    carried_out_once(&project);
}

#[test]
fn a_limit_of_open_files_makes_steps_wait_and_not_fail() {
    let project = Project::new();
    let items: Vec<String> = (0..150).map(|n| n.to_string()).collect();
    let steps = "
  many:
    for_each: '[ITEMS]'
    uses: command
    with: { run: [HELPER, append, DIR/log, done] }
";
    project.steps(&steps.replace("ITEMS", &items.join(", ")));
    shell(&project, "ulimit -n 256; \"$1\" exec steps.yaml --jobs 500")
        .code(0)
        .tells("no more than 32 steps at once, not 500")
        .tells("256 files");
    assert_eq!(project.lines("log").len(), 150);
    project.sound_entries("steps");
    // What the account may have is asked for, up to what is needed.
    shell(&project, "ulimit -S -n 256; \"$1\" resume steps --jobs 20").code(0);
}

/// Five hundred programs at once, which all wait for the same gate.
#[cfg(target_os = "linux")]
#[test]
fn five_hundred_steps_are_under_way_at_once_in_bounded_memory() {
    let project = Project::new();
    let gate = std::fs::File::create(project.path().join("gate")).unwrap();
    gate.lock().unwrap();
    let steps: String = (0..500)
        .map(|n| {
            format!("\n  s{n}: {{ uses: command, with: {{ run: [flock, --shared, DIR/gate, 'true'] }} }}")
        })
        .collect();
    project.steps(&steps);
    let mut running = project.start(["exec", "steps.yaml", "--json", "--jobs", "500"]);
    let mut started = 0;
    while started < 500 {
        let line = running.next_line().expect("it goes on");
        started += usize::from(line["event"] == "process_started");
    }
    let status = std::fs::read_to_string(format!("/proc/{}/status", running.pid())).unwrap();
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    let peak: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(peak < 300_000, "{peak} KiB");
    gate.unlock().unwrap();
    running.wait().code(0);
    assert_eq!(project.sound_entries("steps").len(), 1 + 500 * 5);
}

#[test]
fn a_long_log_is_shown() {
    let project = Project::new();
    let steps: String = (0..1000)
        .map(|n| {
            format!(
                "\n  s{n}: {{ uses: rhai, with: {{ script: 'fn run(cx) {{ log(\"hello\"); #{{}} }}' }} }}"
            )
        })
        .collect();
    project.steps(&steps);
    project.run(["exec", "steps.yaml", "--jobs", "200"]).code(0);
    let log = project.run(["log", "steps"]).code(0);
    assert_eq!(
        log.stdout
            .lines()
            .filter(|line| line.ends_with("│ hello"))
            .count(),
        1000
    );
    assert_eq!(
        project.run(["show", "steps"]).code(0).stdout.matches("✓").count(),
        1000
    );
}

#[test]
fn a_program_that_will_not_end_is_killed_with_all_that_it_started() {
    let project = Project::new();
    project.steps(
        "
  deaf:
    timeout: 500ms
    uses: command
    with: { run: [sh, -c, 'trap \"\" TERM; HELPER hold DIR/child then append DIR/log begun then hang & HELPER hold DIR/other then hang'] }
",
    );
    let running = project.start(["exec", "steps.yaml", "--json"]);
    until("it has begun", || project.lines("log") == ["begun"]);
    running.wait().code(1);
    assert!(!project.is_held("child") && !project.is_held("other"));
    let entries = project.sound_entries("steps");
    assert_eq!(
        find(&entries, "attempt_failed", "deaf")["error"]["kind"],
        "timed_out"
    );
}
