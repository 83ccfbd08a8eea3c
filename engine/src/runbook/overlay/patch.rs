//! Changing single fields: a map is merged key by key, at any depth; any other value takes the place of what was
//! there, and `null` takes it out (JSON Merge Patch, RFC 7396).

use super::super::yaml::{Entries, Node, Part};
use crate::diagnostic::Span;

/// A field that a patch sets or takes out.
pub(super) struct Leaf<'a> {
    /// The keys that lead to it.
    pub(super) path: Vec<&'a str>,
    /// Where its key stands in the overlay.
    pub(super) span: Span,
    /// What it becomes; null takes it out.
    pub(super) value: Node<'a>,
    /// Whether there was such a field.
    pub(super) known: bool,
}

/// Applies the entries of a patch to a map, and tells every field that it sets.
pub(super) fn patch<'a>(part: Part<'a>, with: Node<'a>, leaves: &mut Vec<Leaf<'a>>) -> Part<'a> {
    below(part, with, &[], leaves)
}

fn below<'a>(part: Part<'a>, with: Node<'a>, path: &[&'a str], leaves: &mut Vec<Leaf<'a>>) -> Part<'a> {
    let (span, mut fields): (Span, Entries<'a>) = part.into_entries();
    for (key, value) in with.entries() {
        let path: Vec<&str> = path.iter().copied().chain([key.name]).collect();
        let old = fields.get(key.name).cloned();
        if let Some((place, old)) = old.clone()
            && old.is_map()
            && value.value().is_object()
        {
            let merged = below(old, value, &path, leaves);
            fields.insert(key.name, (place, merged));
            continue;
        }
        if value.value().is_null() {
            fields.shift_remove(key.name);
        } else {
            fields.insert(key.name, (key.span, Part::Whole(value)));
        }
        leaves.push(Leaf {
            path,
            span: key.span,
            value,
            known: old.is_some(),
        });
    }
    Part::Map(span, fields)
}
