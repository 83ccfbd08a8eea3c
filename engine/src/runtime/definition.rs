//! The definitions of a run, from its own journal: the one that it started with, and those that it was amended to.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use super::engine::{Engine, RuntimeError, Story};
use crate::core::event::{Amended, Entry, Event, Overlaid};
use crate::core::operators::OPERATORS_FILE;
use crate::core::{IllegalEvent, RunState, Workflow};
use crate::diagnostic::SourceFile;
use crate::journal::JournalError;
use crate::runbook::{self, Runbook};
use crate::step::Files;

/// The definitions of a run, in order.
pub(super) struct Definitions {
    first: Arc<Runbook>,
    amendments: Vec<Arc<Runbook>>,
}

impl Definitions {
    /// The one that holds now.
    pub(super) fn latest(&self) -> Arc<Runbook> {
        Arc::clone(self.amendments.last().unwrap_or(&self.first))
    }

    /// The state that these entries, from which the definitions were read, lead to.
    pub(super) fn fold(&self, entries: &[Entry]) -> Result<RunState, IllegalEvent> {
        let amendments = self
            .amendments
            .iter()
            .map(|runbook| Arc::clone(runbook.workflow()));
        let amendments: Vec<Arc<Workflow>> = amendments.collect();
        RunState::fold_amended(self.first.workflow(), &amendments, entries)
    }
}

impl Engine {
    /// The definitions that a run's entries hold.
    pub(super) fn definitions(&self, entries: &[Entry]) -> Result<Definitions, RuntimeError> {
        let Some(Event::RunStarted(started)) = entries.first().map(|entry| &entry.event) else {
            let message = "its first entry does not start a run".to_owned();
            return Err(JournalError::Damaged(message).into());
        };
        let files = entries.iter().filter_map(|entry| match &entry.event {
            Event::FilePinned { name, text } => Some((name.clone(), text.clone())),
            _ => None,
        });
        let files: BTreeMap<String, String> = files.collect();
        let operators = files.get(OPERATORS_FILE).cloned();
        let overlaid = started.overlaid.as_deref();
        let first = self.definition(&started.file, &started.text, overlaid, files)?;
        let amendments = entries.iter().filter_map(|entry| match &entry.event {
            Event::Amended(amended) => Some(self.amended(amended, operators.as_deref())),
            _ => None,
        });
        Ok(Definitions {
            first,
            amendments: amendments.collect::<Result<_, _>>()?,
        })
    }

    /// What a run that stands here is amended to.
    pub(super) fn amended_from(
        &self,
        state: &RunState,
        amended: &Amended,
    ) -> Result<Arc<Runbook>, RuntimeError> {
        let operators = state.files().get(OPERATORS_FILE);
        self.amended(amended, operators.map(String::as_str))
    }

    /// What a run is amended to whose operators this file names, if it has one.
    fn amended(&self, amended: &Amended, operators: Option<&str>) -> Result<Arc<Runbook>, RuntimeError> {
        let mut files = amended.files.clone();
        files.remove(OPERATORS_FILE);
        files.extend(operators.map(|text| (OPERATORS_FILE.to_owned(), text.to_owned())));
        self.definition(&amended.file, &amended.text, amended.overlaid.as_deref(), files)
    }

    fn definition(
        &self,
        file: &str,
        text: &str,
        overlaid: Option<&Overlaid>,
        files: BTreeMap<String, String>,
    ) -> Result<Arc<Runbook>, RuntimeError> {
        let file = SourceFile::new(file.to_owned(), text.to_owned());
        let loaded = runbook::load(&file, &self.registry, &PinnedFiles(Arc::new(files)));
        loaded
            .runbook
            .map(|runbook| Arc::new(runbook.with_history(overlaid.cloned())))
            .ok_or(RuntimeError::Definition(loaded.diagnostics))
    }

    /// Takes what has happened since into a run's story.
    ///
    /// # Errors
    /// When it does not follow from what the story says, or cannot be carried out by this program.
    pub fn go_on(&self, story: &mut Story, entries: &[Entry]) -> Result<(), RuntimeError> {
        for entry in entries {
            if let Event::Amended(amended) = &entry.event {
                story.runbook = self.amended_from(&story.state, amended)?;
                story.state.foresee(story.runbook.workflow());
            }
            story.state.apply(entry)?;
        }
        Ok(())
    }
}

/// The files of a run as its journal holds them.
#[derive(Debug, Clone)]
pub struct PinnedFiles(pub Arc<BTreeMap<String, String>>);

impl Files for PinnedFiles {
    fn read(&self, name: &str) -> Result<String, io::Error> {
        let missing = || io::Error::new(io::ErrorKind::NotFound, "the run's journal does not hold it");
        self.0.get(name).cloned().ok_or_else(missing)
    }
}
