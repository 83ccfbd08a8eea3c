//! Values that expressions put into addresses: they are data, and never a part of the address's form.

use runbook_engine::runbook::expr::{MARK_END, MARK_START};

/// The text, with every value in it changed by `value`, which is also told what stands before it.
pub fn with_values(text: &str, mut value: impl FnMut(&str, &str) -> String) -> String {
    let mut pieces = text.split(MARK_START);
    let mut whole = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (inner, rest) = piece.split_once(MARK_END).unwrap_or((piece, ""));
        let changed = value(&whole, inner);
        whole.push_str(&changed);
        whole.push_str(rest);
    }
    whole
}

/// The text with its values as they are.
#[must_use]
pub fn plain(text: &str) -> String {
    with_values(text, |_, value| value.to_owned())
}

/// A value that makes another address of the one that it stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Astray {
    /// It is a whole part of the path, and empty.
    #[error("is empty where a part of the path must stand: it would mean all that is above")]
    Empty,
    /// It is `.` or `..`, which lead elsewhere however they are escaped.
    #[error("has a part `.` or `..`, which leads elsewhere")]
    Dots,
}

/// An address whose values are escaped, so that none of them ends a part of the path or begins a query. A value
/// at the very beginning is the address that the others are below, and stays as it is.
///
/// # Errors
/// When a value would lead elsewhere all the same.
pub fn address(text: &str) -> Result<String, Astray> {
    within_path(text, |before, value| {
        if before.is_empty() {
            value.to_owned()
        } else {
            escaped(value)
        }
    })
}

/// An address or path with its values changed by `value`, which escapes them.
///
/// # Errors
/// When a value would lead elsewhere all the same.
pub fn within_path(text: &str, mut value: impl FnMut(&str, &str) -> String) -> Result<String, Astray> {
    let mut empty = Vec::new();
    let filled = with_values(text, |before, inner| {
        if inner.is_empty() {
            empty.push(before.len());
        }
        value(before, inner)
    });
    let path = filled.split(['?', '#']).next().unwrap_or_default();
    let is_part = |&at: &usize| {
        let ends = |rest: &str| rest.is_empty() || rest.starts_with('/');
        path[..at.min(path.len())].ends_with('/') && path.get(at..).is_some_and(ends)
    };
    if empty.iter().any(is_part) {
        return Err(Astray::Empty);
    }
    if path.split('/').any(|part| matches!(part, "." | "..")) {
        return Err(Astray::Dots);
    }
    Ok(filled)
}

/// Every byte that is not unreserved in an address, percent-encoded.
#[must_use]
pub fn escaped(value: &str) -> String {
    use std::fmt::Write as _;
    let mut escaped = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            escaped.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _written = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use runbook_engine::runbook::expr::{MARK_END, MARK_START};
    use url::Url;

    use super::{Astray, address, plain, with_values};

    fn marked(value: &str) -> String {
        format!("{MARK_START}{value}{MARK_END}")
    }

    #[test]
    fn the_first_value_is_the_address_and_the_others_are_data() {
        let text = format!(
            "{}/{}/json",
            marked("https://a.example/b?c"),
            marked("x/../y?z#w")
        );
        assert_eq!(
            address(&text).unwrap(),
            "https://a.example/b?c/x%2F..%2Fy%3Fz%23w/json"
        );
        assert_eq!(plain(&text), "https://a.example/b?c/x/../y?z#w/json");
    }

    #[test]
    fn a_value_is_told_what_stands_before_it() {
        let text = format!("a{}b{}", marked("1"), marked("2"));
        let told = with_values(&text, |before, value| format!("<{before}|{value}>"));
        assert_eq!(told, "a<a|1>b<a<a|1>b|2>");
    }

    #[test]
    fn a_value_that_would_lead_elsewhere_is_refused() {
        let with = |value: &str, rest: &str| address(&format!("https://a.example/x/{}{rest}", marked(value)));
        assert_eq!(with("", ""), Err(Astray::Empty));
        assert_eq!(with("", "/y"), Err(Astray::Empty));
        assert_eq!(with("", "?q"), Err(Astray::Empty));
        assert_eq!(with("..", "/y"), Err(Astray::Dots));
        assert_eq!(with(".", "."), Err(Astray::Dots), "together with what follows");
        assert_eq!(with("", ".json").unwrap(), "https://a.example/x/.json");
        assert_eq!(with("...", "").unwrap(), "https://a.example/x/...");
        let query = format!("https://a.example/x?q={}", marked(""));
        assert_eq!(address(&query).unwrap(), "https://a.example/x?q=");
    }

    proptest! {
        #[test]
        fn a_value_stays_within_its_part_of_the_path(value in "[^\u{fdd0}\u{fdd1}]{0,20}") {
            prop_assume!(!matches!(value.as_str(), "" | "." | ".."));
            let url = Url::parse(&address(&format!("https://a.example/x/{}/y", marked(&value))).unwrap()).unwrap();
            prop_assert_eq!(url.host_str(), Some("a.example"));
            prop_assert_eq!(url.query(), None);
            prop_assert_eq!(url.path_segments().unwrap().count(), 3, "{}", url);
        }
    }
}
