//! A document as text again, for the journal: read back, it gives the same values in the same order.

use serde::ser::{Serialize, SerializeMap as _, SerializeSeq as _, Serializer};
use serde_json::Value;

use super::{Document, Node};
use crate::diagnostic::SourceFile;

impl Document {
    /// The whole document as YAML; none where no text of it could be read back, as one that is too long.
    pub(in crate::runbook) fn to_yaml(&self) -> Option<String> {
        let root = self.root();
        let right = |text: &String| reads_back(text, root);
        let yaml = serde_yaml::to_string(&Ordered(root)).ok().filter(right);
        // Text with unusual line breaks is not kept by every style of YAML; as JSON with escapes it is.
        let json = || serde_json::to_string_pretty(&Ordered(root)).ok();
        yaml.or_else(|| json().map(|json| escaped(&json)).filter(right))
    }
}

/// Whether a text means the same values as the node, in the same order.
fn reads_back(text: &str, wanted: Node<'_>) -> bool {
    let file = SourceFile::new("", text);
    match Document::parse(&file) {
        (Some(document), mistakes) => {
            let root = document.root();
            mistakes.is_empty() && root.value() == wanted.value() && same_order(root, wanted)
        }
        (None, _) => false,
    }
}

/// Whether the maps of two equal values have their keys in the same order.
fn same_order(one: Node<'_>, other: Node<'_>) -> bool {
    let mut entries = one.entries().zip(other.entries());
    let mut items = one.items().zip(other.items());
    entries.all(|((a, one), (b, other))| a.name == b.name && same_order(one, other))
        && items.all(|(one, other)| same_order(one, other))
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
