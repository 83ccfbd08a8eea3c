//! How long a durable append takes, held against the least that the disk allows: a plain file and `fdatasync`,
//! measured in turns with it.
//!
//!     cargo run --release -p runbook-engine --example append

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "this measures, and prints what it found"
)]

use std::error::Error;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use runbook_engine::core::event::{Entry, Event};
use runbook_engine::id::{AttemptNo, Host, Operator, RunId, Seq};
use runbook_engine::journal::{Claim, Holder, Journal, SledJournal};
use uuid::Uuid;

const ROUNDS: u64 = 5;
const APPENDS: u64 = 400;
const WRITERS: u64 = 8;

type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main]
async fn main() -> Outcome {
    let folder = tempfile::tempdir_in(".")?;
    let journal = Arc::new(SledJournal::open(folder.path())?);
    let (mut plain, mut sled, mut seq) = (Vec::new(), Vec::new(), 1);
    let begun = Instant::now();
    let claim = start(&journal, 1).await?;
    println!("create            {:>8.1?}", begun.elapsed());
    for _ in 0..ROUNDS {
        plain.extend(plain_appends(folder.path())?);
        for _ in 0..APPENDS {
            let begun = Instant::now();
            journal.append(&claim, Seq(seq), &[entry(seq)?]).await?;
            sled.push(begun.elapsed());
            seq += 1;
        }
    }
    let (plain, sled) = (show("plain + fdatasync", plain), show("journal append", sled));
    println!(
        "ratio of medians  {:>8.2}",
        sled.as_secs_f64() / plain.as_secs_f64()
    );
    together(&journal, &claim).await?;
    let begun = Instant::now();
    journal.release(claim, None).await?;
    println!("release           {:>8.1?}", begun.elapsed());
    let begun = Instant::now();
    let claim = journal.claim(RunId::new(Uuid::from_u128(1)), holder()).await?;
    println!("claim             {:>8.1?}", begun.elapsed());
    let begun = Instant::now();
    let entries = journal.read(claim.run, Seq(0)).await?.len();
    println!("read {entries:>6}       {:>8.1?}", begun.elapsed());
    journal.release(claim, None).await?;
    many_runs(&journal).await
}

fn holder() -> Holder {
    Holder {
        operator: Operator::new("anna"),
        host: Host::new("web1"),
        pid: 1,
        since: Timestamp::UNIX_EPOCH,
    }
}

fn entry(seq: u64) -> Outcome<Entry> {
    let instance = "configure-oauth-over-http[web1]".parse()?;
    let event = Event::AttemptStarted {
        instance,
        attempt: AttemptNo(1),
    };
    let (operator, host) = (Operator::new("anna"), Host::new("web1.adventureworks.example"));
    Ok(Entry {
        seq: Seq(seq),
        time: Timestamp::now(),
        operator,
        host,
        event,
    })
}

async fn start(journal: &SledJournal, run: u128) -> Outcome<Claim> {
    let (claim, _) = journal
        .create(RunId::new(Uuid::from_u128(run)), holder(), &[entry(0)?])
        .await?;
    Ok(claim)
}

/// As many bytes as an entry needs in the journal.
fn plain_appends(folder: &Path) -> Outcome<Vec<Duration>> {
    let mut file = File::options()
        .create(true)
        .append(true)
        .open(folder.join("plain"))?;
    let bytes = [b'x'; 320];
    let mut took = Vec::new();
    for _ in 0..APPENDS {
        let begun = Instant::now();
        file.write_all(&bytes)?;
        file.sync_data()?;
        took.push(begun.elapsed());
    }
    Ok(took)
}

/// Several writers of one run, each waiting for its own: they share syncs.
async fn together(journal: &Arc<SledJournal>, claim: &Claim) -> Outcome {
    let begun = Instant::now();
    let mut writers = Vec::new();
    for writer in 0..WRITERS {
        let (journal, claim) = (Arc::clone(journal), claim.clone());
        writers.push(tokio::spawn(async move {
            for number in 0..APPENDS {
                let content = [writer.to_be_bytes(), number.to_be_bytes()].concat();
                journal.attach(&claim, &content).await?;
            }
            Outcome::Ok(())
        }));
    }
    for writer in writers {
        writer.await??;
    }
    let each = begun.elapsed() / u32::try_from(WRITERS * APPENDS)?;
    println!("{WRITERS} writers, each   {each:>8.1?}");
    Ok(())
}

async fn many_runs(journal: &SledJournal) -> Outcome {
    for run in 2..100 {
        let claim = start(journal, run).await?;
        journal.release(claim, None).await?;
    }
    let begun = Instant::now();
    let runs = journal.list().await?.len();
    println!("list {runs} runs      {:>8.1?}", begun.elapsed());
    Ok(())
}

/// Prints the median and the 99th percentile; gives the median.
fn show(what: &str, mut took: Vec<Duration>) -> Duration {
    took.sort_unstable();
    let (median, high) = (took[took.len() / 2], took[took.len() * 99 / 100]);
    println!("{what:<17} {median:>8.1?} (99 %: {high:.1?})");
    median
}
