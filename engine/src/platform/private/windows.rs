//! Private files and folders on Windows: a list of rights says it.

use std::fs::File;
use std::io;
use std::path::Path;

use runbook_win32::account;
use runbook_win32::security::{self, Access};

use super::rights::{self, Rights};
use super::{Owner, Readers};

pub(super) fn create_folder(path: &Path) -> io::Result<()> {
    security::create_folder(path, &rights::of_folder(&account::user()?))
}

pub(super) fn create_folders(path: &Path) -> io::Result<()> {
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    if let Some(above) = path.parent() {
        create_folders(above)?;
    }
    match create_folder(path) {
        // Somebody else may have made it meanwhile.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        made => made,
    }
}

pub(super) fn keep_to_owner(path: &Path) -> io::Result<bool> {
    let is_open = !is_private(path)?;
    if is_open {
        security::set(path, &rights::of_folder(&account::user()?))?;
    }
    Ok(is_open)
}

pub(super) fn open_file(path: &Path) -> io::Result<File> {
    security::open_file(path, Access::ReadWrite, &rights::of_file(&account::user()?))
}

pub(super) fn open_lock(path: &Path) -> io::Result<File> {
    security::open_file(path, Access::Lock, &rights::of_file(&account::user()?))
}

pub(super) fn new_file(path: &Path) -> io::Result<File> {
    security::open_file(path, Access::New, &rights::of_file(&account::user()?))
}

pub(super) fn append_to(path: &Path) -> io::Result<File> {
    security::open_file(path, Access::Append, &rights::of_file(&account::user()?))
}

#[expect(clippy::unnecessary_wraps, reason = "on other systems it can be refused")]
pub(super) fn let_group_read(_file: &File) -> io::Result<()> {
    Ok(())
}

pub(super) fn owner(path: &Path) -> io::Result<Owner> {
    let sid = look(path)?.owner;
    if rights::is_same(&sid, &account::user()?) || rights::is_same(&sid, &account::owner()?) {
        return Ok(Owner::Us);
    }
    let name = account::name(rights::full(&sid));
    let name = name.map_or_else(|_| format!("account {sid}"), |name| format!("`{name}`"));
    Ok(if rights::administers(&sid) {
        Owner::System(name)
    } else {
        Owner::Other(name)
    })
}

pub(super) fn is_open_to_all(folder: &Path) -> io::Result<bool> {
    Ok(look(folder)?.lets_everyone_change())
}

#[expect(clippy::unnecessary_wraps, reason = "on other systems the disk can refuse")]
pub(super) fn sync_folder(_path: &Path) -> io::Result<()> {
    Ok(())
}

pub(super) fn is_private(path: &Path) -> io::Result<bool> {
    Ok(look(path)?.readers(&account::user()?) == Readers::Nobody)
}

pub(super) fn readers(path: &Path) -> io::Result<Readers> {
    Ok(look(path)?.readers(&account::user()?))
}

pub(super) fn is_open_to_change(path: &Path) -> io::Result<bool> {
    Ok(look(path)?.lets_others_change(&account::user()?))
}

pub(super) fn how_to_close(path: &Path) -> String {
    let within = if path.is_dir() { "(OI)(CI)" } else { "" };
    // Where the account has no name, the shell knows it.
    let us = account::user().and_then(|us| account::name(&us));
    let us = us.unwrap_or_else(|_| "%USERNAME%".to_owned());
    // What was granted to everyone, to all who have signed in, and to all accounts of the machine, is taken away.
    format!(
        "icacls \"{}\" /inheritance:r /grant:r \"{us}:{within}F\" /remove:g *S-1-1-0 *S-1-5-11 *S-1-5-32-545",
        path.display()
    )
}

fn look(path: &Path) -> io::Result<Rights> {
    let text = security::get(path)?;
    Rights::parse(&text).ok_or_else(|| io::Error::other(format!("rights that nobody knows here: `{text}`")))
}
