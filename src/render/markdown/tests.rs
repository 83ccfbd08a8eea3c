//! What a person reads of a text in Markdown, without its colours.

use proptest::prelude::*;
use runbook_engine::runbook::expr::{MARK_END, MARK_START};

use super::render;
use crate::render::layout::Width;

fn seen(text: &str, width: Width) -> String {
    let painted = render(text, "  ", 2, width);
    anstream::adapter::strip_str(&painted).to_string()
}

const PAGE: &str = "\
# Check the trust

Open **Security > Manage trust** in *Central Administration*, and look for
the trust named `ACS`. See [the article](https://learn.example/s2s) or
<https://adventureworks.com>.

1. Sign in as a farm administrator
2. Look at the list:
   - the name is `ACS`
   - its type is \"Trusted Service Consumer\", and nothing else is written beside it

> If there are two, stop: one of them
> is left over.

```powershell
Get-SPTrustedSecurityTokenIssuer | Where-Object { $_.Name -eq 'EvoSTS' } | Format-List Name, Id
```

| Field | Value |
| --- | --- |
| Name | ACS |
| Kind | consumer of tokens |
";

#[test]
fn a_page_as_wide_as_a_terminal() {
    insta::assert_snapshot!(seen(PAGE, Width::columns(80)));
}

#[test]
fn a_page_in_forty_columns() {
    let seen = seen(PAGE, Width::columns(40));
    // What is to be typed is never broken; everything else fits.
    let wide = seen.lines().filter(|line| line.chars().count() > 40);
    assert_eq!(wide.count(), 1, "{seen}");
    insta::assert_snapshot!(seen);
}

#[test]
fn a_value_is_no_markdown() {
    let text = format!(
        "Add {MARK_START}*.contoso.com, a_b_c, [x](y), `z`{MARK_END} and `{MARK_START}a`b{MARK_END}` to the list."
    );
    assert_eq!(
        seen(&text, Width::endless()),
        "  Add *.contoso.com, a_b_c, [x](y), `z` and `a`b` to the list."
    );
    let text = format!("{MARK_START}# no heading{MARK_END}");
    assert_eq!(seen(&text, Width::endless()), "  # no heading");
}

#[test]
fn control_characters_do_not_reach_the_terminal() {
    let painted = render("a\u{1b}[2Jb\u{202e}c", "", 0, Width::endless());
    assert!(!painted.contains(['\u{1b}', '\u{202e}']), "{painted:?}");
}

proptest! {
    #[test]
    fn anything_is_rendered_and_no_word_is_lost(words in prop::collection::vec("[a-z]{1,9}", 1..30), marks in prop::collection::vec("[-*_`#>|~<\\[\\]() \n0-9.]{0,4}", 30)) {
        let text: String = words.iter().zip(&marks).flat_map(|(word, mark)| [mark.as_str(), word]).collect();
        for width in [Width::columns(20), Width::columns(80), Width::endless()] {
            let seen: String = seen(&text, width).chars().filter(char::is_ascii_lowercase).collect();
            for word in &words {
                // A word may be the name of a reference or a fence's language, but plain text is all there.
                if !text.contains(['[', '<', '`', '~']) {
                    prop_assert!(seen.contains(word.as_str()), "{text:?} became {seen:?}");
                }
            }
        }
    }

    #[test]
    fn whatever_the_marks_are_a_value_comes_through(value in "[^\u{fdd0}\u{fdd1}\\p{C}]{0,20}") {
        let text = format!("before {MARK_START}{value}{MARK_END} after");
        let seen = seen(&text, Width::endless());
        let expected = format!("  before {value} after");
        prop_assert_eq!(seen, expected);
    }
}
