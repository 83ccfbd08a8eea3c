//! The query of a request to Graph, whose texts are a language of their own: OData.

use std::collections::BTreeMap;

use runbook_engine::step::Failure;

use super::inputs_failure;
use crate::text::Text;
use crate::web::marked::{escaped, with_values};

/// Options of OData that are expressions; Graph takes them without their `$` too.
const EXPRESSIONS: [&str; 9] = [
    "filter", "orderby", "expand", "search", "select", "apply", "compute", "top", "skip",
];

/// Whether a value in a parameter of this name could be read as more than a value.
fn is_expression(name: &str) -> bool {
    name.starts_with('$') || EXPRESSIONS.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// The whole query, escaped.
///
/// # Errors
/// When a value could change what the query means.
pub(super) fn filled(query: &BTreeMap<String, Text>) -> Result<String, Failure> {
    let pairs = query.iter().map(|(name, text)| {
        let text = literal(name, text.as_str())?;
        Ok(format!("{}={}", escaped(name), escaped(&text)))
    });
    let pairs: Result<Vec<String>, Failure> = pairs.collect();
    Ok(pairs?.join("&"))
}

/// A value as it stands between the quotation marks of OData.
pub(super) fn doubled(value: &str) -> String {
    value.replace('\'', "''")
}

/// A text in which no value ends the literal that it stands in, and none outside of one is more than a word or a list of
/// words.
fn literal(name: &str, text: &str) -> Result<String, Failure> {
    let mut loose = false;
    let filled = with_values(text, |before, value| {
        let quoted = before.matches('\'').count() % 2 == 1;
        let is_word =
            |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ',' | ':' | '@' | '/' | '+' | '=');
        loose |= is_expression(name) && !quoted && !value.chars().all(is_word);
        if quoted { doubled(value) } else { value.to_owned() }
    });
    if loose {
        let message = format!(
            "a value in `{name}` stands outside quotation marks, and is more than a word: write '${{{{ … }}}}' around it, so that it stays a value"
        );
        return Err(inputs_failure(message));
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use runbook_engine::runbook::expr::{MARK_END, MARK_START};

    use super::filled;
    use crate::text::Text;

    fn query(name: &str, begin: &str, value: &str, end: &str) -> Result<String, String> {
        let text = format!("{begin}{MARK_START}{value}{MARK_END}{end}");
        let query = BTreeMap::from([(name.to_owned(), Text::from(text.as_str()))]);
        let filled = filled(&query).map_err(|failure| failure.message)?;
        let mut pairs = url::form_urlencoded::parse(filled.as_bytes());
        Ok(pairs.next().unwrap().1.into_owned())
    }

    #[test]
    fn a_value_stays_a_value() {
        assert_eq!(
            query("$filter", "name eq '", "O'Neill & co", "'").unwrap(),
            "name eq 'O''Neill & co'"
        );
        assert_eq!(query("$top", "", "5", "").unwrap(), "5");
        assert_eq!(
            query("$select", "id,", "displayName,appId", "").unwrap(),
            "id,displayName,appId"
        );
        let loose = query("$filter", "n eq ", "5 or 1 eq 1", "").unwrap_err();
        assert!(loose.contains("outside quotation marks"), "{loose}");
        query("$filter", "n eq ", "x'", "").unwrap_err();
        query("$filter", "", "true) or (true", "").unwrap_err();
        assert_eq!(query("other", "", "a b", "").unwrap(), "a b");
        query("filter", "n eq ", "5 or 1 eq 1", "").unwrap_err();
    }
}
