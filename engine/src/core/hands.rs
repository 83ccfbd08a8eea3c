//! In whose hands a run is, and what others may still do.

use jiff::Timestamp;

use super::apply::Misfit;
use super::event::{Entry, Handing};
use super::input::{Act, Input, Rejection};
use super::state::RunState;
use crate::id::{Host, Operator};

/// In whose hands a run is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hands {
    of: Option<Operator>,
    offer: Option<Offer>,
    received: Option<Offer>,
}

/// That somebody gives a run to somebody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Who gives it.
    pub by: Operator,
    /// On which machine.
    pub host: Host,
    /// Who shall have it.
    pub to: Operator,
    /// What they should know.
    pub note: Option<String>,
    /// Since when.
    pub since: Timestamp,
}

impl Hands {
    /// Who alone may go on with the run. A run that was never handed over belongs to nobody: all may.
    #[must_use]
    pub fn of(&self) -> Option<&Operator> {
        self.offer.as_ref().map(|offer| &offer.by).or(self.of.as_ref())
    }

    /// To whom it is offered, if it is.
    #[must_use]
    pub fn offer(&self) -> Option<&Offer> {
        self.offer.as_ref()
    }

    /// How those who have it now were given it, if they were.
    #[must_use]
    pub fn received(&self) -> Option<&Offer> {
        self.received.as_ref()
    }

    /// Whether this operator may go on with the run.
    ///
    /// # Errors
    /// When the run is in the hands of another.
    pub fn admit(&self, operator: &Operator) -> Result<(), Rejection> {
        match self.of() {
            Some(other) if other != operator => Err(Rejection::NotYours(other.clone())),
            Some(_) | None => Ok(()),
        }
    }

    /// Whether an input of this operator's may become an entry: what a process does that carries the run out, and what
    /// changes its course, is for those who have it; anybody may do the manual work and decide.
    pub(super) fn admits(&self, input: &Input, operator: &Operator) -> Result<(), Rejection> {
        match input {
            Input::Act(Act::Hand(Handing::Accepted | Handing::TakenBack | Handing::TakenOver { .. })) => {
                Ok(())
            }
            // What follows from an act, such as that more can start, is part of it.
            Input::Clock | Input::Act(Act::Confirm { .. } | Act::Decide { .. }) => Ok(()),
            _ => self.admit(operator),
        }
    }

    /// Whether the run can be handed so by this operator now.
    pub(super) fn possible(&self, handing: &Handing, operator: &Operator) -> Result<(), Rejection> {
        let no = |is, act, instead| Err(Rejection::RunNotNow { is, act, instead });
        match (handing, &self.offer) {
            (Handing::Offered { to, .. }, None) if to == operator => no(
                "is in your own hands",
                "given to you",
                "name another operator with `--to`",
            ),
            (Handing::Offered { .. }, None) => self.admit(operator),
            (Handing::Offered { .. }, Some(_)) => no(
                "is offered to somebody already",
                "given away",
                "`runbook handoff RUN --take-back` takes that back first",
            ),
            (Handing::TakenBack | Handing::Accepted, None) => no(
                "is offered to nobody",
                "accepted or taken back",
                "`runbook handoff RUN --to NAME` offers it",
            ),
            (Handing::TakenBack, Some(offer)) if offer.by == *operator => Ok(()),
            (Handing::TakenBack, Some(offer)) => Err(Rejection::NotYours(offer.by.clone())),
            (Handing::Accepted, Some(offer)) if offer.to == *operator => Ok(()),
            (Handing::Accepted, Some(offer)) => Err(Rejection::OfferedToAnother(offer.to.clone())),
            (Handing::TakenOver { .. }, _) => Ok(()),
        }
    }

    fn hand(&mut self, handing: &Handing, entry: &Entry) {
        match handing {
            Handing::Offered { to, note } => {
                self.offer = Some(Offer {
                    by: entry.operator.clone(),
                    host: entry.host.clone(),
                    to: to.clone(),
                    note: note.clone(),
                    since: entry.time,
                });
            }
            Handing::TakenBack => self.offer = None,
            Handing::Accepted => {
                self.received = self.offer.take();
                self.of = Some(entry.operator.clone());
            }
            Handing::TakenOver { .. } => {
                *self = Self {
                    of: Some(entry.operator.clone()),
                    ..Self::default()
                };
            }
        }
    }
}

impl RunState {
    /// In whose hands the run is.
    #[must_use]
    pub fn hands(&self) -> &Hands {
        &self.hands
    }

    /// Takes in who has the run from now on.
    pub(super) fn hand(&mut self, handing: &Handing, entry: &Entry) -> Result<(), Misfit> {
        self.hands
            .possible(handing, &entry.operator)
            .map_err(|rejection| Misfit(rejection.to_string()))?;
        self.hands.hand(handing, entry);
        Ok(())
    }
}
