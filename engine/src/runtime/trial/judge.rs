//! What a run came to, held against what its case expects.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::carry::Ran;
use super::failure;
use crate::core::event::{Event, Need};
use crate::core::{InstanceStatus, Row};
use crate::diagnostic::{Diagnostic, SourceFile, Span};
use crate::id::InstanceId;
use crate::runbook::cases::{Case, ExpectStep, Located};

/// Everything that is not as it is expected.
pub(super) fn judge(ran: &Ran, file: &Arc<SourceFile>, case: &Case) -> Vec<Diagnostic> {
    let mut judge = Judge {
        ran,
        rows: ran.state.rows(),
        file,
        failures: Vec::new(),
    };
    let expect = &case.expect;
    if let Some(wanted) = &expect.run {
        judge.run(wanted.value, wanted.span);
    }
    for (id, step) in &expect.steps {
        judge.step(id, step);
    }
    if let Some(order) = &expect.order {
        judge.order(&order.value);
    }
    if let Some(undone) = &expect.undone {
        let found = ran.entries.iter().filter_map(|entry| match &entry.event {
            Event::RollbackAttemptStarted { instance, .. } => Some(instance),
            Event::PersonNeeded {
                instance,
                need: Need::ManualWork,
            } if ran.state.rollback().is_some() => judge.is_undone(instance).then_some(instance),
            _ => None,
        });
        let mut found: Vec<InstanceId> = found.cloned().collect();
        found.dedup();
        judge.list("was undone", undone, &found);
    }
    if let Some(wanted) = &expect.waits_for {
        let found = ran.state.waiting_for().into_iter().map(|waiting| waiting.id);
        judge.list("is waited for", wanted, &found.collect::<Vec<_>>());
    }
    for words in &expect.says {
        judge.says(words);
    }
    judge.worlds();
    judge.failures
}

struct Judge<'a> {
    ran: &'a Ran,
    rows: Vec<Row>,
    file: &'a Arc<SourceFile>,
    failures: Vec<Diagnostic>,
}

impl Judge<'_> {
    fn tell(&mut self, span: Span, message: String, why: Option<String>) {
        let problem = failure(message).at(self.file, span, "");
        self.failures
            .push(why.into_iter().fold(problem, Diagnostic::help));
    }

    fn run(&mut self, wanted: crate::core::RunStatus, span: Span) {
        let found = self.ran.state.status();
        if found == wanted {
            return;
        }
        let message = format!("the run is `{found}`, not `{wanted}`");
        let unsettled = self.rows.iter().find(|row| {
            use InstanceStatus::{Failed, InDoubt, RollbackFailed, Waiting};
            matches!(row.status, Failed | InDoubt | RollbackFailed | Waiting)
        });
        let why = unsettled.map(|row| {
            let reason = row
                .reason
                .as_deref()
                .map_or_else(String::new, |reason| format!(": {reason}"));
            format!("`{}` is `{}`{reason}", row.id, row.status)
        });
        self.tell(span, message, why);
    }

    /// The rows that an id means: an instance, or all instances of a step.
    fn rows_of(&self, id: &InstanceId) -> Vec<Row> {
        let rows = self.rows.iter().filter(|row| id.means(&row.id));
        rows.cloned().collect()
    }

    fn step(&mut self, id: &InstanceId, expected: &Located<ExpectStep>) {
        let rows = self.rows_of(id);
        if rows.is_empty() {
            let instances = self.rows.iter().filter(|row| row.id.step() == id.step());
            let there: Vec<String> = instances.map(|row| format!("`{}`", row.id)).collect();
            let why = format!("there is {}", there.join(", "));
            return self.tell(
                expected.span,
                format!("the run has no instance `{id}`"),
                Some(why),
            );
        }
        let step = &expected.value;
        for row in &rows {
            if let Some(wanted) = &step.status
                && row.status != wanted.value
            {
                let message = format!("`{}` is `{}`, not `{}`", row.id, row.status, wanted.value);
                self.tell(wanted.span, message, row.reason.clone());
            }
            if let Some(wanted) = &step.attempts
                && row.attempts.0 != wanted.value
            {
                let message = format!(
                    "`{}` was tried {} times, not {}",
                    row.id, row.attempts.0, wanted.value
                );
                self.tell(wanted.span, message, None);
            }
            if let Some(wanted) = &step.reason
                && !row
                    .reason
                    .as_ref()
                    .is_some_and(|reason| reason.contains(&wanted.value))
            {
                let found = row.reason.as_deref().unwrap_or("nothing is said about it");
                let message = format!("why `{}` is `{}` does not say this", row.id, row.status);
                self.tell(wanted.span, message, Some(format!("it says: {found}")));
            }
            for (name, wanted) in &step.outputs {
                self.output(row, name, wanted);
            }
            for (path, wanted) in &step.files {
                self.file(row, path, wanted);
            }
        }
    }

    fn output(&mut self, row: &Row, name: &str, wanted: &Located<Value>) {
        let found = row.outputs.get(name);
        if found == Some(&wanted.value) {
            return;
        }
        let found = found.map_or_else(|| "not there".to_owned(), |found| format!("`{found}`"));
        let message = format!(
            "the output `{name}` of `{}` is {found}, not `{}`",
            row.id, wanted.value
        );
        self.tell(wanted.span, message, None);
    }

    fn file(&mut self, row: &Row, path: &str, wanted: &Located<Option<String>>) {
        let Some(world) = self.ran.worlds.get(&row.id) else {
            let message = format!("no script of `{}` was carried out in a world", row.id);
            let help = "describe its world: `steps: { STEP: { world: { … } } }`".to_owned();
            return self.tell(wanted.span, message, Some(help));
        };
        let found = world.file(path);
        if found == wanted.value {
            return;
        }
        let quoted = |text: &Option<String>| {
            text.as_ref()
                .map_or_else(|| "not there".to_owned(), |text| format!("{text:?}"))
        };
        let message = format!(
            "in the world of `{}` the file `{path}` is {}, not {}",
            row.id,
            quoted(&found),
            quoted(&wanted.value)
        );
        self.tell(wanted.span, message, None);
    }

    /// A call that a world describes must have been made, by one of the instances in worlds like it.
    fn worlds(&mut self) {
        let mut calls = BTreeMap::new();
        for (span, made) in self.ran.worlds.values().flat_map(|world| world.calls()) {
            *calls.entry(span).or_insert(false) |= made;
        }
        for (span, _) in calls.into_iter().filter(|(_, made)| !made) {
            let help = "correct the script or the call, or leave it out".to_owned();
            self.tell(span, "the script never made this call".to_owned(), Some(help));
        }
    }

    /// Each was begun, and after the one before it.
    fn order(&mut self, wanted: &[Located<InstanceId>]) {
        let mut last: Option<(usize, &InstanceId)> = None;
        for id in wanted {
            let begun = self
                .ran
                .entries
                .iter()
                .position(|entry| begins(&entry.event, &id.value));
            match (begun, last) {
                (None, _) => {
                    self.tell(id.span, format!("`{}` was never begun", id.value), None);
                }
                (Some(at), Some((before, other))) if at < before => {
                    let message = format!("`{}` was begun before `{other}`, not after it", id.value);
                    self.tell(id.span, message, None);
                    last = Some((at, &id.value));
                }
                (Some(at), _) => last = Some((at, &id.value)),
            }
        }
    }

    fn is_undone(&self, id: &InstanceId) -> bool {
        let rows = self.rows.iter();
        rows.filter(|row| row.id == *id)
            .any(|row| matches!(row.status, InstanceStatus::RolledBack))
    }

    /// The same, in the same order, and nothing else.
    fn list(&mut self, what: &str, wanted: &Located<Vec<Located<InstanceId>>>, found: &[InstanceId]) {
        let same = wanted.value.len() == found.len()
            && wanted
                .value
                .iter()
                .zip(found)
                .all(|(wanted, found)| wanted.value == *found);
        if !same {
            let names: Vec<String> = found.iter().map(|id| format!("`{id}`")).collect();
            let found = if names.is_empty() {
                "nothing".to_owned()
            } else {
                names.join(", ")
            };
            self.tell(wanted.span, format!("what {what} is {found}"), None);
        }
    }

    fn says(&mut self, words: &Located<String>) {
        let told = self.ran.entries.iter().filter_map(|entry| told(&entry.event));
        let reasons = self.rows.iter().filter_map(|row| row.reason.as_deref());
        let all: Vec<&str> = reasons.chain(told).collect();
        if !all.iter().any(|text| text.contains(&words.value)) {
            let message = "no step says this".to_owned();
            let why = all.last().map(|text| format!("the last that was said: {text}"));
            self.tell(words.span, message, why);
        }
    }
}

/// Whether an instance that is meant is taken in hand here.
fn begins(event: &Event, id: &InstanceId) -> bool {
    match event {
        Event::ObservationStarted { instance }
        | Event::AttemptStarted { instance, .. }
        | Event::PersonNeeded { instance, .. } => id.means(instance),
        _ => false,
    }
}

/// What a step says in an event, where something is not as it should be.
fn told(event: &Event) -> Option<&str> {
    match event {
        Event::StepSkipped { reason, .. } => Some(reason),
        Event::StepUnclear { error, .. }
        | Event::ObservationFailed { error, .. }
        | Event::AttemptFailed { error, .. }
        | Event::RollbackFailed { error, .. } => Some(&error.message),
        _ => None,
    }
}
