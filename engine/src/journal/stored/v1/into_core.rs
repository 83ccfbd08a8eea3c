//! From the stored events to the engine's.

use super::event::{Amended, Event, RunStarted};
use super::parts::all;
use crate::core::event::{self as core, Approving, Handing, Proposal, SentBack};

impl From<RunStarted> for core::RunStarted {
    fn from(of: RunStarted) -> Self {
        let RunStarted {
            run,
            runbook,
            file,
            text,
            overlaid,
            params,
            rehearsal,
            jobs,
            program,
        } = of;
        Self {
            run,
            runbook,
            file,
            text,
            overlaid: overlaid.map(|overlaid| Box::new((*overlaid).into())),
            params,
            rehearsal: rehearsal.map(Into::into),
            jobs,
            program,
        }
    }
}

impl From<Amended> for core::Amended {
    fn from(of: Amended) -> Self {
        let Amended {
            file,
            text,
            overlaid,
            files,
            params,
            why,
            revisions,
        } = of;
        Self {
            file,
            text,
            overlaid: overlaid.map(|overlaid| Box::new((*overlaid).into())),
            files,
            params,
            why,
            revisions: all(revisions),
        }
    }
}

/// The error says what does not fit together.
impl TryFrom<Event> for core::Event {
    type Error = String;

    fn try_from(of: Event) -> Result<Self, String> {
        Ok(match of {
            Event::RunStarted(started) => Self::RunStarted(Box::new((*started).into())),
            Event::FilePinned { name, text } => Self::FilePinned { name, text },
            Event::Amended(amended) => Self::Amended(Box::new((*amended).into())),
            Event::RunResumed { jobs } => Self::RunResumed { jobs },
            Event::StepOpened { step, items } => Self::StepOpened {
                step,
                items: items.map(all),
            },
            Event::StepSkipped { step, reason } => Self::StepSkipped { step, reason },
            Event::StepUnclear { step, error } => Self::StepUnclear {
                step,
                error: error.into(),
            },
            Event::ObservationStarted { step: instance } => Self::ObservationStarted { instance },
            Event::Observed {
                step: instance,
                verdict,
                reason,
                observed,
                outputs,
                transcript,
            } => Self::Observed {
                instance,
                verdict: verdict.together(reason)?,
                observed,
                outputs,
                transcript: transcript.map(Into::into),
            },
            Event::ObservationFailed {
                step: instance,
                error,
                retry_at,
                transcript,
            } => Self::ObservationFailed {
                instance,
                error: error.into(),
                retry_at,
                transcript: transcript.map(Into::into),
            },
            Event::AttemptStarted {
                step: instance,
                attempt,
            } => Self::AttemptStarted { instance, attempt },
            Event::ProcessStarted {
                step: instance,
                process,
            } => Self::ProcessStarted {
                instance,
                process: process.into(),
            },
            Event::StopRequested {
                step: instance,
                reason,
            } => Self::StopRequested {
                instance,
                reason: reason.into(),
            },
            Event::AttemptReturned {
                step: instance,
                outputs,
                transcript,
            } => Self::AttemptReturned {
                instance,
                outputs,
                transcript: transcript.map(Into::into),
            },
            Event::AttemptFailed {
                step: instance,
                error,
                transcript,
                retry_at,
            } => {
                let (error, transcript) = (error.into(), transcript.map(Into::into));
                Self::AttemptFailed {
                    instance,
                    error,
                    transcript,
                    retry_at,
                }
            }
            Event::Verified {
                step: instance,
                verdict,
                reason,
                outputs,
                transcript,
            } => Self::Verified {
                instance,
                verdict: verdict.together(reason)?,
                outputs,
                transcript: transcript.map(Into::into),
            },
            Event::Interrupted {
                step: instance,
                transcript,
            } => Self::Interrupted {
                instance,
                transcript: transcript.map(Into::into),
            },
            Event::ProcessCleared {
                step: instance,
                found,
            } => Self::ProcessCleared {
                instance,
                found: found.into(),
            },
            Event::DoubtSettled {
                step: instance,
                ruling,
                outputs,
            } => Self::DoubtSettled {
                instance,
                ruling: ruling.into(),
                outputs,
            },
            Event::PersonNeeded { step: instance, need } => Self::PersonNeeded {
                instance,
                need: need.into(),
            },
            Event::Ticked {
                step: instance,
                number,
                item,
            } => Self::Ticked {
                instance,
                number,
                item,
            },
            Event::Confirmed {
                step: instance,
                values,
                attachments,
                note,
            } => Self::Confirmed {
                instance,
                values,
                attachments: all(attachments),
                note,
            },
            Event::Decided {
                step: instance,
                ruling,
                why,
            } => Self::Decided {
                instance,
                ruling: ruling.into(),
                why,
            },
            Event::ApprovalAsked {
                step: instance,
                subject,
                what,
            } => Self::Approving(Approving::Asked {
                instance,
                proposal: Proposal { subject, what },
            }),
            Event::ApprovalUnclear {
                step: instance,
                error,
            } => {
                let error = error.into();
                Self::Approving(Approving::Unclear { instance, error })
            }
            Event::Approved {
                step: instance,
                subject,
                note,
            } => Self::Approving(Approving::Given {
                instance,
                subject,
                note,
            }),
            Event::Rejected { step: instance, why } => Self::Approving(Approving::Rejected { instance, why }),
            Event::ApprovalWithdrawn { step: instance, why } => {
                Self::Approving(Approving::Withdrawn { instance, why })
            }
            Event::ApprovalExpired {
                step: instance,
                asked,
            } => Self::Approving(Approving::Expired { instance, asked }),
            Event::SentBack {
                step: instance,
                to,
                again,
                why,
            } => Self::SentBack(SentBack {
                instance,
                to,
                again,
                why,
            }),
            Event::HandoffOffered { to, note } => Self::Handed(Handing::Offered { to, note }),
            Event::HandoffTakenBack {} => Self::Handed(Handing::TakenBack),
            Event::HandoffAccepted {} => Self::Handed(Handing::Accepted),
            Event::MovedOut { to, note } => Self::Handed(Handing::MovedOut { to, note }),
            Event::MovedIn {} => Self::Handed(Handing::MovedIn),
            Event::TakenOver { why } => Self::Handed(Handing::TakenOver { why }),
            Event::Shared {} => Self::Handed(Handing::Shared),
            Event::CancelRequested { why } => Self::CancelRequested { why },
            Event::RollbackStarted {
                scope,
                plan,
                left,
                why,
            } => Self::RollbackStarted {
                scope: scope.into(),
                plan,
                left,
                why,
            },
            Event::RollbackAttemptStarted {
                step: instance,
                attempt,
            } => Self::RollbackAttemptStarted { instance, attempt },
            Event::RollbackKept { step: instance, what } => Self::RollbackKept { instance, what },
            Event::RollbackReturned {
                step: instance,
                transcript,
            } => Self::RollbackReturned {
                instance,
                transcript: transcript.map(Into::into),
            },
            Event::RolledBack {
                step: instance,
                verdict,
                reason,
                transcript,
            } => Self::RolledBack {
                instance,
                verdict: verdict.together(reason)?,
                transcript: transcript.map(Into::into),
            },
            Event::RollbackFailed {
                step: instance,
                error,
                transcript,
                retry_at,
            } => Self::RollbackFailed {
                instance,
                error: error.into(),
                transcript: transcript.map(Into::into),
                retry_at,
            },
        })
    }
}
