//! The flagship where a person may not sign in with a code, and where the tenant is in another cloud: the same runbook,
//! with other parameters.

use super::people::Practice;
use crate::practice::bench::CLIENT;

#[test]
fn an_application_signs_in_with_its_certificate_and_no_code_is_asked_for() {
    // Nobody approves codes here: a run that asked for one would not end.
    let Some(practice) = Practice::of(&[]) else {
        return;
    };
    let before = practice.state();
    let certificate = practice.bench.folder().join("app.pem");
    let more = [
        "--set",
        &format!("sign_in_app={CLIENT}"),
        "--set",
        &format!("sign_in_certificate={}", certificate.display()),
    ];
    let begun = practice.begin(&more);
    let run = practice.name();
    practice.go_on("bob", begun).code(0);
    practice.is_trusted();
    let log = practice.bench.run(&["log", &run]).code(0);
    assert!(!log.stdout.contains("devicelogin"), "{}", log.stdout);
    log.prints("signed in to the tenant");

    // How a principal is deleted is not documented: where it does not work, nothing else is left.
    let objects = "practice/modules/SharePointServer/objects.ps1";
    let module = practice.bench.project.read(objects).unwrap();
    let deletes = "Edit-Farm 'SPAppPrincipalManager.DeleteAppPrincipal' {";
    assert!(module.contains(deletes));
    let refuses = module.replace(
        deletes,
        &format!("throw 'there is no such method'\n        {deletes}"),
    );
    practice.bench.project.write(objects, &refuses);
    practice.roll_back("carol");
    practice
        .bench
        .run(&["log", &run])
        .code(0)
        .prints("stays on the farm: it could not be deleted");
    assert_eq!(
        practice.bench.farm()["app_principals"].as_array().unwrap().len(),
        1
    );
    practice.change_farm(|farm| farm["app_principals"] = serde_json::json!([]));
    assert_eq!(practice.state(), before);
}

#[test]
fn a_certificate_that_was_replaced_since_it_was_shown_is_not_uploaded() {
    let Some(practice) = Practice::new(&[]) else {
        return;
    };
    let mut outcome = practice.begin(&["--set", "web_app_url=https://sharepoint.adventureworks.com"]);
    while practice.status("allow-tenant-change") != "waiting" {
        practice.confirm("bob");
        outcome = practice.run("bob", &["resume", &practice.name()]);
    }
    let other = practice.bench.tenant()["servicePrincipals"][0]["keyCredentials"][0]["key"].clone();
    practice.change_farm(|farm| farm["sts"]["certificate"] = other);
    practice
        .go_on("bob", outcome)
        .code(1)
        .tells("the change was allowed for the certificate");
    assert!(practice.bench.calls("tenant").is_empty());
}

#[test]
fn another_cloud_needs_its_own_endpoint_and_no_other_runbook() {
    let Some(practice) = Practice::new(&[]) else {
        return;
    };
    let cloud = [
        "--set",
        "cloud=china",
        "--set",
        "web_app_url=https://sharepoint.adventureworks.com",
    ];
    let worldwide = [
        "--set",
        "acs_endpoint=https://accounts.accesscontrol.windows.net/",
    ];
    let begun = practice.begin(&[&cloud[..], &worldwide].concat());
    practice
        .go_on("bob", begun)
        .code(1)
        .tells("acs_endpoint is that of the worldwide cloud");
    assert_eq!(practice.calls(), 0);
    // With an endpoint of its own, here the practice tenant's, it goes on: to an entry of the farm's own certificate whose
    // date has passed, which nothing that is added can mend.
    let tenant = practice.bench.tenant();
    practice.change_tenant(|tenant, certificate| {
        let keys = tenant["servicePrincipals"][0]["keyCredentials"]
            .as_array_mut()
            .unwrap();
        let mut ended = keys[0].clone();
        ended["key"] = certificate.into();
        ended["endDateTime"] = "2025-06-01T00:00:00Z".into();
        keys.push(ended);
    });
    let begun = practice.begin(&cloud);
    practice.go_on("bob", begun).code(1);
    assert_eq!(practice.status("tenant-application"), "failed");
    practice.change_tenant(|now, _| *now = tenant);
    let run = practice.name();
    let decision = [
        "decide",
        &run,
        "tenant-application",
        "again",
        "--why",
        "it is removed",
    ];
    practice.run("bob", &decision).code(0);
    // What is there is taken only by its content, and gets other ids: that is no loss.
    practice.bench.fault(&["keys-refused-by-id"]);
    practice.bench.fault(&["key-ids-change"]);
    let resumed = practice.run("bob", &["resume", &run]);
    practice.go_on("bob", resumed).code(0);
    assert_eq!(practice.bench.farm()["issuers"].as_array().unwrap().len(), 1);
}
