//! Terminals, rights and processes of Unix.

use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use expectrl::process::unix::WaitStatus;
use expectrl::session::OsSession;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Whether what a step has started goes on when the engine is killed.
pub(crate) const OUTLIVES: bool = true;

/// Long enough for a step's programs to start, and not to be waited for longer than that.
pub(crate) const WHILE: &str = "500ms";

/// How long what must come is waited for, on a machine that has much else to do.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// The PowerShell for this system, where there are those for several.
pub(crate) const PWSH: &str = "linux-x64/pwsh";

/// What serves SSH, where it can be installed.
pub(crate) const SSHD: Option<&str> = Some("/usr/sbin/sshd");

/// A folder's name that says much to YAML.
pub(crate) const ODD_NAME: &str = "a: # b's \"c\"";

/// Lets nobody but its owner read a file.
pub(crate) fn keep_to_owner(file: &Path) {
    set_mode(file, 0o600);
}

/// Lets every account read a file, and change it too.
pub(crate) fn open_to_all(file: &Path) {
    set_mode(file, 0o666);
}

/// Lets every account read a file, and its owner alone change it.
pub(crate) fn let_all_read(file: &Path) {
    set_mode(file, 0o644);
}

/// Lets the accounts of its group read a file besides its owner; says whether there is such a thing here.
pub(crate) fn let_group_read(file: &Path) -> bool {
    set_mode(file, 0o640);
    true
}

/// Makes a script a program.
pub(crate) fn make_executable(file: &Path) {
    set_mode(file, 0o755);
}

/// How the command begins that people are told when others can read what they must not.
pub(crate) const HOW_TO_CLOSE: &str = "chmod 600 token.txt";

/// Whether nobody but its owner, and the accounts of its group, can read a file that nobody else changes.
pub(crate) fn is_for_owner_and_group(file: &Path) -> bool {
    mode(file) == 0o640
}

/// The number and the arguments of every process.
pub(crate) fn arguments() -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    entries
        .map(|entry| {
            let arguments = std::fs::read(entry.path().join("cmdline"));
            let number = entry.file_name().into_string().unwrap();
            (number, arguments.unwrap_or_default())
        })
        .collect()
}

/// Whether nobody but its owner can read a file, or enter a folder.
pub(crate) fn is_private(path: &Path) -> bool {
    mode(path).trailing_zeros() >= 6
}

fn set_mode(file: &Path, mode: u32) {
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Ends a process as a power cut would: no handler runs.
#[track_caller]
pub(crate) fn end(pid: u32) {
    kill(Pid::from_raw(pid.cast_signed()), Signal::SIGKILL).unwrap();
}

/// A way in to whoever holds a run.
pub(crate) type Door = UnixStream;

/// The way in to whoever holds the run whose folder that is.
pub(crate) fn door(folder: &Path) -> Door {
    UnixStream::connect(folder.join("door.sock")).unwrap()
}

/// Lets who holds it see that nothing more comes; says whether there is such a thing here.
pub(crate) fn says_no_more(door: &Door) -> bool {
    // It may be gone already.
    let _cut_off = door.shutdown(std::net::Shutdown::Write);
    true
}

/// A path as the program tells it, without links.
pub(crate) fn whole(path: &Path) -> PathBuf {
    path.canonicalize().unwrap()
}

/// Makes a link, where the system lets us.
pub(crate) fn link(to: &Path, at: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(to, at)
}

/// Starts a program once the terminal is as it is to be: its size is given when a process runs at it already. The
/// program takes this shell's place: process, session and signals are its own.
const START: &str = "read -r go && stty echo && exec \"$0\" \"$@\"";

/// A program at a terminal of its own.
pub(crate) struct Seat(OsSession);

impl Seat {
    pub(crate) fn take(program: &Command, columns: u16, rows: u16) -> Self {
        let mut command = Command::new("sh");
        command.args(["-c", START]).arg(program.get_program());
        command.args(program.get_args());
        if let Some(folder) = program.get_current_dir() {
            command.current_dir(folder);
        }
        for (name, value) in program.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let mut session = OsSession::spawn(command).unwrap();
        session.get_process_mut().set_window_size(columns, rows).unwrap();
        // Nothing is echoed yet: expectrl's terminals begin so.
        session.write_all(b"\n").and_then(|()| session.flush()).unwrap();
        Self(session)
    }

    pub(crate) fn resize(&mut self, columns: u16, rows: u16) {
        self.0.get_process_mut().set_window_size(columns, rows).unwrap();
    }

    /// What was written since; none where that was nothing. An empty piece is the end.
    pub(crate) fn read(&mut self) -> Option<Vec<u8>> {
        let mut buffer = vec![0; 8192];
        match self.0.try_read(&mut buffer) {
            Ok(count) => buffer.truncate(count),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return None,
            // A terminal whose program has ended says so by an error.
            Err(_) => buffer.clear(),
        }
        Some(buffer)
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)?;
        self.0.flush()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.0.get_process().pid().as_raw().cast_unsigned()
    }

    /// The exit code, once it has ended.
    pub(crate) fn code(&mut self) -> i32 {
        match self.0.get_process().wait().unwrap() {
            WaitStatus::Exited(_, code) => code,
            _ => -1,
        }
    }
}
