//! Lines that fit: wrapping with a hanging indent, cutting and padding, by the width of the terminal.

use terminal_size::{Height as Rows, Width as Columns, terminal_size_of};
use textwrap::core::display_width;
use textwrap::{Options, WordSplitter};

/// Text is harder to read in longer lines, however wide the terminal is.
pub(super) const WIDEST_TEXT: usize = 110;

/// Narrower than this, text is no longer put in columns.
const NARROWEST_TABLE: usize = 60;

/// The columns and rows of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) columns: usize,
    pub(crate) rows: usize,
}

impl Size {
    /// The size of standard error; the usual one where it does not know its own.
    pub(crate) fn of_talk() -> Self {
        let known = terminal_size_of(std::io::stderr());
        let known = known.map(|(Columns(columns), Rows(rows))| (usize::from(columns), usize::from(rows)));
        let (columns, rows) = known.unwrap_or_default();
        Self {
            columns: if columns == 0 { 80 } else { columns },
            rows: if rows == 0 { 24 } else { rows },
        }
    }
}

impl From<Size> for Width {
    fn from(size: Size) -> Self {
        Self(Some(size.columns))
    }
}

/// How wide a stream is: a terminal's columns, or without end where it is no terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Width(Option<usize>);

impl Width {
    /// The width of standard output, where results go.
    pub(crate) fn of_results() -> Self {
        Self::of(terminal_size_of(std::io::stdout()))
    }

    /// The width of standard error, where everything else goes.
    pub(crate) fn of_talk() -> Self {
        Self::of(terminal_size_of(std::io::stderr()))
    }

    fn of(size: Option<(Columns, Rows)>) -> Self {
        // A terminal that does not know its size says 0.
        Self(
            size.map(|(Columns(columns), _)| usize::from(columns))
                .filter(|&columns| columns > 0),
        )
    }

    /// Without end: lines as they are.
    pub(crate) fn endless() -> Self {
        Self(None)
    }

    /// A terminal of this many columns.
    #[cfg(test)]
    pub(crate) fn columns(columns: usize) -> Self {
        Self(Some(columns))
    }

    /// Whether it is too narrow for text beside a column of names.
    pub(crate) fn is_narrow(self) -> bool {
        self.0.is_some_and(|columns| columns < NARROWEST_TABLE)
    }

    /// How many columns are left after `used`, if there is an end.
    pub(crate) fn left(self, used: usize) -> Option<usize> {
        self.0.map(|columns| columns.saturating_sub(used))
    }

    /// What is left of it beside `used` columns.
    pub(super) fn narrower(self, used: usize) -> Self {
        Self(self.left(used))
    }

    /// Whether this many columns fit into one line.
    pub(crate) fn fits(self, used: usize) -> bool {
        self.0.is_none_or(|columns| used <= columns)
    }

    /// `text` after `head`, its further lines indented by `indent`; lines of its own stay apart. Words are never
    /// cut, so that paths and names can be copied.
    pub(crate) fn wrap(self, head: &str, indent: usize, text: &str) -> String {
        let hanging = " ".repeat(indent);
        let Some(columns) = self.0 else {
            return format!("{head}{}", text.trim_end().replace('\n', &format!("\n{hanging}")));
        };
        let options = Options::new(columns.min(WIDEST_TEXT).max(indent + 10))
            .subsequent_indent(&hanging)
            .break_words(false)
            .word_splitter(WordSplitter::NoHyphenation);
        let mut lines = text.trim_end().lines();
        let first = format!("{head}{}", lines.next().unwrap_or_default());
        let mut wrapped = textwrap::wrap(&first, &options);
        let options = options.initial_indent(&hanging);
        for line in lines {
            wrapped.extend(
                textwrap::wrap(line, &options)
                    .into_iter()
                    .map(|line| line.into_owned().into()),
            );
        }
        let wrapped: Vec<&str> = wrapped.iter().map(|line| line.trim_end()).collect();
        wrapped.join("\n")
    }
}

/// The text, cut with `…` where it is wider than `most`.
pub(crate) fn cut(text: &str, most: usize) -> String {
    if display_width(text) <= most {
        return text.to_owned();
    }
    let mut short = String::new();
    let mut used = 1;
    for c in text.chars() {
        used += display_width(c.encode_utf8(&mut [0; 4]));
        if used > most {
            break;
        }
        short.push(c);
    }
    format!("{}…", short.trim_end())
}

/// The text with spaces up to `width` columns.
pub(crate) fn pad(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(display_width(text))))
}

/// The widest of some texts, but not more than `most`.
pub(crate) fn widest<T: AsRef<str>>(texts: impl IntoIterator<Item = T>, most: usize) -> usize {
    let widths = texts.into_iter().map(|text| display_width(text.as_ref()));
    widths.max().unwrap_or(0).min(most)
}

#[cfg(test)]
mod tests;
