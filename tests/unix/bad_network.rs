//! Workers whose way to the database is cut, slow, silent, or closed on one side.

use std::collections::BTreeMap;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use self::proxy::{Mode, Proxy};
use super::shared_runs::server::{OWNER, Server};
use crate::support::{Outcome, Project, Running, until};

#[path = "../../engine/tests/postgres/proxy.rs"]
mod proxy;

/// A database, with a proxy of its own before it for each worker.
struct Net {
    server: Server,
    address: String,
    project: Project,
}

impl Net {
    /// None where PostgreSQL is not installed.
    fn new(name: &str, text: &str) -> Option<Self> {
        let server = Server::start()?;
        let address = server.database("runs");
        let project = Project::new();
        project.runbook(name, text);
        Some(Self {
            server,
            address,
            project,
        })
    }

    fn proxy(&self) -> Proxy {
        Proxy::before(self.server.loopback())
    }

    fn command(&self, who: &str, address: &str, args: &[&str]) -> Command {
        let mut command = self.project.command(args);
        command
            .env("RUNBOOK_JOURNAL", address)
            .env("RUNBOOK_OPERATOR", who)
            .env("RUNBOOK_STATE_DIR", self.project.path().join(who));
        command
    }

    #[track_caller]
    fn run(&self, args: &[&str]) -> Outcome {
        self.command("anna", &self.address, args).output().unwrap().into()
    }

    fn behind(&self, proxy: &Proxy, who: &str, args: &[&str]) -> Running {
        let address = format!("postgres://{OWNER}@{}/runs", proxy.address());
        Running::of(self.command(who, &address, args))
    }

    /// How many entries there are.
    fn entries(&self) -> usize {
        let count = self.server.sql("runs", "SELECT count(*) FROM runbook.entry");
        count.trim().parse().unwrap()
    }
}

fn of_event<'a>(entries: &'a [Value], event: &str) -> Vec<&'a Value> {
    entries.iter().filter(|entry| entry["event"] == event).collect()
}

#[test]
fn whatever_happens_on_the_way_no_instance_is_done_twice_and_none_is_left_out() {
    const ITEMS: usize = 60;
    let items: Vec<String> = (0..ITEMS).map(|item| item.to_string()).collect();
    let text = format!(
        "runbook: many
params: {{ items: {{ type: list, of: integer, default: [{}] }} }}
steps:
  each:
    for_each: params.items
    uses: command
    with:
      run: [HELPER, append, DIR/log, '${{{{ item }}}}', then, append, 'DIR/done-${{{{ item }}}}', x]
      validate: [HELPER, exists, 'DIR/done-${{{{ item }}}}']
",
        items.join(", ")
    );
    let Some(net) = Net::new("many.yaml", &text) else {
        return;
    };
    net.run(&["exec", "many.yaml", "--share"]).code(0);
    let proxies: Vec<Proxy> = (0..3).map(|_| net.proxy()).collect();
    let mut workers: Vec<Running> = ["anna", "ben", "carl"]
        .iter()
        .zip(&proxies)
        .map(|(who, proxy)| net.behind(proxy, who, &["work", "many", "--jobs", "2"]))
        .collect();
    let modes = [
        Mode::CutAnswer,
        Mode::HalfClose,
        Mode::Delay,
        Mode::Refuse,
        Mode::CutAnswer,
        Mode::Mute,
        Mode::HalfClose,
    ];
    for round in 0.. {
        let proxy = &proxies[round % proxies.len()];
        proxy.set(modes[round % modes.len()]);
        // It stays so until the others came further, or everything has stopped.
        let (before, begun) = (net.entries(), Instant::now());
        while net.entries() < before + 12 && begun.elapsed() < Duration::from_secs(2) {
            thread::sleep(Duration::from_millis(10));
        }
        proxy.set(Mode::Pass);
        if !workers.iter_mut().any(Running::is_alive) {
            break;
        }
    }
    for worker in workers {
        worker.wait().code(0);
    }
    let mut done: Vec<usize> = net
        .project
        .lines("log")
        .iter()
        .map(|line| line.parse().unwrap())
        .collect();
    done.sort_unstable();
    assert_eq!(done, (0..ITEMS).collect::<Vec<_>>(), "each is done once");
    let entries = net.run(&["log", "many", "--json"]).code(0).json_lines();
    let mut outcomes: BTreeMap<&str, usize> = BTreeMap::new();
    for verified in of_event(&entries, "verified") {
        *outcomes.entry(verified["step"].as_str().unwrap()).or_default() += 1;
    }
    assert!(outcomes.values().all(|&times| times == 1), "{outcomes:?}");
    net.run(&["journal", "verify", "many"]).code(0);
}

#[test]
fn an_outcome_that_was_cut_off_from_the_database_is_told_by_whoever_takes_over_and_by_nobody_else() {
    let text = "runbook: steps
steps:
  slow:
    uses: command
    with:
      run: [HELPER, append, DIR/log, begun, then, until, DIR/go, then, append, DIR/done, x]
      validate: [HELPER, exists, DIR/done]
  after: { needs: slow, uses: command, with: { run: [HELPER, append, DIR/log, after] } }
";
    let Some(net) = Net::new("steps.yaml", text) else {
        return;
    };
    net.run(&["exec", "steps.yaml", "--share"]).code(0);
    let proxy = net.proxy();
    let cut_off = net.behind(&proxy, "anna", &["work", "steps"]);
    until("the step is under way", || net.project.lines("log") == ["begun"]);
    proxy.set(Mode::Refuse);
    net.project.write("go", "");
    until("it took effect", || net.project.read("done").is_some());
    cut_off.is_told_of("does not answer");
    // On another machine: nothing of what anna's worker started can be seen from there.
    let ben = Running::of(net.command("ben", &net.address, &["work", "steps", "--host", "desk7"]));
    ben.wait().code(0).tells("completed");
    proxy.set(Mode::Pass);
    cut_off.is_told_of("another one has taken over");
    cut_off.wait().code(0);
    assert_eq!(
        net.project.lines("log"),
        ["begun", "after"],
        "nothing is done twice"
    );
    let entries = net.run(&["log", "steps", "--json"]).code(0).json_lines();
    let of_slow = entries
        .iter()
        .filter(|entry| entry["step"] == "slow" && entry["operator"] == "anna");
    let by_anna: Vec<&str> = of_slow.map(|entry| entry["event"].as_str().unwrap()).collect();
    assert!(by_anna.contains(&"attempt_started"), "{by_anna:?}");
    for late in ["attempt_returned", "attempt_failed", "verified", "doubt_settled"] {
        assert!(!by_anna.contains(&late), "{by_anna:?}");
    }
    assert_eq!(of_event(&entries, "interrupted")[0]["operator"], "ben");
    net.run(&["journal", "verify", "steps"]).code(0);
}
