//! Where everything in a YAML text stands: an arena of nodes, built from the scanner's events in one pass.

use std::collections::HashMap;
use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScalarStyle, Span as Marks, Tag};

use super::offsets::Offsets;
use super::{DEEPEST, MOST_ALIASES, MOST_MISTAKES, MOST_VALUES, problem};
use crate::diagnostic::{Diagnostic, SourceFile, Span};

/// The number of a node in its index.
pub(super) type NodeId = usize;

/// All nodes of a text.
#[derive(Debug)]
pub(super) struct Index {
    nodes: Vec<Node>,
    pub(super) root: NodeId,
}

/// One value: where it stands and what it is made of.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) span: Span,
    pub(super) kind: Kind,
}

/// What a value is made of.
#[derive(Debug)]
pub(super) enum Kind {
    Scalar {
        text: String,
        plain: bool,
    },
    Sequence(Vec<NodeId>),
    Mapping(Vec<Entry>),
    /// Another node stands here too.
    Alias(NodeId),
}

/// One key of a map, and its value.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) span: Span,
    pub(super) value: NodeId,
}

impl Index {
    pub(super) fn new(nodes: Vec<Node>, root: NodeId) -> Self {
        Self { nodes, root }
    }

    /// Moves every place by so many bytes.
    pub(super) fn shift(&mut self, by: usize) {
        let moved = |span: &mut Span| *span = Span::new(span.start + by, span.end + by);
        for node in &mut self.nodes {
            moved(&mut node.span);
            if let Kind::Mapping(entries) = &mut node.kind {
                entries.iter_mut().for_each(|entry| moved(&mut entry.span));
            }
        }
    }

    pub(super) fn node(&self, at: NodeId) -> &Node {
        &self.nodes[at]
    }

    /// The node itself, or the one that it is an alias of.
    pub(super) fn resolve(&self, at: NodeId) -> &Node {
        match self.nodes[at].kind {
            Kind::Alias(target) => &self.nodes[target],
            Kind::Scalar { .. } | Kind::Sequence(_) | Kind::Mapping(_) => &self.nodes[at],
        }
    }
}

/// Builds the index, or says why the text cannot be read at all.
pub(super) fn build(file: &Arc<SourceFile>) -> Result<(Index, Vec<Diagnostic>), Vec<Diagnostic>> {
    let mut builder = Builder::new(file);
    match builder.run() {
        Ok(root) => Ok((
            Index {
                nodes: builder.nodes,
                root,
            },
            builder.mistakes,
        )),
        Err(fatal) => {
            builder.mistakes.push(*fatal);
            Err(builder.mistakes)
        }
    }
}

/// A map or list whose end has not come yet.
enum Open {
    Sequence {
        at: NodeId,
        items: Vec<NodeId>,
    },
    Mapping {
        at: NodeId,
        entries: Vec<Entry>,
        places: HashMap<String, usize>,
        key: PendingKey,
    },
}

/// What the next value of a map will be.
enum PendingKey {
    /// A key.
    None,
    /// The value of this key.
    Text { name: String, span: Span },
    /// The value of something that is no key.
    Refused,
}

struct Builder<'a> {
    file: &'a Arc<SourceFile>,
    offsets: Offsets<'a>,
    nodes: Vec<Node>,
    /// How many values stand at and below each node, aliases counted in full.
    sizes: Vec<usize>,
    open: Vec<Open>,
    /// The nodes that have an anchor.
    anchors: HashMap<usize, NodeId>,
    aliases: usize,
    root: Option<NodeId>,
    mistakes: Vec<Diagnostic>,
}

/// Reading cannot go on; boxed, since it is the rare case.
type Fatal = Box<Diagnostic>;

impl<'a> Builder<'a> {
    fn new(file: &'a Arc<SourceFile>) -> Self {
        let (nodes, sizes, open, mistakes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let offsets = Offsets::new(&file.text);
        Self {
            file,
            offsets,
            nodes,
            sizes,
            open,
            anchors: HashMap::new(),
            aliases: 0,
            root: None,
            mistakes,
        }
    }

    fn run(&mut self) -> Result<NodeId, Fatal> {
        let mut documents = 0;
        let mut parser = Parser::new_from_str(&self.file.text);
        while let Some(next) = parser.next_event() {
            let (event, marks) = next.map_err(|error| {
                Box::new(problem::of_syntax(
                    self.file,
                    self.offsets.byte(error.marker().index()),
                    error.info(),
                ))
            })?;
            let span = self.span(marks);
            match event {
                Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
                Event::DocumentStart(_) => {
                    documents += 1;
                    if documents > 1 {
                        return Err(Box::new(problem::second_document(self.file, span)));
                    }
                }
                Event::Alias(anchor) => self.alias(anchor, span)?,
                Event::Scalar(text, style, anchor, tag) => {
                    self.refuse_tag(tag.as_deref(), span);
                    let plain = style == ScalarStyle::Plain;
                    let span = match style {
                        // Nothing has no extent; quotes end with the quote.
                        ScalarStyle::Plain if text.is_empty() => Span::new(span.start, span.start),
                        ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => self.trimmed(span),
                        ScalarStyle::Plain | ScalarStyle::Literal | ScalarStyle::Folded => span,
                    };
                    self.scalar(text.into_owned(), plain, anchor, span)?;
                }
                Event::SequenceStart(anchor, tag) => {
                    self.refuse_tag(tag.as_deref(), span);
                    let at = self.start(Kind::Sequence(Vec::new()), anchor, span)?;
                    self.open.push(Open::Sequence {
                        at,
                        items: Vec::new(),
                    });
                }
                Event::MappingStart(anchor, tag) => {
                    self.refuse_tag(tag.as_deref(), span);
                    let at = self.start(Kind::Mapping(Vec::new()), anchor, span)?;
                    let (entries, places, key) = (Vec::new(), HashMap::new(), PendingKey::None);
                    self.open.push(Open::Mapping {
                        at,
                        entries,
                        places,
                        key,
                    });
                }
                Event::SequenceEnd | Event::MappingEnd => self.end(span)?,
            }
            if self.mistakes.len() >= MOST_MISTAKES {
                return Err(Box::new(problem::too_many_mistakes(self.file, span)));
            }
        }
        self.root.ok_or_else(|| Box::new(problem::empty(self.file)))
    }

    fn span(&self, marks: Marks) -> Span {
        Span::new(
            self.offsets.byte(marks.start.index()),
            self.offsets.byte(marks.end.index()),
        )
    }

    fn trimmed(&self, span: Span) -> Span {
        let raw = self.file.text.get(span.start..span.end).unwrap_or_default();
        Span::new(span.start, span.start + raw.trim_end().len())
    }

    fn refuse_tag(&mut self, tag: Option<&Tag>, span: Span) {
        if let Some(tag) = tag {
            self.mistakes.push(problem::tag(self.file, span, tag));
        }
    }

    fn push(&mut self, node: Node, size: usize, anchor: usize) -> Result<NodeId, Fatal> {
        if self.nodes.len() >= MOST_VALUES {
            return Err(Box::new(problem::too_many_values(self.file, node.span)));
        }
        let at = self.nodes.len();
        self.nodes.push(node);
        self.sizes.push(size);
        if anchor > 0 {
            self.anchors.insert(anchor, at);
        }
        Ok(at)
    }

    fn scalar(&mut self, text: String, plain: bool, anchor: usize, span: Span) -> Result<(), Fatal> {
        if let Some(Open::Mapping {
            key: key @ PendingKey::None,
            ..
        }) = self.open.last_mut()
        {
            if plain && text == "<<" {
                self.mistakes.push(problem::merge_key(self.file, span));
            }
            *key = PendingKey::Text {
                name: text.clone(),
                span,
            };
            if anchor > 0 {
                self.push(
                    Node {
                        span,
                        kind: Kind::Scalar { text, plain },
                    },
                    1,
                    anchor,
                )?;
            }
            return Ok(());
        }
        if plain && problem::is_too_large(&text) {
            self.mistakes.push(problem::too_large(self.file, span, &text));
        }
        if plain && problem::is_not_finite(&text) {
            self.mistakes.push(problem::not_finite(self.file, span, &text));
        }
        let at = self.push(
            Node {
                span,
                kind: Kind::Scalar { text, plain },
            },
            1,
            anchor,
        )?;
        self.value(at, span)
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<(), Fatal> {
        self.aliases += 1;
        let target = self.anchors.get(&anchor).copied();
        let inside_itself = self.open.iter().any(|open| match open {
            Open::Sequence { at, .. } | Open::Mapping { at, .. } => Some(*at) == target,
        });
        let Some(target) = target.filter(|_| !inside_itself) else {
            return Err(Box::new(problem::endless(self.file, span)));
        };
        if self.aliases > MOST_ALIASES {
            return Err(Box::new(problem::too_many_aliases(self.file, span)));
        }
        let size = self.sizes[target];
        let at = self.push(
            Node {
                span,
                kind: Kind::Alias(target),
            },
            size,
            0,
        )?;
        self.value(at, span)
    }

    fn start(&mut self, kind: Kind, anchor: usize, span: Span) -> Result<NodeId, Fatal> {
        if self.open.len() >= DEEPEST {
            return Err(Box::new(problem::too_deep(self.file, span)));
        }
        self.push(Node { span, kind }, 1, anchor)
    }

    fn end(&mut self, span: Span) -> Result<(), Fatal> {
        let (at, kind) = match self.open.pop() {
            Some(Open::Sequence { at, items }) => (at, Kind::Sequence(items)),
            Some(Open::Mapping { at, entries, .. }) => (at, Kind::Mapping(entries)),
            None => return Ok(()),
        };
        self.nodes[at].span = self.extent(at, &kind, span);
        self.nodes[at].kind = kind;
        self.value(at, self.nodes[at].span)
    }

    /// From the first to the last byte of a map or list; the scanner's end of a block lies on a later line.
    fn extent(&self, at: NodeId, kind: &Kind, end: Span) -> Span {
        let start = self.nodes[at].span;
        if end.end > end.start {
            return Span::new(start.start, end.end);
        }
        let first = match kind {
            Kind::Mapping(entries) => entries.first().map(|entry| entry.span.start),
            Kind::Sequence(_) | Kind::Scalar { .. } | Kind::Alias(_) => None,
        };
        let last = match kind {
            Kind::Mapping(entries) => entries
                .last()
                .map(|entry| entry.span.end.max(self.nodes[entry.value].span.end)),
            Kind::Sequence(items) => items.last().map(|&item| self.nodes[item].span.end),
            Kind::Scalar { .. } | Kind::Alias(_) => None,
        };
        Span::new(first.unwrap_or(start.start), last.unwrap_or(start.end))
    }

    /// A value is complete: it becomes an item, the value of a key, or the root.
    fn value(&mut self, at: NodeId, span: Span) -> Result<(), Fatal> {
        let size = self.sizes[at];
        let parent = match self.open.last_mut() {
            None => {
                self.root = Some(at);
                return Ok(());
            }
            Some(Open::Sequence { at: parent, items }) => {
                items.push(at);
                *parent
            }
            Some(Open::Mapping {
                at: parent,
                entries,
                places,
                key,
            }) => {
                match std::mem::replace(key, PendingKey::None) {
                    PendingKey::None => {
                        *key = PendingKey::Refused;
                        self.mistakes.push(problem::key_is_no_text(self.file, span));
                    }
                    PendingKey::Refused => {}
                    PendingKey::Text { name, span } => match places.get(&name) {
                        Some(&place) => {
                            let first: &mut Entry = &mut entries[place];
                            self.mistakes
                                .push(problem::duplicate_key(self.file, &name, first.span, span));
                            first.value = at;
                        }
                        None => {
                            places.insert(name.clone(), entries.len());
                            entries.push(Entry {
                                name,
                                span,
                                value: at,
                            });
                        }
                    },
                }
                *parent
            }
        };
        self.sizes[parent] = self.sizes[parent].saturating_add(size);
        if self.sizes[parent] > MOST_VALUES {
            return Err(Box::new(problem::too_many_values(self.file, span)));
        }
        Ok(())
    }
}
