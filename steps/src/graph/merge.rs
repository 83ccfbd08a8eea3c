//! Changes of single items of a collection that Graph replaces as a whole. Pure: lists in, list out.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use openssl::hash::{MessageDigest, hash};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::inputs::Merge;
use crate::certificate::hex;

/// The keys of an application or a service principal: the one collection whose items cannot be sent as they are read.
const KEYS: &str = "keyCredentials";

/// Why a collection cannot be changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unmergeable {
    /// The answer does not hold it.
    #[error("the answer has no list `{0}`: is the path right, and the property's name?")]
    Missing(String),
    /// An item cannot be sent back.
    #[error(
        "{0} of the certificates that are there cannot be read back, so that sending the list would lose them; nothing was changed. \
         Ask for the object by its id, and look whether the account may read its keys (RB0325)"
    )]
    Unreadable(usize),
}

/// How keys are sent back: Microsoft's own sources contradict each other. What loses least comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As they were read, with their names and dates.
    Whole,
    /// By their content alone, as Microsoft's own scripts do.
    Content,
    /// By their ids, without their content.
    Reference,
}

/// All that Graph's schema has of a key.
const WHOLE: [&str; 8] = [
    "keyId",
    "type",
    "usage",
    "key",
    "displayName",
    "startDateTime",
    "endDateTime",
    "customKeyIdentifier",
];

impl Form {
    /// What is sent of a key, which the object has already or is to get.
    fn names(self, there: bool) -> &'static [&'static str] {
        match (self, there) {
            (Self::Whole, _) | (Self::Reference, false) => &WHOLE,
            (Self::Content, true) => &["type", "usage", "key"],
            (Self::Content, false) => &[
                "type",
                "usage",
                "key",
                "displayName",
                "startDateTime",
                "endDateTime",
            ],
            (Self::Reference, true) => &[
                "keyId",
                "type",
                "usage",
                "startDateTime",
                "endDateTime",
                "customKeyIdentifier",
            ],
        }
    }
}

/// Whether the items of a collection can be sent in other forms.
pub(super) fn has_forms(merge: &Merge) -> bool {
    merge.property == KEYS
}

/// What a change did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Made {
    added: Vec<Value>,
    removed: Vec<Value>,
}

impl Made {
    /// What there is to do to get from one list to another.
    pub(super) fn between(current: &[Value], wanted: &[Value]) -> Self {
        let lacks = |list: &[Value], item: &&Value| !list.contains(item);
        Self {
            added: wanted
                .iter()
                .filter(|item| lacks(current, item))
                .cloned()
                .collect(),
            removed: current
                .iter()
                .filter(|item| lacks(wanted, item))
                .cloned()
                .collect(),
        }
    }
}

/// What of a change is undone, given what was there before it was made: what was added and was not there, and
/// what was taken away and was, as it was then. Where it is known what the change did, nothing else is undone: others may have
/// come to the same end.
pub(super) fn undoing(merge: &Merge, before: &[Value], made: Option<&Made>) -> Merge {
    let find = |list: &[Value], item: &Value| list.iter().find(|there| is_same(merge, there, item)).cloned();
    let of = |items: Vec<Value>| (!items.is_empty()).then_some(Value::Array(items));
    let remove = listed(merge.remove.as_ref()).filter(|item| {
        find(before, item).is_none() && made.is_none_or(|made| find(&made.added, item).is_some())
    });
    let add = listed(merge.add.as_ref())
        .filter_map(|item| find(before, item))
        .filter(|item| made.is_none_or(|made| find(&made.removed, item).is_some()));
    Merge {
        remove: of(remove.cloned().collect()),
        add: of(add.collect()),
        ..merge.clone()
    }
}

/// The list as it is to be, or nothing where it is so already.
pub(super) fn merged(merge: &Merge, object: &Value) -> Result<Option<Vec<Value>>, Unmergeable> {
    let current = items(merge, object)?;
    let mut wanted = current.clone();
    for item in listed(merge.remove.as_ref()) {
        wanted.retain(|there| !is_same(merge, there, item));
    }
    for item in listed(merge.add.as_ref()) {
        if !contains(merge, &wanted, item) {
            wanted.push(item.clone());
        }
    }
    Ok((wanted != *current).then_some(wanted))
}

/// The body that writes the list.
pub(super) fn body(
    merge: &Merge,
    object: &Value,
    wanted: &[Value],
    form: Form,
) -> Result<Value, Unmergeable> {
    if merge.property != KEYS {
        return Ok(json!({ merge.property.as_str(): wanted }));
    }
    let current = items(merge, object)?;
    let unreadable = wanted
        .iter()
        .filter(|item| form != Form::Reference && item["key"].as_str().is_none());
    match unreadable.count() {
        0 => {}
        some => return Err(Unmergeable::Unreadable(some)),
    }
    let sent = wanted.iter().map(|item| {
        let field = |name: &&str| Some(((*name).to_owned(), item.get(*name)?.clone()));
        let fields = form.names(current.contains(item)).iter().filter_map(field);
        Value::Object(
            fields
                .filter(|(_, value)| !value.is_null())
                .collect::<Map<_, _>>(),
        )
    });
    let sent: Vec<Value> = sent.collect();
    Ok(json!({ KEYS: sent }))
}

/// What a reading shows of a change.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shown {
    /// All of it.
    Whole,
    /// Not all that the change is about: it may not have come everywhere yet.
    NotYet(String),
    /// All that the change is about, but these are gone that nobody asked to take away.
    Without(Vec<Value>),
}

/// Whether a list is as it was written.
pub(super) fn shown(merge: &Merge, object: &Value, wanted: &[Value]) -> Result<Shown, Unmergeable> {
    let current = items(merge, object)?;
    let has = |item: &Value| contains(merge, current, item);
    let added = listed(merge.add.as_ref()).filter(|item| !has(item)).count();
    let left = listed(merge.remove.as_ref()).filter(|item| has(item)).count();
    let gone: Vec<Value> = wanted.iter().filter(|item| !has(item)).cloned().collect();
    Ok(match (added, left) {
        (0, 0) if gone.is_empty() => Shown::Whole,
        (0, 0) => Shown::Without(gone),
        (0, left) => Shown::NotYet(format!(
            "{left} of the items that were taken away are still there"
        )),
        (_, _) => Shown::NotYet(format!("{} of the items are not there", gone.len())),
    })
}

/// What was there before, is not there now, and was not to be taken away.
pub(super) fn lost(merge: &Merge, before: &[Value], current: &[Value]) -> Vec<Value> {
    let meant = |item: &Value| listed(merge.remove.as_ref()).any(|gone| is_same(merge, item, gone));
    let lost = before
        .iter()
        .filter(|item| !contains(merge, current, item) && !meant(item));
    lost.cloned().collect()
}

/// Adds to a list what it lacks of these.
pub(super) fn put_back(merge: &Merge, wanted: &mut Vec<Value>, owed: &[Value]) {
    for item in owed {
        if !contains(merge, wanted, item) {
            wanted.push(item.clone());
        }
    }
}

/// Whether an item can be written anew: the content of a key may never have been shown.
pub(super) fn is_known(merge: &Merge, item: &Value) -> bool {
    merge.property != KEYS || item["key"].is_string()
}

/// What people call these items: names as they are, keys by their name, number and end.
pub(super) fn named(merge: &Merge, items: &[Value]) -> String {
    const MOST: usize = 10;
    let name = |item: &Value| match item {
        Value::String(text) => format!("`{text}`"),
        _ => {
            let key = merge.key.as_deref().unwrap_or_default();
            let fields = ["displayName", "keyId", "customKeyIdentifier", "endDateTime", key];
            let known = fields.iter().filter_map(|name| match item.get(*name)? {
                Value::String(text) if *name != "key" => Some(text.as_str()),
                _ => None,
            });
            format!("`{}`", known.collect::<Vec<_>>().join(" "))
        }
    };
    let mut names: Vec<String> = items.iter().take(MOST).map(name).collect();
    if items.len() > MOST {
        names.push(format!("{} more", items.len() - MOST));
    }
    names.join(", ")
}

fn contains(merge: &Merge, list: &[Value], item: &Value) -> bool {
    list.iter().any(|there| is_same(merge, there, item))
}

/// The items that an object has.
pub(super) fn items<'a>(merge: &Merge, object: &'a Value) -> Result<&'a Vec<Value>, Unmergeable> {
    let list = object.get(&merge.property).and_then(Value::as_array);
    list.ok_or_else(|| Unmergeable::Missing(merge.property.clone()))
}

/// One item, or a list of them.
fn listed(items: Option<&Value>) -> impl Iterator<Item = &Value> {
    match items {
        Some(Value::Array(items)) => items.as_slice(),
        Some(item) => std::slice::from_ref(item),
        None => &[],
    }
    .iter()
}

/// Whether two items are the same one.
fn is_same(merge: &Merge, there: &Value, item: &Value) -> bool {
    match (there, item, &merge.key) {
        // Names of principals differ by more than capital letters.
        (Value::String(there), Value::String(item), _) => there.eq_ignore_ascii_case(item),
        (Value::Object(_), Value::Object(_), Some(key)) => {
            let same = |name: &str| {
                let value = there.get(name).filter(|value| !value.is_null());
                value.is_some() && value == item.get(name)
            };
            let is_key = || merge.property == KEYS && (is_certificate_of(there, item) || same("keyId"));
            same(key) || is_key()
        }
        _ => there == item,
    }
}

/// Whether an entry whose certificate is not shown is that of an item, by its thumbprint.
fn is_certificate_of(there: &Value, item: &Value) -> bool {
    let identifier = there["customKeyIdentifier"].as_str();
    let certificate = item["key"].as_str().and_then(|text| STANDARD.decode(text).ok());
    let (Some(identifier), Some(certificate)) = (identifier, certificate) else {
        return false;
    };
    if there["key"].as_str().is_some() {
        return false;
    }
    hash(MessageDigest::sha1(), &certificate)
        .is_ok_and(|digest| identifier.eq_ignore_ascii_case(&hex(&digest)))
}

#[cfg(test)]
mod tests;
