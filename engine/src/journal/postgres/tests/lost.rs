//! Answers that are lost, connections that are cut or silent, and databases that stop: nothing is written twice, and
//! nothing is lost that was acknowledged.

use super::proxy::Mode;
use super::*;

#[tokio::test]
async fn what_was_done_though_its_answer_was_lost_is_done_once() {
    let Some(place) = Place::new() else { return };
    let proxy = place.proxy();
    let journal = place.behind(&proxy);
    journal.runs().await.unwrap();
    proxy.set(Mode::CutAnswer);
    let (claim, _) = journal
        .create(run(1), holder("anna"), &[first(run(1))])
        .await
        .unwrap();
    for seq in 1..10 {
        if seq % 3 == 0 {
            proxy.set(Mode::CutAnswer);
        }
        journal
            .print(&claim, Seq(0), u32::try_from(seq).unwrap() - 1, &chunk("line"))
            .unwrap();
        let durable = journal.append(&claim, Seq(seq), &[attempt(seq)]).await.unwrap();
        assert_eq!(durable.get(), Seq(seq));
    }
    proxy.set(Mode::CutAnswer);
    let sha256 = journal.attach(&claim, &vec![7; 2_000_000]).await.unwrap();
    proxy.set(Mode::CutAnswer);
    journal.release(claim, None).await.unwrap();
    proxy.set(Mode::CutAnswer);
    let claim = journal.claim(run(1), holder("ben")).await.unwrap();
    journal.append(&claim, Seq(10), &[attempt(10)]).await.unwrap();
    assert_eq!(
        journal.attachment(run(1), &sha256).await.unwrap().len(),
        2_000_000
    );
    assert_eq!(journal.transcript(run(1), Seq(0)).await.unwrap().len(), 9);
    is_sound(&journal, 11).await;
}

#[tokio::test]
async fn a_connection_that_stands_and_says_nothing_is_given_up() {
    let Some(place) = Place::new() else { return };
    let proxy = place.proxy();
    let journal = Arc::new(place.behind(&proxy));
    let (claim, _) = journal
        .create(run(1), holder("anna"), &[first(run(1))])
        .await
        .unwrap();
    proxy.set(Mode::Mute);
    let append = {
        let (journal, claim) = (Arc::clone(&journal), claim.clone());
        tokio::spawn(async move { journal.append(&claim, Seq(1), &[attempt(1)]).await })
    };
    let other = place.journal();
    while seqs(&other).await.len() < 2 {
        tokio::task::yield_now().await;
    }
    proxy.set(Mode::Pass);
    assert_eq!(append.await.unwrap().unwrap().get(), Seq(1));
    journal.append(&claim, Seq(2), &[attempt(2)]).await.unwrap();
    is_sound(&journal, 3).await;
}

/// Appends without a pause until it is told to stop; gives the number of the last entry that was acknowledged.
async fn appends(
    journal: Arc<PostgresJournal>,
    claim: Claim,
    stop: CancellationToken,
    done: Arc<AtomicUsize>,
) -> u64 {
    let mut seq = 0;
    while !stop.is_cancelled() {
        seq += 1;
        journal.append(&claim, Seq(seq), &[attempt(seq)]).await.unwrap();
        done.store(usize::try_from(seq).unwrap(), Ordering::SeqCst);
    }
    seq
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_goes_on_when_its_database_was_stopped_killed_and_started_again() {
    let Some(mut place) = Place::new() else { return };
    let heard = Arc::<Mutex<Vec<bool>>>::default();
    let listener = {
        let heard = Arc::clone(&heard);
        Arc::new(move |notice: &Notice| heard.lock().unwrap().push(*notice == Notice::Back))
    };
    let address = place.server.address(DATABASE).parse().unwrap();
    let folder = place.folder.path().to_owned();
    let journal = Arc::new(PostgresJournal::new(
        address,
        folder,
        listener,
        CancellationToken::new(),
    ));
    let (claim, _) = journal
        .create(run(1), holder("anna"), &[first(run(1))])
        .await
        .unwrap();
    let (stop, done) = (CancellationToken::new(), Arc::<AtomicUsize>::default());
    let work = tokio::spawn(appends(
        Arc::clone(&journal),
        claim,
        stop.clone(),
        Arc::clone(&done),
    ));
    for (round, how) in [Some(Stop::Immediate), Some(Stop::Fast), None]
        .into_iter()
        .enumerate()
    {
        let before = done.load(Ordering::SeqCst);
        while done.load(Ordering::SeqCst) < before + 20 {
            tokio::task::yield_now().await;
        }
        tokio::task::block_in_place(|| {
            match how {
                Some(how) => place.server.stop(how),
                None => place.server.kill(),
            }
            // A database that is back before anybody misses it is told of to nobody.
            while heard.lock().unwrap().len() == 2 * round {
                std::thread::yield_now();
            }
            place.server.resume();
        });
    }
    let before = done.load(Ordering::SeqCst);
    while done.load(Ordering::SeqCst) < before + 20 {
        tokio::task::yield_now().await;
    }
    stop.cancel();
    let last = work.await.unwrap();
    is_sound(&journal, last + 1).await;
    assert_eq!(*heard.lock().unwrap(), [false, true, false, true, false, true]);
}

#[tokio::test]
async fn what_was_acknowledged_is_on_the_disk_whatever_the_database_is_set_up_with() {
    let lazy = ["synchronous_commit = off", "wal_writer_delay = 10s"];
    let Some(mut place) = Place::with(&lazy) else {
        return;
    };
    let journal = place.journal();
    let (claim, _) = journal
        .create(run(1), holder("anna"), &[first(run(1))])
        .await
        .unwrap();
    let sha256 = journal.attach(&claim, b"a photo").await.unwrap();
    journal.append(&claim, Seq(1), &[attempt(1)]).await.unwrap();
    let _lazily = place.sql("CREATE TABLE lost AS SELECT 1; INSERT INTO lost SELECT 2");
    place.server.kill();
    place.server.resume();
    let after = place.journal();
    assert_eq!(seqs(&after).await, [0, 1]);
    assert_eq!(after.attachment(run(1), &sha256).await.unwrap(), b"a photo");
}

#[tokio::test]
async fn waiting_ends_when_it_is_given_up() {
    let Some(mut place) = Place::new() else { return };
    let give_up = CancellationToken::new();
    let heard = Arc::new(tokio::sync::Notify::new());
    let listener = {
        let heard = Arc::clone(&heard);
        Arc::new(move |_: &Notice| heard.notify_one())
    };
    let address = place.server.address(DATABASE).parse().unwrap();
    let journal = PostgresJournal::new(address, place.folder.path().to_owned(), listener, give_up.clone());
    let journal = Arc::new(journal);
    let (claim, _) = journal
        .create(run(1), holder("anna"), &[first(run(1))])
        .await
        .unwrap();
    place.server.stop(Stop::Fast);
    let append = {
        let (journal, claim) = (Arc::clone(&journal), claim.clone());
        tokio::spawn(async move { journal.append(&claim, Seq(1), &[attempt(1)]).await })
    };
    heard.notified().await;
    assert!(!append.is_finished());
    give_up.cancel();
    let error = append.await.unwrap().unwrap_err();
    assert!(matches!(error, JournalError::DatabaseAway { .. }), "{error:?}");
    place.server.resume();
    let error = journal.append(&claim, Seq(1), &[attempt(1)]).await.unwrap_err();
    assert!(matches!(error, JournalError::Poisoned), "{error:?}");
}

#[tokio::test]
async fn nothing_depends_on_a_connection_as_behind_a_pooling_proxy() {
    let Some(place) = Place::new() else { return };
    let journal = place.journal();
    let other = || {
        let end = "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity WHERE application_name = 'runbook'";
        assert_ne!(place.sql(end), "0");
    };
    let (claim, _) = journal
        .create(run(1), holder("anna"), &[first(run(1))])
        .await
        .unwrap();
    other();
    journal.print(&claim, Seq(0), 0, &chunk("line")).unwrap();
    journal.append(&claim, Seq(1), &[attempt(1)]).await.unwrap();
    other();
    journal.attach(&claim, b"a photo").await.unwrap();
    other();
    assert_eq!(seqs(&journal).await, [0, 1]);
    other();
    journal.release(claim, None).await.unwrap();
    other();
    let claim = journal.claim(run(1), holder("ben")).await.unwrap();
    other();
    journal.append(&claim, Seq(2), &[attempt(2)]).await.unwrap();
    is_sound(&journal, 3).await;
    assert_eq!(
        place.sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"),
        "0"
    );
    assert_eq!(
        place.sql("SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in%'"),
        "0"
    );
}
