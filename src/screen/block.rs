//! Lines that are rewritten in place: what must be written to the terminal so that others stand there.

use crossterm::Command;
use crossterm::cursor::MoveUp;
use crossterm::terminal::{BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate};
use textwrap::core::display_width;

use crate::render::layout::Size;

/// The lines that stand in the terminal; the cursor stands at the beginning of the row below them.
#[derive(Debug)]
pub(super) struct Block {
    lines: Vec<String>,
    /// How wide the terminal was when they were written.
    columns: usize,
    reflows: bool,
}

impl Block {
    pub(super) fn new(reflows: bool) -> Self {
        Self {
            lines: Vec::new(),
            columns: 0,
            reflows,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// So that these lines stand there; nothing where they do already. None is wider than the terminal.
    pub(super) fn repaint(&mut self, lines: Vec<String>, size: Size) -> String {
        if size.columns == self.columns && lines == self.lines {
            return String::new();
        }
        let mut frame = Frame::default();
        if size.columns == self.columns && self.lines.len() < size.rows {
            frame.up(self.lines.len());
            for (at, line) in lines.iter().enumerate() {
                frame.line(line, self.lines.get(at));
            }
            if lines.len() < self.lines.len() {
                frame.put(&Clear(ClearType::FromCursorDown));
            }
        } else {
            self.take_away(&mut frame, size);
            lines.iter().for_each(|line| frame.line(line, None));
        }
        (self.lines, self.columns) = (lines, size.columns);
        frame.end()
    }

    /// So that a text stands above the lines.
    pub(super) fn above(&mut self, text: &str, size: Size) -> String {
        let mut frame = Frame::default();
        if size.columns == self.columns {
            // Written over what stands there, never cleared first: a row that is empty for a moment flickers.
            frame.up(self.height(size));
        } else {
            self.take_away(&mut frame, size);
        }
        frame.text(text, size.columns.max(1));
        if size.columns < self.columns {
            // They are too wide by now; they come back when they are drawn next.
            self.lines.clear();
        }
        self.lines.iter().for_each(|line| frame.line(line, None));
        frame.end()
    }

    /// So that nothing of it is left.
    pub(super) fn erase(&mut self, size: Size) -> String {
        if self.is_empty() {
            return String::new();
        }
        let mut frame = Frame::default();
        self.take_away(&mut frame, size);
        self.lines.clear();
        frame.end()
    }

    fn take_away(&self, frame: &mut Frame, size: Size) {
        if !self.is_empty() {
            frame.up(self.height(size));
            frame.put(&Clear(ClearType::FromCursorDown));
        }
    }

    /// How many rows the lines take by now.
    fn height(&self, size: Size) -> usize {
        let broken = self.reflows && size.columns < self.columns;
        let rows = |line: &String| {
            if broken {
                display_width(line).div_ceil(size.columns).max(1)
            } else {
                1
            }
        };
        let all: usize = self.lines.iter().map(rows).sum();
        all.min(size.rows.saturating_sub(1))
    }
}

/// What is written at once, so that nobody sees the half of it.
struct Frame(String);

impl Default for Frame {
    fn default() -> Self {
        let mut frame = Self(String::new());
        frame.put(&BeginSynchronizedUpdate);
        frame
    }
}

impl Frame {
    fn put(&mut self, command: &impl Command) {
        // Writing into a text cannot fail.
        command.write_ansi(&mut self.0).ok();
    }

    fn up(&mut self, rows: usize) {
        self.0.push('\r');
        if rows > 0 {
            self.put(&MoveUp(u16::try_from(rows).unwrap_or(u16::MAX)));
        }
    }

    /// A line, unless it stands there already, and the way to the next.
    fn line(&mut self, line: &str, there: Option<&String>) {
        if there.is_none_or(|there| there != line) {
            self.0.push_str(line);
            self.put(&Clear(ClearType::UntilNewLine));
        }
        self.0.push_str("\r\n");
    }

    fn text(&mut self, text: &str, columns: usize) {
        for line in text.split('\n') {
            self.0.push_str(line);
            // At the end of a full row the cursor stands on its last sign, which stays.
            if line.is_empty() || !display_width(line).is_multiple_of(columns) {
                self.put(&Clear(ClearType::UntilNewLine));
            }
            self.0.push_str("\r\n");
        }
    }

    fn end(mut self) -> String {
        self.put(&EndSynchronizedUpdate);
        self.0
    }
}

#[cfg(test)]
mod tests;
