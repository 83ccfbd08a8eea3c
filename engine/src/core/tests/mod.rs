//! The core by examples. The laws that hold in all runs are in `testing::laws`.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::event::{Failure, FailureKind, Item, LeftProcess, Outputs, RollbackScope, Ruling, Verdict};
use super::operators::Operators;
use super::status::{InstanceStatus, RunStatus};
use super::{
    Act, Effect, Entry, Evaluation, Event, Input, Lacking, OnFailure, Outcome, Rejection, Retry, RunState,
    StepPolicy, Turn, TurnError, Workflow, effects, turn,
};
use crate::id::{Host, InstanceId, Operator, Seq};
use crate::step::{Observation, Purpose};
use crate::testing::simulation::run_started;

mod amend;
mod approval;
mod cancel;
mod cost;
mod decisions;
mod doubt;
mod durations;
mod fan_out;
mod lacking;
mod locks;
mod on_failure;
mod order;
mod people;
mod regressions;
mod retry;
mod rollback;
mod sending;
mod steps;
mod stuck;
mod timeout;
mod transitions;
mod workers;

use self::steps::step;

/// A run that a test carries out by hand.
struct Run {
    state: RunState,
    journal: Vec<Entry>,
    workflow: Arc<Workflow>,
    turn: Turn,
}

impl Run {
    fn of(steps: impl IntoIterator<Item = StepPolicy>) -> Self {
        Self::with_jobs(4, steps)
    }

    fn with_jobs(jobs: u32, steps: impl IntoIterator<Item = StepPolicy>) -> Self {
        Self::without(Lacking::nothing(), jobs, steps)
    }

    /// A run that begins without these secrets.
    fn without(lacking: Lacking, jobs: u32, steps: impl IntoIterator<Item = StepPolicy>) -> Self {
        let workflow = Workflow::new(steps.into_iter().collect()).unwrap();
        Self::begin(workflow, lacking, jobs)
    }

    /// A run that only these people may carry out.
    fn by(operators: Operators, steps: impl IntoIterator<Item = StepPolicy>) -> Self {
        let workflow = Workflow::new(steps.into_iter().collect()).unwrap();
        Self::begin(workflow.by(Some(operators)), Lacking::nothing(), 4)
    }

    fn begin(workflow: Workflow, lacking: Lacking, jobs: u32) -> Self {
        let workflow = Arc::new(workflow);
        let turn = Turn {
            operator: Operator::new("ada"),
            host: Host::new("here"),
            now: Timestamp::UNIX_EPOCH,
            draining: false,
            key: None,
            lacking,
        };
        let first = Entry {
            seq: Seq(0),
            time: turn.now,
            operator: turn.operator.clone(),
            host: turn.host.clone(),
            event: Event::RunStarted(Box::new(run_started(jobs).unwrap())),
        };
        let state = RunState::begin(&workflow, &first).unwrap();
        let journal = vec![first];
        let mut run = Self {
            state,
            journal,
            workflow,
            turn,
        };
        run.takes(&Input::Clock);
        run
    }

    fn tries(&mut self, input: &Input) -> Result<(), Rejection> {
        match turn(&mut self.state, input, &self.turn) {
            Ok(entries) => {
                self.journal.extend(entries);
                Ok(())
            }
            Err(TurnError::Rejected(rejection)) => Err(rejection),
            Err(TurnError::Illegal(illegal)) => panic!("{illegal}"),
        }
    }

    #[track_caller]
    fn takes(&mut self, input: &Input) -> &mut Self {
        self.tries(input).unwrap();
        self
    }

    fn id(id: &str) -> InstanceId {
        id.parse().unwrap()
    }

    /// What is under way for this instance ends so.
    #[track_caller]
    fn ends(&mut self, id: &str, outcome: Outcome) -> &mut Self {
        let instance = Self::id(id);
        let ix = self.state.find(&instance).unwrap();
        let of = self
            .state
            .instance(ix)
            .phase
            .activity()
            .expect("something is under way")
            .of;
        self.takes(&Input::Finished {
            instance,
            of,
            outcome,
            transcript: None,
        })
    }

    #[track_caller]
    fn is_found(&mut self, id: &str, verdict: Verdict) -> &mut Self {
        let (observed, outputs) = (json!(format!("{verdict:?}")), Outputs::new());
        self.ends(
            id,
            Outcome::Observed(Ok(Observation {
                verdict,
                observed,
                outputs,
            })),
        )
    }

    #[track_caller]
    fn is_there(&mut self, id: &str) -> &mut Self {
        self.is_found(id, Verdict::Satisfied)
    }

    #[track_caller]
    fn is_missing(&mut self, id: &str) -> &mut Self {
        self.is_found(id, Verdict::Unsatisfied("it is not there".to_owned()))
    }

    #[track_caller]
    fn cannot_be_told(&mut self, id: &str) -> &mut Self {
        self.is_found(id, Verdict::Unknown)
    }

    #[track_caller]
    fn returns(&mut self, id: &str) -> &mut Self {
        self.ends(id, Outcome::Ran(Ok(Outputs::new())))
    }

    #[track_caller]
    fn fails(&mut self, id: &str) -> &mut Self {
        self.ends(id, Outcome::Ran(Err(failure())))
    }

    #[track_caller]
    fn is_cut_off(&mut self, id: &str) -> &mut Self {
        self.ends(id, Outcome::CutOff)
    }

    /// From the first look to the last.
    #[track_caller]
    fn succeeds(&mut self, id: &str) -> &mut Self {
        self.is_missing(id).returns(id).is_there(id)
    }

    #[track_caller]
    fn is_undone(&mut self, id: &str) -> &mut Self {
        self.ends(id, Outcome::RolledBack(Ok(()))).is_missing(id)
    }

    #[track_caller]
    fn is_not_undone(&mut self, id: &str) -> &mut Self {
        self.ends(id, Outcome::RolledBack(Err(failure())))
    }

    #[track_caller]
    fn is_evaluated(&mut self, id: &str, evaluation: Evaluation) -> &mut Self {
        let (step, result) = (id.parse().unwrap(), Ok(evaluation));
        self.takes(&Input::Evaluated { step, result })
    }

    #[track_caller]
    fn is_cleared(&mut self, id: &str) -> &mut Self {
        let (instance, found) = (Self::id(id), LeftProcess::Ended);
        self.takes(&Input::ProcessCleared { instance, found })
    }

    /// The process dies, and another operator goes on.
    #[track_caller]
    fn crashes(&mut self) -> &mut Self {
        self.crashes_and_goes_on_with(self.state.jobs)
    }

    #[track_caller]
    fn crashes_and_goes_on_with(&mut self, jobs: u32) -> &mut Self {
        self.state = RunState::fold(&self.workflow, &self.journal).unwrap();
        self.turn.operator = Operator::new("grace");
        self.turn.draining = false;
        let transcripts = std::collections::BTreeMap::new();
        self.takes(&Input::Resumed { jobs, transcripts })
    }

    /// The process takes no new work on.
    fn drains(&mut self) -> &mut Self {
        self.turn.draining = true;
        self
    }

    #[track_caller]
    fn waits(&mut self, seconds: i64) -> &mut Self {
        self.turn.now = self
            .turn
            .now
            .checked_add(SignedDuration::from_secs(seconds))
            .unwrap();
        self.takes(&Input::Clock)
    }

    fn tries_to_decide(&mut self, id: &str, ruling: Ruling) -> Result<(), Rejection> {
        let (instance, why) = (Self::id(id), "so be it".to_owned());
        self.tries(&Input::Act(Act::Decide {
            instance,
            ruling,
            why,
        }))
    }

    #[track_caller]
    fn is_decided(&mut self, id: &str, ruling: Ruling) -> &mut Self {
        self.tries_to_decide(id, ruling).unwrap();
        self
    }

    fn tries_to_confirm(&mut self, id: &str) -> Result<(), Rejection> {
        self.tries(&Input::Act(Act::Confirm {
            instance: Self::id(id),
            values: Outputs::new(),
            attachments: Vec::new(),
            note: None,
        }))
    }

    #[track_caller]
    fn is_confirmed(&mut self, id: &str) -> &mut Self {
        self.tries_to_confirm(id).unwrap();
        self
    }

    fn tries_to_cancel(&mut self) -> Result<(), Rejection> {
        let why = "enough".to_owned();
        self.tries(&Input::Act(Act::Cancel { why }))
    }

    #[track_caller]
    fn is_cancelled(&mut self) -> &mut Self {
        self.tries_to_cancel().unwrap();
        self
    }

    fn tries_to_roll_back(&mut self, steps: &[&str]) -> Result<(), Rejection> {
        let why = "a mistake".to_owned();
        let scope = if steps.is_empty() {
            RollbackScope::Run
        } else {
            RollbackScope::Steps(steps.iter().map(|id| id.parse().unwrap()).collect())
        };
        self.tries(&Input::Act(Act::Rollback { scope, why }))
    }

    /// The whole run, or these steps and all that depends on them.
    #[track_caller]
    fn is_rolled_back(&mut self, steps: &[&str]) -> &mut Self {
        self.tries_to_roll_back(steps).unwrap();
        self
    }

    fn status(&self) -> RunStatus {
        self.state.status()
    }

    #[track_caller]
    fn status_of(&self, id: &str) -> InstanceStatus {
        let ix = self.state.find(&Self::id(id)).unwrap();
        self.state.row_of(ix).status
    }

    /// What should be under way, as in `a: run`.
    fn under_way(&self) -> Vec<String> {
        let told = |effect: Effect| match effect {
            Effect::Evaluate { step } => format!("{step}: evaluate"),
            Effect::ClearProcess { instance, .. } => format!("{instance}: clear"),
            Effect::Describe { instance } => format!("{instance}: describe"),
            Effect::Call(work) => {
                let what = match work.purpose {
                    Purpose::Run => "run",
                    Purpose::Rollback => "undo",
                    Purpose::Before => "look",
                    Purpose::After | Purpose::AfterRollback => "check",
                    Purpose::Doubt | Purpose::RollbackDoubt => "look after",
                    Purpose::Plan => "plan",
                };
                let stop = if work.stop { ", stop" } else { "" };
                format!("{}: {what}{stop}", work.instance)
            }
        };
        effects(&self.state, self.turn.draining, &self.turn.lacking, self.turn.now)
            .into_iter()
            .map(told)
            .collect()
    }

    /// The names of the events from there on.
    fn events_since(&self, at: usize) -> Vec<&'static str> {
        self.journal[at..]
            .iter()
            .map(|entry| entry.event.name())
            .collect()
    }
}

fn failure() -> Failure {
    Failure::new(FailureKind::Failed, "it broke")
}

fn each(keys: &[&str]) -> Evaluation {
    let item = |key: &&str| Item {
        key: key.parse().unwrap(),
        value: json!(key),
    };
    Evaluation::Each(keys.iter().map(item).collect())
}
