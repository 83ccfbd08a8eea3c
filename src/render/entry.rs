//! Entries as lines: what a watcher shows while a run is carried out, and what a log shows afterwards.

use runbook_engine::core::RunState;
use runbook_engine::core::event::{
    DoubtRuling, Entry, Event, Failure, LeftProcess, Need, Ruling, StopReason, Verdict,
};
use runbook_engine::id::InstanceId;

use super::style::{BAD, BUSY, CARE, DIM, GOOD, count, paint};
use super::time::took;

/// What a watcher shows for an entry, if it is worth a line: sign, instance, words.
pub(crate) fn progress(
    entry: &Entry,
    state: &RunState,
    title: impl Fn(&InstanceId) -> String,
) -> Option<String> {
    let lasted = |id: &InstanceId| {
        let instance = state.find(id).map(|ix| state.instance(ix));
        let times =
            instance.and_then(|instance| instance.started.map(|from| entry.time.duration_since(from)));
        times.map_or_else(String::new, |time| format!(" ({})", took(time)))
    };
    let line = |style, sign: char, id: &InstanceId, words: &str| {
        Some(format!("  {} {}  {words}", paint(style, sign), paint(style, id)))
    };
    match &entry.event {
        Event::AttemptStarted { instance, attempt } if attempt.0 > 1 => {
            line(BUSY, '▸', instance, &format!("attempt {attempt}"))
        }
        Event::AttemptStarted { instance, .. } => line(BUSY, '▸', instance, &title(instance)),
        Event::RollbackAttemptStarted { instance, .. } => line(BUSY, '◂', instance, "undoing it"),
        Event::Observed {
            instance,
            verdict: Verdict::Satisfied,
            ..
        } if !is_in_doubt(state, instance) => line(GOOD, '=', instance, "is in place already"),
        Event::Verified { instance, .. } => line(GOOD, '✓', instance, &format!("done{}", lasted(instance))),
        Event::Confirmed { instance, .. } => line(GOOD, '✓', instance, "confirmed"),
        Event::RolledBack { instance, .. } => line(GOOD, '↺', instance, "undone"),
        Event::StepSkipped { step, reason } => {
            line(DIM, '-', &step.clone().into(), &format!("skipped: {reason}"))
        }
        Event::StepUnclear { step, error } => line(BAD, '✗', &step.clone().into(), &error.message),
        Event::AttemptFailed {
            instance,
            error,
            retry_at,
            ..
        }
        | Event::ObservationFailed {
            instance,
            error,
            retry_at,
            ..
        } => failed(entry, instance, error, *retry_at),
        Event::RollbackFailed { instance, error, .. } => line(
            BAD,
            '✗',
            instance,
            &format!("could not be undone: {}", error.message),
        ),
        Event::StopRequested { instance, reason } => {
            let why = match reason {
                StopReason::TimedOut => "its time is up: it is being ended",
                StopReason::Cancelled => "the run is cancelled: it is being ended",
            };
            line(CARE, '!', instance, why)
        }
        Event::Interrupted { instance, .. } => line(CARE, '?', instance, "was interrupted"),
        Event::DoubtSettled { instance, ruling, .. } => line(CARE, '?', instance, doubt(*ruling)),
        Event::PersonNeeded {
            instance,
            need: Need::ManualWork,
        } => line(
            CARE,
            '!',
            instance,
            &format!("waits for a person: {}", title(instance)),
        ),
        Event::PersonNeeded {
            instance,
            need: Need::Decision,
        } => line(
            CARE,
            '?',
            instance,
            "nobody knows whether it took effect: a person must decide",
        ),
        Event::Decided {
            instance,
            ruling,
            why,
        } => line(
            CARE,
            '!',
            instance,
            &format!("{} decided: {} ({why})", entry.operator, ruling_words(*ruling)),
        ),
        Event::CancelRequested { why } => Some(format!("  {} the run is cancelled: {why}", paint(CARE, '!'))),
        Event::RollbackStarted { plan, left, why, .. } => Some(rollback(plan, left, why)),
        _ => None,
    }
}

fn is_in_doubt(state: &RunState, id: &InstanceId) -> bool {
    // Settled by the entry that follows, which has a line of its own.
    state.find(id).is_some_and(|ix| state.instance(ix).attempts.0 > 0)
}

fn failed(
    entry: &Entry,
    id: &InstanceId,
    error: &Failure,
    retry_at: Option<jiff::Timestamp>,
) -> Option<String> {
    let sign = paint(BAD, '✗');
    let id = paint(BAD, id);
    Some(match retry_at {
        Some(at) => format!(
            "  {sign} {id}  {}; next try in {}",
            error.message,
            took(at.duration_since(entry.time))
        ),
        None => format!("  {sign} {id}  failed: {}", error.message),
    })
}

fn doubt(ruling: DoubtRuling) -> &'static str {
    match ruling {
        DoubtRuling::TookEffect => "what was interrupted had taken effect: going on",
        DoubtRuling::Again => "what was interrupted had not taken effect, or may be repeated: trying again",
    }
}

fn rollback(plan: &[InstanceId], left: &[InstanceId], why: &str) -> String {
    let mut text = format!(
        "  {} rolling back {}: {why}",
        paint(BUSY, '◂'),
        count(plan.len(), "instance")
    );
    if !left.is_empty() {
        let names: Vec<String> = left.iter().map(|id| format!("`{id}`")).collect();
        text += &format!(
            "\n  {} no way back, left in place: {}",
            paint(CARE, '!'),
            names.join(", ")
        );
    }
    text
}

pub(crate) fn ruling_words(ruling: Ruling) -> &'static str {
    match ruling {
        Ruling::Done => "it is done",
        Ruling::Again => "try again",
        Ruling::Fail => "it has failed",
        Ruling::Skip => "go on without it",
    }
}

/// One line of a log: what happened, in words.
pub(crate) fn story(event: &Event) -> String {
    let say = |id: &InstanceId, words: &str| format!("`{id}` {words}");
    match event {
        Event::RunStarted(started) => {
            let rehearsal = if started.rehearsal.is_some() {
                " as a rehearsal"
            } else {
                ""
            };
            format!(
                "run started{rehearsal}: {} (program {})",
                started.file, started.program
            )
        }
        Event::FilePinned { name, text } => format!("kept the file `{name}` ({} bytes)", text.len()),
        Event::RunResumed { jobs } => format!("run taken up again ({jobs} at once)"),
        Event::StepOpened { step, items: None } => format!("`{step}` opened"),
        Event::StepOpened {
            step,
            items: Some(items),
        } => {
            let keys: Vec<&str> = items.iter().map(|item| item.key.as_str()).collect();
            format!("`{step}` opened for {}", keys.join(", "))
        }
        Event::StepSkipped { step, reason } => format!("`{step}` skipped: {reason}"),
        Event::StepUnclear { step, error } => format!("`{step}` failed: {}", error.message),
        Event::ObservationStarted { instance } => say(instance, "is looked at"),
        Event::Observed {
            instance, verdict, ..
        } => say(instance, &format!("looked at: {}", verdict_words(verdict))),
        Event::ObservationFailed { instance, error, .. } => {
            say(instance, &format!("could not be looked at: {}", error.message))
        }
        Event::AttemptStarted { instance, attempt } => say(instance, &format!("attempt {attempt} started")),
        Event::ProcessStarted { instance, process } => {
            say(instance, &format!("runs as process {}", process.pid))
        }
        Event::StopRequested {
            instance,
            reason: StopReason::TimedOut,
        } => say(instance, "told to stop: its time is up"),
        Event::StopRequested {
            instance,
            reason: StopReason::Cancelled,
        } => say(instance, "told to stop: the run is cancelled"),
        Event::AttemptReturned { instance, .. } => say(instance, "returned success"),
        Event::AttemptFailed {
            instance,
            error,
            retry_at,
            ..
        } => {
            let next = retry_at.map_or_else(String::new, |at| {
                format!("; next try at {}", super::time::local(at))
            });
            say(instance, &format!("attempt failed: {}{next}", error.message))
        }
        Event::Verified {
            instance, verdict, ..
        } => say(instance, &format!("succeeded: {}", verdict_words(verdict))),
        Event::Interrupted { instance, .. } => say(instance, "was interrupted"),
        Event::ProcessCleared { instance, found } => say(
            instance,
            match found {
                LeftProcess::None => "has no process left",
                LeftProcess::Awaited => "had a process left, which ended by itself",
                LeftProcess::Ended => "had a process left, which was ended",
            },
        ),
        Event::DoubtSettled { instance, ruling, .. } => {
            say(instance, &format!("doubt settled: {}", doubt(*ruling)))
        }
        Event::PersonNeeded {
            instance,
            need: Need::ManualWork,
        } => say(instance, "waits for a person's work"),
        Event::PersonNeeded {
            instance,
            need: Need::Decision,
        } => say(instance, "is in doubt: waits for a decision"),
        Event::Confirmed {
            instance,
            note,
            attachments,
            ..
        } => {
            let note = note.as_ref().map_or_else(String::new, |note| format!(": {note}"));
            let proof = if attachments.is_empty() {
                String::new()
            } else {
                format!(" with {}", count(attachments.len(), "attachment"))
            };
            say(instance, &format!("confirmed{proof}{note}"))
        }
        Event::Decided {
            instance,
            ruling,
            why,
        } => say(instance, &format!("decided: {} ({why})", ruling_words(*ruling))),
        Event::CancelRequested { why } => format!("run cancelled: {why}"),
        Event::RollbackStarted { plan, why, .. } => {
            format!("rollback of {} started: {why}", count(plan.len(), "instance"))
        }
        Event::RollbackAttemptStarted { instance, attempt } => {
            say(instance, &format!("rollback {attempt} started"))
        }
        Event::RollbackReturned { instance, .. } => say(instance, "rollback returned success"),
        Event::RolledBack {
            instance, verdict, ..
        } => say(instance, &format!("undone: {}", verdict_words(verdict))),
        Event::RollbackFailed { instance, error, .. } => {
            say(instance, &format!("could not be undone: {}", error.message))
        }
    }
}

fn verdict_words(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Satisfied => "its outcome is in place".to_owned(),
        Verdict::Unsatisfied(reason) => format!("its outcome is not in place: {reason}"),
        Verdict::Unknown => "it cannot tell".to_owned(),
    }
}

/// The instance or step that an event is about.
pub(crate) fn subject(event: &Event) -> Option<InstanceId> {
    match event {
        Event::RunStarted(_)
        | Event::FilePinned { .. }
        | Event::RunResumed { .. }
        | Event::CancelRequested { .. }
        | Event::RollbackStarted { .. } => None,
        Event::StepOpened { step, .. }
        | Event::StepSkipped { step, .. }
        | Event::StepUnclear { step, .. } => Some(step.clone().into()),
        Event::ObservationStarted { instance }
        | Event::Observed { instance, .. }
        | Event::ObservationFailed { instance, .. }
        | Event::AttemptStarted { instance, .. }
        | Event::ProcessStarted { instance, .. }
        | Event::StopRequested { instance, .. }
        | Event::AttemptReturned { instance, .. }
        | Event::AttemptFailed { instance, .. }
        | Event::Verified { instance, .. }
        | Event::Interrupted { instance, .. }
        | Event::ProcessCleared { instance, .. }
        | Event::DoubtSettled { instance, .. }
        | Event::PersonNeeded { instance, .. }
        | Event::Confirmed { instance, .. }
        | Event::Decided { instance, .. }
        | Event::RollbackAttemptStarted { instance, .. }
        | Event::RollbackReturned { instance, .. }
        | Event::RolledBack { instance, .. }
        | Event::RollbackFailed { instance, .. } => Some(instance.clone()),
    }
}
