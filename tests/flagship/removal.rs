//! The trust that the flagship made, taken away again by the runbook for that, as where its run is lost.

use serde_json::Value;

use super::people::Practice;
use crate::practice::bench::TENANT;

/// All that can be taken away, back to the realm that the farm began with.
const EVERYTHING: [&str; 6] = [
    "--set",
    "restore_realm=5b8c9a0e-3d0f-4c1e-9a57-1f6f0f4d2b11",
    "--set",
    "remove_app_principal=true",
    "--set",
    "forbid_oauth_over_http=true",
];

impl Practice {
    /// The file of the flagship's parameters, without those that the removal does not have.
    pub(super) fn removal(&self) -> Vec<&'static str> {
        let parameters = self.bench.project.read("practice/practice.yaml").unwrap();
        let lines: Vec<&str> = parameters
            .lines()
            .filter(|line| !line.starts_with("farm_version"))
            .collect();
        self.bench.project.write("remove.yaml", &lines.join("\n"));
        vec!["exec", "hybrid-s2s-remove", "--params", "remove.yaml"]
    }
}

#[test]
fn what_the_flagship_made_is_taken_away_to_the_byte_and_made_again_by_a_rollback() {
    let Some(practice) = Practice::new(&[]) else {
        return;
    };
    let untouched = practice.state();
    let begun = practice.begin(&[]);
    practice.go_on("bob", begun).code(0);
    let trusted = practice.state();

    let exec = [&practice.removal()[..], &EVERYTHING].concat();
    practice.change_farm(|farm| {
        let issuers = farm["issuers"].as_array_mut().unwrap();
        let mut theirs = issuers[0].clone();
        theirs["name"] = "Payroll add-in".into();
        theirs["metadata_endpoint"] = Value::Null;
        issuers.push(theirs);
    });
    practice
        .run("alice", &exec)
        .code(1)
        .tells("Payroll add-in")
        .tells("accept_realm_impact=true");
    practice
        .bench
        .project
        .write("practice/farm.json", trusted[0].as_ref().unwrap());

    // The gate says what is taken from whom.
    let removed = practice
        .run("alice", &exec)
        .code(3)
        .tells(TENANT)
        .tells("/*.adventureworks.com")
        .tells("uses the same")
        .tells("it is there");
    let run = practice.name();
    practice.go_on("alice", removed).code(0);
    assert_eq!(practice.state(), untouched);

    let calls = practice.calls();
    let again = practice.run("carol", &exec);
    practice.go_on("carol", again).code(0);
    assert_eq!(practice.calls(), calls, "the second run made no mutating call");

    practice.run("dave", &["rollback", &run]).code(0);
    assert_eq!(practice.state(), trusted);
}
