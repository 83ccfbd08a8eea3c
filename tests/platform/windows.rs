//! Consoles, rights and processes of Windows.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::Duration;

use expectrl::session::OsSession;
use tempfile::TempDir;

use super::console;
use crate::support::{helper, until};

/// The file in which the helper says which process the program is.
const PID: &str = "pid";

/// Whether what a step has started goes on when the engine is killed.
pub(crate) const OUTLIVES: bool = false;

/// Long enough for a step's programs to start, and not to be waited for longer than that.
pub(crate) const WHILE: &str = "5s";

/// How long what must come is waited for, on a machine that has much else to do.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// The PowerShell for this system, where there are those for several.
pub(crate) const PWSH: &str = "win-x64/pwsh.exe";

/// Where programs of Windows are carried out on another system, its programs are no servers for them.
pub(crate) const SSHD: Option<&str> = None;

/// A folder's name that says as much to YAML as one can here.
pub(crate) const ODD_NAME: &str = "a # b's {c}";

/// Lets nobody but its owner read a file.
pub(crate) fn keep_to_owner(file: &Path) {
    // wine heeds the rights with which a file is made, and not all that it is given later.
    let text = std::fs::read(file).unwrap();
    std::fs::remove_file(file).unwrap();
    let mut file = runbook_engine::platform::private::open_file(file).unwrap();
    file.write_all(&text).unwrap();
}

/// Lets every account read a file, and change it too.
pub(crate) fn open_to_all(file: &Path) {
    runbook_win32::security::set(file, "D:P(A;;FA;;;WD)").unwrap();
}

/// Lets every account read a file, and its owner alone change it.
pub(crate) fn let_all_read(file: &Path) {
    let us = runbook_win32::account::user().unwrap();
    runbook_win32::security::set(file, &format!("D:P(A;;FA;;;{us})(A;;FR;;;WD)")).unwrap();
}

/// Lets the accounts of its group read a file besides its owner; says whether there is such a thing here.
pub(crate) fn let_group_read(_file: &Path) -> bool {
    false
}

/// Makes a script a program: the end of its name does so here.
pub(crate) fn make_executable(_file: &Path) {}

/// How the command begins that people are told when others can read what they must not.
pub(crate) const HOW_TO_CLOSE: &str = "icacls \"token.txt\" /inheritance:r /grant:r ";

/// Whether nobody but its owner can read a file: programs that collect what it says run as the system.
pub(crate) fn is_for_owner_and_group(file: &Path) -> bool {
    is_private(file)
}

/// The number and the arguments of every process.
pub(crate) fn arguments() -> Vec<(String, Vec<u8>)> {
    use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind};
    let mut system = System::new().unwrap();
    let what = ProcessRefreshKind::nothing().with_cmd(UpdateKind::Always);
    system.refresh_processes_specifics(ProcessesToUpdate::All, true, what);
    let told = system.processes().values().map(|process| {
        let words: Vec<String> = process
            .cmd()
            .iter()
            .map(|word| word.to_string_lossy().into_owned())
            .collect();
        (process.pid().to_string(), words.join(" ").into_bytes())
    });
    told.collect()
}

/// Whether nobody but its owner can read a file, or enter a folder.
pub(crate) fn is_private(path: &Path) -> bool {
    runbook_engine::platform::private::is_private(path).unwrap()
}

/// Ends a process as a power cut would: no handler runs.
#[track_caller]
pub(crate) fn end(pid: u32) {
    let job = runbook_win32::job::Job::new().unwrap();
    job.add(pid).unwrap();
    job.end().unwrap();
}

/// A way in to whoever holds a run.
pub(crate) type Door = File;

/// The way in to whoever holds the run whose folder that is.
pub(crate) fn door(folder: &Path) -> Door {
    /// All that the pipe has room for are there; it makes more room at once.
    const BUSY: i32 = 231;
    let name = std::fs::read_to_string(folder.join("door")).unwrap();
    let pipe = format!(r"\\.\pipe\{}", name.trim());
    let mut door = None;
    until("there is room", || {
        match OpenOptions::new().read(true).write(true).open(&pipe) {
            Err(error) if error.raw_os_error() == Some(BUSY) => false,
            opened => {
                door = Some(opened.unwrap());
                true
            }
        }
    });
    door.unwrap()
}

/// Lets who holds it see that nothing more comes; says whether there is such a thing here.
pub(crate) fn says_no_more(_door: &Door) -> bool {
    false
}

/// A path as the program tells it.
pub(crate) fn whole(path: &Path) -> PathBuf {
    path.to_owned()
}

/// Makes a link, where the system lets us.
pub(crate) fn link(to: &Path, at: &Path) -> io::Result<()> {
    std::os::windows::fs::symlink_file(to, at)?;
    // wine says yes and makes none.
    at.symlink_metadata().map(drop)
}

/// A program at a console of its own.
pub(crate) struct Seat {
    /// None once the program has ended, and its console with it.
    session: Option<OsSession>,
    code: i32,
    written: Receiver<Vec<u8>>,
    /// What of a sequence has come so far.
    begun: Vec<u8>,
    /// Where the helper says which process the program is.
    about: TempDir,
}

impl Seat {
    pub(crate) fn take(program: &Command, columns: u16, rows: u16) -> Self {
        let mut command = Command::new(quoted(helper::program().as_os_str()));
        let size = [columns, rows].map(|number| number.to_string());
        let about = TempDir::new().unwrap();
        command.args(["at-console", &size[0], &size[1]]);
        command.arg(quoted(about.path().join(PID).as_os_str()));
        command.arg(quoted(program.get_program()));
        command.args(program.get_args().map(quoted));
        if let Some(folder) = program.get_current_dir() {
            command.current_dir(folder);
        }
        // Whoever names one variable must name all.
        command.envs(std::env::vars_os());
        command.envs(
            program
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        );
        let session = OsSession::spawn(command).unwrap();
        let mut from = session.get_stream().try_clone().unwrap();
        let (to, written) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(count @ 1..) = from.read(&mut buffer) {
                if to.send(buffer[..count].to_owned()).is_err() {
                    return;
                }
            }
        });
        Self {
            session: Some(session),
            code: -1,
            written,
            begun: Vec::new(),
            about,
        }
    }

    pub(crate) fn resize(&mut self, columns: u16, rows: u16) {
        let session = self.session.as_mut().unwrap();
        let size = [columns, rows].map(|number| i16::try_from(number).unwrap());
        session.get_process_mut().resize(size[0], size[1]).unwrap();
    }

    /// What was written since; none where that was nothing. An empty piece is the end.
    pub(crate) fn read(&mut self) -> Option<Vec<u8>> {
        match self.written.try_recv() {
            Ok(bytes) => Some(self.without_cursor(&bytes)),
            Err(TryRecvError::Disconnected) => Some(Vec::new()),
            Err(TryRecvError::Empty) => {
                self.leave_if_over();
                None
            }
        }
    }

    /// A console lasts until it is closed, whatever becomes of the programs at it; what they wrote comes first.
    fn leave_if_over(&mut self) {
        if let Some(session) = self.session.take_if(|session| !session.get_process().is_alive()) {
            let code = session.get_process().wait(None).unwrap();
            self.code = code.cast_signed();
        }
    }

    /// Leaves out what shows and hides the cursor: wine's console does so between any two writes, in the middle of what
    /// the program wrote, too.
    fn without_cursor(&mut self, bytes: &[u8]) -> Vec<u8> {
        const SEQUENCES: [&[u8]; 2] = [b"\x1b[?25h", b"\x1b[?25l"];
        let mut kept = Vec::new();
        for &byte in bytes {
            self.begun.push(byte);
            while !SEQUENCES.iter().any(|sequence| sequence.starts_with(&self.begun)) {
                kept.push(self.begun.remove(0));
            }
            if SEQUENCES.contains(&self.begun.as_slice()) {
                self.begun.clear();
            }
        }
        kept
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let session = self.session.as_mut().unwrap();
        session.write_all(bytes)?;
        session.flush()
    }

    /// Presses Ctrl-Break. No byte that is typed says that.
    pub(crate) fn breaks(&self) {
        std::fs::write(self.about.path().join(PID).with_extension(console::BREAK), "").unwrap();
    }

    /// Closes the window: its console, and with it, after a while, whatever runs there.
    pub(crate) fn closes(mut self) {
        drop(self.session.take());
    }

    pub(crate) fn pid(&self) -> u32 {
        let mut pid = None;
        until("the program is started", || {
            let said = std::fs::read_to_string(self.about.path().join(PID));
            pid = said.ok().and_then(|said| said.parse().ok());
            pid.is_some()
        });
        pid.unwrap()
    }

    /// The exit code, once it has ended.
    pub(crate) fn code(&mut self) -> i32 {
        self.code
    }
}

/// An argument as most programs of Windows read it.
fn quoted(argument: &OsStr) -> String {
    let argument = argument.to_str().unwrap();
    if !argument.is_empty() && !argument.contains([' ', '\t', '"', '\n']) {
        return argument.to_owned();
    }
    let mut text = "\"".to_owned();
    let mut backslashes = 0;
    for letter in argument.chars() {
        match letter {
            '\\' => backslashes += 1,
            '"' => {
                text += &"\\".repeat(2 * backslashes + 1);
                backslashes = 0;
            }
            _ => {
                text += &"\\".repeat(backslashes);
                backslashes = 0;
            }
        }
        if letter != '\\' {
            text.push(letter);
        }
    }
    text += &"\\".repeat(2 * backslashes);
    text + "\""
}
