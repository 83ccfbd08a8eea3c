//! A look at a database from outside: nothing is made, changed or waited for.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, timeout};
use tokio_postgres::types::Type;
use tokio_util::sync::CancellationToken;

use super::address::Address;
use super::contents;
use super::link::{Link, Problem, silent};
use super::schema;
use crate::journal::{JournalError, Summary};

/// How long somebody waits who only looks.
const LONGEST: Duration = Duration::from_secs(5);

/// What a database is like.
#[derive(Debug, Clone)]
pub struct Survey {
    /// The version of PostgreSQL.
    pub server: String,
    /// The version of the tables; none where there are none.
    pub tables: Option<i32>,
    /// The version that this program reads and writes.
    pub known: i32,
    /// It only follows another one, and takes nothing.
    pub only_reads: bool,
    /// What its clock showed in the middle of the last answer.
    pub now: Timestamp,
    /// How long that answer took.
    pub took: Duration,
}

/// Looks what a database is like.
///
/// # Errors
/// When it does not answer, or does not let this user in.
pub async fn survey(address: Address) -> Result<Survey, JournalError> {
    let link = of(address);
    let found = timeout(LONGEST, look(&link)).await;
    let found = found.unwrap_or_else(|_| Err(Problem::Away(silent())));
    found.map_err(|problem| link.failed(problem))
}

async fn look(link: &Link) -> Result<Survey, Problem> {
    let client = link.look().await?;
    let tables = match schema::version(&client).await? {
        0 => None,
        version => Some(version),
    };
    let begun = Instant::now();
    let asked = "SELECT current_setting('server_version'), pg_is_in_recovery(),
        floor(extract(epoch FROM clock_timestamp()) * 1000000)::bigint";
    let rows = client.query_typed(asked, &[]).await?;
    let took = begun.elapsed();
    let row = rows.first().ok_or_else(|| Problem::Away(silent()))?;
    let now = Timestamp::from_microsecond(row.try_get(2)?);
    Ok(Survey {
        server: row.try_get(0)?,
        tables,
        known: schema::KNOWN,
        only_reads: row.try_get(1)?,
        now: now.map_err(|_| Problem::Away(silent()))?,
        took,
    })
}

/// The newest runs as lists show them, as far as they are had in that time; none where anything is in the way.
pub async fn peek(address: Address, most: i64, longest: Duration) -> Vec<Summary> {
    let link = of(address);
    let rows = async {
        let client = link.look().await?;
        let newest = "SELECT content FROM runbook.summary ORDER BY run DESC LIMIT $1";
        Ok::<_, Problem>(client.query_typed(newest, &[(&most, Type::INT8)]).await?)
    };
    let Ok(Ok(rows)) = timeout(longest, rows).await else {
        return Vec::new();
    };
    let summaries = rows.iter().map(|row| row.try_get::<_, &str>(0));
    summaries
        .filter_map(|text| contents::summary(text.ok()?).ok())
        .collect()
}

fn of(address: Address) -> Link {
    Link::new(address, Arc::new(|_| ()), CancellationToken::new())
}
