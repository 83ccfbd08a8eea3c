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

// What is truly about Unix: its signals and job control, what outlives the engine, its locales, modes of files, sockets
// that are files, limits of the system, disks that a test mounts, shells, and what the book shows typed into one. The
// database is started as Unix does, and wine is a program of Unix.
#[cfg(unix)]
mod across;
#[cfg(target_os = "linux")]
mod bad_disk;
#[cfg(unix)]
mod bad_folder;
#[cfg(unix)]
mod bad_network;
#[cfg(unix)]
mod bad_surroundings;
#[cfg(unix)]
mod book;
#[cfg(unix)]
mod locale;
#[cfg(unix)]
mod lost_answer;
#[cfg(unix)]
mod orphans;
#[cfg(unix)]
mod shared_runs;
#[cfg(unix)]
mod signals;
#[cfg(unix)]
mod sockets;
#[cfg(unix)]
mod suspend;
#[cfg(unix)]
mod workers;
#[cfg(unix)]
mod workers_ask;
#[cfg(unix)]
mod workers_proven;

// What Windows alone does: it ends what runs in a window that is closed.
#[cfg(windows)]
mod closing;
