//! Commands that are told to people, so that they can be pasted: they act as the same person, on the same runs, as the
//! command that tells them.

use std::sync::OnceLock;

use clap::ArgMatches;
use clap::parser::ValueSource;
use runbook_engine::id::Operator;

use super::next::typed;

/// What the command line says that the next one must say too.
static GIVEN: OnceLock<Given> = OnceLock::new();

/// What was given on the command line itself: what stands in variables serves the next command as well.
#[derive(Debug, Clone, Default)]
pub(crate) struct Given {
    /// Where the runs are.
    place: Vec<(&'static str, String)>,
    /// Who acts.
    operator: Option<Operator>,
    /// What they prove that with.
    proof: Vec<(&'static str, String)>,
}

/// Whose command it is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum For<'a> {
    /// Whoever reads it.
    Reader,
    /// This operator.
    Operator(&'a Operator),
    /// Somebody else.
    Another,
}

/// The commands that act under somebody's name.
const ACTING: [&str; 15] = [
    "amend", "exec", "resume", "work", "confirm", "decide", "approve", "reject", "handoff", "accept",
    "export", "import", "rollback", "cancel", "prune",
];

/// Those that only look.
const LOOKING: [&str; 5] = ["list", "show", "log", "report", "journal"];

impl Given {
    /// What was given to the innermost command; options that stand before it count as its own.
    pub(crate) fn of(matches: &ArgMatches) -> Self {
        let mut innermost = matches;
        while let Some((_, further)) = innermost.subcommand() {
            innermost = further;
        }
        let typed_here = |id: &str| {
            let is_typed = innermost.value_source(id) == Some(ValueSource::CommandLine);
            let mut raw = innermost.get_raw(id).filter(|_| is_typed)?;
            raw.next().map(|value| value.to_string_lossy().into_owned())
        };
        let all = |options: &[(&str, &'static str)]| {
            let given = options.iter();
            given
                .filter_map(|&(id, option)| Some((option, typed_here(id)?)))
                .collect()
        };
        Self {
            place: all(&[("state_dir", "--state-dir"), ("journal", "--journal")]),
            operator: typed_here("operator").map(|name| Operator::new(&name)),
            proof: all(&[("identity", "--identity"), ("passphrase", "--passphrase")]),
        }
    }

    /// From now on, all that is told heeds it.
    pub(crate) fn keep(self) {
        GIVEN.get_or_init(|| self);
    }

    /// The command as that person types it here.
    fn complete(&self, command: &str, whose: For<'_>) -> String {
        let mut words = command.split_whitespace().skip(1);
        let verb = words.next().unwrap_or_default();
        let acts = ACTING.contains(&verb);
        if !acts && !LOOKING.contains(&verb) {
            return command.to_owned();
        }
        let mut options = self.place.clone();
        if acts && let Some(operator) = &self.operator {
            let name = match whose {
                For::Reader => operator.to_string(),
                For::Operator(other) => other.to_string(),
                For::Another => "NAME".to_owned(),
            };
            let is_reader = name == operator.as_str();
            options.push(("--operator", name));
            if is_reader {
                options.extend(self.proof.clone());
            }
        } else if acts && matches!(whose, For::Reader) {
            options.extend(self.proof.clone());
        }
        let mut completed = command.to_owned();
        for (option, value) in options {
            if !command.contains(option) {
                completed += &format!(" {option} {}", typed(&value));
            }
        }
        completed
    }

    /// A text in which commands stand in backticks.
    fn in_text(&self, text: &str) -> String {
        let pieces = text.split('`').enumerate().map(|(at, piece)| {
            if at % 2 == 1 && piece.starts_with("runbook ") {
                self.complete(piece, For::Reader)
            } else {
                piece.to_owned()
            }
        });
        pieces.collect::<Vec<_>>().join("`")
    }
}

/// A command that can be typed now.
pub(crate) fn command(command: &str, whose: For<'_>) -> String {
    match GIVEN.get() {
        Some(given) => given.complete(command, whose),
        None => command.to_owned(),
    }
}

/// A text, with all commands in it that stand in backticks.
pub(crate) fn in_text(text: &str) -> String {
    match GIVEN.get() {
        Some(given) => given.in_text(text),
        None => text.to_owned(),
    }
}

/// Who acts, where the command line says so.
pub(crate) fn operator() -> Option<&'static Operator> {
    GIVEN.get()?.operator.as_ref()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(args: &[&str]) -> Given {
        let args = ["runbook"].iter().chain(args);
        Given::of(&crate::cli::command().try_get_matches_from(args).unwrap())
    }

    #[test]
    fn a_command_acts_as_the_same_person_in_the_same_place() {
        let given = given(&["--state-dir", "my runs", "show", "x", "--operator", "bob"]);
        assert_eq!(
            given.complete("runbook resume x", For::Reader),
            "runbook resume x --state-dir \"my runs\" --operator bob"
        );
        assert_eq!(
            given.complete("runbook log x --follow", For::Reader),
            "runbook log x --follow --state-dir \"my runs\""
        );
        assert_eq!(
            given.complete("runbook accept x", For::Operator(&Operator::new("kim"))),
            "runbook accept x --state-dir \"my runs\" --operator kim"
        );
        assert_eq!(
            given.complete("runbook approve x a", For::Another),
            "runbook approve x a --state-dir \"my runs\" --operator NAME"
        );
        assert_eq!(
            given.complete("runbook explain RB0500", For::Reader),
            "runbook explain RB0500"
        );
    }

    #[test]
    fn a_key_is_named_to_whose_it_is() {
        let given = given(&["resume", "x", "--operator", "bob", "--identity", "bob.key"]);
        assert_eq!(
            given.complete("runbook resume x", For::Reader),
            "runbook resume x --operator bob --identity bob.key"
        );
        assert_eq!(
            given.complete("runbook approve x a", For::Another),
            "runbook approve x a --operator NAME"
        );
    }

    #[test]
    fn only_commands_in_backticks_are_completed_in_a_text() {
        let given = given(&["show", "x", "--operator", "bob"]);
        assert_eq!(
            given.in_text("`put` failed: `runbook resume x` goes on, or runbook resume; `resume` too"),
            "`put` failed: `runbook resume x --operator bob` goes on, or runbook resume; `resume` too"
        );
    }

    #[test]
    fn where_nothing_was_given_nothing_is_added() {
        let given = given(&["show", "x"]);
        assert_eq!(
            given.complete("runbook resume x", For::Reader),
            "runbook resume x"
        );
    }
}
