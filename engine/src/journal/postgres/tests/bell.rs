//! Word of what happens to runs.

use super::*;

#[tokio::test]
async fn who_waits_is_told_at_once_where_word_comes_through() {
    let Some(place) = Place::new() else { return };
    let (anna, ben) = (place.journal(), place.journal());
    let (claim, _) = anna
        .create(run(1), holder("anna"), &[first(run(1))])
        .await
        .unwrap();
    while !ben.bell.hears() {
        ben.news(run(1), Duration::from_millis(10)).await;
    }
    for seq in 1..=5 {
        let begun = tokio::time::Instant::now();
        let wait = ben.news(run(1), Duration::from_secs(600));
        let entries = [attempt(seq)];
        let write = anna.append(&claim, Seq(seq), &entries);
        let ((), written) = tokio::join!(wait, write);
        written.unwrap();
        assert!(
            begun.elapsed() < Duration::from_secs(4),
            "it was not told, but looked"
        );
        assert_eq!(seqs(&ben).await.len() as u64, seq + 1);
    }
}

#[tokio::test]
async fn who_cannot_be_told_looks_at_their_own_pace() {
    let Some(mut place) = Place::new() else { return };
    let journal = place.journal();
    journal.runs().await.unwrap();
    place.server.stop(Stop::Fast);
    let begun = tokio::time::Instant::now();
    journal.news(run(1), Duration::from_millis(50)).await;
    assert!(begun.elapsed() < Duration::from_secs(4));
    assert!(!journal.bell.hears());
}
