//! Ctrl-C, typed while a step is carried out: once lets it end, twice stops it. The step itself hears nothing of it.

use crate::support::terminal::Terminal;
use crate::support::{Project, until};

pub(crate) const STEPS: &str = "
  slow:
    uses: command
    with:
      run: [HELPER, hold, DIR/alive, then, append, DIR/log, begun, then, until, DIR/go, then, append, DIR/log, ended]
  after:
    needs: slow
    uses: command
    with: { run: [HELPER, append, DIR/log, after] }
";

/// A run at a terminal whose first step is under way.
pub(crate) fn begun(project: &Project) -> Terminal {
    project.steps(STEPS);
    let mut terminal = project.at_terminal(80, &["exec", "steps.yaml"]);
    until("the step is under way", || project.lines("log") == ["begun"]);
    terminal.shows("running");
    terminal
}

/// It was asked to stop once: the step ends by itself, and nothing more is started.
#[track_caller]
pub(crate) fn ends_with_the_step(project: &Project, terminal: Terminal) {
    project.write("go", "");
    let (code, screen) = terminal.ends();
    assert_eq!(code, 130, "{screen}");
    assert!(screen.contains("runbook resume steps-"), "{screen}");
    assert_eq!(project.lines("log"), ["begun", "ended"]);
    assert_eq!(project.statuses("steps"), ["slow: succeeded", "after: ready"]);
}

/// It was asked to stop twice: the step is ended, and in doubt.
#[track_caller]
pub(crate) fn leaves_a_doubt(project: &Project, terminal: Terminal) {
    let (code, screen) = terminal.ends();
    assert_eq!(code, 130, "{screen}");
    assert!(screen.contains("will be in doubt"), "{screen}");
    // If it were still there, it would end now.
    project.write("go", "");
    assert_eq!(project.statuses("steps"), ["slow: in_doubt", "after: pending"]);
    assert_eq!(project.lines("log"), ["begun"]);
}

#[test]
fn ctrl_c_lets_what_is_under_way_end_and_starts_nothing_more() {
    let project = Project::new();
    let mut terminal = begun(&project);
    terminal.types("\x03");
    terminal.shows("stopping: what is under way may end; press Ctrl-C again");
    assert!(project.is_held("alive"), "the step is not disturbed");
    ends_with_the_step(&project, terminal);

    project.run(["resume", "steps"]).code(0);
    assert_eq!(project.lines("log"), ["begun", "ended", "after"]);
}

#[test]
fn ctrl_c_twice_stops_at_once_and_leaves_a_doubt() {
    let project = Project::new();
    let mut terminal = begun(&project);
    terminal.types("\x03");
    terminal.shows("press Ctrl-C again");
    terminal.types("\x03");
    leaves_a_doubt(&project, terminal);
    until("the step's process is gone", || !project.is_held("alive"));
}
