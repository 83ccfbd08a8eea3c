//! Which overlays go on a runbook, and the files beside both.

use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use runbook_engine::diagnostic::{Code, Diagnostic, SourceFile};
use runbook_engine::step::Files;

use crate::commands::read_bounded;
use crate::error::Failed;
use crate::render::layout::Width;
use crate::render::plain;
use crate::render::style::{CARE, DIM, paint};
use crate::setting::Setting;
use crate::shipped;

/// The largest overlay, in bytes.
const LARGEST_OVERLAY: u64 = 4 * 1024 * 1024;

/// The largest file that a step may refer to, in bytes.
const LARGEST_FILE: u64 = 1024 * 1024;

/// Overlays, as they are asked for on the command line.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Wanted {
    /// Change the runbook as this file says; may be repeated, and each goes on what the one before left
    #[arg(long, value_name = "FILE")]
    overlay: Vec<PathBuf>,
    /// Leave out the overlay that stands beside the runbook as NAME.site.yaml
    #[arg(long)]
    no_site: bool,
}

/// Overlays that were read, and where they stand.
#[derive(Debug, Default)]
pub(crate) struct Overlays {
    pub(crate) files: Vec<Arc<SourceFile>>,
    folders: Vec<PathBuf>,
}

impl Wanted {
    /// The same, with these before those that were asked for.
    pub(crate) fn after(&self, first: impl IntoIterator<Item = PathBuf>) -> Self {
        Self {
            overlay: first.into_iter().chain(self.overlay.iter().cloned()).collect(),
            no_site: self.no_site,
        }
    }

    /// Whether any is asked for by name.
    pub(crate) fn is_given(&self) -> bool {
        !self.overlay.is_empty()
    }

    /// Reads those for a runbook that ships.
    pub(crate) fn read_for(&self, shipped: &str, setting: &Setting) -> Result<Overlays, Failed> {
        hint(self, shipped, setting);
        self.read(None, setting)
    }

    /// Reads them. The one beside the runbook is found by itself, comes first, and is announced.
    pub(crate) fn read(&self, runbook: Option<&Path>, setting: &Setting) -> Result<Overlays, Failed> {
        let found = runbook
            .and_then(beside)
            .filter(|path| !self.no_site && path.is_file());
        if let Some(path) = &found {
            let remark = format!(
                "with the overlay {} beside the runbook; `--no-site` leaves it out",
                path.display()
            );
            setting
                .look
                .tell(&paint(DIM, Width::of_talk().wrap("", 2, &plain(&remark))));
        }
        let (mut overlays, mut seen) = (Overlays::default(), Vec::new());
        for path in found.iter().chain(&self.overlay) {
            // One that was found and is also asked for goes on once.
            let same = path.canonicalize().unwrap_or_else(|_| path.clone());
            if seen.contains(&same) {
                continue;
            }
            seen.push(same);
            let text = read_bounded(path, LARGEST_OVERLAY).map_err(|error| unreadable(path, &error))?;
            overlays
                .files
                .push(SourceFile::new(path.display().to_string(), text));
            overlays.folders.extend(path.parent().map(Path::to_owned));
        }
        Ok(overlays)
    }
}

/// Says of an overlay in this folder that it is not taken: a runbook that ships stands beside nothing.
fn hint(wanted: &Wanted, shipped: &str, setting: &Setting) {
    let name = format!("{shipped}.site.yaml");
    let asked = |path: &PathBuf| path.file_name().is_some_and(|asked| asked == name.as_str());
    if wanted.no_site || wanted.overlay.iter().any(asked) || !Path::new(&name).is_file() {
        return;
    }
    let remark = format!(
        "the overlay {name} in this folder is not taken, since the runbook is the one in the program: \
         `--overlay {name}` takes it, `--no-site` says that it is left out on purpose"
    );
    setting
        .look
        .tell(&paint(CARE, Width::of_talk().wrap("", 2, &plain(&remark))));
}

/// The overlay that stands beside a runbook, if there is one.
fn beside(runbook: &Path) -> Option<PathBuf> {
    let mut name = runbook.file_stem()?.to_owned();
    name.push(".site.yaml");
    Some(runbook.with_file_name(name))
}

fn unreadable(path: &Path, error: &io::Error) -> Diagnostic {
    let message = format!("the overlay `{}` cannot be read", path.display());
    Diagnostic::error(Code::UnreadableFile, message)
        .caused_by(error)
        .help("give the path of an overlay, a YAML file in UTF-8")
}

impl Overlays {
    /// The files beside the runbook, if it stands in a folder, and beside the overlays.
    pub(crate) fn files_with(&self, runbook: Option<&Path>) -> FolderFiles {
        let mut folders: Vec<PathBuf> = Vec::new();
        let own = runbook.and_then(Path::parent).map(Path::to_owned);
        for folder in own.into_iter().chain(self.folders.iter().cloned()) {
            if !folders.contains(&folder) {
                folders.push(folder);
            }
        }
        FolderFiles {
            folders,
            shipped: &[],
        }
    }
}

/// The most files of a folder that are looked through.
const MOST_NAMES: usize = 10_000;

/// The files in some folders. A name that means different texts in two of them means nothing.
pub(crate) struct FolderFiles {
    folders: Vec<PathBuf>,
    /// Those of a runbook that ships.
    shipped: &'static [(&'static str, &'static str)],
}

impl FolderFiles {
    /// The files beside these.
    pub(crate) fn beside(files: &[&Path]) -> Self {
        let folders = files.iter().filter_map(|path| path.parent());
        Self {
            folders: folders.map(Path::to_owned).collect(),
            shipped: &[],
        }
    }

    /// The same, and those of the runbook of this name that ships.
    pub(crate) fn and_of(self, shipped: &str) -> Self {
        let shipped = shipped::find(shipped).map_or(&[][..], |shipped| shipped.files);
        Self { shipped, ..self }
    }
}

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
        let mut found: Option<String> = None;
        for folder in &self.folders {
            match (read_bounded(&folder.join(name), LARGEST_FILE), &found) {
                (Ok(text), Some(first)) if text != *first => {
                    return Err(io::Error::new(
                        io::ErrorKind::InvalidInput,
                        "one stands beside the runbook and another beside the overlay; rename one of them",
                    ));
                }
                (Ok(text), _) => found = Some(text),
                (Err(error), _) if error.kind() == io::ErrorKind::NotFound => {}
                (Err(error), _) => return Err(error),
            }
        }
        let ships = self.shipped.iter().find(|(known, _)| *known == name);
        found
            .or(ships.map(|(_, text)| (*text).to_owned()))
            .ok_or_else(|| {
                let message = if self.folders.is_empty() {
                    "the runbook that ships has no such file"
                } else {
                    "there is no such file beside the runbook"
                };
                io::Error::new(io::ErrorKind::NotFound, message)
            })
    }
    fn names(&self, folder: &str) -> Vec<String> {
        let folders = self.folders.iter();
        let entries = folders.flat_map(|own| std::fs::read_dir(own.join(folder)).into_iter().flatten());
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let within = |name: &str| Some(name.strip_prefix(folder)?.strip_prefix('/')?.to_owned());
        let shipped = self.shipped.iter().filter_map(|(name, _)| within(name));
        names.take(MOST_NAMES).chain(shipped).collect()
    }
}
