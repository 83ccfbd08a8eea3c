//! What a report tells of each step: where it stands, who acted on it, what proves it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use runbook_engine::core::Row;
use runbook_engine::core::event::{Approving, Entry, Event, Ruling};
use runbook_engine::id::InstanceId;
use runbook_engine::runbook::Step;
use runbook_engine::runtime::Story;
use serde_json::Value;

use super::clean::Clean;
use super::gather::{something, told};
use super::printed::Printed;
use super::signed::Signatures;
use super::{Asked, Declared, Evidence, StepRecord, Ticked, Told};
use crate::render::approval;
use crate::render::held::Held;
use crate::render::story::subject;

/// Every instance, in the runbook's order.
pub(super) fn records(
    story: &Story,
    held: &Held,
    signatures: &Signatures<'_>,
    mut printed: BTreeMap<InstanceId, Vec<Printed>>,
    checklists: &BTreeMap<InstanceId, Vec<String>>,
) -> Vec<StepRecord> {
    let mut histories: BTreeMap<InstanceId, Vec<&Entry>> = BTreeMap::new();
    for entry in &story.entries {
        if let Some(id) = subject(&entry.event) {
            histories.entry(id).or_default().push(entry);
        }
        if let Event::SentBack(sent) = &entry.event {
            for id in sent.others() {
                histories.entry(id.clone()).or_default().push(entry);
            }
        }
    }
    let records = story.state.rows().into_iter().map(|row| {
        let row = held.row(row, &story.state, &story.runbook);
        let history = histories.remove(&row.id).unwrap_or_default();
        let checklist = checklists.get(&row.id).map_or(&[][..], Vec::as_slice);
        let printed = printed.remove(&row.id).unwrap_or_default();
        let told = history
            .iter()
            .map(|entry| told(entry, &story.runbook, signatures));
        record(story, &row, &history, (told.collect(), printed), checklist)
    });
    records.collect()
}

fn record(
    story: &Story,
    row: &Row,
    history: &[&Entry],
    (told, printed): (Vec<Told>, Vec<Printed>),
    checklist: &[String],
) -> StepRecord {
    let step = story.runbook.step(row.id.step());
    let instance = story.state.find(&row.id).map(|ix| story.state.instance(ix));
    let people: BTreeSet<&str> = history.iter().map(|entry| entry.operator.as_str()).collect();
    let before = instance.and_then(|instance| instance.before.clone());
    StepRecord {
        id: Clean::of(&row.id),
        title: Clean::of(step.map_or("", |step| step.title.as_str())),
        role: step.and_then(|step| step.role.as_ref()).map(Clean::of),
        uses: Clean::of(step.map_or("", |step| step.uses.as_str())),
        source: step.and_then(|step| step.source.as_ref()).map(Clean::of),
        needs: step.map_or_else(Vec::new, |step| step.needs.iter().map(Clean::of).collect()),
        status: row.status,
        reason: row.reason.as_ref().map(Clean::of),
        declared: row.word.as_deref().map(|word| Declared {
            operator: Clean::of(&word.by),
            time: word.at,
            why: Clean::of(&word.why),
        }),
        attempts: row.attempts.0,
        rollbacks: instance.map_or(0, |instance| instance.rollbacks.0),
        started: row.started,
        ended: row.ended,
        took: row.took.map(|took| took.as_secs_f64()),
        people: people.into_iter().map(Clean::of).collect(),
        waited: waited(history, story.state.updated()),
        approval: step.and_then(|step| asked(step, history)),
        before: before.filter(something),
        outputs: Value::clone(&row.outputs),
        evidence: evidence(history, checklist),
        history: told,
        printed,
    }
}

/// How long it waited for a person, in seconds: from each time that one was needed until something came of it.
fn waited(history: &[&Entry], last: Timestamp) -> Option<i64> {
    let needed = history.iter().enumerate();
    let needed = needed.filter(|(_, entry)| {
        matches!(
            entry.event,
            Event::PersonNeeded { .. } | Event::Approving(Approving::Asked { .. })
        )
    });
    let waits = needed.map(|(at, entry)| {
        let until = history.get(at + 1).map_or(last, |next| next.time);
        until.duration_since(entry.time)
    });
    let waits: Vec<SignedDuration> = waits.collect();
    (!waits.is_empty()).then(|| waits.iter().map(SignedDuration::as_secs).sum())
}

/// What was to be approved last.
fn asked(step: &Step, history: &[&Entry]) -> Option<Asked> {
    let rule = step.approve.as_ref()?;
    let mut asked = history.iter().rev().filter_map(|entry| match &entry.event {
        Event::Approving(Approving::Asked { proposal, .. }) => Some(proposal),
        _ => None,
    });
    let proposal = asked.next()?;
    Some(Asked {
        role: rule.by.as_ref().map(Clean::of),
        min: rule.min,
        what: approval::said(&proposal.what),
        sha256: Clean::of(&proposal.subject),
    })
}

/// What people gave. Work is not confirmed before each item of its checklist is said to be so; undoing it has none.
fn evidence(history: &[&Entry], checklist: &[String]) -> Vec<Evidence> {
    // Work is done and undone in turn; what only a decision settled, in between, is confirmed by nobody.
    let mut is_done = false;
    let mut ticks: BTreeMap<u32, &Entry> = BTreeMap::new();
    let mut all = Vec::new();
    for entry in history {
        match &entry.event {
            Event::Decided { ruling, .. } => is_done = *ruling == Ruling::Done,
            Event::PersonNeeded { .. } => ticks.clear(),
            // It is done again, and not undone.
            Event::SentBack(_) => is_done = false,
            Event::Ticked { number, .. } => drop(ticks.entry(*number).or_insert(entry)),
            Event::Confirmed {
                values,
                attachments,
                note,
                ..
            } => {
                // What nobody ticked off before is so by the word of whoever confirms.
                let ticked = (1..).zip(checklist).filter(|_| !is_done).map(|(number, item)| {
                    let by = *ticks.get(&number).unwrap_or(entry);
                    Ticked {
                        item: Clean::of(item),
                        operator: Clean::of(&by.operator),
                        time: by.time,
                    }
                });
                all.push(Evidence {
                    time: entry.time,
                    operator: Clean::of(&entry.operator),
                    host: Clean::of(&entry.host),
                    ticked: ticked.collect(),
                    values: values.clone(),
                    attachments: attachments.clone(),
                    note: note.as_ref().map(Clean::of),
                });
                is_done = !is_done;
            }
            _ => {}
        }
    }
    all
}
