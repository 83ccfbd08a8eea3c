//! Several workers over one journal, in a simulated world: each has its own state, which may be old, appends where it
//! believes the journal to end, and claims what it has under way. They die, and their claims end while they live.

use std::collections::{BTreeMap, BTreeSet};

use super::laws::{self, Broken};
use super::simulation::{People, Simulation, operator};
use super::world::{Dice, World};
use crate::core::event::Handing;
use crate::core::{
    Act, Effect, Entry, Input, Lacking, RunState, RunStatus, Turn, TurnError, Work, Worker, Workflow,
    effects, turn,
};
use crate::id::{Host, InstanceId, RoleName, Seq};

mod fate;

/// More turns than any run needs.
const MOST_TURNS: usize = 12_000;

/// A run that several workers carry out.
pub struct Team {
    /// The journal, the world, the people, and all laws.
    pub run: Simulation,
    /// How often somebody appended to a journal that had moved on.
    pub conflicts: usize,
    /// How often what was under way was taken over from another worker.
    pub taken_over: usize,
    /// How many outcomes came too late.
    pub late: usize,
    members: Vec<Member>,
    /// Who has which call under way, by the entry that started it, and whether the time of that claim is up.
    claims: BTreeMap<Seq, Claim>,
}

#[derive(Debug, Clone, Copy)]
struct Claim {
    member: usize,
    is_over: bool,
}

/// One worker.
struct Member {
    state: RunState,
    turn: Turn,
    roles: Option<BTreeSet<RoleName>>,
    jobs: u32,
    calls: BTreeMap<Seq, Call>,
    clearing: BTreeSet<InstanceId>,
}

struct Call {
    work: Work,
    hangs: bool,
    /// Somebody else has taken it over: what it says is too late.
    lost: bool,
}

impl Call {
    fn may_end(&self) -> bool {
        self.lost || !self.hangs || self.work.stop
    }
}

impl Team {
    /// A run of this workflow, given to a worker for each of these roles on each of these machines.
    ///
    /// # Errors
    /// When the core refuses its own first entries.
    pub fn start(
        workflow: Workflow,
        world: World,
        dice: Dice,
        workers: &[(Option<RoleName>, Host)],
    ) -> Result<Self, Broken> {
        let mut run = Simulation::start(workflow, world, dice, People::Answer, None)?;
        let first = Input::Act(Act::Hand(Handing::Shared));
        let mut who = operator(0);
        who.draining = true;
        let shared = turn(&mut run.state, &first, &who).map_err(|error| error.to_string())?;
        for entry in shared {
            run.history.record(&entry)?;
            run.journal.push(entry);
        }
        let mut members = Vec::new();
        for (at, (role, host)) in workers.iter().enumerate() {
            let mut turn = operator(at + 1);
            turn.host = host.clone();
            members.push(Member {
                state: run.state.clone(),
                turn,
                roles: role.clone().map(|role| BTreeSet::from([role])),
                jobs: u32::from(run.dice.roll(3)) + 1,
                calls: BTreeMap::new(),
                clearing: BTreeSet::new(),
            });
        }
        // What the dead had under way comes on top of what the living have: each append looks at its own worker.
        run.history.allow(u32::MAX);
        Ok(Self {
            run,
            conflicts: 0,
            taken_over: 0,
            late: 0,
            members,
            claims: BTreeMap::new(),
        })
    }

    /// Goes on until nothing more happens and nobody has anything to say.
    ///
    /// # Errors
    /// The first law that was broken.
    pub fn run(&mut self) -> Result<(), Broken> {
        let mut idle = 0;
        for round in 0..MOST_TURNS {
            let others = u8::try_from(self.members.len()).unwrap_or(u8::MAX);
            let at = (round + usize::from(self.run.dice.roll(others))) % self.members.len();
            idle = if self.goes_on(at)? { 0 } else { idle + 1 };
            if idle > 2 * self.members.len() {
                if !self.all_look()? && !self.time_passes() && !self.somebody_answers()? {
                    return laws::at_rest(self.run.history.state(), &self.run.history);
                }
                idle = 0;
            }
        }
        Err(format!(
            "it does not come to rest: {:?}",
            self.run.history.state().status()
        ))
    }

    /// Every worker brings itself up to date, and does what is due. Gives whether anything goes on.
    fn all_look(&mut self) -> Result<bool, Broken> {
        let entries = self.run.journal.len();
        for at in 0..self.members.len() {
            self.looks_around(at)?;
            self.take(at, &Input::Clock)?;
            self.perform(at)?;
        }
        let may_end = (0..self.members.len()).any(|at| self.has_something_to_end(at));
        Ok(may_end || self.run.journal.len() > entries)
    }

    /// One worker does something, or something is done to it. Gives whether anything came of it.
    fn goes_on(&mut self, at: usize) -> Result<bool, Broken> {
        let seconds = self.run.dice.roll(4);
        self.run.pass(seconds);
        let (entries, calls) = (self.run.journal.len(), self.members[at].calls.len());
        match self.run.dice.next_of(&[150, 46, 20, 16, 12, 12]) {
            0 if self.has_something_to_end(at) => self.something_ends(at)?,
            0 | 1 => {
                self.looks_around(at)?;
                self.take(at, &Input::Clock)?;
            }
            2 => self.take(at, &Input::Clock)?,
            3 => self.time_is_up(at),
            4 => self.dies(at),
            _ => {
                if let Some(act) = self.answer() {
                    self.take(at, &Input::Act(act))?;
                }
            }
        }
        self.perform(at)?;
        Ok(self.run.journal.len() != entries || self.members[at].calls.len() != calls)
    }

    /// A turn by what a worker knows, and the append; what it knows is brought up to date until both fit.
    fn take(&mut self, at: usize, input: &Input) -> Result<(), Broken> {
        loop {
            let before = self.members[at].state.clone();
            let mut who = self.turn_of(at);
            if matches!(input, Input::Act(Act::Approve { .. } | Act::Reject { .. })) {
                who.operator = self.run.approver();
            }
            who.draining |= matches!(input, Input::Act(_));
            let result = turn(&mut self.members[at].state, input, &who);
            let entries = match result {
                Ok(entries) if entries.is_empty() => return Ok(()),
                Ok(entries) => entries,
                Err(TurnError::Rejected(_)) => {
                    self.members[at].state = before;
                    return Ok(());
                }
                Err(TurnError::Illegal(illegal)) => return Err(format!("{input:?} led to an {illegal}")),
            };
            if before.next_seq() != Seq(self.run.journal.len() as u64) {
                self.conflicts += 1;
                self.members[at].state = before;
                self.catches_up(at)?;
                continue;
            }
            return self.append(at, entries);
        }
    }

    fn append(&mut self, at: usize, entries: Vec<Entry>) -> Result<(), Broken> {
        let mut own = self.own(at);
        for entry in entries {
            own.insert(entry.seq);
            self.run.history.record(&entry)?;
            self.run.journal.push(entry);
        }
        let state = &self.members[at].state;
        laws::live_state_is_the_journals(state, self.run.history.state())?;
        let under_way: BTreeSet<Seq> = state.calls().map(|(_, activity)| activity.of).collect();
        self.claims.retain(|of, _| under_way.contains(of));
        let own: Vec<Seq> = own.intersection(&under_way).copied().collect();
        if own.len() > self.members[at].jobs as usize {
            return Err(format!("worker {at} has {} calls under way", own.len()));
        }
        let claim = Claim {
            member: at,
            is_over: false,
        };
        self.claims.extend(own.into_iter().map(|of| (of, claim)));
        Ok(())
    }

    /// The calls whose claims are this worker's.
    fn own(&self, at: usize) -> BTreeSet<Seq> {
        let own = self.claims.iter().filter(|(_, claim)| claim.member == at);
        own.map(|(of, _)| *of).collect()
    }

    fn turn_of(&self, at: usize) -> Turn {
        let (member, own) = (&self.members[at], self.own(at));
        let under_way = member.state.calls().map(|(_, activity)| activity.of);
        let worker = Worker {
            operator: member.turn.operator.clone(),
            roles: member.roles.clone(),
            jobs: member.jobs,
            others: under_way.filter(|of| !own.contains(of)).collect(),
        };
        let lacking = Lacking::nothing().here(member.turn.host.clone()).among(worker);
        Turn {
            now: self.run.now,
            lacking,
            ..member.turn.clone()
        }
    }

    fn catches_up(&mut self, at: usize) -> Result<(), Broken> {
        let member = &mut self.members[at];
        let known = usize::try_from(member.state.next_seq().0).unwrap_or(usize::MAX);
        for entry in self.run.journal.iter().skip(known) {
            member.state.apply(entry).map_err(|illegal| illegal.to_string())?;
        }
        Ok(())
    }

    /// It reads on, and takes over what it can serve and nobody lives for.
    fn looks_around(&mut self, at: usize) -> Result<(), Broken> {
        self.catches_up(at)?;
        let turn = self.turn_of(at);
        let state = self.members[at].state.clone();
        let over = |of: &Seq| self.claims.get(of).is_none_or(|claim| claim.is_over);
        let room = (self.members[at].jobs as usize).saturating_sub(self.own(at).len());
        let calls: BTreeSet<Seq> = state.abandoned(&turn.lacking).filter(over).take(room).collect();
        if calls.is_empty() {
            return Ok(());
        }
        self.taken_over += calls.len();
        for (other, member) in self.members.iter_mut().enumerate() {
            let lost = member.calls.iter_mut().filter(|(of, _)| calls.contains(of));
            for (_, call) in lost.filter(|_| other != at) {
                call.lost = true;
                self.run.world.orphan(&state, &call.work, &mut self.run.dice);
            }
        }
        let claim = Claim {
            member: at,
            is_over: false,
        };
        self.claims.extend(calls.iter().map(|of| (*of, claim)));
        let transcripts = BTreeMap::new();
        self.take(at, &Input::Expired { calls, transcripts })
    }

    /// Starts what should be under way for this worker and is not.
    fn perform(&mut self, at: usize) -> Result<(), Broken> {
        loop {
            let turn = self.turn_of(at);
            let mut answer = None;
            let state = self.members[at].state.clone();
            for effect in effects(&state, false, &turn.lacking, turn.now) {
                match effect {
                    Effect::Call(work) => self.call(at, &state, work)?,
                    Effect::Evaluate { step } if answer.is_none() => {
                        answer = Some(self.run.evaluate(&step)?);
                    }
                    Effect::Describe { instance } if answer.is_none() => {
                        answer = Some(self.run.describe(instance));
                    }
                    Effect::Evaluate { .. } | Effect::Describe { .. } => {}
                    Effect::ClearProcess { instance, .. } => {
                        self.members[at].clearing.insert(instance);
                    }
                }
            }
            match answer {
                None => return Ok(()),
                Some(input) => self.take(at, &input)?,
            }
        }
    }

    fn call(&mut self, at: usize, state: &RunState, work: Work) -> Result<(), Broken> {
        if let Some(call) = self.members[at].calls.get_mut(&work.of) {
            call.work.stop = work.stop;
            return Ok(());
        }
        laws::intent_is_durable(&self.run.journal, &work)?;
        let all = self.members.iter().flat_map(|member| member.calls.values());
        let under_way = all.filter(|call| !call.lost).map(|call| &call.work);
        laws::one_call_at_a_time(under_way, &work, &self.run.world)?;
        let hangs = state.policy(work.ix).timeout.is_some() && self.run.dice.chance(20);
        let lost = false;
        drop(self.members[at].calls.insert(work.of, Call { work, hangs, lost }));
        Ok(())
    }

    fn somebody_answers(&mut self) -> Result<bool, Broken> {
        laws::nothing_to_wait_for(self.run.history.state())?;
        let Some(act) = self.answer() else {
            return Ok(false);
        };
        let known = self.run.journal.len();
        self.catches_up(0)?;
        self.take(0, &Input::Act(act))?;
        Ok(self.run.journal.len() > known)
    }

    fn answer(&mut self) -> Option<Act> {
        self.run.state = self.run.history.state().clone();
        self.run.answer()
    }

    /// Where the run stands.
    #[must_use]
    pub fn status(&self) -> RunStatus {
        self.run.history.state().status()
    }
}
