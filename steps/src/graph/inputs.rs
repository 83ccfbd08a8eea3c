//! The inputs of `graph` steps and sessions.

use std::collections::BTreeMap;
use std::fmt;

use runbook_engine::step::Templated;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::text::{OneOrMany, Text};
use crate::web::request::{Answers, Expect, Expressions, Method, Request};

/// The inputs of a `graph` step, and of a session of that kind.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GraphInputs {
    /// The tenant's id or one of its domains; whoever signs in elsewhere is refused before anything is sent.
    pub tenant: Option<String>,
    /// The permissions that are needed, such as `Application.ReadWrite.All`; for a person who signs in.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Which of Microsoft's clouds the tenant is in; the public one where it is left out.
    pub cloud: Option<Templated<Cloud>>,
    /// Who signs in: a person with a code where it is left out, else an application.
    pub sign_in: Option<SignIn>,
    /// Requests that tell whether the outcome is there: one, or a list. They only read.
    pub validate: Option<OneOrMany<GraphRequest>>,
    /// Requests that bring the outcome about.
    pub run: Option<OneOrMany<GraphRequest>>,
    /// Requests that undo it.
    pub rollback: Option<OneOrMany<GraphRequest>>,
}

/// One of Microsoft's clouds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cloud {
    /// The public one.
    #[default]
    Global,
    /// For the government of the United States.
    UsGovernment,
    /// For its Department of Defense.
    UsGovernmentDod,
    /// In China.
    China,
}

/// An application that signs in by itself, or the one in whose name a person does.
#[derive(Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The application's id; Microsoft's "Graph Command Line Tools" where a person signs in and it is left out.
    pub client_id: Option<String>,
    /// The application's secret, of a secret parameter.
    pub client_secret: Option<String>,
    /// The application's certificate with its private key: the absolute path of a PFX or PEM file, or PEM text.
    pub certificate: Option<String>,
    /// The password of the certificate's file.
    pub password: Option<String>,
}

impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignIn")
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

impl SignIn {
    /// Whether a person signs in.
    pub(super) fn is_person(&self) -> bool {
        self.client_secret.is_none() && self.certificate.is_none()
    }
}

/// Who signs in where, and for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) tenant: String,
    pub(super) scopes: Vec<String>,
    pub(super) cloud: Cloud,
    pub(super) sign_in: Option<SignIn>,
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
    /// An expression over `response` that gives a text: what people are told where `satisfied` does not hold, and what they can do.
    pub reason: Option<String>,
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

impl GraphInputs {
    /// Who signs in where; nothing where no tenant is named, or something is not filled in.
    pub(super) fn account(&self) -> Option<Account> {
        Some(Account {
            tenant: self.tenant.clone()?,
            scopes: self.scopes.clone(),
            cloud: self.cloud()?,
            sign_in: self.sign_in.clone(),
        })
    }

    /// The cloud, once it is filled in.
    fn cloud(&self) -> Option<Cloud> {
        match &self.cloud {
            None => Some(Cloud::default()),
            Some(cloud) => cloud.get().copied(),
        }
    }

    /// The requests of each part, by its name.
    pub(super) fn parts(&self) -> [(&'static str, &Option<OneOrMany<GraphRequest>>); 3] {
        [
            ("validate", &self.validate),
            ("run", &self.run),
            ("rollback", &self.rollback),
        ]
    }

    /// The inputs that say who signs in where, as they are named; they belong to the session of a step that has one.
    pub(super) fn of_session(&self) -> impl Iterator<Item = &'static str> {
        [
            ("tenant", self.tenant.is_some()),
            ("scopes", !self.scopes.is_empty()),
            ("cloud", self.cloud.is_some()),
            ("sign_in", self.sign_in.is_some()),
        ]
        .into_iter()
        .filter_map(|(name, given)| given.then_some(name))
    }
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
            reason: self.reason.as_deref(),
            outputs: &self.outputs,
            observed: &self.observed,
        }
    }
}
