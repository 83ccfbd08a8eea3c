//! The stored form of entries: versioned JSON, with types of its own, so that the engine's can change
//! without making old journals unreadable.

use serde_json::{Map, Value};

use super::JournalError;
use super::chain::Digest;
use crate::core::event::Entry;
use crate::id::Seq;
use crate::identity::PublicKey;

mod v1;

#[cfg(test)]
mod tests;

/// The largest stored entry, in bytes: above all inputs' own bounds.
pub const LARGEST_ENTRY: usize = 16 * 1024 * 1024;

/// How deeply values may be nested; readers of JSON stop at 128.
const DEEPEST: usize = 120;

/// An entry, the hash that it says comes before it, and the key that it says signed it.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) entry: Entry,
    pub(crate) prev: Digest,
    pub(crate) key: Option<PublicKey>,
}

/// The stored form of an entry that follows one with the hash `prev`, and is signed with that key.
pub(crate) fn encode(entry: &Entry, prev: Digest, key: Option<PublicKey>) -> Result<Vec<u8>, JournalError> {
    let refuse = |why: String| JournalError::Unstorable(format!("entry {} {why}", entry.seq));
    let bytes =
        v1::to_bytes(entry, prev, key).map_err(|error| refuse(format!("has no stored form: {error}")))?;
    if bytes.len() > LARGEST_ENTRY {
        return Err(refuse(format!(
            "has {} bytes; at most {LARGEST_ENTRY} can be kept",
            bytes.len()
        )));
    }
    if nesting(&bytes) > DEEPEST {
        return Err(refuse(format!("has values nested more than {DEEPEST} deep")));
    }
    Ok(bytes)
}

/// The entry of a stored form that stands at `at` (for messages only).
pub(crate) fn decode(bytes: &[u8], at: Seq) -> Result<Stored, JournalError> {
    let damaged = |why: String| JournalError::Damaged(format!("entry {at} {why}"));
    let mut fields: Map<String, Value> =
        serde_json::from_slice(bytes).map_err(|error| damaged(format!("is not a JSON object: {error}")))?;
    match fields.remove("v").as_ref().and_then(Value::as_u64) {
        Some(v1::VERSION) => v1::from_fields(fields).map_err(|problem| match problem {
            v1::Problem::Newer(what) => JournalError::Newer(format!("entry {at}: {what}")),
            v1::Problem::Wrong(what) => damaged(format!("cannot be read: {what}")),
        }),
        Some(version) => {
            let known = v1::VERSION;
            let message = format!("entry {at} has version {version}; this program reads up to {known}");
            Err(JournalError::Newer(message))
        }
        None => Err(damaged("has no version".to_owned())),
    }
}

/// An entry as programs read it, one line of `--json`: the stored form's fields without `v` and `prev`.
#[must_use]
pub fn to_json(entry: &Entry) -> Value {
    v1::to_value(entry)
}

/// The stored form of an entry on its own, outside of any chain: for others on the same machine.
pub(crate) fn to_record(entry: &Entry) -> Result<Value, JournalError> {
    let bytes = encode(entry, Digest::ZERO, None)?;
    serde_json::from_slice(&bytes).map_err(|error| JournalError::Unstorable(error.to_string()))
}

/// The entry of such a form, which should have the number `at`.
pub(crate) fn from_record(record: &Value, at: Seq) -> Result<Entry, JournalError> {
    let entry = decode(record.to_string().as_bytes(), at)?.entry;
    if entry.seq == at {
        Ok(entry)
    } else {
        Err(JournalError::Damaged(format!(
            "entry {} stands in the place of {at}",
            entry.seq
        )))
    }
}

/// The depth of the brackets outside of strings, of JSON that is known to be well formed.
fn nesting(json: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}
