//! The program at a terminal: what a person types, and what stands on the screen.

use std::time::{Duration, Instant};

use super::Project;
use crate::platform::{self, Seat};

/// So many rows that nothing scrolls away.
const ROWS: u16 = 300;

/// How long a person waits for what must come, on a machine that has much else to do.
const PATIENCE: Duration = Duration::from_secs(60);

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
    pub(crate) seat: Seat,
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
        let Kind { columns, rows, env } = *self.kind;
        let mut command = std::process::Command::new(program);
        command
            .args(args)
            .current_dir(self.project.path())
            .env("RUNBOOK_STATE_DIR", self.project.state_dir())
            .env("RUNBOOK_OPERATOR", "alice")
            // Keys are kept there.
            .env("XDG_CONFIG_HOME", self.project.path().join("config"))
            .env("LOCALAPPDATA", self.project.path().join("config"))
            .env("TERM", "xterm-256color")
            // The emulated terminal does not break lines anew when it becomes narrower.
            .env("XTERM_VERSION", "emulated")
            .env_remove("TMUX")
            .env("LC_ALL", "C.UTF-8")
            .env("TZ", "UTC")
            .env("NO_COLOR", "1")
            .envs(env.iter().copied());
        Terminal {
            seat: Seat::take(&command, columns, rows),
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
        self.seat.resize(columns, rows);
        self.screen.screen_mut().set_size(rows, columns);
    }

    /// Takes what the program has written since; says whether it has ended.
    fn read(&mut self) -> bool {
        while let Some(written) = self.seat.read() {
            if written.is_empty() {
                return true;
            }
            self.screen.process(&written);
            self.written.extend_from_slice(&written);
        }
        false
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
        self.seat.write(text.as_bytes()).unwrap();
    }

    /// Ends the program as a power cut would: no handler runs.
    #[track_caller]
    pub(crate) fn kills(mut self) {
        platform::end(self.seat.pid());
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
        (self.seat.code(), self.screen())
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
