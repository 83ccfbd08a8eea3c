//! Reading a runbook and the files beside it.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use runbook_engine::core::operators::OPERATORS_FILE;
use runbook_engine::diagnostic::{Code, Diagnostic, SourceFile, closest};
use runbook_engine::runbook::{self, Loaded, Runbook, fingerprint};
use runbook_engine::step::{Files as _, Registry};

use crate::error::Failed;
use crate::overlays::{FolderFiles, Wanted};
use crate::params::Like;
use crate::render;
use crate::render::style;
use crate::setting::Setting;
use crate::shipped;

/// The largest runbook, in bytes; the loader has bounds of its own within it.
const LARGEST_RUNBOOK: u64 = 16 * 1024 * 1024;

/// Reads and checks a runbook, or takes that of another run where no file is named.
pub(super) fn runbook_or_like(
    path: Option<&Path>,
    overlays: &Wanted,
    like: Option<&Like>,
    setting: &Setting,
) -> Result<Runbook, Failed> {
    match (path, like) {
        (Some(path), _) => runbook(path, overlays, setting),
        (None, Some(_)) if overlays.is_given() => {
            let message = "an overlay goes on a runbook, and none is named";
            let problem = Diagnostic::error(Code::Usage, message);
            let help = "name the runbook's file too; without it, the overlays of that run are kept";
            Err(problem.help(help).into())
        }
        (None, Some(like)) => Ok(like.runbook()),
        (None, None) => {
            let problem = Diagnostic::error(Code::Usage, "no runbook is named");
            Err(problem.help("name its file, or one that ships").into())
        }
    }
}

/// Reads and checks a runbook with its overlays; warnings are shown, errors are the failure.
pub(super) fn runbook(path: &Path, overlays: &Wanted, setting: &Setting) -> Result<Runbook, Failed> {
    let Loaded { runbook, diagnostics } = loaded(path, overlays, setting)?;
    match runbook {
        Some(runbook) => {
            render::diagnostic::print_all(&diagnostics, setting);
            Ok(runbook)
        }
        None => Err(Failed::input(diagnostics)),
    }
}

/// Reads and checks a runbook with its overlays.
///
/// A file comes before a runbook of that name that ships.
pub(super) fn loaded(path: &Path, overlays: &Wanted, setting: &Setting) -> Result<Loaded, Failed> {
    loaded_with(path, overlays, &setting.registry, setting)
}

/// The same, with these kinds of step.
pub(super) fn loaded_with(
    path: &Path,
    overlays: &Wanted,
    registry: &Registry,
    setting: &Setting,
) -> Result<Loaded, Failed> {
    let typed = path;
    let (file, path) = source(typed)?;
    let shipped = typed.to_string_lossy();
    let overlays = match path {
        Some(_) => overlays.read(path, setting)?,
        None => overlays.read_for(&shipped, setting)?,
    };
    let files = match path {
        Some(_) => overlays.files_with(path),
        None => overlays.files_with(None).and_of(&shipped),
    };
    Ok(runbook::load_with(&file, &overlays.files, registry, &files))
}

/// The text of a runbook, and where it stands if it does not ship.
fn source(path: &Path) -> Result<(Arc<SourceFile>, Option<&Path>), Failed> {
    let typed = path.to_string_lossy();
    if !path.is_file()
        && let Some(shipped) = shipped::find(&typed)
    {
        let file = SourceFile::new(format!("{}.yaml (ships)", shipped.name), shipped.yaml);
        return Ok((file, None));
    }
    let text = read_bounded(path, LARGEST_RUNBOOK).map_err(|error| {
        let message = format!("the runbook `{}` cannot be read", path.display());
        let diagnostic = Diagnostic::error(Code::UnreadableFile, message).caused_by(&error);
        let names: Vec<&str> = shipped::names().collect();
        let diagnostic = match meant(path) {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
            None => diagnostic,
        };
        diagnostic.help(format!(
            "give the path of a runbook, a YAML file in UTF-8, or the name of one that ships: {}",
            style::names(&names)
        ))
    })?;
    Ok((SourceFile::new(path.display().to_string(), text), Some(path)))
}

/// The most files of a folder that are looked through for one that was meant.
const MOST_FILES: usize = 1000;

/// The runbook that was probably meant by a path at which there is none: a file in that folder, or one that ships.
fn meant(path: &Path) -> Option<String> {
    let is_yaml = |path: &PathBuf| {
        path.extension()
            .is_some_and(|ending| ending == "yaml" || ending == "yml")
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let entries = std::fs::read_dir(folder.unwrap_or(Path::new(".")))
        .into_iter()
        .flatten();
    let files = entries
        .take(MOST_FILES)
        .filter_map(|entry| Some(PathBuf::from(entry.ok()?.file_name())));
    let files: Vec<PathBuf> = files.filter(is_yaml).collect();
    let wrong = path.file_name()?.to_string_lossy();
    // Of a file that is there and is no text, nothing else was meant.
    let names = files
        .iter()
        .filter_map(|file| file.to_str())
        .filter(|name| *name != wrong);
    if let Some(near) = closest(&wrong, names) {
        return Some(
            folder
                .map_or(near.into(), |folder| folder.join(near))
                .display()
                .to_string(),
        );
    }
    let stem = path.file_stem()?.to_string_lossy();
    closest(&stem, shipped::names()).map(str::to_owned)
}

/// The files beside a runbook that is named for its kinds of step.
pub(super) fn files_beside(runbook: &Path) -> Result<FolderFiles, Failed> {
    if runbook.is_file() {
        return Ok(FolderFiles::beside(&[runbook]));
    }
    let message = format!("there is no runbook `{}`", runbook.display());
    let diagnostic = Diagnostic::error(Code::UnreadableFile, message);
    let diagnostic = match meant(runbook) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => diagnostic,
    };
    let help = "give the path of a runbook; the folder `steps` stands beside it";
    Err(diagnostic.help(help).into())
}

/// What of a run's definition is no longer what it was when the run began. A run needs none of these files.
pub(super) fn changed(runbook: &Runbook, run: &str) -> Vec<Diagnostic> {
    let definition = runbook.definition();
    let sources: Vec<(&str, &str)> = match runbook.overlays() {
        None => vec![(&definition.name, &definition.text)],
        Some(overlaid) => {
            let overlays = overlaid.overlays.iter();
            let overlays = overlays.map(|overlay| (overlay.file.as_str(), overlay.text.as_str()));
            let first = (overlaid.file.as_str(), overlaid.text.as_str());
            std::iter::once(first).chain(overlays).collect()
        }
    };
    let folders = sources.iter().map(|(name, _)| Path::new(name));
    let there: Vec<&Path> = folders.filter(|path| path.is_file()).collect();
    let beside = FolderFiles::beside(&there);
    let own = sources
        .into_iter()
        .map(|(name, kept)| (name, kept, read_bounded(Path::new(name), LARGEST_RUNBOOK)));
    let others = runbook.files().iter();
    let others = others.map(|(name, kept)| (name.as_str(), kept.as_str(), beside.read(name)));
    own.chain(others)
        .filter_map(|(name, kept, now)| Some((name, kept, now.ok()?)))
        .filter(|(_, kept, now)| now != kept)
        .map(|(name, kept, now)| {
            let message =
                format!("`{name}` was changed since the run began; it goes on with what it began with");
            let digest = |text: &str| fingerprint(text)[..12].to_owned();
            let (kept, now) = (digest(kept), digest(&now));
            let help = format!("the run keeps sha256 {kept}…, the file is now {now}…");
            let amend =
                format!("`runbook amend {run} FILE --why TEXT` has it go on with what the file says now");
            let changed = Diagnostic::warning(Code::FileChanged, message).help(help);
            // Who may take part was settled when the run began.
            if name == OPERATORS_FILE {
                changed
            } else {
                changed.help(amend)
            }
        })
        .collect()
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
