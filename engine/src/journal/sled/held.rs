//! A run that this process holds: its open database, and the one way to add to it. One that is sealed is read as it is,
//! and becomes a database again before anything is added.

use std::io;
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard};

use super::commit::{GroupCommit, Ticket};
use super::filling::{Filling, When, attached};
use super::folder::{Folder, HeadFile, Lock, Sync};
use super::keys::{Key, append_to_bytes};
use super::sealed::Sealed;
use super::shelf::Shelf;
use super::store::{Changes, Store};
use super::{contents, copy, making, sealed};
use crate::core::event::Entry;
use crate::id::Seq;
use crate::identity::Signer;
use crate::journal::chain::{Digest, Head, seal_all};
use crate::journal::{
    Chunk, Durable, Fill, Holder, JournalError, Standing, Summary, Verification, attachable, locked,
};

/// A claimed run.
pub(super) struct Held {
    pub(super) holder: Holder,
    pub(super) folder: Folder,
    /// None once it was given back.
    open: RwLock<Option<Open>>,
}

/// Where a held run is kept.
enum Open {
    Database(Box<Database>),
    Sealed(Sealed, Lock),
}

struct Database {
    store: Store,
    /// The newest entry that was applied; locked while one is.
    tip: Mutex<Head>,
    /// The newest entry that is durable, and the file that names it.
    durable: Mutex<(Head, HeadFile)>,
    commit: GroupCommit,
    /// Dropped last: nobody may come in before the database is closed.
    lock: Lock,
}

/// Whether all that was applied is durable.
enum Synced {
    All,
    /// An earlier write failed.
    NotAll,
}

impl Held {
    /// Makes a run of its first entries.
    pub(super) fn create(
        folder: Folder,
        holder: Holder,
        first: &[Entry],
        signer: Option<&dyn Signer>,
    ) -> Result<(Self, Durable<Seq>), JournalError> {
        let failed = |source| JournalError::Storage {
            doing: "made",
            source,
        };
        let records = seal_all(None, first, signer)?;
        let Some(head) = records.last().map(|(seq, record)| Head {
            seq: *seq,
            hash: record.hash,
        }) else {
            return Err(JournalError::Unstorable("a run without entries".to_owned()));
        };
        let lock = folder.create().map_err(failed)?;
        let made = making::fill(&folder, &holder, first, &records, head);
        let ((store, file), lock) = folder.made(lock, made)?;
        let open = Open::database(store, head, file, lock);
        Ok((Self::new(folder, holder, open), Durable::attest(head.seq)))
    }

    /// Makes a run of all that another journal holds of it, or adds to what is here.
    pub(super) fn restore(
        folder: Folder,
        holder: Holder,
        standing: Standing,
        fill: Fill<'_>,
    ) -> Result<Self, JournalError> {
        let failed = |doing| move |source| JournalError::Storage { doing, source };
        if folder.is_complete() {
            let held = Self::take_up(folder, holder)?;
            held.extend(fill)?;
            held.folder.stand(standing).map_err(failed("written"))?;
            return Ok(held);
        }
        let lock = folder.create().map_err(failed("made"))?;
        let made = making::refill(&folder, &holder, standing, fill);
        let ((store, head, file), lock) = folder.made(lock, made)?;
        Ok(Self::new(folder, holder, Open::database(store, head, file, lock)))
    }

    /// Adds what another journal holds beyond what is here.
    fn extend(&self, fill: Fill<'_>) -> Result<(), JournalError> {
        self.with(|open| {
            let mut tip = locked(&open.tip);
            open.commit.check()?;
            let mut filling = Filling::after(Some(*tip), &open.store, When::InTheEnd);
            fill(&mut filling)?;
            let (changes, head) = filling.finish();
            let ticket = open.commit.applied(open.store.apply(changes))?;
            *tip = head.unwrap_or(*tip);
            drop(tip);
            open.wait(ticket)
        })
    }

    /// Takes a run up. An entry that its last writer applied but did not sync is synced now: it counts.
    pub(super) fn claim(folder: Folder, holder: Holder) -> Result<Self, JournalError> {
        if folder.is_copy() {
            return Err(JournalError::Copy);
        }
        Self::take_up(folder, holder)
    }

    fn take_up(folder: Folder, holder: Holder) -> Result<Self, JournalError> {
        let lock = folder.lock()?;
        let failed = |source| JournalError::Storage {
            doing: "written",
            source,
        };
        let open = if let Some(sealed) = Sealed::open(&folder)? {
            Open::Sealed(sealed, lock)
        } else {
            let store = Store::open(&folder.db())?;
            let head = contents::checked_head(&store, &folder)?;
            let mut file = folder.head_file().map_err(failed)?;
            store.sync()?;
            file.write(head).map_err(failed)?;
            Open::database(store, head, file, lock)
        };
        folder.write_holder(&holder).map_err(failed)?;
        Ok(Self::new(folder, holder, open))
    }

    fn new(folder: Folder, holder: Holder, open: Open) -> Self {
        Self {
            holder,
            folder,
            open: RwLock::new(Some(open)),
        }
    }

    /// Calls `work` with the database, to add to it, unless the run was given back.
    fn with<T>(&self, work: impl FnOnce(&Database) -> Result<T, JournalError>) -> Result<T, JournalError> {
        let sealed = matches!(self.opened()?.as_ref(), Some(Open::Sealed(..)));
        if sealed {
            self.unseal()?;
        }
        match self.opened()?.as_ref() {
            Some(Open::Database(database)) => work(database),
            Some(Open::Sealed(..)) | None => Err(JournalError::NotClaimed),
        }
    }

    fn opened(&self) -> Result<RwLockReadGuard<'_, Option<Open>>, JournalError> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        if open.is_some() {
            Ok(open)
        } else {
            Err(JournalError::NotClaimed)
        }
    }

    /// Makes a database of a sealed run again. Where that does not succeed, it stays as it was.
    fn unseal(&self) -> Result<(), JournalError> {
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        *open = match open.take() {
            Some(Open::Sealed(sealed, lock)) => match sealed.unseal(&self.folder) {
                Ok((store, head, file)) => Some(Open::database(store, head, file, lock)),
                Err(error) => {
                    *open = Some(Open::Sealed(sealed, lock));
                    return Err(error);
                }
            },
            other => other,
        };
        Ok(())
    }

    /// Reads, of entries only what is durable.
    pub(super) fn reading<T>(
        &self,
        work: impl FnOnce(Shelf<'_>) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        match self.opened()?.as_ref() {
            Some(Open::Database(database)) => {
                let durable = locked(&database.durable).0;
                work(Shelf::Database(&database.store, durable))
            }
            Some(Open::Sealed(sealed, _)) => work(Shelf::Sealed(sealed)),
            None => Err(JournalError::NotClaimed),
        }
    }

    /// Looks at everything, while nothing is appended.
    pub(super) fn verify(&self) -> Result<Verification, JournalError> {
        match self.opened()?.as_ref() {
            Some(Open::Database(database)) => {
                let anchors = copy::anchors(&self.folder)?;
                let _no_appends = locked(&database.tip);
                Ok(contents::verify(&database.store, anchors))
            }
            Some(Open::Sealed(..)) => sealed::verify(&self.folder),
            None => Err(JournalError::NotClaimed),
        }
    }

    pub(super) fn append(
        &self,
        expected: Seq,
        entries: &[Entry],
        signer: Option<&dyn Signer>,
    ) -> Result<Durable<Seq>, JournalError> {
        self.with(|open| {
            let mut tip = locked(&open.tip);
            open.commit.check()?;
            let found = tip.seq.next();
            if expected != found {
                return Err(JournalError::Conflict { expected, found });
            }
            let records = seal_all(Some(*tip), entries, signer)?;
            let head = records.last().map_or(*tip, |(seq, record)| Head {
                seq: *seq,
                hash: record.hash,
            });
            let mut changes = Changes::default();
            changes.put(
                &Key::append(expected),
                &append_to_bytes(records.iter().map(|(_, record)| record)),
            );
            let ticket = open.commit.applied(open.store.apply(changes))?;
            *tip = head;
            drop(tip);
            open.wait(ticket)?;
            Ok(Durable::attest(head.seq))
        })
    }

    pub(super) fn print(&self, of: Seq, number: u32, chunk: &Chunk) -> Result<(), JournalError> {
        let bytes = chunk.to_bytes()?;
        self.with(|open| {
            open.commit.check()?;
            let mut changes = Changes::default();
            changes.put(&Key::chunk(of, number), &bytes);
            open.commit.applied(open.store.apply(changes)).map(drop)
        })
    }

    pub(super) fn attach(&self, content: &[u8]) -> Result<Digest, JournalError> {
        attachable(content)?;
        let hash = Digest::of(content);
        self.with(|open| {
            open.commit.check()?;
            if !open.store.contains(&Key::attached(&hash))? {
                open.put_attachment(&hash, content)?;
            }
            let ticket = open.commit.applied(Ok(()))?;
            open.wait(ticket)?;
            Ok(hash)
        })
    }

    /// Makes the next sync fail, as of a broken disk.
    #[cfg(test)]
    pub(super) fn fail_next_sync(&self) -> Result<(), JournalError> {
        let fail = |open: &Database| {
            open.store.broken.store(true, std::sync::atomic::Ordering::SeqCst);
            Ok(())
        };
        self.with(fail)
    }

    /// Gives the run back: when this returns, another process can claim it. A finished one is sealed.
    pub(super) fn release(&self, summary: Option<&Summary>) -> Result<(), JournalError> {
        let open = self.open.write().unwrap_or_else(PoisonError::into_inner).take();
        let failed = |source| JournalError::Storage {
            doing: "written",
            source,
        };
        let (closed, lock) = match open.ok_or(JournalError::NotClaimed)? {
            Open::Sealed(_, lock) => (Ok(()), lock),
            Open::Database(database) => {
                let (store, head, file, lock, synced) = database.apart();
                // After a failed write nobody knows what the disk holds.
                let sealed = matches!(synced, Ok(Synced::All)) && self.seal(&store, head, summary);
                let synced = synced.map(drop);
                let closed = synced.and(store.close(&self.folder.db()));
                if sealed && let Err(error) = sealed::remove_database(&self.folder) {
                    tracing::warn!(%error, "the database of a sealed run could not be removed");
                }
                // What `head` is for, a sealed run has in itself.
                let noted = if sealed {
                    Ok(())
                } else {
                    file.sync().map_err(failed)
                };
                (closed.and(noted), lock)
            }
        };
        let summarised = summary.map_or(Ok(()), |summary| {
            self.folder.write_summary(summary, Sync::Yes).map_err(failed)
        });
        let unheld = self.folder.remove_holder().map_err(failed);
        drop(lock);
        closed.and(summarised).and(unheld)
    }

    /// Whether the run is a file from now on. Where it could not become one, its database is there as ever.
    fn seal(&self, store: &Store, head: Head, summary: Option<&Summary>) -> bool {
        let sealed = summary.map_or(Ok(false), |summary| {
            sealed::seal(&self.folder, store, head, summary)
        });
        sealed.unwrap_or_else(|error| {
            tracing::warn!(%error, "a finished run could not be sealed, and stays in its database");
            false
        })
    }
}

impl Open {
    fn database(store: Store, head: Head, file: HeadFile, lock: Lock) -> Self {
        Self::Database(Box::new(Database {
            store,
            tip: Mutex::new(head),
            durable: Mutex::new((head, file)),
            commit: GroupCommit::default(),
            lock,
        }))
    }
}

impl Database {
    /// Its parts, once all is synced that was applied, and whether that succeeded.
    fn apart(self) -> (Store, Head, HeadFile, Lock, Result<Synced, JournalError>) {
        let synced = match self.commit.check() {
            Err(_) => Ok(Synced::NotAll),
            Ok(()) if self.commit.has_unsynced() => self.store.sync().map(|()| Synced::All),
            Ok(()) => Ok(Synced::All),
        };
        let tip = self.tip.into_inner().unwrap_or_else(PoisonError::into_inner);
        let (_, file) = self.durable.into_inner().unwrap_or_else(PoisonError::into_inner);
        (self.store, tip, file, self.lock, synced)
    }

    /// Waits until what was applied is durable.
    fn wait(&self, ticket: Ticket) -> Result<(), JournalError> {
        self.commit.wait(ticket, || {
            let head = *locked(&self.tip);
            self.store.sync()?;
            let mut durable = locked(&self.durable);
            if durable.0 != head {
                durable
                    .1
                    .write(head)
                    .map_err(|source: io::Error| JournalError::Storage {
                        doing: "written",
                        source,
                    })?;
                durable.0 = head;
            }
            Ok(())
        })
    }

    /// The content in several batches, then its size, which says that all of it is there.
    fn put_attachment(&self, hash: &Digest, content: &[u8]) -> Result<(), JournalError> {
        attached(hash, content)
            .try_for_each(|changes| self.commit.applied(self.store.apply(changes)).map(drop))
    }
}
