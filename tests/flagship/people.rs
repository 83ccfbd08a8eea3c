//! People who carry the flagship out on a practice farm.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::practice::bench::{Bench, TENANT};
use crate::support::pwsh::pwsh;
use crate::support::{Outcome, Running, until};

/// What people bring back from their manual work.
const VALUES: [(&str, &str); 8] = [
    ("allow-realm-change", "window=CHG0041877"),
    ("manage-trust", "trust_name=ACS"),
    ("federated-search-script", "sha256=9f86d081884c7d65"),
    ("federated-search-script", "result=Completed."),
    ("search-permission-2013", "permissions_before=no"),
    ("search-permission-2013", "app_domain=localhost"),
    ("single-sign-on", "tested_as=kim@adventureworks.com"),
    ("keep-the-record", "kept_at=https://changes.example/CHG0041877"),
];

/// A practice farm, and people who carry the runbook out on it.
pub(super) struct Practice {
    pub(super) bench: Bench,
    pwsh: PathBuf,
}

/// The farm's and the tenant's state, as bytes.
pub(super) type State = [Option<String>; 2];

impl Practice {
    /// A farm that is served; nothing where there is no PowerShell.
    pub(super) fn new(options: &[&str]) -> Option<Self> {
        Self::of(&[&["--approve-all"], options].concat())
    }

    /// The same, where nobody approves codes.
    pub(super) fn of(options: &[&str]) -> Option<Self> {
        let pwsh = pwsh()?;
        let bench = Bench::new(options);
        Some(Self { bench, pwsh })
    }

    pub(super) fn command(&self, operator: &str, args: &[&str]) -> Command {
        let mut command = self.bench.project.command(args);
        command
            .env("RUNBOOK_OPERATOR", operator)
            .env("RUNBOOK_GRAPH_URL", self.bench.address())
            .env("RUNBOOK_LOGIN_URL", self.bench.address())
            .env("RUNBOOK_POWERSHELL_DESKTOP", &self.pwsh)
            .env("RUNBOOK_POWERSHELL_CORE", &self.pwsh)
            .env("RUNBOOK_POWERSHELL_STAND_IN", "1")
            .env("PSModulePath", self.bench.folder().join("modules"));
        let password = self.bench.project.read("practice/pfx-password.txt").unwrap();
        for secret in ["RUNBOOK_SECRET_PFX_PASSWORD", "RUNBOOK_SECRET_OLD_PFX_PASSWORD"] {
            command.env(secret, &password);
        }
        command
    }

    pub(super) fn run(&self, operator: &str, args: &[&str]) -> Outcome {
        self.command(operator, args).output().unwrap().into()
    }

    pub(super) fn begin(&self, more: &[&str]) -> Outcome {
        let exec = ["exec", "hybrid-s2s", "--params", "practice/practice.yaml"];
        self.run("alice", &[&exec, more].concat())
    }

    /// The newest run.
    pub(super) fn name(&self) -> String {
        let runs = self.bench.run(&["list", "--json"]).code(0).json();
        runs[0]["name"].as_str().unwrap().to_owned()
    }

    /// Confirms whatever waits, and resumes, until nobody is waited for.
    pub(super) fn go_on(&self, operator: &str, mut outcome: Outcome) -> Outcome {
        while outcome.code == 3 {
            self.confirm(operator);
            outcome = self.run(operator, &["resume", &self.name()]);
        }
        outcome
    }

    /// Carries a run out of which every instance is killed in its first attempt, in turn at once and when something has
    /// changed; each time somebody else goes on, to the end. Gives the instances.
    #[track_caller]
    pub(super) fn killed_everywhere(&self, exec: &[&str]) -> Vec<String> {
        let killed = self.killed_at("attempt_started", &[exec, &["--json"]].concat(), None);
        let shown = self.bench.project.show(&self.name());
        let steps = shown["steps"].as_array().unwrap().iter();
        let begun = steps.filter(|row| row["attempts"].as_u64() > Some(0));
        let begun: BTreeSet<&str> = begun.map(|row| row["step"].as_str().unwrap()).collect();
        assert_eq!(killed.iter().map(String::as_str).collect::<BTreeSet<_>>(), begun);
        killed
    }

    /// The same for the way back: every instance that is undone, and not by hand.
    #[track_caller]
    pub(super) fn undone_killed_everywhere(&self, run: &str) -> Vec<String> {
        let killed = self.killed_at(
            "rollback_attempt_started",
            &["rollback", run, "--json", "--yes"],
            Some(run),
        );
        let rows = self.bench.project.statuses(run);
        let undone = rows.iter().filter_map(|row| row.strip_suffix(": rolled_back"));
        let undone = undone.filter(|step| VALUES.iter().all(|(by_hand, _)| by_hand != step));
        assert_eq!(
            killed.iter().map(String::as_str).collect::<BTreeSet<_>>(),
            undone.collect()
        );
        killed
    }

    /// Carries a command out, on this run or on a new one, and kills it where an instance comes to this event for the
    /// first time.
    #[track_caller]
    fn killed_at(&self, event: &str, args: &[&str], run: Option<&str>) -> Vec<String> {
        let name = || run.map_or_else(|| self.name(), str::to_owned);
        let mut command = self.command("alice", args);
        let mut killed: Vec<String> = Vec::new();
        loop {
            let mut running = Running::of(command);
            let calls = self.calls();
            match first(&mut running, event, &killed) {
                Some(instance) => {
                    let changes = changes_something(event, &instance);
                    killed.push(instance);
                    if changes && killed.len().is_multiple_of(2) {
                        until("something is changed", || {
                            self.calls() > calls || !running.is_alive()
                        });
                    }
                    running.kill();
                }
                None => match running.wait() {
                    ended if ended.code == 3 => self.confirm("bob"),
                    ended => break drop(ended.code(0)),
                },
            }
            let operator = format!("operator-{}", killed.len());
            command = self.command(&operator, &["resume", &name(), "--json"]);
        }
        let run = name();
        self.bench.run(&["journal", "verify", &run]).code(0);
        killed
    }

    /// The same again finds everything in place, makes no mutating call, and has nothing to undo.
    #[track_caller]
    pub(super) fn again_changes_nothing(&self, exec: &[&str]) {
        let (calls, state) = (self.calls(), self.state());
        let again = self.run("carol", exec);
        self.go_on("carol", again).code(0);
        assert_eq!(self.calls(), calls, "the second run made a mutating call");
        self.run("carol", &["rollback", &self.name(), "--yes"]);
        assert_eq!(self.state(), state, "what it found is not its own to undo");
    }

    /// What was changed was changed once, however often somebody began; a restart may be repeated.
    #[track_caller]
    pub(super) fn changed_nothing_twice(&self) {
        let calls = [self.bench.calls("farm"), self.bench.calls("tenant")].concat();
        let mut seen = BTreeSet::new();
        let changes = calls
            .iter()
            .filter(|call| !call.starts_with("Restart-Service") && !call.starts_with("iisreset"));
        for call in changes {
            assert!(seen.insert(call), "`{call}` twice: {calls:#?}");
        }
    }

    /// Does the manual work that waits.
    pub(super) fn confirm(&self, operator: &str) {
        let run = self.name();
        let rows = self.bench.project.statuses(&run);
        for step in rows.iter().filter_map(|row| row.strip_suffix(": waiting")) {
            let mut args = vec!["confirm", run.as_str(), step, "--ticked"];
            let values = VALUES.iter().filter(|(known, _)| *known == step);
            args.extend(values.flat_map(|(_, value)| ["--value", *value]));
            self.run(operator, &args).code(0);
        }
    }

    pub(super) fn state(&self) -> State {
        ["practice/farm.json", "practice/tenant.json"].map(|file| self.bench.project.read(file))
    }

    /// Somebody else changes the farm.
    pub(super) fn change_farm(&self, change: impl FnOnce(&mut Value)) {
        let mut farm = self.bench.farm();
        change(&mut farm);
        let text = serde_json::to_string_pretty(&farm).unwrap();
        self.bench
            .project
            .write("practice/farm.json", &format!("{text}\n"));
    }

    /// Somebody else changes the tenant, who knows the farm's certificate.
    pub(super) fn change_tenant(&self, change: impl FnOnce(&mut Value, &str)) {
        let (mut tenant, farm) = (self.bench.tenant(), self.bench.farm());
        change(&mut tenant, farm["sts"]["certificate"].as_str().unwrap());
        self.bench
            .project
            .write("practice/tenant.json", &tenant.to_string());
    }

    pub(super) fn calls(&self) -> usize {
        self.bench.calls("farm").len() + self.bench.calls("tenant").len()
    }

    pub(super) fn status(&self, step: &str) -> String {
        let rows = self.bench.project.statuses(&self.name());
        let found = rows.iter().find_map(|row| row.strip_prefix(&format!("{step}: ")));
        found
            .unwrap_or_else(|| panic!("{step} is not in {rows:#?}"))
            .to_owned()
    }

    /// Everything that the article wants is there.
    #[track_caller]
    pub(super) fn is_trusted(&self) {
        let (farm, tenant) = (self.bench.farm(), self.bench.tenant());
        assert_eq!(farm["realm"], TENANT);
        assert_eq!(farm["sts"]["allow_oauth_over_http"], true);
        assert_eq!(farm["issuers"].as_array().unwrap().len(), 1, "{farm:#}");
        let is_acs = |proxy: &&Value| !proxy["endpoint"].is_null();
        let proxies = farm["proxies"].as_array().unwrap().iter().filter(is_acs);
        assert_eq!(proxies.map(|proxy| &proxy["default"]).collect::<Vec<_>>(), [true]);
        assert_eq!(farm["app_principals"].as_array().unwrap().len(), 1);
        let application = &tenant["servicePrincipals"][0];
        let names = application["servicePrincipalNames"].as_array().unwrap();
        assert!(
            names
                .iter()
                .any(|name| name.as_str().unwrap().ends_with("/*.adventureworks.com"))
        );
        assert_eq!(names.len(), 4, "nothing was lost: {names:?}");
        assert_eq!(application["keyCredentials"].as_array().unwrap().len(), 2);
    }

    pub(super) fn roll_back(&self, operator: &str) {
        let run = self.name();
        self.run(operator, &["rollback", &run, "--yes"]).code(0);
        self.bench.run(&["journal", "verify", &run]).code(0);
    }
}

/// Whether an instance changes something on its way: others would be left behind before anything is changed.
fn changes_something(event: &str, instance: &str) -> bool {
    if event == "attempt_started" {
        !instance.contains("on-the-way-back") && !is_a_pause(instance)
    } else {
        !instance.starts_with("restart-iis")
            && !instance.starts_with("restart-timer")
            && !is_a_pause(instance)
    }
}

fn is_a_pause(instance: &str) -> bool {
    ["tenant-knows-it", "tokens-are-used-up"].contains(&instance)
}

/// Reads until this event of an instance that was not killed yet; nothing where the program ends before.
fn first(running: &mut Running, event: &str, killed: &[String]) -> Option<String> {
    loop {
        let line = running.next_line()?;
        let step = line["step"].as_str().unwrap_or_default();
        if line["event"] == event && !killed.iter().any(|known| known == step) {
            return Some(step.to_owned());
        }
    }
}
