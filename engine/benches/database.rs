//! How fast entries become durable in PostgreSQL, beside what the same database does at most: single rows, each
//! committed by itself, by pgbench; how soon one worker goes on where another one stopped; what idle workers cost; and how
//! long a long list takes. `cargo bench -p runbook-engine --bench database`.
//!
//! Rounds of both take turns, so that whatever else the machine does meanwhile meets both alike.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark measures time, and prints it"
)]

use std::error::Error;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use runbook_engine::core::event::{Entry, Event, RunStarted};
use runbook_engine::id::{AttemptNo, Host, Operator, RunId, Seq};
use runbook_engine::journal::postgres::PostgresJournal;
use runbook_engine::journal::{Claim, Crew, Holder, Journal, Stake};
use tokio::sync::Barrier;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

#[path = "../tests/postgres/server.rs"]
mod server;

use self::server::{OWNER, Server};

type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// How many write at the same time: each to a run of its own, by a connection of its own.
const WRITERS: [u32; 3] = [1, 4, 16];

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(2);

/// As long as an entry of a step is.
const BARE: &str = "INSERT INTO bare (run, seq, record) VALUES (:client_id, nextval('numbers'), \
                    decode(repeat('00', 300), 'hex'));\n";

#[tokio::main]
async fn main() -> Outcome {
    // Each worker has a connection for what it says, and one on which it listens.
    let Some(server) = Server::start_with(&["max_connections = 600"]) else {
        return Ok(());
    };
    let address = server.database("bench");
    let made = "CREATE TABLE bare (run integer, seq bigint, record bytea, PRIMARY KEY (run, seq)); CREATE SEQUENCE numbers CACHE 1000";
    drop(server.sql("bench", made));
    let folder = tempfile::tempdir()?;
    let script = folder.path().join("bare.sql");
    std::fs::write(&script, BARE)?;
    println!(
        "{:>8} {:>16} {:>16} {:>8}",
        "writers", "entries/s", "bare commits/s", "share"
    );
    let mut number = 0;
    for writers in WRITERS {
        let (mut ours, mut bare) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let mut tasks = Vec::new();
            let connected = Arc::new(Barrier::new(usize::try_from(writers)?));
            for _ in 0..writers {
                number += 1;
                tasks.push(tokio::spawn(append(
                    address.clone(),
                    folder.path().to_owned(),
                    number,
                    Arc::clone(&connected),
                )));
            }
            let mut total = 0.0;
            for task in tasks {
                total += task.await??;
            }
            ours.push(total);
            bare.push(pgbench(&server, &script, writers)?);
        }
        let (ours, bare) = (median(ours), median(bare));
        println!("{writers:>8} {ours:>16.0} {bare:>16.0} {:>8.2}", ours / bare);
    }
    let folder = folder.path();
    handed_on(&server.database("handed"), folder).await?;
    idle(&server, &server.database("idle"), folder).await?;
    listed(&server.database("listed"), folder).await
}

fn journal(address: &str, folder: &std::path::Path) -> Outcome<PostgresJournal> {
    let (heard, give_up) = (Arc::new(|_: &_| ()), CancellationToken::new());
    Ok(PostgresJournal::new(
        address.parse()?,
        folder.to_owned(),
        heard,
        give_up,
    ))
}

fn holder(name: &str) -> Holder {
    Holder {
        operator: Operator::new(name),
        host: Host::new("web1"),
        pid: 1,
        since: Timestamp::UNIX_EPOCH,
    }
}

/// Worker, and its claim on a shared run that is there.
async fn joined(journal: &PostgresJournal, run: RunId, name: &str) -> Outcome<Claim> {
    let claim = journal.join(run, holder(name)).await?;
    drop(journal.read(run, Seq(0)).await?);
    Ok(claim)
}

/// From the moment in which one worker has recorded something to the moment in which another one has recorded, and may
/// begin, what follows from it.
async fn handed_on(address: &str, folder: &std::path::Path) -> Outcome {
    let (anna, ben) = (journal(address, folder)?, journal(address, folder)?);
    let run = RunId::new(Uuid::from_u128(1));
    let (claim, _) = anna.create(run, holder("anna"), &[first(run)?]).await?;
    anna.release(claim, None).await?;
    let (a, b) = (joined(&anna, run, "anna").await?, joined(&ben, run, "ben").await?);
    let stake = Stake {
        open: true,
        ..Stake::default()
    };
    // The first waits find out that word comes through.
    for _ in 0..5 {
        ben.news(run, Duration::from_secs(1)).await;
    }
    let (mut times, mut next) = (Vec::new(), 1);
    for _ in 0..300 {
        let begun = Instant::now();
        anna.append_with(&a, Seq(next), &[attempted(next)?], None, &stake)
            .await?;
        while ben
            .outlook(Some(run))
            .await?
            .runs
            .first()
            .is_none_or(|stand| stand.next <= Seq(next))
        {
            ben.news(run, Duration::from_secs(1)).await;
        }
        drop(ben.read(run, Seq(next)).await?);
        ben.append_with(&b, Seq(next + 1), &[attempted(next + 1)?], None, &stake)
            .await?;
        times.push(begun.elapsed().as_secs_f64() * 1000.0);
        drop(anna.read(run, Seq(next + 1)).await?);
        next += 2;
    }
    times.sort_by(f64::total_cmp);
    let (half, most) = (times[times.len() / 2], times[times.len() * 99 / 100]);
    println!("from one worker to another, two appends: median {half:.1} ms, p99 {most:.1} ms");
    Ok(())
}

/// What workers cost that wait.
async fn idle(server: &Server, address: &str, folder: &std::path::Path) -> Outcome {
    const WORKERS: u32 = 200;
    const WATCHED: Duration = Duration::from_secs(20);
    let mut tasks = Vec::new();
    for _ in 0..WORKERS {
        let journal = journal(address, folder)?;
        tasks.push(tokio::spawn(async move {
            loop {
                if journal.outlook(None).await.is_err() {
                    return;
                }
                journal.any_news(Duration::from_secs(2)).await;
            }
        }));
    }
    tokio::time::sleep(Duration::from_secs(10)).await;
    let count = || -> Outcome<f64> {
        let said = "SELECT xact_commit FROM pg_stat_database WHERE datname = 'idle'";
        Ok(server.sql("postgres", said).parse()?)
    };
    let (before, begun) = (count()?, Instant::now());
    tokio::time::sleep(WATCHED).await;
    let rate = (count()? - before) / begun.elapsed().as_secs_f64();
    println!(
        "{WORKERS} idle workers: {rate:.1} queries/s, {:.2} each",
        rate / f64::from(WORKERS)
    );
    tasks.iter().for_each(tokio::task::JoinHandle::abort);
    Ok(())
}

/// How long a list of many runs takes.
async fn listed(address: &str, folder: &std::path::Path) -> Outcome {
    let journal = journal(address, folder)?;
    for number in 0..1000 {
        let run = RunId::new(Uuid::from_u128(number + 1));
        let (claim, _) = journal.create(run, holder("anna"), &[first(run)?]).await?;
        journal.append(&claim, Seq(1), &[attempted(1)?]).await?;
        journal.release(claim, None).await?;
    }
    let begun = Instant::now();
    let found = journal.list().await?.len();
    println!(
        "{found} runs listed in {:.1} ms",
        begun.elapsed().as_secs_f64() * 1000.0
    );
    Ok(())
}

fn attempted(seq: u64) -> Outcome<Entry> {
    Ok(entry(
        seq,
        Event::AttemptStarted {
            instance: "oauth-over-http[web1]".parse()?,
            attempt: AttemptNo(1),
        },
    ))
}

/// Entries in a second, appended one after the other as a run does it. As with pgbench, the time before all are connected
/// does not count.
async fn append(
    address: String,
    folder: std::path::PathBuf,
    number: u128,
    connected: Arc<Barrier>,
) -> Outcome<f64> {
    let journal = PostgresJournal::new(
        address.parse()?,
        folder,
        Arc::new(|_| ()),
        CancellationToken::new(),
    );
    let run = RunId::new(Uuid::from_u128(number));
    let holder = Holder {
        operator: Operator::new("anna"),
        host: Host::new("web1"),
        pid: 1,
        since: Timestamp::UNIX_EPOCH,
    };
    let (claim, _) = journal.create(run, holder, &[first(run)?]).await?;
    connected.wait().await;
    let (begun, mut seq) = (Instant::now(), 0);
    while begun.elapsed() < ROUND {
        seq += 1;
        journal.append(&claim, Seq(seq), &[attempted(seq)?]).await?;
    }
    let rate = f64::from(u32::try_from(seq)?) / begun.elapsed().as_secs_f64();
    journal.release(claim, None).await?;
    Ok(rate)
}

/// Bare commits in a second.
fn pgbench(server: &Server, script: &std::path::Path, writers: u32) -> Outcome<f64> {
    let output = Command::new(server.program("pgbench"))
        .args(["-n", "-M", "prepared", "-U", OWNER, "-h"])
        .arg(server.folder())
        .args(["-p", &server.loopback().port().to_string()])
        .args(["-c", &writers.to_string(), "-j", &writers.min(2).to_string()])
        .args(["-T", &ROUND.as_secs().to_string(), "-f"])
        .arg(script)
        .arg("bench")
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let rate = text.lines().find_map(|line| line.strip_prefix("tps = "));
    let rate = rate.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
    rate.ok_or_else(|| {
        format!(
            "pgbench says nothing: {text}{}",
            String::from_utf8_lossy(&output.stderr)
        )
        .into()
    })
}

fn first(run: RunId) -> Outcome<Entry> {
    Ok(entry(
        0,
        Event::RunStarted(Box::new(RunStarted {
            run,
            runbook: "bench".parse()?,
            file: "bench.yaml".to_owned(),
            text: "runbook: bench\nsteps: {}\n".to_owned(),
            params: std::collections::BTreeMap::new(),
            overlaid: None,
            rehearsal: None,
            jobs: 1,
            program: "0.1.0".to_owned(),
        })),
    ))
}

fn entry(seq: u64, event: Event) -> Entry {
    Entry {
        seq: Seq(seq),
        time: Timestamp::UNIX_EPOCH,
        operator: Operator::new("anna"),
        host: Host::new("web1"),
        event,
    }
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}
