//! The tables: made by whoever comes first, and refused where a newer program made them.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_who_come_first_at_once_make_the_tables_once() {
    let Some(place) = Place::new() else { return };
    let tasks: Vec<_> = (0..6)
        .map(|_| {
            let journal = place.journal();
            tokio::spawn(async move { journal.list().await.map(|runs| runs.len()) })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap().unwrap(), 0);
    }
    assert_eq!(place.sql("SELECT version FROM runbook.version"), "4");
}

#[tokio::test]
async fn tables_of_a_newer_program_are_refused_and_left_alone() {
    let Some(place) = Place::new() else { return };
    let journal = place.journal();
    let (claim, _) = journal
        .create(run(1), holder("anna"), &[first(run(1))])
        .await
        .unwrap();
    journal.release(claim, None).await.unwrap();
    let _changed = place.sql("UPDATE runbook.version SET version = 99");
    let error = place.journal().list().await.unwrap_err();
    assert!(matches!(error, JournalError::NewerDatabase { .. }), "{error:?}");
    assert!(error.to_string().contains("version 99"), "{error}");
    assert_eq!(place.sql("SELECT version FROM runbook.version"), "99");
}

#[tokio::test]
async fn an_account_that_may_not_change_entries_is_enough() {
    let Some(place) = Place::new() else { return };
    place.journal().list().await.unwrap();
    let _made = place.sql(
        "CREATE ROLE anna LOGIN PASSWORD 'correct horse';
         GRANT USAGE ON SCHEMA runbook TO anna;
         GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA runbook TO anna;
         GRANT UPDATE ON runbook.run, runbook.summary, runbook.piece, runbook.attachment TO anna",
    );
    let mut address: Address = format!("postgres://anna@{}/{DATABASE}", place.server.loopback())
        .parse()
        .unwrap();
    address.set_password("wrong");
    let folder = place.folder.path().to_owned();
    let journal = |address| {
        PostgresJournal::new(
            address,
            folder.clone(),
            Arc::new(|_| ()),
            CancellationToken::new(),
        )
    };
    let error = journal(address.clone()).list().await.unwrap_err();
    assert!(matches!(error, JournalError::DatabaseRefused { .. }), "{error:?}");
    address.set_password("correct horse");
    let journal = journal(address);
    let (claim, _) = journal
        .create(run(1), holder("anna"), &[first(run(1))])
        .await
        .unwrap();
    journal.print(&claim, Seq(0), 0, &chunk("line")).unwrap();
    journal.append(&claim, Seq(1), &[attempt(1)]).await.unwrap();
    journal.attach(&claim, b"a photo").await.unwrap();
    journal.attach(&claim, b"a photo").await.unwrap();
    journal.release(claim, None).await.unwrap();
    is_sound(&journal, 2).await;
}
