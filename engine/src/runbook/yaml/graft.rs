//! A document made of parts of others; every value keeps the place at which it was written.

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::index::{Entry, Index, Kind, Node as Indexed, NodeId};
use super::{Document, Node};
use crate::diagnostic::{SourceFile, Span};

/// What a new document is made of.
#[derive(Debug, Clone)]
pub(in crate::runbook) enum Part<'a> {
    /// A value of another document, as it stands there.
    Whole(Node<'a>),
    /// A map made anew: where it counts as standing, and its entries.
    Map(Span, Entries<'a>),
    /// A list of texts made anew, each with its place.
    Texts(Span, Vec<(&'a str, Span)>),
}

/// The entries of a map, with the places of their keys.
pub(in crate::runbook) type Entries<'a> = IndexMap<&'a str, (Span, Part<'a>)>;

impl<'a> Part<'a> {
    /// Whether this is a map.
    pub(in crate::runbook) fn is_map(&self) -> bool {
        match self {
            Self::Whole(node) => node.value().is_object(),
            Self::Map(..) => true,
            Self::Texts(..) => false,
        }
    }

    /// The text, if it is one that stands in a document.
    pub(in crate::runbook) fn text(&self) -> Option<&'a str> {
        match self {
            Self::Whole(node) => node.value().as_str(),
            Self::Map(..) | Self::Texts(..) => None,
        }
    }

    /// The value of a key of a map, if it stands in a document.
    pub(in crate::runbook) fn node(&self, name: &str) -> Option<Node<'a>> {
        match self {
            Self::Whole(node) => node
                .entries()
                .find_map(|(key, value)| (key.name == name).then_some(value)),
            Self::Map(_, entries) => match entries.get(name) {
                Some((_, Self::Whole(node))) => Some(*node),
                Some((_, Self::Map(..) | Self::Texts(..))) | None => None,
            },
            Self::Texts(..) => None,
        }
    }

    /// The place and the entries of a map; anything else has none.
    pub(in crate::runbook) fn into_entries(self) -> (Span, Entries<'a>) {
        match self {
            Self::Whole(node) => {
                let entries = node.entries();
                let entries = entries.map(|(key, value)| (key.name, (key.span, Self::Whole(value))));
                (node.span(), entries.collect())
            }
            Self::Map(span, entries) => (span, entries),
            Self::Texts(span, _) => (span, Entries::new()),
        }
    }

    /// This map with one entry more, or another value of it.
    pub(in crate::runbook) fn with(self, name: &'a str, place: Span, value: Self) -> Self {
        let (span, mut entries) = self.into_entries();
        entries.insert(name, (place, value));
        Self::Map(span, entries)
    }
}

impl Document {
    /// The same document as a part of a longer text, in which it starts at `start`.
    pub(in crate::runbook) fn within(mut self, whole: &Arc<SourceFile>, start: usize) -> Self {
        if start > 0 {
            self.index.shift(start);
        }
        self.file = Arc::clone(whole);
        self
    }

    /// The document that is made of these parts, all of which stand in `file`.
    pub(in crate::runbook) fn of(file: &Arc<SourceFile>, parts: Part<'_>) -> Self {
        let mut nodes = Vec::new();
        let (root, value) = put(&mut nodes, parts);
        Self {
            file: Arc::clone(file),
            index: Index::new(nodes, root),
            value,
        }
    }
}

fn put(nodes: &mut Vec<Indexed>, part: Part<'_>) -> (NodeId, Value) {
    let (span, kind, value) = match part {
        Part::Whole(node) => return (copy(nodes, node), node.value().clone()),
        Part::Map(span, parts) => {
            let (mut entries, mut values) = (Vec::with_capacity(parts.len()), Map::new());
            for (name, (span, part)) in parts {
                let (at, value) = put(nodes, part);
                entries.push(Entry {
                    name: name.to_owned(),
                    span,
                    value: at,
                });
                values.insert(name.to_owned(), value);
            }
            (span, Kind::Mapping(entries), Value::Object(values))
        }
        Part::Texts(span, texts) => {
            let scalar = |&(text, span): &(&str, Span)| {
                nodes.push(Indexed {
                    span,
                    kind: Kind::Scalar {
                        text: text.to_owned(),
                        plain: false,
                    },
                });
                nodes.len() - 1
            };
            let items = texts.iter().map(scalar).collect();
            let values = texts.iter().map(|(text, _)| Value::from(*text)).collect();
            (span, Kind::Sequence(items), Value::Array(values))
        }
    };
    nodes.push(Indexed { span, kind });
    (nodes.len() - 1, value)
}

/// Copies a node and all below it. What an alias stands for is copied with it.
fn copy(nodes: &mut Vec<Indexed>, node: Node<'_>) -> NodeId {
    let (span, own) = node.places();
    let kind = match node.kind() {
        Kind::Scalar { text, plain } => Kind::Scalar {
            text: text.clone(),
            plain: *plain,
        },
        Kind::Sequence(_) => Kind::Sequence(node.items().map(|item| copy(nodes, item)).collect()),
        Kind::Mapping(_) => {
            let entries = node.entries().map(|(key, value)| Entry {
                name: key.name.to_owned(),
                span: key.span,
                value: copy(nodes, value),
            });
            Kind::Mapping(entries.collect())
        }
        Kind::Alias(target) => Kind::Alias(*target),
    };
    nodes.push(Indexed { span: own, kind });
    if span != own {
        let target = nodes.len() - 1;
        nodes.push(Indexed {
            span,
            kind: Kind::Alias(target),
        });
    }
    nodes.len() - 1
}
