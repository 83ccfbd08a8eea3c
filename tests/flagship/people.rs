//! People who carry the flagship out on a practice farm.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::practice::bench::{Bench, TENANT};
use crate::support::Outcome;
use crate::support::pwsh::pwsh;

/// What people bring back from their manual work.
const VALUES: [(&str, &str); 4] = [
    ("allow-realm-change", "window=CHG0041877"),
    ("manage-trust", "trust_name=ACS"),
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
        let pwsh = pwsh()?;
        let bench = Bench::new(&[&["--approve-all"], options].concat());
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

    /// Does the manual work that waits.
    pub(super) fn confirm(&self, operator: &str) {
        let run = self.name();
        let rows = self.bench.project.statuses(&run);
        for step in rows.iter().filter_map(|row| row.strip_suffix(": waiting")) {
            let mut args = vec!["confirm", run.as_str(), step, "--ticked"];
            let value = VALUES.iter().find(|(known, _)| *known == step);
            args.extend(value.into_iter().flat_map(|(_, value)| ["--value", *value]));
            self.run(operator, &args).code(0);
        }
    }

    pub(super) fn state(&self) -> State {
        ["practice/farm.json", "practice/tenant.json"].map(|file| self.bench.project.read(file))
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
        self.run(operator, &["rollback", &run]).code(0);
        self.bench.run(&["journal", "verify", &run]).code(0);
    }
}
