//! `graph` steps in the practice tenant: carried out by a person who signs in with a code, and undone after another sign-in.

use std::process::Command;

use serde_json::Value;

use super::shared_runs::server::Server;
use crate::practice::bench::{APP, Bench};
use crate::support::{Outcome, Running, until};

const RUNBOOK: &str = r#"
runbook: names
params:
  name: { type: string }
sessions:
  tenant:
    uses: graph
    with: { tenant: adventureworks.com, scopes: [Application.ReadWrite.All, Organization.Read.All] }
steps:
  add:
    title: Add a name
    uses: graph
    session: tenant
    with:
      validate:
        path: /servicePrincipals(appId='APP')
        query: { $select: "id,servicePrincipalNames" }
        satisfied: response.json.servicePrincipalNames.contains(params.name)
      run:
        path: /servicePrincipals(appId='APP')
        merge: { property: servicePrincipalNames, add: "${{ params.name }}" }
      rollback:
        path: /servicePrincipals(appId='APP')
        merge: { property: servicePrincipalNames, remove: "${{ params.name }}" }
"#;

fn command(bench: &Bench, args: &[&str]) -> Command {
    let mut command: Command = bench.project.command(args);
    command
        .env("RUNBOOK_GRAPH_URL", bench.address())
        .env("RUNBOOK_LOGIN_URL", bench.address());
    command
}

fn carried_out(bench: &Bench, args: &[&str]) -> Outcome {
    command(bench, args).output().unwrap().into()
}

/// The code that was shown.
fn code(shown: &str) -> String {
    let (_, rest) = shown.split_once("enter the code ").expect("a code is shown");
    rest.split(' ').next().unwrap().to_owned()
}

#[test]
fn a_code_is_shown_without_a_terminal_and_kept_nowhere() {
    let bench = Bench::new(&["--approve-all"]);
    let before = bench.project.read("practice/tenant.json").unwrap();
    std::fs::write(
        bench.project.path().join("names.yaml"),
        RUNBOOK.replace("APP", APP),
    )
    .unwrap();
    let name = format!("name={APP}/*.adventureworks.com");
    // Also where a program reads along.
    let done = carried_out(&bench, &["exec", "names.yaml", "--set", &name, "--json"]).code(0);
    let first = code(&done.stderr);
    assert!(!done.stdout.contains(&first), "{}", done.stdout);
    let after = bench.project.read("practice/tenant.json").unwrap();
    assert!(after.contains("/*.adventureworks.com"), "{after}");
    // Whoever goes on signs in for themselves.
    let undone = carried_out(&bench, &["rollback", "names", "--yes"]).code(0);
    let second = code(&undone.stderr);
    assert_ne!(first, second);
    assert_eq!(bench.project.read("practice/tenant.json").unwrap(), before);
    let kept = bench.run(&["log", "names"]).code(0).stdout;
    assert!(kept.contains("waits until somebody signs in"), "{kept}");
    for secret in [first.as_str(), second.as_str(), "Bearer", "access_token"] {
        assert!(!kept.contains(secret), "{kept}");
    }
}

/// The names that the application has.
fn names(bench: &Bench) -> Vec<String> {
    let tenant: Value = serde_json::from_str(&bench.project.read("practice/tenant.json").unwrap()).unwrap();
    let principals = tenant["servicePrincipals"].as_array().unwrap();
    let one = principals.iter().find(|one| one["appId"] == APP).unwrap();
    let names = one["servicePrincipalNames"].as_array().unwrap().iter();
    let mut names: Vec<String> = names.map(|name| name.as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_name_that_graph_drops_is_put_back_or_named_and_never_lost_without_a_word() {
    let bench = Bench::new(&["--approve-all"]);
    std::fs::write(
        bench.project.path().join("names.yaml"),
        RUNBOOK.replace("APP", APP),
    )
    .unwrap();
    // Microsoft's own names cannot be put back by anybody; this one can.
    let old = RUNBOOK
        .replace("APP", APP)
        .replace("runbook: names", "runbook: earlier");
    bench.project.write("earlier.yaml", &old);
    let old = format!("name={APP}/portal.adventureworks.com");
    carried_out(&bench, &["exec", "earlier.yaml", "--set", &old]).code(0);
    let before = names(&bench);
    let new = format!("{APP}/*.adventureworks.com");
    let set = format!("name={new}");
    bench.fault(&["item-dropped"]);
    carried_out(&bench, &["exec", "names.yaml", "--set", &set])
        .code(0)
        .tells("is gone, which nobody asked for: it is put back");
    let mut with: Vec<String> = before.iter().cloned().chain([new]).collect();
    with.sort();
    assert_eq!(names(&bench), with);
    carried_out(&bench, &["rollback", "names", "--yes"]).code(0);
    assert_eq!(names(&bench), before);

    bench.fault(&["item-dropped", "--always"]);
    let lost = carried_out(&bench, &["exec", "names.yaml", "--set", &set]).code(1);
    let gone: Vec<&String> = with.iter().filter(|name| !names(&bench).contains(name)).collect();
    assert!(!gone.is_empty());
    let lost = gone.iter().fold(lost, |lost, name| lost.tells(name));
    lost.tells("could not be put back").tells("RB0325");
    let shown = bench.run(&["list", "--json"]).code(0).json();
    let failed = shown
        .as_array()
        .unwrap()
        .iter()
        .find(|run| run["status"] == "failed")
        .unwrap();
    let failed = failed["name"].as_str().unwrap();
    // A person tries again, and what the first attempt lost is there again.
    bench.fault(&["item-dropped", "--off"]);
    bench
        .run(&[
            "decide",
            failed,
            "add",
            "again",
            "--why",
            "Microsoft has mended it",
        ])
        .code(0);
    carried_out(&bench, &["resume", failed]).code(0);
    assert_eq!(names(&bench), with);
}

#[test]
fn a_rollback_that_was_killed_after_graph_dropped_a_name_puts_it_back() {
    let bench = Bench::new(&["--approve-all"]);
    let runbook = RUNBOOK.replace("APP", APP);
    bench.project.write("names.yaml", &runbook);
    let earlier = runbook.replace("runbook: names", "runbook: earlier");
    bench.project.write("earlier.yaml", &earlier);
    let (old, new) = (
        format!("name={APP}/portal.adventureworks.com"),
        format!("name={APP}/*.adventureworks.com"),
    );
    carried_out(&bench, &["exec", "earlier.yaml", "--set", &old]).code(0);
    let before = names(&bench);
    carried_out(&bench, &["exec", "names.yaml", "--set", &new]).code(0);

    // Graph takes the change and drops a name, and the answer is lost: it is asked again after a pause, and killed in that.
    bench.fault(&["item-dropped"]);
    bench.fault(&["lost-answer"]);
    let with = names(&bench);
    let mut running = Running::of(command(&bench, &["rollback", "names", "--yes"]));
    until("the change is made", || {
        names(&bench) != with || !running.is_alive()
    });
    running.kill();
    let left = names(&bench);
    assert!(before.iter().any(|name| !left.contains(name)), "{left:?}");

    let resumed = carried_out(&bench, &["resume", "names"]).code(0);
    assert_eq!(names(&bench), before, "{}", resumed.stderr);
    let log = bench.run(&["log", "names"]).code(0);
    log.prints("was there when the rollback began, and is gone: it is put back");
    bench.run(&["journal", "verify", "names"]).code(0);
}

#[test]
fn a_worker_undoes_it_too() {
    let Some(server) = Server::start() else { return };
    let address = server.database("runs");
    let bench = Bench::new(&["--approve-all"]);
    let later = "  later:
    needs: add
    uses: command
    with:
      run: [HELPER, append, DIR/later, done]
      rollback: [HELPER, exists, DIR/never]
";
    let runbook = RUNBOOK.replace("APP", APP);
    bench.project.runbook("names.yaml", &format!("{runbook}{later}"));
    let before = names(&bench);
    let run = |args: &[&str]| {
        let mut command = command(&bench, args);
        command.env("RUNBOOK_JOURNAL", &address);
        Outcome::from(command.output().unwrap())
    };
    let name = format!("name={APP}/*.adventureworks.com");
    run(&["exec", "names.yaml", "--set", &name]).code(0);
    assert_ne!(names(&bench), before);
    // The rollback stops at what comes first, and a worker goes on with it.
    run(&["rollback", "names", "--yes"]).code(1);
    run(&["decide", "names", "later", "skip", "--why", "it harms nobody"]).code(0);
    run(&["work", "names"]).code(0);
    assert_eq!(names(&bench), before);
}

#[test]
fn nothing_is_written_to_another_tenant() {
    let bench = Bench::new(&["--approve-all"]);
    let before = bench.project.read("practice/tenant.json").unwrap();
    bench.fault(&["wrong-tenant"]);
    std::fs::write(
        bench.project.path().join("names.yaml"),
        RUNBOOK.replace("APP", APP),
    )
    .unwrap();
    let name = format!("name={APP}/*.adventureworks.com");
    carried_out(&bench, &["exec", "names.yaml", "--set", &name])
        .code(1)
        .tells("RB0321");
    assert_eq!(bench.project.read("practice/tenant.json").unwrap(), before);
    assert!(
        bench
            .project
            .read("practice/tenant-calls.jsonl")
            .is_none_or(|calls| calls.is_empty())
    );
}
