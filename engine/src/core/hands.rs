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
    away: Option<Offer>,
    received: Option<Offer>,
    shared: bool,
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

    /// Where it went, if it no longer goes on in this journal.
    #[must_use]
    pub fn away(&self) -> Option<&Offer> {
        self.away.as_ref()
    }

    /// How those who have it now were given it, if they were.
    #[must_use]
    pub fn received(&self) -> Option<&Offer> {
        self.received.as_ref()
    }

    /// Whether any number of workers go on with it.
    #[must_use]
    pub fn are_shared(&self) -> bool {
        self.shared && self.away.is_none() && self.offer.is_none()
    }

    /// One process has it for itself from now on.
    pub(super) fn alone(&mut self) {
        self.shared = false;
    }

    /// Whether this operator may go on with the run.
    ///
    /// # Errors
    /// When the run is in the hands of another, or goes on elsewhere.
    pub fn admit(&self, operator: &Operator) -> Result<(), Rejection> {
        if let Some(away) = &self.away {
            return Err(Rejection::Away {
                to: away.to.clone(),
                since: away.since,
            });
        }
        match self.of() {
            Some(other) if other != operator => Err(match &self.offer {
                Some(offer) if offer.to == *operator => Rejection::OfferedToYou(offer.by.clone()),
                _ => Rejection::NotYours(other.clone()),
            }),
            Some(_) | None => Ok(()),
        }
    }

    /// Whether an input of this operator's may become an entry: what a process does that carries the run out, and what
    /// changes its course, is for those who have it; anybody may do the manual work and decide.
    pub(super) fn admits(&self, input: &Input, operator: &Operator) -> Result<(), Rejection> {
        match input {
            Input::Act(Act::Hand(
                Handing::Accepted | Handing::MovedIn | Handing::TakenBack | Handing::TakenOver { .. },
            )) => Ok(()),
            // What follows from an act, such as that more can start, is part of it; so is what it stands on: that what
            // nobody carries out was cut off, and that nothing of it is left.
            Input::Clock
            | Input::CutOff { .. }
            | Input::ProcessCleared { .. }
            | Input::Act(
                Act::Tick { .. }
                | Act::Confirm { .. }
                | Act::Decide { .. }
                | Act::Approve { .. }
                | Act::Reject { .. }
                | Act::SendBack { .. },
            ) if self.away.is_none() => Ok(()),
            // What a worker began it may end.
            Input::Finished { .. } | Input::ProcessStarted { .. } if self.shared => Ok(()),
            _ => self.admit(operator),
        }
    }

    /// Whether the run can be handed so by this operator now.
    fn possible(&self, handing: &Handing, operator: &Operator) -> Result<(), Rejection> {
        let no = |is, act, instead| Err(Rejection::RunNotNow { is, act, instead });
        match (handing, &self.offer, &self.away) {
            (Handing::Offered { to, .. } | Handing::MovedOut { to, .. }, None, None) if to == operator => no(
                "is in your own hands",
                "given to you",
                "name another operator with `--to`",
            ),
            (Handing::Offered { .. } | Handing::MovedOut { .. }, None, None) => self.admit(operator),
            (Handing::Offered { .. } | Handing::MovedOut { .. }, Some(_), None) => no(
                "is offered to somebody already",
                "given away",
                "`runbook handoff RUN --take-back` takes that back first",
            ),
            (Handing::TakenBack | Handing::Accepted, None, None) => no(
                "is offered to nobody",
                "accepted or taken back",
                "`runbook handoff RUN --to NAME` offers it",
            ),
            (Handing::TakenBack, Some(offer), None) if offer.by == *operator => Ok(()),
            (Handing::TakenBack, Some(offer), None) => Err(Rejection::NotYours(offer.by.clone())),
            (Handing::Accepted, Some(offer), None) if offer.to == *operator => Ok(()),
            (Handing::Accepted, Some(offer), None) => Err(Rejection::OfferedToAnother(offer.to.clone())),
            (Handing::MovedIn, _, Some(away)) if away.to == *operator => Ok(()),
            (Handing::MovedIn, _, Some(away)) => Err(Rejection::OfferedToAnother(away.to.clone())),
            (Handing::MovedIn, _, None) => {
                no("goes on here", "moved in", "`runbook resume RUN` goes on with it")
            }
            (Handing::TakenOver { .. }, _, _) => Ok(()),
            (Handing::Shared, None, None) if self.shared => no(
                "is shared already",
                "shared",
                "`runbook work` on each machine goes on with it",
            ),
            (Handing::Shared, None, None) => self.admit(operator),
            (Handing::Shared, Some(_), None) => no(
                "is offered to somebody",
                "shared",
                "`runbook handoff RUN --take-back` takes that back first",
            ),
            (_, _, Some(_)) => self.admit(operator),
        }
    }

    fn hand(&mut self, handing: &Handing, entry: &Entry) {
        let given = |to: &Operator, note: &Option<String>| Offer {
            by: entry.operator.clone(),
            host: entry.host.clone(),
            to: to.clone(),
            note: note.clone(),
            since: entry.time,
        };
        match handing {
            Handing::Offered { to, note } => self.offer = Some(given(to, note)),
            Handing::TakenBack => self.offer = None,
            Handing::MovedOut { to, note } => self.away = Some(given(to, note)),
            Handing::Accepted | Handing::MovedIn => {
                self.received = self.offer.take().or(self.away.take());
                self.of = Some(entry.operator.clone());
                self.shared = false;
            }
            Handing::TakenOver { .. } => {
                *self = Self {
                    of: Some(entry.operator.clone()),
                    ..Self::default()
                };
            }
            Handing::Shared => {
                *self = Self {
                    shared: true,
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

    /// Whether the run can be handed so by this operator now.
    pub(super) fn can_be_handed(&self, handing: &Handing, operator: &Operator) -> Result<(), Rejection> {
        self.hands.possible(handing, operator)?;
        let queues = self.queues();
        match handing {
            // What workers have under way could not be written down by them.
            Handing::Accepted | Handing::TakenOver { .. }
                if self.hands.shared && !queues.active.is_empty() =>
            {
                Err(Rejection::RunNotNow {
                    is: "is being carried out by workers",
                    act: "taken by somebody else",
                    instead: "wait until what is under way has ended, or stop the workers: `runbook show RUN` names them",
                })
            }
            // Only the machine where it was under way can tell what is left of it.
            Handing::MovedOut { .. } if !(queues.active.is_empty() && queues.in_doubt.is_empty()) => {
                Err(Rejection::RunNotNow {
                    is: "was interrupted, and something of it may still be running here",
                    act: "moved to another place",
                    instead: "`runbook resume RUN` settles that first",
                })
            }
            _ => Ok(()),
        }
    }

    /// Takes in who has the run from now on.
    pub(super) fn hand(&mut self, handing: &Handing, entry: &Entry) -> Result<(), Misfit> {
        self.can_be_handed(handing, &entry.operator)
            .map_err(|rejection| Misfit(rejection.to_string()))?;
        self.hands.hand(handing, entry);
        Ok(())
    }
}
