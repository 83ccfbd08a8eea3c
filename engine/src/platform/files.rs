//! Files and folders that somebody else may have open at this moment: taken away, replaced, and opened.
//!
//! On Unix a name goes whoever reads the file. On Windows it may stay until the last reader has closed it, and cannot be
//! given to another file meanwhile; a backup or a scanner for viruses reads whatever is new. They let go within
//! milliseconds most often, so that it is tried again for a while.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::thread;
use std::time::Duration;

use super::os;

/// How long others may take to let go.
const LONGEST: Duration = Duration::from_secs(2);

const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// Removes a folder and all that is in it. The caller has nothing in it open.
///
/// # Errors
/// When it is not there, or cannot be removed: somebody has something in it open for longer.
pub(crate) fn remove_folder(path: &Path) -> io::Result<()> {
    patiently(|| fs::remove_dir_all(path))
}

/// Removes a folder in which this process holds a lock, by the file of this name and nothing else, and then the lock.
///
/// # Errors
/// As [`remove_folder`].
pub(crate) fn remove_locked_folder<L>(path: &Path, name: &str, lock: L) -> io::Result<()> {
    for found in fs::read_dir(path)? {
        let found = found?;
        if found.file_name() == name {
            continue;
        }
        if found.file_type()?.is_dir() {
            remove_folder(&found.path())?;
        } else {
            remove_file(&found.path())?;
        }
    }
    os::remove_lock(&path.join(name), lock)?;
    patiently(|| fs::remove_dir(path))
}

/// Removes a file.
///
/// # Errors
/// When it is not there, or cannot be removed.
pub(crate) fn remove_file(path: &Path) -> io::Result<()> {
    patiently(|| fs::remove_file(path))
}

/// Gives a file, which is closed, the name of another one, which it replaces.
///
/// # Errors
/// When the system refuses.
pub(crate) fn replace(from: &Path, to: &Path) -> io::Result<()> {
    patiently(|| fs::rename(from, to))
}

/// Opens a file to read it, which somebody may be replacing.
///
/// # Errors
/// When it is not there, or cannot be read.
#[expect(clippy::disallowed_methods, reason = "what is read is up to the caller")]
pub(crate) fn open(path: &Path) -> io::Result<File> {
    patiently(|| File::open(path))
}

/// Lets a folder seem to have been changed last at another time.
#[cfg(test)]
pub(crate) fn set_modified(folder: &Path, time: std::time::SystemTime) -> io::Result<()> {
    os::set_modified(folder, time)
}

/// Tries again while others have in use what it is about.
pub(super) fn patiently<T>(mut work: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    let (mut waited, mut pause) = (Duration::ZERO, FIRST_PAUSE);
    loop {
        match work() {
            Err(error) if os::is_in_use(&error) && waited < LONGEST => {
                #[expect(
                    clippy::disallowed_methods,
                    reason = "the condition is another process's, which can only be tried"
                )]
                thread::sleep(pause);
                waited += pause;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            done => return done,
        }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "what is tested are real files")]
mod tests;
