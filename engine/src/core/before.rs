//! What a step may know of those before it: the steps that it needs, directly or not.

use std::sync::Arc;

use super::state::RunState;
use super::table::Table;
use super::workflow::Workflow;
use crate::id::StepId;
use crate::runbook::graph::StepIx;
use crate::step::{Earlier, StepFacts};

/// The steps before one, as they are now: later changes of the state do not show.
#[derive(Debug, Clone)]
struct Before {
    step: StepIx,
    workflow: Arc<Workflow>,
    table: Table,
}

impl RunState {
    /// What a step may know of those before it. Nothing is put together until somebody looks, and of those looked
    /// at only.
    #[must_use]
    pub fn before(&self, step: StepIx) -> Arc<dyn Earlier> {
        Arc::new(Before {
            step,
            workflow: Arc::clone(self.workflow()),
            table: self.table().clone(),
        })
    }
}

impl Before {
    fn ancestors(&self) -> impl Iterator<Item = StepIx> {
        self.workflow.dag().ancestors(self.step)
    }
}

impl Earlier for Before {
    fn find(&self, name: &str) -> Option<(StepId, StepFacts)> {
        let at = self.workflow.find_loosely(name)?;
        let comes_before = self.ancestors().any(|one| one == at);
        comes_before.then(|| (self.workflow.step(at).id.clone(), self.table.facts(at)))
    }

    fn all(&self) -> Box<dyn Iterator<Item = (StepId, StepFacts)> + Send + '_> {
        let facts = |at: StepIx| (self.workflow.step(at).id.clone(), self.table.facts(at));
        Box::new(self.ancestors().map(facts))
    }
}
