//! The built-in step plugins of runbook.
//!
//! Each implements the contract of [`runbook_engine::step`], and knows neither the journal nor the other
//! plugins. A tour, from the simplest on:
//!
//! - [`command`]: a program, by its argument vector. [`child`] feeds it, follows it, and ends its whole tree.
//! - [`manual`]: work that a person does, and the values and files that they bring back.
//! - [`wait`]: another step's `validate`, asked until it is as it should be.
//! - [`script`]: `rhai` steps, scripts in a sandbox whose doors the runbook opens one by one.
//! - [`site`]: kinds of step that scripts beside a runbook define, in the same sandbox.
//! - [`certificate`]: looks at certificates, and makes keys, requests and test certificates.
//! - [`powershell`]: scripts that PowerShell carries out, in processes of their own or one that steps share.
//! - [`http`]: requests to web endpoints; [`web`] holds what all requests share.
//! - [`graph`]: requests to Microsoft Graph, signed in to the tenant that is meant.
//!
//! [`text`] holds the forms of input that they share.

use std::sync::Arc;

use runbook_engine::step::Registry;

pub mod certificate;
pub mod child;
pub mod command;
mod decode;
pub mod graph;
pub mod http;
pub mod manual;
pub mod powershell;
pub mod script;
pub mod site;
pub mod text;
pub mod wait;
pub mod web;

/// What differs from machine to machine.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The PowerShell programs.
    pub powershell: powershell::Programs,
    /// Whether PowerShell's own parser is asked about scripts that the check does not understand.
    pub powershell_reads: bool,
    /// Where Graph and its sign-in are.
    pub graph: graph::Endpoints,
}

/// All kinds of step that come with the program, with the usual settings.
#[must_use]
pub fn builtin() -> Registry {
    builtin_with(Settings::default())
}

/// All kinds of step that come with the program.
#[must_use]
pub fn builtin_with(settings: Settings) -> Registry {
    let powershell = powershell::PowerShell::new(settings.powershell);
    let powershell = if settings.powershell_reads {
        powershell.that_reads()
    } else {
        powershell
    };
    Registry::default()
        .with(command::Command)
        .with(manual::Manual)
        .with(wait::Wait)
        .with(script::Script)
        .with(certificate::Certificate)
        .with(powershell)
        .with(http::Http)
        .with(graph::Graph::new(settings.graph))
        .with_family(Arc::new(site::Site))
}
