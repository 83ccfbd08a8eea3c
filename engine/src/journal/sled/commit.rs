//! Group commit: writers that wait at the same time share one sync, and none succeeds after one that failed.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::journal::JournalError;

/// Who waits for which sync. A write gets a ticket when it was applied; a sync covers all tickets given before it.
#[derive(Default)]
pub(super) struct GroupCommit {
    state: Mutex<State>,
    changed: Condvar,
}

/// Proof that something was applied, and is to be synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Ticket(u64);

#[derive(Default)]
struct State {
    given: Ticket,
    synced: Ticket,
    syncing: bool,
    failure: Option<Arc<io::Error>>,
}

impl GroupCommit {
    /// Fails if anything has failed before: the disk is in an unknown state.
    pub(super) fn check(&self) -> Result<(), JournalError> {
        if self.lock().failure.is_some() {
            Err(JournalError::Poisoned)
        } else {
            Ok(())
        }
    }

    /// Whether something was applied that no sync has covered, and may still be.
    pub(super) fn has_unsynced(&self) -> bool {
        let state = self.lock();
        state.failure.is_none() && state.synced < state.given
    }

    /// Notes the result of applying something: a ticket for it, or that nothing may follow.
    pub(super) fn applied(&self, result: Result<(), JournalError>) -> Result<Ticket, JournalError> {
        let mut state = self.lock();
        match result {
            Ok(()) => {
                state.given.0 += 1;
                Ok(state.given)
            }
            Err(error) => {
                state.failure = Some(Arc::new(io::Error::other(error.to_string())));
                Err(error)
            }
        }
    }

    /// Returns when what the ticket stands for is durable. One of those who wait calls `sync` for all.
    pub(super) fn wait(
        &self,
        ticket: Ticket,
        sync: impl FnOnce() -> Result<(), JournalError>,
    ) -> Result<(), JournalError> {
        let mut state = self.lock();
        loop {
            if state.synced >= ticket {
                return Ok(());
            }
            if let Some(failure) = &state.failure {
                let source = io::Error::new(failure.kind(), Arc::clone(failure));
                return Err(JournalError::Storage {
                    doing: "written",
                    source,
                });
            }
            if !state.syncing {
                break;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.syncing = true;
        let covered = state.given;
        drop(state);
        let result = sync();
        let mut state = self.lock();
        state.syncing = false;
        match &result {
            Ok(()) => state.synced = covered,
            Err(error) => state.failure = Some(Arc::new(io::Error::other(error.to_string()))),
        }
        drop(state);
        self.changed.notify_all();
        result
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;

    fn ticket(commit: &GroupCommit) -> Ticket {
        commit.applied(Ok(())).unwrap()
    }

    #[test]
    fn those_who_wait_during_a_sync_share_the_next_one() {
        let (commit, syncs) = (GroupCommit::default(), AtomicUsize::new(0));
        let (begun, go) = (Barrier::new(2), Barrier::new(2));
        let wait = |ticket| {
            let sync = || {
                syncs.fetch_add(1, Ordering::SeqCst);
                Ok(())
            };
            commit.wait(ticket, sync)
        };
        let (first, wait) = (ticket(&commit), &wait);
        thread::scope(|scope| {
            let leader = scope.spawn(|| {
                commit.wait(first, || {
                    begun.wait();
                    go.wait();
                    Ok(())
                })
            });
            begun.wait();
            let tickets: Vec<_> = (0..8).map(|_| ticket(&commit)).collect();
            let others: Vec<_> = tickets
                .into_iter()
                .map(|ticket| scope.spawn(move || wait(ticket)))
                .collect();
            go.wait();
            leader.join().unwrap().unwrap();
            others
                .into_iter()
                .for_each(|other| other.join().unwrap().unwrap());
        });
        assert_eq!(syncs.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn nothing_succeeds_after_a_failed_sync() {
        let commit = GroupCommit::default();
        let (first, second) = (ticket(&commit), ticket(&commit));
        let failed = || {
            Err(JournalError::Storage {
                doing: "written",
                source: io::Error::other("disk"),
            })
        };
        assert!(matches!(
            commit.wait(first, failed),
            Err(JournalError::Storage { .. })
        ));
        assert!(matches!(
            commit.wait(second, || Ok(())),
            Err(JournalError::Storage { .. })
        ));
        assert!(matches!(commit.check(), Err(JournalError::Poisoned)));
    }
}
