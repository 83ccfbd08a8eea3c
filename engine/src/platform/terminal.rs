//! The terminal that this process is at: whether it shows what is typed, and giving it back for a while (Ctrl-Z).

use std::io;

pub use self::os::{PauseRequests, ask_to_pause, heeds_sequences, is_ours, pause, shows_all_characters};

/// While it lives, the terminal does not show what is typed: it would stand in the middle of what is drawn. What was
/// typed meanwhile is then forgotten, so that it answers no question that its writer had not seen.
#[derive(Debug)]
pub struct Mute(os::Echo);

impl Mute {
    /// Nothing that is typed is shown from now on, where the terminal has such a switch and is ours.
    #[must_use]
    pub fn new() -> Self {
        Self(os::Echo::off())
    }
}

impl Default for Mute {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Mute {
    fn drop(&mut self) {
        self.0.restore();
    }
}

impl PauseRequests {
    /// Listens from now on; such a request no longer stops the process by itself.
    ///
    /// # Errors
    /// When the system does not let the process listen.
    pub fn listen() -> io::Result<Self> {
        Self::register()
    }
}

#[cfg(unix)]
mod os {
    use std::fs::{File, OpenOptions};
    use std::io::{self, Stderr};

    use nix::sys::signal::{Signal, kill, raise};
    use nix::sys::termios::{FlushArg, LocalFlags, SetArg, tcflush, tcgetattr, tcsetattr};
    use nix::unistd::{Pid, getpgrp, getppid, getsid, tcgetpgrp};
    use tokio::signal::unix::{SignalKind, signal};

    /// What the switch was set to before.
    #[derive(Debug)]
    pub(super) enum Echo {
        On,
        Off,
        /// The terminal is not ours.
        Untouched,
    }

    impl Echo {
        pub(super) fn off() -> Self {
            if !is_ours() {
                return Self::Untouched;
            }
            match set(false) {
                Ok(true) => Self::On,
                Ok(false) => Self::Off,
                Err(_) => Self::Untouched,
            }
        }

        pub(super) fn restore(&self) {
            // A terminal that is gone, or another's by now, needs nothing back.
            if matches!(self, Self::Untouched) || !is_ours() {
                return;
            }
            if let Ok(terminal) = terminal() {
                tcflush(&terminal, FlushArg::TCIFLUSH).ok();
            }
            if matches!(self, Self::On) {
                set(true).ok();
            }
        }
    }

    /// The terminal itself, wherever the standard streams go.
    fn terminal() -> io::Result<File> {
        OpenOptions::new().read(true).write(true).open("/dev/tty")
    }

    /// Gives what it was before.
    fn set(on: bool) -> io::Result<bool> {
        let terminal = terminal()?;
        let mut mode = tcgetattr(&terminal)?;
        let was = mode.local_flags.contains(LocalFlags::ECHO);
        mode.local_flags.set(LocalFlags::ECHO, on);
        tcsetattr(&terminal, SetArg::TCSANOW, &mode)?;
        Ok(was)
    }

    /// Whether the terminal shows every character, whatever the locale says.
    #[must_use]
    pub fn shows_all_characters() -> bool {
        false
    }

    /// Whether the terminal that the stream is heeds the sequences that rewrite its lines: each does here, but for one that
    /// says of itself that it is dumb.
    #[must_use]
    pub fn heeds_sequences(_stream: &Stderr) -> bool {
        true
    }

    /// Whether this process is in the foreground: what it draws is looked at, and what is typed is for it.
    #[must_use]
    pub fn is_ours() -> bool {
        terminal().is_ok_and(|terminal| tcgetpgrp(terminal) == Ok(getpgrp()))
    }

    /// The requests to stop for a while that this process gets.
    #[derive(Debug)]
    pub struct PauseRequests(tokio::signal::unix::Signal);

    impl PauseRequests {
        pub(super) fn register() -> io::Result<Self> {
            signal(SignalKind::from_raw(Signal::SIGTSTP as i32)).map(Self)
        }

        /// Waits for the next one.
        pub async fn next(&mut self) {
            if self.0.recv().await.is_none() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Does what Ctrl-Z does in a terminal that heeds it: asks this process, and those it belongs together with.
    pub fn ask_to_pause() {
        // Nobody there is no error.
        kill(Pid::from_raw(0), Signal::SIGTSTP).ok();
    }

    /// Stops this process until it is told to go on. Where nobody could tell it, it does not stop: in a terminal
    /// of its own, without a shell.
    pub fn pause() {
        if has_a_shell() {
            raise(Signal::SIGSTOP).ok();
        }
    }

    /// Whether a process of the same session, but of another group, looks after this one.
    fn has_a_shell() -> bool {
        let session = getsid(None);
        session.is_ok_and(|session| session != getpgrp()) && session == getsid(Some(getppid()))
    }
}

#[cfg(windows)]
mod os {
    use std::io::{self, Stderr};

    /// A console shows what is typed only to a program that reads it.
    #[derive(Debug)]
    pub(super) struct Echo;

    impl Echo {
        pub(super) fn off() -> Self {
            Self
        }

        pub(super) fn restore(&self) {}
    }

    /// Whether the terminal shows every character, whatever the locale says: a console is written to in UTF-16.
    #[must_use]
    pub fn shows_all_characters() -> bool {
        true
    }

    /// Whether the console that the stream is heeds the sequences that rewrite its lines; it is told to, wherever the other
    /// streams go. One before Windows 10 and Server 2016 does not know them.
    #[must_use]
    pub fn heeds_sequences(stream: &Stderr) -> bool {
        runbook_win32::streams::heed_sequences(stream).is_ok()
    }

    /// Whether this process is in the foreground: there are no others here.
    #[must_use]
    pub fn is_ours() -> bool {
        true
    }

    /// The requests to stop for a while: there are none on this system.
    #[derive(Debug)]
    pub struct PauseRequests(());

    impl PauseRequests {
        pub(super) fn register() -> io::Result<Self> {
            Ok(Self(()))
        }

        /// Waits for the next one.
        pub async fn next(&mut self) {
            std::future::pending::<()>().await;
        }
    }

    /// Does nothing on this system.
    pub fn ask_to_pause() {}

    /// Does nothing on this system.
    pub fn pause() {}
}
