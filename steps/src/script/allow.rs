//! What a runbook grants a script beyond computing.

use runbook_engine::runbook::is_absolute;
use runbook_engine::step::{Check, InputProblem};
use schemars::JsonSchema;
use serde::Deserialize;

use super::host::{Grant, is_host};

/// What a script may do beyond computing; nothing where it is left out.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Allow {
    /// Hosts that it may reach, as `name`, at the usual port of `https` or `http`, or as `name:port`.
    pub hosts: Option<Vec<String>>,
    /// Programs that it may carry out, exactly as it names them: a name that PATH leads to, or an absolute path.
    pub commands: Option<Vec<String>>,
    /// Folders whose files it may read and write, as absolute paths.
    pub folders: Option<Vec<String>>,
}

impl Allow {
    /// What is granted of one sort, if the runbook says anything about it.
    pub(crate) fn of(&self, grant: Grant) -> Option<&[String]> {
        let list = match grant {
            Grant::Hosts => &self.hosts,
            Grant::Commands => &self.commands,
            Grant::Folders => &self.folders,
        };
        list.as_deref()
    }

    /// Finds grants that can never mean anything.
    pub(crate) fn check(&self, check: &mut Check<'_>) {
        for grant in [Grant::Hosts, Grant::Commands, Grant::Folders] {
            for (at, item) in self.of(grant).unwrap_or_default().iter().enumerate() {
                if item.contains("${{") {
                    continue;
                }
                if let Some((message, help)) = wrong(grant, item) {
                    let path = ["allow", grant.key(), &at.to_string()].map(str::to_owned);
                    check.report(InputProblem {
                        path: path.to_vec(),
                        help: Some(help.to_owned()),
                        ..InputProblem::new(message)
                    });
                }
            }
        }
    }
}

/// What is wrong with an item of a grant, and what to write instead.
fn wrong(grant: Grant, item: &str) -> Option<(String, &'static str)> {
    match grant {
        Grant::Hosts if !is_host(item) => {
            let message = format!("`{item}` is not a host, or a host and a port");
            Some((
                message,
                "write `intranet.example.com`, or `intranet.example.com:8443`",
            ))
        }
        Grant::Commands if item.is_empty() => Some((
            "the program's name is empty".to_owned(),
            "name a program, or an absolute path",
        )),
        Grant::Commands if item.contains(['/', '\\']) && !is_absolute(item) => {
            let message =
                format!("the program `{item}` would be looked for in the folder that the run is started in");
            Some((
                message,
                "write its absolute path, or its name alone, which PATH leads to",
            ))
        }
        Grant::Folders if !is_absolute(item) => {
            let message = format!("the folder `{item}` must be an absolute path");
            Some((
                message,
                "write it from the root on, as `/srv/example` or `C:\\example`",
            ))
        }
        Grant::Hosts | Grant::Commands | Grant::Folders => None,
    }
}
