//! The shell around the core: it waits, takes a turn, makes the entries durable, and carries the effects out.
//!
//! ```text
//! loop {
//!     input   = a call ended | a process started | time passed | the process shall stop
//!     entries = core::turn(state, input)          pure
//!     proof   = journal.append(entries)           durable, or the run stops here
//!     for effect in core::effects(state) { start(effect, proof) }
//! }
//! ```
//!
//! An [`Engine`] is a journal, the plugins, a clock and an author. It [starts](Engine::start) and
//! [opens](Engine::open) a [`Run`], which is [carried out](Run::carry_out), or [acted upon](Run::act).

#![expect(
    clippy::disallowed_methods,
    reason = "this module is the edge at which time comes in"
)]

mod amend;
mod ask;
mod bundles;
mod call;
mod calls;
mod clear;
mod clock;
mod definition;
mod describe;
mod desk;
mod door;
mod driver;
mod engine;
mod left;
mod member;
mod overflow;
mod plan;
mod rehearse;
mod run;
mod secrets;
mod sessions;
mod transcriber;
pub mod trial;
mod unheard;
mod visitors;
mod wanted;
mod worker;

#[cfg(test)]
mod tests;

pub use self::ask::{Given, Keeper};
pub use self::bundles::{Arrival, Fork, ImportError};
pub use self::clock::{Clock, Machine, Source, SystemClock};
pub use self::definition::PinnedFiles;
pub use self::door::{Access, Asked, Door, Doors, NotSigned, Seat, Visit};
pub use self::driver::{Control, Ended, Watcher};
pub use self::engine::{Author, Engine, NewRun, RuntimeError, Story};
pub use self::member::Service;
pub use self::plan::{Forecast, Planned};
pub use self::run::Run;
pub use self::secrets::SEALED;
pub use self::wanted::Wanted;
pub use self::worker::{Stay, Told, Worked};
