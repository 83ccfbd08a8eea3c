//! Finished runs: sealed when they are given back, opened again when something is added, whole at every crash.

use std::fs;

use super::damage::{Places, copy};
use super::*;
use crate::core::status::RunStatus;
use crate::journal::Digest;

/// Claims the run and gives it back as completed.
async fn seal(journal: &SledJournal) {
    let claim = journal.claim(run(1), holder("anna")).await.unwrap();
    give_back(journal, claim).await;
}

pub(super) async fn give_back(journal: &SledJournal, claim: Claim) {
    let hash = journal.head_hash(run(1)).await.unwrap();
    let last = journal.read(run(1), Seq(0)).await.unwrap().len() as u64 - 1;
    let summary = Summary {
        status: RunStatus::Completed,
        ..summary(run(1), Seq(last), &hash)
    };
    journal.release(claim, Some(summary)).await.unwrap();
}

/// A state folder with a sealed run, and what was written to it.
async fn sealed_run() -> (State, Written) {
    let state = State::new();
    let written = write_run(&state.journal()).await;
    // Nothing was written since it was claimed, but it was read from a database.
    seal(&state.journal()).await;
    assert!(is_sealed(&state), "it is not sealed");
    (state, written)
}

fn is_sealed(state: &State) -> bool {
    let (file, db) = (state.run().join("sealed").exists(), state.db().exists());
    assert_ne!(file, db, "it is kept twice, or not at all");
    file
}

/// All that was written is there, and holds.
async fn holds(state: &State, written: &Written) {
    let journal = state.journal();
    assert!(journal.read(run(1), Seq(0)).await.unwrap() == written.entries);
    assert!(journal.read(run(1), Seq(40)).await.unwrap() == written.entries[40..]);
    assert!(journal.read(run(1), Seq(1000)).await.unwrap().is_empty());
    assert!(journal.transcript(run(1), Seq(19)).await.unwrap() == written.chunks);
    assert_eq!(journal.transcript(run(1), Seq(3)).await.unwrap(), []);
    let photo = Digest::of(&[9; 20_000]).to_string();
    assert!(journal.attachment(run(1), &photo).await.unwrap() == vec![9; 20_000]);
    assert!(
        journal
            .attachment(run(1), &Digest::of(b"").to_string())
            .await
            .is_err()
    );
    let found = journal.verify(run(1)).await.unwrap();
    assert_eq!(found.findings, []);
    assert_eq!((found.entries, found.chunks, found.attachments), (60, 30, 1));
    assert!(journal.list().await.unwrap()[0].holder.is_none());
}

#[tokio::test]
async fn a_finished_run_is_a_small_file_and_reads_as_before() {
    let state = State::new();
    let written = write_run(&state.journal()).await;
    let journal = state.journal();
    let before = (
        journal.records(run(1), Seq(0)).await.unwrap(),
        journal.head_hash(run(1)).await.unwrap(),
    );
    assert!(!is_sealed(&state), "it is sealed, and not finished");
    seal(&journal).await;
    assert!(is_sealed(&state));
    assert!(fs::metadata(state.run().join("sealed")).unwrap().len() < 16 * 1024);
    holds(&state, &written).await;
    let after = (
        journal.records(run(1), Seq(0)).await.unwrap(),
        journal.head_hash(run(1)).await.unwrap(),
    );
    assert!(before == after, "other bytes than were written");
    assert!(is_sealed(&state), "reading has opened it");
}

#[tokio::test]
async fn a_sealed_run_is_opened_by_the_first_entry_and_sealed_again() {
    let (state, mut written) = sealed_run().await;
    let journal = state.journal();
    // Whoever holds it and adds nothing leaves it as it is.
    let claim = journal.claim(run(1), holder("bob")).await.unwrap();
    assert!(journal.read(run(1), Seq(0)).await.unwrap() == written.entries);
    assert!(is_sealed(&state));
    assert_eq!(journal.verify(run(1)).await.unwrap().findings, []);
    written.entries.push(attempt(60));
    journal
        .append(&claim, Seq(60), &written.entries[60..])
        .await
        .unwrap();
    assert!(!is_sealed(&state));
    assert!(journal.read(run(1), Seq(0)).await.unwrap() == written.entries);
    assert!(journal.transcript(run(1), Seq(19)).await.unwrap() == written.chunks);
    // The process dies, and the next one goes on.
    drop(journal);
    let journal = state.journal();
    let claim = journal.claim(run(1), holder("carol")).await.unwrap();
    assert!(journal.read(run(1), Seq(0)).await.unwrap() == written.entries);
    give_back(&journal, claim).await;
    assert!(is_sealed(&state));
    assert!(journal.read(run(1), Seq(0)).await.unwrap() == written.entries);
}

#[tokio::test]
async fn whatever_a_crash_leaves_of_sealing_or_opening_the_run_is_whole() {
    let (state, written) = sealed_run().await;
    let sealed = fs::read(state.run().join("sealed")).unwrap();
    let database = State::new();
    write_run(&database.journal()).await;
    // Before the file has its name, the database is the run.
    for part in [0, sealed.len() / 2, sealed.len()] {
        let crashed = State::new();
        copy(database.root(), crashed.root());
        fs::write(crashed.run().join("sealed.new"), &sealed[..part]).unwrap();
        holds(&crashed, &written).await;
        seal(&crashed.journal()).await;
        assert!(is_sealed(&crashed));
        holds(&crashed, &written).await;
    }
    // From then on the file is, whatever is left or there already of a database: files that are missing or cut off.
    let files = ["db", "conf"];
    for gone in 0..=files.len() {
        for whole in [true, false] {
            let crashed = State::new();
            copy(database.root(), crashed.root());
            fs::write(crashed.run().join("sealed"), &sealed).unwrap();
            for (at, file) in files.iter().enumerate() {
                let file = crashed.db().join(file);
                if at < gone {
                    fs::remove_file(file).unwrap();
                } else if !whole {
                    let bytes = fs::read(&file).unwrap();
                    fs::write(file, &bytes[..bytes.len() / 2]).unwrap();
                }
            }
            holds(&crashed, &written).await;
            let journal = crashed.journal();
            let claim = journal.claim(run(1), holder("bob")).await.unwrap();
            journal.append(&claim, Seq(60), &[attempt(60)]).await.unwrap();
            assert_eq!(journal.read(run(1), Seq(0)).await.unwrap().len(), 61);
            assert!(!is_sealed(&crashed));
        }
    }
}

#[tokio::test]
async fn a_run_that_cannot_be_sealed_stays_in_its_database() {
    let state = State::new();
    let written = write_run(&state.journal()).await;
    fs::create_dir(state.run().join("sealed.new")).unwrap();
    seal(&state.journal()).await;
    assert!(!is_sealed(&state));
    holds(&state, &written).await;
}

#[tokio::test]
async fn a_changed_byte_of_a_sealed_run_is_found_and_it_does_not_go_on() {
    let (state, _) = sealed_run().await;
    let sealed = fs::read(state.run().join("sealed")).unwrap();
    let mut random = Places(11);
    let mut places: Vec<usize> = (0..60).map(|_| random.below(sealed.len())).collect();
    places.extend([0, sealed.len() - 1]);
    for at in places {
        let mut bytes = sealed.clone();
        bytes[at] ^= 1 << (at % 8);
        fs::write(state.run().join("sealed"), bytes).unwrap();
        let journal = state.journal();
        let verified = journal.verify(run(1)).await;
        assert!(
            !verified.is_ok_and(|found| found.findings.is_empty()),
            "byte {at}"
        );
        assert!(journal.read(run(1), Seq(0)).await.is_err(), "byte {at}");
        assert!(journal.claim(run(1), holder("bob")).await.is_err(), "byte {at}");
    }
    for part in [0, 1, sealed.len() / 2] {
        fs::write(state.run().join("sealed"), &sealed[..part]).unwrap();
        assert!(
            state.journal().read(run(1), Seq(0)).await.is_err(),
            "cut at {part}"
        );
    }
}

#[tokio::test]
async fn a_sealed_run_that_is_not_the_newest_is_found() {
    let (state, _) = sealed_run().await;
    let older = fs::read(state.run().join("sealed")).unwrap();
    let journal = state.journal();
    let claim = journal.claim(run(1), holder("bob")).await.unwrap();
    journal.append(&claim, Seq(60), &[attempt(60)]).await.unwrap();
    give_back(&journal, claim).await;
    fs::write(state.run().join("sealed"), older).unwrap();
    let read = journal.read(run(1), Seq(0)).await;
    assert!(
        matches!(&read, Err(JournalError::Damaged(what)) if what.contains("truncated")),
        "{read:?}"
    );
    assert_ne!(journal.verify(run(1)).await.unwrap().findings, []);
}

#[tokio::test]
async fn a_sealed_run_is_removed_as_any_other() {
    let (state, _) = sealed_run().await;
    state.journal().remove(run(1)).await.unwrap();
    assert!(!state.run().exists());
}
