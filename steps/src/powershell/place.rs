//! Where scripts are carried out: here, or on another machine, and how that is reached.

use runbook_engine::step::{Check, Failure, FailureKind};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::program::Edition;
use crate::text::{Text, absolute};

/// How another machine is reached.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Through {
    /// The way: `winrm` (the default) and `ssh-remoting` are PowerShell's own remoting, `ssh` starts PowerShell there.
    #[serde(default)]
    pub by: Way,
    /// The account, for the ways over SSH; by default what SSH's own configuration says.
    pub user: Option<String>,
    /// The port.
    pub port: Option<Text>,
    /// The file of the private key, for the ways over SSH, as an absolute path.
    pub key: Option<String>,
    /// The file of known hosts, for the ways over SSH, as an absolute path.
    pub known_hosts: Option<String>,
    /// The session configuration (`winrm`) or the subsystem (`ssh-remoting`).
    pub endpoint: Option<String>,
    /// The PowerShell there, for `ssh`; by default `powershell.exe` or `pwsh`.
    pub program: Option<String>,
}

/// A way to another machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// PowerShell remoting over WS-Management.
    #[default]
    Winrm,
    /// PowerShell remoting over SSH.
    SshRemoting,
    /// The system's own SSH client, which starts PowerShell there.
    Ssh,
}

/// What SSH is told beside its own configuration: to ask nothing, to notice within a minute that the other side is
/// gone, and to leave nothing behind that others share.
const OPTIONS: [(&str, &str); 6] = [
    ("BatchMode", "yes"),
    ("ConnectTimeout", "20"),
    ("ServerAliveInterval", "15"),
    ("ServerAliveCountMax", "4"),
    ("ControlMaster", "no"),
    ("ClearAllForwardings", "yes"),
];

/// How long PowerShell's remoting waits for a connection, in milliseconds.
const CONNECTING: &str = "60000";

/// Where a script is carried out.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place<'a> {
    /// On this machine.
    Here,
    /// On that one.
    There { host: &'a str, through: &'a Through },
}

impl<'a> Place<'a> {
    /// The place that `on` names, seen from `here`.
    pub(super) fn of(on: Option<&'a str>, through: &'a Through, here: &str) -> Self {
        match on {
            None => Self::Here,
            Some(host) if host.eq_ignore_ascii_case("localhost") || host.eq_ignore_ascii_case(here) => {
                Self::Here
            }
            Some(host) => Self::There { host, through },
        }
    }

    /// Whose name messages give.
    pub(super) fn host(&self) -> Option<&'a str> {
        match self {
            Self::Here => None,
            Self::There { host, .. } => Some(host),
        }
    }

    /// The way, where there is one.
    pub(super) fn way(&self) -> Option<Way> {
        match self {
            Self::Here => None,
            Self::There { through, .. } => Some(through.by),
        }
    }

    /// The edition that is started on this machine: only PowerShell 7 can speak to another one over SSH.
    pub(super) fn edition_here(&self, needed: Edition) -> Edition {
        match self.way() {
            Some(Way::SshRemoting) => Edition::Core,
            None | Some(Way::Winrm | Way::Ssh) => needed,
        }
    }

    /// What is wrong with it, found when nothing was started yet.
    ///
    /// # Errors
    /// When a part of it could mean something else to a program than what it says.
    pub(super) fn refuse(&self) -> Result<(), Failure> {
        let Self::There { host, through } = self else {
            return Ok(());
        };
        let unfit = |(input, why): (&str, &str)| {
            Failure::new(
                FailureKind::Inputs,
                format!("the input `{input}` does not fit: {why}"),
            )
        };
        host_problem(host).map_err(|why| unfit(("on", why)))?;
        through.problem().map_err(unfit)
    }

    /// The arguments of the SSH client that starts PowerShell there with this command, in base64.
    pub(super) fn ssh(&self, edition: Edition, encoded: &str) -> Vec<String> {
        let Self::There { host, through } = self else {
            return Vec::new();
        };
        let mut args = through.client();
        args.extend(["--", host, through.program(edition)].map(str::to_owned));
        let options =
            "-NoLogo -NoProfile -NonInteractive -ExecutionPolicy Bypass -OutputFormat Text -EncodedCommand";
        args.extend(options.split(' ').map(str::to_owned));
        args.push(encoded.to_owned());
        args
    }

    /// The arguments of the SSH client that opens the connection which remoting would.
    pub(super) fn subsystem(&self) -> Vec<String> {
        let Self::There { host, through } = self else {
            return Vec::new();
        };
        let mut args = through.client();
        let endpoint = through.endpoint.as_deref().unwrap_or("powershell");
        args.extend(["-s", "--", host, endpoint].map(str::to_owned));
        args
    }

    /// The parameters with which PowerShell opens a session there.
    pub(super) fn session(&self) -> Option<Value> {
        let Self::There { host, through } = self else {
            return None;
        };
        let (name, endpoint) = match through.by {
            Way::Winrm => ("ComputerName", "ConfigurationName"),
            Way::SshRemoting => ("HostName", "Subsystem"),
            Way::Ssh => return None,
        };
        let mut fields = json!({ name: format!("={host}") });
        let port = through.port.as_ref().map(Text::as_str);
        for (name, value) in [
            (endpoint, through.endpoint.as_deref()),
            ("Port", port),
            ("UserName", through.user.as_deref()),
            ("KeyFilePath", through.key.as_deref()),
        ] {
            if let Some(value) = value {
                fields[name] = json!(format!("={value}"));
            }
        }
        if through.by == Way::SshRemoting {
            let options = through
                .options()
                .map(|(name, value)| (name.to_owned(), json!(format!("={value}"))));
            fields["Options"] = options.collect();
            fields["ConnectingTimeout"] = json!(format!("={CONNECTING}"));
        }
        Some(fields)
    }
}

/// Reports what is wrong with a place whose templates are not filled in yet.
pub(super) fn check(
    on: Option<&str>,
    through: Option<&Through>,
    edition: Option<Edition>,
    check: &mut Check<'_>,
) {
    let way = through.map(|through| through.by);
    if way == Some(Way::SshRemoting) && edition == Some(Edition::Desktop) {
        check.problem(
            &["through", "by"],
            "Windows PowerShell does not speak PowerShell's remoting over SSH: use `winrm` or `ssh`",
        );
    }
    if let Some(on) = on
        && let Err(why) = host_problem(on)
    {
        check.problem(&["on"], why);
    }
    if let Some(Err((input, why))) = through.map(Through::problem) {
        check.problem(&["through", input], why);
    }
}

fn host_problem(host: &str) -> Result<(), &'static str> {
    let fits = |c: char| c.is_alphanumeric() || "._-:[]%".contains(c);
    if host.contains("${{") || (!host.is_empty() && !host.starts_with('-') && host.chars().all(fits)) {
        Ok(())
    } else {
        Err("the name or address of a machine is expected")
    }
}

impl Through {
    /// The options of the SSH client.
    fn options(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let known = self
            .known_hosts
            .as_deref()
            .map(|file| ("UserKnownHostsFile", file));
        OPTIONS.into_iter().chain(known)
    }

    /// The first arguments of the SSH client.
    fn client(&self) -> Vec<String> {
        let mut args = vec!["-T".to_owned()];
        let options = self.options();
        args.extend(options.flat_map(|(name, value)| ["-o".to_owned(), format!("{name}={value}")]));
        let port = self.port.as_ref().map(Text::as_str);
        for (option, value) in [
            ("-p", port),
            ("-l", self.user.as_deref()),
            ("-i", self.key.as_deref()),
        ] {
            args.extend(
                value
                    .into_iter()
                    .flat_map(|value| [option.to_owned(), value.to_owned()]),
            );
        }
        args
    }

    /// The PowerShell that is started there, over `ssh`.
    pub(super) fn program(&self, edition: Edition) -> &str {
        let usual = match edition {
            Edition::Desktop => "powershell.exe",
            Edition::Core => "pwsh",
        };
        self.program.as_deref().unwrap_or(usual)
    }

    /// The input that is wrong, and why.
    fn problem(&self) -> Result<(), (&'static str, &'static str)> {
        let over_ssh = self.by != Way::Winrm;
        let given = [
            ("user", self.user.is_some(), over_ssh),
            ("key", self.key.is_some(), over_ssh),
            ("known_hosts", self.known_hosts.is_some(), over_ssh),
            ("endpoint", self.endpoint.is_some(), self.by != Way::Ssh),
            ("program", self.program.is_some(), self.by == Way::Ssh),
        ];
        if let Some((input, ..)) = given.iter().find(|(_, given, allowed)| *given && !allowed) {
            return Err((input, "it means nothing for this way (`by`)"));
        }
        let plain = |text: &str, more: &str| {
            text.contains("${{") || text.chars().all(|c| c.is_alphanumeric() || more.contains(c))
        };
        let user = self.user.as_deref().unwrap_or("a");
        if user.starts_with('-') || !plain(user, "._-@\\+$") {
            return Err(("user", "the name of an account is expected"));
        }
        for (input, path) in [("key", &self.key), ("known_hosts", &self.known_hosts)] {
            let Some(path) = path.as_deref().filter(|path| !path.contains("${{")) else {
                continue;
            };
            absolute(path).map_err(|why| (input, why))?;
            if path.contains(|c: char| c.is_whitespace() || c.is_control() || "\"'".contains(c)) {
                return Err((input, "a path without spaces and quotes is expected"));
            }
        }
        let port = self.port.as_ref().map_or("22", Text::as_str);
        if !port.contains("${{") && port.parse::<u16>().is_err() {
            return Err(("port", "a number up to 65535 is expected"));
        }
        // A shell over there reads it.
        let program = self.program.as_deref().unwrap_or("a");
        if program.starts_with('-') || !plain(program, "._-/\\:") {
            return Err((
                "program",
                "a path without spaces, quotes and other signs is expected",
            ));
        }
        Ok(())
    }
}
