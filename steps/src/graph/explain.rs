//! What Graph's and the sign-in's errors mean, and what to do about them.

use serde_json::Value;

use crate::text::last_line;
use crate::web::send::Answer;

/// What Graph says, by its code, with the request's id: `Authorization_RequestDenied: … (request-id …)`.
pub(super) fn explain(answer: &Answer) -> Option<String> {
    let error = answer.json.as_ref()?.get("error")?;
    let code = error.get("code").and_then(Value::as_str)?;
    let message = error.get("message").and_then(Value::as_str).and_then(last_line);
    let message = message.unwrap_or_default();
    let inner = error.get("innerError").or_else(|| error.get("innererror"));
    let id = inner.and_then(|inner| inner.get("request-id")?.as_str());
    let id = id.or_else(|| answer.headers.get("request-id").map(String::as_str));
    let id = id.map_or_else(String::new, |id| format!(" (request-id {id})"));
    let advice = advice(answer.status, code).map_or_else(String::new, |advice| format!("; {advice}"));
    Some(format!("{code}: {message}{id}{advice} (RB0322)"))
}

/// What to do, by status and code. Messages change and are translated, so that they say nothing here.
fn advice(status: u16, code: &str) -> Option<&'static str> {
    match (status, code) {
        (401, _) => Some("the sign-in has ended or is not accepted: try the step again to sign in anew"),
        (403, "Authorization_RequestDenied") => Some(
            "the account or the application lacks a permission: `scopes` must name it, and an administrator must have consented; \
             for an application of Microsoft's own, a Global Administrator may be needed",
        ),
        (403, _) => Some("the account may not do this: sign in as one with the step's role"),
        (404, "Request_ResourceNotFound") => {
            Some("the path needs an object's id; an application's id goes as `/servicePrincipals(appId='…')`")
        }
        (409 | 400, "Request_MultipleObjectsWithSameKeyValue") => {
            Some("another object of the tenant has this name already: find it before you go on")
        }
        (400, "Request_UnsupportedQuery" | "BadRequest") => {
            Some("the query or the body does not fit: look at the step's inputs")
        }
        _ => None,
    }
}

/// Whether the service refuses keys that were sent back by their content.
pub(super) fn refuses_content(answer: &Answer) -> bool {
    // No code of its own is documented for it, so that its text has to do here. A wrong guess costs one more
    // request, which is refused as well.
    answer.status == 400
        && (answer.body.contains("KeyNotUpdatable") || answer.body.contains("Update to existing credential"))
}

/// What the sign-in says: `AADSTS…` and the rest of its first line, and what to do.
pub(super) fn sign_in(answer: &Answer) -> String {
    let json = answer.json.as_ref();
    let text = |name: &str| json.and_then(|json| json.get(name)?.as_str());
    let error = text("error").and_then(last_line);
    let error =
        error.unwrap_or_else(|| format!("an answer that is not understood (status {})", answer.status));
    let description = text("error_description").and_then(|text| last_line(text.lines().next()?));
    let description = description.map_or_else(String::new, |description| format!(": {description}"));
    let codes = json.and_then(|json| json.get("error_codes")?.as_array());
    let advice = codes
        .into_iter()
        .flatten()
        .find_map(|code| sign_in_advice(code.as_u64()?));
    let advice = advice.map_or_else(String::new, |advice| format!("; {advice}"));
    format!("{error}{description}{advice}")
}

/// What to do, by the number behind `AADSTS`.
fn sign_in_advice(code: u64) -> Option<&'static str> {
    match code {
        53003 => {
            Some("the tenant forbids signing in with a code: let an application sign in, with a certificate")
        }
        65001 => Some("an administrator of the tenant must consent to the permissions first"),
        90002 => Some("there is no such tenant: look at `tenant`"),
        700_016 => Some("the tenant does not know this application: look at `client_id`"),
        700_027 => Some("the application does not have this certificate: upload its public half"),
        7_000_215 | 7_000_222 => Some("the application's secret is wrong, or no longer good"),
        _ => None,
    }
}
