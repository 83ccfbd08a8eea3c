//! Making a run: what its new folder begins with.

use super::filling::{Filling, When};
use super::folder::{Folder, HeadFile, Sync};
use super::keys::{Key, append_to_bytes};
use super::store::{Changes, Store};
use crate::core::event::Entry;
use crate::id::Seq;
use crate::journal::chain::{Head, Record};
use crate::journal::{Fill, Holder, JournalError, Standing, Summary};

/// Puts into the new folder of a run what another journal holds of it.
pub(super) fn refill(
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
    let mut filled = || {
        let mut filling = Filling::after(None, &store, When::AsItComes);
        fill(&mut filling)?;
        let (changes, head) = filling.finish();
        let head = head.ok_or_else(|| JournalError::Unstorable("a run without entries".to_owned()))?;
        store.apply(changes)?;
        store.sync()?;
        folder.stand(standing).map_err(failed)?;
        let file = folder.complete(head).map_err(failed)?;
        folder.write_holder(holder).map_err(failed)?;
        Ok((head, file))
    };
    match filled() {
        Ok((head, file)) => Ok((store, head, file)),
        Err(error) => Err(abandoned(folder, store, error)),
    }
}

/// Puts into the new folder of a run what belongs there.
pub(super) fn fill(
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
    let filled = || {
        let file = folder.complete(head)?;
        folder.write_holder(holder)?;
        if let Some(summary) = Summary::of_first(first, &head.hash) {
            folder.write_summary(&summary, Sync::No)?;
        }
        Ok(file)
    };
    match filled() {
        Ok(file) => Ok((store, file)),
        Err(error) => Err(abandoned(folder, store, failed(error))),
    }
}

/// Closes a database that is removed next, since the run could not be made: what is open cannot go everywhere.
fn abandoned(folder: &Folder, store: Store, why: JournalError) -> JournalError {
    if let Err(error) = store.close(&folder.db()) {
        tracing::warn!(%error, "the database of an unfinished run could not be closed");
    }
    why
}
