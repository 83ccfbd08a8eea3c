//! Commands that are told: pasted, they act as the same person in the same place, and they work.

use crate::support::{Outcome, Project};

const BOOK: &str = "runbook: steps
roles: { board: of the change board }
steps:
  first: { uses: command, with: { run: [HELPER, append, DIR/log, first], rollback: [HELPER, append, DIR/log, undone] } }
  asked: { title: Ask all of them for their word, needs: first, approve: { by: board }, uses: command, with: { run: [HELPER, append, DIR/log, asked] } }
  tick: { needs: asked, uses: manual, with: { instructions: Look. } }
";

/// Nothing stands in variables: the command line alone says who acts, and where.
fn bare(project: &Project, args: &[&str]) -> Outcome {
    let mut command = project.command(args);
    command
        .env_remove("RUNBOOK_STATE_DIR")
        .env_remove("RUNBOOK_OPERATOR");
    command.output().unwrap().into()
}

fn by(project: &Project, name: &str, args: &[&str]) -> Outcome {
    let options = ["--state-dir", "my runs", "--operator", name];
    bare(project, &[args, &options].concat())
}

/// The command that is told, as a shell would take it apart.
fn told(outcome: &Outcome, beginning: &str) -> Vec<String> {
    let lines = outcome.stderr.lines().chain(outcome.stdout.lines());
    let mut found = lines.filter_map(|line| {
        let line = line.trim();
        let command = line.starts_with(beginning).then_some(line)?;
        Some(command.split("  ").next()?.to_owned())
    });
    let command = found.next();
    let command = command.unwrap_or_else(|| panic!("{beginning}: {}{}", outcome.stdout, outcome.stderr));
    let words = command.replace("\"my runs\"", "my\u{a0}runs");
    words
        .split(' ')
        .skip(1)
        .map(|word| word.replace('\u{a0}', " "))
        .collect()
}

fn pasted(project: &Project, words: &[String], name: &str) -> Outcome {
    let words: Vec<&str> = words
        .iter()
        .map(|word| match word.as_str() {
            "NAME" => name,
            "TEXT" => "so",
            word => word,
        })
        .collect();
    bare(project, &words)
}

#[test]
fn pasted_commands_act_as_the_same_person_in_the_same_place() {
    let project = Project::new();
    project.runbook("steps.yaml", BOOK);
    let waiting = by(&project, "anna", &["exec", "steps.yaml"]).code(3);
    let approve = told(&waiting, "runbook approve");
    assert!(
        approve.ends_with(&["--operator".to_owned(), "NAME".to_owned()]),
        "whoever started it may not approve it: {approve:?}"
    );
    let shown = by(&project, "bob", &["show", "steps"]).code(0);
    let approve = told(&shown, "runbook approve");
    assert!(
        approve.ends_with(&["--operator".to_owned(), "bob".to_owned()]),
        "{approve:?}"
    );
    let approve = [approve, vec!["--yes".to_owned()]].concat();
    let approved = pasted(&project, &approve, "bob").code(0);
    // Whoever has approved does not carry it out: that is for whom the run was carried out by.
    pasted(&project, &told(&approved, "runbook resume"), "bob")
        .code(3)
        .tells("now operator anna");
    let given = by(&project, "bob", &["handoff", "steps", "--to", "kim"]).code(0);
    pasted(&project, &told(&given, "runbook accept"), "-")
        .code(0)
        .tells("now in the hands of kim");
    by(&project, "bob", &["resume", "steps"])
        .code(5)
        .tells("--take-over --why TEXT --state-dir \"my runs\" --operator bob` takes it without");
}

#[test]
fn what_stands_in_variables_is_not_repeated() {
    let project = Project::new();
    project.runbook("steps.yaml", BOOK);
    let waiting = project.run(["exec", "steps.yaml"]).code(3);
    assert!(!waiting.stderr.contains("--operator"), "{}", waiting.stderr);
    assert!(!waiting.stderr.contains("--state-dir"), "{}", waiting.stderr);
}

#[test]
fn a_copy_is_shown_with_commands_that_work_there() {
    let project = Project::new();
    project.runbook("steps.yaml", BOOK);
    by(&project, "anna", &["exec", "steps.yaml"]).code(3);
    by(&project, "anna", &["export", "steps", "-o", "run.tar.zst"])
        .code(0)
        .tells("the file is a copy, to be read and verified wherever it is imported")
        .tells("`--handoff --to NAME` moves it");
    let there = ["--state-dir", "there", "--operator", "bob"];
    bare(&project, &[&["import", "run.tar.zst"][..], &there].concat()).code(0);
    let shown = bare(&project, &[&["show", "steps"][..], &there].concat()).code(0);
    let shown = shown.prints("the run itself goes on where it was exported");
    for refused in ["runbook resume", "runbook approve", "runbook confirm"] {
        assert!(!shown.stdout.contains(refused), "{}", shown.stdout);
    }
    pasted(&project, &told(&shown, "runbook report"), "-").code(0);
    pasted(&project, &told(&shown, "runbook journal verify"), "-").code(0);
    let told_in_vain = bare(&project, &[&["resume", "steps"][..], &there].concat()).code(5);
    assert!(!told_in_vain.stderr.contains("RUN"), "{}", told_in_vain.stderr);
}

#[test]
fn a_finished_run_names_what_is_useful_then_and_is_given_to_nobody() {
    let project = Project::new();
    project.steps("  a: { uses: command, with: { run: [HELPER, append, DIR/log, a], rollback: [HELPER, append, DIR/log, undone] } }\n");
    let done = project.run(["exec", "steps.yaml"]).code(0);
    for command in ["report", "export", "rollback", "log"] {
        let words = told(&done, &format!("runbook {command}"));
        assert!(words.len() > 1, "{words:?}");
    }
    project
        .run(["handoff", "steps", "--to", "kim"])
        .code(2)
        .tells("the run is finished, so it cannot be given away");
    project
        .run(["accept", "steps", "--take-over", "--why", "so"])
        .code(0);
    let shown = project.run(["show", "steps"]).code(0);
    assert!(!shown.stdout.contains("in the hands of"), "{}", shown.stdout);
    project.run(told(&done, "runbook report")).code(0);
    project.run(told(&done, "runbook export")).code(0);
    let undone = project.run(["rollback", "steps", "--yes"]).code(0);
    for command in ["report", "export", "exec"] {
        let words = told(&undone, &format!("runbook {command}"));
        assert!(words.len() > 1, "{words:?}");
    }
    project
        .run(["report", "steps", "-o", "nowhere/report.md"])
        .code(2)
        .tells("there is no folder `nowhere`")
        .keeps_quiet_of(".tmp");
}

#[test]
fn usage_errors_name_what_the_command_takes_and_heed_colours() {
    let project = Project::new();
    let wrong = by(&project, "bob", &["decide", "x", "--color", "never"]).code(2);
    wrong
        .tells("Usage: runbook decide --why <TEXT> <RUN> <STEP> <RULING>")
        .keeps_quiet_of("\u{1b}");
    by(&project, "bob", &["decide", "x", "--color", "always"])
        .code(2)
        .tells("\u{1b}");
}

#[test]
fn the_help_of_steps_tells_the_keys_of_every_step_and_the_functions_of_scripts() {
    let project = Project::new();
    project
        .run(["steps"])
        .code(0)
        .prints("Keys of every step")
        .prints("approve")
        .prints("on_failure");
    project
        .run(["steps", "--functions"])
        .code(0)
        .prints("## Functions");
    project
        .run(["explain", "aprove"])
        .code(2)
        .tells("`runbook steps` tells of the kinds of step, and of the keys that every step may have");
}

/// The longest line that a narrow terminal gets, commands aside, which are never cut.
fn longest_line(project: &Project, args: &[&str]) -> usize {
    let written = project.at_terminal(40, args).ends_with_all();
    let bare = anstream::adapter::strip_str(&written).to_string();
    let lines = bare.lines().map(str::trim_end);
    let lines = lines.filter(|line| !line.trim_start().starts_with("runbook "));
    lines.map(|line| line.chars().count()).max().unwrap_or(0)
}

#[test]
fn a_narrow_terminal_gets_lines_that_fit_and_every_title() {
    let project = Project::new();
    project.runbook("steps.yaml", BOOK);
    project.run(["exec", "steps.yaml"]).code(3);
    for args in [
        &["journal", "verify", "steps"][..],
        &["explain", "RB0500"],
        &["explain"],
    ] {
        let longest = longest_line(&project, args);
        assert!(longest <= 40, "{args:?}: {longest}");
    }
    let (_, screen) = project.at_terminal(40, &["show", "steps"]).ends();
    assert!(
        screen.contains("\n      Ask all of them for their word\n"),
        "{screen}"
    );
    let args = ["approve", "steps", "asked", "--operator", "bob"];
    let mut terminal = project.at_terminal(100, &args);
    terminal.answers("Approve this?", "n");
    let (code, screen) = terminal.ends();
    assert_eq!(code, 3, "{screen}");
    assert!(
        screen.contains("nothing was approved, and it is still waited for"),
        "{screen}"
    );
    assert!(screen.contains("asked --why TEXT"), "{screen}");
}
