//! Ctrl-Break, and a window that is closed while a step is carried out: what has become of it is kept in the seconds that
//! Windows gives.

use crate::stopped::{begun, ends_with_the_step, leaves_a_doubt};
use crate::support::entries::{find, of_step};
use crate::support::{Project, until};

/// Waits until nobody holds the only run.
fn is_let_go(project: &Project) {
    until("nobody holds the run", || project.only_run()["held_by"].is_null());
}

#[test]
fn ctrl_break_lets_what_is_under_way_end_and_starts_nothing_more() {
    let project = Project::new();
    let mut terminal = begun(&project);
    terminal.seat.breaks();
    terminal.shows("stopping: what is under way may end");
    assert!(project.is_held("alive"), "the step is not disturbed");
    ends_with_the_step(&project, terminal);
}

#[test]
fn ctrl_break_twice_stops_at_once_and_leaves_a_doubt() {
    let project = Project::new();
    let mut terminal = begun(&project);
    terminal.seat.breaks();
    terminal.shows("press Ctrl-C again");
    terminal.seat.breaks();
    leaves_a_doubt(&project, terminal);
}

#[test]
fn what_ends_soon_after_the_window_is_closed_is_done() {
    let project = Project::new();
    let terminal = begun(&project);
    terminal.seat.closes();
    project.write("go", "");
    is_let_go(&project);
    assert_eq!(project.statuses("steps"), ["slow: succeeded", "after: ready"]);
    project.run(["resume", "steps"]).code(0);
    assert_eq!(project.lines("log"), ["begun", "ended", "after"]);
}

#[test]
fn what_does_not_is_in_doubt_before_windows_ends_the_program() {
    let project = Project::new();
    let terminal = begun(&project);
    terminal.seat.closes();
    is_let_go(&project);
    until("the step's process is gone", || !project.is_held("alive"));
    let entries = project.sound_entries("steps");
    assert!(
        of_step(&entries, "slow").contains(&"interrupted".to_owned()),
        "whoever was stopped has said so"
    );
    assert_eq!(find(&entries, "interrupted", "slow")["operator"], "alice");
    assert_eq!(project.statuses("steps"), ["slow: in_doubt", "after: pending"]);
}
