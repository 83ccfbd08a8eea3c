//! Secrets on their way to a program: in private files, on standard input, and in its arguments only where the runbook
//! says so.

use std::collections::BTreeMap;
use std::path::PathBuf;

use runbook_engine::diagnostic::Code;
use runbook_engine::platform::volatile::Folder;
use runbook_engine::step::{Check, Context, Failure, FailureKind, InputProblem};
use schemars::JsonSchema;
use serde::Deserialize;

use super::argv::Argv;
use crate::text::Text;

/// Where the runbook accepts that others can see secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Exposed {
    /// In the arguments of a program, which every account of the machine can read while it runs.
    Arguments,
}

/// The private files of one call; gone when it is over.
#[derive(Debug)]
pub(super) struct SecretFiles<'a> {
    folder: Option<Folder>,
    pub(super) paths: BTreeMap<&'a str, PathBuf>,
}

impl<'a> SecretFiles<'a> {
    /// Writes the files; none, where there are none.
    pub(super) fn write(contents: &'a BTreeMap<String, Text>, cx: &Context) -> Result<Self, Failure> {
        let fault = |error: std::io::Error| {
            Failure::new(
                FailureKind::Fault,
                format!("its private files could not be written: {error}"),
            )
        };
        if contents.is_empty() {
            return Ok(Self {
                folder: None,
                paths: BTreeMap::new(),
            });
        }
        let folder = Folder::new(&cx.token).map_err(fault)?;
        let paths = contents.iter().map(|(name, content)| {
            file_name(name).map_err(|why| Failure::new(FailureKind::Inputs, why))?;
            let path = folder.put(name, content.as_str().as_bytes()).map_err(fault)?;
            Ok((name.as_str(), path))
        });
        let paths = paths.collect::<Result<_, Failure>>()?;
        Ok(Self {
            folder: Some(folder),
            paths,
        })
    }

    /// Where they are, as text.
    pub(super) fn folder(&self) -> Option<String> {
        self.folder
            .as_ref()
            .map(|folder| folder.path().display().to_string())
    }
}

/// Whether a name can be that of a file on every system.
pub(super) fn file_name(name: &str) -> Result<(), &'static str> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let begins = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    if begins && name.len() <= 100 && name.chars().all(fits) && !name.ends_with('.') {
        Ok(())
    } else {
        Err("a file's name begins with a letter or a digit; letters, digits, `-`, `_` and `.` follow")
    }
}

/// Reports the secrets that would stand in a program's arguments.
pub(super) fn check_arguments(name: &str, argv: &Argv, exposed: Option<Exposed>, check: &mut Check<'_>) {
    let named: Vec<(usize, String)> = argv
        .texts()
        .flat_map(|(at, text)| {
            check
                .secrets_in(text)
                .into_iter()
                .map(move |name| (at, name.to_string()))
        })
        .collect();
    for (at, secret) in named {
        let message = format!(
            "the secret `{secret}` would stand in the arguments of `{name}`, where every account of the machine can read it"
        );
        let (warning, help) = match exposed {
            Some(Exposed::Arguments) => (true, "change the secret after the run"),
            None => (
                false,
                "hand it over with `stdin` or `secret_files`; if it must be, write `expose: arguments`",
            ),
        };
        check.report(InputProblem {
            path: vec![name.to_owned(), at.to_string()],
            help: Some(help.to_owned()),
            code: Code::SecretInArguments,
            warning,
            ..InputProblem::new(message)
        });
    }
}
