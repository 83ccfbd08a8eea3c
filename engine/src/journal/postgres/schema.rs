//! The tables in the database: made, and brought up to date, by whoever comes first.

use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::link::Problem;
use crate::journal::JournalError;

/// What leads from each version of the tables to the next; the first from an empty database.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/1.sql"),
    include_str!("migrations/2.sql"),
    include_str!("migrations/3.sql"),
    include_str!("migrations/4.sql"),
];

/// The version that this program reads and writes.
pub(super) const KNOWN: i32 = MIGRATIONS.len() as i32;

/// The number of the lock under which tables are changed: `runbook` in ASCII.
const LOCK: i64 = 0x72_75_6e_62_6f_6f_6b;

/// No such table, or no such schema.
const ABSENT: [&str; 2] = ["42P01", "3F000"];

/// Sees to it that the tables are those that this program knows. The client is nobody else's yet.
pub(super) async fn prepare(client: &Client, shown: &str) -> Result<(), Problem> {
    if is_known(version(client).await?, shown)? {
        return Ok(());
    }
    let migrated = migrate(client, shown).await;
    if migrated.is_err() {
        // The connection is given up in any case, and with it the transaction.
        client.batch_execute("ROLLBACK").await.ok();
    }
    migrated
}

/// Whether nothing is to be done.
fn is_known(found: i32, shown: &str) -> Result<bool, Problem> {
    if found > KNOWN {
        return Err(Problem::Journal(JournalError::NewerDatabase {
            database: shown.to_owned(),
            what: format!("its tables have version {found}; this program knows up to {KNOWN}"),
        }));
    }
    Ok(found == KNOWN)
}

/// The version of the tables; 0 where there are none.
pub(super) async fn version(client: &Client) -> Result<i32, Problem> {
    match client
        .query_typed("SELECT version FROM runbook.version", &[])
        .await
    {
        Ok(rows) => Ok(rows.first().map_or(Ok(0), |row| row.try_get(0))?),
        Err(error) if error.code().is_some_and(|code| ABSENT.contains(&code.code())) => Ok(0),
        Err(error) => Err(error.into()),
    }
}

/// In one transaction, under a lock that ends with it: a pooling proxy keeps to one connection for so long.
async fn migrate(client: &Client, shown: &str) -> Result<(), Problem> {
    client.batch_execute("BEGIN").await?;
    let lock = "SELECT pg_advisory_xact_lock($1)";
    client.query_typed(lock, &[(&LOCK, Type::INT8)]).await?;
    let there = "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = 'runbook'";
    let is_new = client.query_typed(there, &[]).await?.is_empty();
    if is_new {
        client
            .batch_execute(
                "CREATE SCHEMA runbook;
                 CREATE TABLE runbook.version (one boolean PRIMARY KEY CHECK (one), version integer NOT NULL)",
            )
            .await?;
    }
    // Somebody else may have done it meanwhile.
    let found = version(client).await?;
    if !is_known(found, shown)? {
        let from = usize::try_from(found).unwrap_or_default();
        for migration in MIGRATIONS.iter().skip(from) {
            client.batch_execute(migration).await?;
        }
        let note = "INSERT INTO runbook.version (one, version) VALUES (true, $1)
            ON CONFLICT (one) DO UPDATE SET version = excluded.version";
        client.execute_typed(note, &[(&KNOWN, Type::INT4)]).await?;
    }
    Ok(client.batch_execute("COMMIT").await?)
}
