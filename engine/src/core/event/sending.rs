//! That a run is sent back: what was done is not right, and is done again, and all that stands on it is looked at again.

use crate::id::InstanceId;

/// Somebody sends a run back from what it waits for to something earlier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentBack {
    /// What the run waits for: manual work, or an approval.
    pub instance: InstanceId,
    /// What was not done right.
    pub to: InstanceId,
    /// What stands on that, was begun, and is looked at again after it.
    pub again: Vec<InstanceId>,
    /// Why.
    pub why: String,
}

impl SentBack {
    /// What it concerns besides that from which the run is sent back.
    pub fn others(&self) -> impl Iterator<Item = &InstanceId> {
        let again = self.again.iter().filter(|id| **id != self.instance);
        std::iter::once(&self.to).chain(again)
    }
}
