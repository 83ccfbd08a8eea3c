//! What requests take from this machine: the time, pauses, and ids that nobody used before.

#![expect(
    clippy::disallowed_methods,
    reason = "a request is made in the world as it is now; a pause always races its cancellation"
)]

use std::time::{Duration, Instant};

use jiff::Timestamp;
use runbook_engine::step::{Context, Failure, FailureKind};
use uuid::Uuid;

/// A moment to measure from.
#[must_use]
pub fn now() -> Instant {
    Instant::now()
}

/// The time of day.
#[must_use]
pub fn time() -> Timestamp {
    Timestamp::now()
}

/// An id of one request.
#[must_use]
pub fn new_id() -> Uuid {
    Uuid::now_v7()
}

/// Waits that long.
///
/// # Errors
/// When the step is stopped first.
pub async fn pause(length: Duration, cx: &Context) -> Result<(), Failure> {
    tokio::select! {
        () = tokio::time::sleep(length) => Ok(()),
        () = cx.cancel.cancelled() => Err(stopped()),
    }
}

/// What a step says that was stopped.
#[must_use]
pub fn stopped() -> Failure {
    Failure::new(FailureKind::Failed, "the request was stopped")
}
