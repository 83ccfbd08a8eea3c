//! Pages of the documentation, for whoever has only the program: where a link would lead, they say what to type, or
//! what the page is called.

use pulldown_cmark::{Event, Options, Parser, Tag};

use super::layout::Width;
use super::{markdown, result};

/// Prints a page: in a terminal as it is read there, elsewhere as it is written.
pub(crate) fn print(page: &str) {
    let (page, width) = (readable(page), Width::of_results());
    match width.left(0) {
        None => result(&page),
        Some(_) => result(&markdown::render(&page, "", 0, width)),
    }
}

/// The page without remarks for those who made it, and without links to files that its reader does not have.
pub(crate) fn readable(page: &str) -> String {
    let lines = page.lines().filter(|line| !line.starts_with("<!--"));
    // What a fence says beyond its language is for those who test the page.
    let lines = lines.map(|line| {
        let fence = line.find("```").filter(|&at| line[..at].trim().is_empty());
        let info = fence.and_then(|at| line[at..].find(' ').map(|length| at + length));
        info.map_or(line, |end| &line[..end])
    });
    let page: Vec<&str> = lines.collect();
    let page = page.join("\n");
    let page = page.trim();
    let (mut text, mut told) = (String::new(), 0);
    for (event, place) in Parser::new_ext(page, Options::ENABLE_TABLES).into_offset_iter() {
        if let Event::Start(Tag::Link { .. }) = event
            && let Some(link) = Link::parse(&page[place.clone()])
        {
            text += &page[told..place.start];
            text += &link.told();
            told = place.end;
        }
    }
    text + &page[told..]
}

/// A link in a page that has a text of its own.
struct Link<'a> {
    text: &'a str,
    address: &'a str,
}

impl<'a> Link<'a> {
    fn parse(whole: &'a str) -> Option<Self> {
        let (text, address) = whole.strip_prefix('[')?.strip_suffix(')')?.rsplit_once("](")?;
        Some(Self { text, address })
    }

    /// The link as a reader without the page can use it.
    fn told(&self) -> String {
        let Self { text, address, .. } = self;
        if address.contains("://") {
            return format!("[{text}]({address})");
        }
        let (page, part) = address.split_once('#').unwrap_or((address, ""));
        match page.rsplit('/').next().unwrap_or(page) {
            "" => (*text).to_owned(),
            "scripts.md" => told_by(text, "runbook steps --functions"),
            "test-file.md" => told_by(text, "runbook test --keys"),
            "write-a-site-step.md" => told_by(text, "runbook steps site"),
            "runbook-file.md" if !part.is_empty() => told_by(text, &format!("runbook steps {part}")),
            "runbook-file.md" | "keys.md" | "plugins.md" | "kinds.md" => told_by(text, "runbook steps"),
            "commands.md" | "command-line.md" => told_by(text, "runbook --help"),
            "errors.md" => told_by(text, "runbook explain"),
            name => match name.strip_suffix(".md") {
                Some(code) if code.starts_with("RB") => told_by(text, &format!("runbook explain {code}")),
                Some(named) => match named.strip_suffix(".README") {
                    Some(shipped) => told_by(text, &format!("runbook new --readme {shipped}")),
                    None => {
                        let page = page.trim_start_matches("../").trim_start_matches("docs/");
                        format!("{text} (`{page}` in the documentation)")
                    }
                },
                None if text.contains(page) => (*text).to_owned(),
                None => format!("{text} (`{page}`)"),
            },
        }
    }
}

fn told_by(text: &str, command: &str) -> String {
    format!("{text} (`{command}`)")
}

#[cfg(test)]
mod tests {
    use super::readable;

    #[test]
    fn links_say_what_to_type_or_what_the_page_is_called() {
        for (page, read) in [
            (
                "see [RB0310](../errors/RB0310.md).",
                "see RB0310 (`runbook explain RB0310`).",
            ),
            (
                "[amend the\nrun](../how-to/amend-a-run.md): `a[0]` (b)",
                "amend the\nrun (`how-to/amend-a-run.md` in the documentation): `a[0]` (b)",
            ),
            (
                "[`undo_with`](../reference/runbook-file.md#undo_with), [keys](runbook-file.md)",
                "`undo_with` (`runbook steps undo_with`), keys (`runbook steps`)",
            ),
            (
                "[one](write-a-site-step.md) [two](test-file.md#world)",
                "one (`runbook steps site`) two (`runbook test --keys`)",
            ),
            (
                "[it](hybrid-s2s.README.md)",
                "it (`runbook new --readme hybrid-s2s`)",
            ),
            ("[below](#world)", "below"),
            ("[`steps/a.rhai`](steps/a.rhai)", "`steps/a.rhai`"),
            (
                "- a\n\n  ```yaml fragment\n  a: b\n  ```",
                "- a\n\n  ```yaml\n  a: b\n  ```",
            ),
            ("[Rhai](https://rhai.rs/book/)", "[Rhai](https://rhai.rs/book/)"),
            ("`f[x](a.md)` is code", "`f[x](a.md)` is code"),
            (
                "| a |\n| --- |\n| [b](c.md) |",
                "| a |\n| --- |\n| b (`c.md` in the documentation) |",
            ),
            (
                "<!-- file: a -->\n# A\n\nno [link] (here)\n",
                "# A\n\nno [link] (here)",
            ),
        ] {
            assert_eq!(readable(page), read);
        }
    }
}
