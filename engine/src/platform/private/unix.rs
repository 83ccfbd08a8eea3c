//! Private files and folders on Unix: their mode says it.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use super::{Owner, Readers};

pub(super) fn create_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)
}

pub(super) fn create_folders(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

pub(super) fn keep_to_owner(path: &Path) -> io::Result<bool> {
    let found = std::fs::metadata(path)?.permissions();
    let is_open = found.mode() & 0o077 != 0;
    if is_open {
        std::fs::set_permissions(path, Permissions::from_mode(found.mode() & 0o700))?;
    }
    Ok(is_open)
}

pub(super) fn open_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    options.mode(0o600).open(path)
}

pub(super) fn open_lock(path: &Path) -> io::Result<File> {
    open_file(path)
}

pub(super) fn new_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

pub(super) fn append_to(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(0o600).open(path)
}

pub(super) fn let_group_read(file: &File) -> io::Result<()> {
    file.set_permissions(Permissions::from_mode(0o640))
}

pub(super) fn owner(path: &Path) -> io::Result<Owner> {
    let found = std::fs::metadata(path)?;
    Ok(crate::platform::os::owner(found.uid()))
}

pub(super) fn is_open_to_all(folder: &Path) -> io::Result<bool> {
    Ok(mode(folder)? & 0o1002 == 0o0002)
}

pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    OpenOptions::new().read(true).open(path)?.sync_all()
}

pub(super) fn is_private(path: &Path) -> io::Result<bool> {
    Ok(mode(path)? & 0o077 == 0)
}

pub(super) fn readers(path: &Path) -> io::Result<Readers> {
    let mode = mode(path)?;
    Ok(match (mode & 0o004, mode & 0o040) {
        (0, 0) => Readers::Nobody,
        (0, _) => Readers::Group,
        (_, _) => Readers::Everyone,
    })
}

pub(super) fn is_open_to_change(path: &Path) -> io::Result<bool> {
    Ok(mode(path)? & 0o022 != 0)
}

pub(super) fn how_to_close(path: &Path) -> String {
    let mode = if path.is_dir() { "700" } else { "600" };
    let path = path.display().to_string();
    let is_plain = |letter: char| letter.is_alphanumeric() || "/._-+,@%".contains(letter);
    if path.chars().all(is_plain) {
        return format!("chmod {mode} {path}");
    }
    format!("chmod {mode} '{}'", path.replace('\'', r"'\''"))
}

fn mode(path: &Path) -> io::Result<u32> {
    Ok(std::fs::metadata(path)?.permissions().mode())
}
