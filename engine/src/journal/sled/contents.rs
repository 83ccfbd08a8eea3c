//! Reading what a database holds of a run, and checking that it is all there.

use std::ops::ControlFlow;

use super::folder::Folder;
use super::keys::{Key, Kind, append_from_bytes};
use super::store::Store;
use crate::id::Seq;
use crate::journal::chain::{Digest, Head, Record};
use crate::journal::verify::{Anchor, Verifier};
use crate::journal::{Chunk, JournalError, Kept, MOST_AT_ONCE, Verification};

/// The newest entry, after everything that can be seen without reading the whole journal: neither `head` nor the
/// summary knew a newer one, and the one that `head` names is there. sled recovers a damaged file to an older
/// state without a word; a run must never go on from there.
pub(super) fn checked_head(store: &Store, folder: &Folder) -> Result<Head, JournalError> {
    let Some(head) = newest(store)? else {
        return Err(JournalError::Damaged(
            "truncated: the database holds no entry".to_owned(),
        ));
    };
    agreed(folder, head, |seq| hash_of(store, seq))
}

/// The newest entry that is there, if what stands beside it does not say otherwise.
pub(super) fn agreed(
    folder: &Folder,
    head: Head,
    hash_of: impl Fn(Seq) -> Result<Option<Digest>, JournalError>,
) -> Result<Head, JournalError> {
    let damaged = |message: String| Err(JournalError::Damaged(message));
    let noted = folder.read_head()?;
    let summary = folder.read_summary().ok().map(|summary| summary.head);
    let known = summary.map_or(noted.seq, |seq| seq.max(noted.seq));
    if known > head.seq {
        return damaged(format!(
            "truncated: it ends with entry {}, but entry {known} was written",
            head.seq
        ));
    }
    if hash_of(noted.seq)? != Some(noted.hash) {
        return damaged(format!(
            "changed: entry {} is not the one that was written",
            noted.seq
        ));
    }
    Ok(head)
}

/// The last entry that the database holds.
fn newest(store: &Store) -> Result<Option<Head>, JournalError> {
    let Some((first, bytes)) = store.append_with(Seq(u64::MAX))? else {
        return Ok(None);
    };
    Ok(numbered(first, &bytes).last().and_then(|(seq, bytes)| {
        let hash = Record::from_bytes(bytes)?.hash;
        Some(Head { seq, hash })
    }))
}

/// The records of an append with their numbers.
fn numbered(first: Seq, append: &[u8]) -> impl Iterator<Item = (Seq, &[u8])> {
    (first.0..).map(Seq).zip(append_from_bytes(append))
}

/// The hash that the record of an entry says it has.
fn hash_of(store: &Store, seq: Seq) -> Result<Option<Digest>, JournalError> {
    let Some((first, bytes)) = store.append_with(seq)? else {
        return Ok(None);
    };
    let mut records = numbered(first, &bytes);
    Ok(records
        .find(|(at, _)| *at == seq)
        .and_then(|(_, bytes)| Record::from_bytes(bytes))
        .map(|record| record.hash))
}

/// The entries from `from` up to `head`, each checked against the chain.
pub(super) fn kept(store: &Store, head: Head, from: Seq) -> Result<Vec<Kept>, JournalError> {
    let gap = |at: Seq| JournalError::Damaged(format!("dropped: entry {at} is missing"));
    if from > head.seq {
        return Ok(Vec::new());
    }
    let mut prev = match from.0.checked_sub(1).map(Seq) {
        None => Digest::ZERO,
        Some(before) => hash_of(store, before)?.ok_or_else(|| gap(before))?,
    };
    let (begin, _) = store.append_with(from)?.ok_or_else(|| gap(from))?;
    let mut entries = Vec::new();
    let mut next = from;
    store.scan(&Key::of_kind(Kind::Append), &Key::append(begin), |key, bytes| {
        let first = key.to_seq().ok_or_else(|| gap(next))?;
        for (at, bytes) in numbered(first, &bytes) {
            if at > head.seq {
                return Ok(ControlFlow::Break(()));
            }
            if at >= from {
                let record = Record::from_bytes(bytes)
                    .filter(|_| at == next)
                    .ok_or_else(|| gap(next))?;
                entries.push(record.open(at, prev)?);
                prev = record.hash;
                next = next.next();
            }
        }
        Ok(ControlFlow::Continue(()))
    })?;
    if next != head.seq.next() || prev != head.hash {
        return Err(gap(next));
    }
    Ok(entries)
}

/// What is kept of the entries from `from` up to `head`.
pub(super) fn records(store: &Store, head: Head, from: Seq) -> Result<Vec<Vec<u8>>, JournalError> {
    let mut records = Vec::new();
    let prefix = Key::of_kind(Kind::Append);
    let begin = store.append_with(from)?.map_or(Seq(0), |(first, _)| first);
    store.scan(&prefix, &Key::append(begin), |key, bytes| {
        let damaged = || JournalError::Damaged("the key of an entry is none".to_owned());
        let first = key.to_seq().ok_or_else(damaged)?;
        let wanted = numbered(first, &bytes).filter(|(at, _)| (from..=head.seq).contains(at));
        records.extend(wanted.map(|(_, bytes)| bytes.to_vec()));
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(records)
}

/// The transcript of the activity that entry `of` started.
pub(super) fn transcript(store: &Store, of: Seq) -> Result<Vec<Chunk>, JournalError> {
    let prefix = Key::transcript(of);
    let mut chunks = Vec::new();
    store.scan(&prefix, &prefix, |_, bytes| {
        chunks.push(Chunk::from_bytes(&bytes)?);
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(chunks)
}

/// The transcripts of the first of these activities.
pub(super) fn transcripts(store: &Store, of: &[Seq]) -> Result<Vec<(Seq, Vec<Chunk>)>, JournalError> {
    let (mut found, mut size) = (Vec::new(), 0);
    for &of in of {
        let chunks = transcript(store, of)?;
        size += chunks.iter().map(|chunk| chunk.bytes.len()).sum::<usize>();
        found.push((of, chunks));
        if size >= MOST_AT_ONCE {
            break;
        }
    }
    Ok(found)
}

/// The attachment of this hash.
pub(super) fn attachment(store: &Store, sha256: &str) -> Result<Vec<u8>, JournalError> {
    let missing = || JournalError::Damaged(format!("there is no attachment {sha256}"));
    let hash: Digest = sha256.parse().map_err(|_| missing())?;
    if !store.contains(&Key::attached(&hash))? {
        return Err(missing());
    }
    let content = store.get(&Key::content(&hash))?.unwrap_or_default();
    if Digest::of(&content) == hash {
        Ok(content)
    } else {
        Err(JournalError::Damaged(format!(
            "changed: the attachment {sha256} does not match its hash"
        )))
    }
}

/// Looks at everything. What cannot be read is a finding too.
pub(super) fn verify(store: &Store, anchors: Vec<Anchor>) -> Verification {
    let mut verifier = Verifier::new(anchors);
    let entries = each(store, Kind::Append, |key, bytes| match key.to_seq() {
        Some(first) => numbered(first, &bytes).for_each(|(at, bytes)| verifier.entry(at, bytes)),
        None => verifier.unreadable("an entry", "its key is none"),
    });
    verifier.entries_end();
    let chunks = each(store, Kind::Chunk, |key, bytes| match key.to_chunk() {
        Some((of, number)) => verifier.chunk(of, number, &bytes),
        None => verifier.unreadable("a chunk of a transcript", "its key is none"),
    });
    let attachments = each(store, Kind::Attached, |key, _| match key.to_digest() {
        Some(hash) => match store.get(&Key::content(&hash)) {
            Ok(content) => verifier.attachment(&hash.to_string(), &content.unwrap_or_default()),
            Err(error) => verifier.unreadable("an attachment", &error.to_string()),
        },
        None => verifier.unreadable("an attachment", "its key is none"),
    });
    for (what, result) in [
        ("an entry", entries),
        ("a transcript", chunks),
        ("an attachment", attachments),
    ] {
        if let Err(error) = result {
            verifier.unreadable(what, &error.to_string());
        }
    }
    verifier.finish()
}

fn each(store: &Store, kind: Kind, mut visit: impl FnMut(&Key, Vec<u8>)) -> Result<(), JournalError> {
    let prefix = Key::of_kind(kind);
    store.scan(&prefix, &prefix, |key, bytes| {
        visit(key, bytes);
        Ok(ControlFlow::Continue(()))
    })
}
