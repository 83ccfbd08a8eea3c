//! What somebody must set to practise: environment variables and parameters, exactly.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use clap::ValueEnum;
use runbook_steps::powershell::Edition;
use serde::Serialize;

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
pub(crate) fn parameters(folder: &Folder) -> io::Result<String> {
    let scene = &folder.settings.scene;
    let mut text =
        "# Parameters of hybrid-s2s for the practice farm and tenant, written by `runbook practice`.\n"
            .to_owned();
    text += &line("public_domain", DOMAIN)?;
    text += &format!(
        "# Over https, the step that allows OAuth over HTTP is skipped: https://sharepoint.{DOMAIN}\n"
    );
    text += &line("web_app_url", "http://sharepoint")?;
    text += "# All of them are this machine.\n";
    text += &line("web_servers", &scene.servers)?;
    text += &line("farm_version", scene.farm_version.name())?;
    text += &line("tenant_id", TENANT)?;
    text += &line("acs_endpoint", folder.address())?;
    text += &sign_in(folder)?;
    Ok(text)
}

/// The file of parameters for the rotation of the farm's certificate.
pub(crate) fn rotation(folder: &Folder) -> io::Result<String> {
    let scene = &folder.settings.scene;
    let mut text =
        "# Parameters of sts-certificate-rotation for the practice farm and tenant, written by `runbook practice`.\n".to_owned();
    text += "# Of a farm that no tenant trusts yet: hybrid=false\n";
    text += &line("pfx_path", folder.new_pfx())?;
    text += &line("old_pfx_path", folder.old_pfx())?;
    text += "# All of them are this machine.\n";
    text += &line("web_servers", &scene.servers)?;
    text += &line("tenant_id", TENANT)?;
    text += "# This tenant knows a new certificate at once.\n";
    text += &line("propagation_seconds", 1)?;
    text += &sign_in(folder)?;
    Ok(text)
}

/// What an application signs in with, as remarks.
fn sign_in(folder: &Folder) -> io::Result<String> {
    let mut text = "# In place of a person with a code, an application may sign in:\n".to_owned();
    let lines = [
        line("sign_in_app", CLIENT)?,
        line("sign_in_certificate", folder.certificate())?,
    ]
    .concat();
    for line in lines.lines() {
        text += &format!("# {line}\n");
    }
    Ok(text)
}

/// A parameter and its value, whatever signs that holds.
fn line(name: &str, value: impl Serialize) -> io::Result<String> {
    serde_yaml::to_string(&BTreeMap::from([(name, value)])).map_err(io::Error::other)
}

/// The application that signs in by itself, for people who want no code.
pub(crate) fn application(folder: &Folder) -> String {
    format!(
        "client_id {CLIENT}, with the secret in {} or the certificate in {}",
        folder.secret().display(),
        folder.certificate().display()
    )
}
