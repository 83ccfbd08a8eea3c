//! The parts of the documentation that are made from the program itself, so that they cannot differ from it.
//!
//! A page marks such a part by `<!-- made: NAME -->` and `<!-- end -->`; what stands between is replaced.

use clap::Command;
use runbook_engine::diagnostic::Code;
use runbook_engine::step::Registry;
use serde_json::Value;

use crate::exit::Exit;

mod commands;
mod keys;
mod kinds;

/// What is put into the pages.
pub(crate) struct Made {
    commands: String,
    keys: String,
    kinds: String,
    codes: String,
    error_pages: String,
    exits: String,
}

impl Made {
    pub(crate) fn new(command: &Command, schema: &Value, registry: &Registry) -> Self {
        Self {
            commands: commands::text(command),
            keys: keys::text(schema),
            kinds: kinds::text(registry),
            codes: codes(),
            error_pages: error_pages(),
            exits: exits(),
        }
    }

    fn part(&self, name: &str) -> Option<&str> {
        match name {
            "commands" => Some(&self.commands),
            "keys" => Some(&self.keys),
            "kinds" => Some(&self.kinds),
            "codes" => Some(&self.codes),
            "error-pages" => Some(&self.error_pages),
            "exit-codes" => Some(&self.exits),
            _ => None,
        }
    }

    /// A page with all its marked parts as they must be now, or what is wrong with its marks.
    pub(crate) fn renewed(&self, page: &str) -> Result<String, String> {
        const END: &str = "<!-- end -->\n";
        let (mut text, mut rest) = (String::new(), page);
        while let Some((before, after)) = rest.split_once("<!-- made: ") {
            let (name, after) = after
                .split_once(" -->\n")
                .ok_or("a mark `made` does not end in its line")?;
            let part = self
                .part(name)
                .ok_or_else(|| format!("nothing is made that is called `{name}`"))?;
            let (_, after) = after
                .split_once(END)
                .ok_or_else(|| format!("the part `{name}` has no end"))?;
            text += &format!(
                "{before}<!-- made: {name} -->\n\n{}\n\n{END}",
                part.trim_matches('\n')
            );
            rest = after;
        }
        Ok(text + rest)
    }
}

/// All error codes, each with its page.
fn codes() -> String {
    let rows = Code::ALL
        .iter()
        .map(|code| format!("| [{code}](../errors/{code}.md) | {} |\n", code.title()));
    format!("| code | problem |\n| --- | --- |\n{}", rows.collect::<String>())
}

/// The pages of all error codes, for the table of contents.
fn error_pages() -> String {
    let rows = Code::ALL
        .iter()
        .map(|code| format!("  - [{code}: {}](errors/{code}.md)\n", code.title()));
    format!("- [Errors](reference/errors.md)\n{}", rows.collect::<String>())
}

/// All exit codes.
fn exits() -> String {
    let rows = Exit::ALL
        .iter()
        .map(|exit| format!("| {} | {} | {} |\n", *exit as u8, exit.meaning(), exit.to_do()));
    let head = "| code | meaning | what to do |\n| --- | --- | --- |\n";
    format!("{head}{}", rows.collect::<String>())
}

/// Text for a cell of a table: in one line, and without what would end the cell.
fn cell(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").replace('|', "\\|").replace('<', "&lt;")
}
