//! A document as text again, for the journal: read back, it gives the same values in the same order.

use serde::ser::{Serialize, SerializeMap as _, SerializeSeq as _, Serializer};
use serde_json::Value;

use super::{Document, Node};
use crate::diagnostic::SourceFile;

impl Document {
    /// The whole document as YAML.
    pub(in crate::runbook) fn to_yaml(&self) -> String {
        let root = self.root();
        match serde_yaml::to_string(&Ordered(root)) {
            Ok(text) if reads_back(&text, root) => text,
            // Text with unusual line breaks is not kept by every style of YAML; as JSON with escapes it is.
            Ok(_) | Err(_) => escaped(&serde_json::to_string_pretty(&Ordered(root)).unwrap_or_default()),
        }
    }
}

/// Whether a text means the same values as the node, in the same order.
fn reads_back(text: &str, wanted: Node<'_>) -> bool {
    let file = SourceFile::new("", text);
    match Document::parse(&file) {
        (Some(document), mistakes) => mistakes.is_empty() && same(document.root(), wanted),
        (None, _) => false,
    }
}

fn same(one: Node<'_>, other: Node<'_>) -> bool {
    let keys = |node: Node<'_>| {
        node.entries()
            .map(|(key, _)| key.name.to_owned())
            .collect::<Vec<_>>()
    };
    one.value() == other.value()
        && keys(one) == keys(other)
        && one
            .entries()
            .zip(other.entries())
            .all(|((_, one), (_, other))| same(one, other))
        && one
            .items()
            .zip(other.items())
            .all(|(one, other)| same(one, other))
}

/// JSON in which the characters that YAML takes for line breaks, or does not take at all, are escapes.
fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                text += &format!("\\u{:04x}", u32::from(c));
            }
            c => text.push(c),
        }
    }
    text
}

/// A value whose maps keep the order of the file.
struct Ordered<'a>(Node<'a>);

impl Serialize for Ordered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.value() {
            Value::Object(fields) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                for (key, value) in self.0.entries() {
                    map.serialize_entry(key.name, &Ordered(value))?;
                }
                map.end()
            }
            Value::Array(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in self.0.items() {
                    list.serialize_element(&Ordered(item))?;
                }
                list.end()
            }
            scalar => scalar.serialize(serializer),
        }
    }
}
