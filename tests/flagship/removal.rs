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

/// The steps that take something away, in their order.
const REMOVED: [&str; 11] = [
    "trusted-token-issuer[ACS]",
    "trusted-token-issuer[STS by hand]",
    "acs-proxy[ACS]",
    "acs-proxy[ACS by hand]",
    "restart-iis[localhost]",
    "set-realm",
    "restart-timer[localhost]",
    "app-principal",
    "remove-spn",
    "remove-sts-certificate",
    "oauth-over-http",
];

impl Practice {
    /// The file of the flagship's parameters, without those that the removal does not have.
    pub(super) fn removal(&self) -> Vec<&'static str> {
        let parameters = self.bench.project.read("practice/practice.yaml").unwrap();
        let lines: Vec<&str> = parameters
            .lines()
            .filter(|line| !line.starts_with("farm_version") && !line.starts_with("acs_endpoint"))
            .collect();
        self.bench.project.write("remove.yaml", &lines.join("\n"));
        vec!["exec", "hybrid-s2s-remove", "--params", "remove.yaml"]
    }

    /// Somebody makes a second proxy and a second issuer for the tenant by hand: another address of the service with the
    /// tenant by its domain, and an issuer that follows nothing.
    fn trust_by_hand(&self) {
        let known = self.bench.tenant()["servicePrincipals"][0]["keyCredentials"][0]["key"].clone();
        self.change_farm(|farm| {
            let proxies = farm["proxies"].as_array_mut().unwrap();
            let of_acs = proxies.iter().find(|proxy| proxy["endpoint"].is_string());
            let mut by_hand = of_acs.unwrap().clone();
            by_hand["id"] = "99999999-0000-4000-8000-000000000001".into();
            by_hand["name"] = "ACS by hand".into();
            let endpoint = by_hand["endpoint"].as_str().unwrap();
            by_hand["endpoint"] = endpoint.replace(TENANT, "adventureworks.com").into();
            proxies.push(by_hand);
            let issuers = farm["issuers"].as_array_mut().unwrap();
            let mut by_hand = issuers[0].clone();
            by_hand["name"] = "STS by hand".into();
            by_hand["metadata_endpoint"] = Value::Null;
            by_hand["certificate"] = known;
            issuers.push(by_hand);
        });
    }

    /// The farm without what is new whenever something is made again: ids, and an order.
    fn farm_by_name(&self) -> Value {
        let mut farm = self.bench.farm();
        for list in ["proxies", "issuers"] {
            let list = farm[list].as_array_mut().unwrap();
            list.iter_mut().for_each(|one| one["id"] = Value::Null);
            list.sort_by_key(|one| one["name"].as_str().unwrap().to_owned());
        }
        farm
    }
}

#[test]
fn what_the_flagship_made_is_taken_away_to_the_byte_and_made_again_though_killed_at_every_step_there_and_back()
 {
    let Some(practice) = Practice::new(&[]) else {
        return;
    };
    let untouched = practice.state();
    let begun = practice.begin(&[]);
    practice.go_on("bob", begun).code(0);
    practice.trust_by_hand();
    let (trusted, by_name) = (practice.state(), practice.farm_by_name());

    let exec = [&practice.removal()[..], &EVERYTHING].concat();
    practice.change_farm(|farm| {
        let issuers = farm["issuers"].as_array_mut().unwrap();
        let mut theirs = issuers[0].clone();
        theirs["name"] = "Payroll add-in".into();
        theirs["registered_issuer_name"] = format!("33333333-3333-4333-8333-333333333333@{TENANT}").into();
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
        .tells("it is there")
        .tells("the access control service answers now");
    assert!(removed.stderr.contains("/metadata/json/1)"), "{}", removed.stderr);

    let killed = practice.killed_everywhere(&exec);
    assert_eq!(practice.state(), untouched);
    let run = practice.name();
    for step in REMOVED {
        assert!(killed.iter().any(|one| one == step), "{step}: {killed:?}");
    }
    practice.again_changes_nothing(&exec);

    let undone = practice.undone_killed_everywhere(&run);
    for step in REMOVED.iter().filter(|step| !step.starts_with("restart")) {
        assert!(undone.iter().any(|one| one == step), "{step}: {undone:?}");
    }
    assert!(
        undone.iter().any(|one| one == "timer-on-the-way-back[localhost]"),
        "{undone:?}"
    );
    assert_eq!(practice.farm_by_name(), by_name);
    assert_eq!(practice.state()[1], trusted[1]);
}

#[test]
fn what_else_stands_for_the_tenant_is_found_and_what_came_later_is_asked_about() {
    let Some(practice) = Practice::new(&["--start", "wizard"]) else {
        return;
    };
    practice.trust_by_hand();
    let known = practice.bench.tenant()["servicePrincipals"][0]["keyCredentials"].clone();
    let earlier = known[0]["customKeyIdentifier"].as_str().unwrap().to_owned();
    practice.bench.fault(&["metadata-gone"]);
    let mut parameters = practice.removal();
    let named = format!("remove_thumbprints=[\"{}\", \"00\"]", earlier.to_lowercase());
    parameters.extend(["--set", named.as_str()]);
    let removed = practice
        .run("alice", &parameters)
        .code(3)
        .tells("ACS by hand (")
        .tells("/adventureworks.com/metadata/json/1")
        .tells("STS by hand (without metadata)")
        .tells("does not give the metadata that are needed for it")
        .tells("these are NOT there: 00");
    practice.bench.fault(&["--off"]);
    practice.change_farm(|farm| farm["issuers"][1]["name"] = "made since".into());
    practice
        .go_on("alice", removed)
        .code(1)
        .tells("an issuer more that nobody was asked about: made since");
    let removed = practice.run("alice", &parameters);
    practice.go_on("alice", removed).code(0);
    let (farm, tenant) = (practice.bench.farm(), practice.bench.tenant());
    assert_eq!(farm["issuers"], serde_json::json!([]));
    let proxies = farm["proxies"].as_array().unwrap();
    assert!(
        proxies.iter().all(|proxy| proxy["endpoint"].is_null()),
        "{proxies:#?}"
    );
    assert_eq!(
        tenant["servicePrincipals"][0]["keyCredentials"],
        serde_json::json!([])
    );
}
