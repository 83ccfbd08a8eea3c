//! Argument vectors: a program and its arguments, each as it is.

use std::fmt;

use runbook_engine::step::Check;
use schemars::JsonSchema;
use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};

use crate::text::Text;

/// A program and its arguments. No shell reads them: each item reaches the program as it is.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(transparent)]
pub struct Argv(#[schemars(length(min = 1))] Vec<Text>);

impl Argv {
    /// The items.
    #[must_use]
    pub fn items(&self) -> Vec<&str> {
        self.0.iter().map(Text::as_str).collect()
    }

    /// What is wrong with it: the item meant, if it is one, and why.
    #[must_use]
    pub fn problem(&self) -> Option<(Option<usize>, &'static str)> {
        if self.0.first().is_none_or(|program| program.as_str().is_empty()) {
            return Some((None, "it must begin with the program to carry out"));
        }
        let at = self.0.iter().position(|item| item.as_str().contains('\0'))?;
        Some((Some(at), "a NUL character cannot be part of an argument"))
    }

    /// Reports what is wrong with it.
    pub fn check(&self, name: &str, check: &mut Check<'_>) {
        match self.problem() {
            None => {}
            Some((None, why)) => check.problem(&[name], why),
            Some((Some(at), why)) => check.problem(&[name, &at.to_string()], why),
        }
    }
}

struct ArgvVisitor;

impl<'de> Visitor<'de> for ArgvVisitor {
    type Value = Argv;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list: the program and its arguments, such as [ls, -l] (no shell reads them)")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Argv, A::Error> {
        let mut argv = Vec::new();
        while let Some(item) = items.next_element()? {
            argv.push(item);
        }
        Ok(Argv(argv))
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Argv, E> {
        // Whoever writes one text expects a shell to take it apart.
        Err(E::custom(
            "a list is expected: the program and its arguments, such as [ls, -l]; there is no shell",
        ))
    }
}

impl<'de> Deserialize<'de> for Argv {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ArgvVisitor)
    }
}
