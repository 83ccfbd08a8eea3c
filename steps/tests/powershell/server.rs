//! An SSH server on loopback, started and stopped by a test, with keys of its own and PowerShell as a subsystem.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::platform::SSHD;

/// The addresses at which it listens: two machines, for all that anybody can see.
pub(crate) const ADDRESSES: [&str; 2] = ["127.0.0.1", "127.0.0.2"];

/// The server.
pub(crate) struct Server {
    folder: TempDir,
    pub(crate) port: u16,
    process: Child,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.break_connections();
        let _ended = self.process.kill();
        let _reaped = self.process.wait();
    }
}

impl Server {
    /// One that offers this PowerShell; none where there is no SSH server, which is said.
    #[expect(
        clippy::print_stderr,
        reason = "whoever reads the tests' output must learn what was not tested"
    )]
    pub(crate) fn start(pwsh: &str) -> Option<Self> {
        let Some(sshd) = SSHD.filter(|sshd| Path::new(sshd).is_file()) else {
            eprintln!("NOT TESTED: no SSH server; `scripts/setup --ci` installs it");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind((ADDRESSES[0], 0))
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        for name in ["host", "user", "stranger"] {
            key(folder.path(), name);
        }
        let at = folder.path();
        std::fs::copy(at.join("user.pub"), at.join("authorized")).unwrap();
        know(at, port, "known", "host");
        know(at, port, "known-other", "stranger");
        std::fs::write(at.join("known-none"), "").unwrap();
        std::fs::write(at.join("config"), config(at, port, pwsh)).unwrap();
        // Where the system makes it at its start, and there was none.
        let _there = std::fs::create_dir_all("/run/sshd");
        let process = Command::new(sshd)
            .args(["-D", "-e", "-f"])
            .arg(at.join("config"))
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self {
            folder,
            port,
            process,
        };
        let start = Instant::now();
        while TcpStream::connect((ADDRESSES[1], port)).is_err() {
            assert!(
                start.elapsed() < Duration::from_secs(30),
                "the SSH server does not listen"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(server)
    }

    /// A file of it, as text.
    pub(crate) fn file(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// Ends the connections that stand, as a network or a restart would.
    pub(crate) fn break_connections(&self) {
        for child in children(self.process.id()) {
            let _gone = Command::new("kill").args(["-KILL", &child.to_string()]).status();
        }
    }
}

fn key(at: &Path, name: &str) {
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(at.join(name))
        .status();
    assert!(made.unwrap().success());
}

/// A file of known hosts in which the server has this key.
fn know(at: &Path, port: u16, file: &str, key: &str) {
    let key = std::fs::read_to_string(at.join(format!("{key}.pub"))).unwrap();
    let lines: String = ADDRESSES
        .iter()
        .map(|address| format!("[{address}]:{port} {key}"))
        .collect();
    std::fs::write(at.join(file), lines).unwrap();
}

fn config(at: &Path, port: u16, pwsh: &str) -> String {
    let listen: String = ADDRESSES
        .iter()
        .map(|address| format!("ListenAddress {address}\n"))
        .collect();
    let at = at.display();
    format!(
        "Port {port}\n{listen}HostKey {at}/host\nAuthorizedKeysFile {at}/authorized\nPidFile none\nStrictModes no\n\
         UsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\n\
         Subsystem powershell {pwsh} -SSHServerMode -NoLogo -NoProfile\n"
    )
}

fn children(of: u32) -> Vec<u32> {
    let tasks = PathBuf::from(format!("/proc/{of}/task/{of}/children"));
    let listed = std::fs::read_to_string(tasks).unwrap_or_default();
    listed
        .split_whitespace()
        .filter_map(|pid| pid.parse().ok())
        .collect()
}
