//! Asking for secrets: before the first step that needs them, while everything else goes on.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::sync::CancellationToken;

use super::call::Call;
use super::desk::{Desk, Message};
use super::driver::Control;
use super::run::Run;
use super::unheard::Unheard;
use super::wanted::{Unknown, Wanted};
use crate::core::{Lacking, Work};
use crate::id::Seq;
use crate::secret::Secret;
use crate::step::Purpose;

/// What became of the question for a secret.
#[derive(Clone, PartialEq, Eq)]
pub enum Given {
    /// This is its value.
    Value(String),
    /// It has no value, and needs none.
    Nothing,
    /// It is not to be had now: what needs it stays as it is.
    NotNow,
    /// The person wants to stop.
    Stop,
}

/// Whoever knows secrets, or asks a person for them.
#[async_trait]
pub trait Keeper: Send + Sync {
    /// Gives a secret. `off` is triggered when nobody needs it any more.
    async fn give(&self, wanted: &Wanted, off: &CancellationToken) -> Given;
}

/// Knows nothing.
pub(super) struct Nobody;

#[async_trait]
impl Keeper for Nobody {
    async fn give(&self, _wanted: &Wanted, _off: &CancellationToken) -> Given {
        Given::NotNow
    }
}

impl Run {
    fn unknown(&self) -> Unknown<'_> {
        Unknown {
            state: &self.state,
            runbook: &self.runbook,
            named: &self.named,
            known: &self.known,
        }
    }

    /// The secrets that this process does not know, of those that the steps name, and the roles of others.
    pub(super) fn lacking(&self) -> Lacking {
        let author = &self.engine.author;
        let now = self.engine.clock.now();
        self.state.lacking_for(
            &author.operator,
            author.key().as_ref(),
            now,
            self.among(self.here(self.unknown().lacking())),
        )
    }

    /// The same on this machine. A rehearsal plays everywhere what belongs elsewhere.
    fn here(&self, lacking: Lacking) -> Lacking {
        match self.state.started().rehearsal {
            None => lacking.here(self.engine.author.host.clone()),
            Some(_) => lacking,
        }
    }

    /// The secrets for want of which something does not go on now.
    pub(super) fn wanted(&self, lacking: &Lacking) -> Vec<Wanted> {
        self.unknown().one_by_one(self.state.withheld(lacking))
    }

    /// The secrets without which nothing of it goes on, whoever takes it up next.
    #[must_use]
    pub fn rests_for(&self) -> Vec<Wanted> {
        self.engine.rests_for(&self.state, &self.runbook)
    }

    /// Asks for what is wanted and was not refused before, unless that is under way; calls the question off when it
    /// does not matter any more.
    pub(super) fn ask_for_secrets(&self, desk: &mut Desk, draining: bool) {
        let mut wanted = if draining {
            Vec::new()
        } else {
            self.wanted(&self.lacking())
        };
        wanted.retain(|one| !self.refused.contains(&one.secret));
        if let Some(off) = &desk.asking {
            if wanted.is_empty() {
                off.cancel();
            }
        } else if !wanted.is_empty() {
            let off = CancellationToken::new();
            let questions = wanted
                .into_iter()
                .map(|one| (self.recall(desk, &one.secret), one));
            let questions = questions.collect();
            desk.asking = Some(off.clone());
            let (keeper, known) = (Arc::clone(&self.keeper), self.known.clone());
            tokio::spawn(ask(questions, keeper, known, off, desk.messages.clone()));
        }
    }

    /// Asks for what a check of an outcome needs that begins again when the run is taken up: its time runs from then
    /// on, and not while a person looks for the secret. Says whether to go on.
    pub(super) async fn ask_before_taking_up(&mut self, control: &mut UnboundedReceiver<Control>) -> bool {
        let mut wanted = self.unknown().one_by_one(self.state.held_up(&self.lacking()));
        // An output may still be had from its step, once the run is taken up.
        wanted.retain(|one| matches!(one.secret, Secret::Param(_)));
        let (keeper, off) = (Arc::clone(&self.keeper), CancellationToken::new());
        for one in wanted {
            let mut answer = keeper.give(&one, &off);
            let given = tokio::select! {
                given = &mut answer => given,
                Some(_) = control.recv() => {
                    off.cancel();
                    answer.await;
                    return false;
                }
            };
            match given {
                Given::Value(value) => self.known.learn(&one.secret, Some(value)),
                Given::Nothing => self.known.learn(&one.secret, None),
                Given::NotNow => drop(self.refused.insert(one.secret.clone())),
                Given::Stop => return false,
            }
        }
        true
    }

    /// Heeds the answers that have come in. Says whether the person wants to stop.
    pub(super) fn heed(&mut self, desk: &mut Desk) -> bool {
        let mut stop = false;
        for (secret, given) in desk.given.drain(..) {
            match given {
                Given::Value(value) => self.known.learn(&secret, Some(value)),
                Given::Nothing => self.known.learn(&secret, None),
                Given::NotNow => drop(self.refused.insert(secret)),
                Given::Stop => stop = true,
            }
        }
        stop
    }

    /// The call that may give a sensitive output anew, which no journal holds: its step is asked whether the outcome
    /// is there, as it is after an interruption.
    fn recall(&self, desk: &mut Desk, secret: &Secret) -> Option<Call> {
        let Secret::Output(instance, _) = secret else {
            return None;
        };
        let ix = self.state.find(instance)?;
        let policy = self.state.policy(ix);
        if !policy.abilities.validates || self.lacking().withholds(&policy.secrets, &policy.roles) {
            return None;
        }
        let work = Work {
            ix,
            instance: instance.clone(),
            of: Seq(0),
            purpose: Purpose::After,
            stop: false,
        };
        let unheard = Unheard {
            instance: instance.clone(),
            known: self.known.clone(),
            watcher: Arc::clone(&desk.watcher),
        };
        self.prepare(desk, &work, CancellationToken::new(), Arc::new(unheard))
    }
}

type Question = (Option<Call>, Wanted);

/// Asks one question after the other.
async fn ask(
    questions: Vec<Question>,
    keeper: Arc<dyn Keeper>,
    known: super::secrets::Known,
    off: CancellationToken,
    messages: tokio::sync::mpsc::UnboundedSender<Message>,
) {
    for (recall, wanted) in questions {
        if let Some(call) = recall {
            // What it finds it tells to all who know secrets.
            let _outcome = call.make().await;
        }
        if off.is_cancelled() {
            break;
        }
        if !known.knows(&wanted.secret) {
            let given = keeper.give(&wanted, &off).await;
            let stop = given == Given::Stop;
            // The receiver is gone only when the run has stopped.
            let _gone = messages.send(Message::Given(wanted.secret, given));
            if stop {
                break;
            }
        }
    }
    let _gone = messages.send(Message::Asked);
}
