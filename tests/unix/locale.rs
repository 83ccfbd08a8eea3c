//! The signs that a terminal has, as its locale tells on Unix. Consoles of Windows have them all.

use crate::live::STEPS;
use crate::support::Project;
use crate::support::terminal::Kind;

const RUNBOOK: &str = env!("CARGO_BIN_EXE_runbook");

#[test]
fn all_that_is_said_has_only_signs_that_the_terminal_has() {
    let project = Project::new();
    project.steps(STEPS);
    project.write("go", "");
    let kind = Kind {
        env: &[("LC_ALL", "C")],
        ..Kind::default()
    };
    let terminal = project.at(&kind).starts(RUNBOOK, &["exec", "steps.yaml"]);
    let ascii = terminal.ends_with_all();
    assert!(ascii.is_ascii() && ascii.contains("+ last"), "{ascii:?}");
}

#[test]
fn the_view_itself_has_only_signs_that_the_terminal_has() {
    let project = Project::new();
    project.steps(STEPS);
    let kind = Kind {
        env: &[("LC_ALL", "en_US.ISO-8859-1")],
        ..Kind::default()
    };
    let mut terminal = project.at(&kind).starts(RUNBOOK, &["exec", "steps.yaml"]);
    terminal.shows("| copying database 7");
    assert!(terminal.written.is_ascii());
    project.write("go", "");
    terminal.ends();
}
