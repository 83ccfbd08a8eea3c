//! Processes on Windows: a step's processes are in a job object that ends with the engine.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use runbook_win32::account;
use runbook_win32::job::{self, Job};
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

use super::launch;
use super::process::{Exit, Launch, Pipes, table};

/// A console of its own, which nobody sees: keys that are typed at ours, and its end, are not for the step's programs,
/// and none of them can wait at it.
const NO_WINDOW: u32 = 0x0800_0000;

/// The job of this process and of all that it starts: what was started and is not in a job of its own yet, because this
/// process was killed meanwhile, ends with it too. Before Windows 8 no job was in another; there it is done without.
static OURS: LazyLock<Option<Job>> = LazyLock::new(|| {
    let job = Job::new().and_then(|job| job.add(std::process::id()).map(|()| job));
    job.inspect_err(|error| tracing::debug!(%error, "this process is in no job of its own"))
        .ok()
});

/// A child process and its job. The job has no other handle, so that it ends with the engine, however that ends.
#[derive(Debug)]
pub(super) struct Child {
    child: tokio::process::Child,
    pid: u32,
    job: Job,
}

impl Child {
    pub(super) fn spawn(launch: &Launch) -> io::Result<(Self, Pipes)> {
        LazyLock::force(&OURS);
        let job = Job::new()?;
        let mut command = launch::command(launch)?;
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
        without_consoles(self.job.processes().unwrap_or_default())
    }
}

/// Whether a process is one that draws the console of others, and ends with them: nobody's program has started it.
pub(super) fn is_console(process: &sysinfo::Process) -> bool {
    process.name().eq_ignore_ascii_case("conhost.exe")
}

fn without_consoles(mut pids: Vec<u32>) -> Vec<u32> {
    let Some(mut system) = (!pids.is_empty()).then(System::new).and_then(Result::ok) else {
        return pids;
    };
    let listed: Vec<Pid> = pids.iter().copied().map(Pid::from_u32).collect();
    let nothing_more = ProcessRefreshKind::nothing();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&listed), true, nothing_more);
    pids.retain(|&pid| {
        let process = system.process(Pid::from_u32(pid));
        process.is_none_or(|process| !is_console(process))
    });
    pids
}

/// See [`open_files`](super::limit::open_files).
pub(super) fn open_files(wanted: u64) -> u64 {
    wanted
}

/// See [`open_files_allowed`](super::limit::open_files_allowed).
pub(super) fn open_files_allowed() -> Option<(u64, u64)> {
    None
}

/// See [`own_folder_variable`](super::account::own_folder_variable).
pub(super) const OWN_FOLDER: Option<&str> = Some("LOCALAPPDATA");

/// See [`name`](super::account::name).
pub(super) fn account_name() -> io::Result<String> {
    account::name(&account::user()?)
}

/// See [`code_page`](super::printed::code_page).
pub(super) fn code_page() -> Option<u16> {
    runbook_win32::locale::code_page()
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

/// Whether a process is `leader`, or was started by it or by what it started. Its job does not show in the list of
/// processes, and its handle was that of an engine which is gone.
pub(super) fn belongs_to(process: &sysinfo::Process, leader: u32, all: &System) -> bool {
    const DEEPEST: usize = 64;
    let mut at = process;
    for _ in 0..DEEPEST {
        if at.pid().as_u32() == leader {
            return true;
        }
        let Some(parent) = at.parent() else { return false };
        match all.process(parent) {
            None => return parent.as_u32() == leader,
            // The number was given anew since: the parent is gone.
            Some(above) if above.start_time() > at.start_time() => return false,
            Some(above) => at = above,
        }
    }
    false
}

/// Whether a process may belong to the group of `leader`: see [`belongs_to`].
pub(super) fn may_have_members(_leader: u32) -> bool {
    true
}

/// The leader of the group that a process of an engine which is gone belongs to: itself.
#[expect(clippy::unnecessary_wraps, reason = "on other systems it may belong to none")]
pub(super) fn leader_of(pid: u32) -> Option<u32> {
    Some(pid)
}

/// There is no way to ask that all programs understand.
pub(super) fn ask_to_end(leader: u32) {
    kill_group(leader);
}

/// Ends a process and all that it has started: in a job, out of which nothing comes that they start meanwhile.
pub(super) fn kill_group(leader: u32) {
    let job = Job::new();
    let mut known = BTreeSet::new();
    loop {
        let members = table::members_now(leader);
        // What it has started may have started us.
        let others = members.into_iter().filter(|&pid| pid != std::process::id());
        let new: Vec<u32> = others.filter(|&pid| known.insert(pid)).collect();
        if new.is_empty() {
            break;
        }
        for pid in new {
            // One that cannot be put into it is ended alone.
            if !job.as_ref().is_ok_and(|job| job.add(pid).is_ok()) {
                kill_one(pid);
            }
        }
    }
    // Nobody is left in a job that cannot be ended.
    job.and_then(|job| job.end()).ok();
}

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

/// See [`patiently`](super::files::patiently). That access is denied is also said of a name that goes once its last
/// reader has closed the file.
pub(super) fn is_in_use(error: &io::Error) -> bool {
    const ACCESS_DENIED: i32 = 5;
    const SHARING_VIOLATION: i32 = 32;
    const LOCK_VIOLATION: i32 = 33;
    const DIRECTORY_NOT_EMPTY: i32 = 145;
    const DELETE_PENDING: i32 = 303;
    const IN_USE: [i32; 5] = [
        ACCESS_DENIED,
        SHARING_VIOLATION,
        LOCK_VIOLATION,
        DIRECTORY_NOT_EMPTY,
        DELETE_PENDING,
    ];
    error.raw_os_error().is_some_and(|code| IN_USE.contains(&code))
}

/// Lets a folder seem to have been changed last at another time.
#[cfg(test)]
pub(super) fn set_modified(folder: &Path, time: std::time::SystemTime) -> io::Result<()> {
    use std::os::windows::fs::OpenOptionsExt as _;
    /// Without it, folders cannot be opened.
    const BACKUP_SEMANTICS: u32 = 0x0200_0000;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).custom_flags(BACKUP_SEMANTICS);
    options.open(folder)?.set_modified(time)
}

/// Removes the file of a lock, once that is released: an open file keeps its name. Whoever has it open by then keeps it.
pub(super) fn remove_lock<L>(path: &Path, lock: L) -> io::Result<()> {
    drop(lock);
    super::files::remove_file(path)
}

/// See [`release`](super::lock::release).
pub(super) fn is_unlocked(error: &io::Error) -> bool {
    /// What wine says of a file that is not locked; Windows has another word, which the standard library knows.
    const LOCK_VIOLATION: i32 = 33;
    error.raw_os_error() == Some(LOCK_VIOLATION)
}
