//! What stands in the state folder, who may read it, and who holds what.

use std::fs;
use std::time::{Duration, SystemTime};

use super::*;
use crate::journal::LARGEST_CHUNK;
use crate::platform::{files, private};

#[tokio::test]
async fn only_the_owner_can_look_at_a_run() {
    let state = State::new();
    write_run(&state.journal()).await;
    let (run, runs) = (state.run(), state.root().join("runs"));
    let files = ["lock", "head", "summary.json"].map(|name| run.join(name));
    for path in [runs, run, state.db()].iter().chain(&files) {
        assert!(private::is_private(path).unwrap(), "{}", path.display());
    }
}

/// Windows takes 260 signs of a path, unless it is told that there are more.
#[tokio::test]
async fn a_state_folder_may_lie_deep() {
    let around = State::new();
    let mut root = around.root().to_owned();
    for level in 0..6 {
        root.push(format!("{level}{}", "deep".repeat(14)));
    }
    assert!(root.as_os_str().len() > 300);
    let journal = SledJournal::open(&root).unwrap();
    let written = write_run(&journal).await;
    assert_eq!(journal.read(run(1), Seq(0)).await.unwrap(), written.entries);
    let claim = journal.claim(run(1), holder("anna")).await.unwrap();
    super::sealed::give_back(&journal, claim).await;
    assert_eq!(journal.verify(run(1)).await.unwrap().findings, []);
    assert_eq!(journal.list().await.unwrap().len(), 1);
    journal.remove(run(1)).await.unwrap();
    assert_eq!(std::fs::read_dir(root.join("runs")).unwrap().count(), 0);
}

/// sled never syncs the files into which it puts large pages: there must be none.
#[tokio::test]
async fn nothing_is_large_enough_for_a_file_of_its_own() {
    let state = State::new();
    let journal = state.journal();
    let (claim, _) = journal
        .create(run(1), holder("anna"), &[first(run(1))])
        .await
        .unwrap();
    let full = Chunk {
        bytes: vec![1; LARGEST_CHUNK],
        ..chunk("")
    };
    for number in 0..200 {
        journal.print(&claim, Seq(0), number, &full).unwrap();
    }
    journal.attach(&claim, &vec![2; 3_000_000]).await.unwrap();
    journal
        .append(&claim, Seq(1), &[large(1, 2_000_000)])
        .await
        .unwrap();
    assert_eq!(fs::read_dir(state.db().join("blobs")).unwrap().count(), 0);
    journal.release(claim, None).await.unwrap();
}

#[tokio::test]
async fn a_released_run_can_be_claimed_at_once_by_another() {
    let state = State::new();
    write_run(&state.journal()).await;
    let (one, other) = (state.journal(), state.journal());
    for round in 0..30 {
        let (journal, idle) = if round % 2 == 0 {
            (&one, &other)
        } else {
            (&other, &one)
        };
        let claim = journal.claim(run(1), holder("anna")).await.unwrap();
        match idle.claim(run(1), holder("ben")).await.unwrap_err() {
            JournalError::Held(Some(found)) => assert_eq!(found, holder("anna")),
            error => panic!("{error:?}"),
        }
        let seq = 60 + round;
        journal.append(&claim, Seq(seq), &[attempt(seq)]).await.unwrap();
        journal.release(claim, None).await.unwrap();
        assert!(!state.run().join("holder.json").exists());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn those_who_read_wait_for_each_other() {
    let state = State::new();
    let written = write_run(&state.journal()).await;
    let readers: Vec<_> = (0..4)
        .map(|_| {
            let journal = state.journal();
            tokio::spawn(async move { journal.read(run(1), Seq(0)).await })
        })
        .collect();
    for reader in readers {
        assert_eq!(reader.await.unwrap().unwrap(), written.entries);
    }
}

#[tokio::test]
async fn nothing_goes_on_after_a_failed_write() {
    let state = State::new();
    let journal = state.journal();
    let (claim, _) = journal
        .create(run(1), holder("anna"), &[first(run(1))])
        .await
        .unwrap();
    let held = journal.claimed(&claim).unwrap();
    held.fail_next_sync().unwrap();
    let error = journal.append(&claim, Seq(1), &[attempt(1)]).await.unwrap_err();
    assert!(
        matches!(error, JournalError::Storage { doing: "written", .. }),
        "{error:?}"
    );
    let append = journal.append(&claim, Seq(2), &[attempt(2)]).await.unwrap_err();
    let print = journal.print(&claim, Seq(0), 0, &chunk("late")).unwrap_err();
    let attach = journal.attach(&claim, b"late").await.unwrap_err();
    for error in [append, print, attach] {
        assert!(matches!(error, JournalError::Poisoned), "{error:?}");
    }
    assert_eq!(
        journal.read(run(1), Seq(0)).await.unwrap(),
        [first(run(1))],
        "only what is durable"
    );
    drop(held);
    journal.release(claim, None).await.unwrap();
    let claim = journal.claim(run(1), holder("ben")).await.unwrap();
    let next = journal.read(run(1), Seq(0)).await.unwrap().len() as u64;
    journal.append(&claim, Seq(next), &[attempt(next)]).await.unwrap();
}

#[tokio::test]
async fn a_run_that_was_not_made_to_the_end_does_not_exist() {
    let state = State::new();
    let journal = state.journal();
    let old = SystemTime::now() - Duration::from_secs(3_600);
    let leftover = |name: String, modified: SystemTime| {
        let path = state.root().join("runs").join(name);
        fs::create_dir_all(path.join("db")).unwrap();
        files::set_modified(&path, modified).unwrap();
        path
    };
    let half = leftover(run(7).to_string(), old);
    let copy = leftover(format!("{}.verify", run(7)), old);
    let fresh = leftover(run(8).to_string(), SystemTime::now());
    let alien = leftover("notes".to_owned(), old);
    // A file of it was open when it was removed.
    let removed = leftover(run(9).to_string(), old);
    for name in ["lock", "removed", "sealed"] {
        fs::write(removed.join(name), "").unwrap();
    }
    files::set_modified(&removed, old).unwrap();
    assert!(matches!(
        journal.claim(run(7), holder("anna")).await,
        Err(JournalError::NotFound(_))
    ));
    assert!(journal.list().await.unwrap().is_empty());
    write_run(&journal).await;
    assert!(
        !half.exists() && !copy.exists() && !removed.exists(),
        "left behind"
    );
    assert!(fresh.exists() && alien.exists(), "may be another's");
}

#[tokio::test]
async fn a_run_that_lost_its_head_file_is_damaged_and_kept() {
    let state = State::new();
    let journal = state.journal();
    write_run(&journal).await;
    fs::remove_file(state.run().join("head")).unwrap();
    files::set_modified(&state.run(), SystemTime::UNIX_EPOCH).unwrap();
    journal
        .create(run(2), holder("anna"), &[first(run(2))])
        .await
        .unwrap();
    let error = journal.claim(run(1), holder("anna")).await.unwrap_err();
    assert!(error.to_string().ends_with("head` is missing"), "{error}");
}

#[tokio::test]
async fn a_folder_of_a_newer_program_is_refused() {
    let state = State::new();
    let journal = state.journal();
    write_run(&journal).await;
    fs::write(state.run().join("head"), "runbook-journal 2 something else\n").unwrap();
    let error = journal.claim(run(1), holder("anna")).await.unwrap_err();
    assert!(matches!(error, JournalError::Newer(_)), "{error:?}");
}
