//! Generated workflows: small graphs of steps with every policy that the core knows.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;

use crate::core::{ApprovalRule, OnExpiry, OnFailure, Party, Retry, StepPolicy, Workflow};
use crate::id::{LockName, StepId};
use crate::secret::SecretName;
use crate::step::Abilities;

/// The most steps that a generated workflow has.
pub const MOST_STEPS: usize = 12;

/// A step that needs nothing, validates, can be undone, and fails for good at its first failure.
///
/// # Panics
/// When the id is not one.
#[must_use]
#[expect(clippy::expect_used, reason = "ids in tests are written by hand")]
pub fn plain_step(id: &str) -> StepPolicy {
    StepPolicy {
        id: id.parse::<StepId>().expect("a step's id"),
        needs: Vec::new(),
        conditional: false,
        fans_out: false,
        abilities: Abilities {
            validates: true,
            undoes: true,
            ..Abilities::default()
        },
        idempotent: false,
        timeout: None,
        retry: Retry::default(),
        on_failure: OnFailure::Stop,
        locks: Vec::new(),
        secrets: Vec::new(),
        roles: Vec::new(),
        approve: None,
        undo_with: Vec::new(),
        on: None,
    }
}

/// Workflows of 1 to [`MOST_STEPS`] steps. They shrink towards one plain step.
pub fn workflows() -> impl Strategy<Value = Workflow> {
    (prop::collection::vec(step(), 1..=MOST_STEPS), any::<bool>()).prop_map(|(steps, backwards)| {
        let mut policies: Vec<StepPolicy> = steps
            .into_iter()
            .enumerate()
            .map(|(at, raw)| raw.at(at))
            .collect();
        // The order in the runbook need not be one in which the steps can be carried out.
        if backwards {
            policies.reverse();
        }
        #[expect(clippy::expect_used, reason = "a step needs only steps with a smaller number")]
        Workflow::new(policies).expect("no circles")
    })
}

/// A step before it knows its place.
#[derive(Debug, Clone)]
struct RawStep {
    /// Which of the steps before it are needed, one bit for each.
    needs: u16,
    policy: StepPolicy,
}

impl RawStep {
    fn at(self, at: usize) -> StepPolicy {
        let needs = (0..at).filter(|before| self.needs >> before & 1 == 1);
        StepPolicy {
            id: plain_step(&format!("s{at}")).id,
            needs: needs.map(|before| plain_step(&format!("s{before}")).id).collect(),
            ..self.policy
        }
    }
}

fn step() -> impl Strategy<Value = RawStep> {
    let shape = (
        any::<u16>(),
        any::<u16>(),
        rarely(3),
        rarely(4),
        locks(),
        secrets(),
    );
    let rules = (
        abilities(),
        rarely(3),
        timeout(),
        retry(),
        on_failure(),
        approve(),
    );
    (shape, rules).prop_map(|(shape, rules)| {
        let (some, others, conditional, fans_out, locks, secrets) = shape;
        let (abilities, idempotent, timeout, retry, on_failure, approve) = rules;
        let policy = StepPolicy {
            conditional,
            fans_out,
            abilities,
            idempotent,
            timeout,
            retry,
            on_failure,
            locks,
            secrets,
            approve,
            ..plain_step("s")
        };
        // A quarter of all possible needs: neither chains nor heaps.
        RawStep {
            needs: some & others,
            policy,
        }
    })
}

/// True once in so many cases.
fn rarely(once_in: u32) -> impl Strategy<Value = bool> {
    prop_oneof![once_in - 1 => Just(false), 1 => Just(true)]
}

fn abilities() -> impl Strategy<Value = Abilities> {
    (rarely(4), rarely(5), rarely(7), rarely(8)).prop_map(|(blind, stays, by_person, read_only)| Abilities {
        validates: !blind,
        undoes: !stays,
        by_person,
        needs_evidence: false,
        read_only,
    })
}

fn locks() -> impl Strategy<Value = Vec<LockName>> {
    let names = prop::sample::subsequence(vec!["farm", "tenant"], 0..=2);
    (rarely(3), names).prop_map(|(locked, names)| {
        let names: BTreeSet<&str> = if locked {
            names.into_iter().collect()
        } else {
            BTreeSet::new()
        };
        names.into_iter().filter_map(|name| name.parse().ok()).collect()
    })
}

fn secrets() -> impl Strategy<Value = Vec<SecretName>> {
    rarely(4).prop_map(|secret| {
        let name = secret.then(|| "token".parse().ok().map(SecretName::Param));
        name.flatten().into_iter().collect()
    })
}

fn timeout() -> impl Strategy<Value = Option<Duration>> {
    prop_oneof![
        Just(None),
        (5_u64..60).prop_map(|seconds| Some(Duration::from_secs(seconds)))
    ]
}

fn retry() -> impl Strategy<Value = Retry> {
    let deadline = prop_oneof![
        3 => Just(None),
        1 => (0_u64..90).prop_map(|seconds| Some(Duration::from_secs(seconds))),
    ];
    (1_u32..=3, 0_u64..30, deadline).prop_map(|(attempts, delay, deadline)| Retry {
        attempts,
        delay: Duration::from_secs(delay),
        deadline,
        ..Retry::default()
    })
}

fn approve() -> impl Strategy<Value = Option<ApprovalRule>> {
    let not = prop::sample::subsequence(vec![Party::Starter, Party::Executor], 0..=2);
    let expires = prop_oneof![2 => Just(None), 1 => (30_u64..600).prop_map(|s| Some(Duration::from_secs(s)))];
    let ends = prop_oneof![Just(OnExpiry::Ask), Just(OnExpiry::Fail)];
    (rarely(5), 1_u32..=2, not, expires, ends).prop_map(|(asked, min, not, expires, on_expiry)| {
        let not = not.into_iter().collect();
        asked.then_some(ApprovalRule {
            by: None,
            min,
            not,
            expires,
            on_expiry,
        })
    })
}

fn on_failure() -> impl Strategy<Value = OnFailure> {
    prop_oneof![
        3 => Just(OnFailure::Stop),
        2 => Just(OnFailure::Continue),
        2 => Just(OnFailure::Rollback),
    ]
}
