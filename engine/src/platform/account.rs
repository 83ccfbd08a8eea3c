//! The account that this process runs as.

use std::io;

/// What the operating system calls it: its name, on Windows after that of its domain or machine (`DOMAIN\name`).
///
/// # Errors
/// When the system does not tell.
pub fn name() -> io::Result<String> {
    super::os::account_name()
}

/// The variable that names the folder of what belongs to this account on this machine, where the system has one.
#[must_use]
pub fn own_folder_variable() -> Option<&'static str> {
    super::os::OWN_FOLDER
}
