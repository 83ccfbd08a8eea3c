//! What somebody must set to practise: environment variables and parameters, exactly.

use std::path::Path;

use clap::ValueEnum;
use runbook_steps::powershell::Edition;

use super::folder::Folder;
use super::scene::{CLIENT, DOMAIN, TENANT};

/// Who reads the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    /// `eval "$(runbook practice env)"`
    Sh,
    /// `runbook practice env --shell powershell | Out-String | Invoke-Expression`
    Powershell,
}

impl Shell {
    /// The one that somebody probably uses here.
    pub(crate) fn usual() -> Self {
        if std::path::MAIN_SEPARATOR == '\\' {
            Self::Powershell
        } else {
            Self::Sh
        }
    }

    fn line(self, name: &str, value: &str) -> String {
        match self {
            Self::Sh => format!("export {name}='{}'", value.replace('\'', r"'\''")),
            Self::Powershell => format!("$env:{name} = '{}'", doubled(value)),
        }
    }

    /// Puts a folder before those that are searched already.
    fn search(self, folder: &Path) -> String {
        let folder = folder.display().to_string();
        match self {
            Self::Sh => format!(
                "export PSModulePath='{}'\"${{PSModulePath:+:$PSModulePath}}\"",
                folder.replace('\'', r"'\''")
            ),
            Self::Powershell => format!(
                "$env:PSModulePath = '{}' + [IO.Path]::PathSeparator + $env:PSModulePath",
                doubled(&folder)
            ),
        }
    }
}

/// PowerShell knows five single quotes, and each stands for itself when it is written twice.
fn doubled(text: &str) -> String {
    let quote = |c| matches!(c, '\'' | '\u{2018}'..='\u{201b}');
    text.chars()
        .flat_map(|c| std::iter::repeat_n(c, if quote(c) { 2 } else { 1 }))
        .collect()
}

/// The settings, for a shell that carries them out. `powershell` is the PowerShell 7 of this machine.
pub(crate) fn settings(folder: &Folder, powershell: &str, shell: Shell) -> String {
    let runs = folder.path().join("runs").display().to_string();
    let address = folder.address();
    let pairs = [
        ("RUNBOOK_GRAPH_URL", address.as_str()),
        ("RUNBOOK_LOGIN_URL", &address),
        (Edition::Desktop.variable(), powershell),
        (Edition::Core.variable(), powershell),
        ("RUNBOOK_POWERSHELL_STAND_IN", "1"),
        ("RUNBOOK_STATE_DIR", &runs),
    ];
    let mut lines: Vec<String> = pairs
        .iter()
        .map(|(name, value)| shell.line(name, value))
        .collect();
    lines.push(shell.search(&folder.modules()));
    lines.join("\n")
}

/// The file of parameters for the runbook to practise with.
pub(crate) fn parameters(folder: &Folder) -> String {
    let settings = &folder.settings;
    let servers = settings.scene.servers.join(", ");
    let version = settings.scene.farm_version.name();
    let address = folder.address();
    format!(
        "# Parameters of hybrid-s2s for the practice farm and tenant, written by `runbook practice`.
public_domain: {DOMAIN}
# Over https, the step that allows OAuth over HTTP is skipped: https://sharepoint.{DOMAIN}
web_app_url: http://sharepoint
# All of them are this machine.
web_servers: [{servers}]
farm_version: \"{version}\"
tenant_id: {TENANT}
acs_endpoint: {address}
# In place of a person with a code, an application may sign in:
# sign_in_app: {CLIENT}
# sign_in_certificate: {certificate}
",
        certificate = folder.certificate().display(),
    )
}

/// The application that signs in by itself, for people who want no code.
pub(crate) fn application(folder: &Folder) -> String {
    format!(
        "client_id {CLIENT}, with the secret in {} or the certificate in {}",
        folder.secret().display(),
        folder.certificate().display()
    )
}
