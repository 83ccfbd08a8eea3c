//! What is asked for: filters, properties, and names in paths. Pure.

use serde_json::{Map, Value};

use super::super::request::Asked;

/// The id in `servicePrincipals(appId='…')`.
pub(super) fn app_id(segment: &str) -> Option<&str> {
    segment
        .strip_prefix("servicePrincipals(appId='")?
        .strip_suffix("')")
}

/// The application that `appId eq '…'` asks for. A quote that is none, such as `’`, ends no text.
pub(super) fn filtered_app(filter: &str) -> Option<String> {
    let (property, rest) = filter.trim().split_once(' ')?;
    let value = rest.trim().strip_prefix("eq ")?.trim();
    let text = value.strip_prefix('\'')?.strip_suffix('\'')?;
    (property.eq_ignore_ascii_case("appId") && !text.contains('\'')).then(|| text.to_owned())
}

/// The properties that `$select` names.
pub(super) fn selected(whole: &Value, asked: &Asked, kind: &str) -> Result<Map<String, Value>, String> {
    let all = whole.as_object().cloned().unwrap_or_default();
    let Some(names) = asked.query.get("$select") else {
        return Ok(all);
    };
    let mut chosen = Map::new();
    for name in names.split(',').map(str::trim) {
        let Some(value) = all.get(name) else {
            return Err(format!(
                "Could not find a property named '{name}' on type 'microsoft.graph.{kind}'."
            ));
        };
        chosen.insert(name.to_owned(), value.clone());
    }
    Ok(chosen)
}
