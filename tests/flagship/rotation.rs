//! The rotation of the farm's signing certificate, carried out with a real PowerShell against the practice farm and
//! tenant.

use serde_json::Value;

use super::people::Practice;
use crate::practice::bench::TENANT;

/// A farm that a tenant trusts already.
const TRUSTED: [&str; 2] = ["--start", "wizard"];

const EXEC: [&str; 4] = [
    "exec",
    "sts-certificate-rotation",
    "--params",
    "practice/rotation.yaml",
];

impl Practice {
    /// The servers of the farm.
    fn servers(&self) -> Vec<String> {
        let farm = self.bench.farm();
        let names = farm["servers"].as_array().unwrap().iter();
        names.map(|name| name.as_str().unwrap().to_owned()).collect()
    }

    /// How often the timer service of each server was started anew.
    fn starts(&self) -> Vec<u64> {
        let record = self.bench.project.read("practice/services.json");
        let record: Value = record.map_or(Value::Null, |text| serde_json::from_str(&text).unwrap());
        let servers = self.servers();
        let starts = servers
            .iter()
            .map(|name| &record[name.as_str()]["SPTimerV4"]["starts"]);
        starts.map(|starts| starts.as_u64().unwrap_or_default()).collect()
    }

    /// As after a power cut: the services of each server were started anew, and nobody asked for it.
    fn servers_restart_by_themselves(&self) {
        let started = serde_json::json!({ "started": "2026-11-20T02:00:31.0000000Z", "starts": 0 });
        let servers = self
            .servers()
            .into_iter()
            .map(|name| (name, serde_json::json!({ "SPTimerV4": started })));
        let record = Value::Object(servers.collect()).to_string();
        self.bench.project.write("practice/services.json", &record);
    }

    /// The farm's certificate, those that each server trusts, and those that the tenant knows, all in base64.
    fn certificates(&self) -> (String, Vec<Vec<String>>, Vec<String>) {
        let (farm, tenant) = (self.bench.farm(), self.bench.tenant());
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let store = |name: &String| {
            let store = farm["certificate_stores"][name].as_array().unwrap();
            store.iter().map(|one| text(&one["certificate"])).collect()
        };
        let keys = tenant["servicePrincipals"][0]["keyCredentials"]
            .as_array()
            .unwrap();
        (
            text(&farm["sts"]["certificate"]),
            self.servers().iter().map(store).collect(),
            keys.iter().map(|key| text(&key["key"])).collect(),
        )
    }

    /// The farm signs with another certificate than `old`, which all servers trust and the tenant knows.
    #[track_caller]
    fn is_rotated(&self, old: &str) {
        let (now, stores, known) = self.certificates();
        assert_ne!(now, old);
        for store in stores {
            assert_eq!(store, [now.as_str()]);
        }
        assert!(known.contains(&now), "the tenant does not know it");
        assert!(
            !known.contains(&old.to_owned()),
            "the tenant still knows the old one"
        );
        assert_eq!(known.len(), 2, "and what others put there is there still");
    }
}

#[test]
fn every_server_gets_it_in_turn_and_gives_it_back_with_one_restart_each() {
    let Some(practice) = Practice::new(&TRUSTED) else {
        return;
    };
    let (before, (old, ..)) = (practice.state(), practice.certificates());
    let begun = practice
        .run("alice", &EXEC)
        .code(3)
        .tells(TENANT)
        .tells("can sign tokens that SharePoint in Microsoft 365");
    practice.servers_restart_by_themselves();
    practice.go_on("bob", begun).code(0).tells("is completed");
    practice.is_rotated(&old);
    practice.changed_what_it_had_to();
    let first = practice.name();

    practice.again_changes_nothing(&EXEC);
    for step in [
        "set-signing-certificate",
        "tenant-knows-it",
        "remove-old-certificate",
    ] {
        assert_eq!(practice.status(step), "skipped", "{step}");
    }
    practice.run("dave", &["rollback", &first, "--yes"]).code(0);
    assert_eq!(practice.state(), before);
    assert_eq!(practice.starts(), vec![2; practice.servers().len()]);
    practice.bench.run(&["journal", "verify", &first]).code(0);
}

impl Practice {
    /// The tenant learned it first, each server restarted once, and the tenant forgot the old one last.
    #[track_caller]
    fn changed_what_it_had_to(&self) {
        assert_eq!(self.starts(), vec![1; self.servers().len()]);
        let events = self.bench.project.events(&self.name());
        let ends = events.iter().filter(|event| event["event"] == "attempt_returned");
        let order: Vec<&str> = ends.map(|event| event["step"].as_str().unwrap()).collect();
        let place = |step: &str| {
            order
                .iter()
                .position(|one| *one == step)
                .unwrap_or_else(|| panic!("{step}: {order:?}"))
        };
        let known = place("tenant-knows-it");
        assert!(place("upload-new-certificate") < known, "{order:?}");
        for server in self.servers() {
            let set = place(&format!("set-signing-certificate[{server}]"));
            let restarted = place(&format!("restart-server[{server}]"));
            assert!(known < set && set < restarted, "{order:?}");
            assert!(restarted < place("remove-old-certificate"), "{order:?}");
        }
    }
}

#[test]
fn it_is_killed_at_every_step_there_and_back_and_others_go_on() {
    let Some(practice) = Practice::new(&TRUSTED) else {
        return;
    };
    let (before, (old, ..)) = (practice.state(), practice.certificates());
    let killed = practice.killed_everywhere(&EXEC);
    for server in practice.servers() {
        assert!(
            killed.contains(&format!("restart-server[{server}]")),
            "{killed:?}"
        );
    }
    practice.is_rotated(&old);
    let run = practice.name();
    practice.again_changes_nothing(&EXEC);
    let undone = practice.undone_killed_everywhere(&run);
    for step in ["upload-new-certificate", "remove-old-certificate"] {
        assert!(undone.iter().any(|one| one == step), "{step}: {undone:?}");
    }
    for server in practice.servers() {
        for step in [
            "import-certificate",
            "set-signing-certificate",
            "restart-on-the-way-back",
        ] {
            assert!(
                undone.contains(&format!("{step}[{server}]")),
                "{step}: {undone:?}"
            );
        }
    }
    assert_eq!(practice.state(), before);
}

#[test]
fn a_server_that_is_left_out_is_told_before_anything_is_touched() {
    let Some(practice) = Practice::new(&TRUSTED) else {
        return;
    };
    let parameters = practice.bench.project.read("practice/rotation.yaml").unwrap();
    let servers = practice.servers();
    let left_out = format!("- {}\n", servers[0]);
    assert!(parameters.contains(&left_out), "{parameters}");
    practice
        .bench
        .project
        .write("rotation.yaml", &parameters.replace(&left_out, ""));
    let exec = ["exec", "sts-certificate-rotation", "--params", "rotation.yaml"];
    practice
        .run("alice", &exec)
        .code(1)
        .tells("run SharePoint and are not in web_servers")
        .tells(&servers[0]);
    let named = format!("servers_left_out=[\"{}\"]", servers[0]);
    practice
        .run("alice", &[&exec[..], &["--set", &named]].concat())
        .code(3);
    assert_eq!(practice.calls(), 0);
}

#[test]
fn a_server_that_fails_is_told_and_what_never_restarted_is_not_restarted_on_the_way_back() {
    let Some(practice) = Practice::new(&TRUSTED) else {
        return;
    };
    let before = practice.state();
    let mut outcome = practice.run("alice", &EXEC);
    while outcome.code == 3 {
        if practice.status("allow-change") == "waiting" {
            practice.bench.fault(&["farm-not-accessible", "--off"]);
        }
        practice.confirm("bob");
        practice.bench.fault(&["farm-update-conflict", "--times", "9"]);
        outcome = practice.run("bob", &["resume", &practice.name()]);
    }
    outcome.code(1).tells("An update conflict has occurred");
    practice.bench.fault(&["--off"]);
    practice.roll_back("carol");
    assert_eq!(practice.state(), before);
    assert_eq!(practice.starts(), vec![0; practice.servers().len()]);
}

#[test]
fn without_the_old_file_the_way_back_ends_with_what_to_do_by_hand() {
    let Some(practice) = Practice::new(&TRUSTED) else {
        return;
    };
    let parameters = practice.bench.project.read("practice/rotation.yaml").unwrap();
    let lines: Vec<&str> = parameters
        .lines()
        .filter(|line| !line.starts_with("old_pfx_path"))
        .collect();
    practice.bench.project.write("rotation.yaml", &lines.join("\n"));
    let exec = ["exec", "sts-certificate-rotation", "--params", "rotation.yaml"];
    let begun = practice.run("alice", &exec);
    practice.go_on("bob", begun).code(0);
    let (new, ..) = practice.certificates();
    practice
        .run("carol", &["rollback", &practice.name(), "--yes"])
        .code(1)
        .tells("nobody gave old_pfx_path");
    assert_eq!(practice.certificates().0, new);
}
