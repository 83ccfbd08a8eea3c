//! The programs that steps call, beside those that a runbook names itself.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use super::{Finding, ON_WINDOWS};
use crate::programs;

/// How long a program may take to tell its version.
const PATIENCE: Duration = Duration::from_secs(20);

/// How much of what it says is told, in characters.
const MOST: usize = 80;

/// PowerShell 7, where steps look for it.
pub(crate) async fn powershell_core() -> Finding {
    const CHECK: &str = "PowerShell 7";
    let named = programs::settings().powershell.core.map(PathBuf::from);
    let missing = "put `pwsh` on the PATH if a runbook has `powershell` steps of the edition `core`";
    match named.or_else(|| find("pwsh")) {
        Some(program) => powershell(CHECK, &program).await,
        None => Finding::note(CHECK, "`pwsh` is not on the PATH", missing),
    }
}

/// The PowerShell that is part of Windows, where steps look for it.
pub(crate) async fn powershell_desktop() -> Finding {
    const CHECK: &str = "Windows PowerShell";
    match programs::settings().powershell.desktop.map(PathBuf::from) {
        Some(program) => powershell(CHECK, &program).await,
        None if ON_WINDOWS => Finding::note(
            CHECK,
            "it is not where Windows has it",
            "name its program in RUNBOOK_POWERSHELL_DESKTOP",
        ),
        None => Finding::absent(
            CHECK,
            "there is one on Windows only; steps of the edition `desktop` are carried out there",
        ),
    }
}

async fn powershell(check: &'static str, program: &Path) -> Finding {
    let ask = [
        "-NoLogo",
        "-NoProfile",
        "-NonInteractive",
        "-Command",
        "$PSVersionTable.PSVersion.ToString()",
    ];
    told(check, program, &ask).await
}

/// The client of OpenSSH, by which `powershell` steps reach other machines.
pub(crate) async fn ssh() -> Finding {
    const CHECK: &str = "OpenSSH client";
    let missing = "install it, or put it on the PATH, if a runbook has steps `on:` another machine that is reached by `ssh` or \
                   `ssh-remoting`";
    match find("ssh") {
        Some(path) => told(CHECK, &path, &["-V"]).await,
        None => Finding::note(CHECK, "`ssh` is not on the PATH", missing),
    }
}

/// What a program says of its version.
async fn told(check: &'static str, path: &Path, args: &[&str]) -> Finding {
    let shown = path.display();
    let broken = |why: String| {
        let help = format!("start {shown} by hand to see what is wrong with it");
        Finding::note(check, format!("{shown} {why}"), help)
    };
    let mut command = Command::new(path);
    command.args(args).stdin(Stdio::null()).kill_on_drop(true);
    match tokio::time::timeout(PATIENCE, command.output()).await {
        Err(_) => broken("does not answer".to_owned()),
        Ok(Err(error)) => broken(format!("cannot be started: {error}")),
        Ok(Ok(output)) => {
            let text = [output.stdout, output.stderr].concat();
            let text = String::from_utf8_lossy(&text);
            let line = text
                .lines()
                .find(|line| !line.trim().is_empty())
                .unwrap_or_default();
            let line: String = line.trim().chars().take(MOST).collect();
            if output.status.success() {
                Finding::good(check, format!("{line}, {shown}"))
            } else {
                broken(format!("ended with {}: {line}", output.status))
            }
        }
    }
}

/// Where a program is that is called by its name alone.
pub(super) fn find(name: &str) -> Option<PathBuf> {
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(&file))
        .find(|path| path.is_file())
}
