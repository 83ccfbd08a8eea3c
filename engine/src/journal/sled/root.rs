//! The state folder itself: whether it is one of ours, of a form that this program knows, and nobody else's.

#![expect(
    clippy::disallowed_methods,
    reason = "this is where the journal meets the disk"
)]

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::copy;
use crate::id::RunId;
use crate::journal::JournalError;
use crate::platform::private::{self, Owner};

/// The file that says what the folder is; its content begins so, and a number follows.
const FORMAT_FILE: &str = "format";
const FORMAT: &str = "runbook-state";
const VERSION: u64 = 1;

/// The largest file of that name that is read.
const LARGEST: u64 = 1024;

/// The folder of the runs in the state folder `root`, which is made if it is not there.
pub(super) fn prepare(root: &Path) -> Result<PathBuf, JournalError> {
    let runs = root.join("runs");
    if !inspect(root)? {
        make(root, &runs).map_err(failed)?;
    }
    Ok(runs)
}

/// Whether the state folder `root` is there, and says what it is. Changes nothing.
///
/// # Errors
/// When it cannot be looked at, is somebody else's, or was made by a newer program.
pub fn inspect(root: &Path) -> Result<bool, JournalError> {
    let runs = root.join("runs");
    let owner = trusted(root)?;
    // What is below a file is not there: not every system says that it cannot be.
    if owner.is_some() && !root.is_dir() {
        return Err(failed(io::ErrorKind::NotADirectory.into()));
    }
    match (trusted(&runs), owner) {
        (Ok(None | Some(Owner::Us)), _) => {}
        (Ok(Some(Owner::System(account) | Owner::Other(account))), _) => return Err(theirs(&runs, &account)),
        // That it may not be looked at says whose it is.
        (Err(JournalError::Storage { source, .. }), Some(Owner::System(account)))
            if source.kind() == io::ErrorKind::PermissionDenied =>
        {
            return Err(theirs(root, &account));
        }
        (Err(error), _) => return Err(error),
    }
    match read_format(root).map_err(failed)? {
        Some(text) => known(root, &text).map(|()| true),
        None => only_runs(&runs).map(|()| false),
    }
}

fn failed(source: io::Error) -> JournalError {
    JournalError::Storage {
        doing: "opened",
        source,
    }
}

fn theirs(folder: &Path, account: &str) -> JournalError {
    JournalError::Foreign(format!("`{}` belongs to {account}", folder.display()))
}

/// Refuses a folder in which another account could change runs; whoever administers the machine can anyway. Gives
/// whose it is, if it is there.
pub(super) fn trusted(folder: &Path) -> Result<Option<Owner>, JournalError> {
    let owner = match private::owner(folder) {
        Ok(Owner::Other(account)) => return Err(theirs(folder, &account)),
        Ok(owner) => owner,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    if private::is_open_to_all(folder).map_err(failed)? {
        let message = format!(
            "every account of this machine may change what is in `{}`",
            folder.display()
        );
        return Err(JournalError::Foreign(message));
    }
    Ok(Some(owner))
}

fn read_format(root: &Path) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    match fs::File::open(root.join(FORMAT_FILE)) {
        Ok(file) => file.take(LARGEST).read_to_end(&mut bytes)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

fn known(root: &Path, text: &str) -> Result<(), JournalError> {
    let mut words = text.split_ascii_whitespace();
    let version = (words.next() == Some(FORMAT)).then(|| words.next()?.parse().ok());
    match version.flatten() {
        Some(VERSION) => Ok(()),
        Some(newer) if newer > VERSION => Err(JournalError::Newer(format!(
            "the state folder has version {newer}; this program knows up to {VERSION}"
        ))),
        _ => Err(JournalError::Foreign(format!(
            "the file `{}` is not what `runbook` writes there",
            root.join(FORMAT_FILE).display()
        ))),
    }
}

/// A folder `runs` that nothing calls ours must hold nothing but runs: it could be that of another program.
fn only_runs(runs: &Path) -> Result<(), JournalError> {
    let found = match fs::read_dir(runs) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    for one in found {
        let path = one.map_err(failed)?.path();
        if !is_run(&path) {
            return Err(JournalError::Foreign(format!(
                "`{}` was not put there by `runbook`",
                path.display()
            )));
        }
    }
    Ok(())
}

/// Whether this may be a run, whole or not: every run has a lock from its first moment on.
fn is_run(path: &Path) -> bool {
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let copied = name.strip_suffix(copy::SUFFIX);
    let named = copied.unwrap_or(name).parse::<RunId>().is_ok();
    let is_empty = || fs::read_dir(path).is_ok_and(|mut found| found.next().is_none());
    named && path.is_dir() && (copied.is_some() || path.join("lock").exists() || is_empty())
}

fn make(root: &Path, runs: &Path) -> io::Result<()> {
    if !runs.is_dir() {
        private::create_folders(runs)?;
    }
    match write_format(root) {
        Ok(()) => private::sync_folder(root),
        // What was made by an earlier version can be read where nothing can be written.
        Err(error) if unwritable(&error) && !is_empty(runs)? => Ok(()),
        Err(error) => Err(error),
    }
}

/// As a whole, since others may do the same at this moment.
fn write_format(root: &Path) -> io::Result<()> {
    let mut new = tempfile::Builder::new().prefix(".format-").tempfile_in(root)?;
    writeln!(new, "{FORMAT} {VERSION}")?;
    new.as_file().sync_all()?;
    let _file = new.persist(root.join(FORMAT_FILE))?;
    Ok(())
}

fn is_empty(folder: &Path) -> io::Result<bool> {
    Ok(fs::read_dir(folder)?.next().is_none())
}

/// Whether an error says that the disk takes nothing more, though what is on it can be read.
pub(super) fn unwritable(error: &io::Error) -> bool {
    use io::ErrorKind::{PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    matches!(
        error.kind(),
        PermissionDenied | QuotaExceeded | ReadOnlyFilesystem | StorageFull
    )
}
