//! The slice of Microsoft Graph that procedures of trust need: the organisation, and the tenant's applications.

use std::io;

use serde_json::{Value, json};

use super::Server;
use super::answer::{Answer, Ids};
use super::request::Asked;
use super::sign_in::{Grant, Memory};
use super::tenant::Tenant;
use crate::practice::faults::Fault;
use crate::practice::scene::{TENANT, other_tenant};

mod change;
mod query;

use self::query::{app_id, filtered_app, selected};

/// After how many seconds Graph is to be asked again.
const PAUSE: u32 = 1;

/// How many applications a page of a list holds where nobody says.
const PAGE: usize = 100;

/// What an application is asked by.
enum Named<'a> {
    Id(&'a str),
    AppId(&'a str),
}

impl Server {
    /// Answers what is asked of Graph.
    pub(super) fn graph(&self, asked: &Asked, rest: &[&str], memory: &mut Memory) -> Answer {
        if let Some(answer) = self.busy(&asked.ids) {
            return answer;
        }
        let token = asked
            .authorization
            .as_deref()
            .and_then(|header| header.strip_prefix("Bearer "));
        let token = token.unwrap_or_default();
        if memory.grant(token).is_some() && self.happens(Fault::TokenWithdrawn) {
            memory.withdraw(token);
        }
        let Some(grant) = memory.grant(token).cloned() else {
            let message = "Access token has expired or is not yet valid.";
            return Answer::graph(401, "InvalidAuthenticationToken", message, &asked.ids);
        };
        let answered = match (asked.method.as_str(), rest) {
            ("GET", ["organization"]) => self.organization(asked, &grant),
            ("GET", ["servicePrincipals"]) => self.list(asked, &grant, memory),
            (method, ["servicePrincipals", id]) => {
                self.principal(method, &Named::Id(id), asked, &grant, memory)
            }
            (method, [key]) if app_id(key).is_some() => {
                let named = Named::AppId(app_id(key).unwrap_or_default());
                self.principal(method, &named, asked, &grant, memory)
            }
            (_, [segment, ..]) => {
                let message = format!("Resource not found for the segment '{segment}'.");
                Ok(Answer::graph(400, "BadRequest", &message, &asked.ids))
            }
            (_, []) => Ok(Answer::graph(400, "BadRequest", "Empty Payload.", &asked.ids)),
        };
        answered.unwrap_or_else(|error| {
            let message = format!("the practice tenant's files cannot be used: {error}");
            Answer::graph(500, "InternalServerError", &message, &asked.ids)
        })
    }

    /// Whether Graph has no time just now.
    fn busy(&self, ids: &Ids) -> Option<Answer> {
        let throttled = |pause: String| {
            Some(Answer::graph(429, "TooManyRequests", "Too many requests.", ids).with("retry-after", pause))
        };
        if self.happens(Fault::Throttled) {
            return throttled(PAUSE.to_string());
        }
        if self.happens(Fault::ThrottledUntil) {
            let until = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(i64::from(PAUSE) + 1);
            return throttled(until.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string());
        }
        self.happens(Fault::Unavailable).then(|| {
            Answer::graph(
                503,
                "ServiceUnavailable",
                "The service is temporarily unavailable.",
                ids,
            )
        })
    }

    /// The tenant that a token is for.
    fn tenant_of(&self, grant: &Grant) -> io::Result<Tenant> {
        if grant.tenant == TENANT {
            self.load()
        } else {
            Ok(Tenant(other_tenant()))
        }
    }

    fn organization(&self, asked: &Asked, grant: &Grant) -> io::Result<Answer> {
        let tenant = self.tenant_of(grant)?;
        let everything = grant.allows(&[
            "Organization.Read.All",
            "Organization.ReadWrite.All",
            "Directory.Read.All",
            "Directory.ReadWrite.All",
        ]);
        if !everything && (grant.account.is_none() || !grant.allows(&["User.Read"])) {
            return Ok(denied(&asked.ids));
        }
        // With the least permission, most properties are there and empty.
        let shown = |value: Value| if everything { value } else { Value::Null };
        let synchronised = jiff::Timestamp::now() - jiff::SignedDuration::from_mins(40);
        let synchronised = synchronised.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let domain = |name: &str, initial: bool, kind: &str| {
            json!({
                "capabilities": "Email, OfficeCommunicationsOnline", "isDefault": !initial, "isInitial": initial, "name": name, "type": kind,
            })
        };
        let first = tenant.domain().split('.').next().unwrap_or_default();
        let whole = json!({
            "id": tenant.0["id"],
            "displayName": tenant.0["displayName"],
            "onPremisesSyncEnabled": shown(json!(true)),
            "onPremisesLastSyncDateTime": shown(json!(synchronised)),
            "verifiedDomains": [domain(&format!("{first}.onmicrosoft.com"), true, "Managed"), domain(tenant.domain(), false, "Federated")],
        });
        Ok(match selected(&whole, asked, "organization") {
            Ok(one) => Answer::json(
                200,
                &json!({ "@odata.context": self.context("organization"), "value": [one] }),
            ),
            Err(message) => Answer::graph(400, "BadRequest", &message, &asked.ids),
        })
    }

    fn context(&self, set: &str) -> String {
        format!("{}/v1.0/$metadata#{set}", self.folder.address())
    }

    fn list(&self, asked: &Asked, grant: &Grant, memory: &mut Memory) -> io::Result<Answer> {
        if !grant.reads_applications() {
            return Ok(denied(&asked.ids));
        }
        let tenant = self.seen(grant, memory)?;
        let bad = |message: String| {
            Ok(Answer::graph(
                400,
                "Request_UnsupportedQuery",
                &message,
                &asked.ids,
            ))
        };
        let wanted = match asked.query.get("$filter").map(|filter| filtered_app(filter)) {
            Some(None) => return bad("Invalid filter clause".to_owned()),
            Some(Some(app)) => Some(app),
            None => None,
        };
        let number = |name: &str, usual: usize| match asked.query.get(name) {
            Some(text) => text.parse().ok().filter(|number| (1..=999).contains(number)),
            None => Some(usual),
        };
        let (Some(top), Some(page)) = (number("$top", PAGE), number("$skiptoken", 1)) else {
            return bad("Invalid page size or page specified.".to_owned());
        };
        let fits = |one: &&Value| {
            wanted.as_deref().is_none_or(|app| {
                one["appId"]
                    .as_str()
                    .is_some_and(|there| there.eq_ignore_ascii_case(app))
            })
        };
        let all: Vec<&Value> = tenant.principals().iter().filter(fits).collect();
        let mut shown = Vec::new();
        for one in all.iter().skip((page - 1) * top).take(top) {
            match selected(&self.with_keys(one, asked, true), asked, "servicePrincipal") {
                Ok(one) => shown.push(one),
                Err(message) => return Ok(Answer::graph(400, "BadRequest", &message, &asked.ids)),
            }
        }
        let mut body = json!({ "@odata.context": self.context("servicePrincipals") });
        if all.len() > page * top {
            let others = asked.query.iter().filter(|(name, _)| *name != "$skiptoken");
            let mut query = url::form_urlencoded::Serializer::new(String::new());
            let query = query
                .extend_pairs(others)
                .append_pair("$skiptoken", &(page + 1).to_string())
                .finish();
            body["@odata.nextLink"] = json!(format!(
                "{}/v1.0/servicePrincipals?{query}",
                self.folder.address()
            ));
        }
        body["value"] = json!(shown);
        self.meddle(grant)?;
        Ok(Answer::json(200, &body))
    }

    fn principal(
        &self,
        method: &str,
        named: &Named<'_>,
        asked: &Asked,
        grant: &Grant,
        memory: &mut Memory,
    ) -> io::Result<Answer> {
        let tenant = match method {
            "GET" => self.seen(grant, memory)?,
            _ => self.tenant_of(grant)?,
        };
        let (property, value) = match named {
            Named::Id(id) => ("id", *id),
            Named::AppId(id) => ("appId", *id),
        };
        let Some(at) = tenant.find(property, value) else {
            let message = format!(
                "Resource '{value}' does not exist or one of its queried reference-property objects are not present."
            );
            return Ok(Answer::graph(
                404,
                "Request_ResourceNotFound",
                &message,
                &asked.ids,
            ));
        };
        match method {
            "GET" if !grant.reads_applications() => Ok(denied(&asked.ids)),
            "GET" => {
                let whole = self.with_keys(&tenant.principals()[at], asked, false);
                let answer = match selected(&whole, asked, "servicePrincipal") {
                    Ok(mut one) => {
                        one.insert(
                            "@odata.context".to_owned(),
                            json!(self.context("servicePrincipals/$entity")),
                        );
                        Answer::json(200, &Value::Object(one))
                    }
                    Err(message) => Answer::graph(400, "BadRequest", &message, &asked.ids),
                };
                self.meddle(grant)?;
                Ok(answer)
            }
            "PATCH" => self.change(tenant, at, asked, grant, memory),
            _ => Ok(Answer::graph(
                405,
                "Request_BadRequest",
                "Specified HTTP method is not allowed for the request target.",
                &asked.ids,
            )),
        }
    }

    /// The tenant as a reader sees it: as it is, or as it was before the last change.
    fn seen(&self, grant: &Grant, memory: &mut Memory) -> io::Result<Tenant> {
        if grant.tenant == TENANT
            && let Some(before) = &memory.before
            && self.happens(Fault::StaleReads)
        {
            return Ok(Tenant(before.clone()));
        }
        memory.before = None;
        self.tenant_of(grant)
    }

    /// An application, with as much of its keys as this question shows.
    fn with_keys(&self, principal: &Value, asked: &Asked, in_list: bool) -> Value {
        let mut shown = principal.clone();
        let asked_for = asked
            .query
            .get("$select")
            .is_some_and(|names| names.contains("keyCredentials"));
        if in_list && (!asked_for || self.stays(Fault::ListWithoutKeys)) {
            shown["keyCredentials"] = json!([]);
        }
        let content =
            asked_for && !self.stays(Fault::KeysHidden) && (!in_list || self.stays(Fault::ListWithKeys));
        if !content && let Some(keys) = shown["keyCredentials"].as_array_mut() {
            keys.iter_mut().for_each(|key| key["key"] = Value::Null);
        }
        shown
    }
}

fn denied(ids: &Ids) -> Answer {
    Answer::graph(
        403,
        "Authorization_RequestDenied",
        "Insufficient privileges to complete the operation.",
        ids,
    )
}
