//! A runbook's own tests, as they are written: what each case gives, and what it expects.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use serde_json::Value;

use super::check::Report;
use super::yaml::Document;
use crate::core::event::Ruling;
use crate::core::{InstanceStatus, RunStatus};
use crate::diagnostic::{Diagnostic, SourceFile, Sources, Span};
use crate::id::{InstanceId, StepId};
use crate::step::Outputs;
use crate::step::world::Described;

mod expect;
mod read;
mod schema;
mod script;
mod world;

pub use self::schema::cases_schema;

/// The tests of a file.
#[derive(Debug)]
pub struct Cases {
    /// The file.
    pub file: Arc<SourceFile>,
    /// The runbook that is tested: a path from the file's folder, or the name of one that ships.
    pub runbook: Located<String>,
    /// The cases, in the file's order.
    pub cases: Vec<Case>,
}

/// Something, and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Located<T> {
    /// The thing.
    pub value: T,
    /// The place in the file.
    pub span: Span,
}

/// One case: a run of the runbook, from its parameters to what is expected of it.
#[derive(Debug)]
pub struct Case {
    /// Its name, and where that stands.
    pub name: Located<String>,
    /// What it shows, in one line.
    pub title: Option<String>,
    /// The overlays on the runbook: paths from the file's folder.
    pub overlays: Vec<Located<String>>,
    /// The parameters that are given.
    pub params: BTreeMap<String, Located<Value>>,
    /// How steps answer, by step or instance.
    pub steps: BTreeMap<InstanceId, Located<Script>>,
    /// What people do, by step or instance, one thing after the other.
    pub people: BTreeMap<InstanceId, Located<Vec<Deed>>>,
    /// What they do in every case, if they are asked and the case itself says nothing.
    pub always: BTreeMap<InstanceId, Located<Vec<Deed>>>,
    /// What is undone once the run has come to rest.
    pub rollback: Option<Located<Undo>>,
    /// What is expected.
    pub expect: Expect,
}

/// How a step answers; what is not said is as in its `rehearse:`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Script {
    /// Whether the outcome is in place before.
    pub satisfied: Option<bool>,
    /// What `validate` observes.
    pub observed: Option<Value>,
    /// What the step gives.
    pub outputs: Option<Outputs>,
    /// How long an attempt takes.
    pub takes: Option<Duration>,
    /// Which attempts fail.
    pub fails: Option<Fails>,
    /// Whether `validate` finds the outcome after an attempt that returned.
    pub takes_effect: Option<bool>,
    /// The first attempt is cut off; what `validate` finds then.
    pub interrupted: Option<Interruption>,
    /// How undoing it fails.
    pub undo_fails: Option<String>,
    /// Its script is carried out, in this world.
    pub world: Option<Located<Described>>,
}

/// Which attempts fail, and with which words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fails {
    /// The first so many; none means every one.
    pub first: Option<u32>,
    /// What the step says.
    pub message: String,
}

/// What is found after an interruption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interruption {
    /// As in the step's `rehearse:`; else, that it had not taken effect.
    AsRehearsed,
    /// It had taken effect.
    Satisfied,
    /// It had not.
    Unsatisfied,
    /// It cannot be told.
    Unknown,
}

/// What a person does when asked.
#[derive(Debug, Clone, PartialEq)]
pub enum Deed {
    /// Confirms the manual work, with these values.
    Confirm(Outputs),
    /// Decides what becomes of a step in doubt, or of one that failed.
    Decide(Ruling),
    /// Nothing: the run goes on waiting.
    Nothing,
}

/// What is undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undo {
    /// All that the run changed.
    All,
    /// These steps, and all that depends on them.
    Steps(Vec<StepId>),
}

/// What a case expects.
#[derive(Debug, Default)]
pub struct Expect {
    /// How the run ends.
    pub run: Option<Located<RunStatus>>,
    /// Where steps or instances stand.
    pub steps: IndexMap<InstanceId, Located<ExpectStep>>,
    /// These were begun, in this order.
    pub order: Option<Located<Vec<Located<InstanceId>>>>,
    /// These, and no others, were undone, in this order.
    pub undone: Option<Located<Vec<Located<InstanceId>>>>,
    /// These, and no others, are waited for.
    pub waits_for: Option<Located<Vec<Located<InstanceId>>>>,
    /// Each of these is part of why a step stands where it does.
    pub says: Vec<Located<String>>,
}

/// What is expected of a step.
#[derive(Debug, Default)]
pub struct ExpectStep {
    /// Where it stands.
    pub status: Option<Located<InstanceStatus>>,
    /// How many attempts were started.
    pub attempts: Option<Located<u32>>,
    /// A part of why it stands there.
    pub reason: Option<Located<String>>,
    /// Outputs that it gives; others may be there too.
    pub outputs: BTreeMap<String, Located<Value>>,
    /// Texts of files in its world, or none where there must be no such file.
    pub files: BTreeMap<String, Located<Option<String>>>,
}

/// Reads a file of tests. One without cases is refused: it would test nothing.
///
/// # Errors
/// With everything that is wrong.
pub fn read_cases(file: &Arc<SourceFile>) -> Result<Cases, Vec<Diagnostic>> {
    let (document, problems) = Document::parse(file);
    let mut report = Report::new(Sources::one(file), problems);
    report.about("a file of tests");
    let cases = document.and_then(|document| read::cases(document.root(), file, &mut report));
    match cases {
        Some(cases) if !report.has_errors() => Ok(cases),
        Some(_) | None => Err(report.finish()),
    }
}
