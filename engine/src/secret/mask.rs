//! Secrets, taken out of all that is kept or shown, also when they are encoded or cut across chunks.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;

use self::form::{Form, forms};
use crate::core::event::{Failure, Outputs};

mod form;
#[cfg(test)]
mod tests;

/// The fewest characters of a text that is searched for: what is shorter stands everywhere by chance.
pub const SHORTEST: usize = 4;

/// The fewest characters of one line of a longer secret that is searched for by itself, as in a key that is printed
/// line by line.
const SHORTEST_LINE: usize = 8;

/// What stands where a secret stood: the first whose character is in no secret, so that masking makes none.
const STAND_INS: [&str; 4] = [
    "******",
    "######",
    "~~~~~~",
    "\u{2022}\u{2022}\u{2022}\u{2022}\u{2022}\u{2022}",
];

/// The values that must not appear, in every form in which they might.
#[derive(Clone, Default)]
pub struct Mask(Arc<Forms>);

/// The forms, and which of them begin with a byte.
struct Forms {
    forms: Vec<Form>,
    starts: Vec<Vec<u32>>,
    stand_in: &'static str,
}

impl Default for Forms {
    fn default() -> Self {
        Self {
            forms: Vec::new(),
            starts: vec![Vec::new(); 256],
            stand_in: STAND_INS[0],
        }
    }
}

impl std::fmt::Debug for Mask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mask of {} forms", self.0.forms.len())
    }
}

impl Mask {
    /// A mask for these values. Those that are shorter than [`SHORTEST`] cannot be told from other text.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let mut texts = BTreeSet::new();
        for secret in secrets {
            if secret.chars().count() >= SHORTEST {
                texts.insert(secret);
            }
            if secret.contains('\n') {
                let lines = secret.lines().map(str::trim);
                texts.extend(lines.filter(|line| line.chars().count() >= SHORTEST_LINE));
            }
        }
        let unused = |stand_in: &&&str| {
            let mut within = stand_in.chars();
            !within.any(|c| texts.iter().any(|text| text.contains(c)))
        };
        let stand_in = STAND_INS.iter().find(unused).copied().unwrap_or("");
        let forms: Vec<Form> = texts.into_iter().flat_map(forms).collect();
        let mut starts = vec![Vec::new(); 256];
        for (form, at) in forms.iter().zip(0_u32..) {
            for byte in form.first_bytes() {
                starts[usize::from(byte)].push(at);
            }
        }
        Self(Arc::new(Forms {
            forms,
            starts,
            stand_in,
        }))
    }

    /// Whether nothing is to be hidden.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.forms.is_empty()
    }

    /// What stands where a secret stood.
    #[must_use]
    pub fn stand_in(&self) -> &'static str {
        self.0.stand_in
    }

    /// The text without secrets.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        if self.is_empty() {
            return text.to_owned();
        }
        String::from_utf8_lossy(&self.bytes(text.as_bytes())).into_owned()
    }

    /// The bytes without secrets.
    #[must_use]
    pub fn bytes(&self, bytes: &[u8]) -> Vec<u8> {
        let mut masked = Vec::with_capacity(bytes.len());
        self.scan(bytes, true, &mut masked);
        masked
    }

    /// Where the first secret stands in the bytes.
    #[must_use]
    pub fn first_place(&self, bytes: &[u8]) -> Option<Range<usize>> {
        let mut from = bytes.iter().enumerate();
        from.find_map(|(at, &byte)| {
            let length = self.starting_at(byte, &bytes[at..]).length?;
            Some(at..at + length)
        })
    }

    /// The value without secrets, in keys and values alike.
    #[must_use]
    pub fn value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(items) => Value::Array(items.iter().map(|item| self.value(item)).collect()),
            Value::Object(fields) => Value::Object(self.outputs(fields)),
            // A number may be a secret too, as a PIN is.
            Value::Number(number) => {
                let text = number.to_string();
                let masked = self.text(&text);
                if masked == text {
                    value.clone()
                } else {
                    masked.into()
                }
            }
            Value::Null | Value::Bool(_) => value.clone(),
        }
    }

    /// Whether a secret stands in the value.
    #[must_use]
    pub fn hides(&self, value: &Value) -> bool {
        self.value(value) != *value
    }

    /// The outputs without secrets.
    #[must_use]
    pub fn outputs(&self, outputs: &Outputs) -> Outputs {
        outputs
            .iter()
            .map(|(name, value)| (self.text(name), self.value(value)))
            .collect()
    }

    /// The failure without secrets.
    #[must_use]
    pub fn failure(&self, failure: &Failure) -> Failure {
        Failure {
            kind: failure.kind,
            place: failure.place.clone(),
            message: self.text(&failure.message),
        }
    }

    /// Masks from the beginning on as far as it can be told, and gives how far that is: all of it where nothing
    /// more comes, else up to where a secret may begin whose end is still to come.
    fn scan(&self, bytes: &[u8], is_all: bool, into: &mut Vec<u8>) -> usize {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            let found = self.starting_at(byte, &bytes[at..]);
            if found.may_go_on && !is_all {
                return at;
            }
            match found.length {
                Some(length) => {
                    into.extend_from_slice(self.0.stand_in.as_bytes());
                    at += length;
                }
                None => {
                    into.push(byte);
                    at += 1;
                }
            }
        }
        at
    }

    /// The longest secret with which the bytes, the first of which is `first`, begin.
    fn starting_at(&self, first: u8, bytes: &[u8]) -> form::Found {
        let mut found = form::Found::default();
        for &at in &self.0.starts[usize::from(first)] {
            let one = self.0.forms[at as usize].starting(bytes);
            found.length = found.length.max(one.length);
            found.may_go_on |= one.may_go_on;
        }
        found
    }
}

/// A stream that is masked as it comes: what may be the beginning of a secret is held back until it is told apart.
#[derive(Default)]
pub struct MaskedStream {
    held: Vec<u8>,
}

impl MaskedStream {
    /// Takes more bytes, and gives those that can be told now.
    pub fn push(&mut self, mask: &Mask, bytes: &[u8]) -> Vec<u8> {
        if mask.is_empty() && self.held.is_empty() {
            return bytes.to_vec();
        }
        self.held.extend_from_slice(bytes);
        let mut masked = Vec::with_capacity(self.held.len());
        let told = mask.scan(&self.held, false, &mut masked);
        self.held.drain(..told);
        masked
    }

    /// Gives what was held back, once nothing more comes.
    pub fn finish(&mut self, mask: &Mask) -> Vec<u8> {
        mask.bytes(&std::mem::take(&mut self.held))
    }
}
