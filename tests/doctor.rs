//! `doctor`: sound surroundings, and broken ones of every kind.

use serde_json::Value;

use crate::support::{Outcome, Project};

/// What is found of one thing.
fn found(outcome: &Outcome, check: &str) -> Value {
    let findings = outcome.json()["findings"].clone();
    let mut findings = findings.as_array().unwrap().clone();
    findings.retain(|one| one["check"] == check);
    // The worst counts.
    findings.sort_by_key(|one| {
        ["absent", "good", "note", "bad"]
            .iter()
            .position(|health| one["health"] == *health)
    });
    findings
        .pop()
        .unwrap_or_else(|| panic!("nothing about {check}: {}", outcome.stdout))
}

#[track_caller]
pub(crate) fn is(outcome: &Outcome, check: &str, health: &str, text: &str) {
    let found = found(outcome, check);
    assert_eq!(found["health"], health, "{found}");
    assert!(found["found"].as_str().unwrap().contains(text), "{found}");
    let says_what_to_do = found["do"].as_str().is_some_and(|text| !text.is_empty());
    assert_eq!(says_what_to_do, matches!(health, "note" | "bad"), "{found}");
}

pub(crate) fn doctor(project: &Project) -> Outcome {
    project.run(["doctor", "--json"])
}

/// A project with a run that is over.
pub(crate) fn with_a_run() -> (Project, String) {
    let project = Project::new();
    project.run(["exec", "quickstart", "--rehearse"]).code(0);
    let id = project.only_run()["run"].as_str().unwrap().to_owned();
    (project, id)
}

#[test]
fn sound_surroundings_are_fit_and_nothing_is_made() {
    let project = Project::new();
    let outcome = doctor(&project).code(0);
    assert_eq!(outcome.json()["fit"], true);
    is(&outcome, "state folder", "good", "the first run makes it");
    is(&outcome, "clock", "good", "20");
    is(&outcome, "OpenSSL", "good", "OpenSSL 3");
    is(&outcome, "terminal", "absent", "nobody can be asked");
    assert!(!project.state_dir().exists());
    let text = project.run(["doctor"]).code(0);
    for check in [
        "state folder",
        "disk",
        "clock",
        "open files",
        "OpenSSL",
        "terminal",
        "locale",
        "PowerShell 7",
        "OpenSSH client",
    ] {
        assert!(text.stdout.contains(check), "{}", text.stdout);
    }
}

#[test]
fn journals_are_listed_and_on_request_verified() {
    let (project, _) = with_a_run();
    let outcome = doctor(&project).code(0);
    is(&outcome, "state folder", "good", "private");
    is(&outcome, "journals", "good", "1 run, 0 carried out now");
    let outcome = project.run(["doctor", "--json", "--verify"]).code(0);
    is(&outcome, "journals", "good", "1 of 1 run verified");
}

#[test]
fn a_damaged_journal_is_found_and_named() {
    let (project, id) = with_a_run();
    let name = project.run_name();
    let file = project.state_dir().join("runs").join(&id).join("sealed");
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes.truncate(middle);
    std::fs::write(&file, bytes).unwrap();
    let outcome = project.run(["doctor", "--json", "--verify"]).code(1);
    is(&outcome, "journals", "bad", &name);
    assert_eq!(outcome.json()["fit"], false);
    let text = project.run(["doctor", "--verify"]).code(1);
    assert!(text.stdout.contains("✗ journals"), "{}", text.stdout);
    text.tells("1 thing to put right first");

    project.write(&format!("state/runs/{id}/summary.json"), "?");
    is(&doctor(&project).code(1), "journals", "bad", "cannot be listed");
}

#[test]
fn a_clock_behind_the_journals_is_found() {
    let (project, id) = with_a_run();
    let file = format!("state/runs/{id}/summary.json");
    let mut summary: Value = serde_json::from_str(&project.read(&file).unwrap()).unwrap();
    summary["updated"] = "2090-01-01T00:00:00Z".into();
    project.write(&file, &summary.to_string());
    is(&doctor(&project).code(1), "clock", "bad", "was written at 2090");
}

#[test]
fn folders_that_cannot_be_used_are_told_apart() {
    let project = Project::new();
    std::fs::write(project.state_dir(), "a file").unwrap();
    assert_eq!(found(&doctor(&project).code(1), "state folder")["health"], "bad");

    let (project, _) = with_a_run();
    project.write("state/format", "runbook-state 99\n");
    is(&doctor(&project).code(1), "state folder", "bad", "99");
    project.write("state/format", "something else\n");
    is(
        &doctor(&project).code(1),
        "state folder",
        "bad",
        "not yours to use",
    );
}
