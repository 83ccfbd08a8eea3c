//! The disk loses or garbles bytes: never a panic, never entries that were not written.

use std::fs;

use super::*;

/// A small generator: the places must be the same each time.
pub(super) struct Places(pub(super) u64);

impl Places {
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound.max(1)
    }
}

#[derive(Debug, Clone, Copy)]
enum Damage {
    Flip,
    Truncate,
    Zero,
}

fn damaged(intact: &[u8], damage: Damage, at: usize) -> Vec<u8> {
    let mut bytes = intact.to_vec();
    match damage {
        Damage::Flip => bytes[at] ^= 1 << (at % 8),
        Damage::Truncate => bytes.truncate(at),
        Damage::Zero => {
            let end = (at + 4096).min(bytes.len());
            bytes[at..end].fill(0);
        }
    }
    bytes
}

pub(super) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        let target = to.join(file.file_name());
        if file.file_type().unwrap().is_dir() {
            copy(&file.path(), &target);
        } else {
            fs::copy(file.path(), target).unwrap();
        }
    }
}

/// What the store says of a damaged run is an error, a finding, or everything that was written.
async fn says_the_truth(state: &State, written: &Written, what: &str) -> &'static str {
    let journal = state.journal();
    let verified = journal.verify(run(1)).await;
    let clean = verified.as_ref().is_ok_and(|found| found.findings.is_empty());
    let (read, printed) = (
        journal.read(run(1), Seq(0)).await,
        journal.transcript(run(1), Seq(19)).await,
    );
    if let Ok(entries) = &read {
        assert!(
            *entries == written.entries,
            "{what}: other entries than were written"
        );
    }
    if clean {
        assert!(read.is_ok(), "{what}: verified, but {read:?}");
        assert!(
            printed.unwrap() == written.chunks,
            "{what}: another transcript than was printed"
        );
        "intact"
    } else if verified.is_ok() {
        "finding"
    } else {
        "error"
    }
}

async fn at_many_places(file: &str, damage: Damage, places: usize) {
    let original = State::new();
    let written = write_run(&original.journal()).await;
    let intact = fs::read(original.run().join(file)).unwrap();
    let used = intact.iter().rposition(|&byte| byte != 0).unwrap() + 1;
    let mut random = Places(4711);
    let mut counts = std::collections::BTreeMap::new();
    for _ in 0..places {
        let at = random.below(used);
        let state = State::new();
        copy(original.root(), state.root());
        fs::write(state.run().join(file), damaged(&intact, damage, at)).unwrap();
        let said = says_the_truth(&state, &written, &format!("{damage:?} of {file} at {at}")).await;
        *counts.entry(said).or_insert(0) += 1;
    }
    assert!(
        counts.keys().any(|&said| said != "intact"),
        "no damage was ever noticed: {counts:?}"
    );
}

#[tokio::test]
async fn flipped_bits_in_the_database() {
    at_many_places("db/db", Damage::Flip, 60).await;
}

#[tokio::test]
async fn a_truncated_database() {
    at_many_places("db/db", Damage::Truncate, 40).await;
}

#[tokio::test]
async fn zeroed_blocks_in_the_database() {
    at_many_places("db/db", Damage::Zero, 40).await;
}

#[tokio::test]
async fn flipped_bits_beside_the_entries() {
    at_many_places("db/conf", Damage::Flip, 20).await;
    at_many_places("head", Damage::Flip, 20).await;
}

#[tokio::test]
async fn a_database_that_is_gone_is_damaged_and_not_made_anew() {
    for (file, gone) in [("db", true), ("db", false), ("conf", true), ("conf", false)] {
        let state = State::new();
        write_run(&state.journal()).await;
        let path = state.db().join(file);
        if gone {
            fs::remove_file(&path)
        } else {
            fs::write(&path, "")
        }
        .unwrap();
        for _ in 0..2 {
            let error = state.journal().claim(run(1), holder("ben")).await.unwrap_err();
            let what = if gone { "missing" } else { "empty" };
            let says = format!(
                "the journal is damaged: truncated: the file `{}` is {what}",
                path.display()
            );
            assert_eq!(error.to_string(), says);
        }
        assert_eq!(path.exists(), !gone);
    }
}

/// sled recovers a file whose tail is missing to an older state without a word. Going on from there would do
/// things again that were done.
#[tokio::test]
async fn a_database_from_a_backup_is_older_than_the_run() {
    let state = State::new();
    let journal = state.journal();
    write_run(&journal).await;
    let backup = State::new();
    copy(&state.db(), &backup.db());
    let claim = journal.claim(run(1), holder("ben")).await.unwrap();
    journal.append(&claim, Seq(60), &[attempt(60)]).await.unwrap();
    journal.release(claim, None).await.unwrap();
    fs::remove_dir_all(state.db()).unwrap();
    copy(&backup.db(), &state.db());
    let error = journal.claim(run(1), holder("ben")).await.unwrap_err();
    let says = "the journal is damaged: truncated: it ends with entry 59, but entry 60 was written";
    assert_eq!(error.to_string(), says);
    let found = journal.verify(run(1)).await.unwrap().findings;
    assert_eq!(found.len(), 1);
    assert!(found[0].message.starts_with("truncated:"), "{found:?}");
}

#[tokio::test]
async fn one_damaged_run_stops_no_other() {
    let state = State::new();
    let journal = state.journal();
    write_run(&journal).await;
    let (claim, _) = journal
        .create(run(2), holder("anna"), &[first(run(2))])
        .await
        .unwrap();
    journal.release(claim, None).await.unwrap();
    fs::write(state.db().join("db"), vec![0xff; 600_000]).unwrap();
    assert!(journal.claim(run(1), holder("ben")).await.is_err());
    let claim = journal.claim(run(2), holder("ben")).await.unwrap();
    journal.append(&claim, Seq(1), &[attempt(1)]).await.unwrap();
    assert_eq!(journal.list().await.unwrap().len(), 2);
}

/// sled's own recovery stumbles over a snapshot that it did not finish; this is one that a kill left.
#[tokio::test]
async fn an_unfinished_snapshot_does_no_harm() {
    let state = State::new();
    let written = write_run(&state.journal()).await;
    fs::write(state.db().join("snap.FFFFFFFFFFFFFFFF.generating"), "half").unwrap();
    assert_eq!(
        state.journal().read(run(1), Seq(0)).await.unwrap(),
        written.entries
    );
}
