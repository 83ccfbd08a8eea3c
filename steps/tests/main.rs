//! The built-in plugins as the engine sees them.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on has failed"
)]

mod command;
mod conformance;
mod docs;
mod manual;
mod processes;
mod script;
mod support;
mod wait;
