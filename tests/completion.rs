//! Shell completion: what is offered, what is not, and that asking for it leaves no trace.

use std::collections::BTreeMap;
use std::path::{MAIN_SEPARATOR, Path};
use std::time::SystemTime;

use crate::support::Project;

pub(crate) const RUNBOOK: &str = "
runbook: farm
title: Look after the farm
params:
  zone: { type: enum, values: [intranet, extranet], prompt: Which zone, default: intranet }
  size: { type: integer, default: 3 }
  token: { type: secret, optional: true }
steps:
  hosts:
    for_each: '[\"web1\", \"web 2\", \"$(touch hacked)\", \"`touch hacked`\", \"a;b\", \"web3\"]'
    uses: command
    with: { validate: [HELPER, end, '0'] }
  look: { uses: manual, with: { instructions: Look } }
  after: { needs: look, uses: command, with: { validate: [HELPER, end, '0'] } }
";

/// What a shell offers after these words; fish gets a line for each, with its help after a tab.
fn offered(project: &Project, words: &[&str]) -> Vec<String> {
    let mut command = project.command(["--", "runbook"]);
    let output = command.args(words).env("RUNBOOK_COMPLETE", "fish").output();
    let outcome: crate::support::Outcome = output.unwrap().into();
    assert_eq!(
        outcome.stderr, "",
        "a shell would show it in the middle of a line"
    );
    outcome.stdout.lines().map(str::to_owned).collect()
}

/// The same without help, and without options.
fn words(project: &Project, typed: &[&str]) -> Vec<String> {
    let offered = offered(project, typed);
    let words = offered
        .iter()
        .map(|line| line.split('\t').next().unwrap().to_owned());
    words.filter(|word| !word.starts_with('-')).collect()
}

/// A run that waits, and its name.
pub(crate) fn waiting() -> (Project, String) {
    let project = Project::new();
    project.runbook("farm.yaml", RUNBOOK);
    project.run(["exec", "farm.yaml"]).code(3);
    let run = project.run_name();
    (project, run)
}

#[test]
fn commands_and_options_are_offered_with_what_they_do() {
    let project = Project::new();
    let all = offered(&project, &[""]);
    assert!(
        all.iter().any(|line| line.starts_with("exec\tStart a run")),
        "{all:?}"
    );
    assert_eq!(words(&project, &["jou"]), ["journal"]);
    assert_eq!(words(&project, &["journal", "v"]), ["verify"]);
    let options = offered(&project, &["exec", "--reh"]);
    assert!(
        options.iter().any(|line| line.starts_with("--rehearse\t")),
        "{options:?}"
    );
    assert_eq!(words(&project, &["steps", "man"]), ["manual"]);
    assert_eq!(words(&project, &["explain", "rb000"]).len(), 9);
    assert_eq!(
        words(&project, &["new", "farm", "--from", "h"]),
        ["hybrid-s2s", "hybrid-s2s-remove"]
    );
}

#[test]
fn runs_are_offered_and_where_it_must_go_on_only_open_ones() {
    let (project, run) = waiting();
    let all = offered(&project, &["show", "fa"]);
    assert_eq!(all.len(), 1, "{all:?}");
    assert!(all[0].starts_with(&format!("{run}\twaiting, ")), "{all:?}");
    assert!(all[0].contains("Look after the farm"), "{all:?}");
    assert_eq!(words(&project, &["resume", ""]), [run.as_str()]);
    assert_eq!(words(&project, &["exec", "--like", ""]), [run.as_str()]);
    project.run(["cancel", &run, "--why", "enough"]).code(0);
    assert_eq!(words(&project, &["show", ""]), [run.as_str()]);
    assert!(words(&project, &["resume", ""]).is_empty());
}

#[test]
fn steps_are_those_of_the_run_that_is_named_and_what_waits_comes_first() {
    let (project, run) = waiting();
    let steps = words(&project, &["confirm", &run, ""]);
    assert_eq!(steps, ["look", "hosts[web1]", "hosts[web3]", "after"]);
    let short = run.rsplit_once('-').unwrap().1;
    assert_eq!(words(&project, &["confirm", short, "lo"]), ["look"]);
    assert_eq!(words(&project, &["log", &run, "--step", "af"]), ["after"]);
    assert!(words(&project, &["confirm", "nowhere", ""]).is_empty());
    // A step of a runbook, where no run is meant.
    let rehearsed = ["exec", "farm.yaml", "--rehearse", "--rehearse-interrupt", "l"];
    assert_eq!(words(&project, &rehearsed), ["look"]);
}

#[test]
fn secrets_are_offered_and_where_they_can_come_from() {
    let project = Project::new();
    project.runbook("farm.yaml", RUNBOOK);
    let words = |last: &str| words(&project, &["exec", "farm.yaml", "--secret", last]);
    assert_eq!(words(""), ["token="]);
    assert_eq!(words("token=k"), ["token=keystore:"]);
    assert_eq!(words("token=").len(), 5);
    assert!(words("zone=").is_empty());
}

#[test]
fn what_comes_from_a_run_or_a_folder_cannot_become_a_command() {
    let (project, run) = waiting();
    project.write("$(touch hacked).yaml", "");
    project.write("two words.yaml", "");
    let offered = [
        words(&project, &["confirm", &run, ""]),
        words(&project, &["exec", ""]),
    ]
    .concat();
    assert!(offered.contains(&"farm.yaml".to_owned()), "{offered:?}");
    for word in offered {
        let plain = |c: char| c.is_alphanumeric() || c == MAIN_SEPARATOR || "._-/[]".contains(c);
        assert!(word.chars().all(plain), "{word}");
    }
}

#[test]
fn runbooks_are_files_and_those_that_ship() {
    let project = Project::new();
    project.write("farm.yaml", "");
    project.write("notes.txt", "");
    project.write("sub/more.yml", "");
    let offered = words(&project, &["exec", ""]);
    // With the sign that the shells of the system put there.
    let sub = format!("sub{MAIN_SEPARATOR}");
    assert_eq!(
        offered,
        [
            "farm.yaml",
            sub.as_str(),
            "quickstart",
            "site-notice",
            "hybrid-s2s",
            "hybrid-s2s-remove",
            "sts-certificate-rotation"
        ]
    );
    assert_eq!(words(&project, &["check", &sub]), [format!("{sub}more.yml")]);
    // What is no runbook is offered where any file may stand, and what has a list of its own keeps to it.
    let attached = words(&project, &["confirm", "some-run", "look", "--attach", "n"]);
    assert_eq!(attached, ["notes.txt"]);
    let kinds = words(&project, &["schema", ""]);
    assert!(
        kinds.contains(&"overlay".to_owned()) && !kinds.contains(&"command".to_owned()),
        "{kinds:?}"
    );
}

#[test]
fn parameters_are_those_of_the_runbook_without_secrets() {
    let project = Project::new();
    project.runbook("farm.yaml", RUNBOOK);
    let names = offered(&project, &["exec", "farm.yaml", "-p", ""]);
    assert_eq!(names, ["zone=\tWhich zone", "size="]);
    let values = words(&project, &["exec", "farm.yaml", "--set", "zone="]);
    assert_eq!(values, ["zone=intranet", "zone=extranet"]);
    let left = words(
        &project,
        &["plan", "farm.yaml", "--set", "zone=intranet", "--set", ""],
    );
    assert_eq!(left, ["size="]);
    let ships = words(&project, &["exec", "quickstart", "--set", "fol"]);
    assert_eq!(ships, ["folder="]);
}

/// All files below a folder, with when each was last written.
fn traces(folder: &Path) -> BTreeMap<String, SystemTime> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let (path, data) = entry
            .map(|entry| (entry.path(), entry.metadata().unwrap()))
            .unwrap();
        found.insert(path.display().to_string(), data.modified().unwrap());
        if data.is_dir() {
            found.extend(traces(&path));
        }
    }
    found
}

#[test]
fn asking_makes_changes_and_locks_nothing() {
    let project = Project::new();
    assert!(words(&project, &["resume", ""]).is_empty());
    assert!(!project.state_dir().exists());

    let (project, run) = waiting();
    let id = project.only_run()["run"].as_str().unwrap().to_owned();
    let before = traces(&project.state_dir());
    // Whoever waited for the lock would wait for ever.
    let lock = project.state_dir().join("runs").join(id).join("lock");
    let lock = std::fs::File::open(lock).unwrap();
    lock.lock().unwrap();
    assert_eq!(words(&project, &["decide", &run, "loo"]), ["look"]);
    drop(lock);
    assert_eq!(traces(&project.state_dir()), before);
}

#[test]
fn where_nothing_can_be_read_nothing_is_offered_and_nothing_is_said() {
    let project = Project::new();
    std::fs::write(project.state_dir(), "a file").unwrap();
    assert!(words(&project, &["resume", ""]).is_empty());

    let (project, run) = waiting();
    let id = project.only_run()["run"].as_str().unwrap().to_owned();
    let summary = format!("state/runs/{id}/summary.json");
    for damaged in ["", "{\"run\": 7}", "\u{0}\u{1}", "[[[["] {
        project.write(&summary, damaged);
        assert!(words(&project, &["resume", ""]).is_empty());
        assert!(words(&project, &["confirm", &run, ""]).is_empty());
    }
    project.write("broken.yaml", "steps: [");
    assert!(words(&project, &["exec", "broken.yaml", "-p", ""]).is_empty());
    assert!(words(&project, &["exec", "nowhere.yaml", "-p", ""]).is_empty());
}

#[test]
fn how_to_install_it_is_told_for_every_shell() {
    let project = Project::new();
    let told = project.run(["completions"]).code(0).stdout;
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(told.contains(&format!("runbook completions {shell}")), "{told}");
        let script = project.run(["completions", shell]).code(0).stdout;
        assert!(script.contains("RUNBOOK_COMPLETE"), "{script}");
    }
    project.run(["completions", "tcsh"]).code(2);
}
