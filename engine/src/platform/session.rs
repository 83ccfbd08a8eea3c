//! Programs on Unix, each started as the leader of a session of its own. The system does it without copying the
//! engine's memory map first, as a `fork` would: that copy takes longer than many a program.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString, OsStr, OsString};
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStringExt as _;
use std::sync::LazyLock;

use nix::errno::Errno;
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawnp};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use tokio::process::{ChildStderr, ChildStdin, ChildStdout};
use tokio::signal::unix::{self, SignalKind};

use super::process::{Exit, Launch, Pipes, withheld};

/// `POSIX_SPAWN_SETSID`, which nix does not name.
const SETSID: i32 = if cfg!(target_vendor = "apple") {
    0x400
} else {
    0x80
};

/// A child that leads a session.
#[derive(Debug)]
pub(super) struct Session {
    pid: Pid,
    /// How it ended; from then on its number may be another's.
    exit: Option<Exit>,
    /// Some child has ended, or was stopped.
    changes: unix::Signal,
}

impl Session {
    /// Whether a program can be started so: in the engine's own folder, and looked up in its own `PATH`.
    pub(super) fn is_possible(launch: &Launch) -> bool {
        launch.cwd.is_none() && !launch.env.contains_key("PATH")
    }

    /// Starts a program.
    pub(super) fn spawn(launch: &Launch) -> io::Result<(Self, Pipes)> {
        let changes = unix::signal(SignalKind::child())?;
        let (stdin, to_stdin) = io::pipe()?;
        let (from_stdout, stdout) = io::pipe()?;
        let (from_stderr, stderr) = io::pipe()?;
        let mut ends = PosixSpawnFileActions::init()?;
        ends.add_dup2(stdin.as_raw_fd(), 0)?;
        ends.add_dup2(stdout.as_raw_fd(), 1)?;
        ends.add_dup2(stderr.as_raw_fd(), 2)?;
        let program = text(&launch.program)?;
        let args = std::iter::once(&launch.program).chain(&launch.args);
        let args: Vec<CString> = args.map(text).collect::<io::Result<_>>()?;
        let added = added(&launch.env)?;
        // Before there is a child: nobody would end one whose pipes cannot be followed.
        let pipes = Pipes {
            stdin: ChildStdin::from_std(OwnedFd::from(to_stdin).into())?,
            stdout: ChildStdout::from_std(OwnedFd::from(from_stdout).into())?,
            stderr: ChildStderr::from_std(OwnedFd::from(from_stderr).into())?,
        };
        let pid = posix_spawnp(&program, &ends, &attributes()?, &args, &environment(&added))?;
        let session = Self {
            pid,
            exit: None,
            changes,
        };
        Ok((session, pipes))
    }

    pub(super) fn id(&self) -> u32 {
        self.pid.as_raw().unsigned_abs()
    }

    /// Waits until the child has ended, and tells how.
    pub(super) async fn wait(&mut self) -> io::Result<Exit> {
        loop {
            if let Some(exit) = self.look()? {
                return Ok(exit);
            }
            if self.changes.recv().await.is_none() {
                return Err(io::Error::other("the system tells of no more children"));
            }
        }
    }

    fn look(&mut self) -> io::Result<Option<Exit>> {
        if self.exit.is_none() {
            self.exit = match waitpid(self.pid, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::Exited(_, code)) => Some(Exit::Code(code)),
                Ok(WaitStatus::Signaled(_, signal, _)) => Some(Exit::Signal(signal.to_string())),
                // It was ended by a signal that has no name.
                Err(Errno::EINVAL) => Some(Exit::Signal("unknown".to_owned())),
                Ok(_) | Err(Errno::EINTR) => None,
                Err(error) => return Err(error.into()),
            };
        }
        Ok(self.exit.clone())
    }
}

impl Drop for Session {
    /// One that has just been killed is collected, if it is gone already.
    fn drop(&mut self) {
        let _exit = self.look();
    }
}

/// A session of its own, and signals as programs expect them: none blocked, and a pipe that breaks ends them.
fn attributes() -> io::Result<PosixSpawnAttr> {
    let mut attributes = PosixSpawnAttr::init()?;
    let session = PosixSpawnFlags::from_bits_retain(SETSID);
    let signals = PosixSpawnFlags::POSIX_SPAWN_SETSIGDEF | PosixSpawnFlags::POSIX_SPAWN_SETSIGMASK;
    attributes.set_flags(session | signals)?;
    attributes.set_sigmask(&SigSet::empty())?;
    let mut pipe = SigSet::empty();
    pipe.add(Signal::SIGPIPE);
    attributes.set_sigdefault(&pipe)?;
    Ok(attributes)
}

/// The engine's own environment, as programs get it: each variable by its name, without what is withheld.
static ENVIRONMENT: LazyLock<BTreeMap<OsString, CString>> = LazyLock::new(|| {
    let given = std::env::vars_os().filter(|(name, _)| !withheld().contains(name));
    // What the system gave holds no NUL.
    given
        .filter_map(|(name, value)| Some((name.clone(), variable(name, value).ok()?)))
        .collect()
});

/// Variables that are added, by their names.
fn added(added: &BTreeMap<String, String>) -> io::Result<BTreeMap<&OsStr, CString>> {
    let added = added
        .iter()
        .map(|(name, value)| Ok((OsStr::new(name), variable(name.into(), value.into())?)));
    added.collect()
}

/// The engine's own environment with what is added.
fn environment<'a>(added: &'a BTreeMap<&OsStr, CString>) -> Vec<&'a CStr> {
    let own = ENVIRONMENT
        .iter()
        .filter(|(name, _)| !added.contains_key(name.as_os_str()));
    let own = own.map(|(_, variable)| variable.as_c_str());
    own.chain(added.values().map(CString::as_c_str)).collect()
}

fn variable(mut name: OsString, value: OsString) -> io::Result<CString> {
    name.push("=");
    name.push(value);
    text(name)
}

fn text(text: impl Into<OsString>) -> io::Result<CString> {
    CString::new(text.into().into_vec()).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))
}
