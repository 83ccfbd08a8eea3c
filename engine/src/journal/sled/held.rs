//! A run that this process holds: its open database, and the one way to add to it.

use std::io;
use std::sync::{Mutex, PoisonError, RwLock};

use super::commit::{GroupCommit, Ticket};
use super::filling::{Filling, When};
use super::folder::{Folder, HeadFile, Lock, Sync};
use super::keys::{Key, PIECE, append_to_bytes};
use super::store::{Changes, Store};
use super::{contents, copy};
use crate::core::event::Entry;
use crate::id::Seq;
use crate::identity::Signer;
use crate::journal::chain::{Digest, Head, Record, seal_all};
use crate::journal::{
    Chunk, Durable, Fill, Holder, JournalError, LARGEST_ATTACHMENT, Standing, Summary, Verification, locked,
};

/// How many pieces of an attachment are applied at once.
const PIECES_AT_ONCE: usize = 64;

/// A claimed run.
pub(super) struct Held {
    pub(super) holder: Holder,
    pub(super) folder: Folder,
    /// None once it was given back.
    open: RwLock<Option<Open>>,
}

struct Open {
    store: Store,
    /// The newest entry that was applied; locked while one is.
    tip: Mutex<Head>,
    /// The newest entry that is durable, and the file that names it.
    durable: Mutex<(Head, HeadFile)>,
    commit: GroupCommit,
    /// Dropped last: nobody may come in before the database is closed.
    lock: Lock,
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
        let made = Self::fill(&folder, &holder, first, &records, head);
        let (store, file) = made.inspect_err(|_| folder.remove())?;
        Ok((
            Self::new(folder, holder, Open::new(store, head, file, lock)),
            Durable::attest(head.seq),
        ))
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
        let made = Self::refill(&folder, &holder, standing, fill);
        let (store, head, file) = made.inspect_err(|_| folder.remove())?;
        Ok(Self::new(folder, holder, Open::new(store, head, file, lock)))
    }

    /// Puts into the new folder of a run what another journal holds of it.
    fn refill(
        folder: &Folder,
        holder: &Holder,
        standing: Standing,
        fill: Fill<'_>,
    ) -> Result<(Store, Head, HeadFile), JournalError> {
        let failed = |source| JournalError::Storage {
            doing: "written",
            source,
        };
        let store = Store::create(&folder.db(), Changes::default())?;
        let mut filling = Filling::after(None, &store, When::AsItComes);
        fill(&mut filling)?;
        let (changes, head) = filling.finish();
        let head = head.ok_or_else(|| JournalError::Unstorable("a run without entries".to_owned()))?;
        store.apply(changes)?;
        store.sync()?;
        folder.stand(standing).map_err(failed)?;
        let file = folder.complete(head).map_err(failed)?;
        folder.write_holder(holder).map_err(failed)?;
        Ok((store, head, file))
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

    /// Puts into the new folder of a run what belongs there.
    fn fill(
        folder: &Folder,
        holder: &Holder,
        first: &[Entry],
        records: &[(Seq, Record)],
        head: Head,
    ) -> Result<(Store, HeadFile), JournalError> {
        let failed = |source| JournalError::Storage {
            doing: "made",
            source,
        };
        let mut changes = Changes::default();
        changes.put(
            &Key::append(Seq(0)),
            &append_to_bytes(records.iter().map(|(_, record)| record)),
        );
        let store = Store::create(&folder.db(), changes)?;
        let file = folder.complete(head).map_err(failed)?;
        folder.write_holder(holder).map_err(failed)?;
        if let Some(summary) = Summary::of_first(first, &head.hash) {
            folder.write_summary(&summary, Sync::No).map_err(failed)?;
        }
        Ok((store, file))
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
        let store = Store::open(&folder.db())?;
        let head = contents::checked_head(&store, &folder)?;
        let failed = |source| JournalError::Storage {
            doing: "written",
            source,
        };
        let mut file = folder.head_file().map_err(failed)?;
        store.sync()?;
        file.write(head).map_err(failed)?;
        folder.write_holder(&holder).map_err(failed)?;
        Ok(Self::new(folder, holder, Open::new(store, head, file, lock)))
    }

    fn new(folder: Folder, holder: Holder, open: Open) -> Self {
        Self {
            holder,
            folder,
            open: RwLock::new(Some(open)),
        }
    }

    /// Calls `work` with the database, unless the run was given back.
    fn with<T>(&self, work: impl FnOnce(&Open) -> Result<T, JournalError>) -> Result<T, JournalError> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        work(open.as_ref().ok_or(JournalError::NotClaimed)?)
    }

    /// Reads, of entries only what is durable.
    pub(super) fn reading<T>(
        &self,
        work: impl FnOnce(&Store, Head) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        self.with(|open| {
            let durable = locked(&open.durable).0;
            work(&open.store, durable)
        })
    }

    /// Looks at everything, while nothing is appended.
    pub(super) fn verify(&self) -> Result<Verification, JournalError> {
        let anchors = copy::anchors(&self.folder)?;
        self.with(|open| {
            let _no_appends = locked(&open.tip);
            Ok(contents::verify(&open.store, anchors))
        })
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
        if content.len() > LARGEST_ATTACHMENT {
            let size = content.len();
            let message = format!("an attachment has {size} bytes; at most {LARGEST_ATTACHMENT} can be kept");
            return Err(JournalError::Unstorable(message));
        }
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
        let fail = |open: &Open| {
            open.store.broken.store(true, std::sync::atomic::Ordering::SeqCst);
            Ok(())
        };
        self.with(fail)
    }

    /// Gives the run back: when this returns, another process can claim it.
    pub(super) fn release(&self, summary: Option<&Summary>) -> Result<(), JournalError> {
        let open = self.open.write().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Open {
            store,
            durable,
            commit,
            lock,
            ..
        }) = open
        else {
            return Err(JournalError::NotClaimed);
        };
        let failed = |source| JournalError::Storage {
            doing: "written",
            source,
        };
        let synced = if commit.has_unsynced() {
            store.sync()
        } else {
            Ok(())
        };
        let closed = store.close(&self.folder.db());
        let (_, file) = durable.into_inner().unwrap_or_else(PoisonError::into_inner);
        let noted = file.sync().map_err(failed);
        let summarised = summary.map_or(Ok(()), |summary| {
            self.folder.write_summary(summary, Sync::Yes).map_err(failed)
        });
        let unheld = self.folder.remove_holder().map_err(failed);
        drop(lock);
        synced.and(closed).and(noted).and(summarised).and(unheld)
    }
}

impl Open {
    fn new(store: Store, head: Head, file: HeadFile, lock: Lock) -> Self {
        let durable = Mutex::new((head, file));
        Self {
            store,
            tip: Mutex::new(head),
            durable,
            commit: GroupCommit::default(),
            lock,
        }
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

/// An attachment in several batches, to be applied in order: the last holds its size.
pub(super) fn attached<'a>(hash: &Digest, content: &'a [u8]) -> impl Iterator<Item = Changes> + use<'a> {
    let (key, end) = (Key::content(hash), Key::attached(hash));
    let mut number = 0;
    let pieces = content.chunks(PIECE * PIECES_AT_ONCE).map(move |batch| {
        let mut changes = Changes::default();
        number = changes.put_from(&key, number, batch);
        changes
    });
    let size = (content.len() as u64).to_be_bytes();
    let last = std::iter::once_with(move || {
        let mut changes = Changes::default();
        changes.put(&end, &size);
        changes
    });
    pieces.chain(last)
}
