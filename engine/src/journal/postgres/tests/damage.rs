//! What somebody changed in the tables is found.

use super::*;

async fn written(place: &Place) -> PostgresJournal {
    let journal = place.journal();
    let (claim, _) = journal
        .create(run(1), holder("anna"), &[first(run(1))])
        .await
        .unwrap();
    for seq in 1..5 {
        journal.append(&claim, Seq(seq), &[attempt(seq)]).await.unwrap();
    }
    journal.release(claim, None).await.unwrap();
    is_sound(&journal, 5).await;
    journal
}

/// Whatever is changed in the tables is found, and the run does not go on from there.
async fn finds(statement: &str, finding: &str, goes_on: bool) {
    let Some(place) = Place::new() else { return };
    let journal = written(&place).await;
    let _changed = place.sql(statement);
    let found = journal.verify(run(1)).await.unwrap().findings;
    assert!(
        found.iter().any(|found| found.message.starts_with(finding)),
        "{statement}: {found:?}"
    );
    let claimed = journal.claim(run(1), holder("ben")).await;
    assert_eq!(claimed.is_ok(), goes_on, "{statement}: {claimed:?}");
    assert!(goes_on || place.sql("SELECT count(*) FROM runbook.run WHERE token IS NOT NULL") == "0");
}

#[tokio::test]
async fn a_changed_entry_is_found() {
    let change =
        "UPDATE runbook.entry SET record = set_byte(record, 60, get_byte(record, 60) # 1) WHERE seq = 2";
    finds(change, "changed", true).await;
}

#[tokio::test]
async fn a_missing_entry_is_found() {
    finds("DELETE FROM runbook.entry WHERE seq = 2", "dropped", true).await;
}

#[tokio::test]
async fn a_missing_end_is_found() {
    finds("DELETE FROM runbook.entry WHERE seq = 4", "truncated", false).await;
}

#[tokio::test]
async fn an_entry_that_nobody_wrote_is_found() {
    let change = "INSERT INTO runbook.entry SELECT run, 5, record FROM runbook.entry WHERE seq = 4";
    finds(change, "reordered", false).await;
}
