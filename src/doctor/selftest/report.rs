//! The report that is sent back: what was seen, without the names of people and machines.

use std::fmt::Write as _;

use crate::doctor::{Finding, Health};

/// Names that must not be in a report, each with what stands there instead.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names(Vec<(String, &'static str)>);

impl Names {
    /// Those of this account and this machine.
    pub(crate) fn of_here() -> Self {
        let said = |variable: &str| std::env::var(variable).unwrap_or_default();
        let account = runbook_engine::platform::account::name().unwrap_or_default();
        let (domain, user) = account.split_once('\\').unwrap_or(("", &account));
        Self::new([
            (said("USERPROFILE"), "<profile>"),
            (user.to_owned(), "<user>"),
            (said("USERNAME"), "<user>"),
            (domain.to_owned(), "<domain>"),
            (said("USERDOMAIN"), "<domain>"),
            (said("USERDNSDOMAIN"), "<domain>"),
            (said("COMPUTERNAME"), "<machine>"),
            (
                gethostname::gethostname().to_string_lossy().into_owned(),
                "<machine>",
            ),
        ])
    }

    fn new(names: impl IntoIterator<Item = (String, &'static str)>) -> Self {
        let mut names: Vec<_> = names.into_iter().filter(|(name, _)| !name.is_empty()).collect();
        // A profile holds the name of its user.
        names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        Self(names)
    }

    /// The text without them, however they are spelt; parts of longer words stay.
    pub(crate) fn hidden(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (name, instead)| {
            hide(&text, name, instead)
        })
    }

    /// What was found, without them.
    pub(crate) fn hidden_in(&self, finding: Finding) -> Finding {
        Finding {
            found: self.hidden(&finding.found),
            to_do: finding.to_do.map(|text| self.hidden(&text)),
            ..finding
        }
    }
}

fn hide(text: &str, name: &str, instead: &str) -> String {
    let is_word = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
    let (mut hidden, mut rest) = (String::new(), text);
    while let Some(first) = rest.chars().next() {
        let begins = !is_word(hidden.chars().next_back());
        let length = if begins { begins_with(rest, name) } else { None };
        match length {
            Some(length) if !is_word(rest[length..].chars().next()) => {
                hidden += instead;
                rest = &rest[length..];
            }
            Some(_) | None => {
                hidden.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    hidden
}

/// How many bytes of the text are the name, in capitals or not, if it begins with it.
fn begins_with(text: &str, name: &str) -> Option<usize> {
    let mut letters = text.char_indices();
    for wanted in name.chars() {
        let (_, letter) = letters.next()?;
        if !letter.to_lowercase().eq(wanted.to_lowercase()) {
            return None;
        }
    }
    Some(letters.offset())
}

/// The report as text.
pub(crate) fn text(findings: &[Finding]) -> String {
    let mut text = String::from("runbook doctor --windows-selftest\n\n");
    for finding in findings {
        let health = match finding.health {
            Health::Absent => "absent",
            Health::Good => "good",
            Health::Note => "note",
            Health::Bad => "BAD",
        };
        // Writing into a text cannot fail.
        writeln!(text, "{health:<7} {}: {}", finding.check, finding.found).ok();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        Names::new([
            ("kim".to_owned(), "<user>"),
            (r"C:\Users\kim".to_owned(), "<profile>"),
            ("CONTOSO".to_owned(), "<domain>"),
            (String::new(), "<machine>"),
        ])
    }

    #[test]
    fn names_of_people_and_machines_do_not_stay() {
        let text = r"contoso\Kim cannot open C:\USERS\Kim\AppData, nor can KIM";
        assert_eq!(
            names().hidden(text),
            r"<domain>\<user> cannot open <profile>\AppData, nor can <user>"
        );
    }

    #[test]
    fn longer_words_stay_as_they_are() {
        assert_eq!(names().hidden("kimono, skim, ÄKIM, 🙂"), "kimono, skim, ÄKIM, 🙂");
    }

    #[test]
    fn a_report_has_a_line_for_each_thing() {
        let findings = [
            Finding::good("locks", "one has it"),
            Finding::bad("time", "it stands", "set it"),
        ];
        assert_eq!(
            text(&findings),
            "runbook doctor --windows-selftest\n\ngood    locks: one has it\nBAD     time: it stands\n"
        );
    }
}
