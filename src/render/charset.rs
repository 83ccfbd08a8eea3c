//! Text for terminals that cannot show every character.

use std::borrow::Cow;
use std::sync::LazyLock;

use runbook_engine::platform::terminal::shows_all_characters;

/// Whether the terminal shows UTF-8.
static UTF_8: LazyLock<bool> =
    LazyLock::new(|| shows_all_characters() || is_utf_8(|name| std::env::var(name).ok()));

/// The text as the terminal can show it.
pub(crate) fn fit(text: &str) -> Cow<'_, str> {
    if *UTF_8 || text.is_ascii() {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.chars().map(plainest).collect())
    }
}

/// The name of the locale, where the surroundings say one.
pub(crate) fn locale(variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    let set = |name: &&str| variable(name).filter(|value| !value.is_empty());
    ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(set)
}

/// Whether a locale of this name shows UTF-8.
pub(crate) fn names_utf_8(locale: &str) -> bool {
    let locale = locale.to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

/// Whether the locale says so. One that says nothing at all, as in most containers, speaks against nothing.
fn is_utf_8(variable: impl Fn(&str) -> Option<String>) -> bool {
    locale(variable).is_none_or(|locale| names_utf_8(&locale))
}

/// The nearest character of ASCII.
fn plainest(c: char) -> char {
    match c {
        c if c.is_ascii() => c,
        '✓' => '+',
        '✗' | '×' => 'x',
        '·' => '.',
        '▸' => '>',
        '◂' => '<',
        '↺' => '~',
        '…' => '~',
        '│' | '╷' | '╵' => '|',
        '├' | '┤' | '┬' | '┴' | '┼' | '╭' | '╮' | '╰' | '╯' => '+',
        '○' => 'o',
        '─' | '–' | '—' => '-',
        '‘' | '’' => '\'',
        '“' | '”' => '"',
        _ => '?',
    }
}

#[cfg(test)]
mod tests {
    use super::{is_utf_8, plainest};

    #[test]
    fn the_first_of_the_three_variables_that_says_something_counts() {
        let with = |set: &[(&str, &str)]| {
            let set: Vec<(String, String)> = set
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect();
            is_utf_8(move |name| {
                set.iter()
                    .find(|(n, _)| n == name)
                    .map(|(_, value)| value.clone())
            })
        };
        assert!(with(&[]), "nothing is said");
        assert!(with(&[("LANG", "de_AT.UTF-8")]));
        assert!(with(&[("LANG", "C"), ("LC_CTYPE", "C.utf8")]));
        assert!(!with(&[("LANG", "en_GB.UTF-8"), ("LC_ALL", "POSIX")]));
        assert!(!with(&[("LANG", "en_US.ISO-8859-1"), ("LC_ALL", "")]));
    }

    #[test]
    fn every_sign_has_one_of_its_own() {
        let signs: String = "✓=-·▸◂?!✗×↺".chars().map(plainest).collect();
        assert_eq!(signs, "+=-.><?!xx~");
    }
}
