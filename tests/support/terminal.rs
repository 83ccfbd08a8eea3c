//! The program at a terminal: what a person types, and what stands on the screen.

use std::time::{Duration, Instant};

use expectrl::process::unix::WaitStatus;
use expectrl::session::OsSession;

use super::Project;

/// So many rows that nothing scrolls away.
const ROWS: u16 = 300;

/// How long a person waits for what must come, on a machine that has much else to do.
const PATIENCE: Duration = Duration::from_secs(60);

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
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_runbook"));
        command
            .args(args)
            .current_dir(self.path())
            .env("RUNBOOK_STATE_DIR", self.state_dir())
            .env("RUNBOOK_OPERATOR", "alice")
            .env("TERM", "xterm-256color")
            .env("TZ", "UTC")
            .env("NO_COLOR", "1");
        let mut session = OsSession::spawn(command).unwrap();
        session.get_process_mut().set_window_size(columns, ROWS).unwrap();
        Terminal {
            session,
            screen: vt100::Parser::new(ROWS, columns, 0),
            written: Vec::new(),
        }
    }
}

impl Terminal {
    /// What stands on the screen, without empty lines at its end.
    pub(crate) fn screen(&self) -> String {
        self.screen.screen().contents().trim_end().to_owned()
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

    /// Waits for the program's end; gives its exit code and what stands on the screen.
    #[track_caller]
    pub(crate) fn ends(mut self) -> (i32, String) {
        let start = Instant::now();
        while !self.read() {
            assert!(start.elapsed() < PATIENCE, "it does not end:\n{}", self.screen());
            std::thread::sleep(Duration::from_millis(5));
        }
        let status = self.session.get_process().wait().unwrap();
        let code = match status {
            WaitStatus::Exited(_, code) => code,
            _ => -1,
        };
        (code, self.screen())
    }
}
