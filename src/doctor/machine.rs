//! The machine: its clock, what it lets a process have, and the library for certificates and hashes.

use std::path::Path;

use jiff::Timestamp;
use runbook_engine::journal::sled::peek;
use runbook_engine::platform::limit;

use super::Finding;
use crate::jobs;
use crate::render::time;

/// The times that a clock can show: from the year 2026 to the year 2100, in seconds.
const POSSIBLE: std::ops::Range<i64> = 1_767_225_600..4_102_444_800;

/// How far a clock may be behind what was written before, in seconds, without anybody minding.
const SLACK: i64 = 5;

/// How many runs are looked at for the newest time.
const MOST_RUNS: usize = 1000;

/// As many open files let so many steps be under way that nobody asks for more.
const MANY: u64 = 1_000_000;

/// The clock: a time that can be, and not before what was already written.
pub(crate) fn clock(root: &Path) -> Finding {
    const CHECK: &str = "clock";
    const HELP: &str =
        "set the clock; entries would be dated wrong, and waits would be too long or too short";
    let now = Timestamp::now();
    let shown = time::local(now);
    let possible = POSSIBLE.contains(&now.as_second());
    if !possible {
        return Finding::bad(CHECK, format!("{shown} cannot be"), HELP);
    }
    let newest = peek(root, MOST_RUNS).into_iter().max_by_key(|run| run.updated);
    if let Some(newest) = newest.filter(|run| run.updated.as_second() > now.as_second() + SLACK) {
        let found = format!(
            "{shown}, but `{}` was written at {}",
            newest.name(),
            time::local(newest.updated)
        );
        return Finding::bad(CHECK, found, HELP);
    }
    // Says that the system's own service has set the clock by a time server since the machine was started.
    let synchronised = Path::new("/run/systemd/timesync/synchronized").exists();
    let by = if synchronised {
        ", set by a time server"
    } else {
        ""
    };
    Finding::good(CHECK, format!("{shown}{by}"))
}

/// How many files may be open at once.
pub(crate) fn limits() -> Finding {
    const CHECK: &str = "open files";
    let Some((now, most)) = limit::open_files_allowed() else {
        return Finding::good(CHECK, "no limit");
    };
    let steps = jobs::most_with(most);
    if most >= MANY {
        return Finding::good(CHECK, format!("{now} now, as many as are needed on request"));
    }
    let found = format!("{now} now, {most} on request: enough for {steps} steps at once");
    if steps >= 4 {
        Finding::good(CHECK, found)
    } else {
        Finding::note(
            CHECK,
            found,
            "raise the limit (`ulimit -n`) to carry more out at once",
        )
    }
}

/// The library that does hashes and certificates.
pub(crate) fn openssl() -> Finding {
    Finding::good("OpenSSL", openssl::version::version())
}
