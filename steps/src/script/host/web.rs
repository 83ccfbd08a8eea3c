//! Requests to the hosts that a script is granted, and to no other, wherever an answer redirects to.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Response};
use rhai::{Dynamic, Engine, INT, Map};
use runbook_engine::step::Context;
use runbook_engine::step::world::{WebCall, World};
use serde::Deserialize;
use serde_json::Value;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use url::{Host, Url};

use super::{Answer, Function, Grant, LONGEST_TEXT, map, pretended, refused, stopped};
use crate::script::{Allow, host_of};

pub(super) const FUNCTIONS: &[Function] = &[Function::granted(
    "http(request)",
    Grant::Hosts,
    "sends a request and gives a map of `status`, `headers` and `body` (a text of at most 4 MiB). `request` is a map of \
     `url`, and of `method` (`GET`), `headers`, `body` (a text) or `json` (a value), and `timeout` (30 seconds). A \
     redirect is followed where its host is granted too",
)];

const USUAL_TIMEOUT: f64 = 30.0;
const LONGEST_TIMEOUT: Duration = Duration::from_secs(60 * 60);
const MOST_REDIRECTS: usize = 5;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    url: String,
    #[serde(default = "get")]
    method: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<String>,
    json: Option<Value>,
    #[serde(default = "usual_timeout")]
    timeout: f64,
}

fn get() -> String {
    "GET".to_owned()
}

fn usual_timeout() -> f64 {
    USUAL_TIMEOUT
}

/// A host that is granted: at one port, or at the usual port of the scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Granted {
    host: Host<String>,
    port: Option<u16>,
}

impl Granted {
    fn parse(text: &str) -> Option<Self> {
        // What stands in brackets has colons of its own.
        let (name, port) = match text.rsplit_once(':') {
            Some((name, port)) if !port.contains(']') => {
                (name, Some(port.parse().ok().filter(|&port| port > 0)?))
            }
            _ => (text, None),
        };
        let host = Host::parse(name).ok().filter(|_| !name.contains('*'))?;
        Some(Self { host, port })
    }

    /// Whether it is the very host and port of a URL. A name grants no address, and an address no name.
    fn covers(&self, url: &Url) -> bool {
        let same_port = match self.port {
            Some(port) => url.port_or_known_default() == Some(port),
            None => url.port().is_none(),
        };
        same_port && url.host().is_some_and(|host| host.to_owned() == self.host)
    }
}

/// Whether a text names a host, or a host and a port.
pub(in crate::script) fn is_host(text: &str) -> bool {
    Granted::parse(text).is_some()
}

/// Why a URL may not be asked for.
fn refusal(hosts: &[Granted], url: &Url) -> Option<String> {
    if !matches!(url.scheme(), "http" | "https") {
        return Some(format!(
            "`http` reaches `http:` and `https:` only, not `{}:`",
            url.scheme()
        ));
    }
    if hosts.iter().any(|granted| granted.covers(url)) {
        return None;
    }
    let host = host_of(url).unwrap_or_default();
    Some(format!("`{host}` is not allowed: add it to `allow.hosts`"))
}

/// The way to the web of one call of a script.
struct Web {
    hosts: Arc<[Granted]>,
    handle: Handle,
    cancel: CancellationToken,
    client: OnceLock<Client>,
    world: Option<Arc<World>>,
}

pub(super) fn register(engine: &mut Engine, allow: &Allow, cx: &Context) {
    let hosts = allow
        .hosts
        .iter()
        .flatten()
        .filter_map(|host| Granted::parse(host));
    let web = Web {
        hosts: hosts.collect(),
        handle: Handle::current(),
        cancel: cx.cancel.clone(),
        client: OnceLock::new(),
        world: cx.world.clone(),
    };
    engine.register_fn("http", move |request: Map| -> Answer<Map> {
        match rhai::serde::from_dynamic::<Request>(&request.into()) {
            Ok(request) => web.ask(request),
            // What is wrong may be a secret's value: it is not told.
            Err(_) => refused(
                "a request is a map of `url`, and of `method`, `headers` (a map of texts), `body` (a text) or `json`, \
                 and `timeout` (a number of seconds)",
            ),
        }
    });
}

impl Web {
    fn ask(&self, request: Request) -> Answer<Map> {
        let Ok(url) = Url::parse(&request.url) else {
            return refused("`url` is not a URL such as `https://intranet.example.com/status`");
        };
        if let Some(why) = refusal(&self.hosts, &url) {
            return refused(why);
        }
        let timeout = match Duration::try_from_secs_f64(request.timeout) {
            Ok(timeout) => timeout.min(LONGEST_TIMEOUT),
            Err(_) => return refused("`timeout` is a number of seconds"),
        };
        let Ok(method) = Method::from_bytes(request.method.as_bytes()) else {
            return refused("`method` is a word such as `GET` or `POST`");
        };
        let headers = headers(&request.headers)?;
        if request.body.is_some() && request.json.is_some() {
            return refused("a request has a `body` or a `json`, not both");
        }
        if let Some(world) = &self.world {
            let body = request.json.map(|json| json.to_string()).or(request.body);
            let call = WebCall {
                method: request.method,
                url: request.url,
            };
            let answer = world.ask(&call, &body.unwrap_or_default());
            return answer.map(pretended::of_host).or_else(refused);
        }
        let host = url.host_str().unwrap_or_default().to_owned();
        let building = self.client()?.request(method, url).timeout(timeout);
        let building = match (request.body, request.json) {
            (_, Some(json)) => building
                .header(CONTENT_TYPE, "application/json")
                .body(json.to_string()),
            (Some(body), None) => building.body(body),
            (None, None) => building,
        };
        let sending = building.headers(headers).send();
        // The script has a thread to itself, which may wait.
        let answer = self.handle.block_on(async {
            tokio::select! {
                biased;
                () = self.cancel.cancelled() => None,
                answer = async { received(sending.await.map_err(|error| told(&host, error))?, &host).await } => Some(answer),
            }
        });
        match answer {
            None => stopped(),
            Some(Ok(answer)) => Ok(answer),
            Some(Err(why)) => refused(why),
        }
    }

    /// The client, made when it is first needed: it reads the system's certificates.
    fn client(&self) -> Answer<&Client> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let hosts = Arc::clone(&self.hosts);
        let policy = Policy::custom(move |attempt| {
            if attempt.previous().len() > MOST_REDIRECTS {
                return attempt.error(format!("it redirects more than {MOST_REDIRECTS} times"));
            }
            let was_secure = attempt
                .previous()
                .last()
                .is_some_and(|url| url.scheme() == "https");
            if was_secure && attempt.url().scheme() != "https" {
                return attempt.error("it redirects to a place that is not encrypted");
            }
            match refusal(&hosts, attempt.url()) {
                Some(why) => attempt.error(format!("it redirects elsewhere: {why}")),
                None => attempt.follow(),
            }
        });
        // A proxy that the environment names would be a host that nobody granted.
        // Nor may one host learn the URL of another, which may hold a secret.
        let client = Client::builder().redirect(policy).referer(false).no_proxy();
        match client.build() {
            Ok(client) => Ok(self.client.get_or_init(|| client)),
            Err(error) => refused(format!("requests cannot be sent from here: {}", causes(&error))),
        }
    }
}

fn headers(given: &BTreeMap<String, String>) -> Answer<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (name, value) in given {
        let (Ok(key), Ok(value)) = (name.parse::<HeaderName>(), value.parse::<HeaderValue>()) else {
            return refused(format!(
                "the header `{name}` cannot be sent: its name or value is not allowed in HTTP"
            ));
        };
        headers.insert(key, value);
    }
    Ok(headers)
}

/// What a script gets of an answer.
async fn received(mut response: Response, host: &str) -> Result<Map, String> {
    let status = INT::from(response.status().as_u16());
    let mut headers = Map::new();
    for (name, value) in response.headers() {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        let all = match headers.get(name.as_str()) {
            Some(before) => format!("{before}, {value}"),
            None => value,
        };
        headers.insert(name.as_str().into(), all.into());
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| told(host, error))? {
        body.extend_from_slice(&chunk);
        if body.len() > LONGEST_TEXT {
            return Err(format!(
                "the answer of `{host}` is larger than {LONGEST_TEXT} bytes"
            ));
        }
    }
    let body = String::from_utf8_lossy(&body).into_owned();
    Ok(map([
        ("status", status.into()),
        ("headers", Dynamic::from_map(headers)),
        ("body", body.into()),
    ]))
}

/// What went wrong with a request; the URL may hold a secret.
fn told(host: &str, error: reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("`{host}` did not answer in time");
    }
    let error = error.without_url();
    format!("the request to `{host}` failed: {}", causes(&error))
}

/// What is behind an error, which says little itself.
fn causes(error: &reqwest::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    innermost.to_string()
}
