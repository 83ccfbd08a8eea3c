//! Locks of files.

use std::fs::File;
use std::io;

/// Releases the lock that this file holds; nothing, where it holds none.
///
/// # Errors
/// When the system cannot.
pub fn release(file: &File) -> io::Result<()> {
    match file.unlock() {
        // A file may be locked twice, so that it is unlocked twice; the second time there is most often nothing to do.
        Err(error) if super::os::is_unlocked(&error) => Ok(()),
        other => other,
    }
}
