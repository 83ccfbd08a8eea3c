//! From the engine's events to the stored ones.

use super::event::{Amended, Event, RunStarted};
use super::parts::{Verdict, all};
use crate::core::event::{self as core, Approving, Handing, SentBack};

impl From<core::RunStarted> for RunStarted {
    fn from(of: core::RunStarted) -> Self {
        let core::RunStarted {
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

impl From<core::Amended> for Amended {
    fn from(of: core::Amended) -> Self {
        let core::Amended {
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

impl From<core::Event> for Event {
    fn from(of: core::Event) -> Self {
        use core::Event as From;
        match of {
            From::RunStarted(started) => Self::RunStarted(Box::new((*started).into())),
            From::FilePinned { name, text } => Self::FilePinned { name, text },
            From::Amended(amended) => Self::Amended(Box::new((*amended).into())),
            From::RunResumed { jobs } => Self::RunResumed { jobs },
            From::StepOpened { step, items } => Self::StepOpened {
                step,
                items: items.map(all),
            },
            From::StepSkipped { step, reason } => Self::StepSkipped { step, reason },
            From::StepUnclear { step, error } => Self::StepUnclear {
                step,
                error: error.into(),
            },
            From::ObservationStarted { instance: step } => Self::ObservationStarted { step },
            From::Observed {
                instance: step,
                verdict,
                observed,
                outputs,
                transcript,
            } => {
                let (verdict, reason) = Verdict::apart(verdict);
                Self::Observed {
                    step,
                    verdict,
                    reason,
                    observed,
                    outputs,
                    transcript: transcript.map(Into::into),
                }
            }
            From::ObservationFailed {
                instance: step,
                error,
                retry_at,
                transcript,
            } => Self::ObservationFailed {
                step,
                error: error.into(),
                retry_at,
                transcript: transcript.map(Into::into),
            },
            From::AttemptStarted {
                instance: step,
                attempt,
            } => Self::AttemptStarted { step, attempt },
            From::ProcessStarted {
                instance: step,
                process,
            } => Self::ProcessStarted {
                step,
                process: process.into(),
            },
            From::StopRequested {
                instance: step,
                reason,
            } => Self::StopRequested {
                step,
                reason: reason.into(),
            },
            From::AttemptReturned {
                instance: step,
                outputs,
                transcript,
            } => Self::AttemptReturned {
                step,
                outputs,
                transcript: transcript.map(Into::into),
            },
            From::AttemptFailed {
                instance: step,
                error,
                transcript,
                retry_at,
            } => {
                let (error, transcript) = (error.into(), transcript.map(Into::into));
                Self::AttemptFailed {
                    step,
                    error,
                    transcript,
                    retry_at,
                }
            }
            From::Verified {
                instance: step,
                verdict,
                outputs,
                transcript,
            } => {
                let (verdict, reason) = Verdict::apart(verdict);
                Self::Verified {
                    step,
                    verdict,
                    reason,
                    outputs,
                    transcript: transcript.map(Into::into),
                }
            }
            From::Interrupted {
                instance: step,
                transcript,
            } => Self::Interrupted {
                step,
                transcript: transcript.map(Into::into),
            },
            From::ProcessCleared {
                instance: step,
                found,
            } => Self::ProcessCleared {
                step,
                found: found.into(),
            },
            From::DoubtSettled {
                instance: step,
                ruling,
                outputs,
            } => Self::DoubtSettled {
                step,
                ruling: ruling.into(),
                outputs,
            },
            From::PersonNeeded { instance: step, need } => Self::PersonNeeded {
                step,
                need: need.into(),
            },
            From::Ticked {
                instance: step,
                number,
                item,
            } => Self::Ticked { step, number, item },
            From::Confirmed {
                instance: step,
                values,
                attachments,
                note,
            } => Self::Confirmed {
                step,
                values,
                attachments: all(attachments),
                note,
            },
            From::Decided {
                instance: step,
                ruling,
                why,
            } => Self::Decided {
                step,
                ruling: ruling.into(),
                why,
            },
            From::Approving(approving) => approving.into(),
            From::SentBack(SentBack {
                instance: step,
                to,
                again,
                why,
            }) => Self::SentBack { step, to, again, why },
            From::Handed(handing) => handing.into(),
            From::CancelRequested { why } => Self::CancelRequested { why },
            From::RollbackStarted {
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
            From::RollbackAttemptStarted {
                instance: step,
                attempt,
            } => Self::RollbackAttemptStarted { step, attempt },
            From::RollbackKept { instance: step, what } => Self::RollbackKept { step, what },
            From::RollbackReturned {
                instance: step,
                transcript,
            } => Self::RollbackReturned {
                step,
                transcript: transcript.map(Into::into),
            },
            From::RolledBack {
                instance: step,
                verdict,
                transcript,
            } => {
                let (verdict, reason) = Verdict::apart(verdict);
                Self::RolledBack {
                    step,
                    verdict,
                    reason,
                    transcript: transcript.map(Into::into),
                }
            }
            From::RollbackFailed {
                instance: step,
                error,
                transcript,
                retry_at,
            } => Self::RollbackFailed {
                step,
                error: error.into(),
                transcript: transcript.map(Into::into),
                retry_at,
            },
        }
    }
}

impl From<Handing> for Event {
    fn from(of: Handing) -> Self {
        match of {
            Handing::Offered { to, note } => Self::HandoffOffered { to, note },
            Handing::TakenBack => Self::HandoffTakenBack {},
            Handing::Accepted => Self::HandoffAccepted {},
            Handing::MovedOut { to, note } => Self::MovedOut { to, note },
            Handing::MovedIn => Self::MovedIn {},
            Handing::TakenOver { why } => Self::TakenOver { why },
            Handing::Shared => Self::Shared {},
        }
    }
}

impl From<Approving> for Event {
    fn from(of: Approving) -> Self {
        match of {
            Approving::Asked {
                instance: step,
                proposal,
            } => Self::ApprovalAsked {
                step,
                subject: proposal.subject,
                what: proposal.what,
            },
            Approving::Unclear {
                instance: step,
                error,
            } => Self::ApprovalUnclear {
                step,
                error: error.into(),
            },
            Approving::Given {
                instance: step,
                subject,
                note,
            } => Self::Approved { step, subject, note },
            Approving::Rejected { instance: step, why } => Self::Rejected { step, why },
            Approving::Withdrawn { instance: step, why } => Self::ApprovalWithdrawn { step, why },
            Approving::Expired {
                instance: step,
                asked,
            } => Self::ApprovalExpired { step, asked },
        }
    }
}
