//! Several workers on one run in a PostgreSQL database: each a process of its own, with a state folder of its own.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

use super::shared_runs::server::{Server, Stop};
use crate::support::pwsh::pwsh;
use crate::support::{Outcome, Project, Running, until};

/// A step that takes until somebody says so, and leaves a mark of its own.
const SLOW: &str = "
  slow:
    uses: command
    with:
      run: [HELPER, append, DIR/log, begun, then, until, DIR/go, then, append, DIR/done, x]
      validate: [HELPER, exists, DIR/done]
  after:
    needs: slow
    uses: command
    with: { run: [HELPER, append, DIR/log, after] }
";

/// A database, the project of whoever starts the run, and the workers' own folders.
pub(crate) struct Team {
    pub(crate) server: Server,
    pub(crate) address: String,
    pub(crate) project: Project,
}

impl Team {
    /// None where PostgreSQL is not installed.
    pub(crate) fn new(steps: &str) -> Option<Self> {
        let server = Server::start()?;
        let address = server.database("runs");
        let project = Project::new();
        project.steps(steps);
        Some(Self {
            server,
            address,
            project,
        })
    }

    pub(crate) fn command(&self, who: &str, args: &[&str]) -> Command {
        let mut command = self.project.command(args);
        command
            .env("RUNBOOK_JOURNAL", &self.address)
            .env("RUNBOOK_OPERATOR", who)
            .env("RUNBOOK_STATE_DIR", self.project.path().join(who));
        command
    }

    #[track_caller]
    pub(crate) fn run(&self, who: &str, args: &[&str]) -> Outcome {
        self.command(who, args).output().unwrap().into()
    }

    pub(crate) fn start(&self, who: &str, args: &[&str]) -> Running {
        Running::of(self.command(who, args))
    }

    /// A worker that has begun the slow step.
    fn at_work(&self, who: &str) -> Running {
        let worker = self.start(who, &["work", "steps"]);
        self.has_begun(1);
        worker
    }

    fn has_begun(&self, times: usize) {
        until("the step is under way", || {
            let lines = self.project.lines("log");
            lines.iter().filter(|line| *line == "begun").count() == times
        });
    }

    fn is_done(&self) {
        self.project.write("go", "");
        until("the step took effect", || {
            self.project.path().join("done").exists()
        });
    }

    pub(crate) fn entries(&self, run: &str) -> Vec<Value> {
        self.run("someone", &["log", run, "--json"]).code(0).json_lines()
    }

    #[track_caller]
    pub(crate) fn is_sound(&self, run: &str) {
        self.run("someone", &["journal", "verify", run]).code(0);
    }
}

/// No attempt begins while nobody knows what became of the one before.
#[track_caller]
pub(crate) fn nothing_is_done_twice(entries: &[Value]) {
    let mut open: BTreeMap<&str, bool> = BTreeMap::new();
    for entry in entries {
        let Some(step) = entry["step"].as_str() else {
            continue;
        };
        match entry["event"].as_str() {
            Some("attempt_started") => {
                assert!(
                    !open.insert(step, true).unwrap_or_default(),
                    "{step} is done twice"
                );
            }
            Some("observed" | "attempt_failed" | "verified") => {
                open.insert(step, false);
            }
            _ => {}
        }
    }
}

fn count(entries: &[Value], event: &str) -> usize {
    entries.iter().filter(|entry| entry["event"] == event).count()
}

#[test]
fn what_a_killed_worker_had_under_way_is_settled_by_the_next() {
    let Some(team) = Team::new(SLOW) else { return };
    team.run("anna", &["exec", "steps.yaml", "--share"]).code(0);
    let killed = team.at_work("anna");
    let shown = team.run("ben", &["show", "steps"]).code(0);
    shown.prints("anna on ").prints("works on `slow`");
    team.run("ben", &["list"]).code(0).prints("works on `slow`");
    let ben = team.start("ben", &["work", "steps"]);
    killed.kill();
    team.is_done();
    ben.wait().code(0).tells("completed");
    assert_eq!(
        team.project.lines("log"),
        ["begun", "after"],
        "nothing is repeated"
    );
    let entries = team.entries("steps");
    assert_eq!(count(&entries, "interrupted"), 1);
    assert!(
        entries
            .iter()
            .any(|entry| entry["event"] == "interrupted" && entry["operator"] == "ben")
    );
    nothing_is_done_twice(&entries);
    team.is_sound("steps");
}

#[test]
fn an_outcome_that_comes_after_the_claim_has_ended_is_not_written() {
    // What is left of the first attempt is ended when its time is over.
    let steps = SLOW.replacen("uses", "timeout: 20s\n    uses", 1);
    let Some(team) = Team::new(&steps) else { return };
    team.run("anna", &["exec", "steps.yaml", "--share"]).code(0);
    let stopped = team.at_work("anna");
    let signal = |name: &str| {
        let pid = stopped.pid().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(sent.unwrap().success());
    };
    signal("STOP");
    // What anna's worker started is ended, looked at, and done again by ben's.
    let ben = team.start("ben", &["work", "steps"]);
    team.has_begun(2);
    team.is_done();
    signal("CONT");
    stopped.is_told_of("another one has taken over");
    ben.wait().code(0);
    stopped.wait().code(0);
    let entries = team.entries("steps");
    let by_anna = entries
        .iter()
        .filter(|entry| entry["operator"] == "anna" && entry["step"] == "slow");
    let outcomes = ["attempt_returned", "attempt_failed", "verified"];
    assert!(
        !by_anna
            .clone()
            .any(|entry| outcomes.contains(&entry["event"].as_str().unwrap()))
    );
    nothing_is_done_twice(&entries);
    team.is_sound("steps");
}

#[test]
fn a_worker_waits_for_its_database_and_goes_on_when_it_is_back() {
    let Some(mut team) = Team::new(SLOW) else { return };
    team.run("anna", &["exec", "steps.yaml", "--share"]).code(0);
    let worker = team.at_work("anna");
    team.server.stop(Stop::Immediate);
    team.is_done();
    worker.is_told_of("does not answer");
    team.server.resume();
    worker.wait().code(0).tells("is back");
    assert_eq!(team.project.lines("log"), ["begun", "after"]);
    assert_eq!(count(&team.entries("steps"), "interrupted"), 0);
    team.is_sound("steps");
}

#[test]
fn one_person_alone_and_workers_keep_each_other_out() {
    let Some(team) = Team::new(SLOW) else { return };
    let alone = team.start("anna", &["exec", "steps.yaml"]);
    team.has_begun(1);
    team.run("ben", &["work", "steps"]).code(5).tells("anna on ");
    team.is_done();
    alone.wait().code(0);
    let steps = SLOW
        .replace("DIR/go", "DIR/again")
        .replace("DIR/done", "DIR/made");
    team.project.steps(&steps);
    team.run("anna", &["exec", "steps.yaml", "--share"])
        .code(0)
        .prints("steps-");
    let name = team.run("anna", &["list", "--open", "--json"]).code(0).json()[0]["name"].clone();
    let name = name.as_str().unwrap().to_owned();
    let worker = team.start("ben", &["work"]);
    team.has_begun(2);
    team.run("anna", &["resume", &name]).code(5).tells("ben on ");
    // What people do goes in between.
    team.run("carl", &["cancel", &name, "--why", "enough"]).code(0);
    until("the worker has stopped the step", || {
        team.run("anna", &["list", "--json"]).code(0).json()[0]["status"] == "cancelled"
    });
    assert_eq!(count(&team.entries(&name), "cancel_requested"), 1);
    worker.kill();
}

#[test]
fn a_step_waits_for_a_worker_on_its_machine() {
    let steps = "
  here: { uses: command, with: { run: [HELPER, append, DIR/log, here] } }
  there: { on: web9, uses: command, with: { run: [HELPER, append, DIR/log, there] } }
";
    let Some(team) = Team::new(steps) else { return };
    let alone = team.run("anna", &["exec", "steps.yaml"]).code(3);
    alone.tells("RB0506").tells("carried out on `web9`");
    assert_eq!(team.project.lines("log"), ["here"]);
    team.run("ben", &["work", "steps", "--host", "web9"]).code(0);
    assert_eq!(team.project.lines("log"), ["here", "there"]);
}

#[test]
fn a_worker_opens_a_session_anew_that_was_amended() {
    let Some(pwsh) = pwsh() else { return };
    let Some(team) = Team::new(SLOW) else { return };
    let says = |word: &str| {
        let text = "
runbook: steps
sessions:
  shared:
    uses: powershell
    with: { edition: core, setup: \"function Get-Word { 'WORD' }\" }
steps:
  say:
    uses: powershell
    session: shared
    retry: { attempts: 2, delay: 1h }
    with:
      run: |
        Add-Content 'DIR/log' (Get-Word)
        if ((Get-Word) -eq 'old') { throw 'an old word' }
";
        team.project.runbook("steps.yaml", &text.replace("WORD", word))
    };
    says("old");
    team.run("anna", &["exec", "steps.yaml", "--share"]).code(0);
    let mut command = team.command("ben", &["work", "steps"]);
    command.env("RUNBOOK_POWERSHELL_CORE", pwsh);
    let worker = Running::of(command);
    until("the worker waits before it tries again", || {
        count(&team.entries("steps"), "attempt_failed") == 1
    });
    says("new");
    let why = "another word";
    team.run("anna", &["amend", "steps", "steps.yaml", "--yes", "--why", why])
        .code(0);
    worker.wait().code(0);
    assert_eq!(team.project.lines("log"), ["old", "new"]);
    team.is_sound("steps");
}

#[test]
fn a_run_is_sent_back_while_a_worker_goes_on_with_it() {
    let steps = "
  beside: { uses: command, with: { run: [HELPER, append, DIR/log, begun, then, until, DIR/go] } }
  make:
    uses: command
    with:
      run: [HELPER, append, DIR/log, made, then, append, DIR/zone, x]
      validate: [HELPER, exists, DIR/zone]
  look: { needs: make, uses: manual, with: { instructions: Is it right? } }
";
    let Some(team) = Team::new(steps) else { return };
    team.run("anna", &["exec", "steps.yaml", "--share"]).code(0);
    let worker = team.at_work("anna");
    let made = |times: usize| {
        until("it is made", || {
            let lines = team.project.lines("log");
            let waits = count(&team.entries("steps"), "person_needed") == times;
            waits && lines.iter().filter(|line| *line == "made").count() == times
        });
    };
    made(1);
    std::fs::remove_file(team.project.path().join("zone")).unwrap();
    let args = ["reject", "steps", "look", "--to", "make", "--why", "it is gone"];
    team.run("ben", &args).code(0);
    made(2);
    team.run("ben", &["confirm", "steps", "look"]).code(0);
    team.project.write("go", "");
    worker.wait().code(0);
    let entries = team.entries("steps");
    let sent = entries
        .iter()
        .find(|entry| entry["event"] == "sent_back")
        .unwrap();
    assert_eq!(sent["operator"], "ben");
    nothing_is_done_twice(&entries);
    team.is_sound("steps");
}

#[test]
fn workers_need_a_database() {
    let project = Project::new();
    project.steps(SLOW);
    project.run(["work"]).code(2).tells("RB0434");
    project
        .run(["exec", "steps.yaml", "--share"])
        .code(2)
        .tells("RB0434");
    assert!(project.read("log").is_none());
}

#[test]
fn of_ten_workers_that_race_none_does_what_another_has_done() {
    let Some(team) = Team::new(SLOW) else { return };
    let items: Vec<String> = (0..1000).map(|item| item.to_string()).collect();
    let items = items.join(",");
    team.project.write(
        "many.yaml",
        &format!(
            "
runbook: many
params: {{ items: {{ type: list, of: integer, default: [{items}] }} }}
steps:
  each: {{ for_each: params.items, uses: command, with: {{ run: [nothing] }} }}
"
        ),
    );
    team.run("anna", &["exec", "many.yaml", "--rehearse", "--share"])
        .code(0);
    let names: Vec<String> = (0..10).map(|number| format!("worker{number}")).collect();
    let workers: Vec<Running> = names
        .iter()
        .map(|who| team.start(who, &["work", "many"]))
        .collect();
    for worker in workers {
        worker.wait().code(0);
    }
    let entries = team.entries("many");
    assert_eq!(count(&entries, "attempt_started"), 1000);
    assert_eq!(count(&entries, "verified"), 1000);
    let by = |who: &&String| entries.iter().any(|entry| entry["operator"] == who.as_str());
    assert!(names.iter().filter(by).count() > 3, "hardly anybody worked");
    team.is_sound("many");
}
