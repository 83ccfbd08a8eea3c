//! A place to run the program in, and a way to say what is expected of it.

pub(crate) mod browser;
pub(crate) mod disk;
pub(crate) mod entries;
pub(crate) mod helper;
pub(crate) mod pwsh;
pub(crate) mod terminal;

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use regex::Regex;
use serde_json::Value;
use tempfile::TempDir;

/// A folder with runbooks and a state folder of its own.
pub(crate) struct Project {
    folder: TempDir,
}

/// What one run of the program gave.
pub(crate) struct Outcome {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Project {
    pub(crate) fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn state_dir(&self) -> PathBuf {
        self.path().join("state")
    }

    /// Writes a file, most often a runbook, and gives its path.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    pub(crate) fn read(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.path().join(name)).ok()
    }

    /// The program with these arguments, as operator `alice`, without a terminal.
    pub(crate) fn command(&self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_runbook"));
        command
            .args(args)
            .current_dir(self.path())
            .env("RUNBOOK_STATE_DIR", self.state_dir())
            .env("RUNBOOK_OPERATOR", "alice")
            // Keys are kept there, on Unix and on Windows.
            .env("XDG_CONFIG_HOME", self.path().join("config"))
            .env("LOCALAPPDATA", self.path().join("config"))
            .env("TZ", "UTC")
            .env_remove("NO_COLOR")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    #[track_caller]
    pub(crate) fn run<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Outcome {
        self.command(args).output().unwrap().into()
    }

    /// Starts the program and leaves it running.
    pub(crate) fn start<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Running {
        Running::new(self.command(args).spawn().unwrap())
    }

    /// The only run in the state folder, as `list --json` shows it.
    #[track_caller]
    pub(crate) fn only_run(&self) -> Value {
        let runs = self.run(["list", "--json"]).code(0).json();
        let runs = runs.as_array().unwrap();
        assert_eq!(runs.len(), 1, "{runs:?}");
        runs[0].clone()
    }

    /// The short name of the only run.
    #[track_caller]
    pub(crate) fn run_name(&self) -> String {
        self.only_run()["name"].as_str().unwrap().to_owned()
    }

    /// What `show --json` says of a run.
    #[track_caller]
    pub(crate) fn show(&self, run: &str) -> Value {
        self.run(["show", run, "--json"]).code(0).json()
    }

    /// The status of every instance of a run, as `id: status`.
    #[track_caller]
    pub(crate) fn statuses(&self, run: &str) -> Vec<String> {
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
    pub(crate) fn events(&self, run: &str) -> Vec<Value> {
        let log = self.run(["log", run, "--json"]).code(0);
        log.json_lines()
            .into_iter()
            .filter(|line| line.get("event").is_some())
            .collect()
    }
}

/// A program that is running; ended when the test forgets it.
pub(crate) struct Running {
    child: Child,
    stdout: BufReader<ChildStdout>,
    stderr: Arc<Mutex<Vec<u8>>>,
    listener: Option<JoinHandle<()>>,
    /// What was read of standard output already.
    read: String,
}

impl Running {
    fn new(mut child: Child) -> Self {
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let mut from = child.stderr.take().unwrap();
        let stderr = Arc::<Mutex<Vec<u8>>>::default();
        let told = Arc::clone(&stderr);
        // Read as it comes, so that nothing the program says can make it wait.
        let listener = std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = from.read(&mut buffer) {
                told.lock().unwrap().extend_from_slice(&buffer[..count]);
            }
        });
        Self {
            child,
            stdout,
            stderr,
            listener: Some(listener),
            read: String::new(),
        }
    }

    /// Starts a program as it is asked for.
    pub(crate) fn of(mut command: Command) -> Self {
        Self::new(command.spawn().unwrap())
    }

    /// Waits until it has told this.
    #[track_caller]
    pub(crate) fn is_told_of(&self, text: &str) {
        until(text, || self.told().contains(text));
    }

    pub(crate) fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has told on standard error so far.
    pub(crate) fn told(&self) -> String {
        String::from_utf8_lossy(&self.stderr.lock().unwrap()).into_owned()
    }

    /// The next line that it prints on standard output, as JSON; none once it has ended.
    #[track_caller]
    pub(crate) fn next_line(&mut self) -> Option<Value> {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        self.read += &line;
        // What a killed program did not finish to say, it did not say.
        line.strip_suffix('\n')
            .map(|line| serde_json::from_str(line).unwrap())
    }

    /// Reads lines until one holds this text.
    #[track_caller]
    pub(crate) fn until_line(&mut self, text: &str) {
        let mut line = String::new();
        while !line.contains(text) {
            line.clear();
            let count = self.stdout.read_line(&mut line).unwrap();
            assert!(count > 0, "it ended before `{text}`:\n{}", self.read);
            self.read += &line;
        }
    }

    /// Reads lines until one is of this event of this step.
    #[track_caller]
    pub(crate) fn until_event(&mut self, event: &str, step: &str) -> Value {
        while let Some(line) = self.next_line() {
            if line["event"] == event && line["step"] == step {
                return line;
            }
        }
        panic!("it ended before `{event}` of `{step}`:\n{}", self.read);
    }

    /// Ends it as a power cut would: no handler runs. Gives what it had said.
    pub(crate) fn kill(mut self) -> Outcome {
        self.child.kill().unwrap();
        self.finish()
    }

    /// Waits for its end.
    pub(crate) fn wait(mut self) -> Outcome {
        self.finish()
    }

    fn finish(&mut self) -> Outcome {
        let mut stdout = std::mem::take(&mut self.read);
        self.stdout.read_to_string(&mut stdout).unwrap();
        let status = self.child.wait().unwrap();
        self.listener.take().unwrap().join().unwrap();
        Outcome {
            code: status.code().unwrap_or(-1),
            stdout,
            stderr: self.told(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
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
    pub(crate) fn code(self, expected: i32) -> Self {
        assert_eq!(
            self.code, expected,
            "exit code\n--- stdout\n{}\n--- stderr\n{}",
            self.stdout, self.stderr
        );
        self
    }

    /// Standard error holds this text.
    #[track_caller]
    pub(crate) fn tells(self, text: &str) -> Self {
        assert!(
            self.stderr.contains(text),
            "`{text}` is not told:\n{}",
            self.stderr
        );
        self
    }

    /// Standard output holds this text.
    #[track_caller]
    pub(crate) fn prints(self, text: &str) -> Self {
        assert!(
            self.stdout.contains(text),
            "`{text}` is not printed:\n{}",
            self.stdout
        );
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }

    /// The lines that were printed to the end, as JSON; the last may have been cut off.
    pub(crate) fn whole_lines(&self) -> Vec<Value> {
        let whole = self.stdout.rsplit_once('\n').map_or("", |(whole, _)| whole);
        whole
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// Standard error does not hold this text.
    #[track_caller]
    pub(crate) fn keeps_quiet_of(self, text: &str) -> Self {
        assert!(
            !self.stderr.contains(text) && !self.stdout.contains(text),
            "`{text}` is told:\n{}\n{}",
            self.stderr,
            self.stdout
        );
        self
    }

    #[track_caller]
    pub(crate) fn json_lines(&self) -> Vec<Value> {
        let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        self.stdout.lines().map(parse).collect()
    }
}

/// Waits until a condition holds.
#[track_caller]
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(
            start.elapsed() < crate::platform::PATIENCE,
            "never happened: {what}"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Text without what differs from run to run: names, ids, times, durations, hosts.
pub(crate) fn stable(text: &str) -> String {
    let rules = [
        (
            r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
            "<id>",
        ),
        (r"\b([a-z][a-z0-9-]*)-[0-9a-f]{4}\b", "$1-<id>"),
        (r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}", "<time>"),
        (r"\d{4}-\d{2}-\d{2}T[0-9:.]+Z", "<time>"),
        (r"\d+\.\d s\b", "<duration>"),
        // What the system says of an error is its own affair.
        (
            r"because: [^\n]* \(os error \d+\)",
            "because: <the system's words>",
        ),
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
