//! The visitor's side of a door: one question, one answer.

use std::io;
use std::path::Path;
use std::time::Duration;

use tokio::io::BufReader;

use super::address;
use super::message::{Ask, Reply, Request, VERSION, receive, send};
use crate::platform::local;

/// How long a door may take to open. Behind it may stand a process that is stopped, or was killed just now.
const KNOCK: Duration = Duration::from_secs(2);

/// How long a holder may take to answer. It answers while steps are under way; one that does not is hung.
const ANSWER: Duration = Duration::from_secs(30);

/// Asks the process that holds the run whose folder this is.
///
/// # Errors
/// When nobody is behind the door, or no answer came: nobody knows then whether an act was recorded.
pub(super) async fn ask(folder: &Path, ask: Ask) -> io::Result<Reply> {
    let address = address(folder)?;
    let stream = tokio::time::timeout(KNOCK, local::connect(&address))
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?;
    let request = Request {
        version: VERSION,
        ask,
    };
    send(&mut &stream, &request).await?;
    let mut reader = BufReader::new(&stream);
    let reply = tokio::time::timeout(ANSWER, receive(&mut reader))
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?;
    match reply {
        Some(Reply::Gone) | None => Err(io::ErrorKind::UnexpectedEof.into()),
        Some(reply) => Ok(reply),
    }
}
