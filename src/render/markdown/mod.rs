//! Markdown for a person at a terminal: paragraphs that fit, lists that hang, and code as it is to be typed.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use self::table::Table;
use self::values::Values;
use super::layout::Width;
use super::plain;
use super::style::{BOLD, BUSY, DIM, paint};

mod table;
mod values;

/// Deeper than this, what is nested is no longer indented further.
const DEEPEST: usize = 24;

/// The Markdown `text` after `head`, its further lines indented by `indent`. Values that an expression put into it,
/// [marked](runbook_engine::runbook::expr::Put::Marked), stand in it as they are: they are never Markdown.
pub(crate) fn render(text: &str, head: &str, indent: usize, width: Width) -> String {
    let (text, values) = Values::taken_from(&plain(text));
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let mut page = Page::new(head, indent, width, values);
    for event in Parser::new_ext(&text, options) {
        page.take(event);
    }
    page.end_block();
    page.lines.join("\n")
}

/// A list, a quotation or an item: what stands before its first line, and before the others.
struct Margin {
    first: Option<String>,
    further: String,
}

/// The lines so far, and where the reader is.
struct Page {
    width: Width,
    values: Values,
    lines: Vec<String>,
    margins: Vec<Margin>,
    /// The number of the next item of each list that is open, or nothing where it has none.
    lists: Vec<Option<u64>>,
    /// The text of the block that is being read.
    inline: String,
    /// The addresses of the links that are open, and where their texts begin.
    links: Vec<(String, usize)>,
    table: Option<Table>,
    /// An empty line comes before the next block.
    gap: bool,
}

impl Page {
    fn new(head: &str, indent: usize, width: Width, values: Values) -> Self {
        let margin = Margin {
            first: Some(head.to_owned()),
            further: " ".repeat(indent),
        };
        Self {
            width,
            values,
            lines: Vec::new(),
            margins: vec![margin],
            lists: Vec::new(),
            inline: String::new(),
            links: Vec::new(),
            table: None,
            gap: false,
        }
    }

    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.open(tag),
            Event::End(tag) => self.close(tag),
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => {
                self.inline += &self.values.put_into(&text);
            }
            Event::Code(text) => {
                let text = format!("`{}`", self.values.put_into(&text));
                self.inline += &paint(BUSY, text);
            }
            Event::SoftBreak => self.inline.push(' '),
            Event::HardBreak => self.inline.push('\n'),
            Event::Rule => {
                let line = "─".repeat(self.room().unwrap_or(40).min(40));
                self.inline = paint(DIM, line);
                self.end_block();
            }
            Event::TaskListMarker(ticked) => self.inline += if ticked { "[x] " } else { "[ ] " },
            // Extensions that are not asked for.
            Event::InlineMath(text) | Event::DisplayMath(text) | Event::FootnoteReference(text) => {
                self.inline += &text;
            }
        }
    }

    fn open(&mut self, tag: Tag<'_>) {
        match tag {
            // What a fence says of its language is of no use to a reader.
            Tag::Heading { .. } | Tag::CodeBlock(_) => self.end_block(),
            Tag::BlockQuote(_) => {
                self.end_block();
                self.push_margin(paint(DIM, "│ "), paint(DIM, "│ "));
            }
            Tag::List(first) => {
                self.end_block();
                self.gap &= self.lists.is_empty();
                self.lists.push(first);
            }
            Tag::Item => self.item(),
            Tag::Emphasis => self.inline += &format!("{}", EMPHASIS.render()),
            Tag::Strong => self.inline += &format!("{}", BOLD.render()),
            Tag::Strikethrough => self.inline += &format!("{}", DIM.render()),
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                self.links
                    .push((self.values.put_into(&dest_url), self.inline.len()));
            }
            Tag::Table(_) => {
                self.end_block();
                self.table = Some(Table::default());
            }
            Tag::TableHead
            | Tag::TableRow
            | Tag::TableCell
            | Tag::Paragraph
            | Tag::HtmlBlock
            | Tag::FootnoteDefinition(_)
            | Tag::DefinitionList
            | Tag::DefinitionListTitle
            | Tag::DefinitionListDefinition
            | Tag::Superscript
            | Tag::Subscript
            | Tag::MetadataBlock(_) => {}
        }
    }

    fn close(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(_) => {
                self.inline = paint(BOLD, &self.inline);
                self.end_block();
                self.gap = true;
            }
            TagEnd::Paragraph | TagEnd::HtmlBlock => {
                self.end_block();
                self.gap = true;
            }
            TagEnd::BlockQuote(_) => {
                self.end_block();
                self.margins.pop();
                self.gap = true;
            }
            TagEnd::CodeBlock => {
                self.end_code();
                self.gap = true;
            }
            TagEnd::List(_) => {
                self.end_block();
                self.lists.pop();
                self.gap = self.lists.is_empty();
            }
            TagEnd::Item => {
                self.end_block();
                self.margins.pop();
                self.gap = false;
            }
            TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough => self.inline += RESET,
            TagEnd::Link | TagEnd::Image => self.end_link(),
            TagEnd::TableCell => {
                let cell = std::mem::take(&mut self.inline);
                self.table.get_or_insert_default().cell(cell);
            }
            TagEnd::TableHead | TagEnd::TableRow => self.table.get_or_insert_default().end_row(),
            TagEnd::Table => {
                let table = self.table.take().unwrap_or_default();
                self.inline = table.laid_out(self.room());
                self.end_verbatim();
                self.gap = true;
            }
            TagEnd::FootnoteDefinition
            | TagEnd::DefinitionList
            | TagEnd::DefinitionListTitle
            | TagEnd::DefinitionListDefinition
            | TagEnd::Superscript
            | TagEnd::Subscript
            | TagEnd::MetadataBlock(_) => {}
        }
    }

    fn item(&mut self) {
        self.end_block();
        let marker = match self.lists.last_mut() {
            Some(Some(number)) => {
                let marker = format!("{number}. ");
                *number += 1;
                marker
            }
            Some(None) | None => "- ".to_owned(),
        };
        let further = " ".repeat(marker.len());
        self.push_margin(marker, further);
    }

    fn push_margin(&mut self, first: String, further: String) {
        let margin = Margin {
            first: Some(first),
            further: if self.indent() > DEEPEST {
                String::new()
            } else {
                further
            },
        };
        self.margins.push(margin);
    }

    fn end_link(&mut self) {
        let Some((address, start)) = self.links.pop() else {
            return;
        };
        let text = self.inline.get(start..).unwrap_or_default();
        // An address that stands for itself need not be said twice.
        if text.is_empty() {
            self.inline += &address;
        } else if text != address && address.strip_prefix("mailto:") != Some(text) {
            self.inline += &format!(" <{address}>");
        }
    }

    /// Writes the block that was read, wrapped.
    fn end_block(&mut self) {
        let text = std::mem::take(&mut self.inline);
        if text.trim().is_empty() {
            return;
        }
        let (first, further) = self.begin_block();
        let indent = textwrap::core::display_width(&further);
        let wrapped = self.width.wrap(&first, indent, text.trim());
        let plain_margin = " ".repeat(indent);
        for (at, line) in wrapped.lines().enumerate() {
            match line.strip_prefix(&plain_margin) {
                // A margin that is more than spaces, as a quotation's.
                Some(rest) if at > 0 => self.lines.push(format!("{further}{rest}").trim_end().to_owned()),
                _ => self.lines.push(line.to_owned()),
            }
        }
    }

    fn end_code(&mut self) {
        let text = std::mem::take(&mut self.inline);
        let lines = text.trim_end_matches('\n').split('\n');
        let lines: Vec<String> = lines.map(|line| format!("  {}", paint(BUSY, line))).collect();
        self.inline = lines.join("\n");
        self.end_verbatim();
    }

    /// Writes the block that was read, its lines as they are: they may be copied.
    fn end_verbatim(&mut self) {
        let text = std::mem::take(&mut self.inline);
        let (first, further) = self.begin_block();
        for (at, line) in text.lines().enumerate() {
            let margin = if at == 0 { &first } else { &further };
            self.lines.push(format!("{margin}{line}").trim_end().to_owned());
        }
    }

    /// What stands before the first line of the next block, and before its others.
    fn begin_block(&mut self) -> (String, String) {
        let further: String = self
            .margins
            .iter()
            .map(|margin| margin.further.as_str())
            .collect();
        if std::mem::take(&mut self.gap) && !self.lines.is_empty() {
            // What begins only with this block does not stand before the gap.
            let begun = self.margins.iter().filter(|margin| margin.first.is_none());
            let begun: String = begun.map(|margin| margin.further.as_str()).collect();
            self.lines.push(begun.trim_end().to_owned());
        }
        let first = self.margins.iter_mut();
        let first = first
            .map(|margin| margin.first.take().unwrap_or_else(|| margin.further.clone()))
            .collect();
        (first, further)
    }

    /// How many columns are left beside the margins.
    fn room(&self) -> Option<usize> {
        self.width.left(self.indent())
    }

    /// How many columns the margins take.
    fn indent(&self) -> usize {
        let margins = self.margins.iter();
        margins
            .map(|margin| textwrap::core::display_width(&margin.further))
            .sum()
    }
}

const EMPHASIS: anstyle::Style = anstyle::Style::new().italic();
const RESET: &str = "\u{1b}[0m";

#[cfg(test)]
mod tests;
