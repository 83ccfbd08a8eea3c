//! The sign-in: tokens for applications and for people with codes. They are in memory only, as are the codes: when the
//! server ends, everybody must sign in again.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::json;

use super::answer::Answer;
use super::request::Asked;
use super::{Server, assertion};
use crate::practice::faults::Fault;
use crate::practice::scene::{CLIENT, DOMAIN, OTHER_TENANT, TENANT};

mod memory;

pub(super) use self::memory::{Account, Decision, Grant, Memory};
use self::memory::{CODE_LASTS, Code, TOKEN_LASTS, random, user_code};

/// Microsoft's own application for people at a command line.
const COMMAND_LINE_TOOLS: &str = "14d82eec-204b-4c2f-b7e8-296a70dab67e";

/// What the application may do by itself.
const APPLICATION_ROLES: [&str; 2] = ["Application.ReadWrite.All", "Organization.Read.All"];

impl Server {
    /// Answers what is asked of the sign-in of a tenant.
    pub(super) fn sign_in(
        &self,
        method: &str,
        tenant: &str,
        rest: &[&str],
        asked: &Asked,
        memory: &mut Memory,
    ) -> Answer {
        memory.tidy();
        let known = [TENANT, DOMAIN, "organizations", "common"];
        if !known.iter().any(|known| known.eq_ignore_ascii_case(tenant)) {
            let message = format!(
                "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud."
            );
            return Answer::sign_in(400, "invalid_request", 90_002, &message);
        }
        match (method, rest) {
            ("GET", ["v2.0", ".well-known", "openid-configuration"]) => self.configuration(tenant),
            // Tokens are no statements that anybody could check: there is no key.
            ("GET", ["discovery", "v2.0", "keys"]) => Answer::json(200, &json!({ "keys": [] })),
            ("POST", ["oauth2", "v2.0", "devicecode"]) => self.device_code(&asked.form(), memory),
            ("POST", ["oauth2", "v2.0", "token"]) => self.token(tenant, &asked.form(), memory),
            _ => Answer::empty(404),
        }
    }

    fn configuration(&self, tenant: &str) -> Answer {
        let (address, methods) = (self.folder.address(), ["client_secret_post", "private_key_jwt"]);
        let oauth = format!("{address}/{tenant}/oauth2/v2.0");
        Answer::json(
            200,
            &json!({
                "issuer": format!("{address}/{TENANT}/v2.0"),
                "token_endpoint": format!("{oauth}/token"),
                "device_authorization_endpoint": format!("{oauth}/devicecode"),
                "jwks_uri": format!("{address}/{tenant}/discovery/v2.0/keys"),
                "token_endpoint_auth_methods_supported": methods,
                "response_types_supported": ["code"],
                "subject_types_supported": ["pairwise"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "scopes_supported": ["offline_access"],
            }),
        )
    }

    /// The tenant that a sign-in leads to.
    fn reached(&self) -> &'static str {
        if self.happens(Fault::WrongTenant) {
            OTHER_TENANT
        } else {
            TENANT
        }
    }

    fn device_code(&self, form: &BTreeMap<String, String>, memory: &mut Memory) -> Answer {
        let client = field(form, "client_id");
        if let Some(refused) = unknown_client(client, &[COMMAND_LINE_TOOLS, CLIENT]) {
            return refused;
        }
        let scopes: Vec<String> = field(form, "scope")
            .split_whitespace()
            .map(str::to_owned)
            .collect();
        if scopes.is_empty() {
            return Answer::sign_in(
                400,
                "invalid_request",
                900_144,
                "The request body must contain the following parameter: 'scope'.",
            );
        }
        let lasts = if self.happens(Fault::CodeExpired) {
            Duration::ZERO
        } else {
            CODE_LASTS
        };
        let decision = if self.happens(Fault::SignInDeclined) {
            Some(Decision::Declined)
        } else {
            self.approves.then_some(Decision::Approved(Account::Admin))
        };
        let tenant = self.reached();
        let (device_code, user_code) = (random("dc"), user_code());
        let page = format!("{}/devicelogin", self.folder.address());
        let body = json!({
            "user_code": user_code, "device_code": device_code, "verification_uri": page,
            "expires_in": CODE_LASTS.as_secs(), "interval": 1,
            "message": format!("To sign in, use a web browser to open the page {page} and enter the code {user_code} to authenticate."),
        });
        let code = Code {
            user_code,
            client: client.to_owned(),
            tenant,
            scopes,
            decision,
            ends: Instant::now() + lasts,
        };
        memory.codes.insert(device_code, code);
        Answer::json(200, &body)
    }

    fn token(&self, tenant: &str, form: &BTreeMap<String, String>, memory: &mut Memory) -> Answer {
        match field(form, "grant_type") {
            "client_credentials" => self.application(tenant, form, memory),
            "urn:ietf:params:oauth:grant-type:device_code" => self.device(form, memory),
            "refresh_token" => match memory.refreshes.remove(field(form, "refresh_token")) {
                Some(grant) => memory.issue(fresh(grant), true),
                None => Answer::sign_in(
                    400,
                    "invalid_grant",
                    700_082,
                    "The refresh token has expired or is not known.",
                ),
            },
            _ => Answer::sign_in(
                400,
                "unsupported_grant_type",
                70_003,
                "The app requested an unsupported grant type.",
            ),
        }
    }

    fn application(&self, tenant: &str, form: &BTreeMap<String, String>, memory: &mut Memory) -> Answer {
        let (client, scene) = (field(form, "client_id"), &self.folder.settings.scene);
        if let Some(refused) = unknown_client(client, &[CLIENT]) {
            return refused;
        }
        if field(form, "scope") != format!("{}/.default", self.folder.address())
            && field(form, "scope") != "https://graph.microsoft.com/.default"
        {
            let message = "The provided value for the input parameter 'scope' is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier.";
            return Answer::sign_in(400, "invalid_scope", 1_002_012, message);
        }
        match form.get("client_assertion") {
            Some(statement) => {
                let audience = format!("{}/{tenant}/oauth2/v2.0/token", self.folder.address());
                let checked = assertion::check(statement, &audience, &scene.client_certificate);
                let id = match checked {
                    Ok(id) => id,
                    Err(wrong) => {
                        return Answer::sign_in(401, "invalid_client", wrong.number(), &wrong.to_string());
                    }
                };
                if !memory.statements.insert(id) {
                    let wrong = assertion::Wrong::Used;
                    return Answer::sign_in(401, "invalid_client", wrong.number(), &wrong.to_string());
                }
            }
            None if field(form, "client_secret") == scene.client_secret => {}
            None => {
                let message = format!(
                    "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{client}'."
                );
                return Answer::sign_in(401, "invalid_client", 7_000_215, &message);
            }
        }
        let grant = Grant {
            tenant: self.reached(),
            permissions: APPLICATION_ROLES.map(str::to_owned).into(),
            account: None,
            ends: Instant::now() + TOKEN_LASTS,
        };
        memory.issue(grant, false)
    }

    fn device(&self, form: &BTreeMap<String, String>, memory: &mut Memory) -> Answer {
        let device_code = field(form, "device_code");
        let Some(code) = memory.codes.get(device_code) else {
            return Answer::sign_in(
                400,
                "bad_verification_code",
                70_018,
                "The verification code is not known.",
            );
        };
        if code.client != field(form, "client_id") {
            return Answer::sign_in(
                400,
                "bad_verification_code",
                70_018,
                "The code was given to another application.",
            );
        }
        if code.ends <= Instant::now() {
            return Answer::sign_in(
                400,
                "expired_token",
                70_020,
                "The code that was given has expired.",
            );
        }
        if self.happens(Fault::SlowDown) {
            return Answer::sign_in(400, "slow_down", 70_022, "Ask less often.");
        }
        if self.happens(Fault::CodesBlocked) {
            let message = "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.";
            return Answer::sign_in(400, "invalid_grant", 53_003, message);
        }
        match code.decision {
            None => Answer::sign_in(
                400,
                "authorization_pending",
                70_016,
                "Authorization is pending. Continue polling.",
            ),
            Some(Decision::Declined) => {
                memory.codes.remove(device_code);
                Answer::sign_in(400, "authorization_declined", 70_021, "The person has declined.")
            }
            Some(Decision::Approved(account)) => {
                let names = code
                    .scopes
                    .iter()
                    .map(|scope| scope.rsplit('/').next().unwrap_or(scope).to_owned());
                let (offline, permissions): (Vec<String>, Vec<String>) = names.partition(|name| {
                    matches!(name.as_str(), "offline_access" | "openid" | "profile" | "email")
                });
                let grant = Grant {
                    tenant: code.tenant,
                    permissions,
                    account: Some(account),
                    ends: Instant::now() + TOKEN_LASTS,
                };
                memory.codes.remove(device_code);
                memory.issue(grant, offline.iter().any(|name| name == "offline_access"))
            }
        }
    }
}

fn fresh(mut grant: Grant) -> Grant {
    grant.ends = Instant::now() + TOKEN_LASTS;
    grant
}

fn field<'a>(form: &'a BTreeMap<String, String>, name: &str) -> &'a str {
    form.get(name).map(String::as_str).unwrap_or_default()
}

fn unknown_client(client: &str, known: &[&str]) -> Option<Answer> {
    if known.contains(&client) {
        return None;
    }
    let message = format!(
        "Application with identifier '{client}' was not found in the directory 'Adventure Works'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant."
    );
    Some(Answer::sign_in(400, "unauthorized_client", 700_016, &message))
}
