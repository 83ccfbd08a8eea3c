//! Every kind of event, about one instance.

use super::super::*;
use crate::core::event::{DoubtRuling, Need, ProcessMark, RunStarted, StopReason};
use crate::id::AttemptNo;

/// Every kind of event, with its variations that matter. All are about the instance `a`.
pub(super) fn events() -> Vec<(String, Event)> {
    let (instance, step) = (Run::id("a"), "a".parse::<crate::id::StepId>().unwrap());
    let why = || "so".to_owned();
    let (outputs, transcript, observed) = (Outputs::new, None, json!(null));
    let missing = || Verdict::Unsatisfied(why());
    let mut all = vec![
        (
            "",
            Event::RunStarted(Box::<RunStarted>::new(run_started(1).unwrap())),
        ),
        (
            "",
            Event::FilePinned {
                name: why(),
                text: why(),
            },
        ),
        ("", Event::RunResumed { jobs: 1 }),
        (
            "",
            Event::StepOpened {
                step: step.clone(),
                items: None,
            },
        ),
        (
            "",
            Event::StepSkipped {
                step: step.clone(),
                reason: why(),
            },
        ),
        (
            "",
            Event::StepUnclear {
                step,
                error: failure(),
            },
        ),
        (
            "",
            Event::ObservationStarted {
                instance: instance.clone(),
            },
        ),
    ];
    for (told, verdict) in [
        ("satisfied", Verdict::Satisfied),
        ("unsatisfied", missing()),
        ("unknown", Verdict::Unknown),
    ] {
        let (instance, observed, transcript) = (instance.clone(), observed.clone(), transcript.clone());
        all.push((
            told,
            Event::Observed {
                instance,
                verdict,
                observed,
                outputs: outputs(),
                transcript,
            },
        ));
    }
    for (told, retry_at) in [("for good", None), ("to be retried", Some(Timestamp::UNIX_EPOCH))] {
        let (instance, error, transcript) = (instance.clone(), failure(), None);
        all.push((
            told,
            Event::ObservationFailed {
                instance,
                error,
                retry_at,
                transcript,
            },
        ));
    }
    let attempt = AttemptNo(1);
    let process = ProcessMark { pid: 1, started: 1 };
    all.push((
        "",
        Event::AttemptStarted {
            instance: instance.clone(),
            attempt,
        },
    ));
    all.push((
        "",
        Event::ProcessStarted {
            instance: instance.clone(),
            process,
        },
    ));
    all.push((
        "",
        Event::StopRequested {
            instance: instance.clone(),
            reason: StopReason::TimedOut,
        },
    ));
    all.push((
        "",
        Event::AttemptReturned {
            instance: instance.clone(),
            outputs: outputs(),
            transcript: None,
        },
    ));
    for (told, retry_at) in [("for good", None), ("to be retried", Some(Timestamp::UNIX_EPOCH))] {
        let (instance, error, transcript) = (instance.clone(), failure(), None);
        all.push((
            told,
            Event::AttemptFailed {
                instance,
                error,
                retry_at,
                transcript,
            },
        ));
    }
    let verdict = Verdict::Satisfied;
    all.push((
        "",
        Event::Verified {
            instance: instance.clone(),
            verdict,
            outputs: outputs(),
            transcript: None,
        },
    ));
    all.push((
        "",
        Event::Interrupted {
            instance: instance.clone(),
            transcript: None,
        },
    ));
    all.push((
        "",
        Event::ProcessCleared {
            instance: instance.clone(),
            found: LeftProcess::None,
        },
    ));
    for ruling in [DoubtRuling::TookEffect, DoubtRuling::Again] {
        let told = if ruling == DoubtRuling::Again {
            "again"
        } else {
            "took effect"
        };
        all.push((
            told,
            Event::DoubtSettled {
                instance: instance.clone(),
                ruling,
                outputs: outputs(),
            },
        ));
    }
    for (told, need) in [("manual work", Need::ManualWork), ("decision", Need::Decision)] {
        all.push((
            told,
            Event::PersonNeeded {
                instance: instance.clone(),
                need,
            },
        ));
    }
    let (values, attachments, note) = (outputs(), Vec::new(), None);
    all.push((
        "",
        Event::Confirmed {
            instance: instance.clone(),
            values,
            attachments,
            note,
        },
    ));
    for (told, ruling) in [
        ("done", Ruling::Done),
        ("again", Ruling::Again),
        ("fail", Ruling::Fail),
        ("skip", Ruling::Skip),
    ] {
        all.push((
            told,
            Event::Decided {
                instance: instance.clone(),
                ruling,
                why: why(),
            },
        ));
    }
    let (scope, plan, left) = (RollbackScope::Run, vec![instance.clone()], Vec::new());
    all.push(("", Event::CancelRequested { why: why() }));
    all.push((
        "",
        Event::RollbackStarted {
            scope,
            plan,
            left,
            why: why(),
        },
    ));
    all.push((
        "",
        Event::RollbackAttemptStarted {
            instance: instance.clone(),
            attempt,
        },
    ));
    all.push((
        "",
        Event::RollbackReturned {
            instance: instance.clone(),
            transcript: None,
        },
    ));
    let verdict = Verdict::Unknown;
    all.push((
        "",
        Event::RolledBack {
            instance: instance.clone(),
            verdict,
            transcript: None,
        },
    ));
    all.push((
        "",
        Event::RollbackFailed {
            instance,
            error: failure(),
            transcript: None,
        },
    ));
    let named = |(told, event): (&str, Event)| {
        let name = event.name();
        (
            if told.is_empty() {
                name.to_owned()
            } else {
                format!("{name} ({told})")
            },
            event,
        )
    };
    all.into_iter().map(named).collect()
}
