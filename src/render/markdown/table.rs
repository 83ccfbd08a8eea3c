//! A table of Markdown in columns, or row by row where they have no room.

use textwrap::core::display_width;

use crate::render::layout::pad;
use crate::render::style::{BOLD, DIM, paint};

/// A table: the first row is its head.
#[derive(Default)]
pub(super) struct Table {
    rows: Vec<Vec<String>>,
    row: Vec<String>,
}

impl Table {
    pub(super) fn cell(&mut self, text: String) {
        self.row.push(text);
    }

    pub(super) fn end_row(&mut self) {
        self.rows.push(std::mem::take(&mut self.row));
    }

    /// The table in so many columns of the terminal, or without end.
    pub(super) fn laid_out(&self, room: Option<usize>) -> String {
        let count = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let widest = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| display_width(cell)).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..count).map(widest).collect();
        let needed = widths.iter().sum::<usize>() + 2 * count.saturating_sub(1);
        if room.is_none_or(|room| needed <= room) {
            self.in_columns(&widths)
        } else {
            self.row_by_row()
        }
    }

    fn in_columns(&self, widths: &[usize]) -> String {
        let mut lines = Vec::new();
        for (at, row) in self.rows.iter().enumerate() {
            let last = row.len().saturating_sub(1);
            let cells = row.iter().zip(widths).enumerate();
            let cells = cells.map(|(column, (cell, &width))| match column == last {
                true => cell.clone(),
                false => pad(cell, width),
            });
            let cells: Vec<String> = if at == 0 {
                cells.map(|cell| paint(BOLD, cell)).collect()
            } else {
                cells.collect()
            };
            lines.push(cells.join("  "));
            if at == 0 {
                let rules: Vec<String> = widths.iter().map(|&width| "─".repeat(width)).collect();
                lines.push(paint(DIM, rules.join("  ")));
            }
        }
        lines.join("\n")
    }

    fn row_by_row(&self) -> String {
        let Some((head, rows)) = self.rows.split_first() else {
            return String::new();
        };
        let rows = rows.iter().map(|row| {
            let cells = head.iter().zip(row);
            let cells: Vec<String> = cells
                .map(|(name, cell)| format!("{} {cell}", paint(BOLD, format!("{name}:"))))
                .collect();
            cells.join("\n")
        });
        rows.collect::<Vec<String>>().join("\n\n")
    }
}
