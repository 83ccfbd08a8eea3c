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
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// Somebody who has a file open until they are told, or a moment longer.
    fn reader(path: &Path) -> (mpsc::Sender<()>, thread::JoinHandle<()>) {
        let file = File::open(path).unwrap();
        let (told, tells) = mpsc::channel();
        let reader = thread::spawn(move || {
            tells.recv().unwrap();
            thread::sleep(Duration::from_millis(100));
            drop(file);
        });
        (told, reader)
    }

    #[test]
    fn what_others_read_is_removed_and_replaced_all_the_same() {
        let around = tempfile::tempdir().unwrap();
        let folder = around.path().join("run");
        fs::create_dir_all(folder.join("db")).unwrap();
        let file = folder.join("db").join("file");
        fs::write(&file, "old").unwrap();
        fs::write(around.path().join("new"), "new").unwrap();
        let (told, one) = reader(&file);
        told.send(()).unwrap();
        replace(&around.path().join("new"), &file).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        let (told, other) = reader(&file);
        told.send(()).unwrap();
        remove_folder(&folder).unwrap();
        assert!(!folder.exists());
        one.join().unwrap();
        other.join().unwrap();
    }

    #[test]
    fn a_folder_goes_with_the_lock_that_is_held_in_it() {
        let around = tempfile::tempdir().unwrap();
        let folder = around.path().join("run");
        fs::create_dir_all(folder.join("db")).unwrap();
        fs::write(folder.join("head"), "").unwrap();
        fs::write(folder.join("db").join("file"), "").unwrap();
        let locked = File::create(folder.join("lock")).unwrap();
        locked.lock().unwrap();
        remove_locked_folder(&folder, "lock", locked).unwrap();
        assert!(!folder.exists());
    }

    #[test]
    fn what_is_not_there_is_an_error_at_once() {
        let around = tempfile::tempdir().unwrap();
        let none = around.path().join("none");
        for gone in [remove_folder(&none), remove_file(&none), open(&none).map(drop)] {
            assert_eq!(gone.unwrap_err().kind(), io::ErrorKind::NotFound);
        }
    }
}
