//! The program: the only place that prints, prompts, and reads the environment.

#![expect(
    clippy::disallowed_methods,
    reason = "the program is the edge: files, environment and time come in here"
)]

mod bundle;
mod cli;
mod commands;
mod complete;
mod database;
mod doctor;
mod error;
mod exit;
mod hush;
mod identity;
mod jobs;
mod left;
mod manual;
mod observe;
mod overlays;
mod params;
mod practice;
mod programs;
mod prompt;
mod reference;
mod render;
mod report;
mod screen;
mod secrets;
mod setting;
mod shipped;
mod signals;
mod usage;
mod watch;

use std::process::ExitCode;

fn main() -> ExitCode {
    hush::guard_panics();
    secrets::withhold_variables();
    let answered = complete::answer(cli::command);
    // What went wrong was said by the guard.
    let ended = std::panic::catch_unwind(|| answered.unwrap_or_else(cli::main));
    ended.unwrap_or(exit::Exit::Fault).into()
}
