//! What visitors want done on a run that this process holds, and when it thereby goes into other hands.

use super::door::Asked;
use super::engine::RuntimeError;
use super::run::Run;
use super::secrets::Known;
use crate::core::event::Entry;
use crate::core::{self, Act, Rejection, Turn, is_timed};
use crate::identity::Signer;
use crate::journal::{Countersigned, Digest, Draft, JournalError};

impl Run {
    /// Records what a visitor wants done, under the visitor's name, and tells them when it is durable. Nothing is
    /// carried out: what follows from it is the work of whoever carries the run out.
    ///
    /// # Errors
    /// When the journal fails. What is not possible now, or not signed, is told to the visitor alone.
    pub async fn answer(&mut self, mut asked: Asked) -> Result<Vec<Entry>, RuntimeError> {
        // That was written by another process.
        if self.engine.clock.shown() > asked.until {
            asked.refuse_late();
            return Ok(Vec::new());
        }
        let result = self.act_for(&mut asked).await;
        asked.tell(&result);
        match result {
            Err(
                RuntimeError::Rejected(_)
                | RuntimeError::NotSigned(_)
                | RuntimeError::Journal(JournalError::Unstorable(_)),
            ) => Ok(Vec::new()),
            other => other,
        }
    }

    /// Records the act. While something is under way nobody takes the run: its outcome could not be written down.
    async fn act_for(&mut self, asked: &mut Asked) -> Result<Vec<Entry>, RuntimeError> {
        let takes = asked.act.takes_the_run();
        if takes && !self.untaken && self.state.active().len() > 0 {
            return Err(RuntimeError::Rejected(Rejection::RunNotNow {
                is: "is being carried out",
                act: "taken by somebody else",
                instead: "wait until what is under way has ended, or let it be interrupted where it is carried out",
            }));
        }
        let own = self.engine.author.operator.clone();
        if self.fenced {
            self.state.hands().admit(&own)?;
        }
        // On a copy: it is as it was if nobody signs.
        let mut state = self.state.clone();
        let (act, then) = self
            .engine
            .amending(&mut state, &self.runbook, self.as_kept(asked)?)?;
        let entry = core::act(&mut state, &act, &self.turn_of(asked))?;
        let signer = self.signed_by(asked, &entry).await?;
        let signer = signer.as_ref().map(|signer| signer as &dyn Signer);
        let entries = vec![entry];
        let expected = self.state.next_seq();
        let appended = self
            .engine
            .journal
            .append_by(&self.claim, expected, &entries, signer);
        self.durable = appended.await?;
        self.state = state;
        then.into_iter().for_each(|then| self.adopt(then));
        self.undone_by_person |= matches!(asked.act, Act::Rollback { .. });
        self.fenced |= takes && self.state.hands().admit(&own).is_err();
        Ok(entries)
    }

    /// The act without the secrets in it. What is signed cannot be altered, so it must hold none.
    fn as_kept(&self, asked: &Asked) -> Result<Act, Rejection> {
        let kept = self.known.masked_act(&asked.act, &self.runbook);
        let said = || Known::default().masked_act(&asked.act, &self.runbook);
        if asked.signs.is_some() && kept != said() {
            return Err(Rejection::HoldsSecret);
        }
        Ok(kept)
    }

    fn turn_of(&self, asked: &Asked) -> Turn {
        if !is_timed(&self.state) {
            self.engine.clock.follow();
        }
        Turn {
            operator: asked.operator.clone(),
            key: asked.signs.as_ref().map(|signs| signs.key),
            host: asked.host.clone(),
            now: self.engine.clock.now(),
            draining: true,
            lacking: self.lacking(),
        }
    }

    /// The visitor's signature below what would be written, if they sign what they do.
    async fn signed_by(
        &self,
        asked: &mut Asked,
        entry: &Entry,
    ) -> Result<Option<Countersigned>, RuntimeError> {
        let Some(signs) = asked.signs.take() else {
            return Ok(None);
        };
        let head = self.engine.journal.head_hash(self.claim.run).await?;
        let head = head.parse::<Digest>();
        let head = head.map_err(|_| JournalError::Damaged("the last entry has no hash".to_owned()))?;
        let draft = Draft::of(entry, head, signs.key)?;
        Ok(Some(signs.sign(&draft, head).await?))
    }
}
