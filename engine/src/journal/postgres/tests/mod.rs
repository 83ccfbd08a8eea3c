//! The store before a database that dies, a network that does not hold, and others who want the same run.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use self::proxy::Proxy;
use super::*;
use crate::journal::tests::server::{OWNER, Server, Stop};
use crate::journal::tests::{attempt, chunk, first, holder, run};

mod addresses;
mod bell;
mod claims;
mod damage;
mod lost;
#[path = "../../../../tests/postgres/proxy.rs"]
mod proxy;
mod tables;
mod workers;

/// A server, a database in it, and a folder for doors.
struct Place {
    server: Server,
    folder: tempfile::TempDir,
}

const DATABASE: &str = "runs";

impl Place {
    /// None where PostgreSQL is not installed.
    fn new() -> Option<Self> {
        Self::with(&[])
    }

    fn with(settings: &[&str]) -> Option<Self> {
        let server = Server::start_with(settings)?;
        let _address = server.database(DATABASE);
        let folder = tempfile::tempdir().unwrap();
        Some(Self { server, folder })
    }

    /// A journal as another process would have it.
    fn journal(&self) -> PostgresJournal {
        self.journal_at(&self.server.address(DATABASE))
    }

    fn journal_at(&self, address: &str) -> PostgresJournal {
        let folder = self.folder.path().to_owned();
        PostgresJournal::new(
            address.parse().unwrap(),
            folder,
            Arc::new(|_| ()),
            CancellationToken::new(),
        )
    }

    /// A journal whose connections a proxy passes on.
    fn behind(&self, proxy: &Proxy) -> PostgresJournal {
        self.journal_at(&format!("postgres://{OWNER}@{}/{DATABASE}", proxy.address()))
    }

    fn proxy(&self) -> Proxy {
        Proxy::before(self.server.loopback())
    }

    fn sql(&self, statement: &str) -> String {
        self.server.sql(DATABASE, statement)
    }
}

async fn seqs(journal: &PostgresJournal) -> Vec<u64> {
    let entries = journal.read(run(1), Seq(0)).await.unwrap();
    entries.iter().map(|entry| entry.seq.0).collect()
}

/// Nothing is wrong with the run, and it has so many entries.
async fn is_sound(journal: &PostgresJournal, entries: u64) {
    let found = journal.verify(run(1)).await.unwrap();
    assert_eq!(found.findings, []);
    assert_eq!(found.entries, entries);
}
