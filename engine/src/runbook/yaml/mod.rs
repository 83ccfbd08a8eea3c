//! YAML with positions: `serde_yaml` reads the values, an index beside it knows where each of them stands.

use std::sync::Arc;

use serde_json::Value;

pub(super) use self::graft::{Entries, Part};
use self::index::{Index, Kind};
pub(super) use self::node::{Key, Node};
use crate::diagnostic::{Code, Diagnostic, SourceFile, Span};

pub(super) mod align;
mod emit;
mod graft;
mod index;
mod node;
mod offsets;
mod problem;

/// The longest text, in bytes.
pub(super) const LONGEST_TEXT: usize = 16 * 1024 * 1024;
/// The deepest nesting of maps and lists.
pub(super) const DEEPEST: usize = 64;
/// The most aliases (`*name`) in a text.
pub(super) const MOST_ALIASES: usize = 1_000;
/// The most values in a text, with those that aliases repeat.
pub(super) const MOST_VALUES: usize = 2_000_000;
/// The most mistakes that are told of one text; whoever wrote more learns nothing from the rest.
pub(super) const MOST_MISTAKES: usize = 1_000;

/// A YAML text whose every value and position is known.
#[derive(Debug)]
pub(super) struct Document {
    file: Arc<SourceFile>,
    index: Index,
    value: Value,
}

impl Document {
    /// Reads a text. Mistakes that leave it readable (a key that stands twice) come beside the document.
    pub(super) fn parse(file: &Arc<SourceFile>) -> (Option<Self>, Vec<Diagnostic>) {
        if file.text.len() > LONGEST_TEXT {
            let message = format!(
                "the text is {} bytes long, more than {LONGEST_TEXT}",
                file.text.len()
            );
            return (
                None,
                vec![Diagnostic::error(Code::TooBig, message).at(file, Span::default(), "")],
            );
        }
        let (index, mut mistakes) = match index::build(file) {
            Ok(built) => built,
            Err(mistakes) => return (None, mistakes),
        };
        let text = file.text.strip_prefix('\u{feff}').unwrap_or(&file.text);
        let value = match serde_yaml::from_str::<Value>(text) {
            Ok(value) => value,
            Err(error) => {
                // A mistake that the index saw has a better message than what it led to here.
                if mistakes.is_empty() {
                    mistakes.push(problem::of_value(file, &error));
                }
                return (None, mistakes);
            }
        };
        compare(file, &index, &value, &mut mistakes);
        (
            Some(Self {
                file: Arc::clone(file),
                index,
                value,
            }),
            mistakes,
        )
    }

    /// The outermost value.
    pub(super) fn root(&self) -> Node<'_> {
        Node::new(&self.file, &self.index, self.index.root, &self.value)
    }
}

/// Holds the index against the values: a text that two readers of YAML understand differently is refused.
fn compare(file: &Arc<SourceFile>, index: &Index, value: &Value, mistakes: &mut Vec<Diagnostic>) {
    let mut open = vec![(index.root, value)];
    while let Some((at, value)) = open.pop() {
        let node = index.resolve(at);
        let agree = match (&node.kind, value) {
            (Kind::Mapping(entries), Value::Object(map)) => {
                open.extend(
                    entries
                        .iter()
                        .filter_map(|entry| Some((entry.value, map.get(&entry.name)?))),
                );
                entries.len() == map.len() && entries.iter().all(|entry| map.contains_key(&entry.name))
            }
            (Kind::Sequence(items), Value::Array(values)) => {
                open.extend(items.iter().copied().zip(values));
                items.len() == values.len()
            }
            (Kind::Scalar { text, .. }, Value::String(value)) => text == value,
            (Kind::Scalar { text, plain }, Value::Null) => {
                let is_null = matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL");
                *plain && (is_null || problem::is_not_finite(text))
            }
            (Kind::Scalar { plain, .. }, Value::Bool(_) | Value::Number(_)) => *plain,
            (Kind::Mapping(_) | Kind::Sequence(_) | Kind::Scalar { .. } | Kind::Alias(_), _) => false,
        };
        if !agree {
            mistakes.push(problem::ambiguous(file, node.span));
        }
        if mistakes.len() > MOST_MISTAKES {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
