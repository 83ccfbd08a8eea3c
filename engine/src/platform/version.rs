//! Which system this is.

use sysinfo::System;

/// What the system calls itself, and its number; nothing of what it does not tell.
#[must_use]
pub fn of_system() -> Option<String> {
    let name = System::long_os_version().ok()?;
    Some(match System::os_version() {
        Ok(version) if !name.contains(&version) => format!("{name}, {version}"),
        Ok(_) | Err(_) => name,
    })
}
