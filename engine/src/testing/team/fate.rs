//! What befalls the workers of a simulated team: calls end, claims do, and workers die.

use super::{Call, Team};
use crate::core::event::LeftProcess;
use crate::core::{Input, wake_at};
use crate::id::Seq;
use crate::testing::laws::{self, Broken};
use crate::testing::world::World;

impl Team {
    /// The claims of a worker end though it lives; it may not notice before it is too late.
    pub(super) fn time_is_up(&mut self, at: usize) {
        let own = self.claims.values_mut().filter(|claim| claim.member == at);
        own.for_each(|claim| claim.is_over = true);
    }

    /// What was under way came some way, or lives on; another worker takes the place, and knows nothing.
    pub(super) fn dies(&mut self, at: usize) {
        self.time_is_up(at);
        let member = &mut self.members[at];
        for call in std::mem::take(&mut member.calls).values() {
            if !call.lost {
                self.run
                    .world
                    .orphan(&member.state, &call.work, &mut self.run.dice);
            }
        }
        member.clearing.clear();
        member.state = self.run.history.state().clone();
        // It is nobody's claim that this one knows.
        let at_large = self.members.len();
        let own = self.claims.values_mut().filter(|claim| claim.member == at);
        own.for_each(|claim| claim.member = at_large);
    }

    pub(super) fn has_something_to_end(&self, at: usize) -> bool {
        let member = &self.members[at];
        !member.clearing.is_empty() || member.calls.values().any(Call::may_end)
    }

    /// A call ends, or what outlived another one does. What was taken over meanwhile says nothing any more.
    pub(super) fn something_ends(&mut self, at: usize) -> Result<(), Broken> {
        let member = &self.members[at];
        let may_end = member.calls.iter().filter(|(_, call)| call.may_end());
        let may_end: Vec<Seq> = may_end.map(|(of, _)| *of).collect();
        let sides = u8::try_from(may_end.len() + member.clearing.len()).unwrap_or(u8::MAX);
        let chosen = usize::from(self.run.dice.roll(sides));
        if let Some(call) = may_end
            .get(chosen)
            .and_then(|of| self.members[at].calls.remove(of))
        {
            return self.ends(at, call);
        }
        let left = chosen.saturating_sub(may_end.len());
        let Some(instance) = self.members[at].clearing.iter().nth(left).cloned() else {
            return Ok(());
        };
        self.members[at].clearing.remove(&instance);
        let state = self.run.history.state().clone();
        self.run.world.clear(&state, &instance, &mut self.run.dice);
        let found = LeftProcess::Awaited;
        self.take(at, &Input::ProcessCleared { instance, found })
    }

    fn ends(&mut self, at: usize, call: Call) -> Result<(), Broken> {
        let Call { work, hangs, lost } = call;
        let state = self.members[at].state.clone();
        let (world, dice) = (&mut self.run.world, &mut self.run.dice);
        let outcome = if lost {
            // What it did was done when it was taken over: here only its word is late.
            World::default().end(&state, &work, dice)
        } else if hangs || (work.stop && dice.roll(2) == 0) {
            world.stopped(&state, &work, dice)
        } else {
            world.end(&state, &work, dice)
        };
        let (id, instance, of, transcript) = (work.instance.clone(), work.instance, work.of, None);
        let input = Input::Finished {
            instance,
            of,
            outcome,
            transcript,
        };
        let known = self.run.journal.len();
        self.take(at, &input)?;
        if lost {
            self.late += 1;
            laws::nothing_is_said_of(&id, &self.run.journal[known..])?;
        }
        Ok(())
    }

    /// Nothing goes on by itself: claims end, or the next time comes for which somebody waits.
    pub(super) fn time_passes(&mut self) -> bool {
        let abandoned = self.claims.iter().filter(|(of, claim)| {
            let calls = self.members.get(claim.member).map(|member| &member.calls);
            !claim.is_over && !calls.is_some_and(|calls| calls.contains_key(of))
        });
        let abandoned: Vec<Seq> = abandoned.map(|(of, _)| *of).collect();
        for of in &abandoned {
            if let Some(claim) = self.claims.get_mut(of) {
                claim.is_over = true;
            }
        }
        let state = self.run.history.state();
        let wakes = (0..self.members.len()).filter_map(|at| wake_at(state, &self.turn_of(at).lacking));
        let wake = wakes.filter(|at| *at > self.run.now).min();
        if let Some(at) = wake {
            self.run.now = at;
        }
        !abandoned.is_empty() || wake.is_some()
    }
}
