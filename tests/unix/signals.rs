//! Ctrl-C and its kin: once lets what is under way end, twice stops it; the journal is intact either way.

use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::stopped::STEPS;
use crate::support::entries::{find, of_step};
use crate::support::{Project, Running, until};

impl Running {
    pub(crate) fn send(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid().cast_signed()), signal).unwrap();
    }

    fn is_told(&self, text: &str) {
        until(text, || self.told().contains(text));
    }
}

/// A run whose first step is under way.
fn begun(project: &Project) -> Running {
    project.steps(STEPS);
    let running = project.start(["exec", "steps.yaml"]);
    until("the step is under way", || project.lines("log") == ["begun"]);
    running
}

fn once(signal: Signal) {
    let project = Project::new();
    let running = begun(&project);
    running.send(signal);
    running.is_told("stopping: what is under way may end");
    assert!(project.is_held("alive"), "the step is not disturbed");
    project.write("go", "");
    running.wait().code(130).tells("runbook resume steps-");
    assert_eq!(
        project.lines("log"),
        ["begun", "ended"],
        "nothing more was started"
    );
    assert_eq!(project.statuses("steps"), ["slow: succeeded", "after: ready"]);
    assert_eq!(project.only_run()["status"], "running");
    assert!(project.only_run()["held_by"].is_null());

    project.run_as("bob", &["resume", "steps"]).code(0);
    assert_eq!(project.lines("log"), ["begun", "ended", "after"]);
    let entries = project.sound_entries("steps");
    assert!(!of_step(&entries, "slow").contains(&"interrupted".to_owned()));
    assert_eq!(find(&entries, "attempt_started", "after")["operator"], "bob");
}

#[test]
fn ctrl_c_lets_what_is_under_way_end_and_starts_nothing_more() {
    once(Signal::SIGINT);
}

#[test]
fn a_request_to_terminate_does_the_same() {
    once(Signal::SIGTERM);
}

#[test]
fn a_closed_terminal_does_the_same() {
    once(Signal::SIGHUP);
}

#[test]
fn ctrl_c_twice_stops_at_once_and_leaves_a_doubt() {
    let project = Project::new();
    let running = begun(&project);
    running.send(Signal::SIGINT);
    running.is_told("press Ctrl-C again");
    running.send(Signal::SIGINT);
    running.wait().code(130).tells("will be in doubt");
    assert!(!project.is_held("alive"), "the step's process is gone");
    assert_eq!(project.statuses("steps"), ["slow: in_doubt", "after: pending"]);

    project.run_as("bob", &["resume", "steps"]).code(4);
    assert_eq!(project.lines("log"), ["begun"], "nothing is carried out again");
    let entries = project.sound_entries("steps");
    assert_eq!(find(&entries, "interrupted", "slow")["operator"], "alice");
}

#[test]
fn two_different_signals_stop_at_once_too() {
    let project = Project::new();
    let running = begun(&project);
    running.send(Signal::SIGHUP);
    running.is_told("may end");
    running.send(Signal::SIGTERM);
    running.wait().code(130);
    assert!(!project.is_held("alive"));
    assert_eq!(project.statuses("steps"), ["slow: in_doubt", "after: pending"]);
}

#[test]
fn ctrl_c_while_a_retry_is_waited_for_ends_at_once() {
    let project = Project::new();
    project.steps(
        "
  flaky:
    uses: command
    retry: { attempts: 2, delay: 1h }
    with: { run: [HELPER, fail-first, DIR/tries, 1] }
",
    );
    let running = project.start(["exec", "steps.yaml"]);
    running.is_told("next try in");
    running.send(Signal::SIGINT);
    running.wait().code(130);
    assert_eq!(project.lines("tries").len(), 1);
    assert_eq!(project.statuses("steps"), ["flaky: ready"]);
}

/// `script` is the window: it holds the terminal, which is gone when it is killed.
#[test]
fn a_window_that_is_closed_at_a_secrets_question_holds_no_run() {
    let project = Project::new();
    project.runbook(
        "ask.yaml",
        "
runbook: ask
params: { password: { type: secret, prompt: Password of the service } }
steps:
  use: { secrets: password, uses: command, with: { run: [HELPER, leak, password], stdout: ignore } }
",
    );
    let plain = project.command(["exec", "ask.yaml"]);
    let command = format!("{} exec ask.yaml", plain.get_program().to_string_lossy());
    let mut window = std::process::Command::new("script");
    window.args(["-qefc", &command, "typescript"]);
    window.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let window = window.current_dir(project.path()).env("TERM", "xterm");
    let mut window = window
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    until("the secret is asked for", || {
        let shown = project.read("typescript");
        shown.is_some_and(|shown| shown.contains("Password of the service"))
    });
    window.kill().unwrap();
    window.wait().unwrap();
    until("nobody holds the run", || {
        let resumed = project.run(["resume", "ask"]);
        !resumed.stderr.contains("RB0403")
    });
}
