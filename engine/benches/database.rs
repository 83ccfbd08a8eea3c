//! How fast entries become durable in PostgreSQL, beside what the same database does at most: single rows, each
//! committed by itself, by pgbench. `cargo bench -p runbook-engine --bench database`.
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
use runbook_engine::journal::{Holder, Journal};
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
    let Some(server) = Server::start() else {
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
            for _ in 0..writers {
                number += 1;
                tasks.push(tokio::spawn(append(
                    address.clone(),
                    folder.path().to_owned(),
                    number,
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
    Ok(())
}

/// Entries in a second, appended one after the other as a run does it.
async fn append(address: String, folder: std::path::PathBuf, number: u128) -> Outcome<f64> {
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
    let (begun, mut seq) = (Instant::now(), 0);
    while begun.elapsed() < ROUND {
        seq += 1;
        let event = Event::AttemptStarted {
            instance: "oauth-over-http[web1]".parse()?,
            attempt: AttemptNo(1),
        };
        journal.append(&claim, Seq(seq), &[entry(seq, event)]).await?;
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
