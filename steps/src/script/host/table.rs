//! The functions of the host as scripts call them: what each does, and which grant it needs. The check of scripts,
//! their documentation and the reference are made from this.

use std::fmt::Write as _;

/// A function that scripts can call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Function {
    /// How it is called: `find(text, pattern)`.
    pub call: &'static str,
    /// What it does and gives.
    pub does: &'static str,
    /// What the step must be granted for it.
    pub grant: Option<Grant>,
}

/// What `allow:` can grant a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grant {
    /// Hosts to reach.
    Hosts,
    /// Programs to carry out.
    Commands,
    /// Folders to use.
    Folders,
}

impl Grant {
    /// The key below `allow:`.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Hosts => "hosts",
            Self::Commands => "commands",
            Self::Folders => "folders",
        }
    }

    /// An item of its list.
    #[must_use]
    pub fn example(self) -> &'static str {
        match self {
            Self::Hosts => "intranet.example.com",
            Self::Commands => "hostname",
            Self::Folders => "/srv/example",
        }
    }
}

impl Function {
    pub(super) const fn pure(call: &'static str, does: &'static str) -> Self {
        Self {
            call,
            does,
            grant: None,
        }
    }

    pub(super) const fn granted(call: &'static str, grant: Grant, does: &'static str) -> Self {
        Self {
            call,
            does,
            grant: Some(grant),
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.call.split('(').next().unwrap_or_default()
    }

    /// How many arguments it takes.
    #[must_use]
    pub fn arity(&self) -> usize {
        let arguments = self
            .call
            .split_once('(')
            .map_or("", |(_, rest)| rest.trim_end_matches(')'));
        if arguments.is_empty() {
            return 0;
        }
        // What stands in a list's brackets is one argument.
        let mut depth = 0_i32;
        let commas = arguments.chars().filter(|&c| {
            depth += i32::from(c == '[') - i32::from(c == ']');
            c == ',' && depth == 0
        });
        commas.count() + 1
    }
}

/// The functions as a table in Markdown.
#[must_use]
pub fn as_markdown<'a>(functions: impl IntoIterator<Item = &'a Function>) -> String {
    let mut table = "| function | needs | what it does |\n| --- | --- | --- |\n".to_owned();
    for Function { call, does, grant } in functions {
        let needs = grant.map_or_else(String::new, |grant| format!("`allow.{}`", grant.key()));
        // Writing to a text cannot fail.
        let _infallible = writeln!(table, "| `{call}` | {needs} | {does} |");
    }
    table
}
