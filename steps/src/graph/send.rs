//! Sending requests to Graph: signed in, to the right tenant, page after page.

use async_trait::async_trait;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use runbook_engine::step::{Context, Failure, FailureKind, Open};
use serde_json::{Map, Value, json};
use tokio::sync::Mutex;
use url::Url;

use super::endpoints::Places;
use super::explain::explain;
use super::inputs::{Account, GraphRequest};
use super::sign_in::{Door, Token};
use super::{inputs_failure, query};
use crate::child::note;
use crate::web::edge::new_id;
use crate::web::marked::{escaped, plain, within_path};
use crate::web::phases::Sends;
use crate::web::request::{self, Method, Request as _};
use crate::web::send::{Answer, Client, LARGEST_BODY, Ready};

/// How many pages of a list are read at most.
const MOST_PAGES: usize = 100;

/// What follows the address of Graph.
const VERSION: &str = "v1.0";

/// A sign-in that a session keeps.
pub(super) struct SignedIn {
    /// Whose it is: another account needs another one.
    pub(super) account: Account,
    pub(super) client: Client,
    pub(super) token: Option<Token>,
}

#[async_trait]
impl Open for SignedIn {
    /// A token that nobody has any more does no harm.
    async fn close(self: Box<Self>) {}
}

impl SignedIn {
    /// Nobody has signed in yet.
    pub(super) fn new(account: Account) -> Self {
        Self {
            account,
            client: Client::default(),
            token: None,
        }
    }
}

/// Sends requests to one tenant.
pub(super) struct Sender {
    pub(super) places: Places,
    /// What is sent undoes what the run did.
    pub(super) undoes: bool,
    /// What was changed in collections, by their names.
    pub(super) made: std::sync::Mutex<Map<String, Value>>,
    /// What a rollback found in collections, by their names, before it changed them.
    pub(super) kept: std::sync::Mutex<Map<String, Value>>,
    pub(super) signed_in: Mutex<SignedIn>,
}

#[async_trait]
impl Sends<GraphRequest> for Sender {
    async fn send(&self, request: &GraphRequest, cx: &Context) -> Result<Answer, Failure> {
        match &request.merge {
            Some(merge) if self.undoes => self.unmerge(request, merge, cx).await,
            Some(merge) => self.merge(request, merge, cx).await,
            None if request.method() == Method::Get => self.pages(request, cx).await,
            None => self.signed(self.ready(request, request.method())?, cx).await,
        }
    }

    fn explain(&self, answer: &Answer) -> Option<String> {
        explain(answer)
    }
}

impl Sender {
    /// A request as it is sent, before anybody has signed in.
    pub(super) fn ready(&self, request: &GraphRequest, method: Method) -> Result<Ready, Failure> {
        let mut url = self.url(&request.path)?;
        if !request.query.is_empty() {
            url.set_query(Some(&query::filled(&request.query)?));
        }
        let mut headers = request::headers(&request.headers)?;
        if request.body.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        Ok(Ready {
            method,
            url,
            headers,
            body: request.body.as_ref().map(|body| body.to_string().into_bytes()),
            secret: None,
            // Graph replaces the properties that a `PATCH` names, so that the same one twice is as one.
            repeatable: method != Method::Post,
            stays: false,
        })
    }

    fn url(&self, path: &str) -> Result<Url, Failure> {
        let shown = plain(path);
        let mut in_query = false;
        let path = within_path(path, |before, value| {
            in_query |= before.contains('?');
            escaped(&query::doubled(value))
        })
        .map_err(|astray| inputs_failure(format!("the path `{shown}` {astray}")))?;
        if in_query {
            let message = format!(
                "the path `{shown}` has a value after its `?`: give it in `query`, where it stays a value"
            );
            return Err(inputs_failure(message));
        }
        let text = format!("{}/{VERSION}{path}", self.places.resource());
        let url = Url::parse(&text);
        let url =
            url.map_err(|error| inputs_failure(format!("`{shown}` is not a path of Graph: {error}")))?;
        if url.origin() != self.places.graph.origin() || !path.starts_with('/') {
            return Err(inputs_failure(format!("`{shown}` leads away from Graph")));
        }
        Ok(url)
    }

    /// Sends a request with a token of the right tenant, and with another one where the first is no longer accepted.
    pub(super) async fn signed(&self, ready: Ready, cx: &Context) -> Result<Answer, Failure> {
        let mut signed_in = self.signed_in.lock().await;
        self.sign_in(&mut signed_in, cx).await?;
        let answer = self.with_token(&signed_in, ready.clone(), cx).await?;
        if answer.status != 401 {
            return Ok(answer);
        }
        // It may have been withdrawn before its time.
        signed_in.token = None;
        self.sign_in(&mut signed_in, cx).await?;
        self.with_token(&signed_in, ready, cx).await
    }

    /// Sees to it that there is a token, and that it belongs to the tenant that is meant.
    async fn sign_in(&self, signed_in: &mut SignedIn, cx: &Context) -> Result<(), Failure> {
        self.obtain(signed_in, cx).await?;
        if signed_in.token.as_ref().is_some_and(|token| token.asserted) {
            return Ok(());
        }
        let mut answer = self.organization(signed_in, cx).await?;
        if answer.status == 401 {
            signed_in.token = None;
            self.obtain(signed_in, cx).await?;
            answer = self.organization(signed_in, cx).await?;
        }
        let asserted = self.assert_tenant(&signed_in.account.tenant, &answer, cx);
        match (&asserted, &mut signed_in.token) {
            (Ok(()), Some(token)) => token.asserted = true,
            _ => signed_in.token = None,
        }
        asserted
    }

    /// Sees to it that there is a token, whoever it belongs to.
    async fn obtain(&self, signed_in: &mut SignedIn, cx: &Context) -> Result<(), Failure> {
        let known = signed_in.token.take();
        let door = Door {
            client: &signed_in.client,
            places: &self.places,
            account: &signed_in.account,
        };
        signed_in.token = Some(door.token(known, cx).await?);
        Ok(())
    }

    async fn with_token(
        &self,
        signed_in: &SignedIn,
        mut ready: Ready,
        cx: &Context,
    ) -> Result<Answer, Failure> {
        let header = signed_in.token.as_ref().map(Token::header).transpose()?;
        ready.secret = header.map(|header| (AUTHORIZATION, header));
        // By this id, Microsoft's support finds a request that was never answered.
        if let Ok(id) = HeaderValue::from_str(&new_id().to_string()) {
            ready
                .headers
                .insert(HeaderName::from_static("client-request-id"), id);
        }
        let answer = signed_in.client.send(&ready, cx).await?;
        Ok(match &signed_in.token {
            Some(token) => answer.without(&[token.access()]),
            None => answer,
        })
    }

    /// Asks which tenant this sign-in belongs to.
    async fn organization(&self, signed_in: &SignedIn, cx: &Context) -> Result<Answer, Failure> {
        let mut url = self.url("/organization")?;
        url.set_query(Some("%24select=id,displayName,verifiedDomains"));
        let ready = Ready {
            method: Method::Get,
            url,
            headers: HeaderMap::new(),
            body: None,
            secret: None,
            repeatable: true,
            stays: false,
        };
        self.with_token(signed_in, ready, cx).await
    }

    /// Refuses a sign-in to another tenant than the one that is meant, before anything is sent to it.
    fn assert_tenant(&self, meant: &str, answer: &Answer, cx: &Context) -> Result<(), Failure> {
        let found = answer.json.as_ref().and_then(|json| json["value"].as_array());
        let Some([tenant]) = found.map(Vec::as_slice) else {
            let said = explain(answer).unwrap_or_else(|| format!("status {}", answer.status));
            let message = format!(
                "Graph does not say which tenant this sign-in belongs to, and nothing else was sent: {said}. It takes the \
                 permission User.Read for a person, and Organization.Read.All for an application"
            );
            return Err(Failure::new(FailureKind::Failed, message));
        };
        let id = tenant["id"].as_str().unwrap_or_default();
        let name = tenant["displayName"].as_str().unwrap_or_default();
        let domains = tenant["verifiedDomains"].as_array().into_iter().flatten();
        let mut names = domains.filter_map(|domain| domain["name"].as_str()).chain([id]);
        if !names.any(|name| name.eq_ignore_ascii_case(meant)) {
            let message = format!(
                "this sign-in belongs to the tenant `{id}` ({name}), not to `{meant}`: nothing was sent to it; sign in with an account of `{meant}` (RB0321)"
            );
            return Err(Failure::new(FailureKind::Failed, message));
        }
        let place = match self.places.are_set {
            true => format!(", at {}, which is not Microsoft's own", self.places.resource()),
            false => String::new(),
        };
        let words = format!("signed in to the tenant {id} ({name}){place}");
        cx.transcript.show(&words);
        note(cx, &words);
        Ok(())
    }

    /// Reads something; of a list, all pages.
    async fn pages(&self, request: &GraphRequest, cx: &Context) -> Result<Answer, Failure> {
        let mut ready = self.ready(request, Method::Get)?;
        let mut answer = self.signed(ready.clone(), cx).await?;
        let mut size = answer.body.len();
        for _ in 1..MOST_PAGES {
            let next = answer
                .json
                .as_ref()
                .and_then(|json| json["@odata.nextLink"].as_str());
            let Some(next) = next else { return Ok(answer) };
            ready.url = Url::parse(next)
                .ok()
                .filter(|url| url.origin() == self.places.graph.origin())
                .ok_or_else(|| {
                    Failure::new(FailureKind::Failed, "the next page of a list is not at Graph")
                })?;
            let page = self.signed(ready.clone(), cx).await?;
            size += page.body.len();
            if page.status != 200 || size > LARGEST_BODY {
                let said =
                    explain(&page).unwrap_or_else(|| format!("status {}, {size} bytes so far", page.status));
                let message = format!("the list could not be read to its end: {said}");
                return Err(Failure::new(FailureKind::Failed, message));
            }
            answer.json = joined(answer.json, page.json);
        }
        let message = format!("the list has more than {MOST_PAGES} pages: narrow it with `$filter`");
        Err(Failure::new(FailureKind::Failed, message))
    }
}

/// A list with the items of its next page.
fn joined(list: Option<Value>, page: Option<Value>) -> Option<Value> {
    let (mut list, mut page) = (list?, page?);
    let more = page["value"].take();
    if let (Value::Array(items), Value::Array(more)) = (&mut list["value"], more) {
        items.extend(more);
    }
    let fields = list.as_object_mut()?;
    match page.get("@odata.nextLink") {
        Some(next) => fields.insert("@odata.nextLink".to_owned(), json!(next)),
        None => fields.remove("@odata.nextLink"),
    };
    Some(list)
}
