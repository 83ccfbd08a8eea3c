//! The check of the graph: needs that name no step, circles, and outputs read from steps that need not come
//! before.

use std::collections::BTreeMap;

use super::fields::Named;
use super::inputs::Read;
use super::steps::Draft;
use super::{Checker, Declared};
use crate::diagnostic::{Code, Span};
use crate::runbook::expr::MOST_CANDIDATES;
use crate::runbook::graph::{Cycle, Dag, StepIx};

/// The most circles that are told of one file.
const MOST_CYCLES: usize = 20;
/// The most steps of a circle that are written out.
const LONGEST_PATH: usize = 12;

/// A need: the step, what it needs, and where that is said.
type Edge = (StepIx, StepIx, Span);

impl Checker<'_> {
    /// The graph of needs, unless it is wrong.
    pub(super) fn graph(&mut self, drafts: &[Draft<'_>], declared: &Declared<'_>) -> Option<Dag> {
        let places = drafts
            .iter()
            .enumerate()
            .map(|(at, draft)| (draft.id.as_str(), StepIx::new(at)));
        let places: BTreeMap<&str, StepIx> = places.collect();
        let mut edges: Vec<Edge> = Vec::new();
        for (at, draft) in drafts.iter().enumerate() {
            for need in &draft.needs {
                if need.name == draft.id.as_str() {
                    let message = format!("the step `{}` needs itself", need.name);
                    let problem = self.report.error(Code::Cycle, need.span, message);
                    self.report
                        .push(problem.help("remove it; a step comes after all others that it needs"));
                } else if let Some(&needed) = places.get(need.name) {
                    edges.push((StepIx::new(at), needed, need.span));
                } else if !declared.steps.contains(need.name) && !self.report.is_full() {
                    self.unknown_step(*need, &places, "needs");
                }
            }
        }
        let mut found = 0;
        loop {
            match Dag::new(drafts.len(), edges.iter().map(|&(step, need, _)| (need, step))) {
                Ok(dag) => return (found == 0).then_some(dag),
                Err(Cycle(path)) => {
                    found += 1;
                    self.cycle(&path, drafts, &edges);
                    if found >= MOST_CYCLES {
                        return None;
                    }
                    // Without one of its needs the circle is open, and others can be found.
                    let (first, second) = (path.first().copied(), path.get(1).or(path.first()).copied());
                    edges.retain(|&(step, need, _)| (Some(step), Some(need)) != (first, second));
                }
            }
        }
    }

    /// What is undone only with other steps comes before these, so that it is undone after them.
    pub(super) fn undone_with(&mut self, drafts: &[Draft<'_>], dag: &Dag) {
        let places = drafts
            .iter()
            .enumerate()
            .map(|(at, draft)| (draft.id.as_str(), StepIx::new(at)));
        let places: BTreeMap<&str, StepIx> = places.collect();
        let named = drafts.iter().enumerate().flat_map(|(at, draft)| {
            let known = draft.undo_with.iter();
            known.map(move |named| (StepIx::new(at), *named))
        });
        let (known, unknown): (Vec<_>, Vec<_>) =
            named.partition(|(_, named)| places.contains_key(named.name));
        for (_, named) in unknown {
            self.unknown_step(named, &places, "undo_with");
        }
        let pairs = known.iter().map(|(at, named)| (*at, places[named.name]));
        let before = comes_before(dag, pairs);
        for ((at, named), _) in known.iter().zip(before).filter(|(_, before)| !before) {
            let id = &drafts[at.index()].id;
            let (message, help) = if named.name == id.as_str() {
                (
                    "a step is not undone with itself".to_owned(),
                    "name a later step".to_owned(),
                )
            } else {
                (
                    format!(
                        "the step `{}` does not need `{id}`, so that `{id}` could be undone before it",
                        named.name
                    ),
                    format!("add `{id}` to the `needs` of `{}`", named.name),
                )
            };
            let problem = self.report.error(Code::StepNotNeeded, named.span, message);
            self.report.push(problem.help(help));
        }
    }

    fn unknown_step(&mut self, named: Named<'_>, steps: &BTreeMap<&str, StepIx>, key: &str) {
        let problem = self.report.error(
            Code::UnknownStep,
            named.span,
            format!("there is no step `{}`", named.name),
        );
        let problem = problem.did_you_mean(named.name, steps.keys().copied().take(MOST_CANDIDATES));
        let problem = match problem.help.is_empty() {
            true => problem.help(format!("`{key}` names steps of this runbook by their ids")),
            false => problem,
        };
        self.report.push(problem);
    }

    fn cycle(&mut self, path: &[StepIx], drafts: &[Draft<'_>], edges: &[Edge]) {
        let id = |at: &StepIx| drafts[at.index()].id.as_str();
        let mut names: Vec<&str> = path.iter().take(LONGEST_PATH).map(id).collect();
        if path.len() > LONGEST_PATH {
            names.push("…");
        }
        names.extend(path.first().map(id));
        let message = format!("these steps need each other: `{}`", names.join(" -> "));
        let mut problem = crate::diagnostic::Diagnostic::error(Code::Cycle, message);
        let pairs = path.iter().zip(path.iter().cycle().skip(1));
        for (step, need) in pairs.take(LONGEST_PATH) {
            let edge = edges.iter().find(|(from, to, _)| (from, to) == (step, need));
            if let Some((_, _, span)) = edge {
                problem = problem.at(
                    &self.report.file,
                    *span,
                    format!("`{}` needs `{}`", id(step), id(need)),
                );
            }
        }
        self.report.push(problem.help("remove one of these needs"));
    }

    /// Every step whose outputs are read must come before the step that reads them, whatever else happens.
    pub(super) fn reads(&mut self, drafts: &[Draft<'_>], dag: &Dag, reads: &[(usize, Read)]) {
        let places = drafts
            .iter()
            .enumerate()
            .map(|(at, draft)| (&draft.id, StepIx::new(at)));
        let places: BTreeMap<_, StepIx> = places.collect();
        let known = reads
            .iter()
            .filter_map(|(at, read)| Some((StepIx::new(*at), *places.get(&read.step)?, read)));
        let known: Vec<(StepIx, StepIx, &Read)> = known.collect();
        let before = comes_before(dag, known.iter().map(|&(reader, read, _)| (read, reader)));
        for ((reader, read, place), _) in known.iter().zip(before).filter(|(_, before)| !before) {
            let (reader, read) = (&drafts[reader.index()], &drafts[read.index()].id);
            let message = match reader.id == *read {
                true => format!("the step `{read}` reads its own outputs"),
                false => format!("the step `{}` reads `{read}`, which it does not need", reader.id),
            };
            let problem = self.report.error(Code::StepNotNeeded, place.span, message);
            let problem = match reader.id == *read {
                true => problem.help("a step's own outputs are `outputs`, when it is rolled back"),
                false => problem
                    .at(
                        &self.report.file,
                        reader.span,
                        "this step may be carried out first",
                    )
                    .help(format!("add `{read}` to its `needs`")),
            };
            let problem = match self.report.moves.get(read.as_str()) {
                Some(moved) => problem.at(&self.report.file, *moved, format!("`{read}` is moved here")),
                None => problem,
            };
            self.report.push(problem);
        }
    }
}

/// For each pair of steps, whether the first comes before the second in every order.
///
/// Asked for each pair alone this would take a walk over the whole graph; here one walk answers for as many
/// first steps as a number has bits.
pub(super) fn comes_before(dag: &Dag, pairs: impl IntoIterator<Item = (StepIx, StepIx)>) -> Vec<bool> {
    let pairs: Vec<(StepIx, StepIx)> = pairs.into_iter().collect();
    let mut answers = vec![false; pairs.len()];
    let mut open: BTreeMap<StepIx, Vec<usize>> = BTreeMap::new();
    for (at, &(first, second)) in pairs.iter().enumerate() {
        if dag.needs(second).any(|need| need == first) {
            answers[at] = true;
        } else {
            open.entry(first).or_default().push(at);
        }
    }
    let firsts: Vec<StepIx> = open.keys().copied().collect();
    for group in firsts.chunks(128) {
        let mut reached = vec![0_u128; dag.order().len()];
        for &step in dag.order() {
            let through = dag.needs(step).fold(0, |bits, need| {
                let own = group.binary_search(&need).map_or(0, |bit| 1 << bit);
                bits | own | reached[need.index()]
            });
            reached[step.index()] = through;
        }
        for (bit, first) in group.iter().enumerate() {
            for &at in open.get(first).into_iter().flatten() {
                answers[at] = reached[pairs[at].1.index()] & (1 << bit) != 0;
            }
        }
    }
    answers
}
