//! What was approved and has not begun: that can be taken back.

use crate::core::approval::Party;
use crate::core::event::Need;
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

    /// Whether that operator has approved it.
    pub(in crate::core) fn is_approver(&self, ix: InstanceIx, operator: &Operator) -> bool {
        let approval = self.instance(ix).approval.as_ref();
        approval.is_some_and(|given| given.by.contains(operator))
    }

    /// Whether that operator's approval would not count if they carried the instance out.
    pub(in crate::core) fn is_barred_by_approving(&self, ix: InstanceIx, operator: &Operator) -> bool {
        let rule = self.policy(ix).approve.as_ref();
        rule.is_some_and(|rule| rule.not.contains(&Party::Executor)) && self.is_approver(ix, operator)
    }

    /// Whether that operator has approved what has not begun, and for that reason cannot carry it out.
    #[must_use]
    pub fn has_approved_what_is_next(&self, operator: &Operator) -> bool {
        let mut steps = self.workflow().steps();
        steps.any(|(at, _)| {
            let mut instances = self.instances_of(at).iter();
            instances.any(|&ix| self.has_approval_ahead(ix) && self.is_barred_by_approving(ix, operator))
        })
    }

    /// It is waited for again, unless enough others have approved.
    pub(in crate::core) fn withdraw(&mut self, ix: InstanceIx, operator: &Operator) {
        if let Some(approval) = &mut self.instance_mut(ix).approval {
            approval.by.retain(|who| who != operator);
        }
        if self.approvals(ix).is_some_and(|(count, min)| count < min) {
            self.set_phase(ix, Phase::Waiting(Need::Approval));
        }
    }

    /// Who has approved what has not begun, for people.
    pub(in crate::core) fn approval_ahead(&self, ix: InstanceIx) -> Option<String> {
        let approval = self.instance(ix).approval.as_ref()?;
        let names: Vec<&str> = approval.by.iter().map(Operator::as_str).collect();
        self.has_approval_ahead(ix)
            .then(|| format!("approved by {}", names.join(", ")))
    }
}
