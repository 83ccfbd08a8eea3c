//! The view of runs that stand in many ways, in terminals of many sizes.

use jiff::{SignedDuration, Timestamp};
use runbook_engine::core::event::{
    Entry, Event, Failure, FailureKind, Item, Outputs, RollbackScope, RunStarted, Verdict,
};
use runbook_engine::core::{Act, Effect, Evaluation, Input, Lacking, Outcome, RunState, Turn, effects, turn};
use runbook_engine::diagnostic::SourceFile;
use runbook_engine::id::{Host, InstanceId, Operator, Seq};
use runbook_engine::runbook::{self, Runbook};
use runbook_engine::step::{Observation, Purpose};
use serde_json::json;
use textwrap::core::display_width;

use super::{Scene, Tails, lines};
use crate::overlays::Overlays;
use crate::render::layout::Size;

const FARM: &str = "
runbook: farm
roles: { farm-admin: Member of the Farm Administrators group }
steps:
  prepare: { title: Prepare the farm, uses: command, with: { run: [a], validate: [b] } }
  oauth:
    title: Configure OAuth over HTTP on every web server
    needs: prepare
    for_each: '[\"web1\", \"web2\"]'
    retry: { attempts: 3, delay: 5s }
    uses: command
    with: { run: [a], rollback: [c] }
  approve:
    title: Approve the certificate
    needs: prepare
    role: farm-admin
    uses: manual
    with: { instructions: Approve it. }
  import: { title: Import the certificate, needs: prepare, uses: command, with: { run: [a] } }
  check: { title: Check the whole, needs: [oauth, approve, import], uses: command, with: { run: [a] } }
";

/// A run that a test carries out by hand.
struct Run {
    state: RunState,
    runbook: Runbook,
    tails: Tails,
    turn: Turn,
}

impl Run {
    fn of(yaml: &str) -> Self {
        let file = SourceFile::new("farm.yaml".to_owned(), yaml.to_owned());
        let loaded = runbook::load(
            &file,
            &runbook_steps::builtin(),
            &Overlays::default().files_with(None),
        );
        let runbook = loaded
            .runbook
            .unwrap_or_else(|| panic!("{:?}", loaded.diagnostics));
        let turn = Turn {
            operator: Operator::new("ada"),
            host: Host::new("here"),
            now: Timestamp::UNIX_EPOCH,
            draining: false,
            key: None,
            lacking: Lacking::nothing(),
        };
        let started = RunStarted {
            run: "018f4e7c-0000-7000-8000-000000000000".parse().unwrap(),
            runbook: runbook.name().clone(),
            file: "farm.yaml".to_owned(),
            text: yaml.to_owned(),
            overlaid: None,
            params: Default::default(),
            rehearsal: None,
            jobs: 500,
            program: "test".to_owned(),
        };
        let first = Entry {
            seq: Seq(0),
            time: turn.now,
            operator: turn.operator.clone(),
            host: turn.host.clone(),
            event: Event::RunStarted(Box::new(started)),
        };
        let mut run = Self {
            state: RunState::fold(runbook.workflow(), &[first]).unwrap(),
            runbook,
            tails: Tails::default(),
            turn,
        };
        run.takes(&Input::Clock);
        run
    }

    fn takes(&mut self, input: &Input) {
        turn(&mut self.state, input, &self.turn).unwrap();
        // Every step that fans out does so for two items.
        let steps = effects(&self.state, false, &Lacking::nothing(), self.turn.now)
            .into_iter()
            .filter_map(|effect| match effect {
                Effect::Evaluate { step } => Some(step),
                _ => None,
            });
        for step in steps.collect::<Vec<_>>() {
            let item = |key: &str| Item {
                key: key.parse().unwrap(),
                value: json!(key),
            };
            let result = Ok(Evaluation::Each(vec![item("web1"), item("web2")]));
            self.takes(&Input::Evaluated { step, result });
        }
    }

    fn after(&mut self, seconds: i64) {
        self.turn.now += SignedDuration::from_secs(seconds);
    }

    /// What is under way for it ends: it finds nothing there before, and what it wanted after.
    fn ends(&mut self, id: &str, ran: Result<Outputs, Failure>) {
        let work = effects(&self.state, false, &Lacking::nothing(), self.turn.now)
            .into_iter()
            .find_map(|effect| match effect {
                Effect::Call(work) if work.instance.to_string() == id => Some(work),
                _ => None,
            });
        let work = work.unwrap_or_else(|| panic!("nothing is under way for {id}"));
        let found = |verdict| {
            let (observed, outputs) = (json!(null), Outputs::new());
            Outcome::Observed(Ok(Observation {
                verdict,
                observed,
                outputs,
            }))
        };
        let outcome = match work.purpose {
            Purpose::Run => Outcome::Ran(ran),
            Purpose::Rollback => Outcome::RolledBack(ran.map(drop)),
            Purpose::Before => found(Verdict::Unsatisfied("not there".to_owned())),
            _ => found(Verdict::Satisfied),
        };
        self.takes(&Input::Finished {
            instance: work.instance,
            of: work.of,
            outcome,
            transcript: None,
        });
    }

    fn succeeds(&mut self, id: &str) {
        let under_way = |run: &Self| run.state.active().any(|instance| instance.id.to_string() == id);
        while under_way(self) {
            self.ends(id, Ok(Outputs::new()));
        }
    }

    fn prints(&mut self, id: &str, text: &str) {
        let id: InstanceId = id.parse().unwrap();
        self.tails.add(&id, "stdout", text.as_bytes());
    }

    fn lines(&self, columns: usize, rows: usize) -> Vec<String> {
        let scene = Scene {
            state: &self.state,
            runbook: &self.runbook,
            tails: &self.tails,
            asks: true,
            now: self.turn.now,
        };
        let lines = lines(&scene, Size { columns, rows });
        let plain = lines
            .iter()
            .map(|line| anstream::adapter::strip_str(line).to_string());
        plain.collect()
    }

    fn view(&self, columns: usize, rows: usize) -> String {
        self.lines(columns, rows).join("\n")
    }
}

fn failure() -> Failure {
    Failure::new(FailureKind::Failed, "the server web2 cannot be reached\nat all")
}

/// Prepared; OAuth is under way on one server and tried again on the other; a person is waited for.
fn farm() -> Run {
    let mut run = Run::of(FARM);
    run.after(3);
    run.succeeds("prepare");
    run.ends("oauth[web2]", Err(failure()));
    run.prints(
        "oauth[web1]",
        "Looking for the realm\nConfiguring the trust of https://web1.contoso.com",
    );
    run.after(2);
    run
}

#[test]
fn every_instance_has_a_line_that_says_where_it_stands() {
    let run = farm();
    insta::assert_snapshot!("farm_40", run.view(40, 24));
    insta::assert_snapshot!("farm_80", run.view(80, 24));
    insta::assert_snapshot!("farm_200", run.view(200, 24));
}

#[test]
fn a_later_attempt_and_a_failure_are_told() {
    let mut run = farm();
    run.after(10);
    run.takes(&Input::Clock);
    run.ends("import", Err(failure()));
    insta::assert_snapshot!(run.view(80, 24));
}

const UNDONE: &str = "
runbook: undone
steps:
  first: { title: The first, uses: command, with: { run: [a], rollback: [b] } }
  second: { title: The second, needs: first, uses: command, with: { run: [a], rollback: [b] } }
  third: { title: The third, needs: second, uses: command, with: { run: [a], rollback: [b] } }
";

#[test]
fn what_is_undone_is_told() {
    let mut run = Run::of(UNDONE);
    run.succeeds("first");
    run.succeeds("second");
    run.ends("third", Err(failure()));
    let (scope, why) = (RollbackScope::Run, "for a test".to_owned());
    run.takes(&Input::Act(Act::Rollback { scope, why }));
    run.succeeds("third");
    run.after(4);
    insta::assert_snapshot!(run.view(80, 24));
}

#[test]
fn a_low_terminal_shows_what_matters_and_numbers_for_the_rest() {
    let run = farm();
    insta::assert_snapshot!("farm_low_80", run.view(80, 8));
    insta::assert_snapshot!("farm_low_40", run.view(40, 11));
}

/// Many steps, of which some are done, some under way, and some wait for the others.
fn many(done: usize, under_way: usize, to_come: usize) -> Run {
    let mut yaml = "runbook: many\nsteps:\n".to_owned();
    for at in 0..done + under_way {
        yaml += &format!("  first-{at}: {{ title: Number {at}, uses: command, with: {{ run: [a] }} }}\n");
    }
    for at in 0..to_come {
        yaml += &format!("  second-{at}: {{ needs: first-{done}, uses: command, with: {{ run: [a] }} }}\n");
    }
    let mut run = Run::of(&yaml);
    (0..done).for_each(|at| run.succeeds(&format!("first-{at}")));
    run.after(75);
    run
}

#[test]
fn of_hundreds_of_steps_those_under_way_are_seen() {
    insta::assert_snapshot!("many_80", many(200, 5, 95).view(80, 24));
    insta::assert_snapshot!("parallel_80", many(10, 400, 90).view(80, 14));
}

#[test]
fn no_view_is_larger_than_its_terminal() {
    let lines =
        "runbook: lines\nsteps:\n  a: { title: \"one\\n\\ttwo\", uses: command, with: { run: [a] } }\n";
    let runs = [
        farm(),
        many(200, 5, 95),
        many(10, 400, 90),
        many(0, 1, 0),
        Run::of(lines),
    ];
    for run in &runs {
        for columns in [1, 10, 20, 40, 59, 60, 80, 200] {
            for rows in [1, 2, 3, 5, 10, 24, 50] {
                let lines = run.lines(columns, rows);
                assert!(
                    lines.len() <= rows.saturating_sub(2).max(1),
                    "{columns}×{rows}: {lines:#?}"
                );
                for line in lines {
                    assert!(!line.contains(['\n', '\t']), "{line:?}");
                    assert!(display_width(&line) < columns.max(2), "{columns}×{rows}: {line}");
                }
            }
        }
    }
}

#[test]
fn what_a_step_prints_cannot_drive_the_terminal() {
    let mut run = farm();
    run.prints("oauth[web1]", "\n\x1b[2J\x1b]0;title\x07\u{202e}evil\tone");
    let view = run.view(80, 24);
    assert!(!view.contains(['\x1b', '\x07', '\u{202e}', '\t']), "{view:?}");
    assert!(view.contains("evil one"), "{view}");
}

const SERVERS: &str = "
runbook: servers
steps:
  here: { uses: powershell, with: { run: Get-Date } }
  there: { uses: powershell, with: { on: web0, run: Get-Date } }
  each: { for_each: '[\"web1\", \"web2\"]', uses: powershell, with: { on: '${{ item }}', run: Get-Date } }
";

#[test]
fn the_machine_is_told_where_a_step_names_one() {
    let run = Run::of(SERVERS);
    for columns in [100, 40] {
        let shown = run.lines(columns, 40).join("\n");
        let of = |id: &str| shown.lines().find(|line| line.contains(id)).unwrap_or_default();
        assert!(of(" there").contains("web0"), "{shown}");
        assert!(!of(" here").contains("web"), "{shown}");
        let each = of("each[web2]").replacen("web2", "", 1);
        assert!(each.contains("web2"), "{shown}");
    }
    assert!(!Run::of(FARM).lines(100, 40).join("").contains("web0"));
}
