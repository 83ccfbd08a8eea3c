//! What is to be heeded is read before a step is carried out, and before one that only looks has looked.

use crate::support::Project;

const STEPS: &str = "
  look:
    title: Make sure that it is the right tenant
    warning: Sign in elsewhere and you change the **wrong** tenant.
    for_each: '[`a`, `b`]'
    uses: command
    with:
      validate: [HELPER, has, DIR/tenant, right]
  there:
    title: Write what is there
    needs: look
    warning: This text is never read.
    uses: command
    with:
      run: [HELPER, write, DIR/tenant, right]
      validate: [HELPER, has, DIR/tenant, right]
  ask:
    needs: there
    uses: manual
    with: { instructions: Ask a colleague. }
  ahead:
    title: Look again
    needs: ask
    warning: Nobody has read this.
    uses: command
    with:
      validate: [HELPER, has, DIR/tenant, right]
";

fn times(text: &str, what: &str) -> usize {
    text.matches(what).count()
}

#[test]
fn the_warning_of_a_step_that_only_looks_is_read_once_before_it_looks() {
    let project = Project::new();
    project.write("tenant", "right");
    project.steps(STEPS);
    let outcome = project.run(["exec", "steps.yaml"]).code(3);
    let warning = "note: Sign in elsewhere and you change the wrong tenant.";
    assert_eq!(times(&outcome.stderr, warning), 1, "{}", outcome.stderr);
    let at = |text: &str| {
        outcome
            .stderr
            .find(text)
            .unwrap_or_else(|| panic!("{text}: {}", outcome.stderr))
    };
    assert!(at(warning) < at("checked: Make sure"), "{}", outcome.stderr);
    // What is not carried out needs no warning.
    outcome
        .keeps_quiet_of("never read")
        .keeps_quiet_of("Nobody has read");

    project.run(["confirm", "steps", "ask"]).code(0);
    let resumed = project.run(["resume", "steps", "--operator", "bob"]).code(0);
    assert_eq!(
        times(&resumed.stderr, "note: Nobody has read this."),
        1,
        "{}",
        resumed.stderr
    );
    resumed.keeps_quiet_of("Sign in elsewhere");
}

#[test]
fn whoever_resumes_reads_the_warning_of_what_is_tried_again() {
    let project = Project::new();
    project.steps(
        "
  copy:
    title: Copy the databases
    warning: All sites are read-only meanwhile.
    uses: command
    with: { run: [HELPER, append, DIR/log, begun, then, until, DIR/go], validate: [HELPER, has, DIR/copied, 'yes'] }
",
    );
    let exec = project.start(["exec", "steps.yaml"]);
    exec.is_told_of("note: All sites are read-only meanwhile.");
    crate::support::until("the attempt is under way", || project.has("log"));
    exec.kill();
    project.write("go", "");
    let resumed = project.run(["resume", "steps", "--operator", "bob"]);
    assert_eq!(
        times(&resumed.stderr, "note: All sites are read-only"),
        1,
        "{}",
        resumed.stderr
    );
    resumed.tells("attempt 2");
}

#[test]
fn it_stays_above_the_live_view() {
    let project = Project::new();
    project.steps(
        "
  look:
    title: Look around
    warning: Heed this.
    uses: command
    with: { validate: [HELPER, append, DIR/log, look, then, until, DIR/go] }
",
    );
    let mut terminal = project.at_terminal(80, &["exec", "steps.yaml"]);
    terminal.shows("0 of 1 settled, 1 under way");
    terminal.shows("note: Heed this.");
    project.write("go", "");
    terminal.shows("checked: Look around");
    assert_eq!(
        times(&terminal.screen(), "note: Heed this."),
        1,
        "{}",
        terminal.screen()
    );
}
