//! What the system lets this process have.

/// How many files this process may have open, after asking for as many as `wanted`, within what its account may
/// have. Systems without such a limit give what is wanted.
#[must_use]
pub fn open_files(wanted: u64) -> u64 {
    super::os::open_files(wanted)
}

/// How many files this process may have open now, and how many it may ask for; none where there is no such limit.
#[must_use]
pub fn open_files_allowed() -> Option<(u64, u64)> {
    super::os::open_files_allowed()
}
