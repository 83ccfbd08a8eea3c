//! Steps as the examples write them.

use std::time::Duration;

use crate::core::{OnFailure, Retry, StepPolicy};
use crate::testing::workflows::plain_step;

/// A step that validates, can be undone, and fails for good at its first failure.
pub(super) fn step(id: &str) -> StepPolicy {
    plain_step(id)
}

impl StepPolicy {
    pub(super) fn needs(mut self, ids: &[&str]) -> Self {
        self.needs = ids.iter().map(|id| id.parse().unwrap()).collect();
        self
    }

    pub(super) fn undone_with(mut self, ids: &[&str]) -> Self {
        self.undo_with = ids.iter().map(|id| id.parse().unwrap()).collect();
        self
    }

    pub(super) fn conditional(mut self) -> Self {
        self.conditional = true;
        self
    }

    pub(super) fn for_each(mut self) -> Self {
        self.fans_out = true;
        self
    }

    pub(super) fn blind(mut self) -> Self {
        self.abilities.validates = false;
        self
    }

    pub(super) fn by_person(mut self) -> Self {
        self.abilities.by_person = true;
        self
    }

    pub(super) fn read_only(mut self) -> Self {
        self.abilities.read_only = true;
        self
    }

    pub(super) fn without_a_way_back(mut self) -> Self {
        self.abilities.undoes = false;
        self
    }

    pub(super) fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    pub(super) fn lock(mut self, name: &str) -> Self {
        self.locks.push(name.parse().unwrap());
        self
    }

    pub(super) fn on_failure(mut self, what: OnFailure) -> Self {
        self.on_failure = what;
        self
    }

    pub(super) fn timeout(mut self, seconds: u64) -> Self {
        self.timeout = Some(Duration::from_secs(seconds));
        self
    }

    pub(super) fn attempts(mut self, attempts: u32, delay: u64) -> Self {
        let delay = Duration::from_secs(delay);
        self.retry = Retry {
            attempts,
            delay,
            ..Retry::default()
        };
        self
    }

    pub(super) fn retry_deadline(mut self, seconds: u64) -> Self {
        self.retry.deadline = Some(Duration::from_secs(seconds));
        self
    }
}
