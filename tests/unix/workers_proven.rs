//! Several workers on one run, each of whom proves what they do with a key of their own.

use std::path::Path;

use serde_json::Value;

use super::workers::{Team, nothing_is_done_twice};

/// Who there is, and what they are for.
const PEOPLE: [(&str, &str); 5] = [
    ("anna", "change-owner"),
    ("kim", "farm-admin"),
    ("lee", "farm-admin"),
    ("robin", "tenant-admin"),
    ("mo", "change-owner"),
];

/// Makes a key, and gives its line for `operators.yaml`.
fn key_of(team: &Team, who: &str, role: &str) -> String {
    team.run(who, &["identity", "new"]).code(0);
    team.run(who, &["identity", "export", "--role", role])
        .code(0)
        .stdout
}

#[test]
fn three_workers_with_a_role_each_finish_the_flagship_though_one_is_killed_and_every_word_is_proven() {
    let Some(team) = Team::new("{}") else { return };
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("runbooks/hybrid-s2s.yaml");
    std::fs::copy(shipped, team.project.path().join("hybrid-s2s.yaml")).unwrap();
    let people = PEOPLE.map(|(who, role)| key_of(&team, who, role));
    team.project
        .write("operators.yaml", &format!("operators:\n{}", people.concat()));
    team.run("anna", &["exec", "hybrid-s2s.yaml", "--rehearse", "--share"])
        .code(0)
        .prints("hybrid-s2s-");
    let mut killed = team.start("kim", &["work", "hybrid", "--role", "farm-admin", "--json"]);
    while killed
        .next_line()
        .is_some_and(|entry| entry["event"] != "attempt_started" || entry["operator"] != "kim")
    {}
    killed.kill();
    // Whoever has another's name, and not their key, is told so at once instead of waiting for work for ever.
    team.run("eve", &["identity", "new"]).code(0);
    let hers = team.run("eve", &["identity", "show"]).code(0).stdout;
    let hers = hers.lines().find_map(|line| line.trim().strip_prefix("file"));
    let hers = hers.and_then(|rest| rest.split(" (").next()).unwrap().trim();
    let pretends = [
        "work",
        "hybrid",
        "--role",
        "farm-admin",
        "--operator",
        "lee",
        "--identity",
        hers,
    ];
    team.run("eve", &pretends)
        .code(2)
        .tells("this is signed with a key that is not one of `lee`");
    let roles = [
        ("lee", "farm-admin", "sp1"),
        ("robin", "tenant-admin", "desk7"),
        ("mo", "change-owner", "desk8"),
    ];
    let workers =
        roles.map(|(who, role, host)| team.start(who, &["work", "hybrid", "--role", role, "--host", host]));
    for worker in workers {
        worker.wait().code(0).tells("completed");
    }
    team.is_sound("hybrid");
    let entries = team.entries("hybrid");
    nothing_is_done_twice(&entries);
    for (who, _, host) in roles {
        let theirs = |entry: &&Value| entry["operator"] == who && entry["host"] == host;
        assert!(entries.iter().filter(theirs).count() > 1, "{who} did nothing");
    }
    let proof = format!("authors: {} proven, 0 claimed", entries.len());
    let verify = ["journal", "verify", "hybrid", "--operators", "operators.yaml"];
    team.run("anna", &verify).code(0).prints(&proof);
    // Whoever changes a byte is found out.
    let change =
        "UPDATE runbook.entry SET record = set_byte(record, 60, get_byte(record, 60) # 1) WHERE seq = 7";
    team.server.sql("runs", change);
    team.run("anna", &verify).code(1).prints("entry 7");
}
