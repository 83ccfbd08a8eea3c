//! What is said through a door: one request and one reply a visit, each a line of JSON. Between the two, a visitor
//! who has a key is asked to sign.

use std::io;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader,
};

use crate::core::{About, Act};
use crate::id::{Host, Operator, Seq};
use crate::identity::{self, PublicKey, Signature};
use crate::journal::{Chunk, JournalError, Kept, LARGEST_ATTACHMENT, Seal, Verification, stored};

/// The version of what is said; both sides must have the same.
pub(super) const VERSION: u32 = 3;

/// The most bytes of one line: the largest attachment in base64, and what stands around it.
const LARGEST: u64 = LARGEST_ATTACHMENT as u64 / 3 * 4 + 64 * 1024;

/// How long a line may take to come or to go.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a visitor says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    /// See [`VERSION`].
    pub(super) version: u32,
    /// What is wanted.
    pub(super) ask: Ask,
}

/// What a visitor wants.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Ask {
    /// To be shown something; answered beside the loop.
    Look(Look),
    /// To act; goes through the loop.
    Act {
        operator: Operator,
        host: Host,
        /// The key with which the visitor signs what they do, if they have one.
        key: Option<PublicKey>,
        act: Box<Act>,
        /// Until when the visitor waits. Later the act is refused: they have been told that it was not done.
        until: Timestamp,
    },
}

/// What a visitor wants to see, or to leave there.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Look {
    /// The entries from here on; as many as the holder likes to give at once.
    Entries { from: Seq },
    /// The transcript of the call that an entry started, without so many chunks at its beginning.
    Transcript { of: Seq, skip: usize },
    /// An attachment.
    Attachment { sha256: String },
    /// What is kept of the entries from here on; as many as the holder likes to give at once.
    Records { from: Seq },
    /// The hash of the newest entry.
    HeadHash,
    /// The check of everything that is stored.
    Verify,
    /// To store a file that proves manual work.
    Attach { content: Bytes },
}

/// What the holder says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Reply {
    /// Entries; none when there are no more.
    Entries(Vec<WireEntry>),
    /// What is kept of entries; none when there are no more.
    Records(Vec<Bytes>),
    /// Chunks; none when there are no more.
    Transcript(Vec<WireChunk>),
    /// The content of an attachment.
    Attachment(Bytes),
    /// The hash of the newest entry.
    HeadHash(String),
    /// What was found.
    Verify(Verification),
    /// The file's hash.
    Attached(String),
    /// This would be written: what the visitor is to sign, and the hash of the entry before it.
    Sign { prev: String, stored: Bytes },
    /// The visitor did not sign in time; nothing was recorded.
    Unsigned,
    /// The act is durable.
    Recorded,
    /// The act is not possible now.
    Rejected {
        message: String,
        instead: String,
        about: About,
    },
    /// The holder could not do it.
    Failed(String),
    /// The holder ended before it was done.
    Gone,
}

/// What a visitor answers who was asked to sign.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Signed {
    pub(super) signature: Bytes,
}

/// Bytes as base64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bytes(pub(super) Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map(Self).map_err(serde::de::Error::custom)
    }
}

/// A chunk of a transcript.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireChunk {
    time: Timestamp,
    stream: String,
    bytes: Bytes,
}

impl From<Chunk> for WireChunk {
    fn from(chunk: Chunk) -> Self {
        let Chunk { time, stream, bytes } = chunk;
        Self {
            time,
            stream,
            bytes: Bytes(bytes),
        }
    }
}

impl From<WireChunk> for Chunk {
    fn from(chunk: WireChunk) -> Self {
        Self {
            time: chunk.time,
            stream: chunk.stream,
            bytes: chunk.bytes.0,
        }
    }
}

/// An entry with its hash, and its signature if it has one.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireEntry {
    /// In its stored form.
    entry: Value,
    hash: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signed: Option<(PublicKey, Bytes)>,
}

/// Entries in the form in which they are sent.
pub(super) fn to_wire(entries: &[Kept]) -> Result<Vec<WireEntry>, JournalError> {
    let to_wire = |kept: &Kept| {
        let signed = kept.seal.signed.as_ref();
        Ok(WireEntry {
            entry: stored::to_record(&kept.entry)?,
            hash: kept.seal.hash.to_string(),
            signed: signed.map(|signed| (signed.key, Bytes(signed.signature.as_bytes().to_vec()))),
        })
    };
    entries.iter().map(to_wire).collect()
}

/// Entries that were sent, the first of which has the number `from`.
pub(super) fn from_wire(entries: Vec<WireEntry>, from: Seq) -> Result<Vec<Kept>, JournalError> {
    let odd =
        |at: u64| move || JournalError::Damaged(format!("entry {at} came without its hash or signature"));
    let from_wire = |(at, sent): (u64, WireEntry)| {
        let signed = sent.signed.map(|(key, bytes)| {
            let bytes = bytes.0.try_into().ok();
            bytes.map(|bytes| identity::Signed {
                key,
                signature: Signature::new(bytes),
            })
        });
        Ok(Kept {
            entry: stored::from_record(&sent.entry, Seq(at))?,
            seal: Seal {
                hash: sent.hash.parse().ok().ok_or_else(odd(at))?,
                signed: signed.map(|signed| signed.ok_or_else(odd(at))).transpose()?,
            },
        })
    };
    (from.0..).zip(entries).map(from_wire).collect()
}

/// Sends a line.
pub(super) async fn send<T: Serialize>(
    stream: &mut (impl AsyncWrite + Unpin),
    message: &T,
) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    in_time(async {
        stream.write_all(&line).await?;
        stream.flush().await
    })
    .await
}

/// Reads a line; none where the other side has gone without a word.
pub(super) async fn receive<T: DeserializeOwned>(
    stream: &mut BufReader<impl AsyncRead + Unpin>,
) -> io::Result<Option<T>> {
    let mut line = Vec::new();
    in_time(stream.take(LARGEST).read_until(b'\n', &mut line)).await?;
    match line.last() {
        None => Ok(None),
        Some(b'\n') => Ok(Some(serde_json::from_slice(&line)?)),
        Some(_) if line.len() as u64 >= LARGEST => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "the message is too long",
        )),
        Some(_) => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

async fn in_time<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    tokio::time::timeout(PATIENCE, work)
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}
