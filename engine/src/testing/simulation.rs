//! The runtime's loop over a simulated world: effects, what becomes of them, one input, one turn, one append.
//! It can be made to crash at any append, before or after it, or in its middle, and then goes on as another
//! operator from what the journal holds.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::laws::{self, Broken, History};
use super::world::{Dice, World};
use crate::core::event::{LeftProcess, ProcessMark, RollbackScope, RunStarted};
use crate::core::{
    Act, Effect, Entry, Event, Input, Lacking, RunState, Turn, TurnError, Work, Workflow, effects, stop_at,
    turn, wake_at,
};
use crate::id::{Host, InstanceId, Operator, Seq};

/// More turns than any run needs whose dice are used up: beyond, it does not converge.
const MOST_TURNS: usize = 4_000;

/// When the simulated process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crash {
    /// At which append, counted from 0.
    pub append: usize,
    /// How many of its entries are durable by then.
    pub entries: usize,
}

/// What may happen beside the run's own work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum People {
    /// They answer what they are asked, and nothing else.
    Answer,
    /// They also cancel, roll back, decide and pull the plug as they like.
    Meddle,
}

/// A run in a simulated world.
pub struct Simulation {
    /// The journal: all that survives a crash.
    pub journal: Vec<Entry>,
    /// The live state.
    pub state: RunState,
    /// The world.
    pub world: World,
    /// How many entries each append had.
    pub appends: Vec<usize>,
    pub(super) workflow: Arc<Workflow>,
    /// What its amendments led to; the last of them may still be refused.
    pub(super) amendments: Vec<Arc<Workflow>>,
    pub(super) history: History,
    calls: BTreeMap<Seq, Call>,
    /// What calls said while they are still under way.
    told: VecDeque<Input>,
    clearing: BTreeSet<InstanceId>,
    pub(super) dice: Dice,
    people: People,
    pub(super) now: Timestamp,
    turn: Turn,
    crash: Option<Crash>,
}

struct Call {
    work: Work,
    hangs: bool,
}

/// What happens next.
enum Next {
    Input(Box<Input>),
    Restart,
    Nothing,
}

impl Simulation {
    /// A run of this workflow that has just started.
    ///
    /// # Errors
    /// When the core refuses its own first entries.
    pub fn start(
        workflow: Workflow,
        world: World,
        dice: Dice,
        people: People,
        crash: Option<Crash>,
    ) -> Result<Self, Broken> {
        let (workflow, mut dice) = (Arc::new(workflow), dice);
        let jobs = u32::from(dice.roll(4)) + 1;
        let (now, turn) = (Timestamp::UNIX_EPOCH, operator(0));
        let first = Entry {
            seq: Seq(0),
            time: now,
            operator: turn.operator.clone(),
            host: turn.host.clone(),
            event: Event::RunStarted(Box::new(run_started(jobs)?)),
        };
        let state = RunState::begin(&workflow, &first).map_err(|illegal| illegal.to_string())?;
        Ok(Self {
            history: History::new(&state, jobs),
            journal: vec![first],
            state,
            world,
            appends: vec![1],
            workflow,
            amendments: Vec::new(),
            calls: BTreeMap::new(),
            told: VecDeque::new(),
            clearing: BTreeSet::new(),
            dice,
            people,
            now,
            turn,
            crash,
        })
    }

    /// Goes on until nothing more happens and nobody has anything to say.
    ///
    /// # Errors
    /// The first law that was broken.
    pub fn run(&mut self) -> Result<(), Broken> {
        let mut next = Next::Input(Box::new(Input::Clock));
        for _ in 0..MOST_TURNS {
            match next {
                Next::Nothing => return laws::at_rest(&self.state, &self.history),
                Next::Restart => self.restart()?,
                Next::Input(input) => self.take(&input)?,
            }
            self.perform()?;
            next = self.next()?;
        }
        Err(format!("it does not come to rest: {:?}", self.state.status()))
    }

    /// A person undoes the whole run, while from here on all goes well.
    ///
    /// # Errors
    /// The first law that was broken.
    pub fn roll_back(&mut self) -> Result<(), Broken> {
        self.dice = Dice::default();
        let (scope, why) = (RollbackScope::Run, "so".to_owned());
        self.take(&Input::Act(Act::Rollback { scope, why }))?;
        self.perform()?;
        self.run()
    }

    /// One turn, one append, or the end of the process in its middle.
    fn take(&mut self, input: &Input) -> Result<(), Broken> {
        let taken = self.take_one(input);
        if matches!(input, Input::Act(Act::Amend(_))) {
            self.forget();
        }
        taken
    }

    fn take_one(&mut self, input: &Input) -> Result<(), Broken> {
        self.turn.now = self.now;
        let before = self.state.clone();
        let mut who = self.turn.clone();
        if matches!(input, Input::Act(Act::Approve { .. } | Act::Reject { .. })) {
            who.operator = self.approver();
        }
        let entries = match turn(&mut self.state, input, &who) {
            Ok(entries) => entries,
            Err(TurnError::Rejected(_)) if self.state == before => return Ok(()),
            Err(TurnError::Rejected(_)) => return Err(format!("a rejected {input:?} changed the state")),
            Err(TurnError::Illegal(illegal)) => return Err(format!("{input:?} led to an {illegal}")),
        };
        if entries.is_empty() {
            return Ok(());
        }
        let at = self.appends.len();
        let crash = self.crash.filter(|crash| crash.append == at);
        let durable = crash.map_or(entries.len(), |crash| crash.entries.min(entries.len()));
        self.appends.push(entries.len());
        for entry in entries.into_iter().take(durable) {
            self.history.record(&entry)?;
            self.journal.push(entry);
        }
        if crash.is_some() {
            return self.restart();
        }
        laws::live_state_is_the_journals(&self.state, self.history.state())
    }

    /// The process has died. What was under way came some way, or lives on; another operator resumes.
    fn restart(&mut self) -> Result<(), Broken> {
        self.crash = None;
        self.history.forget();
        let calls = std::mem::take(&mut self.calls);
        for call in calls.values() {
            self.world.orphan(&self.state, &call.work, &mut self.dice);
        }
        self.told.clear();
        self.clearing.clear();
        self.state = RunState::fold_amended(&self.workflow, &self.amendments, &self.journal)
            .map_err(|illegal| illegal.to_string())?;
        laws::live_state_is_the_journals(&self.state, self.history.state())?;
        self.turn = operator(self.journal.len());
        if self.dice.chance(3) {
            self.turn.lacking = self
                .state
                .workflow()
                .steps()
                .flat_map(|(_, step)| step.secrets.clone())
                .collect();
        }
        let jobs = u32::from(self.dice.roll(4)) + 1;
        let transcripts = BTreeMap::new();
        if self.people == People::Meddle && self.journal.len().is_multiple_of(3) {
            // Somebody acts before anybody takes the run up again.
            self.take(&Input::CutOff {
                transcripts: transcripts.clone(),
            })?;
        }
        self.take(&Input::Resumed { jobs, transcripts })
    }

    /// Starts what should be under way and is not.
    fn perform(&mut self) -> Result<(), Broken> {
        loop {
            let mut answer = None;
            for effect in effects(&self.state, self.turn.draining, &self.turn.lacking, self.now) {
                match effect {
                    Effect::Call(work) => self.call(work)?,
                    Effect::Evaluate { step } if answer.is_none() => answer = Some(self.evaluate(&step)?),
                    Effect::Describe { instance } if answer.is_none() => {
                        answer = Some(self.describe(instance));
                    }
                    Effect::Evaluate { .. } | Effect::Describe { .. } => {}
                    Effect::ClearProcess { instance, .. } => drop(self.clearing.insert(instance)),
                }
            }
            match answer {
                None => return Ok(()),
                Some(input) => self.take(&input)?,
            }
        }
    }

    fn call(&mut self, work: Work) -> Result<(), Broken> {
        if let Some(call) = self.calls.get_mut(&work.of) {
            call.work.stop = work.stop;
            return Ok(());
        }
        laws::intent_is_durable(&self.journal, &work)?;
        laws::one_call_at_a_time(self.calls.values().map(|call| &call.work), &work, &self.world)?;
        let hangs = self.state.policy(work.ix).timeout.is_some() && self.dice.chance(20);
        if self.dice.chance(40) {
            let process = ProcessMark { pid: 1, started: 1 };
            let (instance, of) = (work.instance.clone(), work.of);
            self.told.push_back(Input::ProcessStarted {
                instance,
                of,
                process,
            });
        }
        self.calls.insert(work.of, Call { work, hangs });
        Ok(())
    }

    /// Whatever happens next in the world.
    fn next(&mut self) -> Result<Next, Broken> {
        let seconds = self.dice.roll(12);
        self.pass(seconds);
        if self.people == People::Meddle && self.dice.chance(8) {
            return Ok(self
                .meddle()
                .map_or(Next::Nothing, |act| Next::Input(Box::new(Input::Act(act)))));
        }
        if self.people == People::Meddle && self.dice.chance(6) {
            return Ok(Next::Restart);
        }
        if !self.turn.draining && self.dice.chance(4) {
            self.turn.draining = true;
        }
        let wake = if self.turn.draining {
            stop_at(&self.state, &self.turn.lacking)
        } else {
            wake_at(&self.state, &self.turn.lacking)
        };
        laws::no_deadline_is_missed(&self.state, wake, &self.turn.lacking, self.turn.draining)?;
        if wake.is_some_and(|at| at <= self.now) && self.dice.roll(2) == 0 {
            return Ok(Next::Input(Box::new(Input::Clock)));
        }
        if let Some(input) = self.told.pop_front() {
            return Ok(Next::Input(Box::new(input)));
        }
        if let Some(input) = self.something_ends()? {
            return Ok(Next::Input(Box::new(input)));
        }
        if self.turn.draining && self.calls.is_empty() {
            return Ok(Next::Restart);
        }
        if let Some(at) = wake {
            self.now = self.now.max(at);
            return Ok(Next::Input(Box::new(Input::Clock)));
        }
        let waits = !self.state.withheld(&self.turn.lacking).is_empty();
        self.turn.lacking = Lacking::nothing();
        if waits {
            return Ok(Next::Input(Box::new(Input::Clock)));
        }
        // What is not asked for is needed by nothing.
        laws::nothing_to_wait_for(&self.state)?;
        Ok(self
            .answer()
            .map_or(Next::Nothing, |act| Next::Input(Box::new(Input::Act(act)))))
    }

    pub(super) fn pass(&mut self, seconds: u8) {
        let later = self
            .now
            .checked_add(SignedDuration::from_secs(i64::from(seconds)));
        self.now = later.unwrap_or(self.now);
    }

    /// A call ends, or what outlived the engine does; now and then an outcome comes a second time.
    fn something_ends(&mut self) -> Result<Option<Input>, Broken> {
        let may_end = self
            .calls
            .iter()
            .filter(|(_, call)| !call.hangs || call.work.stop);
        let may_end: Vec<Seq> = may_end.map(|(of, _)| *of).collect();
        let sides = u8::try_from(may_end.len() + self.clearing.len()).unwrap_or(u8::MAX);
        let chosen = usize::from(self.dice.roll(sides));
        if let Some(of) = may_end.get(chosen) {
            let Some(call) = self.calls.remove(of) else {
                return Ok(None);
            };
            let input = self.end(call);
            self.take(&input)?;
            let before = self.state.clone();
            self.take(&input)?;
            return laws::late_outcome_is_ignored(&before, &self.state).map(|()| Some(Input::Clock));
        }
        let Some(instance) = self
            .clearing
            .iter()
            .nth(chosen.saturating_sub(may_end.len()))
            .cloned()
        else {
            return Ok(None);
        };
        self.clearing.remove(&instance);
        self.world.clear(&self.state, &instance, &mut self.dice);
        let found = LeftProcess::Awaited;
        Ok(Some(Input::ProcessCleared { instance, found }))
    }

    fn end(&mut self, call: Call) -> Input {
        let Call { work, hangs } = call;
        let outcome = if hangs || (work.stop && self.dice.roll(2) == 0) {
            self.world.stopped(&self.state, &work, &mut self.dice)
        } else {
            self.world.end(&self.state, &work, &mut self.dice)
        };
        Input::Finished {
            instance: work.instance,
            of: work.of,
            outcome,
            transcript: None,
        }
    }
}

pub(super) fn operator(number: usize) -> Turn {
    Turn {
        operator: Operator::new(&format!("operator {number}")),
        host: Host::new("here"),
        now: Timestamp::UNIX_EPOCH,
        draining: false,
        key: None,
        lacking: Lacking::nothing(),
    }
}

pub(crate) fn run_started(jobs: u32) -> Result<RunStarted, Broken> {
    let (run, name) = (
        "018f4e7c-0000-7000-8000-000000000000".parse(),
        "simulated".parse(),
    );
    Ok(RunStarted {
        run: run.map_err(|error| format!("{error}"))?,
        runbook: name.map_err(|error: crate::id::InvalidName| error.to_string())?,
        file: "simulated.yaml".to_owned(),
        text: String::new(),
        params: BTreeMap::new(),
        overlaid: None,
        rehearsal: None,
        jobs,
        program: "simulation".to_owned(),
    })
}
