//! The pages of the reference that the program shows itself.

/// How site steps are written.
pub(super) const SITE: &str = include_str!("../../docs/how-to/write-a-site-step.md");

/// What scripts can call.
pub(super) const FUNCTIONS: &str = include_str!("../../docs/reference/scripts.md");

/// What a file of tests can say.
pub(super) const TESTS: &str = include_str!("../../docs/reference/test-file.md");

const RUNBOOK_FILE: &str = include_str!("../../docs/reference/runbook-file.md");

/// What the reference says of a key that every step may have: its line in the table, and its own part, if it has one.
pub(super) fn of_key(key: &str) -> Option<String> {
    let (_, steps) = RUNBOOK_FILE.split_once("\n## A step\n")?;
    let head = format!("| `{key}` |");
    let row = steps.lines().find(|line| line.starts_with(&head))?;
    let mut cells = row.trim_matches('|').splitn(3, '|').map(str::trim).skip(1);
    let (default, about) = (cells.next()?, cells.next()?);
    let default = match default {
        "" | "required" | "none" => String::new(),
        default => format!(" If left out: `{}`.", default.trim_matches('`')),
    };
    let mut page = format!("# `{key}`\n\n{about}.{default}\n");
    if let Some((_, part)) = steps.split_once(&format!("\n### `{key}`\n")) {
        let end = ["\n### ", "\n## "]
            .iter()
            .filter_map(|next| part.find(next))
            .min();
        page += &part[..end.unwrap_or(part.len())];
    }
    Some(page)
}
