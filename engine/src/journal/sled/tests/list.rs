//! Lists: fast, and not stopped by a run that cannot be read.

use std::fs;

use super::*;

#[tokio::test]
async fn a_run_without_a_readable_summary_is_a_row_that_says_what_to_do() {
    for (content, what) in [
        (None, "is missing"),
        (Some("{"), "cannot be read"),
        (Some(""), "cannot be read"),
    ] {
        let state = State::new();
        let journal = state.journal();
        write_run(&journal).await;
        let (claim, _) = journal
            .create(run(2), holder("anna"), &[first(run(2))])
            .await
            .unwrap();
        let path = state.run().join("summary.json");
        match content {
            None => fs::remove_file(path).unwrap(),
            Some(text) => fs::write(path, text).unwrap(),
        }
        let rows = journal.list().await.unwrap();
        let error = rows[1].summary.as_ref().unwrap_err().to_string();
        let says = format!(
            "`summary.json` {what}; `runbook resume {}` writes it anew",
            run(1)
        );
        assert_eq!(error, format!("the journal is damaged: {says}"));
        assert_eq!(rows[0].summary.as_ref().unwrap().run, run(2));
        journal.release(claim, None).await.unwrap();
    }
}

#[tokio::test]
async fn looking_who_holds_a_run_disturbs_nobody() {
    let state = State::new();
    let (journal, other) = (state.journal(), state.journal());
    write_run(&journal).await;
    let claim = journal.claim(run(1), holder("anna")).await.unwrap();
    for seq in 60..70 {
        assert_eq!(other.list().await.unwrap()[0].holder, Some(holder("anna")));
        journal.append(&claim, Seq(seq), &[attempt(seq)]).await.unwrap();
    }
    journal.release(claim, None).await.unwrap();
    // A holder that died says nothing any more.
    fs::write(
        state.run().join("holder.json"),
        serde_json::to_vec(&holder("ghost")).unwrap(),
    )
    .unwrap();
    assert_eq!(other.list().await.unwrap()[0].holder, None);
}

#[tokio::test]
async fn of_a_thousand_runs_only_the_summaries_are_read() {
    let state = State::new();
    let journal = state.journal();
    write_run(&journal).await;
    let text = fs::read_to_string(state.run().join("summary.json")).unwrap();
    for number in 2..=1_000 {
        let path = state.root().join("runs").join(run(number).to_string());
        fs::create_dir(&path).unwrap();
        fs::write(
            path.join("summary.json"),
            text.replace(&run(1).to_string(), &run(number).to_string()),
        )
        .unwrap();
    }
    // Of all but one of them there is nothing else to be read.
    let rows = journal.list().await.unwrap();
    assert_eq!(rows.iter().filter(|row| row.summary.is_ok()).count(), 1_000);
}
