//! The built-in step plugins of runbook, one file or folder each.

use runbook_engine::step::Registry;

use crate::announced::NotYet;

pub mod announced;
pub mod child;
pub mod command;
pub mod manual;
pub mod script;
pub mod text;
pub mod wait;

/// All kinds of step that come with the program.
#[must_use]
pub fn builtin() -> Registry {
    Registry::default()
        .with(command::Command)
        .with(manual::Manual)
        .with(wait::Wait)
        .with(script::Script)
        .with(NotYet(announced::powershell::PowerShell))
        .with(NotYet(announced::http::Http))
        .with(NotYet(announced::graph::Graph))
        .with(NotYet(announced::certificate::Certificate))
}
