//! Families of kinds: steps whose kinds are not in the program, but defined by files beside a runbook.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::registry::UnknownPlugin;
use super::{Files, Plugin, Registry};
use crate::diagnostic::{Code, Diagnostic, SourceFile, Span, closest};
use crate::portable::{self, Unportable};

/// Kinds of step that share the beginning of their names, each defined by a file beside the runbook.
pub trait Family: Send + Sync {
    /// What the names of its kinds begin with, up to the dot: `site`.
    fn prefix(&self) -> &'static str;

    /// The folder of its files, relative to the runbook.
    fn folder(&self) -> &'static str;

    /// What the names of its files end with, without the dot.
    fn extension(&self) -> &'static str;

    /// Makes the kind `name` of the text of its file.
    ///
    /// # Errors
    /// Everything that is wrong with the text.
    fn define(&self, name: &str, file: &str, text: &str) -> Result<Arc<dyn Plugin>, Vec<TextProblem>>;
}

/// The file that defines a kind of step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Definition<'a> {
    /// Its name, relative to the runbook.
    pub file: &'a str,
    /// Its text.
    pub text: &'a str,
}

/// Something wrong with the text of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextProblem {
    /// The range of bytes that is meant; the beginning where it is the whole.
    pub span: (usize, usize),
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

/// Why there is no kind of step of some name.
#[derive(Debug, thiserror::Error)]
pub enum NoPlugin {
    /// No such kind exists.
    #[error(transparent)]
    Unknown(#[from] UnknownPlugin),
    /// The file that would define it could not be kept on every system.
    #[error("`{name}` cannot be a kind of step: {why}")]
    Unportable {
        /// The kind.
        name: String,
        /// Why not.
        why: Unportable,
    },
    /// The file that would define it cannot be read.
    #[error("`{name}` is not defined: {}", unreadable(file, error))]
    NoFile {
        /// The kind.
        name: String,
        /// The file, relative to the runbook.
        file: String,
        /// Why not.
        error: io::Error,
        /// The nearest kind that is defined.
        closest: Option<String>,
    },
    /// The file does not define a kind of step.
    #[error("`{name}` cannot be used: `{file}` has mistakes")]
    Broken {
        /// The kind.
        name: String,
        /// The file, relative to the runbook.
        file: String,
        /// Its text.
        text: String,
        /// What is wrong with it.
        problems: Vec<TextProblem>,
    },
}

fn unreadable(file: &str, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => format!("there is no file `{file}` beside the runbook"),
        _ => format!("`{file}` beside the runbook cannot be read: {error}"),
    }
}

impl NoPlugin {
    /// The nearest name that there is.
    #[must_use]
    pub fn closest(&self) -> Option<&str> {
        match self {
            Self::Unknown(unknown) => unknown.closest.as_deref(),
            Self::NoFile { closest, .. } => closest.as_deref(),
            Self::Unportable { .. } | Self::Broken { .. } => None,
        }
    }

    /// What people are told; mistakes in a file stand at their places in it. `runbook` is the name of the
    /// runbook's file.
    #[must_use]
    pub fn diagnostics(&self, runbook: &str) -> Vec<Diagnostic> {
        let near = self.closest().map(|near| format!("did you mean `{near}`?"));
        match self {
            Self::Unknown(_) => {
                let help = near.unwrap_or_else(|| "`runbook steps` lists the kinds of step".to_owned());
                vec![Diagnostic::error(Code::UnknownPlugin, self.to_string()).help(help)]
            }
            Self::Unportable { .. } => {
                let help = "give it, and the file that defines it, another name";
                vec![Diagnostic::error(Code::UndefinedKind, self.to_string()).help(help)]
            }
            Self::NoFile { file, error, .. } => {
                let problem = Diagnostic::error(Code::UndefinedKind, self.to_string());
                let what_now = match error.kind() {
                    io::ErrorKind::NotFound => {
                        format!("write `{file}` beside the runbook, or correct the name")
                    }
                    _ => format!("`{file}` must be a script: a file of text in UTF-8 that you may read"),
                };
                vec![near.into_iter().chain([what_now]).fold(problem, Diagnostic::help)]
            }
            Self::Broken {
                file, text, problems, ..
            } => {
                let name = Path::new(runbook).with_file_name(file).display().to_string();
                let source = SourceFile::new(name, text);
                let told = problems.iter().map(|problem| {
                    let span = Span::new(problem.span.0, problem.span.1);
                    let found = Diagnostic::error(Code::ScriptMistake, &problem.message);
                    problem
                        .help
                        .iter()
                        .fold(found.at(&source, span, ""), Diagnostic::help)
                });
                told.collect()
            }
        }
    }
}

impl Registry {
    /// The plugin of that name, which a file beside the runbook may define.
    ///
    /// # Errors
    /// When there is none, or its file cannot be used.
    pub fn find(&self, name: &str, files: &dyn Files) -> Result<Arc<dyn Plugin>, NoPlugin> {
        let unknown = match self.get(name) {
            Ok(plugin) => return Ok(Arc::clone(plugin)),
            Err(unknown) => unknown,
        };
        let member = |family: &Arc<dyn Family>| {
            let rest = name.strip_prefix(family.prefix())?.strip_prefix('.')?;
            (!rest.is_empty()).then(|| rest.to_owned())
        };
        let found = self.families().find_map(|family| Some((family, member(family)?)));
        let Some((family, member)) = found else {
            return Err(unknown.into());
        };
        let (folder, extension) = (family.folder(), family.extension());
        let its_file = format!("{member}.{extension}");
        let unportable = |why| {
            let name = name.to_owned();
            NoPlugin::Unportable { name, why }
        };
        portable::check(&its_file).map_err(unportable)?;
        let file = format!("{folder}/{its_file}");
        let text = files.read(&file).map_err(|error| {
            let (name, file) = (name.to_owned(), file.clone());
            let kinds = self.beside(files);
            let others = kinds.iter().map(String::as_str).filter(|kind| *kind != name);
            let closest = closest(&name, others).map(str::to_owned);
            NoPlugin::NoFile {
                name,
                file,
                error,
                closest,
            }
        })?;
        portable::check_alone(&its_file, &files.names(folder)).map_err(unportable)?;
        family
            .define(name, &file, &text)
            .map_err(|problems| NoPlugin::Broken {
                name: name.to_owned(),
                file,
                text,
                problems,
            })
    }

    /// The kinds that files beside a runbook define, by name; the files may still have mistakes.
    #[must_use]
    pub fn beside(&self, files: &dyn Files) -> Vec<String> {
        let kinds = self.families().flat_map(|family| {
            let names = files.names(family.folder());
            names.into_iter().filter_map(|name| {
                let member = name.strip_suffix(family.extension())?.strip_suffix('.')?;
                (!member.is_empty()).then(|| format!("{}.{member}", family.prefix()))
            })
        });
        let mut kinds: Vec<String> = kinds.collect();
        kinds.sort();
        kinds
    }
}
