//! A finished run, kept as a bundle instead of a database: a file of some kilobytes.
//!
//! While the file is there, it is the run, and a database beside it is what a crash left of one. So a run is sealed by
//! giving the file its name, and opened again by taking the file away; both when everything else is durable.

#![expect(
    clippy::disallowed_methods,
    reason = "this is where the journal meets the disk"
)]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter};
use std::path::PathBuf;

use super::filling::{Filling, When};
use super::folder::{Folder, HeadFile};
use super::store::{Changes, Store};
use super::{contents, copy};
use crate::id::Seq;
use crate::journal::bundle::{self, BundleError, Maker, Wanted, Writing, gather};
use crate::journal::chain::{Digest, Head, Record, open_all};
use crate::journal::{Chunk, JournalError, Kept, Summary, Verification};
use crate::platform::{files, private};

/// The largest database of a run that is sealed: what a larger one holds might not go into a bundle.
const LARGEST: u64 = bundle::LARGEST;

/// Which version of the program made it.
const PROGRAM: &str = env!("CARGO_PKG_VERSION");

/// A sealed run, which the caller has to itself.
pub(super) struct Sealed {
    path: PathBuf,
    records: Vec<Vec<u8>>,
    head: Head,
}

impl Sealed {
    /// The run of this folder, which the caller has locked, if it is sealed.
    pub(super) fn open(folder: &Folder) -> Result<Option<Self>, JournalError> {
        let path = folder.sealed();
        if !path.exists() {
            return Ok(None);
        }
        // A crash left it: the run is not kept there.
        if let Err(error) = remove_database(folder) {
            tracing::warn!(%error, "what is left of a sealed run's database could not be removed");
        }
        let mut records = Vec::new();
        read(&path, Wanted::Records(&mut records))?;
        let newest = records.last().and_then(|bytes| Record::from_bytes(bytes));
        let newest = newest.ok_or_else(|| damaged("truncated: the file holds no entry"))?;
        let head = Head {
            seq: Seq((records.len() as u64).saturating_sub(1)),
            hash: newest.hash,
        };
        let head = contents::agreed(folder, head, |seq| {
            let bytes = usize::try_from(seq.0).ok().and_then(|at| records.get(at));
            Ok(bytes
                .and_then(|bytes| Record::from_bytes(bytes))
                .map(|record| record.hash))
        })?;
        Ok(Some(Self { path, records, head }))
    }

    pub(super) fn head(&self) -> Head {
        self.head
    }

    pub(super) fn kept(&self, from: Seq) -> Result<Vec<Kept>, JournalError> {
        let mut kept = open_all(None, &self.records)?;
        Ok(kept.split_off(kept.len().min(place(from))))
    }

    pub(super) fn records(&self, from: Seq) -> Vec<Vec<u8>> {
        self.records.get(place(from)..).unwrap_or_default().to_vec()
    }

    pub(super) fn transcripts(&self, of: &[Seq]) -> Result<Vec<(Seq, Vec<Chunk>)>, JournalError> {
        let mut found: BTreeMap<Seq, Vec<Chunk>> = of.iter().map(|&of| (of, Vec::new())).collect();
        read(&self.path, Wanted::Transcripts(&mut found))?;
        Ok(of
            .iter()
            .map(|of| (*of, found.remove(of).unwrap_or_default()))
            .collect())
    }

    pub(super) fn attachment(&self, sha256: &str) -> Result<Vec<u8>, JournalError> {
        let missing = || damaged(&format!("there is no attachment {sha256}"));
        let (hash, mut found) = (sha256.parse().map_err(|_| missing())?, None);
        read(&self.path, Wanted::Attachment(&hash, &mut found))?;
        let content = found.ok_or_else(missing)?;
        if Digest::of(&content) == hash {
            Ok(content)
        } else {
            Err(damaged(&format!(
                "changed: the attachment {sha256} does not match its hash"
            )))
        }
    }

    /// Makes a database of it again, to which entries can be added. The run is the file until that is taken away.
    pub(super) fn unseal(&self, folder: &Folder) -> Result<(Store, Head, HeadFile), JournalError> {
        let failed = |source| JournalError::Storage {
            doing: "written",
            source,
        };
        remove_database(folder).map_err(failed)?;
        let (mut file, size) = open_file(&self.path)?;
        let checked = bundle::check(BufReader::new(&mut file), size).map_err(of_bundle)?;
        checked.sound().map_err(of_bundle)?;
        let store = Store::create(&folder.db(), Changes::default())?;
        let mut filling = Filling::after(None, &store, When::AsItComes);
        checked.pour(BufReader::new(&mut file), size, Seq(0), &mut filling)?;
        let (changes, head) = filling.finish();
        let head = head.filter(|head| *head == self.head);
        let head = head.ok_or_else(|| damaged("the file was changed while it was read"))?;
        store.apply(changes)?;
        store.sync()?;
        let mut named = folder.head_file().map_err(failed)?;
        named.write(head).map_err(failed)?;
        drop(file);
        // The database is there for good before the file goes, and the file is gone for good before anything is added.
        private::sync_folder(folder.path())
            .and_then(|()| files::remove_file(&self.path))
            .and_then(|()| private::sync_folder(folder.path()))
            .map_err(failed)?;
        Ok((store, head, named))
    }
}

/// Writes a finished run as a bundle, unless it is a huge one, and says whether that is what it is kept as from now on.
/// Everything in the database is durable, and the caller has the run to itself.
pub(super) fn seal(
    folder: &Folder,
    store: &Store,
    head: Head,
    summary: &Summary,
) -> Result<bool, BundleError> {
    let size = fs::metadata(folder.db().join("db")).map_or(u64::MAX, |found| found.len());
    if !summary.status.is_finished() || summary.head != head.seq || size > LARGEST {
        return Ok(false);
    }
    let new = folder.sealed().with_extension("new");
    let sealed = write(folder, store, head, summary, &new);
    if sealed.is_err() {
        let _absent = fs::remove_file(&new);
    }
    sealed.map(|()| true)
}

fn write(
    folder: &Folder,
    store: &Store,
    head: Head,
    summary: &Summary,
    new: &PathBuf,
) -> Result<(), BundleError> {
    let failed = |source| BundleError::Disk {
        doing: "written",
        source,
    };
    let file = private::open_file(new).map_err(failed)?;
    file.set_len(0).map_err(failed)?;
    let mut writing = Writing::begin(BufWriter::new(file))?;
    for bytes in contents::records(store, head, Seq(0))? {
        writing.record(&bytes)?;
    }
    for of in writing.definition()? {
        writing.transcript(of, &contents::transcript(store, of)?)?;
    }
    for (digest, sha256) in writing.attachments() {
        writing.attachment(digest, &contents::attachment(store, &sha256)?)?;
    }
    let last = writing.last().ok_or_else(|| damaged("it holds no entry"))?;
    let made = Maker {
        operator: last.operator.clone(),
        host: last.host.clone(),
        time: last.time,
        program: PROGRAM.to_owned(),
        key: None,
    };
    let (out, manifest) = writing.finish(summary.run, made, None)?;
    let file = out.into_inner().map_err(|error| failed(error.into_error()))?;
    file.sync_all().map_err(failed)?;
    drop(file);
    // What is read back is what was meant, or the database stays.
    let (file, size) = open_file(new)?;
    let checked = bundle::check(BufReader::new(file), size)?;
    if checked.sound()? != &manifest || manifest.last != head.hash.to_string() {
        return Err(damaged("it is not what was written").into());
    }
    files::replace(new, &folder.sealed()).map_err(failed)?;
    private::sync_folder(folder.path()).map_err(failed)
}

/// Checks everything that is kept of a sealed run.
pub(super) fn verify(folder: &Folder) -> Result<Verification, JournalError> {
    let (file, size) = open_file(&folder.sealed())?;
    let anchors = copy::anchors(folder)?;
    let checked = bundle::check_against(BufReader::new(file), size, anchors).map_err(of_bundle)?;
    Ok(checked.verification)
}

/// Removes the database of a run that is sealed.
pub(super) fn remove_database(folder: &Folder) -> io::Result<()> {
    match files::remove_folder(&folder.db()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// An entry's place in a list of all.
fn place(seq: Seq) -> usize {
    usize::try_from(seq.0).unwrap_or(usize::MAX)
}

fn read(path: &PathBuf, wanted: Wanted<'_>) -> Result<(), JournalError> {
    let (file, size) = open_file(path)?;
    gather(BufReader::new(file), size, wanted).map_err(of_bundle)
}

fn open_file(path: &PathBuf) -> Result<(File, u64), JournalError> {
    let opened = File::open(path).and_then(|file| file.metadata().map(|found| (file, found.len())));
    opened.map_err(|source| JournalError::Storage {
        doing: "opened",
        source,
    })
}

fn damaged(what: &str) -> JournalError {
    JournalError::Damaged(what.to_owned())
}

fn of_bundle(error: BundleError) -> JournalError {
    match error {
        BundleError::Journal(error) => error,
        BundleError::Newer(what) => JournalError::Newer(what),
        BundleError::Disk { source, .. } => JournalError::Storage {
            doing: "read",
            source,
        },
        other => JournalError::Damaged(other.to_string()),
    }
}
