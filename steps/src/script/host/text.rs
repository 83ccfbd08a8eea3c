//! Regular expressions, JSON and hashes.

use openssl::sha;
use regex::{Regex, RegexBuilder};
use rhai::{Array, Dynamic, Engine, ImmutableString};
use serde_json::Value;

use super::{Answer, Function, LONGEST_LIST, LONGEST_TEXT, refused};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::pure(
        "matches(text, pattern)",
        "whether a regular expression matches somewhere in the text",
    ),
    Function::pure("find(text, pattern)", "the first match, or `()`"),
    Function::pure("find_all(text, pattern)", "a list of all matches"),
    Function::pure(
        "captures(text, pattern)",
        "a list of the first match and its groups (`()` for a group that took no part), or `()`",
    ),
    Function::pure(
        "replace_all(text, pattern, with)",
        "the text with every match replaced; `$1` in `with` stands for a group",
    ),
    Function::pure("parse_json(text)", "the value that the text writes"),
    Function::pure("to_json(value)", "the value as JSON on one line"),
    Function::pure("sha256(text)", "the hash of the text in UTF-8, in hexadecimal"),
    Function::pure("sha512(text)", "the same, with SHA-512"),
];

/// The largest compiled pattern, in bytes.
const LARGEST_PATTERN: usize = 256 * 1024;

type Text = ImmutableString;

pub(super) fn register(engine: &mut Engine) {
    engine
        .register_fn("matches", |text: Text, pattern: Text| -> Answer<bool> {
            Ok(compile(&pattern)?.is_match(&text))
        })
        .register_fn("find", |text: Text, pattern: Text| -> Answer<Dynamic> {
            let found = compile(&pattern)?
                .find(&text)
                .map(|found| found.as_str().to_owned());
            Ok(found.map_or(Dynamic::UNIT, Dynamic::from))
        })
        .register_fn("find_all", |text: Text, pattern: Text| -> Answer<Array> {
            let pattern = compile(&pattern)?;
            let found = pattern
                .find_iter(&text)
                .map(|found| Dynamic::from(found.as_str().to_owned()));
            let found: Array = found.take(LONGEST_LIST + 1).collect();
            if found.len() > LONGEST_LIST {
                return refused("there are too many matches");
            }
            Ok(found)
        })
        .register_fn("captures", |text: Text, pattern: Text| -> Answer<Dynamic> {
            let pattern = compile(&pattern)?;
            let group = |group: Option<regex::Match<'_>>| {
                group.map_or(Dynamic::UNIT, |found| Dynamic::from(found.as_str().to_owned()))
            };
            let found = pattern.captures(&text);
            Ok(found.map_or(Dynamic::UNIT, |found| {
                found.iter().map(group).collect::<Array>().into()
            }))
        })
        .register_fn("replace_all", replace_all)
        .register_fn("parse_json", |text: Text| -> Answer<Dynamic> {
            match serde_json::from_str::<Value>(&text) {
                Ok(value) => rhai::serde::to_dynamic(value),
                // The text itself may be secret: only the place is told.
                Err(error) => refused(format!(
                    "line {}, column {} is not JSON",
                    error.line(),
                    error.column()
                )),
            }
        })
        .register_fn("to_json", |value: Dynamic| -> Answer<String> {
            Ok(rhai::serde::from_dynamic::<Value>(&value)?.to_string())
        })
        .register_fn("sha256", |text: Text| hexadecimal(&sha::sha256(text.as_bytes())))
        .register_fn("sha512", |text: Text| hexadecimal(&sha::sha512(text.as_bytes())));
}

fn compile(pattern: &str) -> Answer<Regex> {
    let built = RegexBuilder::new(pattern)
        .size_limit(LARGEST_PATTERN)
        .dfa_size_limit(LARGEST_PATTERN)
        .build();
    built.or_else(|_| refused("this is not a regular expression, or too large"))
}

/// As the regex library's own function, within the limit on texts.
fn replace_all(text: Text, pattern: Text, with: Text) -> Answer<String> {
    let mut made = String::new();
    let mut from = 0;
    for found in compile(&pattern)?.captures_iter(&text) {
        let Some(whole) = found.get(0) else { continue };
        made.push_str(text.get(from..whole.start()).unwrap_or_default());
        // What one match becomes is made before it can be measured: each `$` gives at most all of it.
        let most = with.matches('$').count().saturating_mul(whole.len());
        if most > 16 * LONGEST_TEXT {
            return refused("the text would become too large");
        }
        found.expand(&with, &mut made);
        from = whole.end();
        if made.len() > LONGEST_TEXT {
            return refused("the text would become too large");
        }
    }
    made.push_str(text.get(from..).unwrap_or_default());
    Ok(made)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
