//! `http`: requests to web endpoints. Announced, not yet carried out.

use std::collections::BTreeMap;

use runbook_engine::step::{Abilities, Check, KindDoc};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::Announced;
use super::request::{self, Answers, Expect, Expressions, Method, Request};
use crate::text::{OneOrMany, Text};

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
        }
    }
}

const TEXT: &str = r#"Each of `validate`, `run` and `rollback` is one request or a list of them, sent in order; the
first whose answer is not expected ends the step. Values from parameters and other steps are escaped for where
they stand, and a body that is a map or a list is sent as JSON.

`satisfied`, `outputs` and `observed` are expressions. They see the `response` (`response.status`,
`response.headers`, `response.body` as text, `response.json` where it is JSON) besides `params` and `steps`.

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

impl Announced for Http {
    type Inputs = HttpInputs;

    const NAME: &'static str = "http";

    fn doc(&self) -> KindDoc {
        KindDoc {
            summary: "sends requests to a web endpoint",
            text: TEXT,
            scripts: &[],
            available: false,
        }
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
            for request in requests.iter().flat_map(|OneOrMany(requests)| requests) {
                let url = &request.url;
                if !["https://", "http://", "${{"]
                    .iter()
                    .any(|start| url.starts_with(start))
                {
                    check.problem(
                        &[name],
                        format!("the address `{url}` must start with `https://` or `http://`"),
                    );
                }
            }
        }
    }
}
