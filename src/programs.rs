//! Which programs and servers the steps use, as far as that is no matter of a runbook.

use std::path::{Path, PathBuf};

use runbook_steps::Settings;
use runbook_steps::graph::Endpoints;
use runbook_steps::powershell::{Edition, Programs};

/// That the programs named stand in for the real ones.
const STAND_IN: &str = "RUNBOOK_POWERSHELL_STAND_IN";

/// What the environment says.
pub(crate) fn settings() -> Settings {
    let named = |edition: Edition| variable(edition.variable());
    Settings {
        powershell: Programs {
            desktop: named(Edition::Desktop).or_else(windows_powershell),
            core: named(Edition::Core).or_else(installed_powershell),
            stand_in: variable(STAND_IN).is_some_and(|value| value != "0"),
        },
        powershell_reads: false,
        graph: Endpoints {
            graph: variable(Endpoints::GRAPH),
            sign_in: variable(Endpoints::SIGN_IN),
        },
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

/// Windows PowerShell where Windows has it. A program of 32 bits sees another folder under that name.
fn windows_powershell() -> Option<String> {
    let windows = PathBuf::from(variable("SystemRoot")?);
    let narrow = variable("PROCESSOR_ARCHITEW6432").is_some();
    let system = windows.join(if narrow { "Sysnative" } else { "System32" });
    existing(&system.join(r"WindowsPowerShell\v1.0\powershell.exe"))
}

/// PowerShell 7 where its installer puts it on Windows; elsewhere it is found in `PATH`.
fn installed_powershell() -> Option<String> {
    let programs = PathBuf::from(variable("ProgramW6432").or_else(|| variable("ProgramFiles"))?);
    existing(&programs.join(r"PowerShell\7\pwsh.exe"))
}

fn existing(program: &Path) -> Option<String> {
    program.is_file().then(|| program.to_string_lossy().into_owned())
}
