//! A line in several styles that can be cut to what a terminal has room for.

use anstyle::Style;
use textwrap::core::display_width;
use textwrap::{Options, WordSplitter};

use crate::render::layout::{WIDEST_TEXT, cut, pad};
use crate::render::style::paint;

/// A line that is being put together.
#[derive(Debug, Default, Clone)]
pub(super) struct Line(Vec<(Style, String)>);

impl Line {
    /// So much more text, on this one line.
    pub(super) fn with(mut self, style: Style, text: impl Into<String>) -> Self {
        // A title may have lines of its own, and a tab has no width that could be counted.
        self.0.push((style, text.into().replace(['\n', '\t'], " ")));
        self
    }

    /// Another line after this one.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// So much more text, and spaces up to the width of its column.
    pub(super) fn column(self, style: Style, text: &str, width: usize) -> Self {
        let spaces = pad("", width.saturating_sub(display_width(text)) + 2);
        self.with(style, text).with(Style::new(), spaces)
    }

    /// The lines of a paragraph that begins after `head`; the others begin below its first letter. Words that are
    /// too long go on in the next line.
    pub(super) fn paragraph(head: Self, indent: usize, style: Style, text: &str, room: usize) -> Vec<Self> {
        let options = Options::new(room.min(WIDEST_TEXT).saturating_sub(indent).max(10))
            .word_splitter(WordSplitter::NoHyphenation);
        let mut head = Some(head);
        let lines = textwrap::wrap(text, options).into_iter().map(|text| {
            let head = head
                .take()
                .unwrap_or_else(|| Self::default().with(Style::new(), pad("", indent)));
            head.with(style, text)
        });
        lines.collect()
    }

    /// The line as it is written, with an ellipsis where it does not fit.
    pub(super) fn fit(mut self, room: usize) -> String {
        while let Some((_, last)) = self.0.last_mut() {
            last.truncate(last.trim_end().len());
            if !last.is_empty() {
                break;
            }
            self.0.pop();
        }
        let all: usize = self.0.iter().map(|(_, text)| display_width(text)).sum();
        let mut left = if all > room { room.saturating_sub(1) } else { room };
        let mut written = String::new();
        for (style, text) in &self.0 {
            let width = display_width(text);
            if width > left {
                written += &paint(*style, cut(text, left + 1));
                break;
            }
            written += &paint(*style, text);
            left -= width;
        }
        written
    }
}

#[cfg(test)]
mod tests {
    use anstyle::Style;

    use super::Line;
    use crate::render::style::BAD;

    #[test]
    fn it_is_cut_where_the_room_ends_whatever_its_styles() {
        let line = Line::default()
            .column(BAD, "one", 5)
            .with(BAD, "表two")
            .with(Style::new(), " three");
        let shown = |room| anstream::adapter::strip_str(&line.clone().fit(room)).to_string();
        assert_eq!(shown(80), "one    表two three");
        assert_eq!(shown(15), "one    表two t…");
        assert_eq!(shown(9), "one    …");
        assert_eq!((shown(4).as_str(), shown(2).as_str()), ("one…", "o…"));
        assert!(line.fit(9).ends_with("\u{1b}[0m"), "no colour runs on");
    }

    #[test]
    fn spaces_at_its_end_are_not_written() {
        assert_eq!(Line::default().column(Style::new(), "one", 9).fit(80), "one");
    }
}
