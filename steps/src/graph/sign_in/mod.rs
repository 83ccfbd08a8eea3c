//! Signing in to a tenant: a person with a code, or an application with a secret or a certificate. Tokens are in memory
//! only, and nowhere else.

use std::fmt;
use std::time::{Duration, Instant};

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use runbook_engine::step::{Context, Failure, FailureKind};
use serde::Deserialize;
use url::Url;
use url::form_urlencoded::Serializer;

use super::endpoints::Places;
use super::explain;
use super::inputs::{Account, SignIn};
use crate::web::edge::now;
use crate::web::request::Method;
use crate::web::send::{Answer, Client, Ready};

mod assertion;
mod device;

/// Microsoft's own application for people who use Graph at a command line: "Microsoft Graph Command Line Tools".
const COMMAND_LINE_TOOLS: &str = "14d82eec-204b-4c2f-b7e8-296a70dab67e";

/// How long before its end a token is no longer used.
const MARGIN: Duration = Duration::from_secs(120);

/// How long a token is used at most, whatever the sign-in says.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// The fields of a form that prove who asks.
const PROOFS: [&str; 3] = ["client_secret", "client_assertion", "device_code"];

/// A token that is sent with requests.
pub(super) struct Token {
    access: String,
    ends: Instant,
    /// With which a person need not sign in again.
    refresh: Option<String>,
    /// It was found to belong to the tenant that is meant.
    pub(super) asserted: bool,
}

impl Token {
    /// The header that carries it.
    pub(super) fn header(&self) -> Result<HeaderValue, Failure> {
        let mut value = HeaderValue::from_str(&format!("Bearer {}", self.access)).map_err(|_| {
            Failure::new(
                FailureKind::Failed,
                "the sign-in gave a token that cannot be sent",
            )
        })?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// The token itself.
    pub(super) fn access(&self) -> &str {
        &self.access
    }

    fn is_fresh(&self) -> bool {
        now() + MARGIN < self.ends
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").finish_non_exhaustive()
    }
}

/// The sign-in's answer.
#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: u64,
    refresh_token: Option<String>,
}

impl From<Granted> for Token {
    fn from(granted: Granted) -> Self {
        Self {
            access: granted.access_token,
            ends: now() + Duration::from_secs(granted.expires_in).min(LONGEST),
            refresh: granted.refresh_token,
            asserted: false,
        }
    }
}

/// Who signs in, where, and for what.
pub(super) struct Door<'a> {
    pub(super) client: &'a Client,
    pub(super) places: &'a Places,
    pub(super) account: &'a Account,
}

impl Door<'_> {
    /// A token that is still good: the one that is there, one that it is exchanged for, or a new one.
    ///
    /// # Errors
    /// When nobody signs in, or the sign-in refuses it.
    pub(super) async fn token(&self, known: Option<Token>, cx: &Context) -> Result<Token, Failure> {
        let known = match known {
            Some(token) if token.is_fresh() => return Ok(token),
            stale => stale,
        };
        if let Some(stale) = known
            && let Some(refresh) = &stale.refresh
            && let Some(token) = self.renewed(refresh, cx).await?
        {
            return Ok(Token {
                asserted: stale.asserted,
                ..token
            });
        }
        match &self.account.sign_in {
            Some(application) if !application.is_person() => self.application(application, cx).await,
            person => {
                let client_id = person.as_ref().and_then(|person| person.client_id.as_deref());
                device::token(self, client_id, cx).await
            }
        }
    }

    /// A new token for an old one's second half; nothing where that is no longer accepted.
    async fn renewed(&self, refresh: &str, cx: &Context) -> Result<Option<Token>, Failure> {
        let person = self.account.sign_in.as_ref();
        let client = person.and_then(|person| person.client_id.as_deref());
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", client.unwrap_or(COMMAND_LINE_TOOLS)),
            ("refresh_token", refresh),
            ("scope", &self.delegated()),
        ];
        let answer = self.post("token", &form, cx).await?;
        (answer.status == 200).then(|| granted(&answer)).transpose()
    }

    async fn application(&self, application: &SignIn, cx: &Context) -> Result<Token, Failure> {
        let client = application.client_id.as_deref().unwrap_or_default();
        let everything = format!("{}/.default", self.places.resource());
        let mut form = vec![
            ("grant_type", "client_credentials"),
            ("client_id", client),
            ("scope", everything.as_str()),
        ];
        let assertion;
        if let Some(certificate) = &application.certificate {
            let audience = self.url("token")?;
            let password = application.password.as_deref();
            assertion = assertion::signed(certificate, password, client, audience.as_str())?;
            form.push((
                "client_assertion_type",
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            ));
            form.push(("client_assertion", &assertion));
        } else if let Some(secret) = &application.client_secret {
            form.push(("client_secret", secret));
        }
        let answer = self.post("token", &form, cx).await?;
        if answer.status != 200 {
            return Err(refused("the application could not sign in", &form, &answer));
        }
        granted(&answer)
    }

    /// The scopes that a person is asked to allow.
    fn delegated(&self) -> String {
        let graph = self.places.resource();
        let scopes = self.account.scopes.iter().map(|scope| format!("{graph}/{scope}"));
        // Without the last, a person would have to sign in again every hour.
        scopes
            .chain(["offline_access".to_owned()])
            .collect::<Vec<_>>()
            .join(" ")
    }

    fn url(&self, what: &str) -> Result<Url, Failure> {
        let mut url = self.places.sign_in.clone();
        url.path_segments_mut()
            .map_err(|()| Failure::new(FailureKind::Inputs, "the sign-in's address has no path"))?
            .pop_if_empty()
            .extend([&self.account.tenant, "oauth2", "v2.0", what]);
        Ok(url)
    }

    /// Posts a form to the sign-in, whose answers are read whatever their status is.
    async fn post(&self, what: &str, form: &[(&str, &str)], cx: &Context) -> Result<Answer, Failure> {
        self.client.send(&self.ready(what, form)?, cx).await
    }

    /// The same for a question that is asked again and again.
    async fn ask_quietly(&self, what: &str, form: &[(&str, &str)], cx: &Context) -> Result<Answer, Failure> {
        self.client.send_quietly(&self.ready(what, form)?, cx).await
    }

    fn ready(&self, what: &str, form: &[(&str, &str)]) -> Result<Ready, Failure> {
        let body = Serializer::new(String::new()).extend_pairs(form).finish();
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
        let ready = Ready {
            method: Method::Post,
            url: self.url(what)?,
            headers: HeaderMap::from_iter([(CONTENT_TYPE, kind)]),
            body: Some(body.into_bytes()),
            secret: None,
            repeatable: true,
            stays: false,
        };
        Ok(ready)
    }
}

fn granted(answer: &Answer) -> Result<Token, Failure> {
    let granted = serde_json::from_str::<Granted>(&answer.body);
    // The error of reading it would tell the token.
    granted
        .map(Token::from)
        .map_err(|_| Failure::new(FailureKind::Failed, "the sign-in answered without a token"))
}

/// That the sign-in refuses; what proves who asked is not repeated, though the answer may.
fn refused(what: &str, form: &[(&str, &str)], answer: &Answer) -> Failure {
    let proofs = form.iter().filter(|(name, _)| PROOFS.contains(name));
    let proofs: Vec<&str> = proofs.map(|(_, value)| *value).collect();
    let answer = answer.clone().without(&proofs);
    let message = format!("{what}: {} (RB0320)", explain::sign_in(&answer));
    Failure::new(FailureKind::Failed, message)
}
