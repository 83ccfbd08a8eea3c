//! Changes of an application: by the one who asks, and by somebody else meanwhile.

use std::io;

use serde_json::{Value, json};

use super::super::Server;
use super::super::answer::Answer;
use super::super::keys::{self, Rules};
use super::super::request::Asked;
use super::super::sign_in::{Grant, Memory};
use super::super::tenant::Tenant;
use super::denied;
use crate::practice::faults::Fault;
use crate::practice::scene::{SHAREPOINT, TENANT};

/// The host that somebody else adds between a reading and a change.
const THIRD_PARTY: &str = "partner";

impl Server {
    /// Somebody else changes the application that was just read.
    pub(super) fn meddle(&self, grant: &Grant) -> io::Result<()> {
        if grant.tenant != TENANT || !self.happens(Fault::ConcurrentChange) {
            return Ok(());
        }
        let mut tenant = self.load()?;
        let Some(at) = tenant.find("appId", SHAREPOINT) else {
            return Ok(());
        };
        let more = |property: &str, item: Value| {
            let mut all = tenant.principals()[at][property]
                .as_array()
                .cloned()
                .unwrap_or_default();
            all.push(item);
            Value::from(all)
        };
        let name = json!(format!("{SHAREPOINT}/{THIRD_PARTY}.{}", tenant.domain()));
        let names = more("servicePrincipalNames", name);
        let key = self.folder.settings.scene.third_party_certificate();
        let keys = more(
            "keyCredentials",
            json!({ "type": "AsymmetricX509Cert", "usage": "Verify", "key": key }),
        );
        let current = tenant.principals()[at]["keyCredentials"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let keys = keys::replaced(&current, &keys, Rules::LENIENT).map_err(io::Error::other)?;
        tenant.set(at, "servicePrincipalNames", names);
        tenant.set(at, "keyCredentials", json!(keys));
        self.keep(&tenant)?;
        self.record("somebody else's change", grant.tenant, "")
    }

    pub(super) fn change(
        &self,
        mut tenant: Tenant,
        at: usize,
        asked: &Asked,
        grant: &Grant,
        memory: &mut Memory,
    ) -> io::Result<Answer> {
        let bad = |code: &str, message: &str| Ok(Answer::graph(400, code, message, &asked.ids));
        if !grant.writes_applications() || self.happens(Fault::Forbidden) {
            return Ok(denied(&asked.ids));
        }
        let body = match asked.json() {
            Ok(Value::Object(body)) => body,
            Ok(_) => return bad("BadRequest", "Unable to read JSON request payload."),
            Err(error) => {
                return bad(
                    "BadRequest",
                    &format!("Unable to read JSON request payload: {error}"),
                );
            }
        };
        let before = tenant.0.clone();
        for (property, value) in &body {
            match self.changed(&tenant, at, property, value) {
                Ok(value) => {
                    let value = self.without_dropped(&tenant, at, property, value);
                    tenant.set(at, property, value);
                }
                Err((409, message)) => {
                    return Ok(Answer::graph(
                        409,
                        "Request_MultipleObjectsWithSameKeyValue",
                        &message,
                        &asked.ids,
                    ));
                }
                Err((_, message)) => return bad("Request_BadRequest", &message),
            }
        }
        let what = body.keys().cloned().collect::<Vec<_>>().join(", ");
        self.record(&format!("PATCH {what}"), grant.tenant, &asked.ids.request)?;
        // What is changed in the wrong tenant is recorded, and no more.
        if grant.tenant == TENANT {
            self.keep(&tenant)?;
            memory.before = Some(before);
        }
        let mut answer = Answer::empty(204);
        answer.lost = self.happens(Fault::LostAnswer);
        Ok(answer)
    }

    /// The new value of a property, without one of those items that were there before, if that goes wrong now.
    fn without_dropped(&self, tenant: &Tenant, at: usize, property: &str, value: Value) -> Value {
        let Value::Array(mut items) = value else {
            return value;
        };
        let current = tenant.principals()[at][property].as_array();
        let there = items
            .iter()
            .rposition(|item| current.is_some_and(|current| current.contains(item)));
        if let Some(dropped) = there
            && self.happens(Fault::ItemDropped)
        {
            items.remove(dropped);
        }
        Value::Array(items)
    }

    /// The new value of a property, or why it is refused.
    fn changed(
        &self,
        tenant: &Tenant,
        at: usize,
        property: &str,
        value: &Value,
    ) -> Result<Value, (u16, String)> {
        let principal = &tenant.principals()[at];
        match property {
            "keyCredentials" => {
                let rules = Rules {
                    refuses_content: self.stays(Fault::KeysRefusedByContent),
                    refuses_ids: self.stays(Fault::KeysRefusedById),
                    changes_ids: self.stays(Fault::KeyIdsChange),
                };
                let current = principal["keyCredentials"]
                    .as_array()
                    .map_or(&[][..], Vec::as_slice);
                keys::replaced(current, value, rules)
                    .map(Value::from)
                    .map_err(|message| (400, message))
            }
            "servicePrincipalNames" => {
                if self.happens(Fault::NameInUse) {
                    return Err((409, "The service principal cannot be created, updated, or restored because the service principal name is already in use.".to_owned()));
                }
                names(tenant, principal, value).map(Value::from)
            }
            known if principal.get(known).is_some() => {
                Err((400, format!("Property '{known}' is read-only and cannot be set.")))
            }
            _ => Err((
                400,
                format!(
                    "The property '{property}' does not exist on type 'microsoft.graph.servicePrincipal'. Make sure to only use property names that are defined by the type."
                ),
            )),
        }
    }
}

/// The names as they are to be. What Graph says to a single text in place of a list is not known; that its type is a
/// list of texts is.
fn names(tenant: &Tenant, principal: &Value, value: &Value) -> Result<Vec<Value>, (u16, String)> {
    let refused = |message: String| (400, message);
    let Some(wanted) = value.as_array() else {
        return Err(refused("A 'PrimitiveValue' node with non-null value was found when trying to read the value of the property 'servicePrincipalNames'; however, a 'StartArray' node was expected.".to_owned()));
    };
    for name in wanted {
        let Some(text) = name.as_str() else {
            return Err(refused("Invalid value specified for property 'servicePrincipalNames' of resource 'ServicePrincipal'.".to_owned()));
        };
        let has = |one: &Value| {
            one["servicePrincipalNames"].as_array().is_some_and(|names| {
                names.iter().any(|there| {
                    there
                        .as_str()
                        .is_some_and(|there| there.eq_ignore_ascii_case(text))
                })
            })
        };
        if has(principal) {
            continue;
        }
        if tenant.principals().iter().any(has) {
            return Err((
                409,
                format!(
                    "The service principal cannot be created, updated, or restored because the service principal name {text} is already in use."
                ),
            ));
        }
        let host = text
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .trim_start_matches("*.")
            .to_ascii_lowercase();
        let domain = tenant.domain();
        if host != domain && !host.ends_with(&format!(".{domain}")) {
            return Err(refused(format!(
                "Values of servicePrincipalNames property must use a verified domain of the organization or its subdomain: '{text}'"
            )));
        }
    }
    Ok(wanted.clone())
}
