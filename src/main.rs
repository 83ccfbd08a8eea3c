//! The program: the only place that prints, prompts, and reads the environment.

#![expect(
    clippy::disallowed_methods,
    reason = "the program is the edge: files, environment and time come in here"
)]

mod cli;
mod commands;
mod complete;
mod doctor;
mod error;
mod exit;
mod jobs;
mod manual;
mod observe;
mod overlays;
mod params;
mod programs;
mod prompt;
mod reference;
mod render;
mod report;
mod screen;
mod setting;
mod shipped;
mod signals;
mod watch;

use std::process::ExitCode;

fn main() -> ExitCode {
    let answered = complete::answer(cli::command);
    answered.unwrap_or_else(cli::main).into()
}
