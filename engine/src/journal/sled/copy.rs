//! Looking at a run without touching it: opening a database writes to it, so it is a copy that is opened.

#![expect(
    clippy::disallowed_methods,
    reason = "this is where the journal meets the disk"
)]

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::folder::Folder;
use super::root::unwritable;
use super::shelf::Shelf;
use super::store::Store;
use super::{contents, sealed};
use crate::journal::chain::Head;
use crate::journal::verify::Anchor;
use crate::journal::{JournalError, Verification};
use crate::platform::{files, private};

/// What the names of copies end in, after the run's id.
pub(super) const SUFFIX: &str = ".verify";

/// A copy of a database, removed when it is dropped.
struct Copy(PathBuf);

impl Copy {
    /// Copies the database of a run that the caller has locked: beside the run, or, where the disk takes nothing
    /// more, in `scratch`.
    fn of(folder: &Folder, scratch: Option<&Path>) -> io::Result<Self> {
        match (Self::beside(folder), scratch) {
            (Err(error), Some(scratch)) if unwritable(&error) => Self::within(folder, scratch),
            (copied, _) => copied,
        }
    }

    /// A copy that a crash left is replaced.
    fn beside(folder: &Folder) -> io::Result<Self> {
        let mut name = folder.path().as_os_str().to_owned();
        name.push(SUFFIX);
        let path = PathBuf::from(name);
        if path.exists() {
            files::remove_folder(&path)?;
        }
        private::create_folder(&path)?;
        Self(path).filled(folder)
    }

    fn within(folder: &Folder, scratch: &Path) -> io::Result<Self> {
        let made = tempfile::Builder::new().prefix("runbook-").tempdir_in(scratch)?;
        Self(made.keep()).filled(folder)
    }

    fn filled(self, folder: &Folder) -> io::Result<Self> {
        copy_into(&folder.db(), &self.0)?;
        Ok(self)
    }

    /// Opens the copy for as long as `work` lasts.
    fn reading<T>(&self, work: impl FnOnce(&Store) -> Result<T, JournalError>) -> Result<T, JournalError> {
        let store = Store::open(&self.0)?;
        let result = work(&store);
        store.close(&self.0)?;
        result
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        if let Err(error) = files::remove_folder(&self.0) {
            tracing::warn!(%error, folder = %self.0.display(), "a temporary copy could not be removed");
        }
    }
}

/// Copies plain files and folders into a folder that is there, for the owner's eyes only.
fn copy_into(from: &Path, to: &Path) -> io::Result<()> {
    for found in fs::read_dir(from)? {
        let found = found?;
        let (kind, target) = (found.file_type()?, to.join(found.file_name()));
        if kind.is_dir() {
            private::create_folder(&target)?;
            copy_into(&found.path(), &target)?;
        } else if kind.is_file() {
            let _bytes = io::copy(&mut File::open(found.path())?, &mut private::open_file(&target)?)?;
        }
    }
    Ok(())
}

fn failed(source: io::Error) -> JournalError {
    JournalError::Storage {
        doing: "copied",
        source,
    }
}

/// Reads of a run that nobody holds.
pub(super) fn reading<T>(
    folder: &Folder,
    scratch: Option<&Path>,
    work: impl FnOnce(Shelf<'_>) -> Result<T, JournalError>,
) -> Result<T, JournalError> {
    let _lock = folder.lock()?;
    let copy = Copy::of(folder, scratch).map_err(failed)?;
    copy.reading(|store| {
        contents::checked_head(store, folder).and_then(|head| work(Shelf::Database(store, head)))
    })
}

/// Verifies a run that nobody holds.
pub(super) fn verify(folder: &Folder, scratch: Option<&Path>) -> Result<Verification, JournalError> {
    let _lock = folder.lock()?;
    if folder.sealed().exists() {
        return sealed::verify(folder);
    }
    let anchors = anchors(folder)?;
    let copy = Copy::of(folder, scratch).map_err(failed)?;
    copy.reading(|store| Ok(contents::verify(store, anchors)))
}

/// What stands beside the database about its last entry.
pub(super) fn anchors(folder: &Folder) -> Result<Vec<Anchor>, JournalError> {
    let head = folder.read_head()?;
    let mut anchors = vec![Anchor {
        name: "the file `head`",
        head,
    }];
    if let Ok(summary) = folder.read_summary()
        && let Ok(hash) = summary.head_hash.parse()
    {
        let head = Head {
            seq: summary.head,
            hash,
        };
        anchors.push(Anchor {
            name: "the summary",
            head,
        });
    }
    Ok(anchors)
}
