//! How long the machine has been up: a time that nobody sets.

use std::time::Duration;

/// The time since some moment in the past, the same for the whole process. Where the system can tell, it goes on while
/// the machine sleeps.
#[must_use]
pub fn now() -> Duration {
    super::os::uptime()
}
