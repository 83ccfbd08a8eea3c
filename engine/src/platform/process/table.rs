//! The system's table of processes: who is alive, who belongs together, who was left behind.

use std::ffi::OsStr;
use std::time::Duration;

use sysinfo::{Pid, Process, ProcessRefreshKind, ProcessStatus, ProcessesToUpdate, System, UpdateKind};
use tokio_util::sync::CancellationToken;

use super::GRACE;
use crate::core::event::ProcessMark;
use crate::platform::os;

/// The variable that marks all processes of one call of a step: [`Context::token`](crate::step::Context::token).
pub const TOKEN: &str = "RUNBOOK_TOKEN";

/// The system works a process's start out from its uptime and its clock, each in whole seconds.
const START_ROUNDING: u64 = 2;

const FIRST_POLL: Duration = Duration::from_millis(10);
const LONGEST_POLL: Duration = Duration::from_millis(200);

/// When a process started, in seconds since 1970.
pub(super) fn started(pid: u32) -> Option<u64> {
    let mut system = System::new().ok()?;
    one(&mut system, pid).map(Process::start_time)
}

/// Whether the very process of this mark is still there: one that got its number later is another, and one
/// that has ended but was not collected by its parent is not alive.
#[must_use]
pub fn is_alive(mark: &ProcessMark) -> bool {
    let Ok(mut system) = System::new() else {
        return false;
    };
    one(&mut system, mark.pid).is_some_and(|process| is_living(process) && is_of(process, mark))
}

/// All living processes that carry this token, each with its mark. The engine itself is not among them.
#[must_use]
pub fn orphans(token: &str) -> Vec<ProcessMark> {
    let Ok(mut system) = System::new() else {
        return Vec::new();
    };
    let with_environment = ProcessRefreshKind::nothing().with_environ(UpdateKind::Always);
    system.refresh_processes_specifics(ProcessesToUpdate::All, true, with_environment);
    let variable = format!("{TOKEN}={token}");
    let carries = |process: &&Process| {
        process
            .environ()
            .iter()
            .any(|entry| entry == OsStr::new(&variable))
    };
    let ours = std::process::id();
    let living = system
        .processes()
        .values()
        .filter(|process| is_main(process) && is_living(process) && !os::is_console(process));
    let mut found: Vec<ProcessMark> = living
        .filter(carries)
        .map(|process| ProcessMark {
            pid: process.pid().as_u32(),
            started: process.start_time(),
        })
        .filter(|mark| mark.pid != ours)
        .collect();
    found.sort_by_key(|mark| (mark.started, mark.pid));
    found
}

/// Ends a process that is not our child, and its whole group: asks first, then, after [`GRACE`], kills.
/// Tells whether it is gone.
pub async fn end_orphan(mark: &ProcessMark) -> bool {
    if !is_alive(mark) {
        return true;
    }
    let leader = os::leader_of(mark.pid);
    match leader {
        Some(leader) => {
            os::ask_to_end(leader);
            for pid in members(leader).await {
                os::ask_one_to_end(pid);
            }
        }
        None => os::ask_one_to_end(mark.pid),
    }
    if tokio::time::timeout(GRACE, until_gone(mark, leader))
        .await
        .is_ok()
    {
        return true;
    }
    match leader {
        Some(leader) => kill_members(leader, GRACE).await,
        None if is_alive(mark) => os::kill_one(mark.pid),
        None => {}
    }
    tokio::time::timeout(GRACE, until_gone(mark, leader))
        .await
        .is_ok()
}

/// Waits until the process of this mark has ended; tells whether it did, or the wait was cancelled.
pub async fn await_end(mark: &ProcessMark, cancel: &CancellationToken) -> bool {
    tokio::select! {
        () = poll(|| !is_alive(mark)) => true,
        () = cancel.cancelled() => false,
    }
}

/// The living members of a group.
pub(in crate::platform) async fn members(leader: u32) -> Vec<u32> {
    if !os::may_have_members(leader) {
        return Vec::new();
    }
    // Reading the table takes some milliseconds on a busy machine.
    tokio::task::spawn_blocking(move || members_now(leader))
        .await
        .unwrap_or_default()
}

/// Waits until a group has no living member.
pub(in crate::platform) async fn until_empty(leader: u32) {
    poll(|| !os::may_have_members(leader) || members_now(leader).is_empty()).await;
}

/// Kills a group, also those of its members who made groups of their own, until none is left.
pub(in crate::platform) async fn kill_members(leader: u32, within: Duration) {
    let killing = poll(|| {
        os::kill_group(leader);
        let left = members_now(leader);
        left.iter().for_each(|&pid| os::kill_one(pid));
        left.is_empty()
    });
    // What cannot be killed now is held by the system itself.
    let _ = tokio::time::timeout(within, killing).await;
}

async fn until_gone(mark: &ProcessMark, leader: Option<u32>) {
    poll(|| !is_alive(mark)).await;
    if let Some(leader) = leader {
        until_empty(leader).await;
    }
}

/// Waits until this is so, and looks less and less often.
pub(in crate::platform) async fn poll(done: impl Fn() -> bool) {
    let mut wait = FIRST_POLL;
    while !done() {
        #[expect(
            clippy::disallowed_methods,
            reason = "the system does not tell when another's child ends"
        )]
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LONGEST_POLL);
    }
}

pub(in crate::platform) fn members_now(leader: u32) -> Vec<u32> {
    let Ok(mut system) = System::new() else {
        return Vec::new();
    };
    system.refresh_processes_specifics(ProcessesToUpdate::All, true, ProcessRefreshKind::nothing());
    let living = system
        .processes()
        .values()
        .filter(|process| is_main(process) && is_living(process));
    living
        .filter(|process| os::belongs_to(process, leader, &system))
        .map(|process| process.pid().as_u32())
        .collect()
}

fn one(system: &mut System, pid: u32) -> Option<&Process> {
    let pid = Pid::from_u32(pid);
    system.refresh_processes_specifics(
        ProcessesToUpdate::Some(&[pid]),
        true,
        ProcessRefreshKind::nothing(),
    );
    system.process(pid)
}

fn is_of(process: &Process, mark: &ProcessMark) -> bool {
    process.start_time().abs_diff(mark.started) <= START_ROUNDING
}

/// Linux lists threads among the processes.
fn is_main(process: &Process) -> bool {
    process.thread_kind().is_none()
}

fn is_living(process: &Process) -> bool {
    !matches!(process.status(), ProcessStatus::Zombie | ProcessStatus::Dead)
}
