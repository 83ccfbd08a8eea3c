//! Processes that outlived a killed engine: awaited while their step's time lasts, then ended.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::clock::Clock;
use super::driver::Watcher;
use crate::core::event::{LeftProcess, ProcessMark};
use crate::id::InstanceId;
use crate::platform::{process, volatile};

/// How long a process is awaited whose step has no time-out.
const GRACE: SignedDuration = SignedDuration::from_mins(5);

/// How often a process that is not our child is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// Sees to it that nothing of an interrupted activity is left, neither processes nor the private files that they
/// read, and says what was found.
pub(super) async fn clear(
    instance: &InstanceId,
    known: Option<ProcessMark>,
    token: &str,
    until: Option<Timestamp>,
    clock: &Arc<dyn Clock>,
    watcher: Option<&Arc<dyn Watcher>>,
) -> LeftProcess {
    let found = end_processes(instance, known, token, until, clock, watcher).await;
    volatile::sweep([token]);
    found
}

async fn end_processes(
    instance: &InstanceId,
    known: Option<ProcessMark>,
    token: &str,
    until: Option<Timestamp>,
    clock: &Arc<dyn Clock>,
    watcher: Option<&Arc<dyn Watcher>>,
) -> LeftProcess {
    let mut left = process::orphans(token);
    left.extend(known.filter(process::is_alive));
    left.sort_by_key(|mark| mark.pid);
    left.dedup();
    if left.is_empty() {
        return LeftProcess::None;
    }
    let now = clock.now();
    let until = until.or_else(|| now.checked_add(GRACE).ok()).unwrap_or(now);
    if let Some(watcher) = watcher {
        watcher.outlived(instance, &left, until);
    }
    while left.iter().any(process::is_alive) {
        if clock.now() >= until {
            for mark in &left {
                process::end_orphan(mark).await;
            }
            return LeftProcess::Ended;
        }
        tokio::time::sleep(LOOK).await;
    }
    LeftProcess::Awaited
}
