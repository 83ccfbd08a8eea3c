//! What the core knows of a runbook: its steps, what they need, and their policies.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::approval::ApprovalRule;
use super::operators::Operators;
use super::worker::Place;
use crate::id::{LockName, RoleName, StepId};
use crate::runbook::graph::{Cycle, Dag, StepIx};
use crate::secret::SecretName;
use crate::step::{Abilities, dotted};

/// A runbook's steps as the core sees them: neither expressions nor inputs, only what decides the order.
#[derive(Debug, Clone, PartialEq)]
pub struct Workflow {
    steps: Vec<StepPolicy>,
    by_id: BTreeMap<StepId, StepIx>,
    /// Those whose id can be written in another way after a dot, by that.
    by_dotted: BTreeMap<String, StepIx>,
    lines: Vec<LineRules>,
    line_of: Vec<LineIx>,
    dag: Dag,
    operators: Option<Arc<Operators>>,
}

/// The position of a line among those of a workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LineIx(usize);

/// What the instances of some steps wait for alike before they start.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LineRules {
    /// All of these must be free.
    pub(super) locks: Vec<LockName>,
    /// A person carries it out, so that it takes no slot.
    pub(super) by_person: bool,
    /// All of these must be known.
    pub(super) secrets: Vec<SecretName>,
    /// Whoever starts them must have all of these; what a person carries out is asked for by anyone.
    pub(super) roles: Vec<RoleName>,
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
    /// The secrets without which nothing of it is carried out, in order.
    pub secrets: Vec<SecretName>,
    /// What an operator must be to carry it out: its own role, and that of its session.
    pub roles: Vec<RoleName>,
    /// Who must approve before it is carried out, if anybody must.
    pub approve: Option<ApprovalRule>,
    /// The steps of which one must be undone too for this one to be undone; none where it is undone by itself.
    pub undo_with: Vec<StepId>,
    /// Where it is carried out; anywhere, if it does not say.
    pub on: Option<Place>,
}

impl StepPolicy {
    /// Whether it has one instance without anything being evaluated.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        !self.conditional && !self.fans_out
    }

    /// Whether `validate` looks before an attempt. What a person does is asked for at once.
    #[must_use]
    pub fn looks_first(&self) -> bool {
        self.abilities.validates && !self.abilities.by_person
    }

    /// Whether an interrupted attempt may be repeated though nobody knows what became of it.
    #[must_use]
    pub fn may_be_repeated(&self) -> bool {
        self.idempotent || self.abilities.read_only
    }
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
    /// No attempt is planned for later than this after the first one.
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
        // What is no duration, by a backoff that makes no sense or a very long run of failures, is the longest.
        let delay = Duration::try_from_secs_f64(seconds).unwrap_or(self.max_delay);
        Some(delay.min(self.max_delay))
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
        let several_ways = by_id
            .iter()
            .rev()
            .filter(|(id, _)| id.as_str().contains(['-', '_']));
        let by_dotted = several_ways.map(|(id, at)| (dotted(id.as_str()), *at)).collect();
        let edges = steps.iter().enumerate().flat_map(|(at, step)| {
            let known = step.needs.iter().filter_map(|need| by_id.get(need).copied());
            known.map(move |need| (need, StepIx::new(at)))
        });
        let dag = Dag::new(steps.len(), edges)?;
        let (lines, line_of) = lines(&steps);
        Ok(Self {
            steps,
            by_id,
            by_dotted,
            lines,
            line_of,
            dag,
            operators: None,
        })
    }

    /// The same steps, carried out by these people and nobody else.
    #[must_use]
    pub fn by(&self, operators: Option<Operators>) -> Self {
        Self {
            operators: operators.map(Arc::new),
            ..self.clone()
        }
    }

    /// The same steps, none of which waits for approval.
    #[must_use]
    pub fn approved(mut self) -> Self {
        self.steps.iter_mut().for_each(|step| step.approve = None);
        self
    }

    /// The people who may act; none where everyone may.
    #[must_use]
    pub fn operators(&self) -> Option<&Operators> {
        self.operators.as_deref()
    }

    /// The same steps in a rehearsal: every one can tell, none waits for a person, and none is given a secret.
    #[must_use]
    pub fn rehearsed(&self) -> Self {
        let mut rehearsed = self.clone().approved();
        for step in &mut rehearsed.steps {
            step.abilities.validates = true;
            step.abilities.by_person = false;
            step.abilities.needs_evidence = false;
            step.secrets.clear();
        }
        (rehearsed.lines, rehearsed.line_of) = lines(&rehearsed.steps);
        let operators = self.operators().map(Operators::rehearsed);
        rehearsed.operators = operators.map(Arc::new);
        rehearsed
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

    /// Where the step stands that is called so in an expression, where `_` may stand for `-`.
    #[must_use]
    pub fn find_loosely(&self, name: &str) -> Option<StepIx> {
        let similar = || self.by_dotted.get(&dotted(name)).copied();
        self.find(name).or_else(similar)
    }

    /// Where the instances of a step wait until they may start.
    pub(super) fn line_of(&self, at: StepIx) -> LineIx {
        self.line_of[at.index()]
    }

    /// What those in a line wait for.
    pub(super) fn line(&self, at: LineIx) -> &LineRules {
        &self.lines[at.0]
    }

    /// The graph of needs.
    #[must_use]
    pub fn dag(&self) -> &Dag {
        &self.dag
    }
}

/// The lines of these steps, and which step belongs to which.
fn lines(steps: &[StepPolicy]) -> (Vec<LineRules>, Vec<LineIx>) {
    let rules = |step: &StepPolicy| {
        let mut locks = step.locks.clone();
        locks.sort_unstable();
        locks.dedup();
        let by_person = step.abilities.by_person;
        let secrets = step.secrets.clone();
        let roles = if by_person { Vec::new() } else { step.roles.clone() };
        LineRules {
            locks,
            by_person,
            secrets,
            roles,
        }
    };
    let distinct: BTreeSet<LineRules> = steps.iter().map(rules).collect();
    let numbered: BTreeMap<&LineRules, LineIx> = distinct
        .iter()
        .enumerate()
        .map(|(at, rules)| (rules, LineIx(at)))
        .collect();
    let line_of = steps.iter().map(|step| numbered[&rules(step)]).collect();
    (distinct.iter().cloned().collect(), line_of)
}
