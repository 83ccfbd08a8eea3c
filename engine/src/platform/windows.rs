//! Processes on Windows: a step's processes are in a job object that ends with the engine.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use runbook_win32::account;
use runbook_win32::job::{self, Job};
use sysinfo::{Pid, ProcessesToUpdate, System};

use super::process::{self, Exit, Launch, Pipes, table};

/// A console of its own, which nobody sees: keys that are typed at ours, and its end, are not for the step's programs,
/// and none of them can wait at it.
const NO_WINDOW: u32 = 0x0800_0000;

/// A child process and its job. The job has no other handle, so that it ends with the engine, however that ends.
#[derive(Debug)]
pub(super) struct Child {
    child: tokio::process::Child,
    pid: u32,
    job: Job,
}

impl Child {
    pub(super) fn spawn(launch: &Launch) -> io::Result<(Self, Pipes)> {
        let job = Job::new()?;
        let mut command = process::command(launch);
        // It runs once it is in the job, so that nothing it starts can be outside.
        command.creation_flags(job::SUSPENDED | NO_WINDOW);
        let mut child = command.kill_on_drop(true).spawn()?;
        let pid = child.id().unwrap_or_default();
        job.add(pid)?;
        let pipes = Pipes::of(child.stdin.take(), child.stdout.take(), child.stderr.take())?;
        job::resume(pid)?;
        Ok((Self { child, pid, job }, pipes))
    }

    /// Its number.
    pub(super) fn id(&self) -> u32 {
        self.pid
    }

    /// Waits until it has ended; what it started may still be there.
    pub(super) async fn wait(&mut self) -> io::Result<Exit> {
        self.child.wait().await.map(exit)
    }

    /// The living members of its job.
    #[expect(clippy::unused_async, reason = "other systems take their time to tell")]
    pub(super) async fn members(&self) -> Vec<u32> {
        self.living()
    }

    /// Waits until its job has no living member.
    pub(super) async fn until_empty(&self) {
        table::poll(|| self.living().is_empty()).await;
    }

    /// There is no way to ask that all programs understand.
    pub(super) fn ask_to_end(&mut self) {
        self.kill();
    }

    /// Ends its job again, until nothing is left in it.
    pub(super) async fn kill_members(&self, within: Duration) {
        let ending = table::poll(|| {
            self.job.end().ok();
            self.living().is_empty()
        });
        // What cannot be ended now is held by the system itself.
        tokio::time::timeout(within, ending).await.ok();
    }

    /// Ends it and its job.
    pub(super) fn kill(&mut self) {
        // An error means that nobody is left in the job: that is what was wanted.
        self.job.end().ok();
    }

    fn living(&self) -> Vec<u32> {
        // A job that cannot be asked is ended when it is dropped.
        self.job.processes().unwrap_or_default()
    }
}

/// See [`open_files`](super::limit::open_files).
pub(super) fn open_files(wanted: u64) -> u64 {
    wanted
}

/// See [`open_files_allowed`](super::limit::open_files_allowed).
pub(super) fn open_files_allowed() -> Option<(u64, u64)> {
    None
}

/// See [`name`](super::account::name).
pub(super) fn account_name() -> io::Result<String> {
    account::name(&account::user()?)
}

/// See [`uptime`](super::uptime::now).
#[expect(
    clippy::disallowed_methods,
    reason = "this is where a time that nobody sets comes in"
)]
pub(super) fn uptime() -> Duration {
    static FIRST: LazyLock<Instant> = LazyLock::new(Instant::now);
    FIRST.elapsed()
}

/// The folder for what is soon gone, in the user's profile. Windows has none in memory.
pub(super) fn volatile_folder() -> PathBuf {
    tempfile::env::temp_dir()
}

/// How a process ended.
fn exit(status: ExitStatus) -> Exit {
    Exit::Code(status.code().unwrap_or(-1))
}

/// Whether a process belongs to the group of `leader`. A job does not show in the list of processes; it is
/// ended as a whole through its handle instead.
pub(super) fn belongs_to(_process: &sysinfo::Process, _leader: u32) -> bool {
    false
}

/// Whether a process may belong to the group of `leader`: see [`belongs_to`].
pub(super) fn may_have_members(_leader: u32) -> bool {
    false
}

/// The leader of the group that a process belongs to: jobs end with the engine, so there is none to find.
pub(super) fn leader_of(_pid: u32) -> Option<u32> {
    None
}

/// There is no way to ask that all programs understand.
pub(super) fn ask_to_end(_leader: u32) {}

/// A job is ended through its handle.
pub(super) fn kill_group(_leader: u32) {}

/// There is no way to ask that all programs understand.
pub(super) fn ask_one_to_end(pid: u32) {
    kill_one(pid);
}

/// Ends a single process at once.
pub(super) fn kill_one(pid: u32) {
    let Ok(mut system) = System::new() else { return };
    let pid = Pid::from_u32(pid);
    system.refresh_processes(ProcessesToUpdate::Some(&[pid]), true);
    if let Some(process) = system.process(pid) {
        process.kill();
    }
}

/// See [`disk_of`](super::disk::disk_of): the free bytes, and the name of the file system.
pub(super) fn disk(folder: &Path) -> io::Result<(u64, Option<String>)> {
    runbook_win32::volume::of(folder)
}

/// See [`release`](super::lock::release).
pub(super) fn is_unlocked(error: &io::Error) -> bool {
    /// What wine says of a file that is not locked; Windows has another word, which the standard library knows.
    const LOCK_VIOLATION: i32 = 33;
    error.raw_os_error() == Some(LOCK_VIOLATION)
}
