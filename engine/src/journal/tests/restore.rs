//! Taking runs in from other journals, and removing them: the same of every store.

use super::*;

/// Everything that a journal holds of these entries, for another to take in.
async fn records(entries: &[Entry]) -> Vec<Vec<u8>> {
    let journal = MemoryJournal::new();
    drop(journal.create(run(1), holder("anna"), entries).await.unwrap());
    journal.records(run(1), Seq(0)).await.unwrap()
}

fn entries(count: u64) -> Vec<Entry> {
    std::iter::once(first(run(1)))
        .chain((1..count).map(attempt))
        .collect()
}

fn pour(records: &[Vec<u8>], from: u64, into: &mut dyn Intake) -> Result<(), JournalError> {
    let numbered = (0..).map(Seq).zip(records);
    numbered
        .filter(|(at, _)| at.0 >= from)
        .try_for_each(|(at, bytes)| into.record(at, bytes.clone()))
}

async fn taken_in(journal: &dyn Journal, records: &[Vec<u8>], from: u64, standing: Standing) {
    let claim = journal
        .restore(run(1), holder("bob"), standing, &mut |into: &mut dyn Intake| {
            pour(records, from, into)?;
            into.chunk(Seq(1), 0, chunk("printed").to_bytes()?)?;
            into.attachment(b"proof")
        })
        .await
        .unwrap();
    let hash = journal.head_hash(run(1)).await.unwrap();
    let head = Seq(records.len() as u64 - 1);
    journal
        .release(claim, Some(summary(run(1), head, &hash)))
        .await
        .unwrap();
}

async fn a_run_is_taken_in_and_continued(Fixture { journal, .. }: &Fixture) {
    let records = records(&entries(700)).await;
    taken_in(&**journal, &records[..300], 0, Standing::Own).await;
    taken_in(&**journal, &records, 300, Standing::Own).await;
    assert_eq!(journal.records(run(1), Seq(0)).await.unwrap(), records);
    assert_eq!(journal.records(run(1), Seq(699)).await.unwrap(), records[699..]);
    assert_eq!(journal.read(run(1), Seq(0)).await.unwrap(), entries(700));
    assert_eq!(
        journal.transcript(run(1), Seq(1)).await.unwrap(),
        [chunk("printed")]
    );
    let claim = journal.claim(run(1), holder("bob")).await.unwrap();
    journal.append(&claim, Seq(700), &[attempt(700)]).await.unwrap();
    journal.release(claim, None).await.unwrap();
    assert!(journal.verify(run(1)).await.unwrap().findings.is_empty());
}

async fn what_does_not_continue_what_is_here_changes_nothing(Fixture { journal, .. }: &Fixture) {
    let records = records(&entries(4)).await;
    let gap = async |from: u64| {
        journal
            .restore(
                run(1),
                holder("bob"),
                Standing::Own,
                &mut |into: &mut dyn Intake| pour(&records, from, into),
            )
            .await
            .unwrap_err()
    };
    assert!(matches!(gap(1).await, JournalError::Unstorable(_)));
    assert!(journal.list().await.unwrap().is_empty(), "no part of it is here");
    taken_in(&**journal, &records[..2], 0, Standing::Own).await;
    drop(gap(3).await);
    assert_eq!(journal.records(run(1), Seq(0)).await.unwrap(), records[..2]);
}

async fn a_copy_is_read_and_not_claimed_until_it_is_made_ones_own(Fixture { journal, .. }: &Fixture) {
    let records = records(&entries(3)).await;
    taken_in(&**journal, &records[..2], 0, Standing::Copy).await;
    assert!(journal.is_copy(run(1)).await.unwrap());
    assert!(journal.list().await.unwrap()[0].copy);
    let refused = journal.claim(run(1), holder("bob")).await.unwrap_err();
    assert!(matches!(refused, JournalError::Copy), "{refused}");
    assert_eq!(journal.read(run(1), Seq(0)).await.unwrap(), entries(2));
    taken_in(&**journal, &records, 2, Standing::Own).await;
    assert!(!journal.is_copy(run(1)).await.unwrap());
    let claim = journal.claim(run(1), holder("bob")).await.unwrap();
    journal.release(claim, None).await.unwrap();
}

async fn a_run_that_somebody_holds_takes_nothing_in_and_is_not_removed(Fixture { journal, .. }: &Fixture) {
    let (claim, _) = journal.create(run(1), holder("anna"), &entries(2)).await.unwrap();
    let records = records(&entries(3)).await;
    let fill: Fill<'_> = &mut |into: &mut dyn Intake| pour(&records, 2, into);
    let refused = journal
        .restore(run(1), holder("bob"), Standing::Own, fill)
        .await
        .unwrap_err();
    assert!(matches!(refused, JournalError::Held(_)), "{refused}");
    let refused = journal.remove(run(1)).await.unwrap_err();
    assert!(matches!(refused, JournalError::Held(_)), "{refused}");
    journal.release(claim, None).await.unwrap();
    journal.remove(run(1)).await.unwrap();
    assert!(journal.list().await.unwrap().is_empty());
    let gone = journal.read(run(1), Seq(0)).await.unwrap_err();
    assert!(matches!(gone, JournalError::NotFound(_)), "{gone}");
    drop(journal.create(run(1), holder("anna"), &entries(1)).await.unwrap());
}

macro_rules! over_all {
    ($($test:ident),* $(,)?) => {
        mod memory {
            $(#[tokio::test]
            async fn $test() {
                super::$test(&super::super::memory()).await;
            })*
        }

        mod sled {
            $(#[tokio::test]
            async fn $test() {
                super::$test(&super::super::sled()).await;
            })*
        }

        mod postgres {
            $(#[tokio::test]
            async fn $test() {
                if let Some(fixture) = super::super::postgres() {
                    super::$test(&fixture).await;
                }
            })*
        }
    };
}

over_all! {
    a_run_is_taken_in_and_continued,
    what_does_not_continue_what_is_here_changes_nothing,
    a_copy_is_read_and_not_claimed_until_it_is_made_ones_own,
    a_run_that_somebody_holds_takes_nothing_in_and_is_not_removed,
}
