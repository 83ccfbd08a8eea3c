//! What stands as it does by a person's word, and not because the program saw it.

use std::sync::Arc;

use jiff::Timestamp;

use super::event::{Entry, Ruling};
use super::instance::{Instance, Phase};
use super::state::RunState;
use super::table::InstanceIx;
use crate::id::Operator;

/// What a person said of an instance: that it is done, or undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Who said it.
    pub by: Operator,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub why: String,
}

impl Word {
    /// Who said so, and why, for people.
    #[must_use]
    pub fn words(&self) -> String {
        format!("{} said so: {}", self.by, self.why)
    }
}

impl Instance {
    /// By whose word it is done or undone, if that is all that is known of it.
    #[must_use]
    pub fn word(&self) -> Option<&Arc<Word>> {
        let rests = matches!(self.phase, Phase::Succeeded | Phase::RolledBack);
        // What happened since is more than a word.
        let word = self.said.as_ref()?;
        (rests && self.ended == Some(word.at)).then_some(word)
    }
}

impl RunState {
    /// How many instances are done, or undone, by a person's word.
    #[must_use]
    pub fn by_word(&self) -> usize {
        let instances = self.statuses().map(|(instance, _)| instance);
        instances.filter(|instance| instance.word().is_some()).count()
    }

    /// Keeps what a person decided.
    pub(super) fn keep_word(&mut self, ix: InstanceIx, ruling: Ruling, why: &str, entry: &Entry) {
        self.instance_mut(ix).said = (ruling == Ruling::Done).then(|| {
            Arc::new(Word {
                by: entry.operator.clone(),
                at: entry.time,
                why: why.to_owned(),
            })
        });
    }
}
