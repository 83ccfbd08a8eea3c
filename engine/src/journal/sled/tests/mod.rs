//! What holds of the embedded store beyond what holds of every store.

#![expect(
    clippy::disallowed_methods,
    reason = "tests look at files and start processes"
)]

use std::path::{Path, PathBuf};

use super::*;
use crate::core::event::Attachment;
use crate::journal::TranscriptHasher;
use crate::journal::tests::{attempt, chunk, confirmed, failed, first, holder, large, run, summary};

mod crash;
mod damage;
mod edits;
mod folder;
mod list;
mod sealed;

/// A state folder, removed at the end of the test.
pub(super) struct State(tempfile::TempDir);

impl State {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(super) fn root(&self) -> &Path {
        self.0.path()
    }

    pub(super) fn journal(&self) -> SledJournal {
        SledJournal::open(self.root()).unwrap()
    }

    pub(super) fn run(&self) -> PathBuf {
        self.root().join("runs").join(run(1).to_string())
    }

    pub(super) fn db(&self) -> PathBuf {
        self.run().join("db")
    }
}

/// What a run of every sort of content holds, to compare with.
pub(super) struct Written {
    pub(super) entries: Vec<Entry>,
    pub(super) chunks: Vec<Chunk>,
}

/// Writes a run with entries large and small, a transcript and an attachment, and gives it back.
pub(super) async fn write_run(journal: &SledJournal) -> Written {
    let (claim, _) = journal
        .create(run(1), holder("anna"), &[first(run(1))])
        .await
        .unwrap();
    let mut entries = vec![first(run(1))];
    entries.extend((1..20).map(attempt));
    for entry in &entries[1..] {
        journal
            .append(&claim, entry.seq, std::slice::from_ref(entry))
            .await
            .unwrap();
    }
    let chunks: Vec<Chunk> = (0..30)
        .map(|at| chunk(&format!("line {at}: {}\n", "x".repeat(at * 20))))
        .collect();
    let mut hasher = TranscriptHasher::new();
    for (number, chunk) in (0..).zip(&chunks) {
        hasher.update(chunk);
        journal.print(&claim, Seq(19), number, chunk).unwrap();
    }
    let sha256 = journal.attach(&claim, &vec![9; 20_000]).await.unwrap();
    let photo = Attachment {
        name: "photo.png".to_owned(),
        bytes: 20_000,
        sha256,
    };
    let more = [
        failed(20, Some(hasher.finish(Seq(19)))),
        confirmed(21, vec![photo]),
        large(22, 30_000),
    ];
    entries.extend(more);
    journal.append(&claim, Seq(20), &entries[20..]).await.unwrap();
    for seq in 23..60 {
        entries.push(attempt(seq));
        journal
            .append(&claim, Seq(seq), &entries[entries.len() - 1..])
            .await
            .unwrap();
    }
    let hash = journal.head_hash(run(1)).await.unwrap();
    journal
        .release(claim, Some(summary(run(1), Seq(59), &hash)))
        .await
        .unwrap();
    Written { entries, chunks }
}
