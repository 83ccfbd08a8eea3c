//! Version 1 of the stored form. Never changes once released: a new form is a new version.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use self::event::Event;
use super::Stored;
use crate::core::event::Entry;
use crate::id::{Host, Operator, Seq};
use crate::identity::PublicKey;
use crate::journal::chain::Digest;

mod event;
mod from_core;
mod into_core;
mod overlaid;
mod parts;

pub(super) const VERSION: u64 = 1;

/// Why a stored entry could not be read.
#[derive(Debug)]
pub(super) enum Problem {
    /// It says something that this program does not know.
    Newer(String),
    /// It is not what was written.
    Wrong(String),
}

impl Problem {
    fn wrong(what: impl ToString) -> Self {
        Self::Wrong(what.to_string())
    }

    /// What serde refuses as unknown was written by a program that knew it; the hash has been checked.
    fn of(error: &serde_json::Error) -> Self {
        let message = error.to_string();
        if message.starts_with("unknown field") || message.starts_with("unknown variant") {
            Self::Newer(message)
        } else {
            Self::Wrong(message)
        }
    }
}

/// Who, when and where: what stands before every event.
#[derive(Serialize, Deserialize)]
struct Author {
    seq: Seq,
    time: Timestamp,
    operator: Operator,
    host: Host,
}

#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    author: Author,
    #[serde(flatten)]
    event: Event,
}

#[derive(Serialize)]
struct Kept {
    v: u64,
    #[serde(flatten)]
    author: Author,
    /// Whoever takes a signature away must take this away too, and the hash covers it.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<PublicKey>,
    prev: String,
    #[serde(flatten)]
    event: Event,
}

fn author(entry: &Entry) -> Author {
    let (operator, host) = (entry.operator.clone(), entry.host.clone());
    Author {
        seq: entry.seq,
        time: entry.time,
        operator,
        host,
    }
}

pub(super) fn to_bytes(entry: &Entry, prev: Digest, key: Option<PublicKey>) -> serde_json::Result<Vec<u8>> {
    let event = Event::from(entry.event.clone());
    serde_json::to_vec(&Kept {
        v: VERSION,
        author: author(entry),
        key,
        prev: prev.to_string(),
        event,
    })
}

pub(super) fn to_value(entry: &Entry) -> Value {
    let event = Event::from(entry.event.clone());
    serde_json::to_value(Shown {
        author: author(entry),
        event,
    })
    .unwrap_or_else(|error| json!({ "seq": entry.seq, "event": "unprintable", "why": error.to_string() }))
}

pub(super) fn from_fields(mut fields: Map<String, Value>) -> Result<Stored, Problem> {
    let key = fields.remove("key").map(serde_json::from_value::<PublicKey>);
    let key = key.transpose().map_err(Problem::wrong)?;
    let mut take = |name: &'static str| {
        fields
            .remove(name)
            .ok_or_else(|| Problem::Wrong(format!("missing field `{name}`")))
    };
    let author = json!({
        "seq": take("seq")?,
        "time": take("time")?,
        "operator": take("operator")?,
        "host": take("host")?,
    });
    let prev = take("prev")?;
    let prev: Digest = prev
        .as_str()
        .unwrap_or_default()
        .parse()
        .map_err(Problem::wrong)?;
    let Author {
        seq,
        time,
        operator,
        host,
    } = serde_json::from_value(author).map_err(|error| Problem::of(&error))?;
    let event: Event = serde_json::from_value(Value::Object(fields)).map_err(|error| Problem::of(&error))?;
    let event = event.try_into().map_err(Problem::Wrong)?;
    Ok(Stored {
        entry: Entry {
            seq,
            time,
            operator,
            host,
            event,
        },
        prev,
        key,
    })
}
