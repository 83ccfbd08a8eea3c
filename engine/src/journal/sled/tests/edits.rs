//! Someone edits a journal with sled's own tools: each edit is found, and called by its name.

use super::*;
use crate::journal::chain::{Digest, Record};
use crate::journal::sled::keys::{Key, append_from_bytes, append_to_bytes};
use crate::journal::sled::store::Changes;

/// Writes a run, lets `edit` loose on its database, and gives what is found then.
async fn findings_after(edit: impl FnOnce(&::sled::Db)) -> Vec<(Option<u64>, String)> {
    let state = State::new();
    write_run(&state.journal()).await;
    let db = ::sled::open(state.db()).unwrap();
    edit(&db);
    db.flush().unwrap();
    drop(db);
    let found = state.journal().verify(run(1)).await.unwrap();
    found
        .findings
        .into_iter()
        .map(|finding| (finding.seq.map(|seq| seq.0), finding.message))
        .collect()
}

fn record(db: &::sled::Db, seq: u64) -> Record {
    let append = db.get(Key::append(Seq(seq)).piece(0)).unwrap().unwrap();
    Record::from_bytes(append_from_bytes(&append)[0]).unwrap()
}

fn put(db: &::sled::Db, seq: u64, record: &Record) {
    db.insert(Key::append(Seq(seq)).piece(0), append_to_bytes([record]))
        .unwrap();
}

fn drop_entry(db: &::sled::Db, seq: u64) {
    db.remove(Key::append(Seq(seq)).piece(0)).unwrap().unwrap();
}

fn one(seq: u64, message: &str) -> Vec<(Option<u64>, String)> {
    vec![(Some(seq), message.to_owned())]
}

#[tokio::test]
async fn an_intact_run_has_no_findings() {
    assert_eq!(findings_after(|_| ()).await, []);
}

#[tokio::test]
async fn an_edited_entry_is_changed() {
    let found = findings_after(|db| {
        let mut edited = record(db, 7);
        edited.stored = String::from_utf8(edited.stored)
            .unwrap()
            .replace("anna", "olga")
            .into_bytes();
        put(db, 7, &edited);
    });
    assert_eq!(found.await, one(7, "changed: entry 7 does not match its hash"));
}

#[tokio::test]
async fn an_edited_entry_with_a_new_hash_is_changed() {
    let found = findings_after(|db| {
        let edited = Entry {
            operator: crate::id::Operator::new("olga"),
            ..attempt(7)
        };
        put(db, 7, &Record::seal(record(db, 6).hash, &edited, None).unwrap());
    });
    assert_eq!(
        found.await,
        one(
            8,
            "changed: what stands before entry 8 is not what it was written after"
        )
    );
}

#[tokio::test]
async fn an_edited_last_entry_with_a_new_hash_is_changed() {
    let found = findings_after(|db| {
        let edited = Entry {
            operator: crate::id::Operator::new("olga"),
            ..attempt(59)
        };
        put(db, 59, &Record::seal(record(db, 58).hash, &edited, None).unwrap());
    });
    assert_eq!(
        found.await,
        one(59, "changed: entry 59 is not the one that the file `head` names")
    );
}

#[tokio::test]
async fn dropped_entries_are_missing() {
    let found = findings_after(|db| drop_entry(db, 7)).await;
    assert_eq!(found, one(7, "dropped: entry 7 is missing"));
    let found = findings_after(|db| [30, 31, 32].into_iter().for_each(|seq| drop_entry(db, seq))).await;
    assert_eq!(found, one(30, "dropped: the entries 30 to 32 are missing"));
}

#[tokio::test]
async fn swapped_entries_are_reordered() {
    let found = findings_after(|db| {
        let (seven, nine) = (record(db, 7), record(db, 9));
        put(db, 9, &seven);
        put(db, 7, &nine);
    });
    let expected = [
        (
            Some(7),
            "reordered: entry 9 stands in the place of entry 7".to_owned(),
        ),
        (
            Some(9),
            "reordered: entry 7 stands in the place of entry 9".to_owned(),
        ),
    ];
    assert_eq!(found.await, expected);
}

#[tokio::test]
async fn a_cut_tail_is_truncated() {
    let found = findings_after(|db| [58, 59].into_iter().for_each(|seq| drop_entry(db, seq)));
    let message = "truncated: the journal ends with entry 57, but the summary says that entry 59 was written";
    assert_eq!(found.await, one(58, message));
}

#[tokio::test]
async fn a_cut_tail_is_truncated_also_where_the_summary_is_older() {
    let state = State::new();
    let journal = state.journal();
    write_run(&journal).await;
    let claim = journal.claim(run(1), holder("ben")).await.unwrap();
    journal
        .append(&claim, Seq(60), &[attempt(60), attempt(61)])
        .await
        .unwrap();
    journal.release(claim, None).await.unwrap();
    let db = ::sled::open(state.db()).unwrap();
    drop_entry(&db, 60);
    drop(db);
    let found = journal.verify(run(1)).await.unwrap().findings;
    let message =
        "truncated: the journal ends with entry 59, but the file `head` says that entry 61 was written";
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].message, message);
}

#[tokio::test]
async fn an_entry_that_stands_twice_is_found() {
    let found = findings_after(|db| {
        let (seven, eight) = (record(db, 7), record(db, 8));
        let both = append_to_bytes([&seven, &eight]);
        db.insert(Key::append(Seq(7)).piece(0), both).unwrap();
    });
    assert_eq!(found.await, one(8, "changed: there are two entries 8"));
}

#[tokio::test]
async fn chunks_that_are_missing_changed_or_extra_are_found() {
    let key = |number| Key::chunk(Seq(19), number).piece(0);
    let removed = findings_after(|db| drop(db.remove(key(3)).unwrap().unwrap())).await;
    assert_eq!(
        removed,
        one(20, "dropped: chunk 3 of the transcript of entry 19 is missing")
    );
    let cut = findings_after(|db| drop(db.remove(key(29)).unwrap().unwrap())).await;
    assert_eq!(
        cut,
        one(20, "dropped: the transcript of entry 19 has 29 of its 30 chunks")
    );
    let changed =
        findings_after(|db| drop(db.insert(key(3), chunk("other").to_bytes().unwrap()).unwrap())).await;
    assert_eq!(
        changed,
        one(
            20,
            "changed: the transcript of entry 19 is not the one that entry 20 covers"
        )
    );
    let extra =
        findings_after(|db| drop(db.insert(key(30), chunk("more").to_bytes().unwrap()).unwrap())).await;
    assert_eq!(
        extra,
        one(
            20,
            "changed: the transcript of entry 19 has 31 chunks; entry 20 says 30"
        )
    );
    let alien = Key::chunk(Seq(99), 0).piece(0);
    let alien = findings_after(|db| drop(db.insert(alien, chunk("?").to_bytes().unwrap()).unwrap())).await;
    assert_eq!(
        alien,
        one(
            99,
            "changed: there is a transcript of entry 99, which does not exist"
        )
    );
}

#[tokio::test]
async fn attachments_that_are_missing_or_changed_are_found() {
    let hash = Digest::of(&vec![9; 20_000]);
    let changed =
        findings_after(|db| drop(db.insert(Key::content(&hash).piece(1), vec![8; 4096]).unwrap())).await;
    assert_eq!(
        changed,
        one(
            21,
            &format!("changed: the attachment {hash} does not match its hash")
        )
    );
    let removed = findings_after(|db| drop(db.remove(Key::attached(&hash).piece(0)).unwrap().unwrap())).await;
    assert_eq!(
        removed,
        one(21, "dropped: the attachment `photo.png` of entry 21 is missing")
    );
}

/// Whoever goes on with a run is stopped by damage that it can see, whether or not anybody verifies.
#[tokio::test]
async fn reading_stops_at_what_was_changed() {
    let state = State::new();
    write_run(&state.journal()).await;
    let store = Store::open(&state.db()).unwrap();
    let mut changes = Changes::default();
    changes.put(
        &Key::append(Seq(7)),
        &append_to_bytes([&Record::seal(Digest::ZERO, &attempt(7), None).unwrap()]),
    );
    store.apply(changes).unwrap();
    store.close(&state.db()).unwrap();
    let error = state.journal().read(run(1), Seq(0)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the journal is damaged: entry 7 does not match its hash"
    );
    assert_eq!(state.journal().read(run(1), Seq(20)).await.unwrap().len(), 40);
}

#[tokio::test]
async fn verifying_alters_nothing() {
    let state = State::new();
    write_run(&state.journal()).await;
    let content = || -> Vec<_> {
        let mut files: Vec<_> = ["db/db", "db/conf", "head", "summary.json"]
            .map(|name| (name.to_owned(), std::fs::read(state.run().join(name)).unwrap()))
            .into();
        let names = |path: PathBuf| {
            std::fs::read_dir(path)
                .unwrap()
                .map(|file| file.unwrap().file_name())
        };
        let folders = [state.run(), state.db(), state.root().join("runs")]
            .into_iter()
            .flat_map(names);
        files.extend(folders.map(|name| (name.to_string_lossy().into_owned(), Vec::new())));
        files
    };
    let before = content();
    // A crash while verifying leaves a copy; it does no harm.
    std::fs::create_dir(state.root().join("runs").join(format!("{}.verify", run(1)))).unwrap();
    assert_eq!(state.journal().verify(run(1)).await.unwrap().findings, []);
    assert!(before == content());
}
