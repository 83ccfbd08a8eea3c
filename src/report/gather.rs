//! A report, gathered from a run's story.

use std::collections::BTreeMap;

use runbook_engine::core::RunState;
use runbook_engine::core::event::{Entry, Event, LeftProcess, Overlaid};
use runbook_engine::id::InstanceId;
use runbook_engine::journal::{Digest, Verification};
use runbook_engine::runbook::Runbook;
use runbook_engine::runtime::Story;
use serde_json::Value;

use super::clean::Clean;
use super::printed::Printed;
use super::signed::{Signatures, Signed};
use super::{
    About, Definition, Made, Param, Person, PinnedFile, Proof, Report, Told, Undoing, VERSION, steps,
};
use crate::render::graph::Picture;
use crate::render::held::Held;
use crate::render::story::{subject, words};
use crate::render::{authors, overlay};

/// What was found beside the story.
pub(crate) struct Found {
    pub(crate) made: Made,
    pub(crate) verification: Verification,
    /// The hash of the story's last entry, where it could be told.
    pub(crate) last_hash: Option<String>,
    pub(crate) printed: BTreeMap<InstanceId, Vec<Printed>>,
    /// The checklists of manual steps, with every template filled in.
    pub(crate) checklists: BTreeMap<InstanceId, Vec<String>>,
}

/// The record of a run.
pub(crate) fn gather(story: &Story, found: Found) -> Report {
    let (state, runbook) = (&story.state, story.runbook.as_ref());
    let held = Held::of(story, Vec::new);
    let signatures = Signatures::of(story, &found);
    Report {
        report: VERSION,
        made: found.made,
        run: about(story),
        proof: Proof {
            entries: story.entries.len(),
            last_hash: found.last_hash,
            verification: found.verification,
        },
        params: params(state, runbook),
        people: people(&story.entries, &signatures),
        roles: authors::roles(state, runbook),
        course: story
            .entries
            .iter()
            .filter(|one| is_remarkable(one))
            .map(|one| told(one, runbook, &signatures))
            .collect(),
        rollback: undoing(state),
        steps: steps::records(story, &held, &signatures, found.printed, &found.checklists),
        definition: definition(state, runbook),
        picture: Picture::of(runbook, Some((state, &held))).drawing(),
    }
}

fn about(story: &Story) -> About {
    let (state, runbook) = (&story.state, &story.runbook);
    let started = state.started();
    let (settled, total) = state.progress();
    About {
        id: started.run,
        name: Clean::of(started.name()),
        runbook: Clean::of(&started.runbook),
        title: Clean::of(runbook.title()),
        description: runbook.description().map(Clean::of),
        source: runbook.source().map(Clean::of),
        status: state.status(),
        rehearsal: started.rehearsal.is_some(),
        overlaid: overlaid(started.overlaid.as_deref()),
        starter: Clean::of(state.starter()),
        started: state.begun(),
        operator: Clean::of(state.operator()),
        updated: state.updated(),
        held_by: story.holder.as_ref().map(Clean::of),
        program: Clean::of(&started.program),
        settled,
        total,
        cancelled: state.cancelled().map(Clean::of),
    }
}

fn overlaid(overlaid: Option<&Overlaid>) -> Vec<Clean> {
    let changes = overlaid.into_iter().flat_map(Overlaid::changes);
    changes
        .map(|(by, change)| Clean::of(overlay::sentence(by, change)))
        .collect()
}

fn params(state: &RunState, runbook: &Runbook) -> Vec<Param> {
    let params = runbook.params().values().map(|param| {
        let value = state.started().params.get(&param.name);
        Param {
            name: Clean::of(&param.name),
            kind: Clean::of(param.kind_name()),
            secret: param.is_secret(),
            value: value.filter(|_| !param.is_secret()).cloned(),
        }
    });
    params.collect()
}

fn people(entries: &[Entry], signatures: &Signatures<'_>) -> Vec<Person> {
    let mut people: Vec<Person> = Vec::new();
    let mut places = BTreeMap::new();
    for entry in entries {
        let who = (entry.operator.as_str(), entry.host.as_str());
        let at = *places.entry(who).or_insert(people.len());
        if at == people.len() {
            people.push(Person {
                operator: Clean::of(&entry.operator),
                host: Clean::of(&entry.host),
                entries: 0,
                first: entry.time,
                last: entry.time,
                signed: Signed::default(),
            });
        }
        people[at].entries += 1;
        people[at].last = entry.time;
        signatures.count(entry, &mut people[at].signed);
    }
    people
}

/// Whether people did it, or it did not go its ordinary way.
fn is_remarkable(entry: &Entry) -> bool {
    match &entry.event {
        Event::RunStarted(_)
        | Event::Amended(_)
        | Event::RunResumed { .. }
        | Event::StepUnclear { .. }
        | Event::ObservationFailed { .. }
        | Event::StopRequested { .. }
        | Event::AttemptFailed { .. }
        | Event::Interrupted { .. }
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
        | Event::RolledBack { .. }
        | Event::RollbackFailed { .. } => true,
        Event::StepOpened { items, .. } => items.is_some(),
        Event::ProcessCleared { found, .. } => *found != LeftProcess::None,
        Event::FilePinned { .. }
        | Event::StepSkipped { .. }
        | Event::ObservationStarted { .. }
        | Event::Observed { .. }
        | Event::AttemptStarted { .. }
        | Event::ProcessStarted { .. }
        | Event::AttemptReturned { .. }
        | Event::Verified { .. }
        | Event::RollbackAttemptStarted { .. }
        | Event::RollbackKept { .. }
        | Event::RollbackReturned { .. } => false,
    }
}

/// An entry in words.
pub(super) fn told(entry: &Entry, runbook: &Runbook, signatures: &Signatures<'_>) -> Told {
    let mut words = words(&entry.event);
    if let Event::Approving(approving) = &entry.event {
        let step = runbook.step(approving.instance().step());
        let rule = step.and_then(|step| step.approve.as_ref());
        if let Some(role) = rule.and_then(|rule| rule.by.as_ref()) {
            words = format!("for `{role}`: {words}");
        }
    }
    Told {
        seq: entry.seq,
        time: entry.time,
        operator: Clean::of(&entry.operator),
        host: Clean::of(&entry.host),
        author: signatures.author(entry),
        event: entry.event.name(),
        step: subject(&entry.event).map(Clean::of),
        words: Clean::of(words),
    }
}

fn undoing(state: &RunState) -> Option<Undoing> {
    let rollback = state.rollback()?;
    let ids = |ixs: &[_]| ixs.iter().map(|&ix| Clean::of(&state.instance(ix).id)).collect();
    Some(Undoing {
        why: Clean::of(&rollback.why),
        plan: ids(&rollback.plan),
        still: state.still_to_undo().iter().map(Clean::of).collect(),
        left: ids(&rollback.left),
    })
}

fn definition(state: &RunState, runbook: &Runbook) -> Definition {
    let started = state.started();
    Definition {
        file: Clean::of(&started.file),
        sha256: Digest::of(started.text.as_bytes()).to_string(),
        text: Clean::definition(&started.text),
        files: runbook
            .files()
            .iter()
            .map(|(name, text)| PinnedFile {
                name: Clean::of(name),
                sha256: Digest::of(text.as_bytes()).to_string(),
                text: Clean::definition(text),
            })
            .collect(),
    }
}

/// A value that holds nothing is none.
pub(super) fn something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Object(fields) => !fields.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}
