//! The folder of a run: what stands beside its database, and who may touch it.
//!
//! | name | what it is |
//! | --- | --- |
//! | `db/` | sled's database |
//! | `sealed` | the whole run as a bundle, in place of the database |
//! | `lock` | locked by the process that has the run to itself |
//! | `head` | the format, and the newest entry; written when the run is complete, then in place |
//! | `holder.json` | who holds the run; means something only while `lock` is locked |
//! | `summary.json` | what lists show |
//! | `copy` | says that the run goes on elsewhere, and can only be read here |
//! | `removed` | says that the run was removed, and what is left is to go too |

#![expect(
    clippy::disallowed_methods,
    reason = "this is where the journal meets the disk"
)]

use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::root::unwritable;
use crate::id::RunId;
use crate::journal::chain::Head;
use crate::journal::{Holder, JournalError, Standing, Summary};
use crate::platform::{files, lock, private};

/// The largest `holder.json` or `summary.json` that is read.
const LARGEST_NOTE: u64 = 64 * 1024;

/// How long a run is waited for that somebody holds: as long as a list may look at its lock.
const SHORT_WAIT: Duration = Duration::from_millis(50);

/// How long a run is waited for that somebody only reads.
const LONG_WAIT: Duration = Duration::from_secs(2);

const FORMAT: &str = "runbook-journal";
const VERSION: u64 = 1;

/// The file by which a process has the run to itself.
const LOCK: &str = "lock";

/// The file that says of a folder that its run was removed.
pub(super) const REMOVED: &str = "removed";

/// Where a run is kept.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    run: RunId,
    path: PathBuf,
}

/// A run that this process has to itself, until this is dropped.
#[derive(Debug)]
pub(super) struct Lock(File);

/// Whether a small file must be whole after the power failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sync {
    Yes,
    No,
}

impl Drop for Lock {
    /// Explicitly, since a process that is just being started may still have a copy of the file.
    fn drop(&mut self) {
        if let Err(error) = lock::release(&self.0) {
            tracing::warn!(%error, "a run's lock could not be released");
        }
    }
}

impl Folder {
    pub(super) fn new(runs: &Path, run: RunId) -> Self {
        Self {
            run,
            path: runs.join(run.to_string()),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn db(&self) -> PathBuf {
        self.path.join("db")
    }

    /// The file that is the run, once it is sealed.
    pub(super) fn sealed(&self) -> PathBuf {
        self.path.join("sealed")
    }

    fn at(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Makes the folder of a new run, and locks it.
    pub(super) fn create(&self) -> io::Result<Lock> {
        match private::create_folder(&self.path) {
            // A process that was killed has left it.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && !self.is_complete() => {
                if self.try_lock()?.is_some() {
                    files::remove_folder(&self.path)?;
                }
                private::create_folder(&self.path)?;
            }
            made => made?,
        }
        self.try_lock()?
            .ok_or_else(|| io::Error::other("another process has just locked it"))
    }

    /// What was made of a run, and its lock. One that could not be made to the end, and whose database is closed, is
    /// removed: nobody was told that it is there. What stays all the same is found when the next run is made.
    pub(super) fn made<T>(
        &self,
        lock: Lock,
        made: Result<T, JournalError>,
    ) -> Result<(T, Lock), JournalError> {
        match made {
            Ok(made) => Ok((made, lock)),
            Err(error) => {
                if let Err(error) = self.remove_run(lock) {
                    tracing::warn!(%error, "an unfinished run could not be removed");
                }
                Err(error)
            }
        }
    }

    /// Whether the run was made to the end. One that was not has neither `head` nor what is written after it.
    pub(super) fn is_complete(&self) -> bool {
        ["head", "holder.json", "summary.json"]
            .iter()
            .any(|name| self.at(name).exists())
    }

    pub(super) fn try_lock(&self) -> io::Result<Option<Lock>> {
        let path = self.at(LOCK);
        let file = match private::open_lock(&path) {
            Ok(file) => file,
            // What can only be read can be locked all the same, if it is there.
            Err(error) if unwritable(&error) => File::open(&path).map_err(|_| error)?,
            Err(error) => return Err(error),
        };
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Has the run to itself, or says who holds it. Waits a little for those who only look at it.
    pub(super) fn lock(&self) -> Result<Lock, JournalError> {
        if !self.is_complete() {
            return Err(JournalError::NotFound(self.run));
        }
        let (mut waited, pause) = (Duration::ZERO, Duration::from_millis(1));
        loop {
            let lock = self.try_lock().map_err(|source| JournalError::Storage {
                doing: "opened",
                source,
            })?;
            if let Some(lock) = lock {
                // Whoever held it before is gone.
                let _absent = files::remove_file(&self.at("holder.json"));
                return Ok(lock);
            }
            let holder = self.read_note("holder.json").ok();
            if waited >= if holder.is_some() { SHORT_WAIT } else { LONG_WAIT } {
                return Err(JournalError::Held(holder));
            }
            thread::sleep(pause);
            waited += pause;
        }
    }

    /// Who holds the run, if anybody does. Changes nothing.
    pub(super) fn holder(&self) -> Option<Holder> {
        let holder = self.read_note("holder.json").ok()?;
        let lock = File::open(self.at(LOCK)).ok()?;
        match lock.try_lock_shared() {
            Err(TryLockError::WouldBlock) => Some(holder),
            Ok(()) | Err(TryLockError::Error(_)) => None,
        }
    }

    pub(super) fn write_holder(&self, holder: &Holder) -> io::Result<()> {
        self.replace("holder.json", &serde_json::to_vec_pretty(holder)?, Sync::No)
    }

    pub(super) fn remove_holder(&self) -> io::Result<()> {
        files::remove_file(&self.at("holder.json"))
    }

    /// Whether the run can only be read here.
    pub(super) fn is_copy(&self) -> bool {
        self.at("copy").exists()
    }

    /// Says, durably, how the run stands here.
    pub(super) fn stand(&self, standing: Standing) -> io::Result<()> {
        match standing {
            Standing::Copy => self.replace("copy", b"", Sync::Yes)?,
            Standing::Own if !self.is_copy() => return Ok(()),
            Standing::Own => files::remove_file(&self.at("copy"))?,
        }
        private::sync_folder(&self.path)
    }

    /// Removes the run: first what makes it one, so that what a crash leaves is none.
    pub(super) fn remove_run(&self, lock: Lock) -> io::Result<()> {
        for name in ["summary.json", "holder.json", "head"] {
            match files::remove_file(&self.at(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        // Where something in it is open and stays for now, it is known later for what it is. A full disk takes no mark.
        if let Err(error) = private::open_file(&self.at(REMOVED)) {
            tracing::debug!(%error, "a removed run could not be marked as such");
        }
        files::remove_locked_folder(&self.path, LOCK, lock)
    }

    pub(super) fn write_summary(&self, summary: &Summary, sync: Sync) -> io::Result<()> {
        self.replace("summary.json", &serde_json::to_vec_pretty(summary)?, sync)
    }

    pub(super) fn read_summary(&self) -> io::Result<Summary> {
        self.read_note("summary.json")
    }

    /// Replaces a small file as a whole.
    fn replace(&self, name: &str, content: &[u8], sync: Sync) -> io::Result<()> {
        let temporary = self.at(&format!("{name}.new"));
        let mut file = private::open_file(&temporary)?;
        file.set_len(0)?;
        file.write_all(content)?;
        if sync == Sync::Yes {
            file.sync_all()?;
        }
        drop(file);
        files::replace(&temporary, &self.at(name))
    }

    fn read_note<T: DeserializeOwned>(&self, name: &str) -> io::Result<T> {
        let mut text = Vec::new();
        files::open(&self.at(name))?
            .take(LARGEST_NOTE)
            .read_to_end(&mut text)?;
        Ok(serde_json::from_slice(&text)?)
    }

    /// Writes the file that makes a run of this folder, durably.
    pub(super) fn complete(&self, head: Head) -> io::Result<HeadFile> {
        self.replace("head", HeadFile::line(head).as_bytes(), Sync::Yes)?;
        private::sync_folder(&self.path)?;
        if let Some(runs) = self.path.parent() {
            private::sync_folder(runs)?;
        }
        self.head_file()
    }

    /// The file `head`, to be written to.
    pub(super) fn head_file(&self) -> io::Result<HeadFile> {
        private::open_file(&self.at("head")).map(HeadFile)
    }

    /// The newest entry that the file `head` names.
    pub(super) fn read_head(&self) -> Result<Head, JournalError> {
        let path = self.at("head");
        let damaged = |what: &str| JournalError::Damaged(format!("the file `{}` {what}", path.display()));
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(damaged("is missing")),
            Err(source) => {
                return Err(JournalError::Storage {
                    doing: "opened",
                    source,
                });
            }
        };
        let mut text = String::new();
        let read = file.take(LARGEST_NOTE).read_to_string(&mut text);
        read.map_err(|_| damaged("is not text"))?;
        HeadFile::parse(&text).map_err(|version| match version {
            Some(version) => JournalError::Newer(format!("its folder has version {version}")),
            None => damaged("is not what was written"),
        })
    }
}

/// The file `head`: one line of a fixed length, which fits in one sector and is overwritten in place. It is
/// written after the database was synced and is not synced itself, so it is never ahead of the database; it
/// tells when sled has recovered to an older state than was there.
#[derive(Debug)]
pub(super) struct HeadFile(File);

impl HeadFile {
    pub(super) fn write(&mut self, head: Head) -> io::Result<()> {
        self.0.seek(SeekFrom::Start(0))?;
        self.0.write_all(Self::line(head).as_bytes())
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn line(head: Head) -> String {
        format!("{FORMAT} {VERSION} {:020} {}\n", head.seq, head.hash)
    }

    /// What a line says; else its version, if it has another one.
    fn parse(line: &str) -> Result<Head, Option<u64>> {
        let parts: Vec<&str> = line.split_ascii_whitespace().collect();
        match parts.as_slice() {
            [FORMAT, version, rest @ ..] => match (version.parse(), rest) {
                (Ok(VERSION), [seq, hash]) => {
                    let seq = seq.parse().map(crate::id::Seq).map_err(|_| None)?;
                    Ok(Head {
                        seq,
                        hash: hash.parse().map_err(|_| None)?,
                    })
                }
                (Ok(version), _) if version > VERSION => Err(Some(version)),
                _ => Err(None),
            },
            _ => Err(None),
        }
    }
}
