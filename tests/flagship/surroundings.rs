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
    practice.roll_back("carol");
    assert_eq!(practice.state(), before);
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
    // With an endpoint of its own, here the practice tenant's, it goes on.
    let begun = practice.begin(&cloud);
    practice.go_on("bob", begun).code(0);
    assert_eq!(practice.bench.farm()["issuers"].as_array().unwrap().len(), 1);
}
