//! How a person gives the secrets that a run's steps need: where they come from, and the questions for them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use runbook_engine::diagnostic::{Code, Diagnostic};
use runbook_engine::platform::private;
use runbook_engine::runbook::Runbook;
use runbook_engine::secret::SecretName;

pub(crate) use self::giver::{Giver, missing, variable, withhold_variables};
pub(crate) use self::plan::for_plan;
use self::source::WRITTEN;
pub(crate) use self::source::{KINDS, Source, WRITTEN as SOURCES};
use crate::commands::read_bounded;
use crate::error::Failed;
use crate::render;
use crate::render::plain;
use crate::setting::Setting;

mod giver;
mod plan;
mod program;
mod source;

/// The largest file of sources, in bytes.
const LARGEST: u64 = 1024 * 1024;

/// How secrets are given on the command line.
#[derive(Debug, clap::Args)]
pub(crate) struct SecretArgs {
    /// Where a secret comes from: file:PATH, command:[PROGRAM, ARGUMENT], keystore:SERVICE[/ACCOUNT], env:VARIABLE or
    /// prompt; may be given several times
    #[arg(long = "secret", value_name = "NAME=SOURCE")]
    secret: Vec<String>,
    /// A YAML file with sources of secrets: one NAME: SOURCE a line
    #[arg(long = "secrets", value_name = "FILE", env = "RUNBOOK_SECRETS")]
    secrets: Option<PathBuf>,
}

impl SecretArgs {
    /// Finds out where secrets come from; nothing is read yet but what is wrong with the sources is told.
    pub(crate) fn giver(&self, runbook: &Arc<Runbook>, setting: &Setting) -> Result<Giver, Failed> {
        let mut sources = BTreeMap::new();
        let mut wrong = Vec::new();
        if let Some(path) = self
            .secrets
            .as_deref()
            .filter(|path| !path.as_os_str().is_empty())
        {
            for (name, source) in from_file(path)? {
                // One file may serve several runbooks.
                if has(runbook, &name) {
                    sources.insert(name, source);
                }
            }
        }
        for text in &self.secret {
            match one(text, runbook) {
                Ok((name, source)) => drop(sources.insert(name, source)),
                Err(diagnostic) => wrong.push(diagnostic),
            }
        }
        for source in sources.values() {
            match source.look() {
                Ok(None) => {}
                Ok(Some(warning)) => render::diagnostic::print_all(&[warning], setting),
                Err(diagnostic) => wrong.push(diagnostic),
            }
        }
        if !wrong.is_empty() {
            return Err(Failed::input(wrong));
        }
        Ok(Giver::new(runbook, sources, setting))
    }
}

/// One `--secret NAME=SOURCE`.
fn one(text: &str, runbook: &Runbook) -> Result<(String, Source), Diagnostic> {
    let Some((name, source)) = text.split_once('=') else {
        // What was typed may be the secret itself.
        let diagnostic = Diagnostic::error(Code::Usage, "`--secret` says not where a secret comes from");
        return Err(diagnostic.help(format!(
            "write it as `--secret NAME=SOURCE`; a source is {WRITTEN}"
        )));
    };
    let name = name.trim();
    if !has(runbook, name) {
        let names: Vec<String> = names(runbook).map(|name| name.to_string()).collect();
        let diagnostic = Diagnostic::error(
            Code::SecretUnknown,
            format!("the runbook has no secret `{}`", plain(name)),
        );
        let diagnostic = diagnostic.did_you_mean(name, names.iter().map(String::as_str));
        let list = if names.is_empty() {
            "it has none".to_owned()
        } else {
            format!("it has {}", names.join(", "))
        };
        return Err(diagnostic.help(list));
    }
    match source.parse() {
        Ok(source) => Ok((name.to_owned(), source)),
        Err(why) => {
            let diagnostic = Diagnostic::error(
                Code::Usage,
                format!("where the secret `{name}` comes from is not clear: {why}"),
            );
            Err(diagnostic.help(format!(
                "a source is {WRITTEN}; the secret itself must not stand here"
            )))
        }
    }
}

/// All secrets that steps of a runbook can need.
fn names(runbook: &Runbook) -> impl Iterator<Item = SecretName> {
    let params = runbook.params().values().filter(|param| param.is_secret());
    let params = params.map(|param| SecretName::Param(param.name.clone()));
    let outputs = runbook.steps().values().flat_map(|step| {
        let name = |output: &String| SecretName::Output(step.id.clone(), output.clone());
        step.sensitive.iter().map(name)
    });
    params.chain(outputs)
}

/// Whether a name means a secret of the runbook, or one that an instance of its steps gives.
fn has(runbook: &Runbook, name: &str) -> bool {
    let whole = match (name.find('['), name.rfind("].")) {
        (Some(from), Some(to)) if from < to => format!("{}{}", &name[..from], &name[to + 1..]),
        _ => name.to_owned(),
    };
    names(runbook).any(|known| known.to_string() == whole)
}

fn from_file(path: &Path) -> Result<BTreeMap<String, Source>, Failed> {
    let file = path.display();
    let unreadable = |error: &std::io::Error| {
        let message = format!("the file of sources `{file}` cannot be read");
        Diagnostic::error(Code::UnreadableFile, message).caused_by(error)
    };
    if private::is_open_to_change(path).map_err(|error| unreadable(&error))? {
        let message = format!("other accounts can change the file of sources `{file}`");
        let diagnostic = Diagnostic::error(Code::SecretFileOpen, message);
        return Err(diagnostic
            .help(format!(
                "let only its owner change it: `{}`",
                private::how_to_close(path)
            ))
            .into());
    }
    let text = read_bounded(path, LARGEST).map_err(|error| unreadable(&error))?;
    let sources: BTreeMap<String, Source> = serde_yaml::from_str(&text).map_err(|error| {
        let message = format!("the file of sources `{file}` is not a map of secrets to sources");
        // Only the place is told: what stands there may be a secret.
        let place = error
            .location()
            .map_or_else(String::new, |at| format!("see line {}: ", at.line()));
        let diagnostic = Diagnostic::error(Code::YamlSyntax, message);
        diagnostic.help(format!(
            "{place}write one `NAME: SOURCE` a line; a source is {WRITTEN}, in quotes where YAML needs them"
        ))
    })?;
    let folder = path.parent().unwrap_or(Path::new(""));
    Ok(sources
        .into_iter()
        .map(|(name, source)| (name, source.beside(folder)))
        .collect())
}
