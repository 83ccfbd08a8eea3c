//! Several people with a key each: who may do what, and who did what.

use std::ffi::OsStr;
use std::path::PathBuf;

use serde_json::Value;

use crate::platform;
use crate::support::{Outcome, Project};

const BOOK: &str = "runbook: steps
roles: { farm: of the farm, tenant: of the tenant }
steps:
  one: { role: farm, uses: command, with: { run: [HELPER, append, DIR/log, one], rollback: [HELPER, append, DIR/log, undone] } }
  two: { role: tenant, needs: one, uses: command, with: { run: [HELPER, append, DIR/log, two] } }
  look: { role: farm, needs: two, uses: manual, with: { instructions: Look. } }
";

/// A team: `alice` of the farm and `bob` of the tenant.
struct Team(Project);

impl Team {
    /// A team without keys.
    fn new() -> Self {
        let project = Project::new();
        project.runbook("steps.yaml", BOOK);
        project.write(
            "operators.yaml",
            "operators:\n  - { name: alice, roles: [farm] }\n  - { name: bob, roles: tenant }\n",
        );
        Self(project)
    }

    /// A team in which each has a key.
    fn with_keys() -> Self {
        let team = Self::new();
        let mut text = "operators:\n".to_owned();
        for (name, role) in [("alice", "farm"), ("bob", "tenant")] {
            team.by(name, ["identity", "new"]).code(0);
            text += &team
                .by(name, ["identity", "export", "--role", role])
                .code(0)
                .stdout;
        }
        team.0.write("operators.yaml", &text);
        team
    }

    fn by<S: AsRef<OsStr>>(&self, name: &str, args: impl IntoIterator<Item = S>) -> Outcome {
        let mut command = self.0.command(args);
        command.env("RUNBOOK_OPERATOR", name).output().unwrap().into()
    }

    fn key_of(&self, name: &str) -> PathBuf {
        self.0
            .path()
            .join(format!("config/runbook/identities/{name}.key"))
    }

    /// Alice and bob carry it out together.
    fn carried_out(&self) {
        self.by("alice", ["exec", "steps.yaml"]).code(3);
        self.by("bob", ["resume", "steps"]).code(3);
        self.by("alice", ["confirm", "steps", "look"]).code(0);
        assert_eq!(self.0.only_run()["status"], "completed");
    }

    fn edit_operators(&self, from: &str, to: &str) {
        let text = self.0.read("operators.yaml").unwrap();
        assert!(text.contains(from), "{text}");
        self.0.write("operators.yaml", &text.replacen(from, to, 1));
    }
}

fn findings(verified: &Outcome) -> Vec<String> {
    let findings = verified.json()["verification"]["findings"].clone();
    let findings = findings.as_array().unwrap().iter();
    let told = findings.map(|one| format!("{}: {}", one["seq"], one["message"].as_str().unwrap()));
    told.collect()
}

#[test]
fn each_does_what_is_theirs_and_is_told_who_does_the_rest() {
    let team = Team::new();
    let told = team.by("alice", ["exec", "steps.yaml"]).code(3);
    told.tells("RB0506")
        .tells("`two` asks for the role `tenant`, which `alice` does not have")
        .tells("`bob` may")
        .tells("runbook resume steps-");
    assert_eq!(team.0.lines("log"), ["one"]);
    team.by("bob", ["resume", "steps"]).code(3);
    assert_eq!(team.0.lines("log"), ["one", "two"]);
    // Manual work is confirmed by whom it is for.
    team.by("bob", ["confirm", "steps", "look"])
        .code(2)
        .tells("RB0506")
        .tells("`look` asks for the role `farm`, which `bob` does not have")
        .tells("`alice` may");
    team.by("alice", ["confirm", "steps", "look"]).code(0);
    assert_eq!(team.0.only_run()["status"], "completed");
    let show = team.by("alice", ["show", "steps"]).code(0);
    show.prints("roles are enforced");
}

#[test]
fn a_step_is_undone_by_whom_it_is_for() {
    let team = Team::new();
    team.carried_out();
    team.by("bob", ["rollback", "steps", "--step", "one", "--yes"])
        .code(2)
        .tells("`one` asks for the role `farm`");
    team.by("mallory", ["rollback", "steps", "--yes"])
        .code(2)
        .tells("`mallory` is not among the operators");
}

#[test]
fn a_stranger_starts_nothing() {
    let team = Team::new();
    team.by("mallory", ["exec", "steps.yaml"])
        .code(2)
        .tells("RB0506")
        .tells("`mallory` is not among the operators")
        .tells("`alice`, `bob`");
    assert_eq!(
        team.0.run(["list", "--json"]).code(0).json(),
        Value::Array(Vec::new())
    );
    // Whoever only plays it through needs no role.
    team.by("mallory", ["exec", "steps.yaml", "--rehearse"]).code(0);
}

#[test]
fn without_the_file_everyone_has_every_role_and_show_says_so() {
    let team = Team::new();
    std::fs::remove_file(team.0.path().join("operators.yaml")).unwrap();
    team.by("mallory", ["exec", "steps.yaml"]).code(3);
    assert_eq!(team.0.lines("log"), ["one", "two"]);
    team.by("alice", ["show", "steps"])
        .code(0)
        .prints("roles are not enforced");
    let shown = team.0.show("steps");
    assert_eq!(shown["roles_enforced"], false);
}

#[test]
fn a_mistake_in_the_file_is_told_at_its_place_and_nothing_starts() {
    let team = Team::new();
    team.edit_operators("roles: tenant", "rolls: tenant");
    team.by("alice", ["check", "steps.yaml"])
        .code(2)
        .tells("operators.yaml:3")
        .tells("did you mean `roles`?");
    team.by("alice", ["exec", "steps.yaml"]).code(2);
    team.edit_operators("rolls: tenant", "roles: tenants");
    team.by("alice", ["check", "steps.yaml"])
        .code(0)
        .tells("nobody has the role `tenant`");
}

#[test]
fn a_run_keeps_the_people_that_it_began_with() {
    let team = Team::new();
    team.by("alice", ["exec", "steps.yaml"]).code(3);
    team.edit_operators("name: bob, roles: tenant", "name: mallory, roles: tenant");
    team.by("mallory", ["resume", "steps"])
        .code(2)
        .tells("`mallory` is not among the operators");
    team.by("bob", ["resume", "steps"])
        .code(3)
        .tells("`operators.yaml` was changed since the run began");
}

#[test]
fn what_people_with_keys_do_is_proven() {
    let team = Team::with_keys();
    team.carried_out();
    let verified = team.by("carol", ["journal", "verify", "steps", "--json"]).code(0);
    assert_eq!(findings(&verified), [""; 0]);
    let authors = &verified.json()["authors"];
    assert_eq!(authors["claimed"], 0);
    assert_eq!(authors["proven"], verified.json()["verification"]["entries"]);
    // The same by a file that somebody trusts who does not trust the journal.
    let text = ["journal", "verify", "steps", "--operators", "operators.yaml"];
    team.by("carol", text).code(0).prints("proven, 0 claimed");
    let log = team.by("carol", ["log", "steps", "--json"]).code(0);
    let entries = log.json_lines();
    let mut entries = entries.iter().filter(|line| line.get("event").is_some());
    assert!(entries.all(|entry| entry["author"] == "proven"));
}

#[test]
fn a_report_tells_who_signed_what_and_with_which_key() {
    let team = Team::with_keys();
    team.carried_out();
    let key = team.by("bob", ["identity", "show", "--json"]).json()["key"].clone();
    let key = key.as_str().unwrap();
    let report = |form: &str| team.by("carol", ["report", "steps", "--format", form]).code(0);
    let signed = format!("all signed with {key}, all proven to be theirs");
    for form in ["md", "html"] {
        let text = report(form).stdout;
        assert!(text.contains(&signed), "{text}");
        assert!(!text.contains("(claimed)"), "{text}");
    }
    let json = report("json").json();
    let people = json["people"].as_array().unwrap();
    let bob = people.iter().find(|one| one["operator"] == "bob").unwrap();
    assert_eq!(bob["signed"]["keys"][0], key);
    assert_eq!(bob["signed"]["proven"], bob["entries"]);
    assert_eq!(json["course"][0]["author"], "proven");
    let entries = json["course"].as_array().unwrap().len();
    let shown = team.by("carol", ["show", "steps"]).code(0);
    shown
        .prints("entries are proven: alice (")
        .prints(", bob (")
        .keeps_quiet_of("claimed");
    let counted = team.by("carol", ["show", "steps", "--json"]).json();
    let counted = &counted["authors"]["entries"];
    let count = |of: &str, who: &str| counted[of][who].as_u64().unwrap_or_default();
    assert!(
        count("proven", "alice") + count("proven", "bob") >= entries as u64,
        "{counted}"
    );
    assert_eq!(counted["claimed"], serde_json::json!({}));
    // Where nobody has a key, nothing is said of it.
    let team = Team::new();
    team.carried_out();
    team.by("carol", ["show", "steps"])
        .code(0)
        .keeps_quiet_of("proven");
    team.by("carol", ["report", "steps", "--format", "md"])
        .code(0)
        .keeps_quiet_of("signed")
        .keeps_quiet_of("(claimed)");
}

#[test]
fn nobody_passes_for_another() {
    let team = Team::with_keys();
    team.by("alice", ["exec", "steps.yaml"]).code(3);
    let key = team.key_of("alice");
    let key = key.to_str().unwrap();
    // With her own key under his name.
    let pretends = ["resume", "steps", "--operator", "bob", "--identity", key];
    team.by("alice", pretends)
        .code(2)
        .tells("this is signed with the key of `alice`, and says that it is of `bob`");
    // And without any: his is somewhere else.
    std::fs::rename(team.key_of("bob"), team.0.path().join("elsewhere.key")).unwrap();
    team.by("alice", ["resume", "steps", "--operator", "bob"])
        .code(2)
        .tells("`bob` signs with a key, and this is not signed");
    assert_eq!(team.0.lines("log"), ["one"]);
    let verified = team.by("carol", ["journal", "verify", "steps", "--json"]).code(0);
    assert_eq!(findings(&verified), [""; 0]);
}

#[test]
fn whoever_pretended_where_nothing_kept_them_from_it_is_found_out() {
    let team = Team::with_keys();
    // The run does not know the team; mallory acts as bob, with a key of her own.
    std::fs::rename(
        team.0.path().join("operators.yaml"),
        team.0.path().join("team.yaml"),
    )
    .unwrap();
    team.by("alice", ["exec", "steps.yaml"]).code(3);
    std::fs::remove_file(team.key_of("bob")).unwrap();
    team.by("bob", ["identity", "new"]).code(0);
    team.by("bob", ["decide", "steps", "look", "fail", "--why", "because"])
        .code(0);
    let verify = |operators: &str| {
        team.by(
            "carol",
            ["journal", "verify", "steps", "--json", "--operators", operators],
        )
    };
    let found = findings(&verify("team.yaml").code(1));
    let last = found.last().unwrap();
    assert!(
        last.contains("author: this is signed with a key that is not one of `bob`"),
        "{found:?}"
    );
}

#[test]
fn a_key_that_ran_out_does_no_more() {
    let team = Team::with_keys();
    team.edit_operators("name: \"alice\"", "name: \"alice\"\n    until: 2020-12-31");
    team.by("alice", ["exec", "steps.yaml"])
        .code(2)
        .tells("`alice` was an operator until 2021-01-01T00:00:00Z");
    team.edit_operators("until: 2020-12-31", "until: 2999-12-31");
    team.carried_out();
    // Whoever takes her word for that time only finds what she wrote outside of it.
    team.edit_operators("until: 2999-12-31", "until: 2020-12-31");
    let verify = [
        "journal",
        "verify",
        "steps",
        "--json",
        "--operators",
        "operators.yaml",
    ];
    let found = findings(&team.by("carol", verify).code(1));
    assert!(
        found[0].starts_with("0: author: `alice` was an operator until"),
        "{found:?}"
    );
    assert!(found.iter().all(|one| one.contains("alice")), "{found:?}");
}

#[test]
fn a_key_is_never_overwritten_and_is_its_owners_alone() {
    let team = Team::with_keys();
    let before = std::fs::read(team.key_of("alice")).unwrap();
    team.by("alice", ["identity", "new"]).code(2).tells("RB0520");
    assert_eq!(std::fs::read(team.key_of("alice")).unwrap(), before);
    let shown = team.by("alice", ["identity", "show", "--json"]).code(0).json();
    assert_eq!(shown["operator"], "alice");
    assert_eq!(shown["locked"], false);
    let none = team.by("carol", ["identity", "show"]).code(0);
    none.prints("carol has no key");
    team.by("carol", ["identity", "export"]).code(2).tells("RB0510");
}

#[test]
fn a_key_that_others_can_read_is_not_used() {
    let team = Team::with_keys();
    let key = team.key_of("alice");
    assert!(platform::is_private(&key));
    platform::open_to_all(&key);
    team.by("alice", ["exec", "steps.yaml"])
        .code(2)
        .tells("RB0510")
        .tells("other accounts can read it");
    assert_eq!(team.0.lines("log"), [""; 0]);
}

#[test]
fn a_passphrase_opens_the_key_and_is_told_to_nobody() {
    let team = Team::new();
    team.0.write("passphrase", "correct horse battery\n");
    team.0.write("wrong", "incorrect horse\n");
    for file in ["passphrase", "wrong"] {
        platform::keep_to_owner(&team.0.path().join(file));
    }
    let with = |file: &str, args: &[&str]| {
        let source = format!("file:{}", team.0.path().join(file).display());
        let args = args.iter().map(|arg| (*arg).to_owned());
        team.by("alice", args.chain(["--passphrase".to_owned(), source]))
    };
    with("passphrase", &["identity", "new"]).code(0);
    let shown = team.by("alice", ["identity", "show", "--json"]).code(0).json();
    assert_eq!(shown["locked"], true);
    let text = std::fs::read_to_string(team.key_of("alice")).unwrap();
    assert!(text.contains("BEGIN ENCRYPTED PRIVATE KEY"), "{text}");
    let mut file = "operators:\n".to_owned();
    file += &team
        .by("alice", ["identity", "export", "--role", "farm"])
        .code(0)
        .stdout;
    team.0.write("operators.yaml", &file);
    team.by("alice", ["exec", "steps.yaml"])
        .code(2)
        .tells("RB0510")
        .tells("it is locked");
    with("wrong", &["exec", "steps.yaml"])
        .code(2)
        .tells("the passphrase does not open it")
        .keeps_quiet_of("incorrect horse");
    with("passphrase", &["exec", "steps.yaml"])
        .code(3)
        .keeps_quiet_of("correct horse");
    team.by("carol", ["journal", "verify", "steps"])
        .code(0)
        .prints("proven, 0 claimed");
    // What is typed instead of a source is not repeated.
    team.by("alice", ["exec", "steps.yaml", "--passphrase", "hunter2-hunter2"])
        .code(2)
        .keeps_quiet_of("hunter2");
}

#[test]
fn a_journal_without_signatures_reads_and_verifies_as_ever() {
    let team = Team::new();
    team.carried_out();
    let verified = team.by("carol", ["journal", "verify", "steps", "--json"]).code(0);
    assert_eq!(verified.json()["verification"]["signed"], 0);
    assert_eq!(verified.json()["authors"]["proven"], 0);
}

#[test]
fn a_run_that_goes_on_with_another_role_is_listed_as_waiting_for_it() {
    for team in [Team::new(), Team::with_keys()] {
        team.by("alice", ["exec", "steps.yaml"]).code(3);
        let listed = team.by("carol", ["list"]).code(0);
        listed
            .prints("waiting")
            .prints("for somebody with the role `tenant`")
            .keeps_quiet_of("interrupted");
        let run = team.0.only_run();
        assert_eq!(run["waits_for_role"], "tenant", "{run}");
        assert_eq!(run["interrupted"], false, "{run}");
        team.by("bob", ["resume", "steps"]).code(3);
        assert_eq!(team.0.only_run()["waits_for_role"], Value::Null);
    }
}
