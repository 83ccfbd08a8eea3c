//! Time, as it comes in from outside.
//!
//! Within a process, time goes on steadily: deadlines, retries and waits are neither cut short nor drawn out when
//! somebody sets the machine's clock. Only across processes is that clock what counts.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use crate::platform::uptime;

/// The time, and waiting for it.
#[async_trait]
pub trait Clock: Send + Sync {
    /// The time now. It goes on steadily, whatever is done to the machine's clock.
    fn now(&self) -> Timestamp;

    /// What the machine's clock shows: what processes have in common.
    fn shown(&self) -> Timestamp;

    /// Nothing is timed just now: the time may follow the machine's clock, where that was set.
    fn follow(&self);

    /// What the clock shows that all who share a run have in common: from now on the time goes on from there, whatever
    /// the machine's clock shows.
    fn tell(&self, now: Timestamp) {
        let _ = now;
    }

    /// Returns when `at` has come, or a little later.
    async fn sleep_until(&self, at: Timestamp);
}

/// Where a clock reads the time.
pub trait Source: Send + Sync {
    /// What the machine's clock shows. It may be set, forwards and backwards.
    fn shown(&self) -> Timestamp;

    /// How long the machine has been up, as far as can be told also while it slept. Nobody sets that.
    fn uptime(&self) -> Duration;
}

/// The machine itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct Machine;

impl Source for Machine {
    fn shown(&self) -> Timestamp {
        Timestamp::now()
    }

    fn uptime(&self) -> Duration {
        uptime::now()
    }
}

/// The machine's clock, as it showed when nothing was timed last, and from there on steadily.
#[derive(Debug)]
pub struct SystemClock<S = Machine> {
    source: S,
    from: Mutex<Reading>,
    /// What was told of a clock that others go by too.
    told: Mutex<Option<Reading>>,
}

/// What both showed at the same moment.
#[derive(Debug, Clone, Copy)]
struct Reading {
    shown: Timestamp,
    uptime: Duration,
}

impl Reading {
    fn read(source: &impl Source) -> Self {
        Self {
            shown: source.shown(),
            uptime: source.uptime(),
        }
    }
}

impl<S: Source> SystemClock<S> {
    /// The clock of this source.
    pub fn new(source: S) -> Self {
        let from = Mutex::new(Reading::read(&source));
        Self {
            source,
            from,
            told: Mutex::default(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new(Machine)
    }
}

/// The longest single sleep: a machine that was suspended goes on waiting from there.
const NAP: Duration = Duration::from_secs(10);

#[async_trait]
impl<S: Source> Clock for SystemClock<S> {
    fn now(&self) -> Timestamp {
        let from = *self.from.lock().unwrap_or_else(PoisonError::into_inner);
        let since = self.source.uptime().saturating_sub(from.uptime);
        let since = SignedDuration::try_from(since).unwrap_or(SignedDuration::MAX);
        from.shown.checked_add(since).unwrap_or(Timestamp::MAX)
    }

    fn shown(&self) -> Timestamp {
        self.source.shown()
    }

    fn follow(&self) {
        let told = *self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let reading = told.unwrap_or_else(|| Reading::read(&self.source));
        *self.from.lock().unwrap_or_else(PoisonError::into_inner) = reading;
    }

    fn tell(&self, now: Timestamp) {
        let reading = Reading {
            shown: now,
            uptime: self.source.uptime(),
        };
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = Some(reading);
        self.follow();
    }

    async fn sleep_until(&self, at: Timestamp) {
        while let Ok(left) = Duration::try_from(at.duration_since(self.now())) {
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left.min(NAP)).await;
        }
    }
}
