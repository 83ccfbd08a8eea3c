//! The program at a terminal: what a person types, and what stands on the screen.

use std::time::{Duration, Instant};

use expectrl::process::unix::WaitStatus;
use expectrl::session::OsSession;

use super::Project;

/// So many rows that nothing scrolls away.
const ROWS: u16 = 300;

/// How long a person waits for what must come, on a machine that has much else to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// Starts a program once the terminal is as it is to be: its size is given when a process runs at it already. The
/// program takes this shell's place: process, session and signals are its own.
const START: &str = "read -r go && stty echo && exec \"$0\" \"$@\"";

/// How a terminal differs from the usual one: 80 columns, and so many rows that nothing scrolls away.
pub(crate) struct Kind<'a> {
    pub(crate) columns: u16,
    pub(crate) rows: u16,
    /// What else stands in the environment.
    pub(crate) env: &'a [(&'a str, &'a str)],
}

impl Default for Kind<'_> {
    fn default() -> Self {
        Self {
            columns: 80,
            rows: ROWS,
            env: &[],
        }
    }
}

/// A program that runs at a terminal of its own.
pub(crate) struct Terminal {
    session: OsSession,
    screen: vt100::Parser,
    /// All bytes that the program wrote.
    pub(crate) written: Vec<u8>,
}

impl Project {
    /// Starts the program at a terminal of so many columns.
    pub(crate) fn at_terminal(&self, columns: u16, args: &[&str]) -> Terminal {
        self.at(&Kind {
            columns,
            ..Kind::default()
        })
        .starts(env!("CARGO_BIN_EXE_runbook"), args)
    }

    /// A terminal at which nothing runs yet.
    pub(crate) fn at<'a>(&'a self, kind: &'a Kind<'a>) -> Place<'a> {
        Place { project: self, kind }
    }
}

/// A terminal at which nothing runs yet.
pub(crate) struct Place<'a> {
    project: &'a Project,
    kind: &'a Kind<'a>,
}

impl Place<'_> {
    /// Starts a program there.
    pub(crate) fn starts(&self, program: &str, args: &[&str]) -> Terminal {
        use std::io::Write as _;
        let Kind { columns, rows, env } = *self.kind;
        let mut command = std::process::Command::new("sh");
        command
            .args(["-c", START, program])
            .args(args)
            .current_dir(self.project.path())
            .env("RUNBOOK_STATE_DIR", self.project.state_dir())
            .env("RUNBOOK_OPERATOR", "alice")
            // Keys are kept there.
            .env("XDG_CONFIG_HOME", self.project.path().join("config"))
            .env("TERM", "xterm-256color")
            // The emulated terminal does not break lines anew when it becomes narrower.
            .env("XTERM_VERSION", "emulated")
            .env_remove("TMUX")
            .env("LC_ALL", "C.UTF-8")
            .env("TZ", "UTC")
            .env("NO_COLOR", "1")
            .envs(env.iter().copied());
        let mut session = OsSession::spawn(command).unwrap();
        session.get_process_mut().set_window_size(columns, rows).unwrap();
        // Nothing is echoed yet: expectrl's terminals begin so.
        session.write_all(b"\n").and_then(|()| session.flush()).unwrap();
        Terminal {
            session,
            screen: vt100::Parser::new(rows, columns, 0),
            written: Vec::new(),
        }
    }
}

impl Terminal {
    /// What stands on the screen, without empty lines at its end.
    pub(crate) fn screen(&self) -> String {
        self.screen.screen().contents().trim_end().to_owned()
    }

    /// Gives it another size.
    pub(crate) fn resize(&mut self, columns: u16, rows: u16) {
        // What was written before was written for the old size.
        self.read();
        self.session
            .get_process_mut()
            .set_window_size(columns, rows)
            .unwrap();
        self.screen.screen_mut().set_size(rows, columns);
    }

    /// Takes what the program has written since; says whether it has ended.
    fn read(&mut self) -> bool {
        let mut buffer = [0; 8192];
        loop {
            match self.session.try_read(&mut buffer) {
                Ok(0) => return true,
                Ok(count) => {
                    self.screen.process(&buffer[..count]);
                    self.written.extend_from_slice(&buffer[..count]);
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return false,
                // A terminal whose program has ended says so by an error.
                Err(_) => return true,
            }
        }
    }

    /// Waits until something holds of the screen.
    #[track_caller]
    pub(crate) fn until(&mut self, what: &str, holds: impl Fn(&str) -> bool) {
        let start = Instant::now();
        loop {
            let ended = self.read();
            if holds(&self.screen()) {
                return;
            }
            assert!(
                !ended && start.elapsed() < PATIENCE,
                "never happened: {what}\n{}",
                self.screen()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until a text stands on the screen.
    #[track_caller]
    pub(crate) fn shows(&mut self, text: &str) {
        self.until(text, |screen| screen.contains(text));
    }

    /// Waits for a question, and types an answer to it.
    #[track_caller]
    pub(crate) fn answers(&mut self, question: &str, answer: &str) {
        // What is asked stands in the last line, or above the line in which the answer is typed.
        self.until(question, |screen| {
            let mut lines = screen.lines().rev();
            let last = lines.next().unwrap_or_default();
            last.contains(question)
                || (last.trim() == ">" && lines.take(4).any(|line| line.contains(question)))
        });
        self.types(answer);
        self.types("\r");
    }

    /// Types something.
    #[track_caller]
    pub(crate) fn types(&mut self, text: &str) {
        use std::io::Write as _;
        self.session.write_all(text.as_bytes()).unwrap();
        self.session.flush().unwrap();
    }

    /// Ends the program as a power cut would: no handler runs.
    #[track_caller]
    pub(crate) fn kills(mut self) {
        let pid = nix::unistd::Pid::from_raw(self.session.get_process().pid().as_raw());
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).unwrap();
        self.is_over();
    }

    /// Waits for the program's end; gives all that it wrote.
    #[track_caller]
    pub(crate) fn ends_with_all(mut self) -> String {
        self.is_over();
        String::from_utf8_lossy(&self.written).into_owned()
    }

    /// Waits for the program's end; gives its exit code and what stands on the screen.
    #[track_caller]
    pub(crate) fn ends(mut self) -> (i32, String) {
        self.is_over();
        let status = self.session.get_process().wait().unwrap();
        let code = match status {
            WaitStatus::Exited(_, code) => code,
            _ => -1,
        };
        (code, self.screen())
    }

    #[track_caller]
    fn is_over(&mut self) {
        let start = Instant::now();
        while !self.read() {
            assert!(start.elapsed() < PATIENCE, "it does not end:\n{}", self.screen());
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}
