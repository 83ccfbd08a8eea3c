//! What must hold in every run, whatever happens. Each law has a name.

mod entry;
mod history;
mod run;

pub use self::history::History;
pub use self::run::{
    at_rest, intent_is_durable, late_outcome_is_ignored, live_state_is_the_journals, no_deadline_is_missed,
    nothing_is_said_of, nothing_to_wait_for, one_call_at_a_time,
};
use crate::core::{Instance, InstanceIx, RunState};

/// A law that was broken, and how.
pub type Broken = String;

fn hold(holds: bool, how: impl FnOnce() -> String) -> Result<(), Broken> {
    if holds { Ok(()) } else { Err(how()) }
}

fn instances(state: &RunState) -> impl Iterator<Item = (InstanceIx, &Instance)> {
    let steps = state.workflow().steps().map(|(at, _)| at);
    steps
        .flat_map(|at| state.instances_of(at))
        .map(|&ix| (ix, state.instance(ix)))
}
