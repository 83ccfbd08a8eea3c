//! What holds of every store, carried out against each.

use std::sync::Arc;

use serde_json::json;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use self::server::Server;
use super::*;
use crate::core::event::{Event, Failure, FailureKind, Outputs, RunStarted};
use crate::core::status::RunStatus;
use crate::id::AttemptNo;

mod memory;
mod restore;
#[path = "../../../tests/postgres/server.rs"]
pub(crate) mod server;
mod suite;

pub(in crate::journal) fn run(number: u128) -> RunId {
    RunId::new(Uuid::from_u128(number))
}

pub(in crate::journal) fn holder(name: &str) -> Holder {
    let (operator, host) = (Operator::new(name), Host::new("web1"));
    Holder {
        operator,
        host,
        pid: 4711,
        since: Timestamp::UNIX_EPOCH,
    }
}

pub(in crate::journal) fn entry(seq: u64, event: Event) -> Entry {
    let time = Timestamp::from_second(1_700_000_000 + i64::try_from(seq).unwrap()).unwrap();
    Entry {
        seq: Seq(seq),
        time,
        operator: Operator::new("anna"),
        host: Host::new("web1"),
        event,
    }
}

pub(in crate::journal) fn first(run: RunId) -> Entry {
    entry(
        0,
        Event::RunStarted(Box::new(RunStarted {
            run,
            runbook: "hybrid".parse().unwrap(),
            file: "hybrid.yaml".to_owned(),
            text: "runbook: hybrid\nsteps: {}\n".to_owned(),
            params: [("domain".parse().unwrap(), json!("example.com"))].into(),
            overlaid: None,
            rehearsal: None,
            jobs: 4,
            program: "0.1.0".to_owned(),
        })),
    )
}

pub(in crate::journal) fn attempt(seq: u64) -> Entry {
    let attempt = AttemptNo(u32::try_from(seq).unwrap());
    entry(
        seq,
        Event::AttemptStarted {
            instance: "oauth[web1]".parse().unwrap(),
            attempt,
        },
    )
}

pub(in crate::journal) fn failed(seq: u64, transcript: Option<crate::core::event::Transcript>) -> Entry {
    let error = Failure::new(FailureKind::Failed, "no");
    entry(
        seq,
        Event::AttemptFailed {
            instance: "oauth[web1]".parse().unwrap(),
            error,
            transcript,
            retry_at: None,
        },
    )
}

pub(in crate::journal) fn confirmed(seq: u64, attachments: Vec<crate::core::event::Attachment>) -> Entry {
    let instance = "manual".parse().unwrap();
    entry(
        seq,
        Event::Confirmed {
            instance,
            values: Outputs::new(),
            attachments,
            note: None,
        },
    )
}

/// An entry that needs many pieces.
pub(in crate::journal) fn large(seq: u64, bytes: usize) -> Entry {
    let text = (0..bytes)
        .map(|at| char::from(b'a' + u8::try_from(at % 26).unwrap()))
        .collect();
    entry(
        seq,
        Event::FilePinned {
            name: "large.ps1".to_owned(),
            text,
        },
    )
}

pub(in crate::journal) fn chunk(text: &str) -> Chunk {
    Chunk {
        time: Timestamp::UNIX_EPOCH,
        stream: "stdout".to_owned(),
        bytes: text.as_bytes().to_vec(),
    }
}

pub(in crate::journal) fn summary(run: RunId, head: Seq, head_hash: &str) -> Summary {
    let hash = head_hash.parse().unwrap();
    let first = Summary::of_first(&[first(run)], &hash).unwrap();
    Summary {
        title: "Hybrid".to_owned(),
        status: RunStatus::Waiting,
        head,
        ..first
    }
}

/// A store to test, and what it needs.
pub(in crate::journal) struct Fixture {
    pub(in crate::journal) journal: Arc<dyn Journal>,
    _folder: Option<tempfile::TempDir>,
    _server: Option<Server>,
}

pub(in crate::journal) fn memory() -> Fixture {
    Fixture {
        journal: Arc::new(MemoryJournal::new()),
        _folder: None,
        _server: None,
    }
}

pub(in crate::journal) fn sled() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    Fixture {
        journal: Arc::new(SledJournal::open(folder.path()).unwrap()),
        _folder: Some(folder),
        _server: None,
    }
}

/// None where PostgreSQL is not installed.
pub(in crate::journal) fn postgres() -> Option<Fixture> {
    let server = Server::start()?;
    let folder = tempfile::tempdir().unwrap();
    let address = server.database("suite").parse().unwrap();
    let journal = PostgresJournal::new(
        address,
        folder.path().to_owned(),
        Arc::new(|_| ()),
        CancellationToken::new(),
    );
    Some(Fixture {
        journal: Arc::new(journal),
        _folder: Some(folder),
        _server: Some(server),
    })
}
