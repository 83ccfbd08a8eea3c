//! The flagship carried out as a whole, with a real PowerShell, against the practice farm and tenant: done, killed at
//! every step on the way there and on the way back, undone, repeated, found half done, and disturbed.

mod people;
mod removal;
mod rotation;
mod surroundings;

use self::people::Practice;
use crate::practice::bench::TENANT;

/// The steps that change something and that the practice farm does not skip, in their order.
const CHANGES: [&str; 10] = [
    "oauth-over-http[localhost]",
    "upload-sts-certificate",
    "add-spn",
    "register-app-principal",
    "set-realm",
    "restart-timer[localhost]",
    "acs-proxy",
    "trusted-token-issuer",
    "restart-iis[localhost]",
    "install-tools",
];

/// All that the practice farm can be asked for.
const EVERYTHING: [&str; 4] = ["--set", "restart_iis=true", "--set", "install_graph_modules=true"];

#[test]
fn it_is_carried_out_repeated_without_a_change_and_undone_to_the_byte() {
    let Some(practice) = Practice::new(&[]) else {
        return;
    };
    let before = practice.state();
    let begun = practice.begin(&EVERYTHING);
    practice.go_on("bob", begun).code(0).tells("is completed");
    practice.is_trusted();
    let first = practice.name();
    for step in CHANGES {
        assert_eq!(practice.status(step), "succeeded", "{step}");
    }
    let (calls, state) = (practice.calls(), practice.state());

    let again = practice.begin(&EVERYTHING);
    practice.go_on("carol", again).code(0);
    for step in CHANGES {
        let status = if step.starts_with("restart") || step.starts_with("oauth") {
            step.split('[').next().unwrap()
        } else {
            step
        };
        let status = practice.status(status);
        assert!(
            ["satisfied", "skipped"].contains(&status.as_str()),
            "{step}: {status}"
        );
    }
    assert_eq!(practice.calls(), calls, "the second run made no mutating call");
    assert_eq!(practice.state(), state);
    practice.run("carol", &["rollback", &practice.name(), "--yes"]);
    assert_eq!(practice.state(), state, "what it found is not its own to undo");

    let modules = practice
        .bench
        .folder()
        .join("modules/Microsoft.Graph.Applications");
    std::fs::create_dir(modules.join("2.31.0")).unwrap();
    // Nobody knows whether setting a realm does this on a real farm.
    let own = "00000003-0000-0ff1-ce00-000000000000@";
    practice.change_farm(|farm| farm["sts"]["name_identifier"] = format!("{own}{TENANT}").into());
    practice.run("dave", &["rollback", &first, "--yes"]).code(0);
    assert_eq!(practice.state(), before);
    let left: Vec<_> = std::fs::read_dir(modules)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["2.31.0"], "what somebody else has installed since stays");
    practice.bench.run(&["journal", "verify", &first]).code(0);
}

#[test]
fn on_2013_with_all_that_is_optional_it_is_killed_at_every_step_there_and_back_and_others_go_on() {
    // Its cmdlets come in a snap-in, and the article has two steps more.
    let Some(practice) = Practice::new(&["--farm-version", "2013"]) else {
        return;
    };
    let before = practice.state();
    let exec = ["exec", "hybrid-s2s", "--params", "practice/practice.yaml"];
    let script = ["--set", "federated_search_script=true"];
    let killed = practice.killed_everywhere(&[&exec[..], &EVERYTHING, &script].concat());
    for step in CHANGES {
        assert!(killed.iter().any(|one| one == step), "{step}: {killed:?}");
    }
    for step in ["federated-search-script", "search-permission-2013"] {
        assert_eq!(practice.status(step), "succeeded", "{step}");
    }
    practice.is_trusted();
    practice.changed_nothing_twice();

    let undone = practice.undone_killed_everywhere(&practice.name());
    for step in CHANGES.iter().filter(|step| **step != "register-app-principal") {
        assert!(undone.iter().any(|one| one == step), "{step}: {undone:?}");
    }
    assert_eq!(practice.state(), before);
}

#[test]
fn a_farm_where_half_is_there_gets_the_rest_and_keeps_what_it_had() {
    let Some(practice) = Practice::new(&["--start", "half"]) else {
        return;
    };
    let before = practice.state();
    let begun = practice.begin(&[]);
    practice.go_on("bob", begun).code(0);
    practice.is_trusted();
    for step in ["upload-sts-certificate", "register-app-principal"] {
        assert_eq!(practice.status(step), "satisfied", "{step}");
    }
    for step in ["allow-oauth-over-http", "oauth-over-http"] {
        assert_eq!(practice.status(step), "skipped", "{step}");
    }
    assert_eq!(practice.status("add-spn"), "succeeded");
    practice.roll_back("bob");
    assert_eq!(practice.state(), before);
}

#[test]
fn after_the_wizard_nothing_is_left_to_do_and_it_can_be_taken_away() {
    let Some(practice) = Practice::new(&["--start", "wizard"]) else {
        return;
    };
    let begun = practice.begin(&[]);
    let run = practice.name();
    practice.go_on("bob", begun).code(0);
    practice
        .bench
        .run(&["log", &run])
        .code(0)
        .prints("the Hybrid Configuration Wizard was run here");
    assert_eq!(practice.calls(), 0);

    let more = ["--set", "remove_app_principal=true"];
    let removed = practice.run("alice", &[&practice.removal()[..], &more].concat());
    practice.go_on("alice", removed).code(0);
    let issuers = &practice.bench.farm()["issuers"];
    assert_eq!(
        issuers.as_array().unwrap().len(),
        1,
        "nobody asked for it: {issuers}"
    );
    assert_eq!(issuers[0]["name"], "EvoSTS-Trust");
    practice
        .bench
        .run(&["log", &practice.name()])
        .code(0)
        .prints("the issuer EvoSTS-Trust stays");
    let more = ["--set", "remove_evosts_trust=true"];
    let removed = practice.run("alice", &[&practice.removal()[..], &more].concat());
    practice.go_on("alice", removed).code(0);
    let (farm, tenant) = (practice.bench.farm(), practice.bench.tenant());
    assert_eq!(farm["issuers"], serde_json::json!([]));
    assert_eq!(farm["app_principals"], serde_json::json!([]));
    assert!(
        farm["proxies"]
            .as_array()
            .unwrap()
            .iter()
            .all(|proxy| proxy["endpoint"].is_null())
    );
    assert_eq!(farm["realm"], TENANT, "nobody said to which realm to go back");
    let application = &tenant["servicePrincipals"][0];
    assert_eq!(application["keyCredentials"].as_array().unwrap().len(), 1);
    assert_eq!(application["servicePrincipalNames"].as_array().unwrap().len(), 3);
}

#[test]
fn a_realm_that_others_depend_on_is_not_changed_unasked() {
    let Some(practice) = Practice::new(&["--start", "entangled"]) else {
        return;
    };
    let begun = practice.begin(&[]);
    practice
        .go_on("bob", begun)
        .code(1)
        .tells("Expense add-in")
        .tells("Workflow Manager")
        .tells("accept_realm_impact=true");
    assert_ne!(practice.bench.farm()["realm"], TENANT);
    let mut accepted = practice.begin(&["--set", "accept_realm_impact=true"]);
    while practice.status("allow-realm-change") != "waiting" {
        practice.confirm("bob");
        accepted = practice.run("bob", &["resume", &practice.name()]);
    }
    accepted = accepted.tells("after 2 April 2026");
    // Between the approval and the change others do what nobody was asked about.
    let allowed = practice.bench.farm();
    practice.change_farm(|farm| farm["issuers"][0]["name"] = "Payroll add-in".into());
    practice
        .go_on("bob", accepted)
        .code(1)
        .tells("there is more that it would break")
        .tells("Payroll add-in");
    let again = |why| {
        let run = practice.name();
        practice
            .run("bob", &["decide", &run, "set-realm", "again", "--why", why])
            .code(0);
        let resumed = practice.run("bob", &["resume", &run]);
        practice.go_on("bob", resumed)
    };
    let other = "77777777-7777-4777-8777-777777777777";
    practice.change_farm(|farm| {
        farm["issuers"] = allowed["issuers"].clone();
        farm["realm"] = other.into();
    });
    again("the add-in is gone")
        .code(1)
        .tells("the change was allowed from the realm");
    assert_eq!(practice.bench.farm()["realm"], other);
    practice.change_farm(|farm| farm["realm"] = allowed["realm"].clone());
    again("the realm is the one that was shown").code(0);
    assert_eq!(practice.bench.farm()["realm"], TENANT);
}

#[test]
fn what_goes_wrong_is_told_and_nothing_is_lost() {
    let Some(practice) = Practice::new(&[]) else {
        return;
    };
    let before = practice.state();
    // Each alone: the fault, and what is told of it.
    let fatal = [
        ("farm-not-accessible", "The local farm is not accessible"),
        ("wrong-tenant", "nothing was sent to it"),
        ("metadata-gone", "the answer is 404"),
        (
            "keys-hidden",
            "Graph does not show the content of these certificates: ",
        ),
        ("sign-in-declined", "declined"),
    ];
    for (fault, told) in fatal {
        practice.bench.fault(&[fault]);
        // Over https and without the step that is tried again after ten seconds, since only the end matters.
        let begun = practice.begin(&["--set", "web_app_url=https://sharepoint.adventureworks.com"]);
        let ended = practice.go_on("bob", begun);
        assert_eq!(ended.code, 1, "{fault}:\n{}", ended.stderr);
        assert!(
            ended.stderr.contains(told),
            "{fault} does not tell `{told}`:\n{}",
            ended.stderr
        );
        assert_eq!(practice.state(), before, "{fault} changed something");
        practice.bench.fault(&["--off"]);
    }
    let script = practice.begin(&["--set", "federated_search_script=true"]);
    script.code(1).tells("leave federated_search_script out");
}

#[test]
fn what_the_farm_cannot_tell_is_not_taken_for_missing_and_nothing_restarts_for_nothing() {
    let Some(practice) = Practice::new(&[]) else {
        return;
    };
    let before = practice.state();
    practice.bench.fault(&["farm-app-management-down"]);
    let begun = practice.begin(&EVERYTHING);
    practice
        .go_on("bob", begun)
        .code(1)
        .tells("the App Management service does not answer");
    assert_eq!(practice.status("add-spn"), "succeeded");
    practice.bench.fault(&["--off"]);
    practice
        .run("carol", &["rollback", &practice.name(), "--yes"])
        .code(0)
        .tells("The name that this run has added is removed")
        .keeps_quiet_of("IIS restarts");
    assert_eq!(practice.state(), before);
    let calls = practice.bench.calls("farm");
    let is_restart = |call: &String| call.starts_with("iisreset") || call.starts_with("Restart");
    assert!(!calls.iter().any(is_restart), "{calls:?}");
}

#[test]
fn a_conflict_is_tried_again_half_a_change_is_asked_about_and_what_others_change_stays() {
    let Some(practice) = Practice::new(&[]) else {
        return;
    };
    let [farm, _] = practice.state();
    practice.bench.fault(&["farm-update-conflict"]);
    let mut outcome = practice.begin(&[]);
    while outcome.code == 3 {
        if practice.status("allow-tenant-change") == "waiting" {
            practice.bench.fault(&["concurrent-change"]);
        }
        if practice.status("allow-realm-change") == "waiting" {
            practice.bench.fault(&["farm-half-way"]);
        }
        practice.confirm("bob");
        outcome = practice.run("bob", &["resume", &practice.name()]);
    }
    outcome.code(1).tells("failed after it had changed the farm");
    let run = practice.name();
    let decision = [
        "decide",
        &run,
        "set-realm",
        "again",
        "--why",
        "the realm is right",
    ];
    practice.run("bob", &decision).code(0);
    let resumed = practice.run("bob", &["resume", &run]);
    practice.go_on("bob", resumed).code(0);

    practice.bench.fault(&["farm-update-conflict", "--times", "2"]);
    practice.roll_back("bob");
    assert_eq!(practice.state()[0], farm, "a conflict does not stop the way back");
    let application = &practice.bench.tenant()["servicePrincipals"][0];
    let theirs = application["servicePrincipalNames"].as_array().unwrap();
    assert_eq!(theirs.len(), 4, "{theirs:?}");
    assert!(
        !theirs
            .iter()
            .any(|name| name.as_str().unwrap().ends_with("/*.adventureworks.com"))
    );
    assert_eq!(application["keyCredentials"].as_array().unwrap().len(), 2);
}
