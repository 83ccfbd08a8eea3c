//! What an earlier process left of a run: it was cut off, and is settled before anybody goes on or acts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::clear::clear;
use super::driver::Watcher;
use super::engine::RuntimeError;
use super::run::Run;
use crate::core::event::{Entry, LeftProcess, ProcessMark, Transcript};
use crate::core::{Act, Effect, Input, RunState, effects, turn};
use crate::id::{InstanceId, Seq};
use crate::journal::TranscriptHasher;
use crate::platform::volatile;

/// How processes are awaited that outlived the one that carried the run out.
#[derive(Default)]
pub(super) struct Left {
    /// For how long, where somebody chose that.
    patience: Option<Duration>,
    /// Who is told of it while nothing is carried out.
    watcher: Option<Arc<dyn Watcher>>,
}

/// An activity that was cut off, and of which a process may be left.
pub(super) struct Leaving {
    pub(super) instance: InstanceId,
    pub(super) of: Seq,
    /// The process that is known of.
    pub(super) process: Option<ProcessMark>,
    /// Until when it may be waited for, if its step has a time-out.
    pub(super) until: Option<Timestamp>,
}

impl Run {
    /// Chooses how long processes are awaited that an earlier program left running, before they are ended. Where nobody
    /// chooses, that is until their step's time is over.
    pub fn await_left_for(&mut self, patience: Duration) {
        self.left.patience = Some(patience);
    }

    /// Says who is told of such processes while the run is only acted upon.
    pub fn tell_of_left(&mut self, watcher: Arc<dyn Watcher>) {
        self.left.watcher = Some(watcher);
    }

    /// Records a person's act; nothing is carried out. What an earlier process left under way was cut off, which is
    /// recorded with it; and what is decided stands still: no process of it is left.
    ///
    /// # Errors
    /// When the act is not possible now, or cannot be made durable.
    pub async fn act(&mut self, act: Act) -> Result<Vec<Entry>, RuntimeError> {
        let (mut inputs, mut over) = (Vec::new(), Vec::new());
        if self.untaken && !matches!(act, Act::Hand(_)) {
            if self.state.active().len() > 0 {
                let transcripts;
                (over, transcripts) = self.cut_off().await?;
                inputs.push(Input::CutOff { transcripts });
            }
            if let Act::Decide { instance, .. } = &act {
                inputs.extend(self.settled(&inputs, instance, &act).await?);
            }
        }
        let before = self.state.clone();
        let (act, then) = self.engine.amending(&mut self.state, &self.runbook, act)?;
        inputs.push(Input::Act(act));
        let taken = self.take(&inputs, true).await;
        if let Err(RuntimeError::Rejected(_)) = taken {
            // What would have stood before the act was not recorded without it.
            self.state = before;
        } else {
            self.sweep(&over);
            then.into_iter().for_each(|then| self.adopt(then));
        }
        taken
    }

    /// That nothing is left of an instance that was cut off. Whether the act is possible after that is found out first:
    /// nobody waits for a refusal.
    async fn settled(
        &self,
        before: &[Input],
        instance: &InstanceId,
        act: &Act,
    ) -> Result<Option<Input>, RuntimeError> {
        let who = self
            .engine
            .author
            .turn(self.engine.clock.now(), true, self.lacking());
        let after = |state: &RunState, inputs: &[Input]| {
            let mut state = state.clone();
            for input in inputs {
                turn(&mut state, input, &who)?;
            }
            Ok::<_, RuntimeError>(state)
        };
        let state = after(&self.state, before)?;
        let left = effects(&state, false, &who.lacking, who.now).into_iter();
        let mut left = left.filter_map(|effect| match effect {
            Effect::ClearProcess {
                instance,
                of,
                process,
                until,
            } => Some(Leaving {
                instance,
                of,
                process,
                until,
            }),
            Effect::Evaluate { .. } | Effect::Describe { .. } | Effect::Call(_) => None,
        });
        let Some(leaving) = left.find(|leaving| leaving.instance == *instance) else {
            return Ok(None);
        };
        let cleared = |found| Input::ProcessCleared {
            instance: instance.clone(),
            found,
        };
        after(&state, &[cleared(LeftProcess::None), Input::Act(act.clone())])?;
        Ok(Some(cleared(
            self.see_off(leaving, self.left.watcher.clone()).await,
        )))
    }

    /// Sees to it that nothing of an activity is left that was cut off.
    pub(super) fn see_off(
        &self,
        leaving: Leaving,
        watcher: Option<Arc<dyn Watcher>>,
    ) -> impl Future<Output = LeftProcess> + Send + use<> {
        let rehearsal = self.state.started().rehearsal.is_some();
        let clock = Arc::clone(&self.engine.clock);
        let chosen = self.left.patience.map(|patience| {
            let now = clock.now();
            now.checked_add(patience).unwrap_or(now)
        });
        let token = format!("{}:{}", self.claim.run, leaving.of);
        async move {
            if rehearsal {
                return LeftProcess::None;
            }
            let until = chosen.or(leaving.until);
            clear(
                &leaving.instance,
                leaving.process,
                &token,
                until,
                &clock,
                watcher.as_ref(),
            )
            .await
        }
    }

    /// Takes the run over from an earlier process: whatever that had under way was cut off.
    pub(super) async fn take_up(&mut self, jobs: Option<u32>) -> Result<Vec<Entry>, RuntimeError> {
        let (over, transcripts) = self.cut_off().await?;
        let jobs = jobs.unwrap_or(self.state.jobs());
        let entries = self.take(&[Input::Resumed { jobs, transcripts }], true).await?;
        self.untaken = false;
        self.sweep(&over);
        Ok(entries)
    }

    /// The activities that were cut off, and what those had printed that printed anything.
    async fn cut_off(&self) -> Result<(Vec<Seq>, BTreeMap<Seq, Transcript>), RuntimeError> {
        let active = self.state.active().filter_map(|one| one.phase.activity());
        let cut_off: Vec<Seq> = active.map(|call| call.of).collect();
        let transcripts = self.transcripts_of(&cut_off).await?;
        Ok((cut_off, transcripts))
    }

    /// What these activities had printed that printed anything.
    pub(super) async fn transcripts_of(
        &self,
        activities: impl IntoIterator<Item = &Seq>,
    ) -> Result<BTreeMap<Seq, Transcript>, RuntimeError> {
        let mut transcripts = BTreeMap::new();
        for &of in activities {
            let chunks = self.engine.journal.transcript(self.claim.run, of).await?;
            let mut hasher = TranscriptHasher::default();
            chunks.iter().for_each(|chunk| hasher.update(chunk));
            if !chunks.is_empty() {
                transcripts.insert(of, hasher.finish(of));
            }
        }
        Ok(transcripts)
    }

    /// Removes the private files of activities that were cut off. Those of activities in doubt stay until no process is
    /// left that reads them.
    pub(super) fn sweep(&self, cut_off: &[Seq]) {
        let doubted: BTreeSet<Seq> = self.state.in_doubt().collect();
        let over = cut_off.iter().filter(|of| !doubted.contains(of));
        let tokens: Vec<String> = over.map(|of| format!("{}:{of}", self.claim.run)).collect();
        volatile::sweep(tokens.iter().map(String::as_str));
    }
}
