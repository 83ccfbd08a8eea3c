//! A clock that skips what nobody has to wait for: when nothing goes on, it is at once the next time that anybody
//! waits for.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::runtime::Clock;

/// How often all other tasks are let go on before it counts as quiet. A call that begins, ends, and tells the loop takes
/// fewer turns than that.
const TURNS: usize = 16;

/// How often it is looked whether what goes on elsewhere has ended.
const LOOK: Duration = Duration::from_millis(1);

/// The clock.
#[derive(Debug, Default)]
pub(super) struct SkippingClock(Mutex<Times>);

#[derive(Debug, Default)]
struct Times {
    now: Timestamp,
    /// Until when somebody waits; the number tells two apart that wait for the same time.
    waits: BTreeSet<(Timestamp, u64)>,
    numbers: u64,
    /// How much goes on that the runtime does not see: meanwhile nothing is skipped.
    elsewhere: usize,
}

/// Something goes on that the runtime does not see.
pub(super) struct Elsewhere<'a>(&'a SkippingClock);

impl Drop for Elsewhere<'_> {
    fn drop(&mut self) {
        self.0.times().elsewhere -= 1;
    }
}

impl SkippingClock {
    fn times(&self) -> MutexGuard<'_, Times> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Skips nothing for as long as the guard lives.
    pub(super) fn hold(&self) -> Elsewhere<'_> {
        self.times().elsewhere += 1;
        Elsewhere(self)
    }
}

/// Somebody waits.
struct Wait<'a> {
    clock: &'a SkippingClock,
    key: (Timestamp, u64),
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        self.clock.times().waits.remove(&self.key);
    }
}

#[async_trait]
impl Clock for SkippingClock {
    fn now(&self) -> Timestamp {
        self.times().now
    }

    fn shown(&self) -> Timestamp {
        self.now()
    }

    fn follow(&self) {}

    async fn sleep_until(&self, at: Timestamp) {
        let wait = {
            let mut times = self.times();
            times.numbers += 1;
            let key = (at, times.numbers);
            times.waits.insert(key);
            Wait { clock: self, key }
        };
        loop {
            for _ in 0..TURNS {
                tokio::task::yield_now().await;
            }
            if self.times().elsewhere > 0 {
                tokio::time::sleep(LOOK).await;
                continue;
            }
            let mut times = self.times();
            if times.now >= at {
                return;
            }
            if times.waits.first() == Some(&wait.key) {
                times.now = at;
                return;
            }
        }
    }
}
