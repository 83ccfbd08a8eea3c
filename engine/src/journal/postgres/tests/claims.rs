//! Who may write: one at a time, for as long as the database's clock says.

use super::proxy::Mode;
use super::*;

const SHORT: Duration = Duration::from_millis(600);

/// Claims the run as soon as whoever holds it has lost it.
async fn taken(journal: &PostgresJournal, by: &str) -> Claim {
    loop {
        match journal.claim(run(1), holder(by)).await {
            Ok(claim) => return claim,
            Err(JournalError::Held(Some(other))) => assert_eq!(other, holder("anna")),
            Err(error) => panic!("{error:?}"),
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_claim_that_nobody_renews_ends_and_its_holder_writes_nothing_more() {
    let Some(place) = Place::new() else { return };
    let proxy = place.proxy();
    let (anna, ben) = (place.behind(&proxy).with_claims_of(SHORT), place.journal());
    let (old, _) = anna
        .create(run(1), holder("anna"), &[first(run(1))])
        .await
        .unwrap();
    anna.print(&old, Seq(0), 0, &chunk("said in time")).unwrap();
    anna.append(&old, Seq(1), &[attempt(1)]).await.unwrap();
    proxy.set(Mode::Refuse);
    anna.print(&old, Seq(0), 1, &chunk("said late")).unwrap();
    let new = taken(&ben, "ben").await;
    proxy.set(Mode::Pass);
    let append = anna.append(&old, Seq(2), &[attempt(2)]).await.unwrap_err();
    let attach = anna.attach(&old, b"late").await.unwrap_err();
    let print = anna.print(&old, Seq(1), 0, &chunk("late")).unwrap_err();
    for error in [append, attach, print] {
        assert!(matches!(error, JournalError::NotClaimed), "{error:?}");
    }
    ben.append(&new, Seq(2), &[attempt(2)]).await.unwrap();
    assert_eq!(seqs(&ben).await, [0, 1, 2]);
    assert_eq!(
        ben.transcript(run(1), Seq(0)).await.unwrap(),
        [chunk("said in time")]
    );
    assert!(anna.release(old, None).await.is_err());
    assert_eq!(ben.holder(run(1)).await.unwrap(), Some(holder("ben")));
    is_sound(&ben, 3).await;
}

#[tokio::test]
async fn a_holder_who_was_away_goes_on_if_nobody_came_meanwhile() {
    let Some(place) = Place::new() else { return };
    let proxy = place.proxy();
    let (anna, ben) = (place.behind(&proxy).with_claims_of(SHORT), place.journal());
    let (claim, _) = anna
        .create(run(1), holder("anna"), &[first(run(1))])
        .await
        .unwrap();
    proxy.set(Mode::Refuse);
    while ben.holder(run(1)).await.unwrap().is_some() {
        tokio::task::yield_now().await;
    }
    proxy.set(Mode::Pass);
    anna.append(&claim, Seq(1), &[attempt(1)]).await.unwrap();
    assert_eq!(ben.holder(run(1)).await.unwrap(), Some(holder("anna")));
    let error = ben.claim(run(1), holder("ben")).await.unwrap_err();
    assert!(matches!(error, JournalError::Held(Some(_))), "{error:?}");
}

#[tokio::test]
async fn a_claim_is_renewed_for_as_long_as_it_is_held() {
    let Some(place) = Place::new() else { return };
    let (anna, ben) = (place.journal().with_claims_of(SHORT), place.journal());
    let (claim, _) = anna
        .create(run(1), holder("anna"), &[first(run(1))])
        .await
        .unwrap();
    let begun = tokio::time::Instant::now();
    while begun.elapsed() < 3 * SHORT {
        assert_eq!(ben.holder(run(1)).await.unwrap(), Some(holder("anna")));
        tokio::task::yield_now().await;
    }
    anna.append(&claim, Seq(1), &[attempt(1)]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_want_a_run_one_gets_it() {
    let Some(place) = Place::new() else { return };
    let journals: Vec<_> = (0..6).map(|_| Arc::new(place.journal())).collect();
    let (claim, _) = journals[0]
        .create(run(1), holder("anna"), &[first(run(1))])
        .await
        .unwrap();
    journals[0].release(claim, None).await.unwrap();
    for round in 1..=10 {
        let claims = journals.iter().enumerate().map(|(at, journal)| {
            let (journal, who) = (Arc::clone(journal), holder(&format!("operator {at}")));
            tokio::spawn(async move { journal.claim(run(1), who).await.map(|claim| (journal, claim)) })
        });
        let claims: Vec<_> = claims.collect();
        let mut won = Vec::new();
        for claim in claims {
            match claim.await.unwrap() {
                Ok(claim) => won.push(claim),
                Err(JournalError::Held(_)) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
        assert_eq!(won.len(), 1);
        let (journal, claim) = won.remove(0);
        journal
            .append(&claim, Seq(round), &[attempt(round)])
            .await
            .unwrap();
        journal.release(claim, None).await.unwrap();
    }
    is_sound(&journals[0], 11).await;
}
