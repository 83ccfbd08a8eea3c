//! End-to-end tests: the built program, run as a person would run it.

#![expect(
    clippy::disallowed_methods,
    reason = "tests are at the edge: they start programs and look at files"
)]

mod support;

mod carry_out;
mod crash;
mod damage;
mod definition;
mod documents;
mod holders;
mod kills;
mod limits;
mod params;
mod people;
mod rehearsal;
mod secrets;
mod signals;
mod terminal;
mod tidy;
mod undo;
