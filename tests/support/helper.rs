//! Runbooks whose steps carry out the tests' child program, and what it leaves in the project's folder.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::{Outcome, Project};

/// The child program of the tests: see `tests/helper.rs`.
pub(crate) fn program() -> PathBuf {
    let mut path = PathBuf::from(env!("CARGO_BIN_EXE_runbook"));
    path.set_file_name("examples");
    path.push(format!("helper{}", std::env::consts::EXE_SUFFIX));
    assert!(
        path.exists(),
        "`{}` is not built: `cargo build --examples`",
        path.display()
    );
    path
}

/// A path as it stands in a runbook's text, with quotes around it or without. Windows takes slashes too.
pub(crate) fn in_yaml(path: &Path) -> String {
    path.display().to_string().replace(std::path::MAIN_SEPARATOR, "/")
}

impl Project {
    /// Writes a runbook. In its text, `HELPER` is the child program, and `DIR` this project's folder.
    pub(crate) fn runbook(&self, name: &str, text: &str) -> PathBuf {
        let helper = in_yaml(&program());
        let folder = in_yaml(self.path());
        self.write(name, &text.replace("HELPER", &helper).replace("DIR", &folder))
    }

    /// Writes the runbook `steps.yaml`, named `steps`, of these steps.
    pub(crate) fn steps(&self, steps: &str) -> PathBuf {
        self.runbook("steps.yaml", &format!("runbook: steps\nsteps:\n{steps}"))
    }

    /// The lines of a file in the project's folder; none where there is no such file.
    pub(crate) fn lines(&self, name: &str) -> Vec<String> {
        let text = self.read(name).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Whether a file is there.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.path().join(name).exists()
    }

    /// Whether the helper that said `hold` is still alive.
    pub(crate) fn is_held(&self, name: &str) -> bool {
        File::open(self.path().join(name)).is_ok_and(|file| file.try_lock().is_err())
    }

    /// Carries out as another operator.
    #[track_caller]
    pub(crate) fn run_as(&self, operator: &str, args: &[&str]) -> Outcome {
        self.command(args)
            .args(["--operator", operator])
            .output()
            .unwrap()
            .into()
    }
}
