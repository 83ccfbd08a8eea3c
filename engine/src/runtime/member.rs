//! A run that this process shares with other workers: what is its own, what it reads of theirs, and how it appends.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::engine::{Author, Engine, RuntimeError};
use super::run::Run;
use crate::core::event::{Entry, Event};
use crate::core::{Input, Lacking, Rejection, Worker};
use crate::id::{InstanceId, RoleName, RunId, Seq};
use crate::journal::{Crew, Durable, Holder, JournalError, Stake, Stand};

/// What a worker works for.
#[derive(Debug, Clone, Default)]
pub struct Service {
    /// The roles; none works for all.
    pub roles: Option<BTreeSet<RoleName>>,
    /// How many calls it makes at once in one run.
    pub jobs: u32,
}

/// This process as one of a run's workers.
#[derive(Default)]
pub(super) struct Member {
    pub(super) service: Service,
    /// The calls on which it has claims, by the entry that started them.
    own: BTreeSet<Seq>,
    /// What is decided just now, and is not durable: all from this entry on is its own.
    deciding: Option<Seq>,
    /// What was read, and not shown yet.
    unseen: Vec<Entry>,
    /// What was taken over from it while it was at it, and not told yet.
    lost: Vec<InstanceId>,
    /// Who was told to have the run alone.
    held: Option<Holder>,
    /// Its definition was changed by somebody else, which was not told yet.
    is_amended: bool,
}

/// What there is to know of a shared run beside its entries.
pub(super) struct Around {
    /// Who has it alone just now.
    pub(super) held: Option<Holder>,
    /// When the next claim of somebody else ends, unless it is renewed.
    pub(super) next_end: Option<Duration>,
}

impl Member {
    /// Whether this process makes the call that an entry started.
    pub(super) fn owns(&self, of: Seq) -> bool {
        self.own.contains(&of) || self.deciding.is_some_and(|first| of >= first)
    }

    /// From this entry on, what is decided is its own.
    pub(super) fn decides_from(&mut self, first: Seq) {
        self.deciding = Some(first);
    }

    /// What was read since this was asked last.
    pub(super) fn unseen(&mut self) -> Vec<Entry> {
        std::mem::take(&mut self.unseen)
    }

    /// Whether it was not told yet that this one has the run alone.
    pub(super) fn is_news(&mut self, holder: Option<&Holder>) -> bool {
        let news = self.held.as_ref() != holder;
        self.held = holder.cloned();
        news
    }

    /// Whether its definition was changed since this was asked last.
    pub(super) fn is_amended(&mut self) -> bool {
        std::mem::take(&mut self.is_amended)
    }

    /// What was lost since this was asked last.
    pub(super) fn lost(&mut self) -> Vec<InstanceId> {
        std::mem::take(&mut self.lost)
    }
}

impl Engine {
    /// Comes to a run as one of its workers, if it is shared; none if it is not. Nothing is claimed.
    ///
    /// # Errors
    /// When it cannot be read; when who comes does not pass for who they say, and would find nothing to do for ever.
    pub async fn join(&self, run: RunId, service: Service) -> Result<Option<Run>, RuntimeError> {
        let Some(crew) = self.journal.crew() else {
            return Ok(None);
        };
        let outlook = crew.outlook(Some(run)).await?;
        self.clock.tell(outlook.now);
        if !outlook.runs.iter().any(|stand| stand.is_shared) {
            return Ok(None);
        }
        let claim = crew.join(run, self.holder()).await?;
        let story = self.read(run).await.and_then(|story| {
            let author = &self.author;
            let (state, key) = (&story.state, author.key());
            let allowed = state
                .workflow()
                .may_take_part(&author.operator, key.as_ref(), self.clock.now());
            allowed.map_err(Rejection::from)?;
            Ok(story)
        });
        let story = match story {
            Ok(story) if story.state.hands().are_shared() => story,
            other => {
                self.journal.release(claim, None).await?;
                return other.map(|_| None);
            }
        };
        let durable = Durable::attest(story.state.last_seq());
        let mut run = Run::new(self.clone(), claim, story.state, story.runbook, durable);
        run.member = Some(Member {
            service,
            ..Member::default()
        });
        Ok(Some(run))
    }

    /// The store in which workers share runs, if this is one.
    #[must_use]
    pub fn crew(&self) -> Option<&dyn Crew> {
        self.journal.crew()
    }
}

impl Run {
    /// The same, for a worker: with what it works for, and what others have under way.
    pub(super) fn among(&self, lacking: Lacking) -> Lacking {
        let Some(member) = &self.member else {
            return lacking;
        };
        let calls = self.state.calls().map(|(_, activity)| activity.of);
        lacking.among(Worker {
            operator: self.engine.author.operator.clone(),
            roles: member.service.roles.clone(),
            jobs: member.service.jobs,
            others: calls.filter(|of| !member.owns(*of)).collect(),
        })
    }

    /// Makes entries durable that the state has taken in already.
    pub(super) async fn write(
        &mut self,
        author: &Author,
        expected: Seq,
        entries: &[Entry],
    ) -> Result<Durable<Seq>, JournalError> {
        let signer = author.signer.as_deref();
        let journal = Arc::clone(&self.engine.journal);
        let (Some(member), Some(crew)) = (&mut self.member, journal.crew()) else {
            return journal.append_by(&self.claim, expected, entries, signer).await;
        };
        let status = self.state.status();
        let ours = |of: Seq| member.own.contains(&of) || of >= expected;
        let under_way = self.state.calls().filter(|(_, activity)| ours(activity.of));
        let after: Vec<(InstanceId, Seq)> = under_way
            .map(|(instance, activity)| (instance.clone(), activity.of))
            .collect();
        let stake = Stake {
            before: member.own.iter().copied().collect(),
            open: self.state.hands().are_shared() && !status.is_finished(),
            after,
        };
        let durable = crew
            .append_with(&self.claim, expected, entries, signer, &stake)
            .await;
        member.deciding = None;
        let durable = durable?;
        member.own = stake.after.iter().map(|(_, of)| *of).collect();
        Ok(durable)
    }

    /// After an append that was refused: the state is as it was before, and then brought up to date, so that all can
    /// be decided anew. A run that nobody shares has nothing to bring up to date.
    pub(super) async fn catch_up_after(&mut self, error: JournalError) -> Result<(), RuntimeError> {
        match error {
            JournalError::Conflict { .. } => self.catch_up().await,
            JournalError::NotClaimed => self.let_go().await,
            other => Err(other.into()),
        }
    }

    /// Reads what others have written.
    pub(super) async fn catch_up(&mut self) -> Result<(), RuntimeError> {
        if let Some(member) = &mut self.member {
            member.deciding = None;
        }
        let entries = self
            .engine
            .journal
            .read(self.claim.run, self.state.next_seq())
            .await?;
        let calls = self
            .state
            .calls()
            .map(|(instance, call)| (call.of, instance.clone()));
        let before: BTreeMap<Seq, InstanceId> = calls.collect();
        for entry in &entries {
            self.take_in(entry)?;
        }
        self.durable = Durable::attest(self.state.last_seq());
        let under_way: BTreeSet<Seq> = self.state.calls().map(|(_, activity)| activity.of).collect();
        if let Some(member) = &mut self.member {
            // Nobody else ends a call but by taking it over.
            let lost = member.own.difference(&under_way).filter_map(|of| before.get(of));
            member.lost.extend(lost.cloned());
            member.own.retain(|of| under_way.contains(of));
            member.unseen.extend(entries);
        }
        Ok(())
    }

    /// Takes in what somebody else has written.
    fn take_in(&mut self, entry: &Entry) -> Result<(), RuntimeError> {
        let Event::Amended(amended) = &entry.event else {
            return Ok(self.state.apply(entry)?);
        };
        let then = self.engine.amended_from(&self.state, amended)?;
        self.state.foresee(then.workflow());
        self.state.apply(entry)?;
        self.adopt(then);
        if let Some(member) = &mut self.member {
            member.is_amended = true;
        }
        Ok(())
    }

    /// Lets go of what others have taken over.
    async fn let_go(&mut self) -> Result<(), RuntimeError> {
        self.catch_up().await?;
        if let Some(stand) = self.stand().await? {
            self.heed_claims(&stand);
        }
        Ok(())
    }

    fn heed_claims(&mut self, stand: &Stand) {
        let kept = |of: Seq| stand.calls.iter().any(|call| call.is_ours && call.of == of);
        let Some(member) = &mut self.member else {
            return;
        };
        let lost: BTreeSet<Seq> = member.own.iter().copied().filter(|of| !kept(*of)).collect();
        let instances = self.state.calls().filter(|(_, call)| lost.contains(&call.of));
        member
            .lost
            .extend(instances.map(|(instance, _)| instance.clone()));
        member.own.retain(|of| !lost.contains(of));
    }

    async fn stand(&self) -> Result<Option<Stand>, RuntimeError> {
        let Some(crew) = self.engine.journal.crew() else {
            return Ok(None);
        };
        let outlook = crew.outlook(Some(self.claim.run)).await?;
        self.engine.clock.tell(outlook.now);
        Ok(outlook.runs.into_iter().next())
    }

    /// Reads on, and takes over what this worker can serve and nobody lives for.
    pub(super) async fn look_around(&mut self, draining: bool) -> Result<Around, RuntimeError> {
        let stand = self
            .stand()
            .await?
            .ok_or(JournalError::NotFound(self.claim.run))?;
        if stand.next > self.state.next_seq() {
            self.catch_up().await?;
        }
        let others = stand
            .calls
            .iter()
            .filter(|call| !call.is_ours && !call.left.is_zero());
        let around = Around {
            next_end: others.map(|call| call.left).min(),
            held: stand.held.clone(),
        };
        if !draining && around.held.is_none() && stand.next == self.state.next_seq() {
            self.take_over(&stand).await?;
        }
        Ok(around)
    }

    async fn take_over(&mut self, stand: &Stand) -> Result<(), RuntimeError> {
        let (Some(member), lacking) = (&self.member, self.lacking()) else {
            return Ok(());
        };
        let lives = |of: Seq| {
            stand
                .calls
                .iter()
                .any(|call| call.of == of && !call.left.is_zero())
        };
        let room = (member.service.jobs as usize).saturating_sub(member.own.len());
        let over: BTreeSet<Seq> = self
            .state
            .abandoned(&lacking)
            .filter(|of| !lives(*of))
            .take(room)
            .collect();
        let calls = self.state.calls().filter(|(_, call)| over.contains(&call.of));
        let calls: Vec<(InstanceId, Seq)> = calls.map(|(id, call)| (id.clone(), call.of)).collect();
        let journal = Arc::clone(&self.engine.journal);
        let Some(crew) = journal.crew().filter(|_| !calls.is_empty()) else {
            return Ok(());
        };
        let expected = self.state.next_seq();
        let taken = crew.take_over(&self.claim, expected, &calls).await?;
        let taken = calls.into_iter().filter(|(instance, _)| taken.contains(instance));
        let taken: BTreeSet<Seq> = taken.map(|(_, of)| of).collect();
        if taken.is_empty() {
            return Ok(());
        }
        // From now on nothing is added to what they printed.
        let transcripts = self.transcripts_of(&taken).await?;
        if let Some(member) = &mut self.member {
            member.own.extend(&taken);
        }
        let calls = taken.clone();
        let entries = self.take(&[Input::Expired { calls, transcripts }], true).await?;
        if let Some(member) = &mut self.member {
            member.unseen.extend(entries);
        }
        self.sweep(&taken.into_iter().collect::<Vec<_>>());
        Ok(())
    }
}
