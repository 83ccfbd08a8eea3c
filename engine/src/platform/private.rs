//! Files and folders that only their owner can read. On Windows they inherit the rights of the folder they are
//! made in, which in a user's profile are the user's alone.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::path::Path;

/// Makes a folder that only its owner can enter; its parent must exist.
///
/// # Errors
/// When it exists, or cannot be made.
pub fn create_folder(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Makes a folder that only its owner can enter, and the folders above it; leaves those alone that exist.
///
/// # Errors
/// When they cannot be made.
pub fn create_folders(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Sees to it that only its owner can enter a folder that exists; says whether others could until now. On Windows its rights stay as
/// they are.
///
/// # Errors
/// When it cannot be looked at or changed.
pub fn keep_to_owner(path: &Path) -> io::Result<bool> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let found = std::fs::metadata(path)?.permissions();
        let is_open = found.mode() & 0o077 != 0;
        if is_open {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(found.mode() & 0o700))?;
        }
        Ok(is_open)
    }
    #[cfg(not(unix))]
    std::fs::metadata(path).map(|_| false)
}

/// Opens a file for reading and writing, and makes it, for its owner only, where there is none.
///
/// # Errors
/// When it cannot be opened or made.
pub fn open_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Opens a file to write at its end, and makes it, for its owner only, where there is none.
///
/// # Errors
/// When it cannot be opened or made.
pub fn append_to(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Lets the group of a file's owner read it too: for programs that run as another account.
///
/// # Errors
/// When the system does not allow it.
pub fn let_group_read(file: &File) -> io::Result<()> {
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o640))?;
    #[cfg(not(unix))]
    let _ = file;
    Ok(())
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

/// Whose a file or folder is. On Windows that is not looked at: the rights of a profile's folders are its user's.
///
/// # Errors
/// When it cannot be looked at.
pub fn owner(path: &Path) -> io::Result<Owner> {
    let found = std::fs::metadata(path)?;
    #[cfg(unix)]
    let owner = super::os::owner(std::os::unix::fs::MetadataExt::uid(&found));
    #[cfg(not(unix))]
    let owner = {
        let _ = found;
        Owner::Us
    };
    Ok(owner)
}

/// Whether every account may add, remove and replace what a folder holds. One such as `/tmp`, where each can do
/// so with its own files only, is not meant.
///
/// # Errors
/// When it cannot be looked at.
pub fn is_open_to_all(folder: &Path) -> io::Result<bool> {
    let found = std::fs::metadata(folder)?;
    #[cfg(unix)]
    let open = std::os::unix::fs::PermissionsExt::mode(&found.permissions()) & 0o1002 == 0o0002;
    #[cfg(not(unix))]
    let open = {
        let _ = found;
        false
    };
    Ok(open)
}

/// Makes durable which files a folder holds. Windows has no such call: NTFS journals its folders.
///
/// # Errors
/// When the disk says so.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    OpenOptions::new().read(true).open(path)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// Whether nobody but its owner can read a file or folder.
///
/// # Errors
/// When it cannot be looked at.
pub fn is_private(path: &Path) -> io::Result<bool> {
    let found = std::fs::metadata(path)?;
    #[cfg(unix)]
    let private = std::os::unix::fs::PermissionsExt::mode(&found.permissions()) & 0o077 == 0;
    // The rights are those of the folder it was made in.
    #[cfg(not(unix))]
    let private = found.is_dir() || found.is_file();
    Ok(private)
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

/// Who else can read a file. On Windows that is not looked at: the rights of a profile's folders are its user's.
///
/// # Errors
/// When it cannot be looked at.
pub fn readers(path: &Path) -> io::Result<Readers> {
    let mode = mode(path)?;
    Ok(match (mode & 0o004, mode & 0o040) {
        (0, 0) => Readers::Nobody,
        (0, _) => Readers::Group,
        (_, _) => Readers::Everyone,
    })
}

/// Whether other accounts can change a file. On Windows that is not looked at.
///
/// # Errors
/// When it cannot be looked at.
pub fn is_open_to_change(path: &Path) -> io::Result<bool> {
    Ok(mode(path)? & 0o022 != 0)
}

fn mode(path: &Path) -> io::Result<u32> {
    let found = std::fs::metadata(path)?;
    #[cfg(unix)]
    let mode = std::os::unix::fs::PermissionsExt::mode(&found.permissions());
    #[cfg(not(unix))]
    let mode = {
        let _ = found;
        0o600
    };
    Ok(mode)
}
