//! A value of a document together with its place.

use std::sync::Arc;

use serde_json::Value;

use super::align::Alignment;
use super::index::{Index, Kind, NodeId};
use crate::diagnostic::{SourceFile, Span};

/// A key of a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::runbook) struct Key<'a> {
    pub(in crate::runbook) name: &'a str,
    pub(in crate::runbook) span: Span,
}

/// A value and its place.
#[derive(Debug, Clone, Copy)]
pub(in crate::runbook) struct Node<'a> {
    file: &'a Arc<SourceFile>,
    index: &'a Index,
    at: NodeId,
    value: &'a Value,
}

impl<'a> Node<'a> {
    pub(super) fn new(file: &'a Arc<SourceFile>, index: &'a Index, at: NodeId, value: &'a Value) -> Self {
        Self {
            file,
            index,
            at,
            value,
        }
    }

    /// The value.
    pub(in crate::runbook) fn value(self) -> &'a Value {
        self.value
    }

    /// The place; of an alias, where the alias stands.
    pub(in crate::runbook) fn span(self) -> Span {
        let span = self.index.node(self.at).span;
        // A block's text ends with its last line, not with the empty ones after it.
        let raw = self.file.text.get(span.start..span.end).unwrap_or_default();
        Span::new(span.start, span.start + raw.trim_end().len())
    }

    /// Where it stands as it is, and where what an alias stands for was written; the same for all else.
    pub(super) fn places(self) -> (Span, Span) {
        let (here, there) = (self.index.node(self.at), self.index.resolve(self.at));
        (here.span, there.span)
    }

    /// What it is made of.
    pub(super) fn kind(self) -> &'a Kind {
        &self.index.resolve(self.at).kind
    }

    /// The text from which a string, number or boolean was read; empty for maps and lists.
    pub(in crate::runbook) fn raw(self) -> &'a str {
        match &self.index.resolve(self.at).kind {
            Kind::Scalar { text, .. } => text,
            Kind::Sequence(_) | Kind::Mapping(_) | Kind::Alias(_) => "",
        }
    }

    /// The keys and values of a map, in the file's order; nothing for other values.
    pub(in crate::runbook) fn entries(self) -> impl Iterator<Item = (Key<'a>, Self)> {
        let entries = match &self.index.resolve(self.at).kind {
            Kind::Mapping(entries) => entries.as_slice(),
            Kind::Scalar { .. } | Kind::Sequence(_) | Kind::Alias(_) => &[],
        };
        entries.iter().filter_map(move |entry| {
            let value = self.value.get(&entry.name)?;
            let key = Key {
                name: &entry.name,
                span: entry.span,
            };
            Some((
                key,
                Self {
                    at: entry.value,
                    value,
                    ..self
                },
            ))
        })
    }

    /// The items of a list, in order; nothing for other values.
    pub(in crate::runbook) fn items(self) -> impl Iterator<Item = Self> {
        let items = match &self.index.resolve(self.at).kind {
            Kind::Sequence(items) => items.as_slice(),
            Kind::Scalar { .. } | Kind::Mapping(_) | Kind::Alias(_) => &[],
        };
        let values = self.value.as_array().map(Vec::as_slice).unwrap_or_default();
        items
            .iter()
            .zip(values)
            .map(move |(&at, value)| Self { at, value, ..self })
    }

    /// Follows a path of keys and item numbers as far as it leads; the key that it ended at comes along.
    pub(in crate::runbook) fn follow(self, path: &[String]) -> (Self, Option<Span>) {
        let (mut node, mut key) = (self, None);
        for part in path {
            let entry = node.entries().find(|(key, _)| key.name == *part);
            let item = || Some((None, node.items().nth(part.parse().ok()?)?));
            let Some((span, next)) = entry.map(|(key, next)| (Some(key.span), next)).or_else(item) else {
                break;
            };
            (node, key) = (next, span);
        }
        (node, key)
    }

    /// The way from positions within a string's value to the file.
    pub(in crate::runbook) fn alignment(self) -> Alignment {
        Alignment::new(&self.file.text, self.index.resolve(self.at).span, self.raw())
    }
}
