//! A request, taken apart.

use std::collections::BTreeMap;

use serde_json::Value;
use url::form_urlencoded;

use super::answer::Ids;

/// What is asked.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) method: String,
    /// The parts of the path, decoded.
    pub(super) path: Vec<String>,
    pub(super) query: BTreeMap<String, String>,
    /// The header `Authorization`.
    pub(super) authorization: Option<String>,
    pub(super) body: Vec<u8>,
    pub(super) ids: Ids,
}

impl Asked {
    /// The parts of the path, to be matched.
    pub(super) fn parts(&self) -> Vec<&str> {
        self.path.iter().map(String::as_str).collect()
    }

    /// The fields of a form.
    pub(super) fn form(&self) -> BTreeMap<String, String> {
        form_urlencoded::parse(&self.body).into_owned().collect()
    }

    /// The body as JSON.
    pub(super) fn json(&self) -> Result<Value, serde_json::Error> {
        serde_json::from_slice(&self.body)
    }
}

/// The parts of a path, decoded.
pub(super) fn path(path: &str) -> Vec<String> {
    let parts = path.split('/').filter(|part| !part.is_empty());
    // A plus sign in a path is itself.
    parts
        .map(|part| {
            let escaped = format!("x={}", part.replace('+', "%2B").replace('&', "%26"));
            let decoded = form_urlencoded::parse(escaped.as_bytes()).next();
            decoded.map_or_else(String::new, |(_, value)| value.into_owned())
        })
        .collect()
}
