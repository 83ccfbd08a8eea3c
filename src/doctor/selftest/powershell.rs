//! PowerShell: what each edition is like on this machine, and whether a step of it comes through.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use runbook_steps::powershell::Edition;
use serde_json::{Value, json};
use tokio::process::Command;

use super::child::{self, PATIENCE, one_line, text};
use super::failed;
use crate::doctor::programs::find;
use crate::doctor::{Finding, Health};
use crate::programs;

/// How much of what is said is told, in columns.
const MOST: usize = 600;

/// The run's name.
const RUN: &str = "selftest-powershell";

/// What must come back from a step as it is.
const LETTERS: &str = "grün €, 日本, 🙂";

/// What is asked of PowerShell itself, without a profile; it names nobody and changes nothing.
const QUESTION: &str = "$ErrorActionPreference = 'SilentlyContinue'; \
    $key = 'Software\\Policies\\Microsoft\\Windows\\PowerShell'; \
    $policy = { param($part, $name) (Get-ItemProperty -LiteralPath \"HKLM:\\$key\\$part\").$name -eq 1 }; \
    $logs = @(); \
    if (& $policy 'ScriptBlockLogging' 'EnableScriptBlockLogging') { $logs += 'script blocks' }; \
    if (& $policy 'ModuleLogging' 'EnableModuleLogging') { $logs += 'modules' }; \
    if (& $policy 'Transcription' 'EnableTranscripting') { $logs += 'transcripts' }; \
    if (-not $logs) { $logs = @('nothing') }; \
    $id = [Security.Principal.WindowsIdentity]::GetCurrent(); \
    $admin = if ($id) { ([Security.Principal.WindowsPrincipal] $id).IsInRole('Administrators') } else { 'unknown' }; \
    '{0} {1}, language mode {2}, execution policy {3}, administrator {4}, console {5}, logged by policy: {6}' -f \
    $PSVersionTable.PSEdition, $PSVersionTable.PSVersion, $ExecutionContext.SessionState.LanguageMode, \
    (Get-ExecutionPolicy), $admin, [Console]::OutputEncoding.CodePage, ($logs -join ', ')";

/// Both editions, and a step of each that is there.
pub(super) async fn all(folder: &Path) -> Vec<Finding> {
    let programs = programs::settings().powershell;
    let core = programs.core.map(PathBuf::from).or_else(|| find("pwsh"));
    let mut findings = Vec::new();
    for (check, step, edition, program) in [
        (
            "Windows PowerShell",
            "a step of 5.1",
            Edition::Desktop,
            programs.desktop.map(PathBuf::from),
        ),
        ("PowerShell 7", "a step of 7", Edition::Core, core),
    ] {
        let Some(program) = program else {
            findings.push(Finding::absent(check, "not found"));
            continue;
        };
        let answers = asked(check, &program).await;
        let is_fit = answers.health == Health::Good;
        findings.push(answers);
        if is_fit {
            findings.push(carried_out(step, edition, folder).await);
        }
    }
    findings
}

/// What it says of itself.
async fn asked(check: &'static str, program: &Path) -> Finding {
    let help = format!("start {} by hand to see what is wrong with it", program.display());
    let mut command = Command::new(program);
    command
        .args(["-NoLogo", "-NoProfile", "-NonInteractive", "-Command", QUESTION])
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let shown = program.display();
    match tokio::time::timeout(PATIENCE, command.output()).await {
        Err(_) => Finding::bad(check, format!("{shown} does not answer"), help),
        Ok(Err(error)) => Finding::bad(check, format!("{shown} cannot be started: {error}"), help),
        Ok(Ok(output)) => {
            let said = one_line(&[output.stdout, output.stderr].concat(), MOST);
            if said.is_empty() {
                Finding::bad(check, format!("{shown} says nothing"), help)
            } else if output.status.success() {
                Finding::good(check, format!("{said}; {shown}"))
            } else {
                Finding::bad(
                    check,
                    format!("{shown} ended with {}: {said}", output.status),
                    help,
                )
            }
        }
    }
}

/// A step that gives letters of many languages back, carried out as in every run.
async fn carried_out(check: &'static str, edition: Edition, folder: &Path) -> Finding {
    let folder = folder.to_owned();
    let seen = tokio::task::spawn_blocking(move || step(edition, &folder)).await;
    let seen = seen.unwrap_or_else(|error| Err(error.to_string()));
    let help = "steps of that kind cannot be carried out by this account here: send this report";
    super::judged(check, seen, help)
}

fn step(edition: Edition, folder: &Path) -> super::Seen {
    let name = match edition {
        Edition::Desktop => "desktop",
        Edition::Core => "core",
    };
    let run = "[Console]::Out.WriteLine('beside'); Set-Outputs @{ letters = $Run.params.letters }";
    let runbook = json!({
        "runbook": RUN,
        "params": { "letters": { "type": "string" } },
        "steps": { "step": { "uses": "powershell", "with": { "edition": name, "run": run } } },
    });
    let file = folder.join(format!("{name}.yaml"));
    std::fs::write(&file, runbook.to_string()).map_err(failed("a runbook cannot be written"))?;
    let state = folder.join(name);
    let letters = format!("letters={LETTERS}");
    let output = child::carried_out(&state, &["exec", text(&file)?, "--set", &letters])?;
    if !output.status.success() {
        let said = one_line(&output.stderr, MOST);
        return Err(format!("it ended with {}: {said}", output.status));
    }
    let output = child::carried_out(&state, &["--json", "show", RUN])?;
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    match shown["steps"][0]["outputs"]["letters"].as_str() {
        Some(LETTERS) => {
            Ok("it was carried out, and gave letters of many languages back as they were".to_owned())
        }
        other => Err(format!("letters came back as {other:?}")),
    }
}
