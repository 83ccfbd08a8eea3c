//! The faults that the journal in memory plays, and what a crash leaves of it.

use super::*;
use crate::journal::memory::Fault;

async fn claimed() -> (MemoryJournal, Claim) {
    let journal = MemoryJournal::new();
    let (claim, _) = journal
        .create(run(1), holder("anna"), &[first(run(1))])
        .await
        .unwrap();
    (journal, claim)
}

async fn seqs(journal: &MemoryJournal) -> Vec<u64> {
    journal
        .read(run(1), Seq(0))
        .await
        .unwrap()
        .iter()
        .map(|entry| entry.seq.0)
        .collect()
}

#[tokio::test]
async fn the_nth_append_fails_before_or_after_it_took_hold() {
    for (fault, left) in [(Fault::Before, vec![0, 1]), (Fault::After, vec![0, 1, 2])] {
        let (journal, claim) = claimed().await;
        journal.fail_append(1, fault);
        journal.append(&claim, Seq(1), &[attempt(1)]).await.unwrap();
        let error = journal.append(&claim, Seq(2), &[attempt(2)]).await.unwrap_err();
        assert!(matches!(error, JournalError::Storage { .. }), "{error:?}");
        assert_eq!(seqs(&journal).await, left);
        let error = journal.append(&claim, Seq(2), &[attempt(2)]).await.unwrap_err();
        assert!(matches!(error, JournalError::Poisoned), "{error:?}");
        journal.release(claim, None).await.unwrap();
        let claim = journal.claim(run(1), holder("ben")).await.unwrap();
        let next = u64::try_from(left.len()).unwrap();
        journal.append(&claim, Seq(next), &[attempt(next)]).await.unwrap();
    }
}

#[tokio::test]
async fn a_crash_leaves_what_was_durable_and_nobody_holds_it() {
    let (journal, claim) = claimed().await;
    journal
        .print(&claim, Seq(0), 0, &chunk("durable with the next append"))
        .unwrap();
    journal.append(&claim, Seq(1), &[attempt(1)]).await.unwrap();
    journal.print(&claim, Seq(0), 1, &chunk("lost")).unwrap();
    let after = journal.crash();
    assert_eq!(seqs(&after).await, [0, 1]);
    assert_eq!(after.transcript(run(1), Seq(0)).await.unwrap().len(), 1);
    after.claim(run(1), holder("ben")).await.unwrap();
    assert_eq!(
        journal.transcript(run(1), Seq(0)).await.unwrap().len(),
        2,
        "the original goes on"
    );
}
