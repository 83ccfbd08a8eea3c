//! Entries as a log tells them: one sentence for everything that happened.

use std::collections::BTreeMap;

use runbook_engine::core::RunState;
use runbook_engine::core::event::{
    Approving, DoubtRuling, Event, Handing, LeftProcess, Need, Ruling, SentBack, StopReason, Transcript,
    Verdict,
};
use runbook_engine::id::{InstanceId, Seq};
use runbook_engine::journal::Digest;

use super::amendment;
use super::style::count;
use super::time::local;

/// What happened, in words, with the step or instance that it happened to.
pub(crate) fn story(event: &Event) -> String {
    let words = words(event);
    match subject(event) {
        Some(id) => format!("`{id}` {words}"),
        None => words,
    }
}

/// What happened, without the step or instance that it happened to.
pub(crate) fn words(event: &Event) -> String {
    match event {
        Event::RunStarted(started) => {
            let what = if started.rehearsal.is_some() {
                "rehearsal"
            } else {
                "run"
            };
            format!("{what} started: {} (program {})", started.file, started.program)
        }
        Event::FilePinned { name, text } => {
            let hash = Digest::of(text.as_bytes());
            format!("kept the file `{name}` ({} bytes, sha256 {hash})", text.len())
        }
        Event::RunResumed { jobs } => format!("run taken up again ({jobs} at once)"),
        Event::StepOpened { items: None, .. } => "opened".to_owned(),
        Event::StepOpened {
            items: Some(items), ..
        } if items.is_empty() => "opened for nothing".to_owned(),
        Event::StepOpened {
            items: Some(items), ..
        } => {
            let keys: Vec<&str> = items.iter().map(|item| item.key.as_str()).collect();
            format!("opened for {}", keys.join(", "))
        }
        Event::StepSkipped { reason, .. } => format!("skipped: {reason}"),
        Event::StepUnclear { error, .. } => format!("failed: {}", error.message),
        Event::ObservationStarted { .. } => "is looked at".to_owned(),
        Event::Observed { verdict, .. } => format!("looked at: {}", verdict_words(verdict)),
        Event::ObservationFailed { error, retry_at, .. } => {
            format!("could not be looked at: {}{}", error.message, next_try(*retry_at))
        }
        Event::AttemptStarted { attempt, .. } => format!("attempt {attempt} started"),
        Event::ProcessStarted { process, .. } => format!("runs as process {}", process.pid),
        Event::StopRequested { reason, .. } => format!("told to stop: {}", stop_words(*reason)),
        Event::AttemptReturned { .. } => "returned success".to_owned(),
        Event::AttemptFailed { error, retry_at, .. } => {
            format!("attempt failed: {}{}", error.message, next_try(*retry_at))
        }
        Event::Verified {
            verdict: Verdict::Unknown,
            ..
        } => format!("succeeded: {UNCHECKED}"),
        Event::Verified { verdict, .. } => format!("succeeded: {}", verdict_words(verdict)),
        Event::Interrupted { .. } => "was interrupted".to_owned(),
        Event::ProcessCleared { found, .. } => left_words(*found).to_owned(),
        Event::DoubtSettled { ruling, .. } => format!("doubt settled: {}", doubt_words(*ruling)),
        Event::PersonNeeded { need, .. } => need_words(*need).to_owned(),
        Event::Ticked { number, item, .. } => format!("item {number} ticked off: {item}"),
        Event::Confirmed {
            note, attachments, ..
        } => {
            let with = match attachments.len() {
                0 => String::new(),
                files => format!(" with {}", count(files, "attachment")),
            };
            let note = note.as_ref().map_or_else(String::new, |note| format!(": {note}"));
            format!("confirmed{with}{note}")
        }
        Event::Decided { ruling, why, .. } => format!("decided: {} ({why})", ruling_words(*ruling)),
        Event::Approving(approving) => approving_words(approving),
        Event::SentBack(sent) => sent_back_words(sent),
        Event::Handed(handing) => handing_words(handing),
        Event::Amended(amended) => format!("run amended ({}): {}", amendment::summary(amended), amended.why),
        Event::CancelRequested { why } => format!("run cancelled: {why}"),
        Event::RollbackStarted { plan, why, .. } => {
            format!("rollback of {} started: {why}", count(plan.len(), "instance"))
        }
        Event::RollbackAttemptStarted { attempt, .. } => format!("rollback {attempt} started"),
        Event::RollbackKept { .. } => "keeps what it must not lose".to_owned(),
        Event::RollbackReturned { .. } => "rollback returned success".to_owned(),
        Event::RolledBack {
            verdict: Verdict::Unknown,
            ..
        } => format!("undone: {UNCHECKED}"),
        Event::RolledBack { verdict, .. } => format!("undone: {}", verdict_words(verdict)),
        Event::RollbackFailed { error, retry_at, .. } => {
            format!("could not be undone: {}{}", error.message, next_try(*retry_at))
        }
    }
}

/// What is said of an outcome that no `validate` has checked.
const UNCHECKED: &str = "by its own word: nothing could check its outcome";

fn next_try(at: Option<jiff::Timestamp>) -> String {
    at.map_or_else(String::new, |at| format!("; next try at {}", local(at)))
}

fn verdict_words(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Satisfied => "its outcome is in place".to_owned(),
        Verdict::Unsatisfied(reason) => format!("its outcome is not in place: {reason}"),
        Verdict::Unknown => "it cannot tell".to_owned(),
    }
}

pub(super) fn stop_words(reason: StopReason) -> &'static str {
    match reason {
        StopReason::TimedOut => "its time is up",
        StopReason::Cancelled => "the run is cancelled",
    }
}

fn left_words(found: LeftProcess) -> &'static str {
    match found {
        LeftProcess::None => "has no process left",
        LeftProcess::Awaited => "had a process left, which ended by itself",
        LeftProcess::Ended => "had a process left, which was ended",
    }
}

fn need_words(need: Need) -> &'static str {
    match need {
        Need::ManualWork => "waits for a person's work",
        Need::Decision => "is in doubt: waits for a decision",
        Need::Approval => "waits for approval",
    }
}

pub(super) fn doubt_words(ruling: DoubtRuling) -> &'static str {
    match ruling {
        DoubtRuling::TookEffect => "what was interrupted had taken effect: going on",
        DoubtRuling::Again => "what was interrupted had not taken effect: trying again",
        DoubtRuling::Repeat => "nobody can tell whether it took effect, but it may be repeated: trying again",
    }
}

pub(super) fn approving_words(approving: &Approving) -> String {
    match approving {
        Approving::Asked { proposal, .. } => format!("waits for approval (of sha256 {})", proposal.subject),
        Approving::Unclear { error, .. } => format!("failed: {}", error.message),
        Approving::Given { note: None, .. } => "approved".to_owned(),
        Approving::Given { note: Some(note), .. } => format!("approved: {note}"),
        Approving::Withdrawn { why, .. } => format!("approval taken back: {why}"),
        Approving::Rejected { why, .. } => format!("rejected: {why}"),
        Approving::Expired { .. } => "was not approved in time".to_owned(),
    }
}

/// To what a run was sent back, and why. The instance from which it was is named before.
pub(super) fn sent_back_words(sent: &SentBack) -> String {
    // One of them is that to which it was.
    let others = match sent.others().count() - 1 {
        0 => String::new(),
        others => format!("; {} after it are looked at again", count(others, "instance")),
    };
    format!("sent back to `{}`: {}{others}", sent.to, sent.why)
}

pub(super) fn handing_words(handing: &Handing) -> String {
    let noted = |note: &Option<String>| note.as_ref().map_or_else(String::new, |note| format!(": {note}"));
    match handing {
        Handing::Offered { to, note } => format!("run offered to {to}{}", noted(note)),
        Handing::TakenBack => "offer taken back".to_owned(),
        Handing::Accepted => "run accepted".to_owned(),
        Handing::MovedOut { to, note } => {
            format!("run moved to another place, for {to}{}", noted(note))
        }
        Handing::MovedIn => "run moved in from another place".to_owned(),
        Handing::TakenOver { why } => format!("run taken over: {why}"),
        Handing::Shared => "run shared: workers go on with it".to_owned(),
    }
}

pub(super) fn ruling_words(ruling: Ruling) -> &'static str {
    match ruling {
        Ruling::Done => "it is done",
        Ruling::Again => "try again",
        Ruling::Fail => "it has failed",
        Ruling::Skip => "go on without it",
    }
}

/// Whether an event is about an instance too that is not its first subject.
pub(crate) fn concerns(event: &Event, is_meant: impl Fn(&InstanceId) -> bool) -> bool {
    matches!(event, Event::SentBack(sent) if sent.others().any(is_meant))
}

/// The instance or step that an event is about.
pub(crate) fn subject(event: &Event) -> Option<InstanceId> {
    match event {
        Event::RunStarted(_)
        | Event::FilePinned { .. }
        | Event::Amended(_)
        | Event::RunResumed { .. }
        | Event::Handed(_)
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
        | Event::Ticked { instance, .. }
        | Event::Confirmed { instance, .. }
        | Event::Decided { instance, .. }
        | Event::SentBack(SentBack { instance, .. })
        | Event::RollbackAttemptStarted { instance, .. }
        | Event::RollbackKept { instance, .. }
        | Event::RollbackReturned { instance, .. }
        | Event::RolledBack { instance, .. }
        | Event::RollbackFailed { instance, .. } => Some(instance.clone()),
        Event::Approving(approving) => Some(approving.instance().clone()),
    }
}

/// What the call printed that an event ends.
pub(crate) fn transcript_of(event: &Event) -> Option<&Transcript> {
    match event {
        Event::Observed { transcript, .. }
        | Event::ObservationFailed { transcript, .. }
        | Event::AttemptReturned { transcript, .. }
        | Event::AttemptFailed { transcript, .. }
        | Event::Verified { transcript, .. }
        | Event::Interrupted { transcript, .. }
        | Event::RollbackReturned { transcript, .. }
        | Event::RolledBack { transcript, .. }
        | Event::RollbackFailed { transcript, .. } => transcript.as_ref(),
        Event::RunStarted(_)
        | Event::FilePinned { .. }
        | Event::Amended(_)
        | Event::RunResumed { .. }
        | Event::StepOpened { .. }
        | Event::StepSkipped { .. }
        | Event::StepUnclear { .. }
        | Event::ObservationStarted { .. }
        | Event::AttemptStarted { .. }
        | Event::ProcessStarted { .. }
        | Event::StopRequested { .. }
        | Event::ProcessCleared { .. }
        | Event::DoubtSettled { .. }
        | Event::PersonNeeded { .. }
        | Event::Ticked { .. }
        | Event::Confirmed { .. }
        | Event::Decided { .. }
        | Event::Approving(_)
        | Event::SentBack(_)
        | Event::Handed(_)
        | Event::CancelRequested { .. }
        | Event::RollbackStarted { .. }
        | Event::RollbackAttemptStarted { .. }
        | Event::RollbackKept { .. } => None,
    }
}

/// The entries that started what is under way, by instance: no entry covers yet what that has printed.
pub(crate) fn under_way(state: &RunState) -> BTreeMap<InstanceId, Seq> {
    let active = state.active();
    active
        .filter_map(|instance| Some((instance.id.clone(), instance.phase.activity()?.of)))
        .collect()
}
