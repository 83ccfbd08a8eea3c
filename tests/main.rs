//! End-to-end tests: the built program, run as a person would run it.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "these are tests: what goes wrong ends them, and their support serves every file"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "tests are at the edge: they start programs and look at files"
)]

mod platform;
mod support;

#[path = "../steps/tests/powershell/server.rs"]
mod server;

mod advice;
mod amend;
mod briefing;
mod bundle_proofs;
mod bundles;
mod by_hand;
mod by_word;
mod carry_out;
mod completion;
mod crash;
mod damage;
mod definition;
mod doctor;
mod documents;
mod first_hour;
mod flagship;
mod four_eyes;
mod graph;
mod hand_over;
mod hints;
mod holders;
mod kills;
mod left;
mod like;
mod limits;
mod live;
mod man;
mod observe;
mod outputs;
mod overlays;
mod params;
mod powershell;
mod powershell_hosts;
mod practice;
mod rehearsal;
mod report;
mod runbook_tests;
mod sealed;
mod second_terminal;
mod secret_sources;
mod secrets;
mod sensitive;
mod sent_back;
mod several_people;
mod shipped;
mod signing_visitors;
mod site_steps;
mod start;
mod stopped;
mod terminal;
mod tidy;
mod undo;
mod undo_shown;
mod warnings;
mod worlds;

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;
