//! Child processes: started in a group of their own, ended together, and found again after a crash.
//!
//! The group of a child is all that it starts, however deep, unless a process leaves it on purpose, as services
//! do. On Unix it is a session, on Windows a job object.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::OnceLock;
use std::time::Duration;

use tokio::process::{ChildStderr, ChildStdin, ChildStdout, Command};

use self::starts::UnderWay;
use super::os;
use crate::core::event::ProcessMark;

pub use self::starts::settle;
pub use self::table::{TOKEN, await_end, end_orphan, is_alive, orphans};

mod starts;
pub(super) mod table;

/// How long processes that were asked to end may take before they are killed.
pub const GRACE: Duration = Duration::from_secs(5);

/// The variables of this process that no program which it starts inherits.
static WITHHELD: OnceLock<Vec<OsString>> = OnceLock::new();

/// From now on, no program that is started inherits these variables. Only the first call counts.
pub fn withhold(variables: Vec<OsString>) {
    // There is one environment, and it does not change.
    WITHHELD.get_or_init(|| variables);
}

/// What is [withheld](withhold).
pub(super) fn withheld() -> &'static [OsString] {
    WITHHELD.get().map_or(&[], Vec::as_slice)
}

/// What to start.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The program: a path, or a name that is looked up in `PATH`.
    pub program: String,
    /// Its arguments, which reach it as they are.
    pub args: Vec<String>,
    /// Variables added to the engine's own environment, which it gets without what is [withheld](withhold).
    pub env: BTreeMap<String, String>,
    /// The folder in which it works; the engine's own where there is none.
    pub cwd: Option<PathBuf>,
}

/// The ends of a child's standard streams.
#[derive(Debug)]
pub struct Pipes {
    /// What the child reads.
    pub stdin: ChildStdin,
    /// What it prints.
    pub stdout: ChildStdout,
    /// What it prints as errors.
    pub stderr: ChildStderr,
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exit {
    /// By itself, with this code.
    Code(i32),
    /// By a signal of this name.
    Signal(String),
}

/// A child process and all that it starts. Dropped before its end was awaited, it is killed.
#[derive(Debug)]
pub struct Group {
    child: os::Child,
    pid: u32,
    /// The child itself has ended; what it started may still be there.
    ended: bool,
    over: bool,
    /// As long as this is here, so is it.
    _under_way: UnderWay,
}

impl Group {
    /// Starts a program in a group of its own, while others go on. When this is dropped, it is not started, or ended.
    ///
    /// # Errors
    /// When the system cannot start it: there is no such program or folder, or it must not be carried out.
    pub async fn spawn(launch: Launch) -> io::Result<(Self, Pipes)> {
        starts::start(launch).await
    }

    fn started(launch: &Launch, under_way: UnderWay) -> io::Result<(Self, Pipes)> {
        let (child, pipes) = os::Child::spawn(launch)?;
        let group = Self {
            pid: child.id(),
            child,
            ended: false,
            over: false,
            _under_way: under_way,
        };
        Ok((group, pipes))
    }

    /// What finds the child again, also from another process. The system is asked for it, which takes about as long as
    /// a small program runs; one that has ended needs no finding, and has no starting time.
    #[must_use]
    pub fn mark(&self) -> ProcessMark {
        let started = if self.ended {
            None
        } else {
            table::started(self.pid)
        };
        ProcessMark {
            pid: self.pid,
            started: started.unwrap_or_default(),
        }
    }

    /// Waits until the child itself has ended; what it started may still be there.
    ///
    /// # Errors
    /// When the system cannot tell.
    pub async fn wait(&mut self) -> io::Result<Exit> {
        let exit = self.child.wait().await?;
        self.ended = true;
        Ok(exit)
    }

    /// Asks the whole group to end. On Windows, where programs cannot be asked, it is ended.
    pub fn terminate(&mut self) {
        self.child.ask_to_end();
    }

    /// Ends the whole group at once.
    pub fn kill(&mut self) {
        self.child.kill();
    }

    /// Ends the whole group: asks first, then, after [`GRACE`], kills. Returns how many processes were left
    /// besides the child itself.
    pub async fn end(&mut self) -> usize {
        let left = self
            .child
            .members()
            .await
            .into_iter()
            .filter(|&pid| pid != self.pid)
            .count();
        self.terminate();
        if tokio::time::timeout(GRACE, self.gone()).await.is_err() {
            self.kill();
            self.child.kill_members(GRACE).await;
            // Killed processes end as soon as the system lets them; waiting for ever would help nobody.
            let _ = tokio::time::timeout(GRACE, self.gone()).await;
        }
        self.over = true;
        left
    }

    /// Ends what an ended child left behind in its group; tells how many that were.
    pub async fn end_rest(&mut self) -> usize {
        if self.child.members().await.is_empty() {
            self.over = true;
            return 0;
        }
        self.end().await
    }

    async fn gone(&mut self) {
        // Only an exit that the system cannot tell is an error here; the list of processes decides.
        self.wait().await.ok();
        self.child.until_empty().await;
    }
}

/// How the standard library starts a program.
#[expect(clippy::disallowed_methods, reason = "this is where processes are started")]
pub(super) fn command(launch: &Launch) -> Command {
    let mut command = Command::new(&launch.program);
    for name in withheld() {
        command.env_remove(name);
    }
    command.args(&launch.args).envs(&launch.env);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if let Some(cwd) = &launch.cwd {
        command.current_dir(cwd);
    }
    command
}

impl Pipes {
    /// The ends of the streams of a child that was started by the standard library.
    pub(super) fn of(
        stdin: Option<ChildStdin>,
        stdout: Option<ChildStdout>,
        stderr: Option<ChildStderr>,
    ) -> io::Result<Self> {
        match (stdin, stdout, stderr) {
            (Some(stdin), Some(stdout), Some(stderr)) => Ok(Self {
                stdin,
                stdout,
                stderr,
            }),
            _ => Err(io::Error::other("the child has no pipes")),
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if !self.over {
            self.kill();
        }
    }
}

#[cfg(test)]
mod tests;
