//! Every kind of event, about the instance `a`, with its variations that matter.

use super::super::*;
use crate::core::event::{DoubtRuling, Handing, Need, ProcessMark, SentBack, StopReason};
use crate::id::AttemptNo;
use serde_json::Value;

type Told = (&'static str, Event);

/// All of them, named.
pub(super) fn events() -> Vec<(String, Event)> {
    let all = [
        opening(),
        looking(),
        attempting(),
        doubting(),
        deciding(),
        undoing(),
        handing(),
        sending(),
    ];
    let named = |(told, event): Told| {
        let name = event.name();
        let variation = if told.is_empty() {
            String::new()
        } else {
            format!(" ({told})")
        };
        (format!("{name}{variation}"), event)
    };
    all.into_iter().flatten().map(named).collect()
}

fn instance() -> InstanceId {
    Run::id("a")
}

fn why() -> String {
    "so".to_owned()
}

fn opening() -> Vec<Told> {
    let (step, error) = (instance().step().clone(), failure());
    let (name, text, reason) = (why(), why(), why());
    let (pinned, items) = (Event::FilePinned { name, text }, None);
    let opened = Event::StepOpened {
        step: step.clone(),
        items,
    };
    let skipped = Event::StepSkipped {
        step: step.clone(),
        reason,
    };
    vec![
        ("", Event::RunStarted(Box::new(run_started(1).unwrap()))),
        ("", pinned),
        ("", Event::RunResumed { jobs: 1 }),
        ("", opened),
        ("", skipped),
        ("", Event::StepUnclear { step, error }),
    ]
}

fn looking() -> Vec<Told> {
    let observed = |verdict| Event::Observed {
        instance: instance(),
        verdict,
        observed: json!(null),
        outputs: Outputs::new(),
        transcript: None,
    };
    let failed = |retry_at| Event::ObservationFailed {
        instance: instance(),
        error: failure(),
        retry_at,
        transcript: None,
    };
    let started = Event::ObservationStarted { instance: instance() };
    vec![
        ("", started),
        ("satisfied", observed(Verdict::Satisfied)),
        ("unsatisfied", observed(Verdict::Unsatisfied(why()))),
        ("unknown", observed(Verdict::Unknown)),
        ("for good", failed(None)),
        ("to be retried", failed(Some(Timestamp::UNIX_EPOCH))),
    ]
}

fn attempting() -> Vec<Told> {
    let failed = |retry_at| Event::AttemptFailed {
        instance: instance(),
        error: failure(),
        retry_at,
        transcript: None,
    };
    let (attempt, process) = (AttemptNo(1), ProcessMark { pid: 1, started: 1 });
    let reason = StopReason::TimedOut;
    let returned = Event::AttemptReturned {
        instance: instance(),
        outputs: Outputs::new(),
        transcript: None,
    };
    let verified = Event::Verified {
        instance: instance(),
        verdict: Verdict::Satisfied,
        outputs: Outputs::new(),
        transcript: None,
    };
    let instance = instance();
    let started = Event::AttemptStarted {
        instance: instance.clone(),
        attempt,
    };
    let process_started = Event::ProcessStarted {
        instance: instance.clone(),
        process,
    };
    vec![
        ("", started),
        ("", process_started),
        ("", Event::StopRequested { instance, reason }),
        ("", returned),
        ("for good", failed(None)),
        ("to be retried", failed(Some(Timestamp::UNIX_EPOCH))),
        ("", verified),
    ]
}

fn doubting() -> Vec<Told> {
    let settled = |ruling| Event::DoubtSettled {
        instance: instance(),
        ruling,
        outputs: Outputs::new(),
    };
    let needed = |need| Event::PersonNeeded {
        instance: instance(),
        need,
    };
    let (transcript, found) = (None, LeftProcess::None);
    let (interrupted, cleared) = (instance(), instance());
    vec![
        (
            "",
            Event::Interrupted {
                instance: interrupted,
                transcript,
            },
        ),
        (
            "",
            Event::ProcessCleared {
                instance: cleared,
                found,
            },
        ),
        ("took effect", settled(DoubtRuling::TookEffect)),
        ("again", settled(DoubtRuling::Again)),
        ("repeat", settled(DoubtRuling::Repeat)),
        ("manual work", needed(Need::ManualWork)),
        ("decision", needed(Need::Decision)),
    ]
}

fn deciding() -> Vec<Told> {
    let decided = |ruling| Event::Decided {
        instance: instance(),
        ruling,
        why: why(),
    };
    let confirmed = Event::Confirmed {
        instance: instance(),
        values: Outputs::new(),
        attachments: Vec::new(),
        note: None,
    };
    let ticked = Event::Ticked {
        instance: instance(),
        number: 1,
        item: why(),
    };
    vec![
        ("", ticked),
        ("", confirmed),
        ("done", decided(Ruling::Done)),
        ("again", decided(Ruling::Again)),
        ("fail", decided(Ruling::Fail)),
        ("skip", decided(Ruling::Skip)),
        ("", Event::CancelRequested { why: why() }),
    ]
}

fn undoing() -> Vec<Told> {
    let started = Event::RollbackStarted {
        scope: RollbackScope::Run,
        plan: vec![instance()],
        left: Vec::new(),
        why: why(),
    };
    let attempted = Event::RollbackAttemptStarted {
        instance: instance(),
        attempt: AttemptNo(1),
    };
    let returned = Event::RollbackReturned {
        instance: instance(),
        transcript: None,
    };
    let undone = Event::RolledBack {
        instance: instance(),
        verdict: Verdict::Unknown,
        transcript: None,
    };
    let failed = |retry_at| Event::RollbackFailed {
        instance: instance(),
        error: failure(),
        transcript: None,
        retry_at,
    };
    let kept = Event::RollbackKept {
        instance: instance(),
        what: Value::Null,
    };
    vec![
        ("", started),
        ("", attempted),
        ("", kept),
        ("", returned),
        ("", undone),
        ("for good", failed(None)),
        ("with another try", failed(Some(Timestamp::UNIX_EPOCH))),
    ]
}

fn sending() -> Vec<Told> {
    let sent = Event::SentBack(SentBack {
        instance: instance(),
        to: Run::id("z"),
        again: vec![instance()],
        why: why(),
    });
    vec![("", sent)]
}

fn handing() -> Vec<Told> {
    let (to, note) = (Operator::new("bob"), None);
    let offered = Handing::Offered {
        to: to.clone(),
        note: None,
    };
    let all = [
        offered,
        Handing::TakenBack,
        Handing::Accepted,
        Handing::MovedOut { to, note },
        Handing::MovedIn,
        Handing::TakenOver { why: why() },
        Handing::Shared,
    ];
    all.into_iter()
        .map(|handing| ("", Event::Handed(handing)))
        .collect()
}
