//! Secrets, taken out of all that is kept or shown, also when they are encoded or cut across chunks.

use std::collections::BTreeSet;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::core::event::{Failure, Outputs};

/// What stands where a secret stood.
const MASK: &str = "******";

/// The values that must not appear, in every form in which they might.
#[derive(Clone, Default)]
pub struct Mask {
    /// The longest first, so that a secret that contains another is taken whole.
    patterns: Arc<[Vec<u8>]>,
}

impl std::fmt::Debug for Mask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mask of {} forms", self.patterns.len())
    }
}

impl Mask {
    /// A mask for these values.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let forms: BTreeSet<Vec<u8>> = secrets
            .into_iter()
            .filter(|secret| !secret.is_empty())
            .flat_map(forms)
            .collect();
        let mut patterns: Vec<Vec<u8>> = forms.into_iter().collect();
        patterns.sort_by_key(|pattern| std::cmp::Reverse(pattern.len()));
        Self {
            patterns: patterns.into(),
        }
    }

    /// The text without secrets.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        if self.patterns.is_empty() {
            return text.to_owned();
        }
        let mut masked = Vec::with_capacity(text.len());
        self.replace(text.as_bytes(), &mut masked);
        String::from_utf8_lossy(&masked).into_owned()
    }

    /// The value without secrets, in keys and values alike.
    #[must_use]
    pub fn value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(items) => Value::Array(items.iter().map(|item| self.value(item)).collect()),
            Value::Object(fields) => Value::Object(self.outputs(fields)),
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
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
            message: self.text(&failure.message),
            place: failure.place.clone(),
        }
    }

    fn starting_at(&self, bytes: &[u8]) -> Option<usize> {
        self.patterns
            .iter()
            .find(|pattern| bytes.starts_with(pattern))
            .map(Vec::len)
    }

    fn replace(&self, bytes: &[u8], into: &mut Vec<u8>) {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            match self.starting_at(&bytes[at..]) {
                Some(length) => {
                    into.extend_from_slice(MASK.as_bytes());
                    at += length;
                }
                None => {
                    into.push(byte);
                    at += 1;
                }
            }
        }
    }
}

/// A stream that is masked as it comes: what may be the beginning of a secret is held back until it is told apart.
#[derive(Default)]
pub(super) struct MaskedStream {
    held: Vec<u8>,
}

impl MaskedStream {
    /// Takes more bytes, and gives those that can be told now.
    pub(super) fn push(&mut self, mask: &Mask, bytes: &[u8]) -> Vec<u8> {
        if mask.patterns.is_empty() {
            return bytes.to_vec();
        }
        self.held.extend_from_slice(bytes);
        let safe = self.safe_length(mask);
        let rest = self.held.split_off(safe);
        let told = std::mem::replace(&mut self.held, rest);
        let mut masked = Vec::with_capacity(told.len());
        mask.replace(&told, &mut masked);
        masked
    }

    /// Gives what was held back, once nothing more comes.
    pub(super) fn finish(&mut self, mask: &Mask) -> Vec<u8> {
        let mut masked = Vec::new();
        mask.replace(&std::mem::take(&mut self.held), &mut masked);
        masked
    }

    /// How much can be told: up to the first place from which on everything might begin a secret.
    fn safe_length(&self, mask: &Mask) -> usize {
        let mut at = 0;
        while at < self.held.len() {
            let rest = &self.held[at..];
            if mask
                .patterns
                .iter()
                .any(|pattern| pattern.len() > rest.len() && pattern.starts_with(rest))
            {
                return at;
            }
            at += mask.starting_at(rest).unwrap_or(1);
        }
        at
    }
}

/// The forms in which a secret may turn up: as it is, and as JSON, URLs, base64 and UTF-16 write it.
fn forms(secret: &str) -> Vec<Vec<u8>> {
    let json = Value::String(secret.to_owned()).to_string();
    let url: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let utf16: Vec<u8> = secret.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut forms = vec![
        secret.as_bytes().to_vec(),
        json.as_bytes()[1..json.len() - 1].to_vec(),
        url.replace('+', "%20").into_bytes(),
        url.into_bytes(),
        STANDARD_NO_PAD.encode(&utf16).into_bytes(),
        utf16,
    ];
    for skipped in 0..3 {
        forms.extend(base64_within(secret.as_bytes(), skipped));
    }
    forms.retain(|form| !form.is_empty());
    forms
}

/// The part of a base64 text that is the same whatever stands before and after the secret, when it begins
/// `skipped` bytes into a group of three.
fn base64_within(secret: &[u8], skipped: usize) -> Vec<Vec<u8>> {
    let mut padded = vec![0; skipped];
    padded.extend_from_slice(secret);
    let from = (skipped * 8).div_ceil(6);
    let to = padded.len() * 8 / 6;
    // Few characters would mask what is no secret.
    if to < from + 8 {
        return Vec::new();
    }
    let part = |text: String| text.as_bytes()[from..to].to_vec();
    vec![
        part(STANDARD_NO_PAD.encode(&padded)),
        part(URL_SAFE_NO_PAD.encode(&padded)),
    ]
}
