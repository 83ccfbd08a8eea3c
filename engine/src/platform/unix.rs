//! Processes on Unix: a step's processes are a session of their own, so that they can be found and ended
//! together, and none of them can stop and wait at the operator's terminal.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::LazyLock;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{Signal, kill, killpg};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::{Pid, Uid, User, geteuid, getpgid, getpgrp, getsid};
use process_wrap::tokio::{ChildWrapper, CommandWrap, ProcessSession};

use super::private::Owner;
use super::process::{self, Exit, Launch, Pipes, table};
use super::session::Session;

/// A child process, which leads a session.
#[derive(Debug)]
pub(super) enum Child {
    Session(Session),
    /// Started by way of the standard library, which can do more, and takes longer.
    Wrapped {
        child: Box<dyn ChildWrapper>,
        pid: u32,
    },
}

impl Child {
    pub(super) fn spawn(launch: &Launch) -> io::Result<(Self, Pipes)> {
        if Session::is_possible(launch) {
            let (session, pipes) = Session::spawn(launch)?;
            return Ok((Self::Session(session), pipes));
        }
        let mut child = CommandWrap::from(process::command(launch))
            .wrap(ProcessSession)
            .spawn()?;
        let pid = child.id().unwrap_or_default();
        let pipes = Pipes::of(child.stdin().take(), child.stdout().take(), child.stderr().take());
        let mut child = Self::Wrapped { child, pid };
        match pipes {
            Ok(pipes) => Ok((child, pipes)),
            Err(error) => {
                child.kill();
                Err(error)
            }
        }
    }

    /// Its number, and that of its group.
    pub(super) fn id(&self) -> u32 {
        match self {
            Self::Session(session) => session.id(),
            Self::Wrapped { pid, .. } => *pid,
        }
    }

    /// Waits until it has ended; what it started may still be there.
    pub(super) async fn wait(&mut self) -> io::Result<Exit> {
        match self {
            Self::Session(session) => session.wait().await,
            Self::Wrapped { child, .. } => child.inner_mut().wait().await.map(exit),
        }
    }

    /// The living members of its group.
    pub(super) async fn members(&self) -> Vec<u32> {
        table::members(self.id()).await
    }

    /// Waits until its group has no living member.
    pub(super) async fn until_empty(&self) {
        table::until_empty(self.id()).await;
    }

    /// Asks it and its group to end.
    pub(super) fn ask_to_end(&mut self) {
        ask_to_end(self.id());
    }

    /// Kills its group, also those of its members who made groups of their own, until none is left.
    pub(super) async fn kill_members(&self, within: Duration) {
        table::kill_members(self.id(), within).await;
    }

    /// Ends it and its group.
    pub(super) fn kill(&mut self) {
        match self {
            Self::Session(session) => kill_group(session.id()),
            // An error means that nobody is left in the group: that is what was wanted.
            Self::Wrapped { child, .. } => drop(child.start_kill()),
        }
    }
}

/// See [`open_files`](super::limit::open_files). Programs that steps start inherit the limit, so it is raised no
/// further than it must be.
pub(super) fn open_files(wanted: u64) -> u64 {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else {
        return wanted;
    };
    let raised = wanted.min(hard);
    if soft < raised && setrlimit(Resource::RLIMIT_NOFILE, raised, hard).is_ok() {
        raised
    } else {
        soft
    }
}

/// See [`open_files_allowed`](super::limit::open_files_allowed).
pub(super) fn open_files_allowed() -> Option<(u64, u64)> {
    getrlimit(Resource::RLIMIT_NOFILE).ok()
}

/// See [`own_folder_variable`](super::account::own_folder_variable): there are several, for each kind of thing.
pub(super) const OWN_FOLDER: Option<&str> = None;

/// See [`name`](super::account::name).
pub(super) fn account_name() -> io::Result<String> {
    match User::from_uid(geteuid())? {
        Some(user) => Ok(user.name),
        None => Err(io::Error::new(io::ErrorKind::NotFound, "the account has no name")),
    }
}

/// See [`code_page`](super::printed::code_page).
pub(super) fn code_page() -> Option<u16> {
    None
}

/// See [`uptime`](super::uptime::now).
pub(super) fn uptime() -> Duration {
    // Linux has one clock that stands still while the machine sleeps, and one that does not.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let clock = ClockId::CLOCK_BOOTTIME;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let clock = ClockId::CLOCK_MONOTONIC;
    clock_gettime(clock).map(Duration::from).unwrap_or_default()
}

/// Whose something is that belongs to the account of this number.
pub(super) fn owner(uid: u32) -> Owner {
    let uid = Uid::from_raw(uid);
    if uid == geteuid() {
        return Owner::Us;
    }
    let name = User::from_uid(uid).ok().flatten().map(|user| user.name);
    let name = name.map_or_else(|| format!("account {uid}"), |name| format!("`{name}`"));
    if uid.is_root() {
        Owner::System(name)
    } else {
        Owner::Other(name)
    }
}

/// The best place for files that must not reach a disk: a folder in memory that is the account's own, else one in
/// memory at all.
pub(super) fn volatile_folder() -> PathBuf {
    let own = PathBuf::from(format!("/run/user/{}", geteuid()));
    if super::private::owner(&own).is_ok_and(|owner| owner == Owner::Us) {
        return own;
    }
    let shared = PathBuf::from("/dev/shm");
    if shared.is_dir() {
        shared
    } else {
        tempfile::env::temp_dir()
    }
}

/// See [`release`](super::lock::release).
pub(super) fn is_unlocked(_error: &io::Error) -> bool {
    false
}

/// See [`patiently`](super::files::patiently): nobody keeps a name here.
pub(super) fn is_in_use(_error: &io::Error) -> bool {
    false
}

/// Lets a folder seem to have been changed last at another time.
#[cfg(test)]
pub(super) fn set_modified(folder: &Path, time: std::time::SystemTime) -> io::Result<()> {
    std::fs::OpenOptions::new()
        .read(true)
        .open(folder)?
        .set_modified(time)
}

/// Removes the file of a lock, and then the lock.
pub(super) fn remove_lock<L>(path: &Path, lock: L) -> io::Result<()> {
    std::fs::remove_file(path)?;
    drop(lock);
    Ok(())
}

/// How a process ended.
fn exit(status: ExitStatus) -> Exit {
    match (status.code(), status.signal()) {
        (Some(code), _) => Exit::Code(code),
        (None, Some(number)) => {
            let name =
                Signal::try_from(number).map_or_else(|_| number.to_string(), |signal| signal.to_string());
            Exit::Signal(name)
        }
        (None, None) => Exit::Signal("unknown".to_owned()),
    }
}

/// Whether a process belongs to the group of `leader`, also after the leader has ended.
pub(super) fn belongs_to(process: &sysinfo::Process, leader: u32, _all: &sysinfo::System) -> bool {
    process
        .session_id()
        .is_some_and(|session| session.as_u32() == leader)
}

/// Whether a process is one that draws the console of others: none does here.
pub(super) fn is_console(_process: &sysinfo::Process) -> bool {
    false
}

/// How many numbers are tried one by one, before the list of all processes is read instead.
const FEW: u32 = 1_000;

/// Whether a process may belong to the group of `leader`. It looks at numbers alone, which costs microseconds
/// where reading what the system knows of every process costs milliseconds; each step that ends asks for it.
pub(super) fn may_have_members(leader: u32) -> bool {
    if raw(leader).is_none() {
        return false;
    }
    // Linux counts up: whatever the leader has started has a number between its own and the newest, unless the
    // count has begun again since.
    let newest = newest().filter(|newest| newest.checked_sub(leader).is_some_and(|more| more < FEW));
    match newest {
        Some(newest) => (leader..=newest).any(|pid| may_belong(pid, leader)),
        // Where the numbers cannot be told, only the list of processes can tell.
        None => numbers().is_none_or(|all| all.into_iter().any(|pid| may_belong(pid, leader))),
    }
}

fn may_belong(pid: u32, leader: u32) -> bool {
    match raw(pid).map(|pid| getsid(Some(pid))) {
        Some(Ok(session)) => Some(session) == raw(leader),
        Some(Err(Errno::ESRCH)) | None => false,
        Some(Err(_)) => true,
    }
}

/// The number of the process that was started last, where the system tells.
#[expect(clippy::disallowed_methods, reason = "the system tells it by a file")]
fn newest() -> Option<u32> {
    const LOAD: &str = "/proc/loadavg";
    // In some containers another program answers in the place of the system, and counts otherwise.
    static IS_OURS: LazyLock<bool> = LazyLock::new(|| {
        let device = |path| std::fs::metadata(path).map(|found| found.dev()).ok();
        device(LOAD) == device("/proc")
    });
    let load = IS_OURS.then(|| std::fs::read_to_string(LOAD).ok())??;
    load.split_ascii_whitespace().last()?.parse().ok()
}

/// The numbers of all processes, where the system tells.
fn numbers() -> Option<Vec<u32>> {
    let mut numbers = Vec::new();
    for one in std::fs::read_dir("/proc").ok()? {
        numbers.extend(
            one.ok()?
                .file_name()
                .to_str()
                .and_then(|name| name.parse::<u32>().ok()),
        );
    }
    (!numbers.is_empty()).then_some(numbers)
}

/// The leader of the group that a process belongs to; none where that is our own, or cannot be told.
pub(super) fn leader_of(pid: u32) -> Option<u32> {
    let ours = getsid(None).ok()?;
    let session = getsid(Some(raw(pid)?)).ok()?;
    if session == ours {
        None
    } else {
        u32::try_from(session.as_raw()).ok()
    }
}

/// Asks a whole group to end.
pub(super) fn ask_to_end(leader: u32) {
    signal_group(leader, Signal::SIGTERM);
    // A stopped process does not see the request until it goes on.
    signal_group(leader, Signal::SIGCONT);
}

/// Ends a whole group at once.
pub(super) fn kill_group(leader: u32) {
    signal_group(leader, Signal::SIGKILL);
}

/// Asks a single process, and the group within its session that it may lead, to end.
pub(super) fn ask_one_to_end(pid: u32) {
    signal_one(pid, Signal::SIGTERM);
    signal_one(pid, Signal::SIGCONT);
}

/// Ends a single process at once.
pub(super) fn kill_one(pid: u32) {
    signal_one(pid, Signal::SIGKILL);
}

// A signal to a process that is gone is no error: that is what was wanted.

fn signal_group(leader: u32, signal: Signal) {
    if let Some(group) = raw(leader)
        && group != getpgrp()
    {
        let _ = killpg(group, signal);
    }
}

fn signal_one(pid: u32, signal: Signal) {
    let Some(pid) = raw(pid) else { return };
    let leads_group = getpgid(Some(pid)) == Ok(pid) && pid != getpgrp();
    let _ = if leads_group {
        killpg(pid, signal)
    } else {
        kill(pid, signal)
    };
}

/// Numbers 0 and 1 mean "my own group" and the system's first process: never a target.
fn raw(pid: u32) -> Option<Pid> {
    i32::try_from(pid).ok().filter(|&pid| pid > 1).map(Pid::from_raw)
}

/// See [`disk_of`](super::disk::disk_of): the free bytes, and the name of the file system.
#[expect(
    clippy::disallowed_methods,
    reason = "the system tells what is mounted in a file"
)]
pub(super) fn disk(folder: &Path) -> io::Result<(u64, Option<String>)> {
    let room = nix::sys::statvfs::statvfs(folder)?;
    let free = room.blocks_available().saturating_mul(room.fragment_size());
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    Ok((free, file_system(&mounts, folder)))
}

/// The name of the file system that a folder is on, from the list of what is mounted.
fn file_system(mounts: &str, folder: &Path) -> Option<String> {
    // 36 35 98:0 /root /mount/point options optional... - type source options
    let mounts = mounts.lines().filter_map(|line| {
        let (place, kind) = line.split_once(" - ")?;
        let point = place.split(' ').nth(4)?;
        let point = point.replace(r"\040", " ").replace(r"\134", r"\");
        folder
            .starts_with(&point)
            .then(|| (point.len(), kind.split(' ').next()))
    });
    // Of two at one place, the later one hides the other.
    let (_, kind) = mounts.max_by_key(|(length, _)| *length)?;
    kind.map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_system_is_that_of_the_nearest_mount() {
        let mounts = "\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
40 22 0:40 / /srv rw - nfs4 server:/srv rw
41 40 0:41 / /srv/my\\040disk rw - xfs /dev/sdb rw
42 40 0:42 / /srv rw - cifs //server/srv rw
";
        let system = |folder: &str| file_system(mounts, Path::new(folder));
        assert_eq!(system("/home/kim").as_deref(), Some("ext4"));
        assert_eq!(system("/srv/state").as_deref(), Some("cifs"));
        assert_eq!(system("/srv/my disk/state").as_deref(), Some("xfs"));
        assert_eq!(file_system("", Path::new("/")), None);
    }
}
