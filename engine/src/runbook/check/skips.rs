//! The check of steps that are never carried out: whoever reads their outputs would find none.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Checker;
use super::inputs::Read;
use super::steps::Draft;
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::runbook::yaml::Node;

impl Checker<'_> {
    /// Tells every read of a step that is skipped. A step that was conditional before may be read by others that
    /// know what to do without it; of that people are only warned.
    pub(super) fn skipped_reads(&mut self, drafts: &[Draft<'_>], reads: &[(usize, Read)]) {
        let skipped = drafts.iter().filter(|draft| draft.skip.is_some());
        let skipped: BTreeMap<&str, &Draft<'_>> = skipped.map(|draft| (draft.id.as_str(), draft)).collect();
        if skipped.is_empty() {
            return;
        }
        for (at, read) in reads.iter().filter(|(_, read)| read.outputs) {
            let reader = &drafts[*at];
            if let (None, Some(gone)) = (reader.skip, skipped.get(read.step.as_str())) {
                let message = format!(
                    "the step `{}` reads the outputs of `{}`, which is never carried out",
                    reader.id, read.step
                );
                let problem = if gone.when.is_some() {
                    Diagnostic::warning(Code::SkippedStepRead, message)
                } else {
                    Diagnostic::error(Code::SkippedStepRead, message)
                };
                self.tell(problem, read.span, gone);
            }
        }
        for reader in drafts.iter().filter(|draft| draft.skip.is_none()) {
            self.scripts_that_read(reader, &skipped);
        }
    }

    /// What a script reads is known only when it runs; a name in its text is worth a warning.
    fn scripts_that_read(&mut self, reader: &Draft<'_>, skipped: &BTreeMap<&str, &Draft<'_>>) {
        let (Some(with), Some((uses, _))) = (reader.with, &reader.uses) else {
            return;
        };
        let kind = self.kind_of(uses);
        let names = kind.as_ref().map_or(&[][..], |kind| kind.doc().scripts);
        let scripts = with.node.entries().filter(|(key, _)| names.contains(&key.name));
        let mut found = Vec::new();
        for (_, script) in scripts {
            let mut open: Vec<Node<'_>> = vec![script];
            while let Some(node) = open.pop() {
                open.extend(node.items());
                open.extend(node.entries().map(|(_, below)| below));
                if let Value::String(text) = node.value() {
                    for gone in skipped.values() {
                        let place = mention(text, gone.id.as_str());
                        found.extend(place.map(|(at, end)| (*gone, node.alignment().span(at, end))));
                    }
                }
            }
        }
        for (gone, span) in found {
            let message = format!(
                "a script of the step `{}` names `{}`, which is never carried out and gives no outputs",
                reader.id, gone.id
            );
            self.tell(Diagnostic::warning(Code::SkippedStepRead, message), span, gone);
        }
    }

    fn tell(&mut self, problem: Diagnostic, read: Span, gone: &Draft<'_>) {
        let skip = gone.skip.map_or(gone.span, |why| why.span);
        let problem = problem.at(&self.report.file, read, "read here").at(
            &self.report.file,
            skip,
            format!("`{}` is skipped here", gone.id),
        );
        self.report.push(problem.help(format!(
            "replace `{}` by a step that gives these outputs, or change or skip what reads them",
            gone.id
        )));
    }
}

/// Where a script names a step's outputs, in one of the ways that the languages of scripts have for it.
fn mention(text: &str, id: &str) -> Option<(usize, usize)> {
    let dotted = id.replace('-', "_");
    let ways = [
        format!("steps.{id}"),
        format!("steps.{dotted}"),
        format!("steps.'{id}'"),
        format!("steps.\"{id}\""),
        format!("steps[\"{id}\"]"),
        format!("steps['{id}']"),
    ];
    let ends = |end: usize| {
        let next = text[end..].chars().next();
        next.is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != '-')
    };
    ways.iter().find_map(|way| {
        let found = text
            .match_indices(way.as_str())
            .map(|(at, _)| (at, at + way.len()));
        found.into_iter().find(|(_, end)| ends(*end))
    })
}
