//! What the program does, as it does it: on standard error where that is asked for, and in a file beside the journal
//! of the run that is carried out.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use runbook_engine::core::event::Entry;
use runbook_engine::platform::private;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::{MakeWriter, layer};
use tracing_subscriber::layer::SubscriberExt as _;

use crate::hush;
use crate::render::story::{subject, words};
use crate::render::style::Look;

/// The file in a run's folder; the one before it has `.1` behind its name.
const NAME: &str = "trace.log";

/// A file of this many bytes is put aside, and another begun.
const LARGEST: u64 = 1024 * 1024;

/// Ours, and nobody else's: what libraries say may hold what they were given.
const OURS: &str = "runbook";

/// Lets what the program does be told on standard error, as much as is asked for, and gives the log that a run can
/// have beside its journal.
pub(crate) fn start_tracing(verbose: u8, look: &Look) -> RunLog {
    let told = match verbose {
        0 => LevelFilter::OFF,
        1 => LevelFilter::WARN,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let (log, talk) = (RunLog::default(), Talk(look.clone()));
    let subscriber = tracing_subscriber::registry()
        .with(
            layer()
                .with_ansi(false)
                .with_writer(move || talk.clone())
                .with_filter(Targets::new().with_target(OURS, told)),
        )
        .with(
            layer()
                .with_ansi(false)
                .with_writer(log.clone())
                .with_filter(Targets::new().with_target(OURS, LevelFilter::DEBUG)),
        );
    // Fails only when there is a subscriber already, which only tests set.
    let _already = tracing::subscriber::set_global_default(subscriber);
    log
}

/// An entry of the journal, in the log.
pub(super) fn entry(entry: &Entry) {
    let step = subject(&entry.event).map(|id| id.to_string()).unwrap_or_default();
    let (operator, event) = (entry.operator.as_str(), entry.event.name());
    tracing::info!(seq = entry.seq.0, %operator, event, step, "{:?}", words(&entry.event));
}

/// The person at the terminal.
#[derive(Clone)]
struct Talk(Look);

impl Write for Talk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.tell_always(String::from_utf8_lossy(bytes).trim_end());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The log of the run that is carried out, while one is; what is told at other times is not kept.
#[derive(Debug, Clone, Default)]
pub(crate) struct RunLog(Arc<Mutex<Option<Rotating>>>);

impl RunLog {
    /// From now on, what is told goes into a file in this folder.
    pub(super) fn open(&self, folder: &Path) -> io::Result<()> {
        *self.lock() = Some(Rotating::open(folder.join(NAME))?);
        Ok(())
    }

    pub(super) fn close(&self) {
        *self.lock() = None;
    }

    fn lock(&self) -> MutexGuard<'_, Option<Rotating>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'a> MakeWriter<'a> for RunLog {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Write for RunLog {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(file) = self.lock().as_mut() {
            // A log that cannot be written keeps nobody from working.
            file.write(&hush::hushed_bytes(bytes)).ok();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A file that is put aside when it has grown large; the one that was put aside before goes.
#[derive(Debug)]
struct Rotating {
    path: PathBuf,
    file: File,
    bytes: u64,
}

impl Rotating {
    fn open(path: PathBuf) -> io::Result<Self> {
        let file = private::append_to(&path)?;
        let bytes = file.metadata()?.len();
        Ok(Self { path, file, bytes })
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.bytes >= LARGEST {
            fs::rename(&self.path, self.path.with_extension("log.1"))?;
            *self = Self::open(self.path.clone())?;
        }
        self.bytes += bytes.len() as u64;
        self.file.write_all(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::{LARGEST, Rotating};

    #[test]
    fn a_log_is_bounded_and_keeps_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trace.log");
        let line = [b'x'; 1000];
        let mut log = Rotating::open(path.clone()).unwrap();
        for _ in 0..4_000 {
            log.write(&line).unwrap();
        }
        drop(log);
        Rotating::open(path.clone()).unwrap().write(b"last\n").unwrap();
        let files: Vec<u64> = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|file| file.unwrap().metadata().unwrap().len())
            .collect();
        assert_eq!(files.len(), 2, "{files:?}");
        assert!(files.iter().all(|&bytes| bytes <= LARGEST + 1000), "{files:?}");
        assert!(std::fs::read(path).unwrap().ends_with(b"last\n"));
    }
}
