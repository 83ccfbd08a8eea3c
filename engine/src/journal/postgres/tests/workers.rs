//! Several workers on one run: who may append, and what a claim is worth.

use super::proxy::Mode;
use super::*;
use crate::journal::Stake;

const SHORT: Duration = Duration::from_millis(600);

/// A run that workers may go on with.
async fn shared(journal: &PostgresJournal) {
    let (claim, _) = journal
        .create(run(1), holder("anna"), &[first(run(1))])
        .await
        .unwrap();
    journal.release(claim, None).await.unwrap();
}

async fn joined(journal: &PostgresJournal, who: &str) -> Claim {
    let claim = journal.join(run(1), holder(who)).await.unwrap();
    let _read = journal.read(run(1), Seq(0)).await.unwrap();
    claim
}

/// The instance that all attempts of these tests are about.
fn calls(of: u64) -> Vec<(crate::id::InstanceId, Seq)> {
    vec![("oauth[web1]".parse().unwrap(), Seq(of))]
}

/// A call that entry `of` started is under way from now on.
fn begins(of: u64) -> Stake {
    Stake {
        before: Vec::new(),
        after: calls(of),
        open: true,
    }
}

/// It was, and is no longer.
fn ends(of: u64) -> Stake {
    Stake {
        before: vec![Seq(of)],
        after: Vec::new(),
        open: true,
    }
}

#[tokio::test]
async fn of_two_who_append_at_the_same_place_one_reads_on() {
    let Some(place) = Place::new() else { return };
    let (anna, ben) = (place.journal(), place.journal());
    shared(&anna).await;
    let (a, b) = (joined(&anna, "anna").await, joined(&ben, "ben").await);
    let idle = Stake::default();
    anna.append_with(&a, Seq(1), &[attempt(1)], None, &begins(1))
        .await
        .unwrap();
    let late = ben.append_with(&b, Seq(1), &[attempt(1)], None, &idle).await;
    assert!(
        matches!(late, Err(JournalError::Conflict { found: Seq(2), .. })),
        "{late:?}"
    );
    let _read = ben.read(run(1), Seq(1)).await.unwrap();
    ben.append_with(&b, Seq(2), &[attempt(2)], None, &idle)
        .await
        .unwrap();
    is_sound(&ben, 3).await;
}

#[tokio::test]
async fn a_claim_is_taken_over_when_it_has_ended_and_not_before() {
    let Some(place) = Place::new() else { return };
    let proxy = place.proxy();
    let (anna, ben) = (place.behind(&proxy).with_claims_of(SHORT), place.journal());
    shared(&anna).await;
    let (a, b) = (joined(&anna, "anna").await, joined(&ben, "ben").await);
    anna.append_with(&a, Seq(1), &[attempt(1)], None, &begins(1))
        .await
        .unwrap();
    let _read = ben.read(run(1), Seq(1)).await.unwrap();
    let begun = tokio::time::Instant::now();
    while begun.elapsed() < 3 * SHORT {
        let taken = ben.take_over(&b, Seq(2), &calls(1)).await.unwrap();
        assert_eq!(taken, [], "it is renewed as long as its worker lives");
    }
    proxy.set(Mode::Refuse);
    anna.print(&a, Seq(1), 0, &chunk("said late")).unwrap();
    while ben.take_over(&b, Seq(2), &calls(1)).await.unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    proxy.set(Mode::Pass);
    let late = anna.append_with(&a, Seq(2), &[attempt(2)], None, &ends(1)).await;
    assert!(matches!(late, Err(JournalError::NotClaimed)), "{late:?}");
    ben.append_with(&b, Seq(2), &[attempt(2)], None, &ends(1))
        .await
        .unwrap();
    assert_eq!(ben.transcript(run(1), Seq(1)).await.unwrap(), []);
    is_sound(&ben, 3).await;
}

#[tokio::test]
async fn nobody_has_a_run_alone_while_a_worker_is_at_it_and_no_worker_writes_while_somebody_has() {
    let Some(place) = Place::new() else { return };
    let (anna, ben) = (place.journal(), place.journal());
    shared(&anna).await;
    let a = joined(&anna, "anna").await;
    anna.append_with(&a, Seq(1), &[attempt(1)], None, &begins(1))
        .await
        .unwrap();
    let refused = ben.claim(run(1), holder("ben")).await;
    assert!(
        matches!(&refused, Err(JournalError::Held(Some(by))) if *by == holder("anna")),
        "{refused:?}"
    );
    let removed = ben.remove(run(1)).await;
    assert!(matches!(removed, Err(JournalError::Held(_))), "{removed:?}");
    anna.append_with(&a, Seq(2), &[attempt(2)], None, &ends(1))
        .await
        .unwrap();
    let alone = ben.claim(run(1), holder("ben")).await.unwrap();
    let refused = anna
        .append_with(&a, Seq(3), &[attempt(3)], None, &begins(3))
        .await;
    assert!(
        matches!(&refused, Err(JournalError::Held(Some(by))) if *by == holder("ben")),
        "{refused:?}"
    );
    ben.release(alone, None).await.unwrap();
    anna.append_with(&a, Seq(3), &[attempt(3)], None, &begins(3))
        .await
        .unwrap();
}

#[tokio::test]
async fn an_append_whose_answer_is_lost_is_there_once() {
    let Some(place) = Place::new() else { return };
    let proxy = place.proxy();
    let (anna, ben) = (place.behind(&proxy), place.journal());
    shared(&anna).await;
    let a = joined(&anna, "anna").await;
    for seq in 1..=5 {
        proxy.set(Mode::CutAnswer);
        anna.append_with(&a, Seq(seq), &[attempt(seq)], None, &begins(seq))
            .await
            .unwrap();
    }
    assert_eq!(seqs(&ben).await, [0, 1, 2, 3, 4, 5]);
    is_sound(&ben, 6).await;
}

#[tokio::test]
async fn what_was_printed_while_the_database_refused_it_is_kept_later() {
    let Some(place) = Place::new() else { return };
    let anna = place.journal();
    shared(&anna).await;
    let a = joined(&anna, "anna").await;
    anna.append_with(&a, Seq(1), &[attempt(1)], None, &begins(1))
        .await
        .unwrap();
    let stays = Stake {
        before: vec![Seq(1)],
        ..begins(1)
    };
    place.sql("ALTER TABLE runbook.chunk RENAME TO away");
    anna.print(&a, Seq(1), 0, &chunk("before")).unwrap();
    let refused = anna.transcript(run(1), Seq(1)).await;
    assert!(refused.is_err(), "{refused:?}");
    anna.print(&a, Seq(1), 1, &chunk("after")).unwrap();
    let refused = anna.append_with(&a, Seq(2), &[attempt(2)], None, &stays).await;
    assert!(refused.is_err(), "{refused:?}");
    place.sql("ALTER TABLE runbook.away RENAME TO chunk");
    anna.append_with(&a, Seq(2), &[attempt(2)], None, &ends(1))
        .await
        .unwrap();
    let kept = anna.transcript(run(1), Seq(1)).await.unwrap();
    assert_eq!(kept, [chunk("before"), chunk("after")]);
}

#[tokio::test]
async fn the_outlook_tells_the_time_of_the_database_and_who_is_at_work() {
    let Some(place) = Place::new() else { return };
    let (anna, ben) = (place.journal(), place.journal());
    let nothing = ben.outlook(None).await.unwrap();
    assert_eq!(nothing.runs, []);
    let said = place.sql("SELECT floor(extract(epoch FROM clock_timestamp()))::bigint");
    let off = said.parse::<i64>().unwrap() - nothing.now.as_second();
    assert!((0..60).contains(&off), "{off} s apart");
    shared(&anna).await;
    let a = joined(&anna, "anna").await;
    anna.append_with(&a, Seq(1), &[attempt(1)], None, &begins(1))
        .await
        .unwrap();
    let found = ben.outlook(None).await.unwrap();
    let [stand] = found.runs.as_slice() else {
        panic!("{found:?}")
    };
    assert_eq!((stand.run, stand.next, stand.is_shared), (run(1), Seq(2), true));
    let [call] = stand.calls.as_slice() else {
        panic!("{stand:?}")
    };
    assert_eq!(
        (call.of, &call.by, call.is_ours),
        (Seq(1), &holder("anna"), false)
    );
    assert!(call.left > Duration::from_secs(5));
    assert!(anna.outlook(None).await.unwrap().runs[0].calls[0].is_ours);
    anna.release(a, None).await.unwrap();
    assert_eq!(ben.outlook(None).await.unwrap().runs[0].calls, []);
}
