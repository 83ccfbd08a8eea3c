//! The picture of a runbook: its steps and which comes before which, with where a run stands if there is one.

mod fold;
mod languages;
mod place;
mod svg;
mod text;

use self::languages::{dot, mermaid};
use self::svg::svg;
use self::text::text;

use std::collections::BTreeMap;

use runbook_engine::core::{InstanceStatus, RunState};
use runbook_engine::diagnostic::{Code, Diagnostic};
use runbook_engine::id::StepId;
use runbook_engine::runbook::{Runbook, Step};

use super::held::Held;
use super::plain;
use super::rows::status_words;
use crate::error::Failed;

/// How a picture is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Form {
    /// Lines for a terminal
    Text,
    /// A Mermaid flowchart
    Mermaid,
    /// A graph for Graphviz
    Dot,
    /// A drawing for browsers and documents
    Svg,
}

/// The steps in an order in which they can be carried out.
#[derive(Debug)]
pub(crate) struct Picture {
    nodes: Vec<Node>,
    /// What it is a picture of.
    title: String,
}

/// One step.
#[derive(Debug)]
struct Node {
    id: String,
    title: String,
    /// Where it stands; of a step that fanned out, what most needs to be seen.
    status: Option<InstanceStatus>,
    /// The same in words, with counts where it fanned out.
    stands: String,
    /// What comes directly after it.
    before: Vec<usize>,
}

impl Picture {
    /// The picture of a runbook, or of a run of it.
    pub(crate) fn of(runbook: &Runbook, run: Option<(&RunState, &Held)>) -> Self {
        let dag = runbook.workflow().dag();
        let places: BTreeMap<_, _> = dag.order().iter().enumerate().map(|(at, &ix)| (ix, at)).collect();
        let standing = run.map(|(state, held)| standing(state, held)).unwrap_or_default();
        let nodes = dag.order().iter().map(|&ix| {
            let id = &runbook.workflow().step(ix).id;
            let step = runbook.step(id);
            let statuses = standing.get(id).map_or(&[][..], Vec::as_slice);
            let mut before: Vec<usize> = dag.dependents(ix).map(|after| places[&after]).collect();
            before.sort_unstable();
            Node {
                id: plain(&id.to_string()),
                title: step.map_or_else(String::new, title),
                status: statuses.iter().copied().max_by_key(|&status| urgency(status)),
                stands: stands(statuses, step),
                before,
            }
        });
        Self {
            nodes: nodes.collect(),
            title: run.map_or_else(
                || plain(runbook.title()),
                |(state, _)| format!("{}: {}", state.started().name(), plain(runbook.title())),
            ),
        }
    }

    /// The picture in this form; `columns` bounds the lines of text, if anything does.
    pub(crate) fn draw(&self, form: Form, columns: Option<usize>) -> Result<String, Failed> {
        Ok(match form {
            Form::Text => text(self, columns),
            Form::Mermaid => mermaid(self),
            Form::Dot => dot(self),
            Form::Svg => self.drawing().ok_or_else(|| too_many(self.nodes.len()))?,
        })
    }

    /// The picture as SVG; none where it has too many steps to be read.
    pub(crate) fn drawing(&self) -> Option<String> {
        svg(self)
    }
}

fn too_many(steps: usize) -> Failed {
    let message = format!("{steps} steps are too many for a drawing");
    let diagnostic = Diagnostic::error(Code::PictureTooLarge, message);
    diagnostic
        .help("`--graph text` folds steps that stand alike; `--graph dot` leaves the drawing to Graphviz")
        .into()
}

/// The title on one line; nothing where it only says the id again.
fn title(step: &Step) -> String {
    if step.title == step.id.as_str() {
        return String::new();
    }
    plain(&step.title).replace('\n', " ")
}

/// The statuses of each step's instances.
fn standing(state: &RunState, held: &Held) -> BTreeMap<StepId, Vec<InstanceStatus>> {
    let mut all: BTreeMap<StepId, Vec<InstanceStatus>> = BTreeMap::new();
    for (instance, status) in state.statuses() {
        let status = held.status(instance, status);
        all.entry(instance.id.step().clone()).or_default().push(status);
    }
    all
}

/// `succeeded`, or `2 succeeded, 1 failed`.
fn stands(statuses: &[InstanceStatus], step: Option<&Step>) -> String {
    if let [only] = statuses {
        return status_words(*only, step);
    }
    let mut counts: BTreeMap<InstanceStatus, usize> = BTreeMap::new();
    for &status in statuses {
        *counts.entry(status).or_default() += 1;
    }
    let counted = counts
        .iter()
        .map(|(status, number)| format!("{number} {}", status_words(*status, step)));
    counted.collect::<Vec<_>>().join(", ")
}

/// What needs to be seen first where instances of one step differ.
fn urgency(status: InstanceStatus) -> u8 {
    match status {
        InstanceStatus::Failed | InstanceStatus::RollbackFailed => 7,
        InstanceStatus::InDoubt => 6,
        InstanceStatus::Waiting => 5,
        InstanceStatus::Observing
        | InstanceStatus::Running
        | InstanceStatus::Verifying
        | InstanceStatus::RollingBack => 4,
        InstanceStatus::Blocked => 3,
        InstanceStatus::Pending | InstanceStatus::Ready => 2,
        InstanceStatus::Succeeded | InstanceStatus::RolledBack => 1,
        InstanceStatus::Satisfied | InstanceStatus::Skipped => 0,
    }
}

/// The lines of a picture, each from a box to one that needs it.
fn edges(picture: &Picture) -> impl Iterator<Item = (usize, usize)> {
    let nodes = picture.nodes.iter().enumerate();
    nodes.flat_map(|(from, node)| node.before.iter().map(move |&to| (from, to)))
}

#[cfg(test)]
mod tests;
