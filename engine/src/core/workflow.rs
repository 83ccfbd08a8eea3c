//! What the core knows of a runbook: its steps, what they need, and their policies.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::id::{LockName, StepId};
use crate::runbook::graph::{Cycle, Dag, StepIx};
use crate::step::Abilities;

/// A runbook's steps as the core sees them: neither expressions nor inputs, only what decides the order.
#[derive(Debug, Clone, PartialEq)]
pub struct Workflow {
    steps: Vec<StepPolicy>,
    by_id: BTreeMap<StepId, StepIx>,
    dag: Dag,
}

/// The rules by which one step is carried out.
#[derive(Debug, Clone, PartialEq)]
pub struct StepPolicy {
    /// The step.
    pub id: StepId,
    /// The steps that must be settled before it.
    pub needs: Vec<StepId>,
    /// Whether it has a `when`.
    pub conditional: bool,
    /// Whether it has a `for_each`.
    pub fans_out: bool,
    /// What its plugin can do with its inputs.
    pub abilities: Abilities,
    /// Whether it may be repeated after an interruption without asking.
    pub idempotent: bool,
    /// How long one attempt may take.
    pub timeout: Option<Duration>,
    /// How often it is tried.
    pub retry: Retry,
    /// What a failure means for the run.
    pub on_failure: OnFailure,
    /// The locks that an instance holds while it is under way; its session is one of them.
    pub locks: Vec<LockName>,
}

/// How often a step is tried, and how long is waited in between.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Retry {
    /// How many attempts there are in all; 1 means no retry.
    pub attempts: u32,
    /// The wait before the second attempt.
    pub delay: Duration,
    /// By how much each wait is longer than the one before.
    pub backoff: f64,
    /// The longest wait.
    pub max_delay: Duration,
    /// No attempt starts later than this after the first one did.
    pub deadline: Option<Duration>,
}

impl Default for Retry {
    fn default() -> Self {
        let (delay, max_delay) = (Duration::from_secs(1), Duration::from_secs(300));
        Self {
            attempts: 1,
            delay,
            backoff: 2.0,
            max_delay,
            deadline: None,
        }
    }
}

impl Retry {
    /// The wait after `failed` attempts, or none when there are no more.
    #[must_use]
    pub fn delay_after(&self, failed: u32) -> Option<Duration> {
        if failed >= self.attempts {
            return None;
        }
        let exponent = i32::try_from(failed.saturating_sub(1)).unwrap_or(i32::MAX);
        let seconds = self.delay.as_secs_f64() * self.backoff.powi(exponent);
        let longest = self.max_delay.as_secs_f64();
        Some(Duration::from_secs_f64(if seconds.is_finite() {
            seconds.min(longest)
        } else {
            longest
        }))
    }
}

/// What the failure of an instance means for the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnFailure {
    /// Nothing new starts; what is under way ends.
    #[default]
    Stop,
    /// Steps that do not need it go on.
    Continue,
    /// As `Stop`, and then the whole run is rolled back.
    Rollback,
}

impl Workflow {
    /// The workflow of these steps, in the runbook's order.
    ///
    /// # Errors
    /// When steps need each other in a circle. Needs that name no step are left out: the check of the
    /// runbook reports them.
    pub fn new(steps: Vec<StepPolicy>) -> Result<Self, Cycle> {
        let by_id: BTreeMap<StepId, StepIx> = steps
            .iter()
            .enumerate()
            .map(|(at, step)| (step.id.clone(), StepIx::new(at)))
            .collect();
        let edges = steps.iter().enumerate().flat_map(|(at, step)| {
            let known = step.needs.iter().filter_map(|need| by_id.get(need).copied());
            known.map(move |need| (need, StepIx::new(at)))
        });
        let dag = Dag::new(steps.len(), edges)?;
        Ok(Self { steps, by_id, dag })
    }

    /// All steps, in the runbook's order.
    pub fn steps(&self) -> impl ExactSizeIterator<Item = (StepIx, &StepPolicy)> {
        self.steps
            .iter()
            .enumerate()
            .map(|(at, step)| (StepIx::new(at), step))
    }

    /// One step.
    #[must_use]
    pub fn step(&self, at: StepIx) -> &StepPolicy {
        &self.steps[at.index()]
    }

    /// Where a step stands.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<StepIx> {
        self.by_id.get(id).copied()
    }

    /// The graph of needs.
    #[must_use]
    pub fn dag(&self) -> &Dag {
        &self.dag
    }
}
