//! `graph` steps in the practice tenant: carried out by a person who signs in with a code, and undone after another sign-in.

use std::process::Command;

use super::bench::{APP, Bench};
use crate::support::Outcome;

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

fn carried_out(bench: &Bench, args: &[&str]) -> Outcome {
    let mut command: Command = bench.project.command(args);
    command
        .env("RUNBOOK_GRAPH_URL", bench.address())
        .env("RUNBOOK_LOGIN_URL", bench.address());
    command.output().unwrap().into()
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
    let undone = carried_out(&bench, &["rollback", "names"]).code(0);
    let second = code(&undone.stderr);
    assert_ne!(first, second);
    assert_eq!(bench.project.read("practice/tenant.json").unwrap(), before);
    let kept = bench.run(&["log", "names"]).code(0).stdout;
    assert!(kept.contains("waits until somebody signs in"), "{kept}");
    for secret in [first.as_str(), second.as_str(), "Bearer", "access_token"] {
        assert!(!kept.contains(secret), "{kept}");
    }
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
