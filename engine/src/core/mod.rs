//! What happened and what comes next. Pure: no clock, no disk, no randomness, no waiting.
//!
//! ```text
//! entries --fold(apply)--> RunState          one exhaustive match on (phase, event)
//! decide(&RunState, Input) -> events         what an outcome or a person's act means
//! advance(&RunState, Turn) -> event          what follows from the state by itself
//! effects(&RunState) -> effects              what should be under way now, as data
//! ```
//!
//! [`turn`] puts them together: it is all that the runtime, and every test, calls.

pub mod event;
pub mod status;

mod advance;
mod amend;
mod apply;
mod approval;
mod before;
mod decide;
mod effect;
mod hands;
mod input;
mod instance;
mod lacking;
mod life;
mod opening;
pub mod operators;
mod outcome;
mod permission;
mod person;
mod queue;
mod rollback;
mod ruling;
mod sending;
mod state;
mod table;
mod view;
mod word;
mod worker;
mod workflow;

#[cfg(test)]
mod tests;

use jiff::Timestamp;

pub use self::amend::Amendment;
pub use self::apply::IllegalEvent;
pub use self::approval::{Approval, ApprovalRule, OnExpiry, Party};
pub use self::effect::{Effect, Work, effects, is_timed, stop_at, wake_at};
pub use self::event::{Entry, Event};
pub use self::hands::{Hands, Offer};
pub use self::input::{About, Act, Evaluation, Input, Outcome, Rejection};
pub use self::instance::{Activity, Asks, Doubt, Instance, Phase, Sending, Tick};
pub use self::lacking::Lacking;
pub use self::permission::{Barrier, Forbidden};
pub use self::rollback::{Rollback, WouldUndo};
pub use self::state::RunState;
pub use self::status::{InstanceStatus, RunStatus};
pub use self::table::InstanceIx;
pub use self::view::{Row, WaitingFor};
pub use self::word::Word;
pub use self::worker::{Place, Worker};
pub use self::workflow::{OnFailure, Retry, StepPolicy, Workflow};

use crate::id::{Host, Operator};
use crate::identity::PublicKey;

/// Who takes a turn, when, and whether anything new may start.
#[derive(Debug, Clone)]
pub struct Turn {
    /// Who acts.
    pub operator: Operator,
    /// The key with which they sign what they do, if they have one.
    pub key: Option<PublicKey>,
    /// On which machine.
    pub host: Host,
    /// The time there.
    pub now: Timestamp,
    /// The process is about to stop: what is under way may end, nothing new starts.
    pub draining: bool,
    /// The secrets that are not to be had: what needs one does not start.
    pub lacking: Lacking,
}

/// Why a turn could not be taken. The state is as it was before, or the program has a fault.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TurnError {
    /// What was asked for is not possible now; nothing changed.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The core decided on an event that its own state does not accept: a fault of the program.
    #[error(transparent)]
    Illegal(#[from] IllegalEvent),
}

/// Takes one input to its end: the events it means, then all that follows from them, each applied.
/// The entries must be durable before any effect of the new state is carried out.
///
/// # Errors
/// When the input is rejected; nothing changed then.
pub fn turn(state: &mut RunState, input: &Input, turn: &Turn) -> Result<Vec<Entry>, TurnError> {
    permission::permitted(state, input, turn)?;
    let mut theirs = turn.clone();
    theirs.lacking = state.lacking_for(&turn.operator, turn.key.as_ref(), turn.now, theirs.lacking);
    let turn = &theirs;
    let mut entries = Vec::new();
    for event in decide::decide(state, input, turn)? {
        entries.push(record(state, event, turn)?);
    }
    while let Some(event) = advance::advance(state, turn) {
        entries.push(record(state, event, turn)?);
    }
    Ok(entries)
}

/// Records what a person does, and nothing that follows from it: that is the turn of whoever carries the run out.
///
/// # Errors
/// When it is not possible now; nothing changed then.
pub fn act(state: &mut RunState, act: &Act, turn: &Turn) -> Result<Entry, TurnError> {
    let input = Input::Act(act.clone());
    permission::permitted(state, &input, turn)?;
    state.hands.admits(&input, &turn.operator)?;
    Ok(record(state, person::acted(state, act, turn)?, turn)?)
}

/// Whether nothing goes on by itself that would, if nothing were lacking.
#[must_use]
pub fn rests(state: &RunState, turn: &Turn) -> bool {
    state.status().goes_on_by_itself()
        && effects(state, false, &turn.lacking, turn.now).is_empty()
        && wake_at(state, &turn.lacking).is_none()
        && advance::advance(state, turn).is_none()
}

fn record(state: &mut RunState, event: Event, turn: &Turn) -> Result<Entry, IllegalEvent> {
    let (operator, host) = (turn.operator.clone(), turn.host.clone());
    let entry = Entry {
        seq: state.next_seq(),
        time: turn.now,
        operator,
        host,
        event,
    };
    state.apply(&entry)?;
    Ok(entry)
}
