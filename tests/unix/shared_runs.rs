//! Runs in a PostgreSQL database: several operators, each with a state folder of their own.

use std::ffi::OsStr;
use std::process::Command;
use std::time::{Duration, Instant};

use self::server::{Server, Stop};
use crate::support::{Outcome, Project, Running, until};

#[path = "../../engine/tests/postgres/server.rs"]
pub(crate) mod server;

const STEPS: &str = "
  first:
    uses: command
    with: { run: [HELPER, append, DIR/log, first] }
  slow:
    needs: first
    uses: command
    with:
      run: [HELPER, append, DIR/log, begun, then, until, DIR/go, then, append, DIR/done, x]
      validate: [HELPER, exists, DIR/done]
  by-hand:
    needs: slow
    uses: manual
    with: { instructions: Look. }
";

/// A database, and the folder of the one who starts the run.
struct Shared {
    server: Server,
    address: String,
    alice: Project,
}

impl Shared {
    /// None where PostgreSQL is not installed.
    fn new() -> Option<Self> {
        let server = Server::start()?;
        let address = server.database("runs");
        let alice = Project::new();
        alice.steps(STEPS);
        Some(Self {
            server,
            address,
            alice,
        })
    }

    fn command<S: AsRef<OsStr>>(
        &self,
        of: &Project,
        who: &str,
        args: impl IntoIterator<Item = S>,
    ) -> Command {
        let mut command = of.command(args);
        command
            .env("RUNBOOK_JOURNAL", &self.address)
            .env("RUNBOOK_OPERATOR", who);
        command
    }

    #[track_caller]
    fn run(&self, of: &Project, who: &str, args: &[&str]) -> Outcome {
        self.command(of, who, args).output().unwrap().into()
    }

    /// A run that alice carries out; its step waits for the file `go`.
    fn under_way(&self) -> Running {
        let running = Running::of(self.command(&self.alice, "alice", ["exec", "steps.yaml"]));
        until("the step is under way", || {
            self.alice.lines("log").last().is_some_and(|line| line == "begun")
        });
        running
    }

    /// Carries the run out as soon as whoever held it has lost it.
    #[track_caller]
    fn resumed(&self, of: &Project, who: &str) -> Outcome {
        let begun = Instant::now();
        loop {
            let outcome = self.run(of, who, &["resume", "steps"]);
            if outcome.code != 5 {
                return outcome;
            }
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "the claim never ends: {}",
                outcome.stderr
            );
        }
    }
}

#[test]
fn another_operator_with_another_state_folder_goes_on_where_a_killed_one_stopped() {
    let Some(shared) = Shared::new() else { return };
    let ben = Project::new();
    let running = shared.under_way();
    shared
        .run(&ben, "ben", &["resume", "steps"])
        .code(5)
        .tells("alice on ");
    shared.run(&ben, "ben", &["list"]).code(0).prints("held by alice");
    shared.run(&ben, "ben", &["log", "steps"]).code(0).prints("first");
    shared
        .run(&ben, "ben", &["confirm", "steps", "by-hand"])
        .code(5)
        .tells("alice on ");
    running.kill();
    // The step's own process outlives its parent for a moment, and takes effect.
    shared.alice.write("go", "");
    until("the step took effect", || {
        shared.alice.path().join("done").exists()
    });
    shared.resumed(&ben, "ben").code(3);
    assert_eq!(
        shared.alice.lines("log"),
        ["first", "begun"],
        "nothing is repeated"
    );
    shared.run(&ben, "ben", &["confirm", "steps", "by-hand"]).code(0);
    shared
        .run(&ben, "ben", &["show", "steps"])
        .code(0)
        .prints("completed");
    shared
        .run(&shared.alice, "alice", &["report", "steps"])
        .code(0)
        .prints("by-hand");
    shared
        .run(&shared.alice, "alice", &["journal", "verify", "steps"])
        .code(0);
    let log = shared.run(&ben, "ben", &["log", "steps", "--json"]).code(0);
    let entries = log.json_lines();
    let by = |who: &str| entries.iter().filter(|entry| entry["operator"] == who).count();
    assert!(by("alice") > 3 && by("ben") > 3, "{entries:?}");
    assert!(
        !ben.state_dir().join("runs").exists(),
        "nothing of it is kept elsewhere"
    );
}

#[test]
fn another_operator_with_another_state_folder_rolls_a_run_back() {
    let Some(shared) = Shared::new() else { return };
    shared.alice.steps(
        "
  only:
    uses: command
    with: { run: [HELPER, append, DIR/log, done], rollback: [HELPER, append, DIR/log, undone] }
",
    );
    shared
        .run(&shared.alice, "alice", &["exec", "steps.yaml"])
        .code(0);
    let ben = Project::new();
    shared.run(&ben, "ben", &["rollback", "steps", "--yes"]).code(0);
    assert_eq!(shared.alice.lines("log"), ["done", "undone"]);
    shared
        .run(&ben, "ben", &["show", "steps"])
        .code(0)
        .prints("rolled back");
    shared.run(&ben, "ben", &["journal", "verify", "steps"]).code(0);
}

#[test]
fn a_run_waits_for_its_database_and_goes_on_when_it_is_back() {
    let Some(mut shared) = Shared::new() else { return };
    let running = shared.under_way();
    shared.server.stop(Stop::Immediate);
    shared.alice.write("go", "");
    running.is_told_of("does not answer");
    until("the step took effect", || {
        shared.alice.path().join("done").exists()
    });
    let away = shared.run(&Project::new(), "ben", &["list"]);
    away.code(70).tells("RB0430").tells("cannot be reached");
    shared.server.resume();
    running.wait().code(3).tells("is back");
    shared
        .run(&shared.alice, "alice", &["show", "steps"])
        .code(0)
        .prints("waiting");
    shared
        .run(&shared.alice, "alice", &["journal", "verify", "steps"])
        .code(0);
}

#[test]
fn a_second_terminal_of_the_same_machine_acts_on_a_run_that_is_held() {
    let Some(shared) = Shared::new() else { return };
    let running = shared.under_way();
    shared
        .run(&shared.alice, "bob", &["cancel", "steps", "--why", "no time"])
        .code(0);
    shared.alice.write("go", "");
    running.wait();
    shared
        .run(&shared.alice, "alice", &["log", "steps"])
        .code(0)
        .prints("no time");
}

#[test]
fn what_a_step_prints_is_followed_from_another_machine() {
    let Some(shared) = Shared::new() else { return };
    shared.alice.steps(
        "
  talk:
    uses: command
    with: { run: [HELPER, say, hello, then, append, DIR/log, begun, then, until, DIR/go] }
",
    );
    let running = shared.under_way();
    let ben = Project::new();
    let mut log = Running::of(shared.command(&ben, "ben", ["log", "steps", "--follow", "--json"]));
    loop {
        let line = log.next_line().expect("it ended before anything was printed");
        if line["text"].as_str().is_some_and(|text| text.contains("hello")) {
            break;
        }
    }
    shared.alice.write("go", "");
    running.wait().code(0);
    log.wait().code(0);
}

#[test]
fn the_password_is_shown_nowhere() {
    let Some(shared) = Shared::new() else { return };
    let secret = "correct-horse-battery";
    let _made = shared.server.sql(
        "runs",
        &format!("CREATE ROLE anna LOGIN PASSWORD '{secret}'; GRANT CREATE ON DATABASE runs TO anna"),
    );
    let place = format!("{}/runs", shared.server.loopback());
    let project = Project::new();
    project.steps("  look:\n    uses: command\n    with: { run: [HELPER, variable, RUNBOOK_JOURNAL, then, variable, PGPASSWORD, then, variable, RUNBOOK_JOURNAL_PASSWORD] }\n");
    let with = |variables: &[(&str, &str)], args: &[&str]| -> Outcome {
        let mut command = project.command(args);
        command.envs(variables.iter().copied()).output().unwrap().into()
    };
    let open = format!("postgres://anna:{secret}@{place}");
    let bare = format!("postgres://anna@{place}");
    with(&[], &["list", "--journal", &open])
        .code(2)
        .tells("RB0103")
        .keeps_quiet_of(secret);
    with(&[("RUNBOOK_JOURNAL", &open)], &["list", "--help"])
        .code(0)
        .keeps_quiet_of(secret);
    with(
        &[("RUNBOOK_JOURNAL", &bare), ("PGPASSWORD", "wrong-password")],
        &["list"],
    )
    .code(70)
    .tells("RB0431")
    .keeps_quiet_of("wrong-password");
    let file = project.write("password", secret);
    let source = format!("file:{}", file.display());
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let passfile = project.write("pgpass", &format!("*:*:runs:anna:{secret}\n"));
    std::fs::set_permissions(&passfile, std::fs::Permissions::from_mode(0o600)).unwrap();
    let passfile = passfile.display().to_string();
    for variables in [
        &[("RUNBOOK_JOURNAL", open.as_str())][..],
        &[("RUNBOOK_JOURNAL", &bare), ("PGPASSWORD", secret)],
        &[("RUNBOOK_JOURNAL", &bare), ("PGPASSFILE", &passfile)],
        &[("RUNBOOK_JOURNAL", &bare), ("RUNBOOK_JOURNAL_PASSWORD", &source)],
    ] {
        with(variables, &["exec", "steps.yaml", "-vv"])
            .code(0)
            .keeps_quiet_of(secret);
    }
    let kept = shared.server.sql("runs", "SELECT count(*) FROM runbook.run");
    assert_eq!(kept, "4");
    let leaked = format!(
        "SELECT (SELECT count(*) FROM runbook.entry WHERE position('{secret}'::bytea IN record) > 0)
            + (SELECT count(*) FROM runbook.chunk WHERE position('{secret}'::bytea IN content) > 0)"
    );
    assert_eq!(shared.server.sql("runs", &leaked), "0");
}
