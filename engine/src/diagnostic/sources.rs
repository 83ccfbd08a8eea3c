//! Several files as one text, so that one span tells both the file and the place in it.

use std::sync::Arc;

use super::{Diagnostic, SourceFile, Span};

/// Files, one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sources {
    whole: Arc<SourceFile>,
    /// Each file, and where it starts in the whole.
    parts: Vec<(usize, Arc<SourceFile>)>,
}

impl Sources {
    /// One file; its places are those of the whole.
    #[must_use]
    pub fn one(file: &Arc<SourceFile>) -> Self {
        Self::new(file, &[])
    }

    /// A file and those that come after it.
    #[must_use]
    pub fn new(first: &Arc<SourceFile>, others: &[Arc<SourceFile>]) -> Self {
        if others.is_empty() {
            return Self {
                whole: Arc::clone(first),
                parts: vec![(0, Arc::clone(first))],
            };
        }
        let (mut text, mut parts) = (String::new(), Vec::new());
        for file in std::iter::once(first).chain(others) {
            parts.push((text.len(), Arc::clone(file)));
            text += &file.text;
            text.push('\n');
        }
        Self {
            whole: SourceFile::new(first.name.clone(), text),
            parts,
        }
    }

    /// All files as one text.
    #[must_use]
    pub fn whole(&self) -> &Arc<SourceFile> {
        &self.whole
    }

    /// The first file.
    #[must_use]
    pub fn first(&self) -> &Arc<SourceFile> {
        self.parts.first().map_or(&self.whole, |(_, file)| file)
    }

    /// Where the file of that number starts in the whole.
    #[must_use]
    pub fn start(&self, number: usize) -> usize {
        self.parts.get(number).map_or(0, |(start, _)| *start)
    }

    /// The file and the place in it that a span of the whole means.
    #[must_use]
    pub fn place(&self, span: Span) -> (Arc<SourceFile>, Span) {
        let number = self
            .parts
            .partition_point(|(start, _)| *start <= span.start)
            .saturating_sub(1);
        match self.parts.get(number) {
            Some((start, file)) => {
                let local = Span::new(span.start - start, span.end.saturating_sub(*start));
                (Arc::clone(file), local)
            }
            None => (Arc::clone(&self.whole), span),
        }
    }

    /// A diagnostic about the whole, with the files that its places stand in.
    #[must_use]
    pub fn located(&self, mut diagnostic: Diagnostic) -> Diagnostic {
        for label in &mut diagnostic.labels {
            if Arc::ptr_eq(&label.file, &self.whole) {
                (label.file, label.span) = self.place(label.span);
            }
        }
        diagnostic
    }

    /// Where a diagnostic stands among others: by file, then by place; other files come last, by their names.
    #[must_use]
    pub fn rank(&self, diagnostic: &Diagnostic) -> Option<(usize, Option<String>, Span)> {
        let label = diagnostic.labels.first()?;
        let is_it = |(_, file): &(usize, Arc<SourceFile>)| Arc::ptr_eq(file, &label.file);
        Some(match self.parts.iter().position(is_it) {
            Some(number) => (number, None, label.span),
            None => (self.parts.len(), Some(label.file.name.clone()), label.span),
        })
    }
}
