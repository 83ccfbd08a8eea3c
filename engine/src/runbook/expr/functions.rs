//! The functions that expressions have beside Rhai's own.

use std::collections::BTreeSet;

use jiff::civil::DateTime;
use jiff::fmt::rfc2822;
use jiff::fmt::temporal::Pieces;
use regex::RegexBuilder;
use rhai::{Array, Dynamic, EvalAltResult, FLOAT, FuncRegistration, INT, ImmutableString, Module, Position};
use url::Url;

use super::sandbox::LONGEST_STRING;
use super::value::to_value;

type Answer<T> = Result<T, Box<EvalAltResult>>;

/// The most memory that a regular expression may be compiled to.
const LARGEST_PATTERN: usize = 256 * 1024;

/// Functions of Rhai that change a value in place, which an expression cannot see, and what gives the
/// changed value instead.
pub(super) const IN_PLACE: &[(&str, Option<&str>)] = &[
    ("trim", Some("trimmed")),
    ("replace", Some("replaced")),
    ("sort", Some("sorted")),
    ("make_lower", Some("lower")),
    ("make_upper", Some("upper")),
    ("dedup", Some("unique")),
    ("push", None),
    ("append", None),
    ("insert", None),
    ("clear", None),
    ("truncate", None),
    ("chop", None),
    ("crop", None),
    ("pad", None),
    ("reverse", None),
    ("retain", None),
    ("set", None),
    ("mixin", None),
    ("fill_with", None),
    ("sleep", None),
];

/// Adds the functions to a module, and takes the teeth out of some of Rhai's own.
pub(super) fn register(library: &mut Module) {
    FuncRegistration::new("host").set_into_module(library, host);
    FuncRegistration::new("lower").set_into_module(library, |text: ImmutableString| text.to_lowercase());
    FuncRegistration::new("upper").set_into_module(library, |text: ImmutableString| text.to_uppercase());
    FuncRegistration::new("trimmed").set_into_module(library, |text: ImmutableString| text.trim().to_owned());
    FuncRegistration::new("replaced").set_into_module(library, replaced);
    FuncRegistration::new("default").set_into_module(library, default);
    FuncRegistration::new("json").set_into_module(library, json);
    FuncRegistration::new("matches").set_into_module(library, matches);
    FuncRegistration::new("moment").set_into_module(library, moment);
    FuncRegistration::new("join").set_into_module(library, join);
    FuncRegistration::new("sorted").set_into_module(library, sorted);
    FuncRegistration::new("unique").set_into_module(library, unique);
    // Rhai's own would block a thread beyond every limit, …
    FuncRegistration::new("sleep").set_into_module(library, |_: INT| -> Answer<()> { Err(no_sleep()) });
    FuncRegistration::new("sleep").set_into_module(library, |_: FLOAT| -> Answer<()> { Err(no_sleep()) });
    // … and would let a string grow without looking at the limit.
    FuncRegistration::new("replace").set_into_module(library, replace::<ImmutableString, ImmutableString>);
    FuncRegistration::new("replace").set_into_module(library, replace::<ImmutableString, char>);
    FuncRegistration::new("replace").set_into_module(library, replace::<char, ImmutableString>);
}

fn failed(message: impl Into<String>) -> Box<EvalAltResult> {
    Box::new(EvalAltResult::ErrorRuntime(message.into().into(), Position::NONE))
}

fn too_large() -> Box<EvalAltResult> {
    Box::new(EvalAltResult::ErrorDataTooLarge(
        "Length of string".to_owned(),
        Position::NONE,
    ))
}

fn no_sleep() -> Box<EvalAltResult> {
    failed("an expression cannot wait; use a `wait` step")
}

/// The host of a URL, without the port. The message holds no part of the text, which may be secret.
fn host(url: ImmutableString) -> Answer<String> {
    let parsed = Url::parse(&url).map_err(|error| failed(format!("`host` was not given a URL: {error}")))?;
    parsed
        .host_str()
        .map(str::to_owned)
        .ok_or_else(|| failed("`host` was given a URL without a host"))
}

fn replaced(text: ImmutableString, from: ImmutableString, to: ImmutableString) -> Answer<String> {
    let added = text.matches(from.as_str()).count().saturating_mul(to.len());
    if text.len().saturating_add(added) > LONGEST_STRING {
        return Err(too_large());
    }
    Ok(text.replace(from.as_str(), &to))
}

/// Rhai's `replace`, in place and with a limit.
fn replace<From: ToString, To: ToString>(text: &mut ImmutableString, from: From, to: To) -> Answer<()> {
    *text = replaced(text.clone(), from.to_string().into(), to.to_string().into())?.into();
    Ok(())
}

/// The value, or the fallback where there is none or it is an empty string.
fn default(value: Dynamic, fallback: Dynamic) -> Dynamic {
    let empty = value.is_unit()
        || value
            .read_lock::<ImmutableString>()
            .is_some_and(|text| text.is_empty());
    if empty { fallback } else { value }
}

fn json(value: Dynamic) -> Answer<String> {
    let value = to_value(value).map_err(|error| failed(error.to_string()))?;
    let text = value.to_string();
    if text.len() > LONGEST_STRING {
        Err(too_large())
    } else {
        Ok(text)
    }
}

fn matches(text: ImmutableString, pattern: ImmutableString) -> Answer<bool> {
    let pattern = RegexBuilder::new(&pattern)
        .size_limit(LARGEST_PATTERN)
        .dfa_size_limit(LARGEST_PATTERN)
        .build();
    let pattern =
        pattern.map_err(|error| failed(format!("`matches` was not given a regular expression: {error}")))?;
    Ok(pattern.is_match(&text))
}

/// A moment in seconds since 1970, of a text as JSON or as HTTP writes times. Certificates end in the year 9999, on days
/// that a `Timestamp` does not reach.
fn moment(text: ImmutableString) -> Answer<INT> {
    const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
    if let Ok(date) = rfc2822::parse(text.trim()) {
        return Ok(date.timestamp().as_second());
    }
    let unfit = || failed("`moment` was not given a time with its offset, such as 2026-11-23T04:20:00Z");
    let pieces = Pieces::parse(text.trim().as_bytes()).map_err(|_| unfit())?;
    let (time, offset) = (pieces.time(), pieces.to_numeric_offset());
    let (time, offset) = time.zip(offset).ok_or_else(unfit)?;
    let civil = pieces.date().to_datetime(time);
    Ok(civil.duration_since(EPOCH).as_secs() - i64::from(offset.seconds()))
}

fn join(list: Array, separator: ImmutableString) -> Answer<String> {
    let mut joined = String::new();
    for (at, item) in list.into_iter().enumerate() {
        if at > 0 {
            joined.push_str(&separator);
        }
        joined.push_str(&item.to_string());
        if joined.len() > LONGEST_STRING {
            return Err(too_large());
        }
    }
    Ok(joined)
}

/// The strings or numbers of a list in order.
fn sorted(mut list: Array) -> Answer<Array> {
    if list.iter().all(Dynamic::is_string) {
        list.sort_by_cached_key(Dynamic::to_string);
    } else if list.iter().all(Dynamic::is_int) {
        list.sort_by_key(|item| item.as_int().unwrap_or_default());
    } else {
        return Err(failed(
            "`sorted` takes a list of strings or a list of whole numbers",
        ));
    }
    Ok(list)
}

/// The list without items that came before.
fn unique(list: Array) -> Array {
    let mut seen = BTreeSet::new();
    list.into_iter()
        .filter(|item| seen.insert(format!("{} {item}", item.type_name())))
        .collect()
}
