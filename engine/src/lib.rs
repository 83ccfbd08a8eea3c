//! The engine of `runbook`: it carries out long procedures and never forgets where they stand.
//!
//! A tour, in the order in which a run comes to be:
//!
//! - [`runbook`]: what to do. YAML becomes a checked [`runbook::Runbook`], with a [`diagnostic`] for
//!   every mistake at once.
//! - [`step`]: how a single step is done. The contract of the plugins, and their registry.
//! - [`core`]: what happened and what comes next. Pure: entries fold to a [`core::RunState`]; an input
//!   becomes events; the state says which effects are due.
//! - [`journal`]: what is remembered. Durable, chained entries and transcripts.
//! - [`identity`]: who is who. The keys by which people prove that an entry is theirs.
//! - [`runtime`]: the shell around the core: waits, decides, appends, then carries out.
//! - [`platform`]: what differs between operating systems, and [`portable`]: names of files that all of them keep.
//!
//! The engine knows no plugin by name, no terminal, no environment variable and no home folder.

pub mod core;
pub mod diagnostic;
pub mod id;
pub mod identity;
pub mod journal;
pub mod platform;
pub mod portable;
pub mod runbook;
pub mod runtime;
pub mod secret;
pub mod step;
#[cfg(feature = "testing")]
pub mod testing;
