//! Before anything is undone: what a person is shown, and asked.

use crate::advice::in_order;
use crate::support::Project;

const TWO: &str = "
  first:
    title: Put the notice up
    uses: command
    with: { run: [HELPER, append, DIR/log, first], rollback: [HELPER, append, DIR/log, undo-first] }
  hand:
    title: Open the door
    needs: first
    uses: manual
    with:
      instructions: Open the door.
      rollback: |
        Close the door, and lock it.
        Twice.
  one-way: { title: Tell everybody, needs: hand, uses: command, with: { run: [HELPER, append, DIR/log, told] } }
";

fn done() -> Project {
    let project = Project::new();
    project.steps(TWO);
    project.run(["exec", "steps.yaml"]).code(3);
    project.run(["confirm", "steps", "hand"]).code(0);
    project.run(["resume", "steps"]).code(0);
    project
}

#[test]
fn without_a_terminal_it_is_listed_and_goes_on_where_that_is_said() {
    let project = done();
    let outcome = project.run(["rollback", "steps", "--yes"]).code(3);
    in_order(
        &outcome.stderr,
        &[
            "2 steps are to be undone, in this order",
            "operator alice on ",
            "◂ hand  Open the door",
            "by hand: Close the door, and lock it.",
            "◂ first  Put the notice up",
            "command: ",
            "append",
            "undo-first",
            "stays, for there is no way back: `one-way`",
            "rolling back 2 instances: no reason was given",
        ],
    );
    let steps = &project.statuses("steps");
    assert_eq!(steps[1], "hand: waiting");
}

#[test]
fn without_a_terminal_nothing_is_undone_unless_it_is_said() {
    let project = done();
    let outcome = project.run(["rollback", "steps", "--why", "so"]).code(2);
    in_order(
        &outcome.stderr,
        &[
            "2 steps are to be undone, in this order",
            "◂ first  Put the notice up",
            "nobody is here to be asked whether this is to be undone",
            &format!(
                "`runbook rollback {} --yes` undoes what is listed above",
                project.run_name()
            ),
        ],
    );
    assert_eq!(project.only_run()["status"], "completed");
    assert_eq!(project.lines("log"), ["first", "told"]);
    project
        .run(["rollback", "steps", "--step", "one-way"])
        .code(0)
        .tells("there is nothing to undo");
}

/// A run with a step that is of use only on the way back from another.
fn with_a_restart(is_there: bool) -> Project {
    let project = Project::new();
    project.steps(
        "
  restart:
    title: Restart, should the realm be put back
    undo_with: realm
    undo_note: All sites are **unreachable** meanwhile.
    for_each: '[`one`, `two`]'
    uses: command
    with: { run: [HELPER, end, '0'], rollback: [HELPER, append, DIR/log, restarted] }
  realm:
    needs: restart
    uses: command
    with: { validate: [HELPER, exists, DIR/realm], run: [HELPER, write, DIR/realm, '1'], rollback: [HELPER, remove, DIR/realm] }
  word:
    needs: realm
    uses: rhai
    with:
      script: |
        fn run(cx) { #{} }
        fn rollback(cx) { }
",
    );
    if is_there {
        project.write("realm", "1");
    }
    project.run(["exec", "steps.yaml"]).code(0);
    project
}

#[test]
fn it_is_told_in_the_authors_words_what_undoing_does() {
    let project = with_a_restart(false);
    let outcome = project.run(["rollback", "steps", "--yes"]).code(0);
    in_order(
        &outcome.stderr,
        &[
            "4 steps are to be undone",
            "rhai: its own `rollback`",
            "◂ realm",
            "◂ restart[two]",
            "All sites are unreachable meanwhile",
            "◂ restart[one]",
            "note: All sites are unreachable",
        ],
    );
    let told = outcome.stderr.matches("unreachable").count();
    assert_eq!(told, 2, "once before, once then: {}", outcome.stderr);
    assert_eq!(project.lines("log"), ["restarted", "restarted"]);
}

#[test]
fn what_goes_with_a_step_that_changed_nothing_is_left_out() {
    let project = with_a_restart(true);
    project
        .run(["rollback", "steps", "--yes"])
        .code(0)
        .tells("1 step is to be undone")
        .keeps_quiet_of("unreachable");
    assert_eq!(project.statuses("steps")[0], "restart[one]: succeeded");
    assert!(!project.has("log"));
}

#[test]
fn what_was_undone_and_what_stays_is_counted() {
    let project = done();
    project
        .run(["rollback", "steps", "--why", "enough", "--yes"])
        .code(3);
    project
        .run(["confirm", "steps", "hand"])
        .code(0)
        .tells("1 of 2 undone");
    let outcome = project.run(["resume", "steps"]).code(0);
    outcome
        .tells("is rolled back: 2 undone, 1 left in place")
        .tells("to carry it out anew")
        .keeps_quiet_of("what was mended");
    let log = project.run(["log", "steps"]).code(0);
    log.prints("`first` succeeded: by its own word")
        .prints("`first` undone: by its own word");
}

#[test]
fn where_there_is_nothing_to_undo_that_is_said_and_nothing_is_wrong() {
    let project = Project::new();
    project.steps(
        "
  bad: { title: Bad, uses: command, with: { run: [HELPER, end, '0'], rollback: [HELPER, end, '0'] }, when: \"[][0]\" }
  after: { needs: bad, uses: command, with: { run: [HELPER, end, '0'] } }
",
    );
    project.run(["exec", "steps.yaml"]).code(1);
    project
        .run(["rollback", "steps", "--step", "after", "--yes"])
        .code(0)
        .tells("there is nothing to undo");
    assert_eq!(project.only_run()["status"], "failed", "it can still go on");
    for _ in 0..2 {
        project
            .run(["rollback", "steps", "--yes"])
            .code(0)
            .tells("there is nothing to undo");
    }
    assert_eq!(project.only_run()["status"], "rolled_back");
    let started = |one: &serde_json::Value| one["event"] == "rollback_started";
    let events = project.events("steps");
    assert_eq!(events.into_iter().filter(started).count(), 1);
}

mod at_a_terminal {
    use super::done;
    use crate::advice::in_order;

    #[test]
    fn a_person_sees_what_is_undone_and_is_asked_first() {
        let project = done();
        for (answer, code) in [("n\r", 130), ("\x1b", 130), ("\x03", 130)] {
            let mut terminal = project.at_terminal(40, &["rollback", "steps"]);
            terminal.shows("Undo this?");
            let screen = terminal.screen();
            in_order(
                &screen,
                &["◂ hand", "◂ first", "stays, for there is no", "Undo this?"],
            );
            // The path of the program is a word that is never cut.
            let mut words = screen.lines().filter(|line| line.trim().contains(' '));
            assert!(words.all(|line| line.chars().count() <= 40), "{screen}");
            terminal.types("\r");
            terminal.shows("answer y or n");
            terminal.types(answer);
            let (ended, screen) = terminal.ends();
            assert_eq!(ended, code, "{screen}");
            assert!(screen.contains("nothing was undone"), "{screen}");
            assert_eq!(project.only_run()["status"], "completed");
        }
        let mut terminal = project.at_terminal(40, &["rollback", "steps"]);
        terminal.answers("Undo this?", "y");
        terminal.answers("Why is it undone?", "the wrong weekend");
        terminal.answers("Is it undone?", "y");
        let (code, screen) = terminal.ends();
        assert_eq!(code, 0, "{screen}");
        let why = project.events("steps").into_iter();
        let mut why = why.filter_map(|one| (one["event"] == "rollback_started").then(|| one["why"].clone()));
        assert_eq!(why.next().unwrap(), "the wrong weekend");
        assert_eq!(project.lines("log"), ["first", "told", "undo-first"]);
    }

    #[test]
    fn whoever_says_yes_beforehand_is_not_asked() {
        let project = done();
        let mut terminal = project.at_terminal(80, &["rollback", "steps", "--yes"]);
        terminal.shows("Is it undone?");
        assert!(!terminal.screen().contains("Undo this?"), "{}", terminal.screen());
        terminal.types("y\r");
        assert_eq!(terminal.ends().0, 0);
    }
}
