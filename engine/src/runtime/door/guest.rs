//! The visitor's side of a door: one question, one answer.

use std::io;
use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use tokio::io::BufReader;

use super::address;
use super::message::{Ask, Look, Reply, Request, VERSION, receive, send};
use crate::platform::local::{self, Stream};

/// How long a door may take to open. Behind it may stand a process that is stopped, or was killed just now.
const KNOCK: Duration = Duration::from_secs(2);

/// How long a holder may take to begin with an act.
const ACT: SignedDuration = SignedDuration::from_secs(20);

/// How long a holder may take to answer. It answers while steps are under way; one that does not is hung. Longer
/// than [`ACT`], so that what was begun in time is still heard of.
const ANSWER: Duration = Duration::from_secs(30);

/// How long it may take to show what it only has to read: somebody waits to see it.
const GLIMPSE: Duration = Duration::from_secs(10);

/// Until when a visitor who asks now wants an act to be begun.
pub(super) fn act_by(now: Timestamp) -> Timestamp {
    now.checked_add(ACT).unwrap_or(Timestamp::MAX)
}

/// Asks the process that holds the run whose folder this is.
///
/// # Errors
/// When nobody is behind the door, or no answer came: nobody knows then whether an act was recorded.
pub(super) async fn ask(folder: &Path, ask: Ask) -> io::Result<Reply> {
    Talk::begin(folder, ask).await?.hear().await
}

/// A visit that was begun.
pub(super) struct Talk {
    stream: BufReader<Stream>,
    patience: Duration,
}

impl Talk {
    /// Asks for something.
    ///
    /// # Errors
    /// When nobody is behind the door.
    pub(super) async fn begin(folder: &Path, ask: Ask) -> io::Result<Self> {
        let patience = match &ask {
            Ask::Act { .. }
            | Ask::Look(
                Look::Verify | Look::Attach { .. } | Look::Attachment { .. } | Look::Records { .. },
            ) => ANSWER,
            Ask::Look(Look::Entries { .. } | Look::Transcript { .. } | Look::HeadHash) => GLIMPSE,
        };
        let address = address(folder)?;
        let stream = tokio::time::timeout(KNOCK, local::connect(&address))
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?;
        let request = Request {
            version: VERSION,
            ask,
        };
        let mut talk = Self {
            stream: BufReader::new(stream),
            patience,
        };
        talk.say(&request).await?;
        Ok(talk)
    }

    /// Says something more.
    ///
    /// # Errors
    /// When nobody is there any more.
    pub(super) async fn say<T: Serialize>(&mut self, message: &T) -> io::Result<()> {
        send(self.stream.get_mut(), message).await
    }

    /// Hears the answer.
    ///
    /// # Errors
    /// When none came.
    pub(super) async fn hear(&mut self) -> io::Result<Reply> {
        let reply = tokio::time::timeout(self.patience, receive(&mut self.stream))
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?;
        match reply {
            Some(Reply::Gone) | None => Err(io::ErrorKind::UnexpectedEof.into()),
            Some(reply) => Ok(reply),
        }
    }
}
