//! `graph`: requests to Microsoft Graph. Announced, not yet carried out.

use std::collections::BTreeMap;

use runbook_engine::step::{Abilities, Check, KindDoc, typed};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::Announced;
use super::request::{self, Answers, Expect, Expressions, Method, Request};
use crate::text::{OneOrMany, Text};

/// See [`KindDoc`].
pub struct Graph;

/// The inputs of a `graph` step, and of a session of that kind.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GraphInputs {
    /// The tenant's id or domain; whoever signs in elsewhere is refused before anything is sent.
    pub tenant: Option<String>,
    /// The permissions that are needed, such as `Application.ReadWrite.All`.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Requests that tell whether the outcome is there: one, or a list. They only read.
    pub validate: Option<OneOrMany<GraphRequest>>,
    /// Requests that bring the outcome about.
    pub run: Option<OneOrMany<GraphRequest>>,
    /// Requests that undo it.
    pub rollback: Option<OneOrMany<GraphRequest>>,
}

/// One request.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GraphRequest {
    /// What is done; `PATCH` where `merge` is given.
    pub method: Option<Method>,
    /// The path below `https://graph.microsoft.com/v1.0`, such as `/organization`.
    pub path: String,
    /// Parameters of the query, such as `$select`; they are escaped.
    #[serde(default)]
    pub query: BTreeMap<String, Text>,
    /// Headers.
    #[serde(default)]
    pub headers: BTreeMap<String, Text>,
    /// The body, sent as JSON.
    pub body: Option<Value>,
    /// Changes single items of a collection that Graph would replace as a whole.
    pub merge: Option<Merge>,
    /// Which answers are right.
    #[serde(default)]
    pub expect: Expect,
    /// An expression over `response` (`status`, `headers`, `json`): is the outcome there?
    pub satisfied: Option<String>,
    /// What the step gives to later steps: names, and expressions over `response`.
    #[serde(default)]
    pub outputs: Expressions,
    /// What is remembered for `rollback`: names, and expressions over `response`.
    #[serde(default)]
    pub observed: Expressions,
}

/// A change of single items of a collection: it is read, changed, written and read again, so that what
/// others put there stays.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Merge {
    /// The collection, such as `servicePrincipalNames`.
    pub property: String,
    /// The item to add, or a list of them; what is there already stays as it is.
    pub add: Option<Value>,
    /// The item to take away, or a list of them; what is not there is no error.
    pub remove: Option<Value>,
    /// The property by which two items that are objects are the same; without it, the whole item.
    pub key: Option<String>,
}

impl Request for GraphRequest {
    fn method(&self) -> Method {
        match (self.method, &self.merge) {
            (Some(method), _) => method,
            (None, Some(_)) => Method::Patch,
            (None, None) => Method::Get,
        }
    }

    fn answers(&self) -> Answers<'_> {
        Answers {
            expect: &self.expect,
            satisfied: self.satisfied.as_deref(),
        }
    }
}

const TEXT: &str = r#"Each of `validate`, `run` and `rollback` is one request or a list of them, sent in order.
`satisfied`, `outputs` and `observed` are expressions over `response`, as with `http`.

Graph replaces a collection as a whole: a `PATCH` of `servicePrincipalNames` with one name drops all others.
`merge` reads the collection, adds or removes single items, writes it and reads it again; `rollback` removes
exactly what was added, and keeps what others have added meanwhile.

The operator signs in when the first request is due. Nothing is sent to another tenant than `tenant`.

```yaml
steps:
  add-spn:
    title: Add the farm's domain to the service principal
    uses: graph
    with:
      tenant: ${{ params.tenant_id }}
      scopes: [Application.ReadWrite.All]
      validate:
        path: /servicePrincipals(appId='00000003-0000-0ff1-ce00-000000000000')
        query: { $select: "id,servicePrincipalNames" }
        satisfied: response.json.servicePrincipalNames.contains(params.spn)
        observed: { names: response.json.servicePrincipalNames }
      run:
        path: /servicePrincipals(appId='00000003-0000-0ff1-ce00-000000000000')
        merge: { property: servicePrincipalNames, add: "${{ params.spn }}" }
      rollback:
        path: /servicePrincipals(appId='00000003-0000-0ff1-ce00-000000000000')
        merge: { property: servicePrincipalNames, remove: "${{ params.spn }}" }
    rehearse: { observed: { names: [] }, outputs: {} }
```
"#;

impl Announced for Graph {
    type Inputs = GraphInputs;

    const NAME: &'static str = "graph";

    fn doc(&self) -> KindDoc {
        KindDoc {
            summary: "sends requests to Microsoft Graph",
            text: TEXT,
            scripts: &[],
            available: false,
        }
    }

    fn abilities(&self, inputs: &GraphInputs) -> Abilities {
        request::abilities(&inputs.validate, &inputs.run, &inputs.rollback)
    }

    fn check_session(&self, with: &Value, check: &mut Check<'_>) {
        match typed::<GraphInputs>(with) {
            Ok(inputs) => self.check(&inputs, check),
            Err(problem) => check.report(problem),
        }
    }

    fn check(&self, inputs: &GraphInputs, check: &mut Check<'_>) {
        let parts = [
            ("validate", &inputs.validate),
            ("run", &inputs.run),
            ("rollback", &inputs.rollback),
        ];
        let is_session = parts.iter().all(|(_, requests)| requests.is_none())
            && (inputs.tenant.is_some() || !inputs.scopes.is_empty());
        if is_session {
            return;
        }
        request::check(&inputs.validate, &inputs.run, &inputs.rollback, check);
        for (name, requests) in parts {
            for request in requests.iter().flat_map(|OneOrMany(requests)| requests) {
                check_request(name, request, check);
            }
        }
    }
}

fn check_request(name: &str, request: &GraphRequest, check: &mut Check<'_>) {
    let path = &request.path;
    if !path.starts_with('/') && !path.starts_with("${{") {
        check.problem(
            &[name],
            format!("the path `{path}` must start with `/`, such as `/organization`"),
        );
    }
    let Some(merge) = &request.merge else { return };
    if merge.add.is_none() == merge.remove.is_none() {
        check.problem(&[name], "`merge` needs either `add` or `remove`");
    }
    if request.body.is_some() {
        check.problem(&[name], "`merge` makes the body itself: leave `body` out");
    }
    if request.method.is_some_and(|method| method != Method::Patch) {
        check.problem(&[name], "`merge` writes with `PATCH`: leave `method` out");
    }
}
