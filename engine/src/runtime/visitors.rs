//! What visitors want done on a run that this process holds, and when it thereby goes into other hands.

use super::door::Asked;
use super::engine::{Author, RuntimeError};
use super::run::Run;
use crate::core::event::Entry;
use crate::core::{Input, Rejection};

impl Run {
    /// Records what a visitor wants done, under the visitor's name, and tells them when it is durable. Nothing is
    /// carried out: what follows from it is the work of whoever carries the run out.
    ///
    /// # Errors
    /// When the journal fails. What is not possible now is told to the visitor alone.
    pub async fn answer(&mut self, asked: Asked) -> Result<Vec<Entry>, RuntimeError> {
        // That was written by another process.
        if self.engine.clock.shown() > asked.until {
            asked.refuse_late();
            return Ok(Vec::new());
        }
        let visitor = Author {
            operator: asked.operator.clone(),
            host: asked.host.clone(),
            pid: self.engine.author.pid,
            signer: None,
        };
        let result = self.act_for(&asked, &visitor).await;
        asked.tell(&result);
        match result {
            Err(RuntimeError::Rejected(_)) => Ok(Vec::new()),
            other => other,
        }
    }

    /// Records the act. While something is under way nobody takes the run: its outcome could not be written down.
    async fn act_for(&mut self, asked: &Asked, visitor: &Author) -> Result<Vec<Entry>, RuntimeError> {
        let takes = asked.act.takes_the_run();
        if takes && !self.untaken && self.state.active().len() > 0 {
            return Err(RuntimeError::Rejected(Rejection::RunNotNow {
                is: "is being carried out",
                act: "taken by somebody else",
                instead: "wait until what is under way has ended, or let it be interrupted where it is carried out",
            }));
        }
        let act = Input::Act(asked.act.clone());
        let entries = self.take_as(visitor, &[act], true).await?;
        let own = &self.engine.author.operator;
        self.fenced |= takes && self.state.hands().admit(own).is_err();
        Ok(entries)
    }
}
