//! `practice`: the command, its folder, and how it goes on.

pub(crate) mod bench;
mod farm;
mod sign_in;
mod tenant;

use std::path::Path;

use serde_json::Value;

use self::bench::Bench;
use crate::platform;
use crate::support::{Outcome, Project, until};

#[test]
fn a_folder_that_was_not_finished_is_finished() {
    let mut bench = Bench::new(&[]);
    bench.served().kill();
    std::fs::rename(
        bench.folder().join("practice.json"),
        bench.folder().join(".practice-begun"),
    )
    .unwrap();
    std::fs::remove_file(bench.folder().join("farm.json")).unwrap();
    bench
        .run(&["practice", "env"])
        .code(2)
        .tells("there is no practice farm");
    bench.serve(&[]);
    assert_eq!(bench.farm()["realm"], bench.farm()["id"]);
    assert!(!bench.folder().join(".practice-begun").exists());
    bench.sign_in();

    // Before it was a practice folder at all.
    bench.project.write("early/.practice-x1y2", "{");
    let running = bench.project.start(["practice", "--folder", "early"]);
    until("the folder is there", || {
        bench.project.path().join("early/farm.json").exists()
    });
    drop(running);
}

#[test]
fn an_odd_folder_stands_in_the_parameters_as_it_is() {
    let project = Project::new();
    let odd = platform::ODD_NAME;
    let running = project.start(["practice", "--folder", odd, "--json"]);
    let file = project.path().join(odd).join("rotation.yaml");
    until("the parameters are there", || file.exists());
    let text = std::fs::read_to_string(file).unwrap();
    let read: Value = serde_yaml::from_str(&text).unwrap();
    let expected = project.path().join(odd).join("sts-new.pfx");
    assert_eq!(Path::new(read["pfx_path"].as_str().unwrap()), expected);
    drop(running);
}

#[test]
fn it_goes_on_where_it_was_and_on_the_same_port() {
    let mut bench = Bench::new(&[]);
    let port = bench.port;
    let names = serde_json::json!({ "servicePrincipalNames": ["00000003-0000-0ff1-ce00-000000000000/*.adventureworks.com"] });
    bench.sign_in().patch(&names).unwrap().status(204);
    let token = bench.sign_in().token;
    bench.served().kill();

    bench.serve(&[]);
    assert_eq!(bench.port, port);
    let signed_in = bench.sign_in();
    assert_eq!(
        signed_in.application()["servicePrincipalNames"],
        names["servicePrincipalNames"]
    );
    // Tokens were in memory only.
    let old = bench::SignedIn { bench: &bench, token };
    old.get("/organization", &[]).status(401);

    let second = bench.run(&["practice"]).code(2);
    second
        .tells("cannot answer on port")
        .tells("is it served already?");
    bench
        .run(&["practice", "--farm-version", "2016"])
        .code(2)
        .tells("its farm is a SE");
    bench
        .run(&["practice", "--start", "half"])
        .code(2)
        .tells("practice reset");
    bench
        .run(&["practice", "--port", "1"])
        .code(2)
        .tells("`--port` does not fit");
}

#[test]
fn reset_puts_everything_back() {
    let bench = Bench::new(&[]);
    let (farm, tenant) = (
        bench.project.read("practice/farm.json"),
        bench.project.read("practice/tenant.json"),
    );
    let names = serde_json::json!({ "servicePrincipalNames": [] });
    bench.sign_in().patch(&names).unwrap().status(204);
    bench.fault(&["forbidden"]);
    bench.run(&["practice", "reset"]).code(0);
    assert_eq!(bench.project.read("practice/farm.json"), farm);
    assert_eq!(bench.project.read("practice/tenant.json"), tenant);
    assert_eq!(bench.calls("tenant"), [""; 0]);
    bench.sign_in().patch(&serde_json::json!({})).unwrap().status(204);
}

#[test]
fn it_can_begin_with_half_of_the_work_done_or_all_of_it() {
    let bench = Bench::new(&["--start", "half"]);
    let keys = |bench: &Bench| {
        bench.tenant()["servicePrincipals"][0]["keyCredentials"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(keys(&bench), 2);
    assert_eq!(bench.farm()["app_principals"].as_array().unwrap().len(), 1);
    assert_eq!(bench.farm()["realm"], bench.farm()["id"]);
    assert_eq!(bench.farm()["issuers"], serde_json::json!([]));

    bench.run(&["practice", "reset", "--start", "wizard"]).code(0);
    assert_eq!(bench.farm()["realm"], bench::TENANT);
    assert_eq!(bench.farm()["issuers"][0]["name"], "ACS_STS");

    bench.run(&["practice", "reset", "--start", "entangled"]).code(0);
    assert_eq!(keys(&bench), 1);
    assert_eq!(bench.farm()["issuers"][0]["name"], "Expense add-in");
    assert_eq!(bench.farm()["proxies"].as_array().unwrap().len(), 5);
}

#[test]
fn a_folder_of_something_else_is_left_alone() {
    let project = Project::new();
    project.write("practice/mine.txt", "mine");
    project.run(["practice"]).code(2).tells("holds something else");
    assert_eq!(
        std::fs::read_dir(project.path().join("practice"))
            .unwrap()
            .count(),
        1
    );
    project
        .run(["practice", "env"])
        .code(2)
        .tells("holds something else");
    project
        .run(["practice", "env", "--folder", "nowhere"])
        .code(2)
        .tells("there is no practice farm");
    project.write("damaged/practice.json", "{ \"port\": ");
    project
        .run(["practice", "--folder", "damaged"])
        .code(2)
        .tells("cannot be understood");
    project
        .run(["practice", "approve", "ABCD", "--folder", "nowhere"])
        .code(2);
}

#[test]
fn faults_are_listed_switched_on_and_off() {
    let bench = Bench::new(&["--fault", "wrong-tenant"]);
    let on = || -> Vec<(String, String)> {
        let listed = bench.run(&["practice", "fault", "--json"]).code(0).json_lines();
        let on = listed.into_iter().filter(|line| line["on"] != Value::Null);
        on.map(|line| {
            (
                line["fault"].as_str().unwrap().to_owned(),
                line["on"].as_str().unwrap().to_owned(),
            )
        })
        .collect()
    };
    assert_eq!(
        on(),
        [("wrong-tenant".to_owned(), "until it is taken away".to_owned())]
    );
    bench.fault(&["wrong-tenant", "--off"]);
    bench.fault(&["throttled", "--times", "3"]);
    bench.fault(&["farm-half-way"]);
    assert_eq!(
        on(),
        [
            ("farm-half-way".to_owned(), "once".to_owned()),
            ("throttled".to_owned(), "3 times".to_owned())
        ]
    );
    bench.fault(&["--off"]);
    assert_eq!(on(), []);
    bench
        .run(&["practice", "fault", "thirst"])
        .code(2)
        .tells("throttled");
}

#[test]
fn the_reference_tells_of_every_fault() {
    let page =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/practice.md"))
            .unwrap();
    let bench = Bench::new(&[]);
    let listed: Outcome = bench.run(&["practice", "fault", "--json"]).code(0);
    for line in listed.json_lines() {
        let row = format!("| `{}` |", line["fault"].as_str().unwrap());
        assert!(page.contains(&row), "docs/reference/practice.md lacks {row}");
    }
}
