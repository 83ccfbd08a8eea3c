//! Looking at a run without touching it: opening a database writes to it, so it is a copy that is opened.

#![expect(
    clippy::disallowed_methods,
    reason = "this is where the journal meets the disk"
)]

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::contents;
use super::folder::Folder;
use super::store::Store;
use crate::journal::verify::Anchor;
use crate::journal::{JournalError, Verification};
use crate::platform::private;

/// What the names of copies end in, after the run's id.
pub(super) const SUFFIX: &str = ".verify";

/// A copy of a database, removed when it is dropped.
struct Copy(PathBuf);

impl Copy {
    /// Copies the database of a run that the caller has locked; a copy that a crash left is replaced.
    fn of(folder: &Folder) -> io::Result<Self> {
        let mut name = folder.path().as_os_str().to_owned();
        name.push(SUFFIX);
        let copy = Self(name.into());
        if copy.0.exists() {
            fs::remove_dir_all(&copy.0)?;
        }
        copy_folder(&folder.db(), &copy.0)?;
        Ok(copy)
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, folder = %self.0.display(), "a temporary copy could not be removed");
        }
    }
}

/// Copies plain files and folders, for the owner's eyes only.
fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    private::create_folder(to)?;
    for found in fs::read_dir(from)? {
        let found = found?;
        let (kind, target) = (found.file_type()?, to.join(found.file_name()));
        if kind.is_dir() {
            copy_folder(&found.path(), &target)?;
        } else if kind.is_file() {
            let _bytes = io::copy(&mut File::open(found.path())?, &mut private::open_file(&target)?)?;
        }
    }
    Ok(())
}

/// Verifies a run that nobody holds.
pub(super) fn verify(folder: &Folder) -> Result<Verification, JournalError> {
    let _lock = folder.lock()?;
    let anchors = anchors(folder)?;
    let failed = |source| JournalError::Storage {
        doing: "copied",
        source,
    };
    let copy = Copy::of(folder).map_err(failed)?;
    let store = Store::open(&copy.0)?;
    let found = contents::verify(&store, anchors);
    store.close(&copy.0)?;
    Ok(found)
}

/// What stands beside the database about its last entry.
pub(super) fn anchors(folder: &Folder) -> Result<Vec<Anchor>, JournalError> {
    let (head, _) = folder.open_head()?;
    let mut anchors = vec![Anchor {
        name: "the file `head`",
        head,
    }];
    if let Ok(summary) = folder.read_summary()
        && let Ok(hash) = summary.head_hash.parse()
    {
        let head = crate::journal::chain::Head {
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
