//! A simulated world: what is there of each instance's outcome, and what calls of plugins do to it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::core::event::{Failure, FailureKind, Outputs, Verdict};
use crate::core::{Outcome, RunState, Work};
use crate::id::{InstanceId, StepId};
use crate::step::{Observation, Purpose};

/// Chance as data: a list of numbers, each used for one choice. When they are used up every choice is the
/// first one, which is always that all goes well, so that every simulation ends.
#[derive(Debug, Clone, Default)]
pub struct Dice {
    bytes: Vec<u8>,
    at: usize,
}

impl Dice {
    /// Dice that fall like this.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self { bytes, at: 0 }
    }

    fn next(&mut self) -> u8 {
        let byte = self.bytes.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        byte
    }

    /// One of `sides` numbers, from 0.
    pub fn roll(&mut self, sides: u8) -> u8 {
        self.next() % sides.max(1)
    }

    /// True in so many of 256 cases; false when the dice are used up.
    pub fn chance(&mut self, in_256: u8) -> bool {
        self.next() > u8::MAX - in_256
    }

    /// One of these choices, each taken in so many of 256 cases; the last one takes the rest.
    pub fn next_of(&mut self, shares: &[u8]) -> usize {
        let mut byte = self.next();
        for (choice, share) in shares.iter().enumerate() {
            match byte.checked_sub(*share) {
                None => return choice,
                Some(rest) => byte = rest,
            }
        }
        shares.len().saturating_sub(1)
    }

    /// Whether from here on all goes well.
    #[must_use]
    pub fn is_used_up(&self) -> bool {
        self.at >= self.bytes.len()
    }
}

/// How much of an outcome is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum There {
    /// Nothing.
    Not,
    /// An attempt, or undoing, stopped half-way.
    Half,
    /// All of it.
    Whole,
}

impl There {
    fn seen(self) -> Value {
        json!(match self {
            Self::Not => "not",
            Self::Half => "half",
            Self::Whole => "whole",
        })
    }

    fn from_seen(seen: &Value) -> Self {
        match seen.as_str() {
            Some("half") => Self::Half,
            Some("whole") => Self::Whole,
            _ => Self::Not,
        }
    }
}

/// The world outside, as far as the steps of one run can see and change it.
#[derive(Debug, Clone, Default)]
pub struct World {
    /// Steps whose outcome was there before the run.
    already: BTreeSet<StepId>,
    now: BTreeMap<InstanceId, There>,
    /// Processes that outlived the engine, and still change something.
    outlived: BTreeMap<InstanceId, Purpose>,
}

impl World {
    /// A world in which the outcomes of these steps are there already.
    #[must_use]
    pub fn new(already: BTreeSet<StepId>) -> Self {
        Self {
            already,
            ..Self::default()
        }
    }

    /// What was there before the run.
    #[must_use]
    pub fn before(&self, instance: &InstanceId) -> There {
        if self.already.contains(instance.step()) {
            There::Whole
        } else {
            There::Not
        }
    }

    /// What is there now.
    #[must_use]
    pub fn now(&self, instance: &InstanceId) -> There {
        self.now
            .get(instance)
            .copied()
            .unwrap_or_else(|| self.before(instance))
    }

    /// The instances of which something else is there than before.
    #[must_use]
    pub fn changed(&self) -> Vec<&InstanceId> {
        let changed = |(instance, there): (_, &There)| (*there != self.before(instance)).then_some(instance);
        self.now.iter().filter_map(changed).collect()
    }

    /// A person brought it about, or undid it.
    pub fn by_hand(&mut self, instance: &InstanceId, there: There) {
        self.now.insert(instance.clone(), there);
    }

    /// Whether a process of this instance outlived the engine.
    #[must_use]
    pub fn has_outlived(&self, instance: &InstanceId) -> bool {
        self.outlived.contains_key(instance)
    }

    /// Whether any process outlived the engine.
    #[must_use]
    pub fn any_outlived(&self) -> bool {
        !self.outlived.is_empty()
    }

    /// The call ends by itself.
    pub fn end(&mut self, state: &RunState, work: &Work, dice: &mut Dice) -> Outcome {
        match work.purpose {
            Purpose::Run => self.run(work, dice),
            Purpose::Rollback => self.rollback(state, work, dice),
            Purpose::Plan
            | Purpose::Before
            | Purpose::After
            | Purpose::Doubt
            | Purpose::RollbackDoubt
            | Purpose::AfterRollback => Outcome::Observed(self.validate(state, work, dice)),
        }
    }

    /// A call that hung is stopped: it came some way, and says that it failed, unless it had succeeded.
    pub fn stopped(&mut self, state: &RunState, work: &Work, dice: &mut Dice) -> Outcome {
        let whole = self.some_way(state, work, dice);
        let ended_well = whole && dice.chance(60);
        match work.purpose {
            Purpose::Run if ended_well => Outcome::Ran(Ok(Outputs::new())),
            Purpose::Run => Outcome::Ran(Err(failed("it was stopped"))),
            Purpose::Rollback if ended_well => Outcome::RolledBack(Ok(())),
            Purpose::Rollback => Outcome::RolledBack(Err(failed("it was stopped"))),
            Purpose::Plan
            | Purpose::Before
            | Purpose::After
            | Purpose::Doubt
            | Purpose::RollbackDoubt
            | Purpose::AfterRollback => Outcome::Observed(Err(failed("it was stopped"))),
        }
    }

    /// The engine dies while the call is under way: it came some way, or its process lives on.
    pub fn orphan(&mut self, state: &RunState, work: &Work, dice: &mut Dice) {
        let changes = matches!(work.purpose, Purpose::Run | Purpose::Rollback);
        if changes && dice.chance(80) {
            self.outlived.insert(work.instance.clone(), work.purpose);
        } else {
            self.some_way(state, work, dice);
        }
    }

    /// What outlived the engine has ended.
    pub fn clear(&mut self, state: &RunState, instance: &InstanceId, dice: &mut Dice) {
        let (Some(purpose), Some(ix)) = (self.outlived.remove(instance), state.find(instance)) else {
            return;
        };
        let (of, stop, instance) = (crate::id::Seq(0), true, instance.clone());
        let work = Work {
            ix,
            instance,
            of,
            purpose,
            stop,
        };
        self.some_way(state, &work, dice);
    }

    /// The call's effect happens not at all, half, or all; says whether all of it did.
    fn some_way(&mut self, state: &RunState, work: &Work, dice: &mut Dice) -> bool {
        let goal = match work.purpose {
            Purpose::Run => There::Whole,
            Purpose::Rollback => self.restored(state, work),
            Purpose::Plan
            | Purpose::Before
            | Purpose::After
            | Purpose::Doubt
            | Purpose::RollbackDoubt
            | Purpose::AfterRollback => {
                return false;
            }
        };
        match dice.roll(3) {
            0 => false,
            1 => {
                self.set(work, There::Half);
                false
            }
            _ => {
                self.set(work, goal);
                true
            }
        }
    }

    fn run(&mut self, work: &Work, dice: &mut Dice) -> Outcome {
        let (there, outcome) = match dice.next() {
            0..150 => (Some(There::Whole), Outcome::Ran(Ok(Outputs::new()))),
            150..175 => (None, Outcome::Ran(Err(failed("it did nothing")))),
            175..200 => (Some(There::Half), Outcome::Ran(Err(failed("it came half-way")))),
            200..212 => (
                Some(There::Whole),
                Outcome::Ran(Err(failed("it took effect all the same"))),
            ),
            212..225 => (None, Outcome::Ran(Ok(Outputs::new()))),
            225..235 => (None, Outcome::CutOff),
            235..245 => (Some(There::Half), Outcome::CutOff),
            245.. => (Some(There::Whole), Outcome::CutOff),
        };
        if let Some(there) = there {
            self.set(work, there);
        }
        outcome
    }

    fn rollback(&mut self, state: &RunState, work: &Work, dice: &mut Dice) -> Outcome {
        let goal = self.restored(state, work);
        let (there, outcome) = match dice.next() {
            0..160 => (Some(goal), Outcome::RolledBack(Ok(()))),
            160..185 => (None, Outcome::RolledBack(Err(failed("it undid nothing")))),
            185..210 => (
                Some(There::Half),
                Outcome::RolledBack(Err(failed("it undid half"))),
            ),
            210..220 => (None, Outcome::RolledBack(Ok(()))),
            220..232 => (None, Outcome::CutOff),
            232..244 => (Some(There::Half), Outcome::CutOff),
            244.. => (Some(goal), Outcome::CutOff),
        };
        if let Some(there) = there {
            self.set(work, there);
        }
        outcome
    }

    fn validate(&self, state: &RunState, work: &Work, dice: &mut Dice) -> Result<Observation, Failure> {
        let there = self.now(&work.instance);
        let truth = match there {
            There::Whole => Verdict::Satisfied,
            There::Not | There::Half => Verdict::Unsatisfied(format!("{there:?}")),
        };
        let verdict = match dice.next() {
            _ if !state.policy(work.ix).abilities.validates => Verdict::Unknown,
            0..215 => truth,
            215..240 => Verdict::Unknown,
            240.. => return Err(failed("it cannot be asked")),
        };
        Ok(Observation {
            verdict,
            observed: there.seen(),
            outputs: Outputs::new(),
        })
    }

    /// What a rollback puts back: what was seen before the first attempt, where anybody looked.
    fn restored(&self, state: &RunState, work: &Work) -> There {
        let before = state.instance(work.ix).before.as_ref();
        before.map_or(There::Not, There::from_seen)
    }

    fn set(&mut self, work: &Work, there: There) {
        self.now.insert(work.instance.clone(), there);
    }
}

pub(super) fn failed(message: &str) -> Failure {
    Failure::new(FailureKind::Failed, message)
}
