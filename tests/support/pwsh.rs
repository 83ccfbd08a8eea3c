//! A PowerShell to test with.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Project;
use crate::platform;

/// The PowerShell that `RUNBOOK_TEST_PWSH` names, the one beside the repository, or the one in `PATH`. Where there is
/// none, the test that asks tests nothing, and this says so.
#[expect(
    clippy::print_stderr,
    reason = "whoever reads the tests' output must learn what was not tested"
)]
pub(crate) fn pwsh() -> Option<PathBuf> {
    let named = std::env::var_os("RUNBOOK_TEST_PWSH").map(PathBuf::from);
    if let Some(named) = &named {
        assert!(
            named.is_file(),
            "RUNBOOK_TEST_PWSH names no file: {}",
            named.display()
        );
    }
    let beside = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared/pwsh")
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
    found
}

/// The program with these arguments, on a machine whose PowerShell that is.
pub(crate) fn with_pwsh<S: AsRef<OsStr>>(
    project: &Project,
    pwsh: &Path,
    args: impl IntoIterator<Item = S>,
) -> Command {
    let mut command = project.command(args);
    command.env("RUNBOOK_POWERSHELL_CORE", pwsh);
    command
}
