//! The account that this process runs as.

use std::io;

/// What the operating system calls it: its name, on Windows after that of its domain or machine (`DOMAIN\name`).
///
/// # Errors
/// When the system does not tell.
pub fn name() -> io::Result<String> {
    super::os::account_name()
}
