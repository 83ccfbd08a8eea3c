//! The embedded store: one sled database per run, in a folder of its own.
//!
//! Whoever has locked a run's `lock` file has the run to itself: for as long as it is claimed, or for the time
//! of one call that only reads. See `docs/reference/journal.md` for what the folder holds and
//! `docs/decisions/` for why.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::runtime::{Handle, RuntimeFlavor};

use self::folder::Folder;
use self::held::Held;
pub use self::list::{peek, sockets_left};
pub use self::root::inspect;
use self::sealed::Sealed;
use self::shelf::Shelf;
use self::store::Store;
use super::{
    Chunk, Claim, Durable, Fill, Holder, Journal, JournalError, Kept, Listed, Standing, Summary, Verification,
};
use crate::core::event::Entry;
use crate::id::{RunId, Seq};
use crate::identity::Signer;

mod commit;
mod contents;
mod copy;
mod filling;
mod folder;
mod guard;
mod held;
mod keys;
mod list;
mod making;
mod root;
mod sealed;
mod shelf;
mod store;

#[cfg(test)]
mod tests;

/// Runs in a state folder, each in a database of its own.
pub struct SledJournal {
    runs: PathBuf,
    /// Where copies of runs may be put whose own disk takes nothing more.
    scratch: Option<PathBuf>,
    held: Mutex<BTreeMap<RunId, Arc<Held>>>,
}

impl SledJournal {
    /// The journal in the state folder `root`, which is made if it is not there.
    ///
    /// # Errors
    /// When the folder cannot be made or used, is somebody else's, or was made by a newer program.
    pub fn open(root: &Path) -> Result<Self, JournalError> {
        let runs = root::prepare(root)?;
        Ok(Self {
            runs,
            scratch: None,
            held: Mutex::default(),
        })
    }

    /// Lets runs be read whose disk is full or cannot be written to: in a private copy in this folder.
    #[must_use]
    pub fn with_scratch(self, folder: PathBuf) -> Self {
        Self {
            scratch: Some(folder),
            ..self
        }
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<RunId, Arc<Held>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn folder(&self, run: RunId) -> Folder {
        Folder::new(&self.runs, run)
    }

    /// The run of a claim, if it is still the one that was given.
    fn claimed(&self, claim: &Claim) -> Result<Arc<Held>, JournalError> {
        let held = self.held().get(&claim.run).cloned();
        held.filter(|held| held.holder == claim.holder)
            .ok_or(JournalError::NotClaimed)
    }

    /// Keeps a run that was just claimed, so that all calls find it.
    fn keep(&self, run: RunId, held: Held) -> Claim {
        let holder = held.holder.clone();
        let _none = self.held().insert(run, Arc::new(held));
        Claim { run, holder }
    }

    /// Reads of a run: where this process holds it, from the open database; else it is opened for this.
    fn reading<T>(
        &self,
        run: RunId,
        work: impl Fn(Shelf<'_>) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        let held = self.held().get(&run).cloned();
        match held.map(|held| held.reading(&work)) {
            // It was given back just now.
            None | Some(Err(JournalError::NotClaimed)) => {}
            Some(result) => return result,
        }
        let folder = self.folder(run);
        match in_place(&folder, &work) {
            // Opening a database writes to it. What is on a full disk, or one that can only be read, is still there.
            Err(JournalError::Storage { source, .. }) if root::unwritable(&source) => {
                copy::reading(&folder, self.scratch.as_deref(), work)
            }
            result => result,
        }
    }
}

fn in_place<T>(
    folder: &Folder,
    work: impl FnOnce(Shelf<'_>) -> Result<T, JournalError>,
) -> Result<T, JournalError> {
    let _lock = folder.lock()?;
    if let Some(sealed) = Sealed::open(folder)? {
        return work(Shelf::Sealed(&sealed));
    }
    let store = Store::open(&folder.db())?;
    let result = contents::checked_head(&store, folder).and_then(|head| work(Shelf::Database(&store, head)));
    store.close(&folder.db())?;
    result
}

/// Does what waits for the disk. Other tasks move to other threads meanwhile, where there are any; the work is
/// never abandoned half-way, as it would be if it were awaited. A panic of sled's that no call of it could
/// catch, as when a damaged database is dropped, ends here.
fn blocking<T>(work: impl FnOnce() -> Result<T, JournalError>) -> Result<T, JournalError> {
    let work = || guard::caught(work);
    match Handle::try_current().map(|handle| handle.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}

#[async_trait]
impl Journal for SledJournal {
    async fn create_by(
        &self,
        run: RunId,
        holder: Holder,
        first: &[Entry],
        signer: Option<&dyn Signer>,
    ) -> Result<(Claim, Durable<Seq>), JournalError> {
        blocking(|| {
            let folder = self.folder(run);
            let (held, durable) = Held::create(folder.clone(), holder, first, signer)?;
            if let Err(error) = list::sweep(&self.runs, &folder) {
                tracing::warn!(%error, "what earlier crashes left behind could not be removed");
            }
            Ok((self.keep(run, held), durable))
        })
    }

    async fn claim(&self, run: RunId, holder: Holder) -> Result<Claim, JournalError> {
        let other = self.held().get(&run).map(|held| held.holder.clone());
        if let Some(other) = other {
            return Err(JournalError::Held(Some(other)));
        }
        blocking(|| Held::claim(self.folder(run), holder).map(|held| self.keep(run, held)))
    }

    async fn release(&self, claim: Claim, summary: Option<Summary>) -> Result<(), JournalError> {
        let held = self.claimed(&claim)?;
        let _same = self.held().remove(&claim.run);
        blocking(|| held.release(summary.as_ref()))
    }

    async fn append_by(
        &self,
        claim: &Claim,
        expected: Seq,
        entries: &[Entry],
        signer: Option<&dyn Signer>,
    ) -> Result<Durable<Seq>, JournalError> {
        let held = self.claimed(claim)?;
        blocking(|| held.append(expected, entries, signer))
    }

    async fn kept(&self, run: RunId, from: Seq) -> Result<Vec<Kept>, JournalError> {
        blocking(|| self.reading(run, |shelf| shelf.kept(from)))
    }

    async fn records(&self, run: RunId, from: Seq) -> Result<Vec<Vec<u8>>, JournalError> {
        blocking(|| self.reading(run, |shelf| shelf.records(from)))
    }

    async fn restore(
        &self,
        run: RunId,
        holder: Holder,
        standing: Standing,
        fill: Fill<'_>,
    ) -> Result<Claim, JournalError> {
        let other = self.held().get(&run).map(|held| held.holder.clone());
        if let Some(other) = other {
            return Err(JournalError::Held(Some(other)));
        }
        blocking(|| Held::restore(self.folder(run), holder, standing, fill).map(|held| self.keep(run, held)))
    }

    async fn is_copy(&self, run: RunId) -> Result<bool, JournalError> {
        Ok(self.folder(run).is_copy())
    }

    async fn remove(&self, run: RunId) -> Result<(), JournalError> {
        let folder = self.folder(run);
        blocking(|| {
            let lock = folder.lock()?;
            folder.remove_run(lock).map_err(|source| JournalError::Storage {
                doing: "removed",
                source,
            })
        })
    }

    fn print(&self, claim: &Claim, of: Seq, number: u32, chunk: &Chunk) -> Result<(), JournalError> {
        self.claimed(claim)?.print(of, number, chunk)
    }

    async fn transcript(&self, run: RunId, of: Seq) -> Result<Vec<Chunk>, JournalError> {
        blocking(|| self.reading(run, |shelf| shelf.transcript(of)))
    }

    async fn transcripts(&self, run: RunId, of: &[Seq]) -> Result<Vec<(Seq, Vec<Chunk>)>, JournalError> {
        blocking(|| self.reading(run, |shelf| shelf.transcripts(of)))
    }

    async fn attach(&self, claim: &Claim, content: &[u8]) -> Result<String, JournalError> {
        let held = self.claimed(claim)?;
        blocking(|| held.attach(content)).map(|hash| hash.to_string())
    }

    async fn attachment(&self, run: RunId, sha256: &str) -> Result<Vec<u8>, JournalError> {
        blocking(|| self.reading(run, |shelf| shelf.attachment(sha256)))
    }

    async fn holder(&self, run: RunId) -> Result<Option<Holder>, JournalError> {
        Ok(self.folder(run).holder())
    }

    fn door(&self, run: RunId) -> Option<PathBuf> {
        Some(self.folder(run).path().to_owned())
    }

    async fn summarise(&self, claim: &Claim, summary: &Summary) -> Result<(), JournalError> {
        let held = self.claimed(claim)?;
        let failed = |source| JournalError::Storage {
            doing: "written",
            source,
        };
        blocking(|| {
            held.folder
                .write_summary(summary, folder::Sync::No)
                .map_err(failed)
        })
    }

    async fn head_hash(&self, run: RunId) -> Result<String, JournalError> {
        blocking(|| self.reading(run, |shelf| Ok(shelf.head().hash.to_string())))
    }

    async fn runs(&self) -> Result<Vec<RunId>, JournalError> {
        blocking(|| list::runs(&self.runs))
    }

    async fn list(&self) -> Result<Vec<Listed>, JournalError> {
        blocking(|| list::list(&self.runs))
    }

    async fn verify(&self, run: RunId) -> Result<Verification, JournalError> {
        let held = self.held().get(&run).cloned();
        let folder = self.folder(run);
        blocking(|| {
            held.map_or_else(
                || copy::verify(&folder, self.scratch.as_deref()),
                |held| held.verify(),
            )
        })
    }
}
