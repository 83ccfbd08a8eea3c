//! The built-in plugins as the engine sees them.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on has failed"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "the worlds of these tests are real folders"
)]

mod certificate;
mod command;
mod conformance;
mod docs;
mod graph;
mod http;
mod manual;
mod powershell;
mod processes;
mod requests;
mod script;
mod site;
mod support;
#[cfg(unix)]
mod unix;
mod wait;
mod web;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use self::unix as platform;
#[cfg(windows)]
use self::windows as platform;
