//! The suite: each test takes any store.

use super::*;
use crate::core::event::Attachment;
use crate::identity::{PrivateKey, PublicKey, Signature, Statement};
use crate::testing::arbitrary;

macro_rules! suite {
    ($($test:ident),* $(,)?) => {
        mod memory {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $test() {
                super::$test(&super::memory()).await;
            })*
        }

        mod sled {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $test() {
                super::$test(&super::sled()).await;
            })*
        }

        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $test() {
                if let Some(fixture) = super::postgres() {
                    super::$test(&fixture).await;
                }
            })*
        }
    };
}

suite! {
    entries_read_back_from_any_number,
    any_entries_read_back,
    a_large_entry_is_kept_whole,
    a_stale_writer_gets_a_conflict_and_changes_nothing,
    an_append_is_all_or_nothing,
    one_holder_at_a_time,
    a_claim_that_was_given_back_is_worth_nothing,
    what_does_not_exist_is_not_found,
    a_run_is_made_once,
    the_hash_of_the_head_follows_the_entries,
    transcripts_are_kept_in_order,
    attachments_are_kept_under_their_hash,
    what_is_too_large_is_refused_and_harms_nothing,
    lists_show_the_newest_first,
    an_intact_journal_verifies,
    concurrent_writers_of_one_run_all_succeed,
    what_is_signed_is_kept_with_its_signature,
    what_its_author_will_not_sign_is_not_stored,
}

async fn with_entries(journal: &dyn Journal, run: RunId, count: u64) -> (Claim, Vec<Entry>) {
    let entries: Vec<Entry> = std::iter::once(first(run))
        .chain((1..count).map(attempt))
        .collect();
    let (claim, durable) = journal.create(run, holder("anna"), &entries).await.unwrap();
    assert_eq!(durable.get(), Seq(count - 1));
    (claim, entries)
}

async fn entries_read_back_from_any_number(Fixture { journal, .. }: &Fixture) {
    let (claim, mut entries) = with_entries(&**journal, run(1), 2).await;
    let more = [attempt(2), failed(3, None)];
    let durable = journal.append(&claim, Seq(2), &more).await.unwrap();
    assert_eq!(durable.get(), Seq(3));
    entries.extend(more);
    for claimed in [true, false] {
        for from in 0..=4 {
            let found = journal.read(run(1), Seq(from)).await.unwrap();
            assert_eq!(
                found,
                entries[usize::try_from(from).unwrap()..],
                "claimed: {claimed}, from {from}"
            );
        }
        if claimed {
            journal.release(claim.clone(), None).await.unwrap();
        }
    }
}

async fn any_entries_read_back(Fixture { journal, .. }: &Fixture) {
    use proptest::strategy::{Strategy as _, ValueTree as _};
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let entries = proptest::collection::vec(arbitrary::entry(), 100)
        .new_tree(&mut runner)
        .unwrap()
        .current();
    let entries = arbitrary::numbered(Seq(0), entries);
    let (claim, _) = journal
        .create(run(1), holder("anna"), &entries[..1])
        .await
        .unwrap();
    for batch in entries[1..].chunks(7) {
        journal.append(&claim, batch[0].seq, batch).await.unwrap();
    }
    journal.release(claim, None).await.unwrap();
    assert_eq!(journal.read(run(1), Seq(0)).await.unwrap(), entries);
}

async fn a_large_entry_is_kept_whole(Fixture { journal, .. }: &Fixture) {
    let entries = [first(run(1)), large(1, 3_000_000), large(2, 4096), attempt(3)];
    let (claim, _) = journal
        .create(run(1), holder("anna"), &entries[..1])
        .await
        .unwrap();
    journal.append(&claim, Seq(1), &entries[1..]).await.unwrap();
    journal.release(claim, None).await.unwrap();
    assert_eq!(journal.read(run(1), Seq(0)).await.unwrap(), entries);
}

async fn a_stale_writer_gets_a_conflict_and_changes_nothing(Fixture { journal, .. }: &Fixture) {
    let (claim, entries) = with_entries(&**journal, run(1), 3).await;
    for expected in [0, 2, 4] {
        let error = journal
            .append(&claim, Seq(expected), &[attempt(expected)])
            .await
            .unwrap_err();
        assert!(
            matches!(error, JournalError::Conflict { found: Seq(3), .. }),
            "{error:?}"
        );
    }
    assert_eq!(journal.read(run(1), Seq(0)).await.unwrap(), entries);
    journal.append(&claim, Seq(3), &[attempt(3)]).await.unwrap();
}

async fn an_append_is_all_or_nothing(Fixture { journal, .. }: &Fixture) {
    let (claim, entries) = with_entries(&**journal, run(1), 3).await;
    let error = journal
        .append(&claim, Seq(3), &[attempt(3), attempt(5)])
        .await
        .unwrap_err();
    assert!(matches!(error, JournalError::Unstorable(_)), "{error:?}");
    assert_eq!(journal.read(run(1), Seq(0)).await.unwrap(), entries);
}

async fn one_holder_at_a_time(Fixture { journal, .. }: &Fixture) {
    let (claim, _) = with_entries(&**journal, run(1), 1).await;
    match journal.claim(run(1), holder("ben")).await.unwrap_err() {
        JournalError::Held(Some(found)) => assert_eq!(found, holder("anna")),
        other => panic!("{other:?}"),
    }
    journal.release(claim, None).await.unwrap();
    let claim = journal.claim(run(1), holder("ben")).await.unwrap();
    assert_eq!(journal.list().await.unwrap()[0].holder, Some(holder("ben")));
    journal.append(&claim, Seq(1), &[attempt(1)]).await.unwrap();
}

async fn a_claim_that_was_given_back_is_worth_nothing(Fixture { journal, .. }: &Fixture) {
    let (old, _) = with_entries(&**journal, run(1), 1).await;
    journal.release(old.clone(), None).await.unwrap();
    let _new = journal.claim(run(1), holder("ben")).await.unwrap();
    let append = journal.append(&old, Seq(1), &[attempt(1)]).await.unwrap_err();
    let print = journal.print(&old, Seq(0), 0, &chunk("late")).unwrap_err();
    let attach = journal.attach(&old, b"late").await.unwrap_err();
    let release = journal.release(old, None).await.unwrap_err();
    for error in [append, print, attach, release] {
        assert!(matches!(error, JournalError::NotClaimed), "{error:?}");
    }
}

async fn what_does_not_exist_is_not_found(Fixture { journal, .. }: &Fixture) {
    let claim = journal.claim(run(9), holder("anna")).await.unwrap_err();
    let read = journal.read(run(9), Seq(0)).await.unwrap_err();
    let verify = journal.verify(run(9)).await.unwrap_err();
    for error in [claim, read, verify] {
        assert!(
            matches!(error, JournalError::NotFound(found) if found == run(9)),
            "{error:?}"
        );
    }
    assert!(journal.list().await.unwrap().is_empty());
}

async fn a_run_is_made_once(Fixture { journal, .. }: &Fixture) {
    let (claim, entries) = with_entries(&**journal, run(1), 2).await;
    assert!(
        journal
            .create(run(1), holder("ben"), &[first(run(1))])
            .await
            .is_err()
    );
    journal.release(claim, None).await.unwrap();
    assert!(
        journal
            .create(run(1), holder("ben"), &[first(run(1))])
            .await
            .is_err()
    );
    assert!(journal.create(run(2), holder("ben"), &[]).await.is_err());
    assert_eq!(journal.read(run(1), Seq(0)).await.unwrap(), entries);
    assert_eq!(journal.list().await.unwrap().len(), 1);
}

async fn the_hash_of_the_head_follows_the_entries(Fixture { journal, .. }: &Fixture) {
    let (claim, _) = with_entries(&**journal, run(1), 2).await;
    let before = journal.head_hash(run(1)).await.unwrap();
    journal.append(&claim, Seq(2), &[attempt(2)]).await.unwrap();
    let after = journal.head_hash(run(1)).await.unwrap();
    assert_ne!(before, after);
    let same = [first(run(1)), attempt(1), attempt(2)];
    let other = MemoryJournal::new();
    other.create(run(1), holder("ben"), &same).await.unwrap();
    assert_eq!(
        other.head_hash(run(1)).await.unwrap(),
        after,
        "the hash depends on the entries alone"
    );
}

async fn transcripts_are_kept_in_order(Fixture { journal, .. }: &Fixture) {
    let (claim, _) = with_entries(&**journal, run(1), 3).await;
    let mut chunks: Vec<Chunk> = (0..300).map(|at| chunk(&format!("line {at}\n"))).collect();
    chunks.push(Chunk {
        bytes: vec![7; LARGEST_CHUNK],
        ..chunk("")
    });
    for (number, chunk) in (0..).zip(&chunks) {
        journal.print(&claim, Seq(1), number, chunk).unwrap();
    }
    journal.print(&claim, Seq(2), 0, &chunk("other")).unwrap();
    journal.append(&claim, Seq(3), &[attempt(3)]).await.unwrap();
    journal.release(claim, None).await.unwrap();
    assert_eq!(journal.transcript(run(1), Seq(1)).await.unwrap(), chunks);
    assert_eq!(
        journal.transcript(run(1), Seq(2)).await.unwrap(),
        [chunk("other")]
    );
    assert!(journal.transcript(run(1), Seq(3)).await.unwrap().is_empty());
}

async fn attachments_are_kept_under_their_hash(Fixture { journal, .. }: &Fixture) {
    let (claim, _) = with_entries(&**journal, run(1), 1).await;
    let contents = [vec![], b"a photo".to_vec(), vec![3; 1_000_000]];
    for content in &contents {
        let sha256 = journal.attach(&claim, content).await.unwrap();
        assert_eq!(sha256, Digest::of(content).to_string());
        assert_eq!(
            journal.attach(&claim, content).await.unwrap(),
            sha256,
            "stored once"
        );
    }
    journal.release(claim, None).await.unwrap();
    for content in &contents {
        let sha256 = Digest::of(content).to_string();
        assert_eq!(journal.attachment(run(1), &sha256).await.unwrap(), *content);
    }
    for unknown in [Digest::of(b"unknown").to_string(), "../../etc/passwd".to_owned()] {
        assert!(matches!(
            journal.attachment(run(1), &unknown).await,
            Err(JournalError::Damaged(_))
        ));
    }
    assert_eq!(journal.verify(run(1)).await.unwrap().attachments, 3);
}

async fn what_is_too_large_is_refused_and_harms_nothing(Fixture { journal, .. }: &Fixture) {
    let (claim, entries) = with_entries(&**journal, run(1), 1).await;
    let append = journal
        .append(&claim, Seq(1), &[large(1, stored::LARGEST_ENTRY)])
        .await
        .unwrap_err();
    let print = Chunk {
        bytes: vec![0; LARGEST_CHUNK + 1],
        ..chunk("")
    };
    let print = journal.print(&claim, Seq(0), 0, &print).unwrap_err();
    let attach = journal
        .attach(&claim, &vec![0; LARGEST_ATTACHMENT + 1])
        .await
        .unwrap_err();
    for error in [append, print, attach] {
        assert!(matches!(error, JournalError::Unstorable(_)), "{error:?}");
    }
    assert_eq!(journal.read(run(1), Seq(0)).await.unwrap(), entries);
    journal.append(&claim, Seq(1), &[attempt(1)]).await.unwrap();
}

async fn lists_show_the_newest_first(Fixture { journal, .. }: &Fixture) {
    for number in [2, 1, 3] {
        let (claim, _) = with_entries(&**journal, run(number), 2).await;
        let hash = journal.head_hash(run(number)).await.unwrap();
        if number == 3 {
            journal
                .summarise(&claim, &summary(run(number), Seq(1), &hash))
                .await
                .unwrap();
        } else {
            let summary = (number == 1).then(|| summary(run(number), Seq(1), &hash));
            journal.release(claim, summary).await.unwrap();
        }
    }
    let mut runs = journal.runs().await.unwrap();
    runs.sort();
    let rows = journal.list().await.unwrap();
    assert!(runs.iter().eq(rows.iter().rev().map(|row| &row.run)));
    let shown: Vec<_> = rows
        .iter()
        .map(|row| {
            let summary = row.summary.as_ref().unwrap();
            (
                row.run,
                summary.run,
                summary.status,
                row.holder.as_ref().map(|holder| holder.operator.as_str()),
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            (run(3), run(3), RunStatus::Waiting, Some("anna")),
            (run(2), run(2), RunStatus::Running, None),
            (run(1), run(1), RunStatus::Waiting, None),
        ]
    );
}

async fn an_intact_journal_verifies(Fixture { journal, .. }: &Fixture) {
    let (claim, _) = with_entries(&**journal, run(1), 3).await;
    let mut hasher = TranscriptHasher::new();
    for number in 0..5 {
        let chunk = chunk(&format!("line {number}"));
        hasher.update(&chunk);
        journal.print(&claim, Seq(2), number, &chunk).unwrap();
    }
    let sha256 = journal.attach(&claim, b"a photo").await.unwrap();
    let photo = Attachment {
        name: "photo.png".to_owned(),
        bytes: 7,
        sha256,
    };
    let more = [
        failed(3, Some(hasher.finish(Seq(2)))),
        confirmed(4, vec![photo]),
        large(5, 100_000),
    ];
    journal.append(&claim, Seq(3), &more).await.unwrap();
    journal.print(&claim, Seq(5), 0, &chunk("under way")).unwrap();
    let intact = Verification {
        entries: 6,
        chunks: 6,
        attachments: 1,
        authors: Vec::new(),
        operators: None,
        rehearsal: false,
        findings: Vec::new(),
    };
    let unauthored = |found: Verification| Verification {
        authors: Vec::new(),
        ..found
    };
    assert_eq!(unauthored(journal.verify(run(1)).await.unwrap()), intact);
    let hash = journal.head_hash(run(1)).await.unwrap();
    journal
        .release(claim, Some(summary(run(1), Seq(5), &hash)))
        .await
        .unwrap();
    assert_eq!(unauthored(journal.verify(run(1)).await.unwrap()), intact);
}

async fn concurrent_writers_of_one_run_all_succeed(Fixture { journal, .. }: &Fixture) {
    let (claim, _) = with_entries(&**journal, run(1), 1).await;
    let mut tasks = Vec::new();
    for task in 0..8_u8 {
        let (journal, claim) = (Arc::clone(journal), claim.clone());
        tasks.push(tokio::spawn(async move {
            for round in 0..10_u8 {
                journal.attach(&claim, &[task, round]).await.unwrap();
                journal
                    .print(&claim, Seq(u64::from(task)), u32::from(round), &chunk("x"))
                    .unwrap();
            }
        }));
    }
    for seq in 1..20 {
        journal.append(&claim, Seq(seq), &[attempt(seq)]).await.unwrap();
    }
    for task in tasks {
        task.await.unwrap();
    }
    journal.release(claim, None).await.unwrap();
    let found = journal.verify(run(1)).await.unwrap();
    assert_eq!((found.entries, found.chunks, found.attachments), (20, 80, 80));
    assert_eq!(found.findings, []);
}

async fn what_is_signed_is_kept_with_its_signature(Fixture { journal, .. }: &Fixture) {
    let (anna, ben) = (PrivateKey::generate().unwrap(), PrivateKey::generate().unwrap());
    let begun = [first(run(1))];
    let made = journal.create_by(run(1), holder("anna"), &begun, Some(&anna));
    let (claim, _) = made.await.unwrap();
    journal.append(&claim, Seq(1), &[attempt(1)]).await.unwrap();
    let both = [attempt(2), failed(3, None)];
    journal
        .append_by(&claim, Seq(2), &both, Some(&ben))
        .await
        .unwrap();
    let signers = [Some(anna.key()), None, Some(ben.key()), Some(ben.key())];
    for claimed in [true, false] {
        let kept = journal.kept(run(1), Seq(0)).await.unwrap();
        let found = kept.iter().map(|kept| kept.seal.signer());
        assert_eq!(found.collect::<Vec<_>>(), signers, "claimed: {claimed}");
        let found = journal.verify(run(1)).await.unwrap();
        assert_eq!(found.findings, []);
        let keys: Vec<_> = found.authors.iter().map(|author| author.key).collect();
        assert_eq!(keys, signers, "claimed: {claimed}");
        if claimed {
            journal.release(claim.clone(), None).await.unwrap();
        }
    }
}

/// Somebody who has thought better of it.
#[derive(Debug)]
struct Unwilling(PrivateKey);

impl Signer for Unwilling {
    fn key(&self) -> PublicKey {
        self.0.key()
    }

    fn sign(&self, _: &Statement<'_>) -> Result<Signature, crate::identity::SigningFailed> {
        Err(crate::identity::SigningFailed("no".to_owned()))
    }
}

async fn what_its_author_will_not_sign_is_not_stored(Fixture { journal, .. }: &Fixture) {
    let unwilling = Unwilling(PrivateKey::generate().unwrap());
    let (begun, next) = ([first(run(1))], [attempt(1)]);
    let made = journal.create_by(run(1), holder("anna"), &begun, Some(&unwilling));
    assert!(matches!(made.await, Err(JournalError::Unsigned(_))));
    let (claim, _) = with_entries(&**journal, run(1), 1).await;
    let append = journal.append_by(&claim, Seq(1), &next, Some(&unwilling));
    assert!(matches!(append.await, Err(JournalError::Unsigned(_))));
    journal.append(&claim, Seq(1), &next).await.unwrap();
    assert_eq!(journal.read(run(1), Seq(0)).await.unwrap().len(), 2);
}
