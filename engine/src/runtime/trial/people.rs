//! People in a case: whoever is waited for does what the case says, or else the obvious.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::{CheckValues, failure};
use crate::core::event::{Need, Outputs};
use crate::core::{Act, InstanceStatus, WaitingFor};
use crate::diagnostic::{Diagnostic, SourceFile, Span};
use crate::id::InstanceId;
use crate::runbook::cases::{Case, Deed};
use crate::runbook::expr::Put;
use crate::runtime::Run;

/// What people are still to do.
pub(super) struct People<'a> {
    deeds: BTreeMap<InstanceId, (Span, VecDeque<Deed>)>,
    /// The instances of which the case itself speaks.
    own: BTreeSet<InstanceId>,
    check: &'a CheckValues,
    file: Arc<SourceFile>,
    /// Where the case begins.
    case: Span,
    /// Who does nothing.
    idle: Vec<InstanceId>,
}

impl<'a> People<'a> {
    pub(super) fn of(case: &Case, file: &Arc<SourceFile>, check: &'a CheckValues) -> Self {
        let all = case.always.iter().chain(&case.people);
        let deeds = all.map(|(id, deeds)| {
            let queue = deeds.value.iter().cloned().collect();
            (id.clone(), (deeds.span, queue))
        });
        Self {
            deeds: deeds.collect(),
            own: case.people.keys().cloned().collect(),
            check,
            file: Arc::clone(file),
            case: case.name.span,
            idle: Vec::new(),
        }
    }

    /// The next act of anybody, and the place where the case says so.
    ///
    /// # Errors
    /// When what is entered is not right.
    pub(super) fn next(&mut self, run: &Run) -> Result<Option<(Act, Span)>, Diagnostic> {
        for waiting in run.state().waiting_for() {
            if self.idle.contains(&waiting.id) {
                continue;
            }
            let (span, deed) = self.take(&waiting.id);
            match (waiting.need, deed) {
                (_, Some(Deed::Nothing)) => self.idle.push(waiting.id),
                (_, Some(Deed::Decide(ruling))) => return Ok(Some((decide(waiting.id, ruling), span))),
                (Need::ManualWork, deed) => {
                    let given = match deed {
                        Some(Deed::Confirm(values)) => Some(values),
                        _ => None,
                    };
                    return self
                        .confirm(run, waiting, given, span)
                        .map(|act| Some((act, span)));
                }
                // What nobody decides stays in doubt; in a case nothing waits for approval.
                (Need::Approval, _) | (Need::Decision, None) => self.idle.push(waiting.id),
                (Need::Decision, Some(Deed::Confirm(_))) => {
                    let message = format!("`{}` waits for a decision, not for a confirmation", waiting.id);
                    return Err(failure(message).at(&self.file, span, "").help("write `decide:`"));
                }
            }
        }
        Ok(self.mend(run))
    }

    /// What the case has people do, and nobody was asked for.
    pub(super) fn left_over(&self) -> Vec<Diagnostic> {
        let left = self.deeds.iter().filter(|(id, (_, deeds))| {
            let mut deeds = deeds.iter();
            self.own.contains(*id) && deeds.any(|deed| *deed != Deed::Nothing)
        });
        let told = left.map(|(id, (span, _))| {
            let message = format!("nobody was asked for what a person is to do for `{id}`");
            let help = "a step that is not reached, or needs nobody, asks for nothing";
            failure(message).at(&self.file, *span, "").help(help)
        });
        told.collect()
    }

    /// A decision about a step that failed, which nobody is asked for.
    fn mend(&mut self, run: &Run) -> Option<(Act, Span)> {
        let failed = |status| matches!(status, InstanceStatus::Failed | InstanceStatus::RollbackFailed);
        let rows = run.state().rows();
        let mut ids = rows
            .into_iter()
            .filter(|row| failed(row.status))
            .map(|row| row.id);
        ids.find_map(|id| match self.take(&id) {
            (span, Some(Deed::Decide(ruling))) => Some((decide(id, ruling), span)),
            _ => None,
        })
    }

    /// The next deed for an instance: its own, or that of its step.
    fn take(&mut self, id: &InstanceId) -> (Span, Option<Deed>) {
        let step = InstanceId::from(id.step().clone());
        for id in [id, &step] {
            if let Some((span, deeds)) = self.deeds.get_mut(id)
                && let Some(deed) = deeds.pop_front()
            {
                return (*span, Some(deed));
            }
        }
        (self.case, None)
    }

    /// Manual work that is done: with the values of the case, or those of the step's `rehearse:`.
    fn confirm(
        &self,
        run: &Run,
        waiting: WaitingFor,
        given: Option<Outputs>,
        span: Span,
    ) -> Result<Act, Diagnostic> {
        let id = waiting.id;
        let wrong = |why: String| {
            let message = format!("`{id}` was not confirmed: {why}");
            let help = format!("say what is entered: `people: {{ {id}: {{ confirm: {{ … }} }} }}`");
            failure(message).at(&self.file, span, "").help(help)
        };
        let values = if waiting.undoing {
            given.unwrap_or_default()
        } else {
            let step = run.runbook().step(id.step());
            let rehearsed = || step.map(|step| step.rehearse.outputs.clone()).unwrap_or_default();
            let entered = given.unwrap_or_else(rehearsed);
            let inputs = run
                .inputs(&id, Put::Plain)
                .map_err(|failure| wrong(failure.message))?;
            (self.check)(&inputs, &entered).map_err(|problems| wrong(problems.join("; ")))?
        };
        Ok(Act::Confirm {
            instance: id,
            values,
            attachments: Vec::new(),
            note: None,
        })
    }
}

fn decide(instance: InstanceId, ruling: crate::core::event::Ruling) -> Act {
    let why = "the test says so".to_owned();
    Act::Decide {
        instance,
        ruling,
        why,
    }
}
