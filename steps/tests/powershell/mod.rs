//! `powershell` against a real PowerShell engine. Where there is none, these tests test nothing and say so.

mod answers;
mod failures;
mod hosts;
mod inputs;
mod server;
mod sessions;
mod values;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use runbook_engine::step::{Context, Failure, Observation, Outputs, Plugin, Registry, Typed};
use runbook_engine::testing::doubles::{Recorder, context};
use runbook_steps::powershell::{PowerShell, Programs};
use serde_json::{Value, json};

use crate::platform;

/// A PowerShell to test with: the one that `RUNBOOK_TEST_PWSH` names, the one beside the repository, or the one in
/// `PATH`.
#[expect(
    clippy::print_stderr,
    reason = "whoever reads the tests' output must learn what was not tested"
)]
pub(crate) fn program() -> Option<String> {
    let named = std::env::var("RUNBOOK_TEST_PWSH").ok().map(PathBuf::from);
    if let Some(named) = &named {
        assert!(
            named.is_file(),
            "RUNBOOK_TEST_PWSH names no file: {}",
            named.display()
        );
    }
    let beside = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/pwsh")
        .join(platform::PWSH);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let in_path = std::env::split_paths(&path).map(|folder| folder.join("pwsh"));
    let found = named
        .into_iter()
        .chain([beside])
        .chain(in_path)
        .find(|path| path.is_file());
    if found.is_none() {
        eprintln!("NOT TESTED: no PowerShell; install `pwsh`, or name one in RUNBOOK_TEST_PWSH");
    }
    Some(found?.to_str()?.to_owned())
}

/// How a script calls the child program of these tests.
pub(crate) fn helper(words: &str) -> String {
    format!("& '{}' {words}", crate::support::HELPER)
}

/// A program that is no PowerShell, and does what its name says whatever it is told.
pub(crate) fn no_powershell(folder: &Path, name: &str) -> String {
    let program = folder.join(name).with_extension(std::env::consts::EXE_EXTENSION);
    std::fs::copy(crate::support::HELPER, &program).unwrap();
    program.to_str().unwrap().to_owned()
}

/// The programs of a machine that has that PowerShell.
pub(crate) fn programs(core: &str) -> Programs {
    Programs {
        core: Some(core.to_owned()),
        ..Programs::default()
    }
}

/// A step to try, and what it prints.
pub(crate) struct Bench {
    pub(crate) plugin: Arc<dyn Plugin>,
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) cx: Context,
}

impl Bench {
    /// With the PowerShell to test with, if there is one.
    pub(crate) fn new() -> Option<Self> {
        Some(Self::with(programs(&program()?)))
    }

    pub(crate) fn with(programs: Programs) -> Self {
        let plugin: Arc<dyn Plugin> = Arc::new(Typed(PowerShell::new(programs)));
        let recorder = Recorder::new();
        let cx = Context {
            registry: Registry::default().with_plugin(Arc::clone(&plugin)),
            ..context(&recorder)
        };
        Self { plugin, recorder, cx }
    }

    pub(crate) async fn run(&self, with: Value) -> Result<Outputs, Failure> {
        self.plugin.run(&with, &self.cx).await
    }

    pub(crate) async fn script(&self, script: &str) -> Result<Outputs, Failure> {
        self.run(json!({ "run": script })).await
    }

    /// Why a script fails.
    pub(crate) async fn failure(&self, script: &str) -> String {
        self.script(script).await.unwrap_err().message
    }

    pub(crate) async fn validate(&self, script: &str) -> Result<Observation, Failure> {
        self.plugin
            .validate(&json!({ "validate": script }), &self.cx)
            .await
    }
}
