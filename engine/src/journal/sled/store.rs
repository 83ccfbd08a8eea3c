//! One open database: whole values in and out, in pieces, and the sync that makes them durable.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Once;
use std::thread;
use std::time::Duration;

use futures_util::FutureExt as _;

use super::guard::{guarded, guarded_write};
use super::keys::{Key, PIECE};
use crate::id::Seq;
use crate::journal::JournalError;
use crate::platform::threads::starting_threads;
use crate::platform::{lock, private};

/// How many bytes of pages sled may keep in memory.
const CACHE: u64 = 16 * 1024 * 1024;

/// How long sled's threads may take to let go of a database that was closed. They need microseconds.
const LONGEST_CLOSING: Duration = Duration::from_secs(10);

/// An open database.
pub(super) struct Store {
    db: ::sled::Db,
    /// sled's main file, for what its `flush` leaves out: `sync_data`.
    file: File,
    /// Whether the next sync fails, as of a broken disk.
    #[cfg(test)]
    pub(super) broken: std::sync::atomic::AtomicBool,
}

/// Writes that take hold together or not at all.
#[derive(Default)]
pub(super) struct Changes(Vec<(Vec<u8>, Vec<u8>)>);

impl Changes {
    /// Puts a value in pieces.
    pub(super) fn put(&mut self, key: &Key, value: &[u8]) {
        self.put_from(key, 0, value);
    }

    /// How many pieces there are.
    pub(super) fn pieces(&self) -> usize {
        self.0.len()
    }

    /// Puts a part of a value whose first piece has the number `first`; gives the number of the next.
    pub(super) fn put_from(&mut self, key: &Key, first: u32, part: &[u8]) -> u32 {
        let mut number = first;
        for piece in part.chunks(PIECE) {
            self.0.push((key.piece(number), piece.to_vec()));
            number += 1;
        }
        number
    }
}

impl Store {
    /// Makes a database in the new folder `path` that holds this, durably.
    ///
    /// All is written before the first sync: file systems make durable together what was written together, and the
    /// syncs that follow find little left to do.
    pub(super) fn create(path: &Path, first: Changes) -> Result<Self, JournalError> {
        let failed = |source| JournalError::Storage {
            doing: "made",
            source,
        };
        private::create_folder(path).map_err(failed)?;
        let store = Self::open_any(path)?;
        store.apply(first)?;
        store.write()?;
        let conf = OpenOptions::new().write(true).open(path.join("conf"));
        conf.and_then(|conf| conf.sync_all()).map_err(failed)?;
        store.sync()?;
        private::sync_folder(path).map_err(failed)?;
        Ok(store)
    }

    /// Opens the database in `path`. sled would make an empty one where there is none: this does not. The caller
    /// has the run to itself.
    pub(super) fn open(path: &Path) -> Result<Self, JournalError> {
        for (file, least) in [("db", 1), ("conf", 9)] {
            let size = fs::metadata(path.join(file)).map(|found| found.len());
            if size.as_ref().map_or(true, |&size| size < least) {
                let what = if size.is_ok() { "empty" } else { "missing" };
                let message = format!("truncated: the file `{}` is {what}", path.join(file).display());
                return Err(JournalError::Damaged(message));
            }
        }
        remove_unfinished_snapshots(path).map_err(|source| JournalError::Storage {
            doing: "opened",
            source,
        })?;
        wait_until_closed(path)?;
        let store = Self::open_any(path)?;
        if store.db.was_recovered() {
            Ok(store)
        } else {
            Err(JournalError::Damaged(
                "truncated: the database holds nothing".to_owned(),
            ))
        }
    }

    fn open_any(path: &Path) -> Result<Self, JournalError> {
        let config = ::sled::Config::new()
            .path(path)
            .cache_capacity(CACHE)
            .flush_every_ms(None);
        let db = guarded("opened", || config.open())?;
        start_threads(&db);
        let file = OpenOptions::new().read(true).write(true).open(path.join("db"));
        let file = file.map_err(|source| JournalError::Storage {
            doing: "opened",
            source,
        })?;
        Ok(Self {
            db,
            file,
            #[cfg(test)]
            broken: false.into(),
        })
    }

    /// Applies changes; they are durable after the next [`sync`](Self::sync).
    pub(super) fn apply(&self, changes: Changes) -> Result<(), JournalError> {
        guarded_write(|| match <[_; 1]>::try_from(changes.0) {
            Ok([(key, piece)]) => self.db.insert(key, piece).map(drop),
            Err(pieces) => {
                let mut batch = ::sled::Batch::default();
                pieces
                    .into_iter()
                    .for_each(|(key, piece)| batch.insert(key, piece));
                self.db.apply_batch(batch)
            }
        })
    }

    /// Makes all that was applied durable. sled's flush writes, but leaves it in the disk's cache on Linux.
    pub(super) fn sync(&self) -> Result<(), JournalError> {
        #[cfg(test)]
        if self.broken.swap(false, std::sync::atomic::Ordering::SeqCst) {
            return Err(JournalError::Storage {
                doing: "written",
                source: io::Error::other("a broken disk"),
            });
        }
        self.write()?;
        self.file.sync_data().map_err(|source| JournalError::Storage {
            doing: "written",
            source,
        })
    }

    /// Hands all that was applied to the system.
    fn write(&self) -> Result<(), JournalError> {
        guarded_write(|| self.db.flush()).map(drop)
    }

    /// The append that holds entry `seq`, if it is there: the last that begins at it or before.
    pub(super) fn append_with(&self, seq: Seq) -> Result<Option<(Seq, Vec<u8>)>, JournalError> {
        let (first, last) = (Key::append(Seq(0)).piece(0), Key::append(seq).piece(u32::MAX));
        let piece = guarded("read", || self.db.range(first..=last).next_back().transpose())?;
        let key = piece.map(|(at, _)| Key::of_piece(&at));
        let Some((key, first)) = key.and_then(|key| key.to_seq().map(|first| (key, first))) else {
            return Ok(None);
        };
        Ok(self.get(&key)?.map(|bytes| (first, bytes)))
    }

    /// Whether there is a value.
    pub(super) fn contains(&self, key: &Key) -> Result<bool, JournalError> {
        guarded("read", || self.db.contains_key(key.piece(0)))
    }

    /// A value, if it is there.
    pub(super) fn get(&self, key: &Key) -> Result<Option<Vec<u8>>, JournalError> {
        let mut found = None;
        self.scan(key, key, |at, value| {
            found = (at == key).then_some(value);
            Ok(ControlFlow::Break(()))
        })?;
        Ok(found)
    }

    /// Visits the values whose keys begin with `prefix`, from `from` on, in order.
    pub(super) fn scan(
        &self,
        prefix: &Key,
        from: &Key,
        mut visit: impl FnMut(&Key, Vec<u8>) -> Result<ControlFlow<()>, JournalError>,
    ) -> Result<(), JournalError> {
        let mut pieces = guarded("read", || Ok(self.db.range(from.as_bytes()..)))?;
        let mut value: Option<(Key, Vec<u8>)> = None;
        loop {
            let piece = guarded("read", || pieces.next().transpose())?;
            let piece = piece.filter(|(at, _)| at.starts_with(prefix.as_bytes()));
            let key = piece.as_ref().map(|(at, _)| Key::of_piece(at));
            if let Some((whole, bytes)) = value.take_if(|(whole, _)| key.as_ref() != Some(whole))
                && visit(&whole, bytes)?.is_break()
            {
                return Ok(());
            }
            let (Some(key), Some((_, bytes))) = (key, piece) else {
                return Ok(());
            };
            value
                .get_or_insert_with(|| (key, Vec::new()))
                .1
                .extend_from_slice(&bytes);
        }
    }

    /// Closes the database: when this returns, another process can open it.
    pub(super) fn close(self, path: &Path) -> Result<(), JournalError> {
        let Self { db, file, .. } = self;
        drop(file);
        guarded("closed", || {
            drop(db);
            Ok(())
        })?;
        wait_until_closed(path)
    }
}

/// Has sled start its threads, which it keeps for all databases of this process.
fn start_threads(db: &::sled::Db) {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        // Asking it to flush is what it starts them for; nothing depends on this flush.
        let _asked = starting_threads(|| db.flush_async().now_or_never());
    });
}

/// sled takes a snapshot that it had not finished when its process died for a damaged one, and refuses to open.
fn remove_unfinished_snapshots(path: &Path) -> io::Result<()> {
    for file in fs::read_dir(path)? {
        let file = file?;
        let name = file.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            fs::remove_file(file.path())?;
        }
    }
    Ok(())
}

/// Waits until nobody holds sled's lock. Only a database of this process that is just being closed can: the
/// caller has the run to itself, and sled's threads let go a moment after the database was dropped.
#[expect(
    clippy::disallowed_methods,
    reason = "the condition is another thread's lock, which can only be tried"
)]
fn wait_until_closed(path: &Path) -> Result<(), JournalError> {
    let failed = |doing| move |source| JournalError::Storage { doing, source };
    let file = File::open(path.join("db")).map_err(failed("opened"))?;
    let mut waited = Duration::ZERO;
    let pause = Duration::from_micros(100);
    loop {
        match file.try_lock() {
            Ok(()) => return lock::release(&file).map_err(failed("opened")),
            Err(fs::TryLockError::WouldBlock) if waited < LONGEST_CLOSING => {
                thread::sleep(pause);
                waited += pause;
            }
            Err(fs::TryLockError::WouldBlock) => {
                return Err(failed("closed")(io::Error::other("the database is still open")));
            }
            Err(fs::TryLockError::Error(source)) => return Err(failed("opened")(source)),
        }
    }
}
