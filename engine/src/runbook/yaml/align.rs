//! From a place in a YAML string's value to the place in the file where it was written.

use crate::diagnostic::Span;

/// Maps byte offsets of a decoded string to the file.
#[derive(Debug)]
pub(crate) struct Alignment {
    /// Pairs of offsets, decoded and in the file, one where they start to run in step and one at the end.
    steps: Vec<(usize, usize)>,
}

impl Alignment {
    /// Aligns the string `decoded` with the bytes of `text` (a whole file) at `span` that it was read from.
    ///
    /// Quotes, escapes, folding and indentation are found by walking both at once; only characters other
    /// than white space need to match exactly, since no style of YAML changes those except by escapes.
    pub(crate) fn new(text: &str, span: Span, decoded: &str) -> Self {
        let raw = text.get(span.start..span.end).unwrap_or_default();
        let style = Style::of(raw, decoded);
        let mut walk = Walk {
            raw,
            at: style.opening(),
            style,
        };
        let mut steps: Vec<(usize, usize)> = Vec::new();
        for (offset, wanted) in decoded.char_indices() {
            let found = span.start + walk.advance(wanted);
            let in_step = steps
                .last()
                .is_some_and(|&(from, to)| found >= to && offset - from == found - to);
            if !in_step {
                steps.push((offset, found));
            }
        }
        steps.push((decoded.len(), span.start + walk.at));
        Self { steps }
    }

    /// Where a byte of the decoded string stands in the file.
    pub(crate) fn place(&self, offset: usize) -> usize {
        let after = self.steps.partition_point(|&(from, _)| from <= offset);
        let (from, to) = self
            .steps
            .get(after.saturating_sub(1))
            .copied()
            .unwrap_or_default();
        to + offset.saturating_sub(from)
    }

    /// Where a range of the decoded string stands in the file.
    pub(crate) fn span(&self, start: usize, end: usize) -> Span {
        let last = if end > start {
            self.place(end - 1) + 1
        } else {
            self.place(start)
        };
        Span::new(self.place(start), last)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// Plain, or a block: no quotes and no escapes.
    Bare,
    Single,
    Double,
}

impl Style {
    fn of(raw: &str, decoded: &str) -> Self {
        // A part of a quoted string starts with whatever it starts with: quotes count only in pairs.
        let quoted =
            |quote: char| raw.len() >= 2 && raw.starts_with(quote) && raw.ends_with(quote) && raw != decoded;
        if quoted('"') {
            Self::Double
        } else if quoted('\'') {
            Self::Single
        } else {
            Self::Bare
        }
    }

    fn opening(self) -> usize {
        match self {
            Self::Bare => 0,
            Self::Single | Self::Double => 1,
        }
    }
}

struct Walk<'a> {
    raw: &'a str,
    at: usize,
    style: Style,
}

impl Walk<'_> {
    fn next(&self) -> Option<char> {
        self.raw[self.at..].chars().next()
    }

    /// Goes past what `wanted` was read from, and gives the place where that starts.
    fn advance(&mut self, wanted: char) -> usize {
        if !wanted.is_whitespace() {
            self.skip_white_space();
        }
        let start = self.at;
        match self.next() {
            Some('\\') if self.style == Style::Double => self.at += escape_length(&self.raw[self.at..]),
            Some('\'') if self.style == Style::Single => self.at += 2.min(self.raw.len() - self.at),
            Some(c) if !wanted.is_whitespace() || c == wanted => self.at += c.len_utf8(),
            // White space that was folded: what it was read from is skipped with the next character.
            Some(_) | None => {}
        }
        start
    }

    fn skip_white_space(&mut self) {
        while let Some(c) = self.next() {
            let rest = &self.raw[self.at..];
            let continued =
                self.style == Style::Double && (rest.starts_with("\\\n") || rest.starts_with("\\\r"));
            if !c.is_whitespace() && !continued {
                return;
            }
            self.at += c.len_utf8();
        }
    }
}

/// The length of the escape sequence that `raw` starts with.
fn escape_length(raw: &str) -> usize {
    let mut chars = raw.chars().skip(1);
    let length = match chars.next() {
        Some('x') => 4,
        Some('u') => 6,
        Some('U') => 10,
        Some(c) => 1 + c.len_utf8(),
        None => 1,
    };
    length.min(raw.len())
}
