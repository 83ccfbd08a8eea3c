//! A place to run the program in, and a way to say what is expected of it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use regex::Regex;
use serde_json::Value;
use tempfile::TempDir;

/// A folder with runbooks and a state folder of its own.
pub struct Project {
    folder: TempDir,
}

/// What one run of the program gave.
pub struct Outcome {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Project {
    pub fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
        }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn state_dir(&self) -> PathBuf {
        self.path().join("state")
    }

    /// Writes a file, most often a runbook, and gives its path.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    pub fn read(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.path().join(name)).ok()
    }

    /// The program with these arguments, as operator `alice`, without a terminal.
    pub fn command(&self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_runbook"));
        command
            .args(args)
            .current_dir(self.path())
            .env("RUNBOOK_STATE_DIR", self.state_dir())
            .env("RUNBOOK_OPERATOR", "alice")
            .env("TZ", "UTC")
            .env_remove("NO_COLOR")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    #[track_caller]
    pub fn run<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Outcome {
        self.command(args).output().unwrap().into()
    }

    /// Starts the program and leaves it running.
    pub fn start<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Running {
        Running(self.command(args).spawn().unwrap())
    }

    /// The only run in the state folder, as `list --json` shows it.
    #[track_caller]
    pub fn only_run(&self) -> Value {
        let runs = self.run(["list", "--json"]).code(0).json();
        let runs = runs.as_array().unwrap();
        assert_eq!(runs.len(), 1, "{runs:?}");
        runs[0].clone()
    }

    /// The short name of the only run.
    #[track_caller]
    pub fn run_name(&self) -> String {
        self.only_run()["name"].as_str().unwrap().to_owned()
    }

    /// What `show --json` says of a run.
    #[track_caller]
    pub fn show(&self, run: &str) -> Value {
        self.run(["show", run, "--json"]).code(0).json()
    }

    /// The status of every instance of a run, as `id: status`.
    #[track_caller]
    pub fn statuses(&self, run: &str) -> Vec<String> {
        let shown = self.show(run);
        let steps = shown["steps"].as_array().unwrap().iter();
        steps
            .map(|row| {
                format!(
                    "{}: {}",
                    row["step"].as_str().unwrap(),
                    row["status"].as_str().unwrap()
                )
            })
            .collect()
    }

    /// The events of a run, each an object, without the transcripts.
    #[track_caller]
    pub fn events(&self, run: &str) -> Vec<Value> {
        let log = self.run(["log", run, "--json"]).code(0);
        log.json_lines()
            .into_iter()
            .filter(|line| line.get("event").is_some())
            .collect()
    }
}

/// A program that is running; ended when the test forgets it.
pub struct Running(Child);

impl Running {
    pub fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Ends it as a power cut would: no handler runs.
    pub fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// Waits for its end.
    #[track_caller]
    pub fn wait(mut self) -> Outcome {
        let (stdout, stderr) = (self.0.stdout.take().unwrap(), self.0.stderr.take().unwrap());
        let read = |mut from: Box<dyn std::io::Read + Send>| {
            std::thread::spawn(move || {
                let mut text = String::new();
                from.read_to_string(&mut text).unwrap();
                text
            })
        };
        let (stdout, stderr) = (read(Box::new(stdout)), read(Box::new(stderr)));
        let status = self.0.wait().unwrap();
        let (stdout, stderr) = (stdout.join().unwrap(), stderr.join().unwrap());
        Outcome {
            code: status.code().unwrap_or(-1),
            stdout,
            stderr,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _reaped = self.0.wait();
    }
}

impl From<Output> for Outcome {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Outcome {
    #[track_caller]
    pub fn code(self, expected: i32) -> Self {
        assert_eq!(
            self.code, expected,
            "exit code\n--- stdout\n{}\n--- stderr\n{}",
            self.stdout, self.stderr
        );
        self
    }

    /// Standard error holds this text.
    #[track_caller]
    pub fn tells(self, text: &str) -> Self {
        assert!(
            self.stderr.contains(text),
            "`{text}` is not told:\n{}",
            self.stderr
        );
        self
    }

    /// Standard output holds this text.
    #[track_caller]
    pub fn prints(self, text: &str) -> Self {
        assert!(
            self.stdout.contains(text),
            "`{text}` is not printed:\n{}",
            self.stdout
        );
        self
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }

    #[track_caller]
    pub fn json_lines(&self) -> Vec<Value> {
        let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        self.stdout.lines().map(parse).collect()
    }
}

/// Waits until a condition holds.
#[track_caller]
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(
            start.elapsed() < Duration::from_secs(30),
            "never happened: {what}"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Text without what differs from run to run: names, ids, times, durations, hosts.
pub fn stable(text: &str) -> String {
    let rules = [
        (
            r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
            "<id>",
        ),
        (r"\b([a-z][a-z0-9-]*)-[0-9a-f]{4}\b", "$1-<id>"),
        (r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}", "<time>"),
        (r"\d{4}-\d{2}-\d{2}T[0-9:.]+Z", "<time>"),
        (r"\d+\.\d s\b", "<duration>"),
        (r"operator (\S+) on \S+", "operator $1 on <host>"),
        (r"(\w+)@[\w.-]+", "$1@<host>"),
    ];
    rules.iter().fold(text.to_owned(), |text, (pattern, with)| {
        Regex::new(pattern)
            .unwrap()
            .replace_all(&text, *with)
            .into_owned()
    })
}
