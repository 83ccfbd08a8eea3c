//! Reading a runbook and the files beside it.

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};

use runbook_engine::diagnostic::{Code, Diagnostic, SourceFile, Span};
use runbook_engine::id::{PluginName, StepId};
use runbook_engine::runbook::{self, Loaded, Runbook};
use runbook_engine::step::Files;

use crate::error::Failed;
use crate::params::Like;
use crate::render;
use crate::render::style::{self, count};
use crate::setting::Setting;
use crate::shipped::{self, NoFiles};

/// The largest runbook, in bytes; the loader has bounds of its own within it.
const LARGEST_RUNBOOK: u64 = 16 * 1024 * 1024;

/// The largest file that a step may refer to, in bytes.
const LARGEST_FILE: u64 = 1024 * 1024;

/// Reads and checks a runbook, or takes that of another run where no file is named.
pub(super) fn runbook_or_like(
    path: Option<&Path>,
    like: Option<&Like>,
    setting: &Setting,
) -> Result<Runbook, Failed> {
    match (path, like) {
        (Some(path), _) => runbook(path, setting),
        (None, Some(like)) => Ok(like.runbook()),
        (None, None) => {
            let problem = Diagnostic::error(Code::Usage, "no runbook is named");
            Err(problem.help("name its file, or one that ships").into())
        }
    }
}

/// Reads and checks a runbook; warnings are shown, errors are the failure.
pub(super) fn runbook(path: &Path, setting: &Setting) -> Result<Runbook, Failed> {
    let Loaded { runbook, diagnostics } = loaded(path, setting)?;
    match runbook {
        Some(runbook) => {
            render::diagnostic::print_all(&diagnostics, setting);
            Ok(runbook)
        }
        None => Err(Failed::input(diagnostics)),
    }
}

/// Reads and checks a runbook.
///
/// A file comes before a runbook of that name that ships.
pub(super) fn loaded(path: &Path, setting: &Setting) -> Result<Loaded, Failed> {
    let typed = path.to_string_lossy();
    if !path.is_file()
        && let Some(shipped) = shipped::find(&typed)
    {
        let file = SourceFile::new(format!("{}.yaml (ships)", shipped.name), shipped.yaml);
        return Ok(runbook::load(&file, &setting.registry, &NoFiles));
    }
    let text = read_bounded(path, LARGEST_RUNBOOK).map_err(|error| {
        let message = format!("the runbook `{}` cannot be read", path.display());
        let diagnostic = Diagnostic::error(Code::UnreadableFile, message).caused_by(&error);
        let names: Vec<&str> = shipped::names().collect();
        diagnostic.did_you_mean(&typed, shipped::names()).help(format!(
            "give the path of a runbook, a YAML file in UTF-8, or the name of one that ships: {}",
            style::names(&names)
        ))
    })?;
    let file = SourceFile::new(path.display().to_string(), text);
    let folder = path.parent().map(Path::to_owned).unwrap_or_default();
    Ok(runbook::load(&file, &setting.registry, &FolderFiles(folder)))
}

/// Why this version cannot carry out a runbook: an error for every kind of step that it can only rehearse.
pub(super) fn not_available(runbook: &Runbook) -> Vec<Diagnostic> {
    let mut by_plugin: BTreeMap<&PluginName, Vec<(&StepId, Span)>> = BTreeMap::new();
    for (step, plugin, span) in runbook.unavailable() {
        by_plugin.entry(plugin).or_default().push((step, span));
    }
    let diagnostic = |(plugin, steps): (&PluginName, Vec<(&StepId, Span)>)| {
        let steps_of_it = count(steps.len(), "step");
        let message =
            format!("this version cannot carry out `{plugin}` steps: {steps_of_it} of this runbook");
        let diagnostic = Diagnostic::error(Code::PluginNotAvailable, message);
        let shown = steps.iter().take(3);
        shown
            .fold(diagnostic, |diagnostic, (step, span)| {
                diagnostic.at(runbook.source_file(), *span, format!("`{step}` uses `{plugin}`"))
            })
            .help("play it through with `--rehearse`: nothing is touched")
    };
    by_plugin.into_iter().map(diagnostic).collect()
}

/// The text of a file that is not larger than `most` bytes.
pub(crate) fn read_bounded(path: &Path, most: u64) -> io::Result<String> {
    let bytes = read_bytes(path, most)?;
    let text = String::from_utf8(bytes)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text"))?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// The bytes of a regular file that is not larger than `most`.
pub(crate) fn read_bytes(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let file = std::fs::File::open(path)?;
    let about = file.metadata()?;
    if !about.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        let message = format!(
            "it is larger than the {} MiB that are allowed",
            most / (1024 * 1024)
        );
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    Ok(bytes)
}

/// The files beside a runbook, and below it.
struct FolderFiles(PathBuf);

impl Files for FolderFiles {
    fn read(&self, name: &str) -> Result<String, io::Error> {
        let inside = !name.is_empty()
            && Path::new(name)
                .components()
                .all(|part| matches!(part, Component::Normal(_)));
        if !inside {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "it leads outside the runbook's folder",
            ));
        }
        read_bounded(&self.0.join(name), LARGEST_FILE)
    }
}
