//! Files and folders that only their owner can read. On Unix that is their mode; on Windows, a list of rights (DACL)
//! that names the owner and the system, and inherits nothing.

use std::fs::File;
use std::io;
use std::path::Path;

use tempfile::NamedTempFile;

#[cfg(unix)]
#[path = "private/unix.rs"]
mod os;
#[cfg(windows)]
#[path = "private/windows.rs"]
mod os;
#[cfg(any(windows, test))]
mod rights;

/// Makes a folder that only its owner can enter; its parent must exist.
///
/// # Errors
/// When it exists, or cannot be made.
pub fn create_folder(path: &Path) -> io::Result<()> {
    os::create_folder(path)
}

/// Makes a folder that only its owner can enter, and the folders above it; leaves those alone that exist.
///
/// # Errors
/// When they cannot be made.
pub fn create_folders(path: &Path) -> io::Result<()> {
    os::create_folders(path)
}

/// Sees to it that only its owner can enter a folder that exists; says whether others could until now.
///
/// # Errors
/// When it cannot be looked at or changed.
pub fn keep_to_owner(path: &Path) -> io::Result<bool> {
    os::keep_to_owner(path)
}

/// Opens a file for reading and writing, and makes it, for its owner only, where there is none.
///
/// # Errors
/// When it cannot be opened or made.
pub fn open_file(path: &Path) -> io::Result<File> {
    os::open_file(path)
}

/// Opens a file to lock it, and makes it, for its owner only, where there is none. On Windows nobody takes its name away
/// while it is open.
///
/// # Errors
/// When it cannot be opened or made.
pub fn open_lock(path: &Path) -> io::Result<File> {
    os::open_lock(path)
}

/// Makes a file, for its owner only, under a name that nobody has and that begins so: it is gone with what this gives,
/// unless it is given its own name (`persist`) when it is whole.
///
/// # Errors
/// When it cannot be made.
pub fn unfinished_file(folder: &Path, prefix: &str) -> io::Result<NamedTempFile> {
    tempfile::Builder::new()
        .prefix(prefix)
        .make_in(folder, os::new_file)
}

/// Opens a file to write at its end, and makes it, for its owner only, where there is none.
///
/// # Errors
/// When it cannot be opened or made.
pub fn append_to(path: &Path) -> io::Result<File> {
    os::append_to(path)
}

/// Lets the group of a file's owner read it too: for programs that run as another account. On Windows such programs run
/// as the system, which can read it anyway.
///
/// # Errors
/// When the system does not allow it.
pub fn let_group_read(file: &File) -> io::Result<()> {
    os::let_group_read(file)
}

/// Whose a file or folder is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// That of the account that this process runs as.
    Us,
    /// That of the account that administers the machine.
    System(String),
    /// That of this account.
    Other(String),
}

/// Whose a file or folder is. On Windows, what belongs to the administrators is ours where we are one.
///
/// # Errors
/// When it cannot be looked at.
pub fn owner(path: &Path) -> io::Result<Owner> {
    os::owner(path)
}

/// Whether every account may add, remove and replace what a folder holds. One such as `/tmp`, where each can do
/// so with its own files only, is not meant.
///
/// # Errors
/// When it cannot be looked at.
pub fn is_open_to_all(folder: &Path) -> io::Result<bool> {
    os::is_open_to_all(folder)
}

/// Makes durable which files a folder holds. Windows has no such call: NTFS journals its folders.
///
/// # Errors
/// When the disk says so.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    os::sync_folder(path)
}

/// Whether nobody but its owner can read a file or folder.
///
/// # Errors
/// When it cannot be looked at.
pub fn is_private(path: &Path) -> io::Result<bool> {
    os::is_private(path)
}

/// Who can read a file besides its owner and the administrator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    /// Nobody.
    Nobody,
    /// The accounts of its group.
    Group,
    /// Every account.
    Everyone,
}

/// Who else can read a file.
///
/// # Errors
/// When it cannot be looked at.
pub fn readers(path: &Path) -> io::Result<Readers> {
    os::readers(path)
}

/// Whether other accounts can change a file.
///
/// # Errors
/// When it cannot be looked at.
pub fn is_open_to_change(path: &Path) -> io::Result<bool> {
    os::is_open_to_change(path)
}

/// The command that lets nobody but its owner read and change a file, or enter a folder, as a person types it.
#[must_use]
pub fn how_to_close(path: &Path) -> String {
    os::how_to_close(path)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "what is tested are real files")]
mod tests;
