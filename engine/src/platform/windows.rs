//! Processes on Windows: a step's processes are in a job object that ends with the engine.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use process_wrap::tokio::{ChildWrapper, JobObject, KillOnDrop};
use sysinfo::{Pid, ProcessesToUpdate, System};

use super::process::{self, Exit, Launch, Pipes};

/// A child process and its job.
#[derive(Debug)]
pub(super) struct Child(Box<dyn ChildWrapper>);

impl Child {
    pub(super) fn spawn(launch: &Launch) -> io::Result<(Self, Pipes)> {
        // With `KillOnDrop`, the job ends when its last handle is closed: also when the engine dies.
        let (child, pipes) = process::wrapped(launch, |command| {
            command.wrap(KillOnDrop).wrap(JobObject);
        })?;
        Ok((Self(child), pipes))
    }

    /// Its number.
    pub(super) fn id(&self) -> u32 {
        self.0.id().unwrap_or_default()
    }

    /// Waits until it has ended; what it started may still be there.
    pub(super) async fn wait(&mut self) -> io::Result<Exit> {
        self.0.inner_mut().wait().await.map(exit)
    }

    /// Ends it and its job.
    pub(super) fn kill(&mut self) {
        // An error means that nobody is left in the job: that is what was wanted.
        drop(self.0.start_kill());
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
    let folder = folder.to_string_lossy();
    let folder = Path::new(folder.strip_prefix(r"\\?\").unwrap_or(&folder));
    let disks = sysinfo::Disks::new_with_refreshed_list();
    let found = disks
        .iter()
        .filter(|disk| folder.starts_with(disk.mount_point()))
        .max_by_key(|disk| disk.mount_point().as_os_str().len())
        .ok_or_else(|| io::Error::other("the system does not name the disk"))?;
    let system = found.file_system().to_string_lossy().into_owned();
    Ok((found.available_space(), Some(system)))
}
