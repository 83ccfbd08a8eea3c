//! Windows asks no program to end: the helper just stays.

use std::io;
use std::process::ExitCode;

use super::{hang, say};

/// Goes on until it is ended.
pub(crate) fn stubborn() -> io::Result<ExitCode> {
    say("here").and_then(|_| hang())
}
