//! What was approved and has not begun: that can be taken back.

use crate::core::instance::Phase;
use crate::core::state::RunState;
use crate::core::table::InstanceIx;
use crate::id::Operator;

impl RunState {
    /// Whether somebody has approved what has not begun: they can take that back.
    pub(in crate::core) fn has_approval_ahead(&self, ix: InstanceIx) -> bool {
        let instance = self.instance(ix);
        let is_ahead = matches!(instance.phase, Phase::Ready | Phase::Observed);
        is_ahead
            && instance
                .approval
                .as_ref()
                .is_some_and(|given| !given.by.is_empty())
    }

    /// Who has approved what has not begun, for people.
    pub(in crate::core) fn approval_ahead(&self, ix: InstanceIx) -> Option<String> {
        let approval = self.instance(ix).approval.as_ref()?;
        let names: Vec<&str> = approval.by.iter().map(Operator::as_str).collect();
        self.has_approval_ahead(ix)
            .then(|| format!("approved by {}", names.join(", ")))
    }
}
