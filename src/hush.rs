//! The last guard: whatever the program prints, logs or dies of, the secrets that it knows are taken out of it.

use std::io::{self, Write as _};
use std::panic::PanicHookInfo;
use std::sync::{PoisonError, RwLock};

use runbook_engine::diagnostic::{Code, Diagnostic};
use runbook_engine::secret::Mask;
use serde_json::Value;

use crate::render;

/// The secrets of this process; one process carries one run out.
static KNOWN: RwLock<Known> = RwLock::new(Known {
    texts: Vec::new(),
    mask: None,
});

struct Known {
    texts: Vec<String>,
    mask: Option<Mask>,
}

/// From now on, this text is never printed.
pub(crate) fn learn(secret: &str) {
    let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
    if !known.texts.iter().any(|text| text == secret) {
        known.texts.push(secret.to_owned());
        known.mask = Some(Mask::new(known.texts.iter().map(String::as_str)));
    }
}

fn mask() -> Option<Mask> {
    KNOWN.read().unwrap_or_else(PoisonError::into_inner).mask.clone()
}

/// The text without secrets.
pub(crate) fn hushed(text: &str) -> String {
    mask().map_or_else(|| text.to_owned(), |mask| mask.text(text))
}

/// The value without secrets in its texts. Its numbers are the program's own.
pub(crate) fn hushed_value(value: &Value) -> Value {
    fn without(value: &Value, mask: &Mask) -> Value {
        match value {
            Value::String(text) => Value::String(mask.text(text)),
            Value::Array(items) => items.iter().map(|item| without(item, mask)).collect(),
            Value::Object(fields) => {
                let fields = fields
                    .iter()
                    .map(|(name, value)| (name.clone(), without(value, mask)));
                Value::Object(fields.collect())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        }
    }
    mask().map_or_else(|| value.clone(), |mask| without(value, &mask))
}

/// The bytes without secrets, looked at by themselves: for logs, which write a line at a time.
pub(crate) fn hushed_bytes(bytes: &[u8]) -> Vec<u8> {
    mask().map_or_else(|| bytes.to_vec(), |mask| mask.bytes(bytes))
}

/// Lets a panic tell what happened and where, and nothing that is secret.
pub(crate) fn guard_panics() {
    std::panic::set_hook(Box::new(|panic| {
        // Nobody is left to be told that standard error is closed.
        let _closed = writeln!(io::stderr(), "{}", report(panic));
    }));
}

fn report(panic: &PanicHookInfo<'_>) -> String {
    let what = panic
        .payload_as_str()
        .unwrap_or("something that should not happen did");
    let place = panic
        .location()
        .map_or_else(String::new, |place| format!(" ({place})"));
    told(what, &place)
}

fn told(what: &str, place: &str) -> String {
    let diagnostic = Diagnostic::error(Code::Internal, format!("the program has a fault: {what}{place}"));
    let diagnostic =
        diagnostic.help("the journal holds all that happened; `runbook resume RUN` goes on from there");
    hushed(&render::diagnostic::as_text(&diagnostic))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{hushed, hushed_bytes, hushed_value, learn, told};

    // One test: what is known is known to the whole process.
    #[test]
    fn nothing_that_is_printed_logged_or_died_of_tells_a_secret() {
        learn("Hush/kitten-4711");
        assert_eq!(
            hushed("a Hush/kitten-4711, b Hush%2Fkitten-4711"),
            "a ******, b ******"
        );
        assert_eq!(
            hushed_value(&json!({ "seq": 4711, "text": ["Hush/kitten-4711"] })),
            json!({ "seq": 4711, "text": ["******"] })
        );
        let line = b"value=\"Hush\\/kitten-4711\"\n";
        assert_eq!(hushed_bytes(line), b"value=\"******\"\n");
        let death = told(
            "called `unwrap()` on Err(\"Hush/kitten-4711\")",
            " (src/x.rs:1:2)",
        );
        assert!(death.contains("Err(\"******\") (src/x.rs:1:2)"), "{death}");
        assert!(!death.contains("kitten"), "{death}");
    }
}
