//! The process is killed while it writes: nothing that was acknowledged is lost.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::sealed::give_back;
use super::*;

/// Where the child finds its state folder; only set for the child.
const CHILD: &str = "RUNBOOK_TEST_JOURNAL_CHILD";

/// How often the child is killed, where the environment names no other number: starting it can take long.
const ROUNDS: u64 = 20;

fn rounds() -> u64 {
    let named = std::env::var("RUNBOOK_TEST_KILLS").ok();
    named.map_or(ROUNDS, |number| number.parse().unwrap())
}

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

/// Where the child that finishes finds its state folder; only set for that child.
const FINISHER: &str = "RUNBOOK_TEST_JOURNAL_FINISHER";

/// Where that child stands still until it is killed, if it does.
const STANDS: &str = "RUNBOOK_TEST_JOURNAL_STANDS";

/// The child that seals the run after each entry, and opens it again for the next.
#[tokio::test]
async fn finisher() {
    let Ok(root) = std::env::var(FINISHER) else {
        return;
    };
    let stands = std::env::var(STANDS).unwrap_or_default();
    let journal = SledJournal::open(Path::new(&root)).unwrap();
    let mut next = journal.read(run(1), Seq(0)).await.unwrap().len() as u64;
    loop {
        let claim = journal.claim(run(1), holder("child")).await.unwrap();
        journal
            .print(&claim, Seq(next - 1), 0, &chunk(&"x".repeat(5_000)))
            .unwrap();
        journal.append(&claim, Seq(next), &[attempt(next)]).await.unwrap();
        writeln!(std::io::stdout(), "durable {next}").unwrap();
        next += 1;
        if stands == "open" {
            std::future::pending::<()>().await;
        }
        give_back(&journal, claim).await;
        if stands == "sealed" {
            std::future::pending::<()>().await;
        }
    }
}

/// Runs the child until it has said that `entries` of them are durable, kills it, and gives the last number said.
fn kill_after(root: &Path, entries: u64) -> u64 {
    kill(root, ("child", CHILD), "", entries, || {})
}

/// The same, of that child, which may stand still somewhere, and after something else.
fn kill(
    root: &Path,
    (name, variable): (&str, &str),
    stands: &str,
    entries: u64,
    before_that: impl FnOnce(),
) -> u64 {
    let name = format!("journal::sled::tests::crash::{name}");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &name, "--nocapture"])
        .env(variable, root)
        .env(STANDS, stands)
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
    before_that();
    child.kill().unwrap();
    // What was said before the kill may still be on its way.
    let last = said.last().or(before);
    child.wait().unwrap();
    last.expect("the child has said nothing")
}

#[tokio::test]
async fn no_acknowledged_entry_is_lost() {
    let state = State::new();
    for round in 0..rounds() {
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

#[tokio::test]
async fn no_acknowledged_entry_is_lost_while_the_run_is_sealed_and_opened() {
    let state = State::new();
    let journal = state.journal();
    let (claim, _) = journal
        .create(run(1), holder("anna"), &[first(run(1))])
        .await
        .unwrap();
    journal.release(claim, None).await.unwrap();
    let is_sealed = || state.run().join("sealed").exists();
    for round in 0..2 * rounds() {
        let finisher = ("finisher", FINISHER);
        let last = match round % 4 {
            0 => {
                let last = kill(state.root(), finisher, "open", 1, || {});
                assert!(!is_sealed(), "it was killed before it sealed the run");
                last
            }
            1 => {
                let sealed = || {
                    while !is_sealed() {
                        std::thread::yield_now();
                    }
                };
                let last = kill(state.root(), finisher, "sealed", 1, sealed);
                assert!(is_sealed(), "it was killed when it had sealed the run");
                last
            }
            // Anywhere in the few milliseconds that sealing and opening take.
            _ => {
                let later = Duration::from_micros(round * 300);
                kill(state.root(), finisher, "", 1 + round % 2, || {
                    std::thread::sleep(later);
                })
            }
        };
        let journal = state.journal();
        let entries = journal.read(run(1), Seq(0)).await.unwrap();
        assert!(
            entries.len() as u64 > last,
            "round {round}: {} entries, {last} was durable",
            entries.len()
        );
        // The first entry begins nothing that prints.
        for seq in 1..last {
            let printed = journal.transcript(run(1), Seq(seq)).await.unwrap();
            assert_eq!(printed.len(), 1, "round {round}: the transcript of entry {seq}");
        }
        assert_eq!(journal.verify(run(1)).await.unwrap().findings, []);
    }
}
