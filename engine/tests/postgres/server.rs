//! A PostgreSQL server of a test's own: made in a temporary folder, reached by a socket there, gone with the test.

#![allow(
    dead_code,
    clippy::disallowed_methods,
    clippy::panic,
    clippy::print_stderr,
    reason = "tests start the server as people do, end with what went wrong, and do not all need all of it"
)]

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long a server may take to start or to stop.
const LONGEST: Duration = Duration::from_secs(60);

/// The account that owns everything in the database.
pub(crate) const OWNER: &str = "runbook";

/// Whose server it is where the test is the system's administrator, as whom PostgreSQL does not start.
const ACCOUNTS: [&str; 2] = ["postgres", "nobody"];

/// A running server, or one that a test has stopped.
pub(crate) struct Server {
    programs: PathBuf,
    account: Option<&'static str>,
    folder: tempfile::TempDir,
    /// Where it listens too, on loopback; it names the socket's file.
    port: u16,
    child: Option<Child>,
}

/// How a server is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// As for maintenance: connections are ended, everything is written.
    Fast,
    /// At once: what is not on the disk is lost.
    Immediate,
}

impl Server {
    /// A server, if PostgreSQL is installed here.
    pub(crate) fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// A server with further settings, each `NAME = VALUE`.
    pub(crate) fn start_with(settings: &[&str]) -> Option<Self> {
        let programs = programs();
        if programs.is_none() {
            assert!(
                std::env::var_os("RUNBOOK_TEST_POSTGRES").is_none(),
                "PostgreSQL is not installed; `scripts/setup --ci` installs it"
            );
            eprintln!("NOT TESTED: no PostgreSQL; `scripts/setup --ci` installs it");
        }
        let account = account();
        let folder = tempfile::Builder::new().prefix("runbook-pg-").tempdir();
        let mut server = Self {
            programs: programs?,
            account,
            folder: folder.unwrap_or_else(|error| panic!("no folder for a database: {error}")),
            port: free_port(),
            child: None,
        };
        server.make(settings);
        server.resume();
        Some(server)
    }

    fn make(&self, settings: &[&str]) {
        if let Some(account) = self.account {
            self.run("chown", &[OsStr::new(account), self.folder.path().as_os_str()]);
        }
        let data = self.data();
        let mut command = self.command("initdb");
        command.args([
            "--no-sync",
            "-E",
            "UTF8",
            "--locale=C",
            "-A",
            "trust",
            "-U",
            OWNER,
            "-D",
        ]);
        succeeded(command.arg(&data).output());
        let socket = self.folder.path().display();
        let text = format!(
            "listen_addresses = '127.0.0.1'\nport = {}\nunix_socket_directories = '{socket}'\n{}\n",
            self.port,
            settings.join("\n")
        );
        append(&data.join("postgresql.conf"), &text);
        let own = format!("local all {OWNER} trust\nhost all {OWNER} 127.0.0.1/32 trust\n");
        let doors = own + "host all all 127.0.0.1/32 scram-sha-256\n";
        written(fs::write(data.join("pg_hba.conf"), doors));
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Starts the server again, and waits until it takes connections.
    pub(crate) fn resume(&mut self) {
        let log = fs::File::options().create(true).append(true).open(self.log());
        let log = log.unwrap_or_else(|error| panic!("no log of the database: {error}"));
        // It does not outlive the test, however that ends.
        let mut command = self.as_account("setpriv");
        command
            .args(["--pdeathsig", "QUIT"])
            .arg(self.programs.join("postgres"));
        command.arg("-D").arg(self.data());
        let errors = log.try_clone().map_or_else(|_| Stdio::null(), Stdio::from);
        let child = command.stdin(Stdio::null()).stdout(log).stderr(errors).spawn();
        self.child = Some(child.unwrap_or_else(|error| panic!("the database does not start: {error}")));
        let until = Instant::now() + LONGEST;
        while !self.answers() {
            let ended = self
                .child
                .as_mut()
                .and_then(|child| child.try_wait().ok().flatten());
            assert!(
                ended.is_none() && Instant::now() < until,
                "the database did not come up: {}",
                fs::read_to_string(self.log()).unwrap_or_default()
            );
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn answers(&self) -> bool {
        let mut command = self.psql("postgres");
        command
            .arg("SELECT 1")
            .output()
            .is_ok_and(|output| output.status.success())
    }

    /// Stops the server, and waits until it has.
    pub(crate) fn stop(&mut self, how: Stop) {
        self.signal(match how {
            Stop::Fast => "INT",
            Stop::Immediate => "QUIT",
        });
        if let Some(mut child) = self.child.take() {
            succeeded(child.wait().map(|status| Output {
                // How it was stopped shows in how it ends.
                status: if how == Stop::Immediate {
                    std::process::ExitStatus::default()
                } else {
                    status
                },
                stdout: Vec::new(),
                stderr: Vec::new(),
            }));
        }
    }

    /// Kills every process of the server in the middle of whatever it does.
    pub(crate) fn kill(&mut self) {
        let Some(mut child) = self.child.take() else {
            return;
        };
        let parent = child.id().to_string();
        self.run("pkill", &["-KILL".as_ref(), "-P".as_ref(), parent.as_ref()]);
        child
            .kill()
            .unwrap_or_else(|error| panic!("the database cannot be killed: {error}"));
        drop(child.wait());
    }

    fn signal(&self, signal: &str) {
        if let Some(child) = &self.child {
            let pid = child.id().to_string();
            self.run("kill", &["-s".as_ref(), signal.as_ref(), pid.as_ref()]);
        }
    }

    /// Makes a database, and gives its address.
    pub(crate) fn database(&self, name: &str) -> String {
        let _made = self.sql("postgres", &format!("CREATE DATABASE {name}"));
        self.address(name)
    }

    /// The address of a database.
    pub(crate) fn address(&self, database: &str) -> String {
        format!("postgres://{OWNER}@{}:{}/{database}", self.encoded(), self.port)
    }

    /// The folder of the socket, as it stands in an address.
    pub(crate) fn encoded(&self) -> String {
        self.folder.path().display().to_string().replace('/', "%2F")
    }

    /// Where it listens beside its socket.
    pub(crate) fn loopback(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// The folder that goes with it.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The folder of a program of PostgreSQL.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    /// Carries a statement out as the owner, and gives what it answers, without headings.
    pub(crate) fn sql(&self, database: &str, statement: &str) -> String {
        let output = succeeded(self.psql(database).arg(statement).output());
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn psql(&self, database: &str) -> Command {
        let mut command = Command::new(self.programs.join("psql"));
        command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", OWNER, "-h"]);
        command
            .arg(self.folder.path())
            .args(["-p", &self.port.to_string(), "-d", database, "-c"]);
        command
    }

    fn command(&self, program: &str) -> Command {
        self.as_account(self.programs.join(program))
    }

    /// A command as the account that may run a server.
    fn as_account(&self, program: impl AsRef<OsStr>) -> Command {
        let Some(account) = self.account else {
            return Command::new(program);
        };
        let mut command = Command::new("setpriv");
        command.args([
            "--reuid",
            account,
            "--regid",
            &group(account),
            "--clear-groups",
            "--",
        ]);
        command.arg(program).current_dir("/");
        command
    }

    fn run(&self, program: &str, args: &[&OsStr]) {
        succeeded(Command::new(program).args(args).output());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let pid = child.id().to_string();
            // Whatever was left of it goes with its folder.
            drop(Command::new("kill").args(["-s", "QUIT", &pid]).output());
            drop(child.wait());
        }
    }
}

fn free_port() -> u16 {
    let bound = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
    bound
        .unwrap_or_else(|error| panic!("no port for a database: {error}"))
        .port()
}

/// The newest PostgreSQL that Debian's packages have put here, or the one on the path.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let folders = versions.map(|version| version.path().join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let whole = |folder: &PathBuf| {
        ["initdb", "postgres", "psql"]
            .iter()
            .all(|name| folder.join(name).exists())
    };
    let newest = folders.filter(whole).max_by_key(|folder| number(folder));
    newest.or_else(|| path.into_iter().find(whole))
}

/// The version that a folder of Debian's is named after.
fn number(folder: &Path) -> u32 {
    let name = folder.parent().and_then(Path::file_name).and_then(OsStr::to_str);
    name.and_then(|name| name.parse().ok()).unwrap_or_default()
}

/// As whom the server runs: as we do, except as the administrator.
fn account() -> Option<&'static str> {
    let asked = |args: &[&str]| Command::new("id").args(args).output().ok();
    let us = asked(&["-u"])?;
    if us.stdout.trim_ascii() != b"0" {
        return None;
    }
    ACCOUNTS
        .into_iter()
        .find(|account| asked(&["-u", account]).is_some_and(|found| found.status.success()))
}

fn group(account: &str) -> String {
    let found = succeeded(Command::new("id").args(["-g", account]).output());
    String::from_utf8_lossy(&found.stdout).trim().to_owned()
}

fn succeeded(output: io::Result<Output>) -> Output {
    match output {
        Ok(output) if output.status.success() => output,
        Ok(output) => panic!("it failed: {}", String::from_utf8_lossy(&output.stderr)),
        Err(error) => panic!("it does not start: {error}"),
    }
}

fn append(file: &Path, text: &str) {
    use io::Write as _;
    let opened = fs::File::options().append(true).open(file);
    written(opened.and_then(|mut file| file.write_all(text.as_bytes())));
}

fn written(result: io::Result<()>) {
    result.unwrap_or_else(|error| panic!("the database cannot be set up: {error}"));
}
