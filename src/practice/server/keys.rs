//! How Graph replaces the certificates of an application.
//!
//! Microsoft's own sources contradict each other on how those that are there already must be sent back. Both ways are
//! accepted here, unless a fault says otherwise.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use openssl::x509::X509;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::practice::certificates::{thumbprint, time};

/// Which ways of sending a certificate back are accepted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    /// Not by its content under its own id.
    pub(super) refuses_content: bool,
    /// Not by its id: its content, type and usage alone.
    pub(super) refuses_ids: bool,
    /// What was sent back gets another id.
    pub(super) changes_ids: bool,
}

impl Rules {
    /// Both ways, and nothing changes that was sent back.
    pub(super) const LENIENT: Self = Self {
        refuses_content: false,
        refuses_ids: false,
        changes_ids: false,
    };
}

/// Why a list is refused: what Graph says.
pub(super) type Refused = String;

/// The list as it is afterwards.
pub(super) fn replaced(current: &[Value], sent: &Value, rules: Rules) -> Result<Vec<Value>, Refused> {
    let Some(sent) = sent.as_array() else {
        return Err(
            "Invalid value specified for property 'keyCredentials' of resource 'ServicePrincipal'."
                .to_owned(),
        );
    };
    sent.iter().map(|item| entry(current, item, rules)).collect()
}

fn entry(current: &[Value], item: &Value, rules: Rules) -> Result<Value, Refused> {
    let Some(fields) = item.as_object() else {
        return Err("A key credential must be an object.".to_owned());
    };
    is_well_formed(fields)?;
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    let by_id = text("keyId").and_then(|id| current.iter().find(|one| one["keyId"].as_str() == Some(id)));
    let by_content = text("key").and_then(|key| current.iter().find(|one| one["key"].as_str() == Some(key)));
    let is_there = by_id.or(by_content);
    if let Some(there) = is_there {
        let id = there["keyId"].as_str().unwrap_or_default();
        let more = ["keyId", "startDateTime", "endDateTime", "customKeyIdentifier"];
        let has_more = more
            .iter()
            .any(|name| fields.get(*name).is_some_and(|value| !value.is_null()));
        let by_content_alone = text("key").is_some();
        let same = text("key").is_none_or(|key| there["key"].as_str() == Some(key));
        if !same || (rules.refuses_content && by_content_alone) || (rules.refuses_ids && has_more) {
            return Err(format!(
                "Update to existing credential with KeyId '{id}' is not allowed."
            ));
        }
        let mut kept = there.clone();
        if rules.changes_ids {
            kept["keyId"] = json!(derived(&format!("{id} again")));
        }
        return Ok(kept);
    }
    new(fields)
}

fn is_well_formed(fields: &Map<String, Value>) -> Result<(), Refused> {
    const KNOWN: [&str; 8] = [
        "customKeyIdentifier",
        "displayName",
        "endDateTime",
        "key",
        "keyId",
        "startDateTime",
        "type",
        "usage",
    ];
    let unknown = fields
        .keys()
        .find(|name| !KNOWN.contains(&name.as_str()) && !name.starts_with("@odata."));
    if let Some(unknown) = unknown {
        return Err(format!(
            "The property '{unknown}' does not exist on type 'microsoft.graph.keyCredential'."
        ));
    }
    let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
    if !["Sign", "Verify"].contains(&text("usage")) {
        return Err("The value for the property \"usage\" in one of your credentials is invalid. Acceptable values are Sign, Verify.".to_owned());
    }
    if !["AsymmetricX509Cert", "X509CertAndPassword", "Symmetric"].contains(&text("type")) {
        return Err("The value for the property \"type\" in one of your credentials is invalid.".to_owned());
    }
    Ok(())
}

/// A certificate that is not there yet. Its id comes from its content, so that the same run gives the same tenant.
fn new(fields: &Map<String, Value>) -> Result<Value, Refused> {
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    let Some(key) = text("key") else {
        return Err("The property \"key\" of a new credential must be given.".to_owned());
    };
    let invalid =
        || "Key credential is invalid: the property \"key\" is no X.509 certificate in base64.".to_owned();
    let certificate = STANDARD
        .decode(key)
        .ok()
        .and_then(|der| X509::from_der(&der).ok());
    let certificate = certificate.ok_or_else(invalid)?;
    let given = |name: &str, usual: Option<String>| text(name).map(str::to_owned).or(usual);
    Ok(json!({
        "customKeyIdentifier": given("customKeyIdentifier", thumbprint(&certificate).ok()),
        "displayName": fields.get("displayName").cloned().unwrap_or_default(),
        "endDateTime": given("endDateTime", time(certificate.not_after())),
        "key": key,
        "keyId": given("keyId", Some(derived(key).to_string())),
        "startDateTime": given("startDateTime", time(certificate.not_before())),
        "type": text("type"),
        "usage": text("usage"),
    }))
}

/// An id that the same text always gives.
fn derived(text: &str) -> Uuid {
    let digest = openssl::sha::sha256(text.as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests;
