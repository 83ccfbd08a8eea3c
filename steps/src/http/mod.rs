//! `http`: requests to web endpoints.

use std::collections::BTreeMap;

use async_trait::async_trait;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use runbook_engine::runbook::expr::InputPath;
use runbook_engine::step::{
    Abilities, Check, Context, Failure, FailureKind, InputProblem, KindDoc, Observation, Outputs, Registry,
    StepKind,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use crate::text::{OneOrMany, Text};
use crate::web::marked;
use crate::web::phases::{self, Sends};
use crate::web::request::{self, Answers, Expect, Expressions, Method, Request};
use crate::web::send::{self, Answer, Client, Ready};

/// Headers that prove who asks.
const CREDENTIALS: [&str; 4] = ["authorization", "cookie", "proxy-authorization", "x-api-key"];

/// See [`KindDoc`].
pub struct Http;

/// The inputs of an `http` step.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpInputs {
    /// Requests that tell whether the outcome is there: one, or a list. They only read.
    pub validate: Option<OneOrMany<HttpRequest>>,
    /// Requests that bring the outcome about.
    pub run: Option<OneOrMany<HttpRequest>>,
    /// Requests that undo it.
    pub rollback: Option<OneOrMany<HttpRequest>>,
}

/// One request.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpRequest {
    /// What is done.
    #[serde(default)]
    pub method: Method,
    /// The address, with `https://` or `http://`.
    pub url: String,
    /// Parameters of the query; they are escaped.
    #[serde(default)]
    pub query: BTreeMap<String, Text>,
    /// Headers.
    #[serde(default)]
    pub headers: BTreeMap<String, Text>,
    /// The body: text as it is, anything else as JSON.
    pub body: Option<Value>,
    /// Which answers are right.
    #[serde(default)]
    pub expect: Expect,
    /// An expression over `response` (`status`, `headers`, `body`, `json`): is the outcome there?
    pub satisfied: Option<String>,
    /// An expression over `response` that gives a text: what people are told where `satisfied` does not hold, and what they can do.
    pub reason: Option<String>,
    /// What the step gives to later steps: names, and expressions over `response`.
    #[serde(default)]
    pub outputs: Expressions,
    /// What is remembered for `rollback`: names, and expressions over `response`.
    #[serde(default)]
    pub observed: Expressions,
}

impl Request for HttpRequest {
    fn method(&self) -> Method {
        self.method
    }

    fn answers(&self) -> Answers<'_> {
        Answers {
            expect: &self.expect,
            satisfied: self.satisfied.as_deref(),
            reason: self.reason.as_deref(),
            outputs: &self.outputs,
            observed: &self.observed,
        }
    }
}

const TEXT: &str = r#"Each of `validate`, `run` and `rollback` is one request or a list of them, sent in order; the
first whose answer is not expected ends the step. Values from parameters and other steps are escaped for where
they stand: within `url` none of them begins another part of the path or a query, except one at its very beginning,
which is the address itself. A body that is a map or a list is sent as JSON, text as it is.

Certificates are those that the system trusts, and a proxy is the one that `HTTPS_PROXY` and `NO_PROXY` name. An
answer is read up to 8 MiB. 429, 503 and 504 are tried again, after the pause that `Retry-After` asks for; a request
that nobody answered, only where doing it twice does no harm (not `POST` and `PATCH`). An address that leads to another
host is not followed, nor is one that changes something.

`satisfied`, `outputs` and `observed` are expressions. They see the `response` (`response.status`,
`response.headers`, `response.body` as text, `response.json` where it is JSON) besides `params` and `steps`. `reason` is one
too: the text that people read where `satisfied` does not hold, in place of the expression itself.

```yaml
steps:
  metadata-endpoint:
    title: The metadata of the access control service answers
    uses: http
    with:
      validate:
        url: https://accounts.accesscontrol.windows.net/${{ params.tenant_id }}/metadata/json/1
        expect: { status: [200, 404] }
        satisfied: response.status == 200 && response.json.realm == params.tenant_id
        outputs: { issuer: response.json.issuer }
    rehearse: { outputs: { issuer: "00000001-0000-0000-c000-000000000000" } }
```
"#;

#[async_trait]
impl StepKind for Http {
    type Inputs = HttpInputs;

    const NAME: &'static str = "http";

    fn doc(&self) -> KindDoc {
        KindDoc {
            summary: "sends requests to a web endpoint",
            text: TEXT,
            scripts: &[],
        }
    }

    fn marked(&self, _: &Value, _: &Registry) -> Vec<InputPath> {
        ["validate", "run", "rollback"]
            .map(|part| vec![part, "url"])
            .into()
    }

    fn abilities(&self, inputs: &HttpInputs) -> Abilities {
        request::abilities(&inputs.validate, &inputs.run, &inputs.rollback)
    }

    fn check(&self, inputs: &HttpInputs, check: &mut Check<'_>) {
        request::check(&inputs.validate, &inputs.run, &inputs.rollback, check);
        let parts = [
            ("validate", &inputs.validate),
            ("run", &inputs.run),
            ("rollback", &inputs.rollback),
        ];
        for (name, requests) in parts {
            request::each(name, requests, |path, request| {
                check_address(path, request, check);
            });
        }
    }

    async fn validate(&self, inputs: &HttpInputs, cx: &Context) -> Result<Observation, Failure> {
        phases::validate(&Sender::default(), &inputs.validate, cx).await
    }

    async fn run(&self, inputs: &HttpInputs, cx: &Context) -> Result<Outputs, Failure> {
        phases::carry_out(&Sender::default(), &inputs.run, cx).await
    }

    async fn rollback(&self, inputs: &HttpInputs, cx: &Context) -> Result<(), Failure> {
        phases::carry_out(&Sender::default(), &inputs.rollback, cx)
            .await
            .map(drop)
    }
}

/// Reports an address that is none, and one to which a credential would go in clear text.
fn check_address(path: &[&str], request: &HttpRequest, check: &mut Check<'_>) {
    let url = &request.url;
    if !["https://", "http://", "${{"]
        .iter()
        .any(|start| url.starts_with(start))
    {
        let message = format!("the address `{url}` must start with `https://` or `http://`");
        check.problem(path, message);
    }
    let is_credential = |name: &str| CREDENTIALS.iter().any(|known| known.eq_ignore_ascii_case(name));
    let credential = request.headers.keys().find(|name| is_credential(name));
    let there = Url::parse(url).ok().filter(|url| url.scheme() == "http");
    if let (Some(name), Some(there)) = (credential, there)
        && !send::is_loopback(&there)
    {
        check.report(InputProblem {
            path: path.iter().map(|&part| part.to_owned()).collect(),
            help: Some("use `https://`, if the server can".to_owned()),
            warning: true,
            ..InputProblem::new(format!("`{name}` goes to `{url}` in clear text"))
        });
    }
}

#[derive(Default)]
struct Sender {
    client: Client,
}

#[async_trait]
impl Sends<HttpRequest> for Sender {
    async fn send(&self, request: &HttpRequest, cx: &Context) -> Result<Answer, Failure> {
        self.client.send(&ready(request)?, cx).await
    }

    fn explain(&self, _: &Answer) -> Option<String> {
        None
    }
}

/// The request as it is sent.
fn ready(request: &HttpRequest) -> Result<Ready, Failure> {
    let mut url = address(&request.url)?;
    if !request.query.is_empty() {
        let mut query = url.query_pairs_mut();
        for (name, value) in &request.query {
            query.append_pair(name, value.as_str());
        }
    }
    let mut headers = request::headers(&request.headers)?;
    let (body, kind) = match &request.body {
        None => (None, None),
        Some(Value::String(text)) => (Some(text.clone().into_bytes()), Some("text/plain; charset=utf-8")),
        Some(value) => (Some(value.to_string().into_bytes()), Some("application/json")),
    };
    if let Some(kind) = kind {
        headers
            .entry(CONTENT_TYPE)
            .or_insert(HeaderValue::from_static(kind));
    }
    Ok(Ready {
        method: request.method,
        url,
        headers,
        body,
        secret: None,
        repeatable: request.method.is_repeatable(),
        stays: request
            .expect
            .status
            .iter()
            .any(|status| (300..400).contains(status)),
    })
}

fn inputs_failure(message: String) -> Failure {
    Failure::new(FailureKind::Inputs, message)
}

/// The address, which must be one on the web and hold no password.
fn address(text: &str) -> Result<Url, Failure> {
    let plain = marked::plain(text);
    let text =
        marked::address(text).map_err(|astray| inputs_failure(format!("the address `{plain}` {astray}")))?;
    let url =
        Url::parse(&text).map_err(|error| inputs_failure(format!("`{plain}` is not an address: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") {
        let message = format!(
            "the address must start with `https://` or `http://`, not with `{}:`",
            url.scheme()
        );
        return Err(inputs_failure(message));
    }
    if url.password().is_some() || !url.username().is_empty() {
        let message = "an address holds no user and password: send a header `Authorization`";
        return Err(inputs_failure(message.to_owned()));
    }
    Ok(url)
}
