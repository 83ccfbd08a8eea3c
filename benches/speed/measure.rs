//! Taking the time of programs and of the disk.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::Outcome;

/// What one carrying-out took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taken {
    pub(crate) wall: Duration,
    /// Of the processors, by the program and all that it started; none where the system does not tell.
    pub(crate) cpu: Duration,
    pub(crate) peak_mib: u64,
}

/// The same thing taken several times, in turns with what it is held against.
#[derive(Debug, Default)]
pub(crate) struct Rounds(Vec<Taken>);

impl Rounds {
    pub(crate) fn add(&mut self, taken: Taken) {
        self.0.push(taken);
    }

    pub(crate) fn wall(&self) -> Duration {
        self.median(|taken| taken.wall)
    }

    pub(crate) fn cpu(&self) -> Duration {
        self.median(|taken| taken.cpu)
    }

    fn median(&self, of: impl Fn(&Taken) -> Duration) -> Duration {
        let mut all: Vec<Duration> = self.0.iter().map(of).collect();
        all.sort();
        all.get(all.len() / 2).copied().unwrap_or_default()
    }
}

/// Appends of 300 bytes to a file, each made durable before the next.
pub(crate) fn appends(folder: &Path, count: usize) -> Outcome<Taken> {
    let path = folder.join("bare");
    let mut file = File::create(&path)?;
    let begun = Instant::now();
    for _ in 0..count {
        file.write_all(&[7; 300])?;
        file.sync_data()?;
    }
    let wall = begun.elapsed();
    std::fs::remove_file(path)?;
    Ok(Taken {
        wall,
        cpu: Duration::ZERO,
        peak_mib: 0,
    })
}

/// Refuses to begin without a program to be held against: half a table would say nothing.
pub(crate) fn installed(name: &str) -> Outcome {
    let found = Command::new(name).arg("--version").stdout(Stdio::null()).status();
    match found {
        Ok(status) if status.success() => Ok(()),
        _ => Err(format!("`{name}` is not installed: `scripts/setup --bench` installs it").into()),
    }
}

/// Carries a program out; one that says that it waits for a person (3) has done what was asked.
pub(crate) fn program(command: &mut Command) -> Outcome<Taken> {
    let before = children();
    let begun = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("{command:?}: {error}"))?;
    let mut peak_mib = 0;
    if is_long(command) {
        while child.try_wait()?.is_none() {
            peak_mib = peak(child.id()).unwrap_or(peak_mib).max(peak_mib);
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    let status = child.wait()?;
    let (wall, cpu) = (begun.elapsed(), children().saturating_sub(before));
    match status.code() {
        Some(0 | 3) => Ok(Taken { wall, cpu, peak_mib }),
        _ => Err(format!("{command:?} ended with {status}").into()),
    }
}

/// Whether its memory is asked for now and then; the end of what does not take long is only awaited.
fn is_long(command: &Command) -> bool {
    command
        .get_args()
        .any(|word| word.to_string_lossy().contains("grown-"))
}

/// The most memory that a process has had, where the system tells.
fn peak(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024)
}

/// What all children that have ended took of the processors.
#[cfg(unix)]
fn children() -> Duration {
    use nix::sys::resource::{UsageWho, getrusage};
    use nix::sys::time::TimeValLike as _;
    getrusage(UsageWho::RUSAGE_CHILDREN).map_or(Duration::ZERO, |used| {
        let micros = used.user_time().num_microseconds() + used.system_time().num_microseconds();
        Duration::from_micros(u64::try_from(micros).unwrap_or_default())
    })
}

#[cfg(not(unix))]
fn children() -> Duration {
    Duration::ZERO
}
