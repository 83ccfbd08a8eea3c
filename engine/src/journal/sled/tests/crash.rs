//! The process is killed while it writes: nothing that was acknowledged is lost.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use super::*;

/// Where the child finds its state folder; only set for the child.
const CHILD: &str = "RUNBOOK_TEST_JOURNAL_CHILD";

const ROUNDS: u64 = 20;

/// The child: takes the run up and appends for ever, saying each number when it is durable.
#[tokio::test]
async fn child() {
    let Ok(root) = std::env::var(CHILD) else { return };
    let journal = SledJournal::open(Path::new(&root)).unwrap();
    let claim = match journal.claim(run(1), holder("child")).await {
        Ok(claim) => claim,
        Err(JournalError::NotFound(_)) => {
            journal
                .create(run(1), holder("child"), &[first(run(1))])
                .await
                .unwrap()
                .0
        }
        Err(error) => panic!("{error}"),
    };
    let next = journal.read(run(1), Seq(0)).await.unwrap().len() as u64;
    for seq in next.. {
        journal
            .print(&claim, Seq(seq - 1), 0, &chunk(&"x".repeat(5_000)))
            .unwrap();
        let entry = if seq % 10 == 0 {
            large(seq, 20_000)
        } else {
            attempt(seq)
        };
        journal.append(&claim, Seq(seq), &[entry]).await.unwrap();
        writeln!(std::io::stdout(), "durable {seq}").unwrap();
    }
}

/// Runs the child until it has said that `entries` of them are durable, kills it, and gives the last number said.
fn kill_after(root: &Path, entries: u64) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "journal::sled::tests::crash::child", "--nocapture"])
        .env(CHILD, root)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .filter_map(|line| {
            line.unwrap()
                .strip_prefix("durable ")
                .map(|seq| seq.parse().unwrap())
        });
    let before = said.by_ref().take(usize::try_from(entries).unwrap()).last();
    child.kill().unwrap();
    // What was said before the kill may still be on its way.
    let last = said.last().or(before);
    child.wait().unwrap();
    last.expect("the child has said nothing")
}

#[tokio::test]
async fn no_acknowledged_entry_is_lost() {
    let state = State::new();
    for round in 0..ROUNDS {
        let last = kill_after(state.root(), 1 + round * 3 % 17);
        let journal = state.journal();
        assert!(
            journal.list().await.unwrap()[0].holder.is_none(),
            "the dead hold nothing"
        );
        let entries = journal.read(run(1), Seq(0)).await.unwrap();
        assert!(
            entries.len() as u64 > last,
            "round {round}: {} entries, {last} was durable",
            entries.len()
        );
        for seq in 0..last {
            let printed = journal.transcript(run(1), Seq(seq)).await.unwrap();
            assert_eq!(printed.len(), 1, "round {round}: the transcript of entry {seq}");
        }
        assert_eq!(journal.verify(run(1)).await.unwrap().findings, []);
    }
}
