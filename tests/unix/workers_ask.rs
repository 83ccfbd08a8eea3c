//! What a worker does about manual work that its own operator may do.

use super::workers::Team;
use crate::support::terminal::{Kind, Terminal};
use crate::support::until;

const STEPS: &str = "
  make: { uses: command, with: { run: [HELPER, append, DIR/log, made] } }
  look: { title: Look at it, needs: make, uses: manual, with: { instructions: Is it right?, collect: { seen: { type: string } } } }
  beside: { uses: command, with: { run: [HELPER, append, DIR/log, begun, then, until, DIR/go] } }
  last: { needs: look, uses: command, with: { run: [HELPER, append, DIR/log, 'last ${{ steps.look.outputs.seen }}'] } }
";

fn at_terminal(team: &Team) -> Terminal {
    let env = [
        ("RUNBOOK_JOURNAL", team.address.as_str()),
        ("RUNBOOK_OPERATOR", "anna"),
    ];
    let kind = Kind {
        columns: 100,
        env: &env,
        ..Kind::default()
    };
    team.project
        .at(&kind)
        .starts(env!("CARGO_BIN_EXE_runbook"), &["work", "steps"])
}

#[test]
fn without_a_terminal_the_command_is_told_that_answers() {
    let Some(team) = Team::new(STEPS) else { return };
    team.run("anna", &["exec", "steps.yaml", "--share"]).code(0);
    team.project.write("go", "");
    let everywhere = team.start("ben", &["work"]);
    everywhere.is_told_of("look --value seen=VALUE");
    everywhere.kill();
    let worker = team.start("anna", &["work", "steps"]);
    worker.is_told_of("look --value seen=VALUE");
    team.run("ben", &["confirm", "steps", "look", "--value", "seen=good"])
        .code(0);
    worker.wait().code(0).tells("completed");
    assert!(team.project.lines("log").contains(&"last good".to_owned()));
}

#[test]
fn at_a_terminal_it_asks_though_others_are_at_work() {
    let Some(team) = Team::new(STEPS) else { return };
    team.run("anna", &["exec", "steps.yaml", "--share"]).code(0);
    let other = team.start("ben", &["work", "steps"]);
    until("another worker is at it", || {
        team.project.lines("log").contains(&"begun".to_owned())
    });
    let mut terminal = at_terminal(&team);
    terminal.shows("Is it right?");
    terminal.answers("seen", "good");
    terminal.answers("Note", "");
    terminal.answers("Is it done?", "y");
    until("it goes on", || {
        team.project.lines("log").contains(&"last good".to_owned())
    });
    team.project.write("go", "");
    assert_eq!(terminal.ends().0, 0);
    other.wait().code(0);
    let entries = team.entries("steps");
    let confirmed = entries
        .iter()
        .find(|entry| entry["event"] == "confirmed")
        .unwrap();
    assert_eq!(confirmed["operator"], "anna");
    team.is_sound("steps");
}

#[test]
fn a_question_gives_way_when_another_worker_answers_it() {
    let Some(team) = Team::new(STEPS) else { return };
    team.project.write("go", "");
    team.run("anna", &["exec", "steps.yaml", "--share"]).code(0);
    let mut terminal = at_terminal(&team);
    terminal.shows("? seen");
    team.run("ben", &["confirm", "steps", "look", "--value", "seen=well"])
        .code(0);
    terminal.shows("confirmed by ben");
    assert_eq!(terminal.ends().0, 0);
    assert!(team.project.lines("log").contains(&"last well".to_owned()));
}
