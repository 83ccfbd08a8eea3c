//! Entries as somebody sees them who watches a run: a line for each that is worth one.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use anstyle::Style;
use jiff::Timestamp;
use runbook_engine::core::RunState;
use runbook_engine::core::event::{Approving, Entry, Event, Failure, Need, Verdict};
use runbook_engine::id::{AttemptNo, InstanceId, Operator, StepId};
use runbook_engine::runbook::{Runbook, Step};

use super::amendment;
use super::layout::{Width, pad, widest};
use super::markdown;
use super::plain;
use super::story::{
    approving_words, doubt_words, handing_words, ruling_words, sent_back_words, stop_words, subject,
};
use super::style::{BAD, BUSY, CARE, DIM, GOOD, count, names, paint};
use super::time::took;

/// Where the words begin in a terminal that is too narrow for a column of ids.
const INDENT: usize = 6;

/// The widest column of ids.
const WIDEST_ID: usize = 28;

/// What a line says: a sign and words, both in the colour of their meaning.
struct Said {
    sign: char,
    style: Style,
    words: String,
    /// What is to be heeded, on lines of its own.
    note: Option<String>,
}

impl Said {
    fn new(style: Style, sign: char, words: impl Into<String>) -> Self {
        let (words, note) = (words.into(), None);
        Self {
            sign,
            style,
            words,
            note,
        }
    }
}

/// Puts the entries of a run into lines.
pub(crate) struct Progress {
    runbook: Arc<Runbook>,
    column: usize,
    /// The steps whose warning whoever watches has read.
    warned: Mutex<BTreeSet<StepId>>,
    /// The same, for what undoing them does.
    noted: Mutex<BTreeSet<StepId>>,
}

impl Progress {
    pub(crate) fn new(runbook: &Arc<Runbook>) -> Self {
        let column = widest(runbook.steps().keys().map(|id| id.as_str()), WIDEST_ID);
        Self {
            runbook: Arc::clone(runbook),
            column,
            warned: Mutex::default(),
            noted: Mutex::default(),
        }
    }

    /// What is shown of an entry, if it is worth a line. `next` was recorded together with it.
    pub(crate) fn line(
        &self,
        entry: &Entry,
        next: Option<&Entry>,
        state: &RunState,
        width: Width,
    ) -> Option<String> {
        let said = self
            .work(entry, next, state)
            .or_else(|| self.people(entry))
            .or_else(|| self.undoing(entry))?;
        Some(self.laid_out(subject(&entry.event).as_ref(), said, width))
    }

    /// A line about processes that outlived an earlier program.
    pub(crate) fn outlived(
        &self,
        id: &InstanceId,
        pids: &[String],
        until: Timestamp,
        width: Width,
    ) -> String {
        let words = format!(
            "still runs from before (process {}); it is awaited until {}, then ended (`--await-left` chooses how long): \
             press Ctrl-C twice to leave it alone, and go on once it is over",
            pids.join(", "),
            super::time::local(until)
        );
        self.laid_out(Some(id), Said::new(CARE, '?', words), width)
    }

    /// A line for whoever is there now.
    pub(crate) fn shown(&self, id: &InstanceId, text: &str, width: Width) -> String {
        self.laid_out(Some(id), Said::new(CARE, '!', text), width)
    }

    fn laid_out(&self, id: Option<&InstanceId>, said: Said, width: Width) -> String {
        let sign = paint(said.style, said.sign);
        let column = if width.is_narrow() { 0 } else { self.column };
        let head = match id {
            Some(id) => format!(
                "  {sign} {}  ",
                paint(said.style, pad(&plain(&id.to_string()), column))
            ),
            None => format!("  {sign} "),
        };
        let indent = if id.is_none() {
            4
        } else if column == 0 {
            INDENT
        } else {
            4 + column + 2
        };
        let mut text = width.wrap(&head, indent, &plain(&said.words));
        if let Some(note) = &said.note {
            let head = format!("{}{} ", " ".repeat(indent), paint(CARE, "note:"));
            text += "\n";
            text += &markdown::render(note, &head, indent + 6, width);
        }
        text
    }

    fn step(&self, id: &InstanceId) -> Option<&Step> {
        self.runbook.step(id.step())
    }

    fn title(&self, id: &InstanceId) -> &str {
        self.step(id).map_or("", |step| step.title.as_str())
    }

    /// What happens by itself, going forward.
    fn work(&self, entry: &Entry, next: Option<&Entry>, state: &RunState) -> Option<Said> {
        let said = match &entry.event {
            Event::ObservationStarted { instance } => self.looked_at(instance)?,
            Event::AttemptStarted { instance, attempt } => self.started(instance, *attempt),
            Event::Observed {
                instance,
                verdict: Verdict::Satisfied,
                ..
            } if !settles_doubt(next, instance) => {
                let found = match self.step(instance) {
                    Some(step) if step.abilities.read_only => "checked",
                    _ => "in place already",
                };
                Said::new(GOOD, '=', format!("{found}: {}", self.title(instance)))
            }
            Event::Verified { instance, .. } => {
                Said::new(GOOD, '✓', format!("done{}", lasted(entry, state, instance)))
            }
            Event::StepSkipped { reason, .. } => Said::new(DIM, '-', format!("skipped: {reason}")),
            Event::StepUnclear { error, .. } => failed(entry, error, None),
            Event::AttemptFailed { error, retry_at, .. }
            | Event::ObservationFailed { error, retry_at, .. } => failed(entry, error, *retry_at),
            Event::StopRequested { reason, .. } => {
                Said::new(CARE, '!', format!("{}: it is being ended", stop_words(*reason)))
            }
            Event::Interrupted { .. } => Said::new(CARE, '?', "was interrupted"),
            Event::DoubtSettled { ruling, .. } => Said::new(CARE, '?', doubt_words(*ruling)),
            _ => return None,
        };
        Some(said)
    }

    fn started(&self, id: &InstanceId, attempt: AttemptNo) -> Said {
        let words = if attempt.0 > 1 {
            format!("attempt {attempt}")
        } else {
            self.title(id).to_owned()
        };
        Said {
            note: self.warning(id),
            ..Said::new(BUSY, '▸', words)
        }
    }

    /// What only looks may never come to an attempt: what is to be heeded is said before it looks.
    fn looked_at(&self, id: &InstanceId) -> Option<Said> {
        if !self.step(id)?.abilities.read_only {
            return None;
        }
        let note = Some(self.warning(id)?);
        Some(Said {
            note,
            ..Said::new(BUSY, '▸', self.title(id))
        })
    }

    /// The warning of a step, for whoever has not read it here.
    fn warning(&self, id: &InstanceId) -> Option<String> {
        let warning = self.step(id)?.warning.clone()?;
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        warned.insert(id.step().clone()).then_some(warning)
    }

    /// What is undone. What that does is told once for each step.
    fn undoing(&self, entry: &Entry) -> Option<Said> {
        let Event::RollbackAttemptStarted { instance, .. } = &entry.event else {
            return undone(entry);
        };
        let note = self.step(instance).and_then(|step| step.undo_note.clone());
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = noted.insert(instance.step().clone());
        Some(Said {
            note: note.filter(|_| is_news),
            ..Said::new(BUSY, '◂', "is being undone")
        })
    }

    /// What people are asked, and what they say.
    fn people(&self, entry: &Entry) -> Option<Said> {
        let said = match &entry.event {
            Event::PersonNeeded {
                instance,
                need: Need::ManualWork,
            } => Said::new(CARE, '!', format!("waits for a person: {}", self.title(instance))),
            Event::PersonNeeded {
                need: Need::Decision, ..
            } => {
                let words = "nobody knows whether it took effect: a person must decide";
                Said::new(CARE, '?', words)
            }
            Event::Confirmed { .. } => Said::new(GOOD, '✓', format!("confirmed by {}", entry.operator)),
            Event::Decided { ruling, why, .. } => {
                let words = format!("{} decided: {} ({why})", entry.operator, ruling_words(*ruling));
                Said::new(CARE, '!', words)
            }
            Event::SentBack(sent) => Said::new(
                CARE,
                '!',
                format!("{}: {}", entry.operator, sent_back_words(sent)),
            ),
            Event::Approving(approving) => approval(approving, &entry.operator),
            Event::Handed(handing) => Said::new(
                CARE,
                '!',
                format!("{}: {}", entry.operator, handing_words(handing)),
            ),
            Event::Amended(amended) => Said {
                note: Some(amendment::summary(amended)),
                ..Said::new(
                    CARE,
                    '!',
                    format!("{} amended the run: {}", entry.operator, amended.why),
                )
            },
            Event::CancelRequested { why } => Said::new(CARE, '!', format!("the run is cancelled: {why}")),
            _ => return None,
        };
        Some(said)
    }
}

/// How a rollback begins, and what becomes of what is undone.
fn undone(entry: &Entry) -> Option<Said> {
    let said = match &entry.event {
        Event::RollbackStarted { plan, left, why, .. } => {
            let words = format!("rolling back {}: {why}", count(plan.len(), "instance"));
            let note = format!("no way back, left in place: {}", names(left));
            Said {
                note: (!left.is_empty()).then_some(note),
                ..Said::new(BUSY, '◂', words)
            }
        }
        Event::RolledBack { .. } => Said::new(GOOD, '↺', "undone"),
        Event::RollbackFailed {
            error,
            retry_at: Some(at),
            ..
        } => Said::new(
            BAD,
            '✗',
            format!(
                "could not be undone: {}; next try in {}",
                error.message.trim_end(),
                took(at.duration_since(entry.time))
            ),
        ),
        Event::RollbackFailed {
            error,
            retry_at: None,
            ..
        } => Said::new(BAD, '✗', format!("could not be undone: {}", error.message)),
        _ => return None,
    };
    Some(said)
}

/// An observation that settles a doubt is recorded together with an entry that says so.
fn settles_doubt(next: Option<&Entry>, id: &InstanceId) -> bool {
    next.is_some_and(|entry| matches!(&entry.event, Event::DoubtSettled { instance, .. } if instance == id))
}

fn lasted(entry: &Entry, state: &RunState, id: &InstanceId) -> String {
    let since = state.find(id).and_then(|ix| state.instance(ix).since);
    since.map_or_else(String::new, |from| {
        format!(" ({})", took(entry.time.duration_since(from)))
    })
}

fn failed(entry: &Entry, error: &Failure, retry_at: Option<Timestamp>) -> Said {
    let words = match retry_at {
        Some(at) => {
            let wait = took(at.duration_since(entry.time));
            format!("{}; next try in {wait}", error.message.trim_end())
        }
        None => format!("failed: {}", error.message),
    };
    Said::new(BAD, '✗', words)
}

/// What becomes of an approval.
fn approval(approving: &Approving, who: &Operator) -> Said {
    let words = approving_words(approving);
    match approving {
        Approving::Asked { .. } => Said::new(CARE, '!', "waits for approval"),
        Approving::Given { .. } => Said::new(GOOD, '✓', format!("{who}: {words}")),
        Approving::Rejected { .. } => Said::new(BAD, '✗', format!("{who}: {words}")),
        Approving::Withdrawn { .. } => Said::new(CARE, '!', format!("{who}: {words}")),
        Approving::Unclear { .. } | Approving::Expired { .. } => Said::new(CARE, '!', words),
    }
}
