//! All that is wrong with inputs, though their type tells of one mistake and stops: they are checked again without it.

use serde_json::Value;

use crate::diagnostic::closest;
use crate::step::InputProblem;

/// How often inputs are checked again without what was wrong with them.
pub(super) const MOST_TRIES: usize = 20;

/// Inputs, and what was told of them so far.
pub(super) struct Told<'a> {
    given: &'a Value,
    /// What is left of them.
    pub(super) tried: Value,
    told: Vec<InputProblem>,
    /// The names of the inputs, and of the fields in them, that were left out though they are known.
    without: Vec<String>,
}

impl<'a> Told<'a> {
    pub(super) fn new(given: &'a Value) -> Self {
        Self {
            given,
            tried: given.clone(),
            told: Vec::new(),
            without: Vec::new(),
        }
    }

    /// Which of the problems are to be told now, and whether the inputs are to be checked again. `read` says whether
    /// they could be read into their type.
    pub(super) fn take(&mut self, problems: &[InputProblem], read: bool) -> (Vec<InputProblem>, bool) {
        let whole = self.without.is_empty();
        let new = problems.iter().filter(|problem| match missing_field(problem) {
            Some(missing) => whole && !self.told.iter().any(|told| is_misspelt(told, missing)),
            None if self.is_meant_otherwise(problem) => false,
            None => whole || !read || !self.may_be_due(problem),
        });
        let new: Vec<InputProblem> = new.cloned().collect();
        let again = !read && problems.iter().any(|problem| self.leave_out(problem));
        let mut first = Vec::new();
        for problem in new {
            if !self.told.contains(&problem) {
                self.told.push(problem.clone());
                first.push(problem);
            }
        }
        (first, again)
    }

    /// Whether there might be no such problem if nothing had been left out: it is about the inputs as a whole, or about
    /// what is left out.
    fn may_be_due(&self, problem: &InputProblem) -> bool {
        let told = || problem.help.iter().chain([&problem.message]);
        let names = |name: &String| told().any(|text| text.contains(&format!("`{name}`")));
        let is_gone = stands(self.given, &problem.path) && !stands(&self.tried, &problem.path);
        problem.path.is_empty() || is_gone || self.without.iter().any(names)
    }

    /// Whether the problem is a field that is not there, because its name is misspelt.
    fn is_meant_otherwise(&self, problem: &InputProblem) -> bool {
        let Some((name, above)) = problem.path.split_last() else {
            return false;
        };
        let beside = |told: &&InputProblem| told.path.split_last().is_some_and(|(_, other)| other == above);
        !stands(self.given, &problem.path)
            && self
                .told
                .iter()
                .filter(beside)
                .any(|told| is_misspelt(told, name))
    }

    /// Takes an unknown field out, or as little as can be of where a value has the wrong type.
    fn leave_out(&mut self, problem: &InputProblem) -> bool {
        let unknown = is_unknown_field(problem);
        let shortest = if unknown { problem.path.len() } else { 1 };
        let mut lengths = (shortest..=problem.path.len()).rev();
        lengths.any(|length| {
            let left_out = remove(&mut self.tried, &problem.path[..length]);
            if left_out && !unknown {
                self.without.extend(problem.path[..length].iter().cloned());
            }
            left_out
        })
    }
}

/// Whether the inputs could not be read into their type, which tells of no other mistake then.
pub(super) fn is_of_type(problem: &InputProblem) -> bool {
    const STARTS: [&str; 5] = [
        "unknown field",
        "unknown variant",
        "invalid ",
        "missing field",
        "data did not",
    ];
    STARTS.iter().any(|start| problem.message.starts_with(start))
}

fn is_unknown_field(problem: &InputProblem) -> bool {
    problem.message.starts_with("unknown field")
}

/// The name of the field that is missing, if that is the problem.
fn missing_field(problem: &InputProblem) -> Option<&str> {
    problem.message.strip_prefix("missing field `")?.strip_suffix('`')
}

/// Whether the problem is a field that was probably meant to be `name`.
fn is_misspelt(problem: &InputProblem, name: &str) -> bool {
    let wrong = problem.path.last().filter(|_| is_unknown_field(problem));
    wrong.is_some_and(|wrong| closest(wrong, [name]).is_some())
}

/// Whether there is something at this place.
fn stands(value: &Value, path: &[String]) -> bool {
    let there = path.iter().try_fold(value, |value, part| match value {
        Value::Object(fields) => fields.get(part),
        Value::Array(items) => items.get(part.parse::<usize>().ok()?),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    });
    there.is_some()
}

/// Removes a field; there may be none, or it may be no field.
fn remove(with: &mut Value, path: &[String]) -> bool {
    let Some((name, above)) = path.split_last() else {
        return false;
    };
    let parent = above.iter().try_fold(with, |value, part| match value {
        Value::Object(fields) => fields.get_mut(part),
        Value::Array(items) => items.get_mut(part.parse::<usize>().ok()?),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    });
    parent
        .and_then(Value::as_object_mut)
        .is_some_and(|fields| fields.remove(name).is_some())
}
