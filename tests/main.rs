//! End-to-end tests: the built program, run as a person would run it.

mod support;

mod carry_out;
mod crash;
mod definition;
mod documents;
mod people;
mod rehearsal;
mod terminal;
mod tidy;
mod undo;
